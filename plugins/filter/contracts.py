"""Filter that finds the contract of a component's version."""

from __future__ import annotations

from pathlib import Path

from ansible.errors import AnsibleFilterError
from packaging.version import Version


def contract_file(role_path: str, version: str) -> str:
    """The contract recorded from `version`, or from the newest earlier one; a later one only where none is earlier.

    Raises:
        AnsibleFilterError: the role has no contract at all.
    """
    recorded = {Version(file.stem): file for file in Path(role_path).glob("files/monitoring/contracts/*.yml")}
    if not recorded:
        raise AnsibleFilterError(f"{role_path} has no contract under files/monitoring/contracts")
    wanted = Version(str(version))
    earlier = [candidate for candidate in recorded if candidate <= wanted]
    return str(recorded[max(earlier) if earlier else min(recorded)])


class FilterModule:
    """contract_file."""

    def filters(self):
        return {"contract_file": contract_file}
