"""Grafana's repositories at Grafana's own paths: apt.grafana.com, and rpm.grafana.com for Rocky Linux.

Where apt.grafana.com can be reached, the real packages are taken from it, and with LAB_GRAFANA_DEB=/path.deb the given
one; else the lab's stand-in is packed, for both. MANIFEST.json and the progress lines say which.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import re
import shutil
import urllib.request
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import yaml

from lab.apt import control_of, version_of
from lab.errors import LabError
from lab.files import replacing, scratch, write_atomically
from lab.mirror import rpm_repository, signing
from lab.mirror.apt_repository import packages_index
from lab.mirror.manifest import Manifest, digest_of, recipe_digest
from lab.mirror.urls import archive_path
from lab.packages import deb, grafana
from lab.paths import LAB, ROOT, SCRATCH
from lab.progress import Step, step

APT, RPM = "https://apt.grafana.com", "https://rpm.grafana.com"
KEY = "gpg.key"
GIVEN = "LAB_GRAFANA_DEB"
_INDEX = "main/binary-amd64/Packages"
# The one before the role's, for upgrades and the way back.
EARLIER = "13.2.2"
_SECONDS = 5
SIGNER = signing.Key("signing-grafana", "gpufleet lab in the place of Grafana Labs", "rsa3072")


def versions() -> list[str]:
    """What the role installs by default, and the one before."""
    return [EARLIER, yaml.safe_load((ROOT / "roles/grafana/defaults/main.yml").read_text())["grafana_version"]]


def key_urls() -> list[str]:
    """The keys that whoever uses the repositories has to know beforehand."""
    return [f"{APT}/{KEY}", f"{RPM}/{KEY}"]


def given_version() -> str | None:
    """The version of the package given as LAB_GRAFANA_DEB, as the role's variable says it; None where none is given."""
    path = os.environ.get(GIVEN)
    return re.split(r"[-+~]", version_of(_given(path)))[0] if path else None


def origin(manifest: Manifest) -> str:
    """Where the packages in the mirror come from, in words."""
    return next((str(entry["source"]) for entry in manifest.below(archive_path(APT)).values()), "not made yet")


def make(manifest: Manifest) -> None:
    """Make the repositories whose packages would be others by now."""
    public = SIGNER.public_key()
    source, recipe, fill = _choose()
    recipe = recipe_digest([recipe, public, digest_of(Path(__file__))])
    for url, lay_out in ((APT, partial(_apt, fill)), (RPM, partial(_rpm, fill is _pack))):
        path = archive_path(url)
        before = manifest.below(path)
        if before and all(manifest.holds(file, recipe) for file in before):
            continue
        with step(f"Making {url} of {source}") as current, scratch(SCRATCH) as folder:
            folder.chmod(0o755)
            lay_out(folder, current)
            write_atomically(folder / KEY, public)
            with replacing(manifest.root / path) as staged:
                shutil.copytree(folder, staged)
                shutil.rmtree(manifest.root / path, ignore_errors=True)
        files = [file for file in sorted((manifest.root / path).rglob("*")) if file.is_file()]
        manifest.put_folder(before, files, source=source, recipe=recipe)


def _apt(fill: Callable[[Path, Step], None], folder: Path, current: Step) -> None:
    (folder / "pool").mkdir()
    fill(folder / "pool", current)
    _write_index(folder)


def _rpm(stand_in: bool, folder: Path, current: Step) -> None:
    """Real RPMs are not fetched: the lab's Rocky Linux lacks what they lean on."""
    packages = [grafana.rpm(version) for version in versions()] if stand_in else []
    rpm_repository.fill(folder, packages, SIGNER, current)


def _choose() -> tuple[str, str, Callable[[Path, Step], None]]:
    """What the packages are, what they depend on, and what lays them into a folder."""
    if path := os.environ.get(GIVEN):
        file = _given(path)
        return f"the package given as {GIVEN}", digest_of(file), lambda pool, _current: shutil.copy(file, pool)
    index = _published()
    if index:
        listed = wanted(index, versions())
        return f"the real packages of {APT}", recipe_digest(listed), lambda pool, current: _fetch(listed, pool, current)
    return f"stand-ins for the packages of {APT}, which cannot be reached", _standin(), _pack


def _pack(pool: Path, current: Step) -> None:
    for version in versions():
        current.at(f"grafana {version}")
        deb.make(grafana.deb(version), pool)


def _standin() -> str:
    parts = [
        *(LAB / "standins/grafana").glob("*.py"),
        *(LAB / "packages" / f"{name}.py" for name in ("grafana", "deb", "rpm")),
    ]
    return recipe_digest([versions(), *(digest_of(file) for file in sorted(parts))])


def _given(path: str) -> Path:
    file = Path(path)
    if not file.is_file() or not re.search(r"^Package: grafana", control_of(file), re.MULTILINE):
        raise LabError(f"{GIVEN}={path}: is no package of Grafana for Debian")
    return file


def _published() -> str | None:
    """The list of Grafana's packages, or None where its repository cannot be reached."""
    try:
        return gzip.decompress(_get(f"{APT}/dists/stable/{_INDEX}.gz")).decode()
    except (OSError, EOFError):
        return None


def _get(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=_SECONDS) as answer:  # noqa: S310 an https address of our own
        return answer.read()


def wanted(index: str, names: list[str]) -> dict[str, tuple[str, str]]:
    """Version -> (file name, sha256) of the packages in a list of Grafana's.

    Raises:
        LabError: one is not in it.
    """
    found = {}
    for stanza in index.split("\n\n"):
        fields = dict(re.findall(r"^(\S+): (.*)$", stanza, re.MULTILINE))
        if fields.get("Package") == "grafana" and fields.get("Architecture") == "amd64":
            found[fields["Version"]] = (fields["Filename"], fields["SHA256"])
    if missing := [name for name in names if name not in found]:
        raise LabError(f"{APT} has no grafana {' and no '.join(missing)} (any more); change grafana_version")
    return {name: found[name] for name in names}


def _fetch(listed: Mapping[str, tuple[str, str]], pool: Path, current: Step) -> None:
    for version, (name, digest) in listed.items():
        current.at(f"grafana {version}")
        content = _get(f"{APT}/{name}")
        if hashlib.sha256(content).hexdigest() != digest:
            raise LabError(f"{APT}/{name}: is not the file that the repository lists")
        (pool / name.rsplit("/", 1)[-1]).write_bytes(content)


def _write_index(folder: Path) -> None:
    stanzas = [
        (control_of(file), f"pool/{file.name}", file.stat().st_size, digest_of(file))
        for file in sorted((folder / "pool").iterdir())
    ]
    packages = packages_index(stanzas).encode()
    files = {_INDEX: packages, f"{_INDEX}.gz": gzip.compress(packages, mtime=0)}
    suite = folder / "dists/stable"
    for name, content in files.items():
        (suite / name).parent.mkdir(parents=True, exist_ok=True)
        (suite / name).write_bytes(content)
    fields = {
        "Origin": "grafana stable",
        "Label": "grafana stable",
        "Suite": "stable",
        "Codename": "stable",
        "Date": datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S UTC"),
        "Architectures": "amd64",
        "Components": "main",
    }
    sums = (f" {hashlib.sha256(content).hexdigest()} {len(content)} {name}\n" for name, content in files.items())
    text = "".join(f"{name}: {value}\n" for name, value in fields.items()) + "SHA256:\n" + "".join(sums)
    (suite / "Release").write_text(text)
    SIGNER.sign(suite / "Release", suite / "InRelease")
