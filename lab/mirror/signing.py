"""The key that signs the mirror's apt repositories, made on the spot and kept with the mirror's cache."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.paths import LAB_CACHE
from lab.run import capture

_HOME = LAB_CACHE / "signing"
_PUBLIC = _HOME / "public.asc"
_OWNER = "gpufleet lab mirror"


def public_key() -> str:
    """The public half, armoured."""
    if not _PUBLIC.is_file():
        _make()
    return _PUBLIC.read_text()


def sign(release: Path, signed: Path) -> None:
    """Write `signed`: the content of `release` with a signature around it."""
    public_key()
    _gpg("--output", str(signed), "--clearsign", str(release))


def _make() -> None:
    shutil.rmtree(_HOME, ignore_errors=True)
    _HOME.mkdir(parents=True, mode=0o700)
    _gpg("--passphrase", "", "--quick-generate-key", _OWNER, "ed25519", "sign", "never")
    _PUBLIC.write_text(_gpg("--armor", "--export", _OWNER))


def _gpg(*words: str) -> str:
    try:
        return capture(["gpg", "--homedir", str(_HOME), "--batch", "--yes", "--quiet", *words])
    finally:
        # gpg starts an agent that would stay on the machine.
        capture(["gpgconf", "--homedir", str(_HOME), "--kill", "gpg-agent"])
