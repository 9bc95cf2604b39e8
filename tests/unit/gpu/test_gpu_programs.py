"""Programs that are asked: those that hang, fail or are missing, and what the others print."""

import stat
import time

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu import (
    dpkg,
    loaded,
    module_files,
    programs,
    rpm,
    secure_boot,
    smi,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.facts import gather
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.roots import Roots
from gpu_tree import BANNERS, build

A100 = {"address": "0000:3b:00.0", "class": "0x030200", "device": "0x20b5", "driver": "nvidia"}
POLICY = """\
libcuda1:
  Installed: 580.95.05-1
  Candidate: 580.105.08-1
  Version table:
     580.105.08-1 600
        600 https://developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64  Packages
 *** 580.95.05-1 600
        600 http://10.0.0.5/archives/developer.download.nvidia.com/compute/cuda/repos/debian12/x86_64  Packages
        100 /var/lib/dpkg/status
     535.309.01-0+deb12u1 500
        500 http://deb.debian.org/debian bookworm/non-free amd64 Packages
nvidia-smi:
  Installed: 535.309.01-0+deb12u1
  Candidate: 535.309.01-0+deb12u1
  Version table:
 *** 535.309.01-0+deb12u1 -1
         -1 http://deb.debian.org/debian bookworm/non-free amd64 Packages
        100 /var/lib/dpkg/status
nvidia-modprobe:
  Installed: 535.161.07-1
  Candidate: 535.161.07-1
  Version table:
 *** 535.161.07-1 100
        100 /var/lib/dpkg/status
"""
ENROLLED = """\
[key 1]
SHA1 Fingerprint: 53:61:0c:f8:1f:bd:7e:0c:eb:67:91:3c:9e:f3:e7:94:a9:63:3e:cb
Certificate:
    Data:
        Issuer: CN=Debian Secure Boot CA
        Subject: CN=Debian Secure Boot CA
[key 2]
Certificate:
        Issuer: CN = DKMS module signing key
        Subject: C = GB, O = Machine, CN = DKMS module signing key
"""


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Puts a shell script on the path that is searched."""
    monkeypatch.setattr(programs, "_PATH", f"{tmp_path}:/usr/bin:/bin")

    def put(name: str, script: str) -> None:
        file = tmp_path / name
        file.write_text(f"#!/bin/sh\n{script}\n")
        file.chmod(file.stat().st_mode | stat.S_IXUSR)

    return put


def test_a_program_that_hangs_is_not_waited_for(program):
    program("nvidia-smi", "trap '' TERM; exec sleep 30")
    started = time.monotonic()
    assert programs.ask(["nvidia-smi"], 0.3) is None
    assert time.monotonic() - started < 5


def test_programs_that_fail_or_are_missing_say_nothing(program):
    program("mokutil", "echo here; exit 1")
    assert programs.ask(["mokutil", "--test-key", "x"], 5) is None
    assert programs.ask(["mokutil", "--test-key", "x"], 5, also=(1,)) == "here\n"
    assert programs.ask(["surely-no-such-program"], 5) is None


def test_a_program_is_asked_in_plain_english_and_with_nothing_to_read(program):
    program("rpm", 'echo "$LC_ALL"; cat')
    assert programs.ask(["rpm"], 5) == "C\n"


def test_nvidia_smi_tells_name_and_memory():
    cards = smi.parse_cards(
        "00000000:3B:00.0, NVIDIA A100 80GB PCIe, 81920\n00010000:01:00.0, [N/A], [N/A]\nNo devices\n"
    )
    assert cards == {"0000:3b:00.0": smi.Card("NVIDIA A100 80GB PCIe", 81920), "10000:01:00.0": smi.Card(None, None)}


def test_nvidia_smi_is_asked_only_where_the_module_runs(tmp_path):
    asked = []

    def ask(command, seconds, also=()):
        asked.append(command[0])
        return "00000000:3B:00.0, NVIDIA A100-SXM4-80GB, 81251\n"

    (tmp_path / "off").mkdir()
    gather(build(tmp_path / "off", {"pci": [A100]}), ask)
    assert "nvidia-smi" not in asked, "it would try to load the module"
    (tmp_path / "on").mkdir()
    facts = gather(build(tmp_path / "on", {"pci": [A100], "loaded": {"version": "580.95.05", "banner": "open"}}), ask)
    assert (facts["devices"][0]["name"], facts["devices"][0]["memory_mib"]) == ("NVIDIA A100-SXM4-80GB", 81251)


def test_the_running_driver_names_the_cards_best(tmp_path):
    roots = build(
        tmp_path,
        {
            "pci": [A100, {**A100, "address": "0000:5e:00.0", "device": "0x20b0"}],
            "files": {
                "proc/driver/nvidia/gpus/0000:3b:00.0/information": "Model: \t\t NVIDIA A100 80GB PCIe\nIRQ: \t\t 88\n",
                "proc/driver/nvidia/gpus/0000:5e:00.0/information": "Model: \t\t Unknown\n",
            },
        },
    )
    facts = gather(roots, programs.ask_nobody)
    assert [one["name"] for one in facts["devices"]] == ["NVIDIA A100 80GB PCIe", "NVIDIA A100-SXM4-40GB"]


def test_a_card_that_no_table_has_gets_its_name_from_the_hosts_own_list(tmp_path):
    listing = (
        "10dd  Enea\n10de  NVIDIA Corporation\n\t27b6  AD104GL [L2]\n\t\t10de 1933  L2\n10df  Emulex\n\t27b6  no\n"
    )
    roots = build(tmp_path, {"pci": [{**A100, "device": "0x27b6"}], "files": {"root/usr/share/misc/pci.ids": listing}})
    device = gather(roots, programs.ask_nobody)["devices"][0]
    assert (device["name"], device["architecture"], device["memory_mib"]) == ("NVIDIA AD104GL [L2]", "ada", None)


def test_apt_tells_where_the_installed_version_is_offered():
    offered = dpkg.parse_policy(POLICY)
    assert {name: dpkg.ours(places) for name, places in offered.items()} == {
        "libcuda1": "cuda_repo",
        "nvidia-smi": "distribution",
        "nvidia-modprobe": None,
    }


@pytest.mark.parametrize(
    ("version", "maintainer", "source"),
    [
        ("580.95.05-1", "NVIDIA <cudatools@nvidia.com>", "cuda_repo"),
        ("580.95.05-0ubuntu1", "NVIDIA Corporation <x@lists.nvidia.com>", "cuda_repo"),
        (
            "535.309.01-0+deb12u1",
            "Debian NVIDIA Maintainers <pkg-nvidia-devel@lists.alioth.debian.org>",
            "distribution",
        ),
        ("550.163.01-2", "Debian NVIDIA Maintainers <pkg-nvidia-devel@lists.alioth.debian.org>", "distribution"),
        ("580.95.05-0ubuntu0.24.04.2", "Somebody <x@example.com>", "distribution"),
        ("580.95.05-1", "Somebody <x@example.com>", None),
    ],
)
def test_without_apts_lists_the_packager_tells_the_source(version, maintainer, source):
    assert dpkg.by_packager(dpkg.Package(version, maintainer)) == source


def test_rpm_tells_version_and_vendor():
    found = rpm.parse_packages(
        "bash|0|5.1.8-9.el9|Rocky Enterprise Software Foundation|x\n"
        "nvidia-driver-cuda|3|580.95.05-1.el9|NVIDIA Corporation|NVIDIA <x@nvidia.com>\n"
        "kmod-nvidia|0|570.86.15-1.el9|The ELRepo Project (https://elrepo.org)|x\n"
        "nvidia-persistenced|3|580.95.05-1.el9|(none)|(none)\n"
        "cut|\n"
    )
    assert {name: (one.version, one.source) for name, one in found.items()} == {
        "nvidia-driver-cuda": ("3:580.95.05-1.el9", "cuda_repo"),
        "kmod-nvidia": ("570.86.15-1.el9", "distribution"),
        "nvidia-persistenced": ("3:580.95.05-1.el9", None),
    }


def test_where_a_package_names_nobody_dnf_is_asked_for_its_repository(tmp_path):
    answers = {
        "rpm": "nvidia-driver-cuda|3|580.95.05-1|(none)|x\nnvidia-open|3|1-1|(none)|x\nnvidia-smi|0|1-1|(none)|\n",
        "dnf": "nvidia-driver-cuda|gpufleet-nvidia\nnvidia-open|rpmfusion-nonfree\nnvidia-smi|@System\n",
    }
    ((found, _packages), _unknown) = rpm.read_rpm(
        build(tmp_path, {"files": {}}), lambda command, seconds: answers[command[0]]
    )
    assert {name: package.source for name, package in found.items()} == {
        "nvidia-driver-cuda": "cuda_repo",
        "nvidia-open": "distribution",
        "nvidia-smi": None,
    }


def test_the_roles_own_locks_are_no_holds(tmp_path):
    locks = "vim-2:9.0-1.*\n# BEGIN gpufleet nvidia_driver\nnvidia-open-3:580.95.05-*\n# END gpufleet nvidia_driver\n"
    roots = build(tmp_path, {"files": {"root/etc/dnf/plugins/versionlock.list": locks}})
    assert rpm.locked(roots) == ["vim"]


def test_dnf5_keeps_its_locks_in_a_file_of_its_own(tmp_path):
    roots = build(tmp_path, {"files": {"root/etc/dnf/versionlock.toml": '[[packages]]\nname = "nvidia-open"\n'}})
    assert rpm.locked(roots) == ["nvidia-open"]


def test_mokutil_lists_keys_and_tries_one(tmp_path):
    answers = {"--list-enrolled": ENROLLED, "--test-key": "/var/lib/dkms/mok.pub is already enrolled\n"}

    def ask(command, seconds, also=()):
        # The real one exits with 1 when the key is enrolled.
        return answers[command[1]] if command[1] != "--test-key" or 1 in also else None

    roots = build(tmp_path, {"files": {"root/var/lib/dkms/mok.pub": "DER"}})
    facts, unknown = secure_boot.mok(roots, ask, True)
    assert facts["enrolled"] == ["Debian Secure Boot CA", "DKMS module signing key"]
    assert (facts["dkms_key_enrolled"], unknown) == (True, [])
    answers["--test-key"] = "/var/lib/dkms/mok.pub is not enrolled\n"
    assert secure_boot.mok(roots, ask, True)[0]["dkms_key_enrolled"] is False


@pytest.mark.parametrize(("kind", "is_open"), [("open", True), ("proprietary", False)])
def test_both_banners_of_the_driver_are_understood(kind, is_open):
    banner = BANNERS[kind].format(version="580.95.05")
    assert (loaded.version_in(banner), loaded.is_open(banner)) == ("580.95.05", is_open)


def test_a_banner_of_a_virtual_gpu_is_understood():
    banner = "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  560.35.03  Release Build  (VirtualGPU)\n"
    assert (loaded.version_in(banner), loaded.is_open(banner)) == ("560.35.03", True)


def test_a_module_that_only_modinfo_can_unpack(tmp_path):
    told = "filename:   /x.ko.zst\nversion:        580.95.05\nlicense:        Dual MIT/GPL\nsig_id:         PKCS#7\n"
    roots = build(tmp_path, {"files": {"root/lib/modules/6.8.0/updates/dkms/nvidia.ko.zst": "ZSTD"}})
    found, unknown = module_files.on_disk(roots, ["6.8.0"], lambda command, seconds: told)
    assert {key: found["6.8.0"][key] for key in ("version", "open", "signed")} == {
        "version": "580.95.05",
        "open": True,
        "signed": True,
    }
    assert module_files.on_disk(roots, ["6.8.0"], programs.ask_nobody)[0] == {}
    assert unknown == []


def test_what_no_user_can_see_is_null(tmp_path):
    facts = gather(build(tmp_path, {"loaded": {"version": "580.95.05", "banner": "open"}}), programs.ask_nobody)
    assert facts["module"]["used_by"] is None
    assert any(sentence.startswith("users of the GPUs") for sentence in facts["unknown"])


def test_links_of_another_machine_do_not_lead_into_this_one(tmp_path):
    roots = Roots(root=str(tmp_path))
    (tmp_path / "link").symlink_to("/etc/hostname")
    assert roots.followed(str(tmp_path / "link")) == str(tmp_path / "etc/hostname")
    (tmp_path / "round").symlink_to("round")
    assert roots.followed(str(tmp_path / "round"))
