"""A package, before it is known whether it becomes a .deb or an .rpm."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

# Any fixed moment will do: packages are the same bytes each time they are made of the same things.
EPOCH = 1_700_000_000
SUFFIX = "+lab"
WHAT_IT_IS = "Stand-in made by the lab of gpufleet for machines without a GPU; the vendor has nothing to do with it."


@dataclass(frozen=True)
class File:
    """A file of a package. `config`: what the administrator changed in it survives an upgrade."""

    content: bytes
    mode: int = 0o644
    config: bool = False


@dataclass(frozen=True)
class Package:
    """One package. Paths have no leading slash.

    `version` is the vendor's with its revision, `scripts` are named as dpkg names them (postinst, prerm, postrm), and
    the relations are written in the words of the packaging system that it is for.
    """

    name: str
    version: str
    summary: str
    files: Mapping[str, File] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    scripts: Mapping[str, str] = field(default_factory=dict)
    depends: Sequence[str] = ()
    recommends: Sequence[str] = ()
    provides: Sequence[str] = ()
    conflicts: Sequence[str] = ()
    epoch: int | None = None

    @property
    def folders(self) -> Iterator[str]:
        """The folders that the package's files need, outermost first."""
        seen: set[str] = set()
        for path in sorted([*self.files, *self.links]):
            parts = path.split("/")[:-1]
            for length in range(1, len(parts) + 1):
                folder = "/".join(parts[:length])
                if folder not in seen:
                    seen.add(folder)
                    yield folder
