"""The mirror's Debian: the packages that roles install on the lab's machines, signed by a key of the lab's own.

Laid out like any archive: apt/debian/dists/<suite>/ and apt/debian/pool/<suite>/.
"""

from __future__ import annotations

import gzip
import hashlib
import shutil
from collections.abc import Iterable, Mapping, Sequence
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
from lab.progress import step

BASE = "apt/debian"
_INDEX = "main/binary-amd64/Packages"


def parse(entry: Mapping[str, Sequence[str]]) -> dict[str, list[str]]:
    """The `apt` of lab/mirror.yml: suite -> packages."""
    for suite, packages in entry.items():
        if suite not in SUITES.values() or not isinstance(packages, list):
            raise LabError(f"lab/mirror.yml: apt: {suite}: must be one of {', '.join(SUITES.values())}, with a list")
    return {suite: list(entry.get(suite, [])) for suite in SUITES.values()}


def make(suite: str, packages: Sequence[str], manifest: Manifest) -> None:
    """One suite: these packages and what they need beyond a blank machine; headers of its kernel, and DKMS."""
    system = next(system for system, name in SUITES.items() if name == suite)
    installed = images.installed_packages(system)
    public = write_public_key(manifest)
    recipe = recipe_digest([suite, sorted(packages), digest_of(installed), public, sources.distributions()])
    before = {**manifest.below(f"{BASE}/dists/{suite}"), **manifest.below(f"{BASE}/pool/{suite}")}
    if before and all(manifest.holds(path, recipe) for path in before):
        return
    with step(f"Collecting Debian's packages for {suite}") as current, scratch(SCRATCH) as folder:
        pool = folder / "pool"
        pool.mkdir()
        apt = Apt(suite, installed)
        apt.update(current)
        if packages:
            apt.download_with_dependencies(packages, folder / "debs", current)
            for file in (folder / "debs").glob("*.deb"):
                file.replace(pool / file.name.replace("%3a", "~"))
        dkms.thin(apt.download(["dkms"], current)["dkms"], pool)
        deb.make(headers.package(kernel.release()), pool)
        _index(suite, pool, folder / "dists")
        _put(folder / "dists", manifest.root / BASE / "dists" / suite)
        _put(pool, manifest.root / BASE / "pool" / suite)
    manifest.put_folder(before, _files_of(suite, manifest.root), source=f"Debian {suite}", recipe=recipe)


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
        "Components": "main",
    }
    sums = (f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n" for name, content in files.items())
    return "".join(f"{name}: {value}\n" for name, value in fields.items()) + "SHA256:\n" + "".join(sums)


def _index(suite: str, pool: Path, dists: Path) -> None:
    stanzas = [
        (
            control_of(file),
            f"pool/{suite}/{file.name}",
            file.stat().st_size,
            digest_of(file),
        )
        for file in sorted(pool.iterdir())
    ]
    packages = packages_index(stanzas).encode()
    files = {_INDEX: packages, f"{_INDEX}.gz": gzip.compress(packages, mtime=0)}
    for name, content in files.items():
        (dists / name).parent.mkdir(parents=True, exist_ok=True)
        (dists / name).write_bytes(content)
    (dists / "Release").write_text(release(suite, files, datetime.now(UTC)))
    signing.DEBIAN.sign(dists / "Release", dists / "InRelease")


def _put(source: Path, target: Path) -> None:
    with replacing(target) as staged:
        shutil.copytree(source, staged)
        shutil.rmtree(target, ignore_errors=True)


def _files_of(suite: str, root: Path) -> list[Path]:
    folders = [root / BASE / part / suite for part in ("dists", "pool")]
    return [path for folder in folders for path in sorted(folder.rglob("*")) if path.is_file()]
