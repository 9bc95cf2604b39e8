"""What the lab asks of the machine it runs on, and how it behaves beside others and when it is killed."""

import os
import resource
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lab import apt, files, lock, podman, system
from lab.errors import CommandFailedError, LabError
from lab.paths import ROOT
from lab.run import capture


@pytest.fixture
def bare(monkeypatch):
    """A machine on which nothing is installed; the commands that the lab runs on it are noted."""
    commands = []
    monkeypatch.setattr(system.os, "geteuid", lambda: 0)
    monkeypatch.setattr(system, "_is_there", lambda sign: bool(commands))
    monkeypatch.setattr(system.platform, "freedesktop_os_release", lambda: {"ID": "ubuntu", "ID_LIKE": "debian"})
    monkeypatch.setattr(system, "follow", lambda argv, step, **options: commands.append(argv))
    return commands


def test_what_is_missing_is_installed_without_starting_services(bare, monkeypatch, tmp_path):
    policy = tmp_path / "policy-rc.d"
    monkeypatch.setattr(system, "_POLICY", policy)
    answers = []
    monkeypatch.setattr(
        system, "follow", lambda argv, step, **options: bare.append(argv) or answers.append(policy.read_text())
    )
    system.ensure()
    assert [argv[:2] for argv in bare] == [["apt-get", "update"], ["apt-get", "install"]]
    assert "podman" in bare[1]
    assert answers == ["#!/bin/sh\nexit 101\n"] * 2
    assert not policy.exists()


def test_a_policy_of_the_machines_own_stays(bare, monkeypatch, tmp_path):
    policy = tmp_path / "policy-rc.d"
    policy.write_text("mine")
    monkeypatch.setattr(system, "_POLICY", policy)
    system.ensure()
    assert policy.read_text() == "mine"


def test_elsewhere_one_line_says_what_is_missing(bare, monkeypatch):
    monkeypatch.setattr(system.platform, "freedesktop_os_release", lambda: {"ID": "fedora"})
    with pytest.raises(
        LabError, match="neither Debian nor Ubuntu: createrepo-c, crun, debian-archive-keyring, debootstrap"
    ):
        system.ensure()
    assert bare == []


def test_who_is_not_root_is_told(bare, monkeypatch):
    monkeypatch.setattr(system.os, "geteuid", lambda: 1000)
    with pytest.raises(LabError, match="only root"):
        system.ensure()


def test_limits_stay_below_the_machines_own(monkeypatch):
    hard = {resource.RLIMIT_NOFILE: 20000, resource.RLIMIT_NPROC: resource.RLIM_INFINITY}
    monkeypatch.setattr(podman.resource, "getrlimit", lambda number: (0, hard[number]))
    options = podman.privileges()
    assert "--ulimit=nofile=20000:20000" in options
    highest = Path("/proc/sys/kernel/pid_max").read_text().strip()
    assert f"--ulimit=nproc={highest}:{highest}" in options


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")
    with pytest.raises(ValueError, match="midway"), files.replacing(target) as staged:
        staged.write_text("half")
        raise ValueError("midway")
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]
    with files.replacing(target) as staged:
        staged.write_text("new")
    assert target.read_text() == "new"
    assert list(tmp_path.iterdir()) == [target]


def test_a_failed_program_is_quoted():
    with pytest.raises(CommandFailedError, match="exited with 3:\n    the reason") as caught:
        capture(["sh", "-c", "echo the reason >&2; exit 3"])
    assert caught.value.status == 3


def test_a_program_that_is_not_there_is_named():
    with pytest.raises(LabError, match="no-such-program is missing"):
        capture(["no-such-program"])


def test_one_command_works_at_a_time_and_clears_what_a_killed_one_left(monkeypatch, tmp_path):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "half").touch()
    monkeypatch.setattr(lock, "LAB_CACHE", tmp_path)
    monkeypatch.setattr(lock, "SCRATCH", scratch)
    hold = f"""
import sys, time
sys.path.insert(0, {str(ROOT)!r})
from pathlib import Path
from lab import lock
lock.LAB_CACHE, lock.SCRATCH = Path({str(tmp_path)!r}), Path({str(scratch)!r})
with lock.alone():
    print("held", flush=True)
    time.sleep(0.5)
"""
    with subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE) as holder:
        assert holder.stdout.readline() == b"held\n"
        assert not scratch.exists()
        started = time.monotonic()
        with lock.alone():
            assert time.monotonic() - started > 0.2
            assert (tmp_path / "lock").read_text() == str(os.getpid())


LISTED = (
    "bookworm-security http://one/debian-security/\nbookworm http://two/debian/\nbookworm-updates http://two/debian/\n"
)


@pytest.mark.parametrize(
    ("system_is", "listed", "source"),
    [
        ({"ID": "debian", "VERSION_CODENAME": "bookworm"}, LISTED, "http://two/debian/"),
        ({"ID": "debian", "VERSION_CODENAME": "bookworm"}, "stable http://three/debian/\n", "http://three/debian/"),
        ({"ID": "debian", "VERSION_CODENAME": "trixie"}, LISTED, "http://default/debian"),
        ({"ID": "ubuntu", "VERSION_CODENAME": "noble"}, "noble http://four/ubuntu/\n", "http://default/debian"),
    ],
)
def test_debian_is_taken_from_where_this_machine_takes_it(monkeypatch, tmp_path, system_is, listed, source):
    debootstrap = tmp_path / "debootstrap"
    debootstrap.write_text('#!/bin/sh\nDEF_MIRROR="http://default/debian"\n')
    monkeypatch.setattr(apt, "_DEBOOTSTRAP", debootstrap)
    monkeypatch.setattr(apt.platform, "freedesktop_os_release", lambda: system_is)
    monkeypatch.setattr(apt, "capture", lambda argv: listed)
    assert apt.debian_source() == source
