"""A certificate authority and a server certificate for 127.0.0.1, made with openssl."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Certificates:
    ca: Path
    server: Path
    key: Path


def make(folder: Path) -> Certificates:
    made = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    _openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=Test-authority",
        "-keyout", str(folder / "ca.key"), "-out", str(made.ca),
    )  # fmt: skip
    _openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=127.0.0.1",
        "-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=critical,CA:FALSE",
        "-CA", str(made.ca), "-CAkey", str(folder / "ca.key"),
        "-keyout", str(made.key), "-out", str(made.server),
    )  # fmt: skip
    return made


def _openssl(words: str, *rest: str) -> None:
    subprocess.run(["openssl", *words.split(), *rest], check=True, capture_output=True)
