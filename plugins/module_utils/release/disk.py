"""The folder /opt/<name>: read it, and change it in steps that are each atomic.

<version>/                       complete, with MARKER inside
current -> <version>             the link; there may be others
.staging-XXXXXXXX/               one run's workshop; nothing in it is ever linked
.lock                            see lock.py
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator

from . import libc, modes
from .errors import NotOursError, UnsafeArchiveError
from .lock import LOCK
from .shelf import Installed, Shelf

MARKER = ".gpufleet-release.json"
STAGING = ".staging-"


def look(path: str) -> Shelf:
    """The picture of `path`, which need not exist; changes nothing.

    Raises:
        NotOursError: `path` is no folder, or one that others than root may write to.
    """
    try:
        _check_folder(path)
        names = sorted(os.listdir(path))
    except FileNotFoundError:
        return Shelf(path)
    versions, links, foreign, debris = {}, {}, [], []
    for name in names:
        full = os.path.join(path, name)
        if name == LOCK:
            continue
        if os.path.islink(full):
            links[name] = _leads_to(path, full)
        elif name.startswith(STAGING):
            debris.append(name)
        else:
            installed = _installed(full, name)
            if installed:
                versions[name] = installed
            elif not _empty_folder(full):
                foreign.append(name)
    return Shelf(path, versions, links, tuple(foreign), tuple(debris))


def _check_folder(path: str) -> None:
    found = os.stat(path)
    if not stat.S_ISDIR(found.st_mode):
        raise NotOursError(f"{path} is no folder. Move it away, then run again", path=path)
    if os.geteuid() == 0 and (found.st_uid != 0 or found.st_mode & 0o022):
        raise NotOursError(
            f"{path} belongs to user id {found.st_uid} with mode {stat.S_IMODE(found.st_mode):04o}: others than root "
            f"could replace what services run from it. Check its content, then: chown root: {path} && chmod 755 {path}",
            path=path,
        )


def _leads_to(path: str, link: str) -> str | None:
    """The version that a link leads to, also when somebody wrote it as an absolute path."""
    target = os.path.normpath(os.path.join(os.path.realpath(path), os.readlink(link)))
    return os.path.basename(target) if os.path.dirname(target) == os.path.realpath(path) else None


def _empty_folder(path: str) -> bool:
    return os.path.isdir(path) and not os.listdir(path)


def _installed(folder: str, version: str) -> Installed | None:
    marker = os.path.join(folder, MARKER)
    try:
        with open(marker, encoding="utf-8") as file:
            used = os.fstat(file.fileno()).st_mtime
            text = file.read()
    except (FileNotFoundError, NotADirectoryError):
        return None
    try:
        said = json.loads(text)
        return Installed(version, said["url"], said["sha256"], used, _damage(folder, said["executables"]))
    except (ValueError, KeyError, TypeError, AttributeError):
        return Installed(version, used=used, damage=f"{MARKER} cannot be read")


def _damage(folder: str, executables: dict[str, int]) -> str:
    for name, size in executables.items():
        try:
            found = os.stat(os.path.join(folder, name)).st_size
        except OSError:
            return f"{name} is gone"
        if found != size:
            return f"{name} has {found} bytes instead of {size}"
    return ""


def _executables(folder: str) -> dict[str, int]:
    """Relative path -> bytes of every executable file below `folder`."""
    found = {}
    for parent, _folders, names in os.walk(folder):
        for name in names:
            full = os.path.join(parent, name)
            status = os.lstat(full)
            if stat.S_ISREG(status.st_mode) and status.st_mode & 0o111:
                found[os.path.relpath(full, folder)] = status.st_size
    return dict(sorted(found.items()))


def mark(tree: str, **facts: object) -> None:
    """Write the marker into a complete `tree`; `facts` say what it is.

    Raises:
        UnsafeArchiveError: the release brings a file of that name.
    """
    marker = os.path.join(tree, MARKER)
    if os.path.lexists(marker):
        raise UnsafeArchiveError(f"{MARKER}: the release holds a file of this name, which is not for it to write")
    facts = {
        **facts,
        "installed": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "executables": _executables(tree),
    }
    with open(marker, "x", encoding="utf-8") as file:
        json.dump(facts, file, indent=1)
        os.fchmod(file.fileno(), modes.DATA)


@contextlib.contextmanager
def staging(path: str) -> Iterator[str]:
    """A new empty folder on the same file system; whatever is in it afterwards is removed."""
    folder = tempfile.mkdtemp(prefix=STAGING, dir=path)
    try:
        os.chmod(folder, modes.FOLDER)
        if os.geteuid() == 0:
            os.chown(folder, 0, 0)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def clear(path: str, debris: tuple[str, ...]) -> None:
    """Remove what killed runs have left. Only under the lock: a running one has its staging folder too."""
    for name in debris:
        shutil.rmtree(os.path.join(path, name))


def put(path: str, version: str, tree: str) -> None:
    """Let `tree`, a complete version from a staging folder, become `version`; an older one of that name goes out.

    Raises:
        NotOursError: the file system cannot replace a folder in one step.
    """
    target = os.path.join(path, version)
    libc.sync_file_system(path)
    if os.path.lexists(target) and not _empty_folder(target):
        try:
            libc.exchange(tree, target)
        except libc.ExchangeUnsupportedError as error:
            raise NotOursError(
                f"{target} has to be replaced, and this file system cannot do that in one step ({error.strerror}). "
                f"Install another version first, remove this one with state=absent version={version}, then run again",
                path=target,
            ) from error
    else:
        os.rename(tree, target)
    _sync_folder(path)


def point(path: str, link: str, version: str, workshop: str) -> None:
    """Let `link` lead to `version`, in one step; the new link is made in the staging folder `workshop`."""
    fresh = os.path.join(workshop, "link")
    os.symlink(version, fresh)
    os.replace(fresh, os.path.join(path, link))
    _sync_folder(path)


def touch(path: str, version: str) -> None:
    """Remember that `version` was in use until now, so that it is the last to be pruned."""
    with contextlib.suppress(FileNotFoundError):
        os.utime(os.path.join(path, version, MARKER))


def remove(path: str, version: str, workshop: str) -> None:
    """Remove `version`: in one step from its place, then bit by bit."""
    aside = os.path.join(workshop, f"removed-{version}")
    os.rename(os.path.join(path, version), aside)
    shutil.rmtree(aside)


def unlink(path: str, link: str) -> None:
    os.unlink(os.path.join(path, link))


def _sync_folder(path: str) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
