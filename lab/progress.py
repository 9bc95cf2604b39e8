"""What a command says while it works: one line per step, and moving signs of life within it."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console

_HEARTBEAT = 10.0  # seconds between lines where the output is no terminal
_console = Console(highlight=False, soft_wrap=True)


class Step:
    """One step under way. `detail` is the line it is at; whoever works on the step sets it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.detail = ""
        self.started = time.monotonic()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self.started

    def at(self, detail: str) -> None:
        """Say what the step is doing now."""
        self.detail = " ".join(detail.split())[:100]


@contextmanager
def step(title: str) -> Iterator[Step]:
    """Print `title`, show that it moves until the block ends, then print how long it took."""
    current = Step(title)
    finished = threading.Event()
    show = _on_terminal if sys.stdout.isatty() else _in_log
    shower = threading.Thread(target=show, args=(current, finished), daemon=True)
    shower.start()
    try:
        yield current
    except BaseException:
        finished.set()
        shower.join()
        say(f"{title}: failed after {current.seconds:.1f} s")
        raise
    finished.set()
    shower.join()
    say(f"{title}: {current.seconds:.1f} s")


def say(line: str) -> None:
    """Print one finished line."""
    _console.print(line, markup=False)
    sys.stdout.flush()


def _on_terminal(current: Step, finished: threading.Event) -> None:
    with _console.status("") as status:
        while not finished.wait(0.2):
            status.update(f"{current.title}: {current.seconds:3.0f} s  [dim]{current.detail.replace('[', '(')}[/dim]")


def _in_log(current: Step, finished: threading.Event) -> None:
    if finished.wait(1.0):
        return
    say(f"{current.title} ...")
    while not finished.wait(_HEARTBEAT):
        say(f"    {current.seconds:3.0f} s  {current.detail}")
