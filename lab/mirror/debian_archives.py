"""The Prometheus project's tarballs, made from Debian's binaries of the same versions."""

from __future__ import annotations

import shutil
import tarfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from lab.apt import Apt, unpack, version_of
from lab.errors import LabError
from lab.files import replacing, scratch, write_atomically
from lab.mirror.manifest import Manifest, recipe_digest
from lab.mirror.tarball import Member, members_below, write_tarball
from lab.mirror.urls import archive_path, archive_top
from lab.paths import SCRATCH, TOOLS
from lab.progress import Step, step


@dataclass(frozen=True)
class DebianArchive:
    """One tarball: whose it is, and which packages and paths it is made from."""

    url: str
    suite: str
    packages: Mapping[str, str]
    files: Mapping[str, str]
    tools: Sequence[str] = field(default=())
    rewrite: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def path(self) -> str:
        return archive_path(self.url)

    @property
    def top(self) -> str:
        return archive_top(self.url)

    @property
    def version(self) -> str:
        return next(iter(self.packages.values()))

    @property
    def recipe(self) -> str:
        return recipe_digest([asdict(self), Path(__file__).read_text()])

    @property
    def source(self) -> str:
        names = ", ".join(f"{name} {version}" for name, version in self.packages.items())
        return f"stand-in for {self.url}, made from Debian's {names} ({self.suite})"

    def tool_path(self, tool: str) -> Path:
        return TOOLS / f"{tool}-{self.version}"


def parse(entries: Sequence[Mapping[str, Any]]) -> list[DebianArchive]:
    """The `debian_archives` of lab/mirror.yml."""
    try:
        return [DebianArchive(**entry) for entry in entries]
    except TypeError as error:
        raise LabError(f"lab/mirror.yml: debian_archives: {error}") from None


def make(archives: Sequence[DebianArchive], manifest: Manifest) -> None:
    """Make what is missing, one distribution after the other, then the tools that come out of them."""
    wanted: dict[str, list[DebianArchive]] = defaultdict(list)
    for archive in archives:
        if not manifest.holds(archive.path, archive.recipe):
            wanted[archive.suite].append(archive)
    for suite, missing in wanted.items():
        apt = Apt(suite)
        with step(f"Asking Debian {suite} for its packages") as current:
            apt.update(current)
        for archive in missing:
            with step(f"Making {archive.top}.tar.gz") as current:
                _make_one(archive, apt, manifest, current)
    for archive in archives:
        _write_sums(archive, manifest)
        _extract_tools(archive, manifest)


def _make_one(archive: DebianArchive, apt: Apt, manifest: Manifest, current: Step) -> None:
    debs = apt.download(archive.packages, current)
    with scratch(SCRATCH) as tree:
        for name, deb in debs.items():
            _require_version(archive, name, version_of(deb))
            current.at(f"unpacking {deb.name}")
            unpack(deb, tree)
        current.at("packing")
        with replacing(manifest.root / archive.path) as staged:
            write_tarball(staged, archive.top, _members(archive, tree))
    manifest.add(archive.path, source=archive.source, recipe=archive.recipe)


def _require_version(archive: DebianArchive, name: str, found: str) -> None:
    wanted = archive.packages[name]
    if found.split("+")[0].split("-")[0] != wanted:
        raise LabError(
            f"Debian {archive.suite} now has {name} {found}, lab/mirror.yml wants {wanted} for {archive.url}: "
            "change the version there and in the role's vars/versions.yml"
        )


def _members(archive: DebianArchive, tree: Path) -> list[Member]:
    members: list[Member] = []
    for name, origin in archive.files.items():
        source = tree / origin
        if name.endswith("/") and source.is_dir():
            members += members_below(source, name.rstrip("/"))
        elif source.is_file():
            _rewrite(source, archive.rewrite.get(name, {}))
            members.append(Member(name, source))
        else:
            raise LabError(f"lab/mirror.yml: {archive.url}: Debian's packages hold no {origin}")
    return members


def _rewrite(program: Path, paths: Mapping[str, str]) -> None:
    """Replace paths inside a compiled program. Its strings keep their length, so slashes fill the new one up."""
    content = program.read_bytes()
    for old, new in paths.items():
        filled = new.ljust(len(old), "/")
        if len(filled) != len(old) or old.encode() not in content:
            raise LabError(f"lab/mirror.yml: cannot put {new} in the place of {old} in {program.name}")
        content = content.replace(old.encode(), filled.encode())
    if paths:
        program.write_bytes(content)


def _write_sums(archive: DebianArchive, manifest: Manifest) -> None:
    """sha256sums.txt beside the archive, as the publisher has it."""
    folder, name = archive.path.rsplit("/", 1)
    path, text = f"{folder}/sha256sums.txt", f"{manifest.files[archive.path]['sha256']}  {name}\n"
    if manifest.holds(path, recipe_digest(text)):
        return
    write_atomically(manifest.root / path, text)
    manifest.add(path, source=f"digest of {archive.path}", recipe=recipe_digest(text))


def _extract_tools(archive: DebianArchive, manifest: Manifest) -> None:
    tarball = manifest.root / archive.path
    for tool in archive.tools:
        target = archive.tool_path(tool)
        if target.is_file() and target.stat().st_mtime >= tarball.stat().st_mtime:
            continue
        with tarfile.open(tarball) as packed, replacing(target) as staged:
            content = packed.extractfile(f"{archive.top}/{tool}")
            if content is None:
                raise LabError(f"{archive.path} holds no {tool}")
            with staged.open("wb") as file:
                shutil.copyfileobj(content, file)
            staged.chmod(0o755)
