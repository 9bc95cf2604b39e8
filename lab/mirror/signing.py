"""The keys that sign the mirror's repositories, made on the spot and kept with the mirror's cache."""

from __future__ import annotations

import shutil
from pathlib import Path

from lab.paths import LAB_CACHE
from lab.run import capture


class Key:
    """A key pair in a folder of its own; made when it is first needed.

    `algorithm` is gpg's word for it. What gpg signs at a given time with an RSA key is the same bytes each time.
    """

    def __init__(self, folder: str, owner: str, algorithm: str) -> None:
        self.home = LAB_CACHE / folder
        self.owner = owner
        self._algorithm = algorithm
        self._public = self.home / "public.asc"

    def public_key(self) -> str:
        """The public half, armoured."""
        if not self._public.is_file():
            shutil.rmtree(self.home, ignore_errors=True)
            self.home.mkdir(parents=True, mode=0o700)
            self._gpg("--passphrase", "", "--quick-generate-key", self.owner, self._algorithm, "sign", "never")
            self._public.write_text(self._gpg("--armor", "--export", self.owner))
        return self._public.read_text()

    def sign(self, file: Path, signed: Path) -> None:
        """Write `signed`: the text of `file` with a signature around it."""
        self.public_key()
        self._gpg("--output", str(signed), "--clearsign", str(file))

    def sign_beside(self, file: Path, signature: Path) -> None:
        """Write `signature`: the armoured signature of `file` alone."""
        self.public_key()
        self._gpg("--output", str(signature), "--armor", "--detach-sign", str(file))

    def sign_rpms(self, rpms: list[Path]) -> None:
        """Put signatures into RPM packages, dated as the key is, so that they are the same each time."""
        self.public_key()
        # Here gpg is run by rpmsign, whose command line for it has no place for a fixed time.
        command = (
            f"{shutil.which('gpg')} gpg --homedir {self.home} --batch --no-armor --digest-algo sha256 "
            f"--faked-system-time {self._created()}! -u '{self.owner}' -sbo %{{__signature_filename}} "
            "%{__plaintext_filename}"
        )
        macros = {"_gpg_name": self.owner, "_gpg_path": self.home, "__gpg_sign_cmd": command}
        defines = [word for name, value in macros.items() for word in ("--define", f"{name} {value}")]
        try:
            capture(["rpmsign", *defines, "--addsign", *map(str, rpms)])
        finally:
            self._stop_agent()

    def _created(self) -> str:
        listed = self._gpg("--with-colons", "--list-keys")
        return next(line for line in listed.splitlines() if line.startswith("pub:")).split(":")[5]

    def _gpg(self, *words: str) -> str:
        try:
            return capture(["gpg", "--homedir", str(self.home), "--batch", "--yes", "--quiet", *words])
        finally:
            self._stop_agent()

    def _stop_agent(self) -> None:
        """gpg starts an agent that would stay on the machine."""
        capture(["gpgconf", "--homedir", str(self.home), "--kill", "gpg-agent"])


DEBIAN = Key("signing", "gpufleet lab mirror", "ed25519")
ROCKY = Key("signing-rocky", "gpufleet lab in the place of Rocky Linux", "rsa3072")
NVIDIA = Key("signing-nvidia", "gpufleet lab in the place of NVIDIA", "rsa3072")
