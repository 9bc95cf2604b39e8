"""When a driver counts as in order."""

from __future__ import annotations

import copy

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.driver.verify import (
    Expected,
    detail,
    needs_driver,
    problems,
    units,
)

GPU = {"kind": "gpu", "address": "0000:3b:00.0", "driver": "nvidia"}
SWITCH = {"kind": "nvswitch", "address": "0000:c1:00.0", "driver": "nvidia"}
SOUND = {
    "devices": [GPU, {**GPU, "address": "0000:d8:00.0"}],
    "kernel": {"running": "6.1.0-40-amd64", "newest": "6.1.0-41-amd64"},
    "module": {"loaded": "580.95.05", "open": True, "on_disk": {"6.1.0-41-amd64": {"version": "580.95.05"}}},
    "userland": {"version": "580.95.05"},
}
ACTIVE = {"nvidia-persistenced.service": "active"}
SMI = (0, "00000000:3B:00.0\n00000000:D8:00.0\n")


def facts(**changes):
    found = copy.deepcopy(SOUND)
    for place, value in changes.items():
        part, _dot, name = place.partition("__")
        if name:
            found[part][name] = value
        else:
            found[part] = value
    return found


def test_a_sound_host():
    assert problems(SOUND, Expected(branch="580", version="580.95.05", gpus=2), ACTIVE, SMI) == []
    assert detail(SOUND) == "580.95.05, open modules, 2 GPUs"


@pytest.mark.parametrize(
    ("found", "expected", "says"),
    [
        (facts(), Expected(gpus=8), "Expected 8 GPUs, and the PCI bus shows 2."),
        (facts(devices=[]), Expected(without_gpu="refuse"), "Expected 1 GPU, and the PCI bus shows 0."),
        (facts(userland__version=None), Expected(), "No driver is installed."),
        (facts(), Expected(version="580.105.08"), "Expected the driver 580.105.08, and 580.95.05 is installed."),
        (facts(), Expected(branch="590"), "Expected a driver of the branch 590, and 580.95.05 is installed."),
        (
            facts(module__on_disk={}),
            Expected(),
            "The kernel 6.1.0-41-amd64, which the next boot takes, has no nvidia module.",
        ),
        (
            facts(module__on_disk={"6.1.0-41-amd64": {"version": "570.1.1"}}),
            Expected(),
            "The kernel 6.1.0-41-amd64 has the module 570.1.1, and the user space is 580.95.05.",
        ),
        (facts(module__loaded=None), Expected(), "The module nvidia is not loaded; a reboot may be due."),
        (facts(module__loaded="570.1.1"), Expected(), "until a reboot no program can use the GPUs"),
        (
            facts(devices=[GPU, {**GPU, "address": "0000:d8:00.0", "driver": "nouveau"}]),
            Expected(),
            "The GPU 0000:d8:00.0 is held by nouveau, not by nvidia.",
        ),
    ],
)
def test_one_sentence_per_problem(found, expected, says):
    (said,) = problems(found, expected, ACTIVE, SMI)
    assert says in said


@pytest.mark.parametrize(
    ("active", "smi", "says"),
    [
        ({"nvidia-fabricmanager.service": "failed"}, SMI, "nvidia-fabricmanager.service is failed"),
        (
            ACTIVE,
            (9, "Failed to initialize NVML: Driver/library version mismatch\n"),
            "Driver/library version mismatch",
        ),
        (ACTIVE, (0, "00000000:3B:00.0\n"), "nvidia-smi shows 1 of the 2 GPUs"),
    ],
)
def test_services_and_nvidia_smi(active, smi, says):
    (said,) = problems(SOUND, Expected(), active, smi)
    assert says in said


def test_before_a_reboot_only_what_is_installed_counts():
    assert problems(facts(module__loaded=None), Expected(running=False), {}, None) == []
    assert problems(facts(module__on_disk={}), Expected(running=False), {}, None) != []


@pytest.mark.parametrize(
    ("devices", "expected", "needs"),
    [([GPU], Expected(), True), ([], Expected(), False), ([], Expected(gpus=0), False), ([], Expected(gpus=2), True),
     ([], Expected(without_gpu="refuse"), True), ([], Expected(gpus=0, without_gpu="refuse"), False)],
)  # fmt: skip
def test_which_hosts_need_a_driver(devices, expected, needs):
    assert needs_driver(facts(devices=devices), expected) is needs


@pytest.mark.parametrize(
    ("devices", "expected", "wanted"),
    [
        ([GPU], Expected(), ["nvidia-persistenced.service"]),
        ([GPU, SWITCH], Expected(), ["nvidia-persistenced.service", "nvidia-fabricmanager.service"]),
        ([GPU, SWITCH], Expected(fabric=False, persistenced=False), []),
        ([GPU], Expected(fabric=True, persistenced=False), ["nvidia-fabricmanager.service"]),
    ],
)
def test_units(devices, expected, wanted):
    assert units(facts(devices=devices), expected) == wanted
