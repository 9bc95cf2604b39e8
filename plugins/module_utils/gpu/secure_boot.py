# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Whether the firmware checks signatures, and whether it trusts the key that DKMS signs with."""

from __future__ import annotations

import os
import re
from typing import Any

from .programs import Asker
from .roots import Roots, data

# The GUID of EFI's global variables, and that of shim's.
_GLOBAL = "8be4df61-93ca-11d2-aa0d-00e098032b8c"
_SHIM = "605dab50-e046-4300-abb6-3dd810dd8b23"
# Where DKMS (3.0 and later) and Ubuntu's shim-signed keep the public half.
_KEYS = ("var/lib/shim-signed/mok/MOK.der", "var/lib/dkms/mok.pub")
_SECONDS = 10.0


def secure_boot(roots: Roots) -> tuple[bool | None, list[str]]:
    """Whether the kernel will ask for signatures because of Secure Boot; None where it cannot be known."""
    firmware = os.path.join(roots.sys, "firmware/efi")
    if not os.path.isdir(firmware):
        return False, []
    value = data(os.path.join(firmware, "efivars", f"SecureBoot-{_GLOBAL}"))
    # Four bytes of attributes, then the value itself.
    if len(value) < 5:
        return None, ["secure boot: cannot read SecureBoot in /sys/firmware/efi/efivars; is efivarfs mounted?"]
    disabled = data(os.path.join(firmware, "efivars", f"MokSBStateRT-{_SHIM}"))
    return value[4] == 1 and not (len(disabled) >= 5 and disabled[4] == 1), []


def mok(roots: Roots, ask: Asker, enabled: bool | None) -> tuple[dict[str, Any], list[str]]:
    """{enrolled, dkms_key, dkms_key_enrolled}: names of the enrolled owner keys; and what could not be found out."""
    key = next((roots.path(place) for place in _KEYS if os.path.isfile(roots.path(place))), None)
    if enabled is False:
        return {"enrolled": None, "dkms_key": key, "dkms_key_enrolled": None}, []
    listed = ask(["mokutil", "--list-enrolled"], _SECONDS)
    # It exits with 1 when the key is enrolled, and says so on standard output.
    tested = ask(["mokutil", "--test-key", key], _SECONDS, also=(1,)) if key else None
    unknown = [] if listed is not None else ["machine owner keys: mokutil is not there, or does not answer"]
    facts = {
        "enrolled": None if listed is None else subjects(listed),
        "dkms_key": key,
        "dkms_key_enrolled": is_enrolled(tested or ""),
    }
    return facts, unknown


def subjects(listing: str) -> list[str]:
    """The common names of the certificates that `mokutil --list-enrolled` prints."""
    return re.findall(r"Subject:.*?CN\s*=\s*([^,/\n]+?)\s*$", listing, re.MULTILINE)


def is_enrolled(answer: str) -> bool | None:
    """What `mokutil --test-key` says: `<file> is already enrolled`, or `<file> is not enrolled`."""
    if "is already enrolled" in answer:
        return True
    return False if "is not enrolled" in answer else None
