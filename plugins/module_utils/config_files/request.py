# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""The options of config_files as checked values."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import Any, Iterable, Mapping

from .errors import RequestError

_MODE = re.compile(r"0[0-7]{3,4}\Z")
_PLACEHOLDER = re.compile(r"\{(/[^{}]*)\}")


@dataclass(frozen=True)
class Attributes:
    """Who owns a path (names or numeric ids) and its permission bits."""

    owner: str
    group: str
    mode: int


@dataclass(frozen=True)
class File:
    path: str
    content: bytes
    attributes: Attributes
    secret: bool


@dataclass(frozen=True)
class Directory:
    path: str
    attributes: Attributes


@dataclass(frozen=True)
class Removal:
    """`recursive` takes a directory with all that is in it. Otherwise it must be empty; with `if_empty` it is left."""

    path: str
    recursive: bool = False
    if_empty: bool = False


@dataclass(frozen=True)
class Prune:
    """Files directly in `directory` whose name matches the glob `pattern` and that are not in the set are removed."""

    directory: str
    pattern: str


@dataclass(frozen=True)
class Check:
    """A program that must exit with status 0 before anything lands.

    Attributes:
        argv: `{/absolute/path}` in an argument stands for the staged copy of that file or directory.
        needs: further paths that must be on the host for the check to mean anything.
        in_check_mode: False where the program on disk is not yet the one that will read the files.
        timeout: seconds.
    """

    argv: tuple[str, ...]
    needs: tuple[str, ...] = ()
    in_check_mode: bool = True
    timeout: float = 60.0

    def staged_paths(self) -> list[str]:
        return [path for argument in self.argv for path in _PLACEHOLDER.findall(argument)]

    def staged_argv(self, stage: str) -> list[str]:
        return [_PLACEHOLDER.sub(lambda match: stage + match.group(1), argument) for argument in self.argv]


@dataclass(frozen=True)
class Request:
    files: tuple[File, ...] = ()
    directories: tuple[Directory, ...] = ()
    removals: tuple[Removal, ...] = ()
    prunes: tuple[Prune, ...] = ()
    checks: tuple[Check, ...] = ()


def parse(params: Mapping[str, Any]) -> Request:
    """The request that the module's options describe.

    Raises:
        RequestError: with the option's name and what to write instead.
    """
    files = tuple(_file(item) for item in params["files"])
    # Parents first, in whatever order they are listed.
    directories = tuple(sorted(map(_directory, params["directories"]), key=lambda item: item.path.count("/")))
    removals = tuple(_removal(item) for item in params["remove"])
    if params["state"] == "absent":
        removals += tuple(Removal(file.path) for file in files)
        removals += tuple(
            _whole(Removal(_path(item["path"], "directories"), item["recursive"], if_empty=True))
            for item in params["directories"]
        )
        files, directories = (), ()
    _refuse_twice([*(f.path for f in files), *(d.path for d in directories), *(r.path for r in removals)])
    request = Request(
        files=files,
        directories=directories,
        removals=removals,
        prunes=tuple(_prune(item) for item in params["prune"]),
        checks=() if params["state"] == "absent" else tuple(_check(item) for item in params["validate"]),
    )
    _refuse_unknown_placeholders(request)
    _refuse_removing_what_is_written(request)
    return request


def _file(item: Mapping[str, Any]) -> File:
    path = _path(item["path"], "files")
    if not isinstance(item["content"], str):
        raise RequestError(
            f"files: the content of {path} is {type(item['content']).__name__}, not text; "
            "render it first, for example with `to_nice_yaml`"
        )
    content = item["content"].encode("utf-8", "surrogateescape")
    return File(path, content, _attributes(item, "files"), item["secret"])


def _directory(item: Mapping[str, Any]) -> Directory:
    return Directory(_path(item["path"], "directories"), _attributes(item, "directories"))


def _attributes(item: Mapping[str, Any], option: str) -> Attributes:
    mode = str(item["mode"])
    if not _MODE.match(mode):
        raise RequestError(f"{option}: mode {mode!r} of {item['path']}: write a quoted octal number such as '0640'")
    return Attributes(item["owner"], item["group"], int(mode, 8))


def _removal(item: Any) -> Removal:
    if isinstance(item, str):
        return Removal(_path(item, "remove"))
    if not isinstance(item, Mapping) or "path" not in item or set(item) - {"path", "recursive"}:
        raise RequestError(f"remove: {item!r}: write a path, or {{path: PATH, recursive: true}}")
    if not isinstance(item.get("recursive", False), bool):
        raise RequestError(f"remove: recursive of {item['path']}: write true or false")
    return _whole(Removal(_path(item["path"], "remove"), item.get("recursive", False)))


def _whole(removal: Removal) -> Removal:
    if removal.recursive and removal.path.count("/") < 2:
        raise RequestError(f"{removal.path} with all that is in it is never removed by this module; name what is in it")
    return removal


def _prune(item: Mapping[str, Any]) -> Prune:
    if "/" in item["pattern"]:
        raise RequestError(f"prune: pattern {item['pattern']!r}: write a file name pattern without '/'")
    return Prune(_path(item["directory"], "prune"), item["pattern"])


def _check(item: Mapping[str, Any]) -> Check:
    if not item["argv"]:
        raise RequestError("validate: argv is empty; write the program and its arguments as a list")
    return Check(
        argv=tuple(item["argv"]),
        needs=tuple(_path(path, "validate: needs") for path in item["needs"]),
        in_check_mode=item["in_check_mode"],
        timeout=item["timeout"],
    )


def _path(path: Any, option: str) -> str:
    text = str(path)
    plain = text.rstrip("/")
    # normpath() keeps two leading slashes, which POSIX leaves to each system.
    if not plain.startswith("/") or plain.startswith("//") or os.path.normpath(plain) != plain or "\0" in plain:
        raise RequestError(f"{option}: {text!r}: write an absolute path without '..', '.' or double slashes")
    return plain


def _refuse_twice(paths: list[str]) -> None:
    twice = sorted({path for path in paths if paths.count(path) > 1})
    if twice:
        raise RequestError(f"named more than once in files, directories and remove: {', '.join(twice)}")


def _refuse_unknown_placeholders(request: Request) -> None:
    known = set(staged_names(file.path for file in request.files))
    for check in request.checks:
        for path in check.staged_paths():
            if path not in known:
                raise RequestError(f"validate: {{{path}}} in {' '.join(check.argv)}: no such path among files")


def _refuse_removing_what_is_written(request: Request) -> None:
    written = [item.path for item in (*request.files, *request.directories)]
    for removal in request.removals:
        inside = [path for path in written if path.startswith(removal.path + "/")]
        if inside:
            raise RequestError(f"remove: {removal.path} holds {inside[0]}, which the same task writes")


def staged_names(paths: Iterable[str]) -> Iterable[str]:
    """The paths and all their parent directories but the root."""
    for path in paths:
        while path not in ("", "/"):
            yield path
            path = os.path.dirname(path)
