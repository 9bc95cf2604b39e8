"""Publishers' checksum files, as they publish them."""

from __future__ import annotations

import hashlib
import subprocess

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.errors import LockError
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.sums import digest_for, parse

A, B = "a" * 64, "b" * 64
PROMETHEUS = "https://github.com/prometheus/prometheus/releases/download/v3.5.3/prometheus-3.5.3.linux-amd64.tar.gz"
UV = "https://github.com/astral-sh/uv/releases/download/0.13.9/uv-x86_64-unknown-linux-gnu.tar.gz"
PYTHON = (
    "https://github.com/astral-sh/python-build-standalone/releases/download/20261110/"
    "cpython-3.11.18%2B20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz"
)


@pytest.mark.parametrize(
    ("url", "text"),
    [
        # The Prometheus project's sha256sums.txt.
        (PROMETHEUS, f"{B}  prometheus-3.5.3.darwin-amd64.tar.gz\n{A}  prometheus-3.5.3.linux-amd64.tar.gz\n"),
        # uv's .sha256 beside each file: binary mode.
        (UV, f"{A} *uv-x86_64-unknown-linux-gnu.tar.gz\n"),
        # python-build-standalone's SHA256SUMS: names as they are, the URL percent-encoded.
        (
            PYTHON,
            f"{B}  other.tar.zst\n{A}  cpython-3.11.18+20261110-x86_64-unknown-linux-gnu-install_only_stripped.tar.gz",
        ),
        # The digest alone.
        (UV, f"{A}\n"),
        # BSD.
        (UV, f"SHA256 (uv-x86_64-unknown-linux-gnu.tar.gz) = {A}\nSHA256 (b) = {B}\n"),
        # With a folder before the name, CRLF, capitals, a comment and another kind of digest.
        (UV, f"# sums\r\n{A.upper()}  ./dist/uv-x86_64-unknown-linux-gnu.tar.gz\r\n{'c' * 128}  x\r\n"),
        (UV, f"{A}\tuv-x86_64-unknown-linux-gnu.tar.gz\n\n-----BEGIN PGP SIGNATURE-----\n"),
    ],
)
def test_formats(url, text):
    assert digest_for(url, parse(text)) == A


@pytest.mark.parametrize("flags", [[], ["--binary"], ["--tag"]])
def test_what_sha256sum_really_writes(tmp_path, flags):
    (tmp_path / "some file.tar.gz").write_bytes(b"content")
    text = subprocess.run(
        ["sha256sum", *flags, "some file.tar.gz"], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert parse(text.stdout) == {"some file.tar.gz": hashlib.sha256(b"content").hexdigest()}


@pytest.mark.parametrize("text", ["", "<html>not found</html>", f"{'a' * 63}  x", f"{'a' * 65}  x", f"{'g' * 64}  x"])
def test_no_sums(text):
    assert parse(text) == {}


def test_a_file_that_is_not_listed():
    assert digest_for(UV, parse(f"{A}  another.tar.gz\n")) is None
    assert digest_for(UV, parse(f"{A}  another.tar.gz\n{B}\n")) is None


def test_two_digests_for_one_name():
    with pytest.raises(LockError, match="two different sha256 for x"):
        parse(f"{A}  x\n{B}  ./x\n")
    assert parse(f"{A}  x\n{A}  x\n") == {"x": A}
