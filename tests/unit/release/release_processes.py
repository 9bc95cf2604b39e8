"""Work done in processes of its own, whose limits, mounts and deaths nobody else sees."""

from __future__ import annotations

import os
from collections.abc import Callable


def at_once(works: list[Callable[[], str]]) -> list[str]:
    """Run each in a process of its own, all released at the same moment; what each of them said, in order."""
    gate_reading, gate_writing = os.pipe()
    children = []
    for work in works:
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            try:
                os.close(gate_writing)
                os.read(gate_reading, 1)  # returns when the last holder of the other end closes it
                said = work()
            except BaseException as error:
                said = f"{type(error).__name__}: {error}"
            os.write(writing, said.encode())
            os._exit(0)
        os.close(writing)
        children.append((child, reading))
    os.close(gate_reading)
    os.close(gate_writing)
    said = []
    for child, reading in children:
        with os.fdopen(reading) as pipe:
            said.append(pipe.read())
        os.waitpid(child, 0)
    return said
