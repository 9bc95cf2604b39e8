"""The cards of a machine: what a machines file may say of them, and the bus that comes of it."""

import itertools
import struct

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu import architectures, cards
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu import pci as read_pci
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.roots import Roots

from lab import labs
from lab.errors import LabError
from lab.hardware import kernel, machine, pci
from lab.hardware.cards import CARDS
from lab.hardware.gpus import Gpus, problems
from lab.machine import built_as
from lab.machines import Lab, Machine
from lab.podman import Container


def test_all_that_may_be_said_is_taken():
    said = {"model": "h100-sxm", "count": 8, "nvswitch": 4, "nouveau": True, "kernel": False}
    assert list(problems(said, "gpus")) == []
    assert list(problems({"model": "t4", "count": 1}, "gpus")) == []


def test_every_problem_is_named_with_what_to_write():
    said = {"model": "h200", "count": 9, "nvswitch": -1, "nouveau": "no", "cuont": 1}
    assert list(problems(said, "gpus")) == [
        "gpus: unknown key 'cuont'; known are count, kernel, model, nouveau, nvswitch",
        f"gpus: model: must be one of {', '.join(CARDS)}, not 'h200'",
        "gpus: count: must be a number from 1 to 8, not 9",
        "gpus: nvswitch: must be a number from 0 to 6, not -1",
        "gpus: nouveau: must be true or false, not 'no'",
    ]


@pytest.mark.parametrize("said", ["a100", 2, ["t4"], None])
def test_what_is_no_mapping_is_answered_with_one(said):
    (problem,) = problems(said, "gpus")
    assert "must be a mapping such as {model: a100-80gb, count: 2}" in problem


def test_a_count_is_wanted_and_true_is_none():
    assert list(problems({"model": "t4"}, "g")) == ["g: count: must be a number from 1 to 8, not None"]
    assert list(problems({"model": "t4", "count": True}, "g")) == ["g: count: must be a number from 1 to 8, not True"]


@pytest.fixture
def laid(monkeypatch, tmp_path):
    """Lays a machine's bus, and reads it as gpu_facts does."""
    monkeypatch.setattr(machine, "STATE", tmp_path)

    def lay(gpus):
        machine.lay("demo", "gpu1", gpus)
        base = tmp_path / "demo/hardware/gpu1"
        (base / "sys/bus/pci").mkdir(parents=True)
        (base / "devices").rename(base / "sys/bus/pci/devices")
        return base

    return lay


@pytest.mark.parametrize("model", CARDS)
def test_the_facts_module_knows_the_cards_as_they_are(laid, model):
    base = laid(Gpus(model, 2, nvswitch=1))
    found = read_pci.devices(Roots(str(base / "sys"), str(base / "proc"), str(base / "boot"), str(base)))
    assert [device.kind for device in found].count("gpu") == 2
    assert [device.kind for device in found].count("nvswitch") == 1
    (number,) = {device.device for device in found if device.kind == "gpu"}
    assert (cards.name_of(number), cards.memory_of(number)) in [(CARDS[model].name, CARDS[model].memory)] or (
        cards.name_of(number) is None
    )
    assert architectures.open_modules(architectures.architecture(number)) == CARDS[model].gsp


def test_cards_of_one_machine_differ_and_are_the_same_each_time():
    gpus = Gpus("l4", 2)
    roms = [function.rom for function in pci.functions(gpus, "gpu1") if function.rom]
    assert len(set(roms)) == 2
    assert roms == [function.rom for function in pci.functions(gpus, "gpu1") if function.rom]
    assert roms != [function.rom for function in pci.functions(gpus, "gpu2") if function.rom]


def test_a_functions_files_agree_with_one_another():
    card = next(one for one in pci.functions(Gpus("rtx-3060", 1), "a") if one.device == 0x2504)
    files = pci.files(card)
    assert files["modalias"] == "pci:v000010DEd00002504sv00001462sd0000397Dbc03sc00i00\n"
    assert f"MODALIAS={files['modalias']}" in files["uevent"]
    assert "PCI_CLASS=30000\nPCI_ID=10DE:2504\n" in files["uevent"]
    vendor, device, _, _, revision = struct.unpack_from("<HHHHB", files["config"])
    assert (vendor, device, revision) == (0x10DE, 0x2504, 0xA1)
    assert struct.unpack_from("<HH", files["config"], 0x2C) == (0x1462, 0x397D)
    assert files["config"][9:12] == bytes([0x00, 0x00, 0x03])
    assert "driver" not in pci.links(card)


def test_regions_are_as_large_as_the_memory_and_do_not_overlap():
    card = next(one for one in pci.functions(Gpus("a100-80gb", 1), "a") if one.device == 0x20B5)
    regions = [tuple(int(word, 16) for word in line.split()) for line in pci.files(card)["resource"].splitlines()]
    assert len(regions) == 7
    sizes = {number: end - start + 1 for number, (start, end, flags) in enumerate(regions) if flags}
    assert sizes == {0: 16 << 20, 1: 128 << 30, 3: 32 << 20}
    used = sorted((start, end) for start, end, flags in regions if flags)
    assert all(first[1] < second[0] for first, second in itertools.pairwise(used))


def test_a_card_for_people_has_its_sound_beside_it():
    kinds = [one.pci_class for one in pci.functions(Gpus("rtx-3060", 1), "a") if one.vendor == pci.NVIDIA]
    assert kinds == [0x030000, 0x040300]


def test_the_kernel_lies_on_the_disk_unless_it_shall_not():
    files = kernel.files(Gpus("t4", 1, nouveau=True))
    assert f"boot/vmlinuz-{kernel.release()}" in files
    assert f"lib/modules/{kernel.release()}/kernel/drivers/gpu/drm/nouveau/nouveau.ko" in files
    assert not any("/build" in path for path in files), "headers come from a package"
    assert not any("nouveau" in path for path in kernel.files(Gpus("t4", 1)))
    assert kernel.files(Gpus("t4", 1, kernel=False)) == {}


def test_a_machine_is_made_anew_when_its_cards_change():
    assert machine.label(None) == ""
    assert machine.label(Gpus("t4", 1)) == machine.label(Gpus("t4", 1)) != machine.label(Gpus("t4", 2))


def test_a_container_is_the_wanted_machine_only_with_the_same_system_and_cards(tmp_path):
    one, two = Machine("gpu1", "debian12", (), Gpus("t4", 1)), Machine("gpu1", "debian12", (), Gpus("l4", 1))
    bare = Machine("gpu1", "debian12")
    labels = {**built_as(Lab("a", (one,), tmp_path), one), "gpufleet": "machine"}
    container = Container("a-gpu1", "running", "image", labels)
    assert labs._is_wanted(Lab("a", (one,), tmp_path), container)
    assert not labs._is_wanted(Lab("a", (two,), tmp_path), container)
    assert not labs._is_wanted(Lab("a", (bare,), tmp_path), container)
    assert built_as(Lab("a", (bare,), tmp_path), bare) == {"gpufleet.os": "debian12"}


def test_a_kernel_without_a_bus_is_told(monkeypatch):
    monkeypatch.setattr(machine, "_OVER", {"devices": "/sys/bus/no-such-bus/devices"})
    with pytest.raises(LabError, match="gpu1: this machine's kernel has no /sys/bus/no-such-bus/devices"):
        machine.lay("a", "gpu1", Gpus("t4", 1))
