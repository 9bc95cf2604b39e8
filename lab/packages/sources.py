"""What the stand-ins are made of, as a digest: whatever changes in it makes new packages."""

from __future__ import annotations

from pathlib import Path

from lab.hardware import kernel
from lab.mirror.manifest import digest_of, recipe_digest
from lab.paths import LAB, ROOT

_PACKAGES = LAB / "packages"


def vendors() -> str:
    """Of NVIDIA's packages: this folder, the programs in them and the lists of fields."""
    return _digest(
        *_PACKAGES.glob("*.py"),
        *(path for path in (LAB / "standins").iterdir() if path.is_file()),
        *(ROOT / "roles/dcgm_exporter/files/fields").glob("*.txt"),
        LAB / "mirror/nvidia_repository.py",
        LAB / "mirror/rpm_repository.py",
    )


def distributions() -> str:
    """Of what a distribution brings itself: DKMS and the headers of the kernel that runs."""
    return _digest(*(_PACKAGES / f"{name}.py" for name in ("package", "deb", "rpm", "dkms", "headers", "red_hat")))


def _digest(*files: Path) -> str:
    return recipe_digest([kernel.release(), *(digest_of(file) for file in sorted(files) if file.is_file())])
