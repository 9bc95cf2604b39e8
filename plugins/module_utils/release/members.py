"""The members of an archive, one after the other, whatever its format."""

from __future__ import annotations

import contextlib
import os
import stat
import subprocess
import tarfile
import time
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from .errors import BadRequestError, DamagedArchiveError, UnsafeArchiveError

SUFFIXES = {
    ".tar.gz": "tar.gz",
    ".tgz": "tar.gz",
    ".tar.xz": "tar.xz",
    ".txz": "tar.xz",
    ".tar.bz2": "tar.bz2",
    ".tar.zst": "tar.zst",
    ".zip": "zip",
}
FORMATS = ("tar.gz", "tar.xz", "tar.bz2", "tar.zst", "zip", "file")

FILE, DIRECTORY, SYMLINK, HARDLINK = "file", "directory", "symlink", "hardlink"


@dataclass(frozen=True)
class Member:
    """kind: one of the constants above, or the name of something that is refused; size and mtime in bytes and
    seconds; target: of a link; content: of a file, to be read before the next member is asked for."""

    name: str
    kind: str
    size: int = 0
    executable: bool = False
    mtime: float = 0
    target: str = ""
    content: IO[bytes] | None = None


def format_of(path: str) -> str | None:
    """The format that a file name's suffix means; None when it means none."""
    for suffix, name in SUFFIXES.items():
        if path.lower().endswith(suffix):
            return name
    return None


@contextlib.contextmanager
def opened(path: str, archive_format: str) -> Iterator[Iterator[Member]]:
    """The members of the archive at `path`.

    Raises:
        DamagedArchiveError: it cannot be read to its end as what it should be.
        UnsafeArchiveError: it is encrypted.
        BadRequestError: the host lacks what reads this format.
    """
    try:
        if archive_format == "zip":
            with zipfile.ZipFile(path) as archive:
                yield _zip_members(archive)
        elif archive_format == "tar.zst":
            with _zstd(path) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
                yield _tar_members(archive)
        else:
            with tarfile.open(path, mode=f"r|{archive_format[4:]}") as archive:
                yield _tar_members(archive)
    except tarfile.CompressionError as error:
        raise BadRequestError(f"this host's Python cannot read {archive_format}: {error}") from error
    except (tarfile.TarError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError) as error:
        raise _damaged(archive_format, error) from error
    except Exception as error:
        # lzma may be missing from a host's Python, so that its exception cannot be named.
        if type(error).__name__ != "LZMAError":
            raise
        raise _damaged(archive_format, error) from error


def _damaged(archive_format: str, error: Exception) -> DamagedArchiveError:
    return DamagedArchiveError(
        f"cannot be read as {archive_format} although its checksum is the locked one: {error}. "
        "Is `format` right for this URL?"
    )


def _tar_members(archive: tarfile.TarFile) -> Iterator[Member]:
    for info in archive:
        if info.isreg():
            kind = FILE
        elif info.isdir():
            kind = DIRECTORY
        elif info.issym():
            kind = SYMLINK
        elif info.islnk():
            kind = HARDLINK
        else:
            kind = "fifo" if info.isfifo() else "device node" if info.isdev() else f"member of type {info.type!r}"
        yield Member(
            name=info.name,
            kind=kind,
            size=info.size if kind == FILE else 0,
            executable=bool(info.mode & 0o111),
            mtime=info.mtime,
            target=info.linkname,
            content=archive.extractfile(info) if kind == FILE else None,
        )


def _zip_members(archive: zipfile.ZipFile) -> Iterator[Member]:
    for info in archive.infolist():
        if info.flag_bits & 0x1:
            raise UnsafeArchiveError(f"{info.filename}: is encrypted")
        mode = info.external_attr >> 16
        kind = DIRECTORY if info.is_dir() else FILE
        if stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR):
            kind = SYMLINK if stat.S_ISLNK(mode) else "special file"
        mtime = time.mktime((*info.date_time, 0, 0, -1))
        with archive.open(info) as content:
            yield Member(
                name=info.filename,
                kind=kind,
                size=info.file_size if kind == FILE else 0,
                executable=bool(mode & 0o111),
                mtime=mtime,
                target=os.fsdecode(content.read(4096)) if kind == SYMLINK else "",
                content=content if kind == FILE else None,
            )


@contextlib.contextmanager
def _zstd(path: str) -> Iterator[IO[bytes]]:
    try:
        process = subprocess.Popen(
            ["zstd", "--decompress", "--stdout", "--quiet", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
    except FileNotFoundError as error:
        raise BadRequestError(
            "this host has no program `zstd`, which unpacks tar.zst: install the package zstd"
        ) from error
    try:
        yield process.stdout
        process.stdout.read()
        said = process.stderr.read().decode(errors="replace").strip()
        if process.wait():
            raise EOFError(said or f"zstd ended with status {process.returncode}")
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def unpacked_size(path: str, archive_format: str) -> int:
    """A lower bound in bytes of what the archive holds, as far as it says so without being unpacked."""
    size = os.path.getsize(path)
    try:
        if archive_format == "zip":
            with zipfile.ZipFile(path) as archive:
                return sum(info.file_size for info in archive.infolist())
        if archive_format == "tar.gz" and size > 4:
            with open(path, "rb") as file:
                file.seek(-4, os.SEEK_END)
                return max(size, int.from_bytes(file.read(4), "little"))
    except zipfile.BadZipFile as error:
        raise _damaged(archive_format, error) from error
    return 0 if archive_format == "file" else size
