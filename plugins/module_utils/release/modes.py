"""Who may do what with an installed release: everybody may read and run it, root alone may change it."""

from __future__ import annotations

import os

FOLDER = 0o755
PROGRAM = 0o755
DATA = 0o644


def make_folder(path: str) -> None:
    """A new folder, whatever the umask.

    Raises:
        FileExistsError: there is something already.
    """
    os.mkdir(path)
    os.chmod(path, FOLDER)
