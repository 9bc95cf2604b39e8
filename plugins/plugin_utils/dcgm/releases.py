"""What is known of each release of dcgm-exporter: the DCGM it goes with, and the fields it takes."""

from __future__ import annotations

import yaml
from packaging.version import InvalidVersion, Version

from ..components import COLLECTION_ROOT

ROLE = COLLECTION_ROOT / "roles" / "dcgm_exporter"


class ReleaseError(Exception):
    """A version, or a pair of versions, that cannot be had; the text says what to write."""


def pairs() -> dict[str, str]:
    """Exporter version -> DCGM version, as upstream releases them together."""
    document = yaml.safe_load((ROLE / "vars" / "versions.yml").read_text(encoding="utf-8"))
    return dict(document["__dcgm_exporter_pairs"])


def dcgm_version(exporter: str, wanted: str = "") -> str:
    """The version of DCGM for a version of the exporter.

    Args:
        wanted: what the operator asks for; empty means the paired one.

    Raises:
        ReleaseError: the two do not go together, or nobody says what goes with this exporter.
    """
    paired = pairs().get(exporter)
    if paired is None:
        if wanted:
            return wanted
        known = ", ".join(f"{exporter} with DCGM {dcgm}" for exporter, dcgm in pairs().items())
        raise ReleaseError(
            f"which DCGM goes with dcgm-exporter {exporter} is not known here ({known}); "
            "upstream's release notes say it: set dcgm_exporter_dcgm_version."
        )
    if wanted and wanted != paired:
        fitting = next((each for each, dcgm in pairs().items() if dcgm == wanted), "")
        other = f", or dcgm_exporter_version: {fitting}" if fitting else ""
        raise ReleaseError(
            f"dcgm-exporter {exporter} goes with DCGM {paired}, not {wanted}; "
            f"leave dcgm_exporter_dcgm_version empty{other}."
        )
    return paired


def known_fields(exporter: str) -> dict[str, int]:
    """Name -> number of every field that this version, or the newest earlier one on record, takes in its CSV.

    Raises:
        ReleaseError: the version is none, or older than all on record.
    """
    recorded = {Version(file.stem): file for file in (ROLE / "files" / "fields").glob("*.txt")}
    try:
        earlier = [candidate for candidate in recorded if candidate <= Version(exporter)]
    except InvalidVersion:
        raise ReleaseError(f"{exporter!r} is no version; write one like {max(recorded)}.") from None
    if not earlier:
        raise ReleaseError(f"dcgm-exporter {exporter} is too old; {min(recorded)} is the oldest that is known here.")
    lines = recorded[max(earlier)].read_text(encoding="utf-8").splitlines()
    return {name: int(number) for number, name in (line.split() for line in lines if not line.startswith("#"))}
