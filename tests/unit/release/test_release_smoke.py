"""Trying a version before the link moves."""

from __future__ import annotations

import os
import time

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release import smoke
from ansible_collections.gpufleet.serving.plugins.module_utils.release.errors import SmokeError


@pytest.fixture
def program(opt):
    """Writes a program into a fresh tree and runs it."""

    def run(content: bytes, *arguments: str, mode: int = 0o755, timeout: float = 10) -> str:
        opt.mkdir(parents=True)
        (opt / "demo").write_bytes(content)
        (opt / "demo").chmod(mode)
        return smoke.try_out(str(opt), ["demo", *arguments], timeout)

    return run


def test_output_of_both_streams(program):
    assert program(b'#!/bin/sh\necho "out $1"; echo err >&2\n', "--version") == "out --version\nerr"


def test_runs_in_its_folder_with_little_around_it(program, opt, monkeypatch):
    monkeypatch.setenv("SECRET", "1")
    said = program(b"#!/bin/sh\npwd; env; id -u; cat\n")
    assert said.splitlines()[0] == str(opt)
    assert "SECRET" not in said
    assert said.splitlines()[-1] == ("65534" if os.geteuid() == 0 else str(os.geteuid()))


def test_exit_status(program):
    with pytest.raises(SmokeError, match=r"demo: exit status 3. It said: cannot find libcuda"):
        program(b"#!/bin/sh\necho cannot find libcuda >&2; exit 3\n")


def test_signal(program):
    with pytest.raises(SmokeError, match="signal 11"):
        program(b"#!/bin/sh\nkill -SEGV $$\n")


def test_no_end(program, tmp_path):
    started = time.monotonic()
    with pytest.raises(SmokeError, match=r"demo: no end after 0\.3 s\. It said: waiting") as caught:
        program(b"#!/bin/sh\necho waiting; sleep 987 & sleep 987\n", timeout=0.3)
    assert time.monotonic() - started < 5
    assert caught.value.facts["output"] == "waiting"


def test_only_the_end_of_much_output(program):
    said = program(b"#!/bin/sh\nseq 100000; echo last\n")
    assert len(said) <= 4000
    assert said.endswith("last")


@pytest.mark.parametrize(
    ("content", "mode", "message"),
    [
        (b"\x7fELF\x02\x01\x01" + bytes(57), 0o755, "is no program for a .* machine"),
        (b"#!/no/such/interpreter\n", 0o755, "loader or interpreter that demo asks for is not on this host"),
        (b"#!/bin/sh\n", 0o644, "must not be executed"),
    ],
)
def test_what_cannot_be_started(program, content, mode, message):
    with pytest.raises(SmokeError, match=message):
        program(content, mode=mode)


def test_a_program_that_is_not_there(opt):
    opt.mkdir(parents=True)
    (opt / "bin").mkdir()
    with pytest.raises(SmokeError, match="the release holds no demo; at its top are bin"):
        smoke.try_out(str(opt), ["demo"], 1)
