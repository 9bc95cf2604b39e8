"""DKMS itself: Debian's own package, which asks for no compiler here, since the lab's machines compile nothing."""

from __future__ import annotations

import re
from pathlib import Path

from lab.apt import unpack
from lab.files import scratch
from lab.packages import deb
from lab.packages.package import File
from lab.run import capture

_DEPENDS = "kmod, python3"


def thin(original: Path, into: Path) -> Path:
    """Debian's dkms with fewer dependencies. Its version is lower than Debian's, which wins where both are on offer."""
    with scratch(into) as folder:
        tree = folder / "tree"
        capture(["dpkg-deb", "--raw-extract", str(original), str(tree)])
        control = tree / "DEBIAN/control"
        control.write_text(thin_control(control.read_text()))
        (tree / "DEBIAN/md5sums").unlink(missing_ok=True)
        target = into / f"{original.name.removesuffix('_all.deb')}~lab_all.deb"
        deb.pack(tree, target)
    return target


def thin_control(control: str) -> str:
    """The control file without the compiler, make and what only people want."""
    control = re.sub(r"^(Pre-Depends|Recommends|Suggests):.*\n(?:[ \t].*\n)*", "", control, flags=re.MULTILINE)
    control = re.sub(r"^Depends:.*\n(?:[ \t].*\n)*", f"Depends: {_DEPENDS}\n", control, flags=re.MULTILINE)
    return re.sub(r"^Version: (.*)$", r"Version: \1~lab", control, flags=re.MULTILINE)


def program_files(original: Path) -> dict[str, File]:
    """The files of Debian's package that are the program itself, for other kinds of packages."""
    with scratch(original.parent) as folder:
        unpack(original, folder)
        wanted = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
        return {
            name: File(path.read_bytes(), path.stat().st_mode & 0o777)
            for path in wanted
            if not (name := str(path.relative_to(folder))).startswith(("usr/share/", "etc/kernel/"))
        }
