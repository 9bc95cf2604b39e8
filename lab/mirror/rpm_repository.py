"""RPM repositories: NVIDIA's for RHEL 9 with its module streams, and the distribution's own of a Rocky machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from pathlib import Path

from lab.apt import Apt
from lab.files import replacing, scratch, write_atomically
from lab.hardware import kernel
from lab.machines import DERIVED, SUITES
from lab.mirror import signing
from lab.mirror.manifest import Manifest, recipe_digest
from lab.packages import red_hat, rpm, sources
from lab.packages.package import Package
from lab.paths import SCRATCH
from lab.progress import Step, step
from lab.run import capture

BASE = "rpm/rocky9"
KEY = "RPM-GPG-KEY-lab"


def make(manifest: Manifest) -> None:
    """The distribution's repository: what roles install of it, signed by a key of the lab's own."""
    public = signing.ROCKY.public_key()
    recipe = recipe_digest([sources.distributions(), public])
    before = manifest.below(BASE)
    if before and all(manifest.holds(file, recipe) for file in before):
        return
    with step("Making the repository of Rocky Linux") as current, scratch(SCRATCH) as folder:
        apt = Apt(SUITES[DERIVED["rocky9"]])
        apt.update(current)
        packages = red_hat.base_packages(kernel.release(), apt.download(["dkms"], current)["dkms"])
        (folder / "repository").mkdir()
        fill(folder / "repository", packages, signing.ROCKY, current)
        write_atomically(folder / "repository" / KEY, public)
        with replacing(manifest.root / BASE) as staged:
            shutil.copytree(folder / "repository", staged)
            shutil.rmtree(manifest.root / BASE, ignore_errors=True)
    files = [file for file in sorted((manifest.root / BASE).rglob("*")) if file.is_file()]
    manifest.put_folder(before, files, source="stand-ins for packages of Rocky Linux and EPEL", recipe=recipe)


def fill(folder: Path, packages: Iterable[Package], key: signing.Key, current: Step, modules: str = "") -> None:
    """Make the packages, sign them, and write the repository's lists, with module streams if there are any."""
    made = []
    for package in packages:
        current.at(f"{package.name} {package.version}")
        made.append(rpm.make(package, folder))
    if made:
        current.at("signing")
        key.sign_rpms(made)
    capture(["createrepo_c", "--quiet", "--general-compress-type=gz", "--simple-md-filenames", str(folder)])
    if modules:
        (folder / "modules.yaml").write_text(modules)
        capture(["modifyrepo_c", "--mdtype=modules", str(folder / "modules.yaml"), str(folder / "repodata")])
        (folder / "modules.yaml").unlink()
    key.sign_beside(folder / "repodata/repomd.xml", folder / "repodata/repomd.xml.asc")
