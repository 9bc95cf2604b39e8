"""The mirror's Debian: the packages that roles install on the lab's machines, signed by a key of the lab's own.

Laid out like any archive: apt/debian/dists/<suite>/ and apt/debian/pool/<suite>/.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from lab import images
from lab.apt import Apt, control_of
from lab.errors import LabError
from lab.files import replacing, scratch, write_atomically
from lab.hardware import kernel
from lab.machines import SUITES
from lab.mirror import signing
from lab.mirror.manifest import Manifest, digest_of, recipe_digest
from lab.packages import deb, dkms, headers, sources
from lab.paths import SCRATCH
from lab.progress import Step, step

BASE = "apt/debian"
_COMPONENTS = ("contrib", "non-free", "non-free-firmware")


def parse(entry: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The `apt` of lab/mirror.yml: suite -> packages."""
    for suite, packages in entry.items():
        if suite not in SUITES.values() or not isinstance(packages, list):
            raise LabError(f"lab/mirror.yml: apt: {suite}: must be one of {', '.join(SUITES.values())}, with a list")
    return {suite: list(entry.get(suite, [])) for suite in SUITES.values()}


def make(suite: str, packages: Sequence[str], manifest: Manifest) -> None:
    """One suite: these packages and what they need beyond a blank machine; headers of its kernel, and DKMS."""

    def standins(apt: Apt, pool: Path, current: Step) -> None:
        dkms.thin(apt.download(["dkms"], current)["dkms"], pool)
        deb.make(headers.package(kernel.release()), pool)

    collect(BASE, suite, packages, manifest, recipe=sources.distributions(), add=standins)


def collect(
    base: str,
    suite: str,
    packages: Sequence[str],
    manifest: Manifest,
    *,
    components: Sequence[str] = ("main",),
    recipe: str = "",
    add: Callable[[Apt, Path, Step], None] | None = None,
) -> None:
    """Debian's packages of one suite below the folder `base` of the mirror, with what they need.

    `add` puts further packages into the pool; `recipe` changes whenever these do.
    """
    system = next(system for system, name in SUITES.items() if name == suite)
    installed = images.installed_packages(system)
    public = write_public_key(manifest)
    recipe = recipe_digest([suite, sorted(packages), list(components), digest_of(installed), public, recipe])
    before = {**manifest.below(f"{base}/dists/{suite}"), **manifest.below(f"{base}/pool/{suite}")}
    if before and all(manifest.holds(path, recipe) for path in before):
        return
    with step(f"Collecting Debian's packages for {suite}") as current, scratch(SCRATCH) as folder:
        pool = folder / "pool"
        pool.mkdir()
        apt = Apt(suite, installed, components)
        apt.update(current)
        if packages:
            apt.download_with_dependencies(packages, folder / "debs", current)
            for file in (folder / "debs").glob("*.deb"):
                file.replace(pool / file.name.replace("%3a", "~"))
        if add:
            add(apt, pool, current)
        _index(suite, pool, folder / "dists")
        _put(folder / "dists", manifest.root / base / "dists" / suite)
        _put(pool, manifest.root / base / "pool" / suite)
    manifest.put_folder(before, _files_of(base, suite, manifest.root), source=f"Debian {suite}", recipe=recipe)


def write_public_key(manifest: Manifest) -> str:
    """apt/debian/key.asc, for whoever adds the archive by hand."""
    path, public = f"{BASE}/key.asc", signing.DEBIAN.public_key()
    if not manifest.holds(path, recipe_digest(public)):
        write_atomically(manifest.root / path, public)
        manifest.add(path, source="made by the lab", recipe=recipe_digest(public))
    return public


def packages_index(stanzas: Iterable[tuple[str, str, int, str]]) -> str:
    """The text of Packages from (control, file name, size in bytes, sha256)."""
    return "".join(
        f"{control.strip()}\nFilename: {name}\nSize: {size}\nSHA256: {digest}\n\n"
        for control, name, size, digest in stanzas
    )


def release(suite: str, files: Mapping[str, bytes], date: datetime) -> str:
    """The text of Release over the index files below the suite's folder."""
    fields = {
        "Origin": "gpufleet lab",
        "Label": "gpufleet lab",
        "Suite": suite,
        "Codename": suite,
        "Date": date.strftime("%a, %d %b %Y %H:%M:%S UTC"),
        "Architectures": "amd64",
        "Components": " ".join(dict.fromkeys(name.split("/")[0] for name in files)),
    }
    sums = (f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n" for name, content in files.items())
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + "SHA256:\n" + "".join(sums)


def component_of(control: str) -> str:
    """The part of the archive that a package is in: main, or what its section begins with, as in non-free/kernel."""
    section = re.search(r"^Section: (\S+)/", control, re.MULTILINE)
    return section[1] if section and section[1] in _COMPONENTS else "main"


def _index(suite: str, pool: Path, dists: Path) -> None:
    stanzas: dict[str, list[tuple[str, str, int, str]]] = {"main": []}
    for file in sorted(pool.iterdir()):
        control = control_of(file)
        stanza = (control, f"pool/{suite}/{file.name}", file.stat().st_size, digest_of(file))
        stanzas.setdefault(component_of(control), []).append(stanza)
    files = {}
    for component, listed in stanzas.items():
        packages = packages_index(listed).encode()
        index = f"{component}/binary-amd64/Packages"
        files |= {index: packages, f"{index}.gz": gzip.compress(packages, mtime=0)}
    for name, content in files.items():
        (dists / name).parent.mkdir(parents=True, exist_ok=True)
        (dists / name).write_bytes(content)
    (dists / "Release").write_text(release(suite, files, datetime.now(UTC)))
    signing.DEBIAN.sign(dists / "Release", dists / "InRelease")


def _put(source: Path, target: Path) -> None:
    with replacing(target) as staged:
        shutil.copytree(source, staged)
        shutil.rmtree(target, ignore_errors=True)


def _files_of(base: str, suite: str, root: Path) -> list[Path]:
    folders = [root / base / part / suite for part in ("dists", "pool")]
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
