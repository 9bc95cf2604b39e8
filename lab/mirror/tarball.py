"""Archives whose bytes depend on their content alone, so that digests stay the same from build to build."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

_MTIME = 1_700_000_000  # any fixed moment will do


@dataclass(frozen=True)
class Member:
    """One file of an archive: its name in it, and where its content comes from."""

    name: str
    source: Path


def members_below(folder: Path, prefix: str = "") -> list[Member]:
    """Every file and link below `folder`, named as below `prefix`."""
    paths = (path for path in folder.rglob("*") if path.is_symlink() or path.is_file())
    return [Member(str(PurePosixPath(prefix, path.relative_to(folder))), path) for path in paths]


def write_tarball(path: Path, top: str, members: Iterable[Member]) -> None:
    """Write `path` (tar.gz) with `members` below the folder `top`, in the order of their names."""
    with (
        path.open("wb") as raw,
        gzip.GzipFile("", "wb", compresslevel=4, fileobj=raw, mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
    ):
        folders: set[str] = set()
        for member in sorted(members, key=lambda member: member.name):
            _add_folders(archive, f"{top}/{member.name}", folders)
            _add_file(archive, f"{top}/{member.name}", member.source)


def _add_folders(archive: tarfile.TarFile, name: str, known: set[str]) -> None:
    for parent in reversed(Path(name).parents[:-1]):
        if str(parent) not in known:
            known.add(str(parent))
            archive.addfile(_plain(tarfile.TarInfo(str(parent)), tarfile.DIRTYPE, 0o755))


def _add_file(archive: tarfile.TarFile, name: str, source: Path) -> None:
    info = tarfile.TarInfo(name)
    if source.is_symlink():
        info.linkname = str(source.readlink())
        archive.addfile(_plain(info, tarfile.SYMTYPE, 0o777))
        return
    content = source.read_bytes()
    info.size = len(content)
    executable = source.stat().st_mode & 0o100
    archive.addfile(_plain(info, tarfile.REGTYPE, 0o755 if executable else 0o644), io.BytesIO(content))


def _plain(info: tarfile.TarInfo, kind: bytes, mode: int) -> tarfile.TarInfo:
    info.type, info.mode, info.mtime = kind, mode, _MTIME
    info.uid = info.gid = 0
    info.uname = info.gname = "root"
    return info
