"""Loading and unloading NVIDIA's modules, as the stand-in for the kernel does it."""

import os

import pytest

from lab.hardware import machine
from lab.hardware.gpus import Gpus
from lab.standins import kernel_module
from lab.standins.elf import kernel_object

RELEASE = "6.1.0-40-amd64"
OPEN, PROPRIETARY = "Dual MIT/GPL", "NVIDIA"


@pytest.fixture
def host(monkeypatch, tmp_path):
    """Makes a machine with these cards and modules of this licence on its disk."""
    monkeypatch.setattr(machine, "STATE", tmp_path / "state")
    monkeypatch.setattr(os, "mknod", lambda path, *_: path.touch())

    def make(gpus, licence=OPEN, version="580.95.05"):
        machine.lay("lab", "gpu1", gpus)
        laid = tmp_path / "state/lab/hardware/gpu1"
        for folder in ("sys/bus/pci", "proc", "dev"):
            (tmp_path / folder).mkdir(parents=True)
        (laid / "devices").rename(tmp_path / "sys/bus/pci/devices")
        (laid / "module").rename(tmp_path / "sys/module")
        (laid / "driver").rename(tmp_path / "proc/driver")
        folder = tmp_path / "lib/modules" / RELEASE / "updates/dkms"
        folder.mkdir(parents=True)
        for name in ("nvidia", "nvidia-uvm", "nvidia-modeset", "nvidia-drm"):
            info = {"version": version, "license": licence}
            (folder / f"{name}.ko").write_bytes(kernel_object(name, info, RELEASE))
        return kernel_module.Machine(tmp_path, RELEASE)

    return make


def drivers(host):
    links = [folder / "driver" for folder in host.bus.iterdir()]
    return {link.parent.name: link.readlink().name for link in links if link.is_symlink()}


def test_a_loaded_module_shows_itself_where_the_kernel_shows_it(host):
    one = host(Gpus("a100-80gb", 2))
    one.load("nvidia")
    assert (one.modules / "nvidia/version").read_text() == "580.95.05\n"
    assert (one.modules / "nvidia/refcnt").read_text() == "0\n"
    assert "NVIDIA UNIX Open Kernel Module for x86_64  580.95.05  Release Build" in (one.driver / "version").read_text()
    assert drivers(one)["0000:3b:00.0"] == drivers(one)["0000:5e:00.0"] == "nvidia"
    information = (one.driver / "gpus/0000:5e:00.0/information").read_text()
    assert information.startswith("Model: \t\t NVIDIA A100 80GB PCIe\n")
    assert "Device Minor: \t 1\n" in information
    assert sorted(node.name for node in one.dev.iterdir()) == ["nvidia0", "nvidia1", "nvidiactl"]
    assert "DRIVER=nvidia\n" in (one.bus / "0000:3b:00.0/uevent").read_text()


def test_the_proprietary_module_names_itself_so(host):
    one = host(Gpus("v100", 1), PROPRIETARY)
    one.load("nvidia")
    assert "NVRM version: NVIDIA UNIX x86_64 Kernel Module  580.95.05  " in (one.driver / "version").read_text()


def test_a_card_without_a_system_processor_is_not_for_the_open_module(host):
    one = host(Gpus("v100", 1), OPEN)
    with pytest.raises(kernel_module.RefusedError, match=r"not supported by open nvidia\.ko(.|\n)*No such device"):
        one.load("nvidia")
    assert not (one.modules / "nvidia").exists()


def test_cards_that_nouveau_has_are_not_taken(host):
    one = host(Gpus("rtx-3060", 1))
    one._bind(one._cards(), "nouveau")
    with pytest.raises(kernel_module.RefusedError, match="No such device"):
        one.load("nvidia")


def test_a_module_that_is_not_on_the_disk_is_not_found(host):
    one = host(Gpus("t4", 1))
    with pytest.raises(kernel_module.RefusedError, match=f"nvidia_peermem not found in directory .*{RELEASE}"):
        one.load("nvidia_peermem")


def test_modules_bring_what_they_need_and_hold_it(host):
    one = host(Gpus("t4", 1))
    one.load("nvidia_drm")
    assert sorted(path.name for path in one.modules.glob("nvidia*")) == ["nvidia", "nvidia_drm", "nvidia_modeset"]
    with pytest.raises(kernel_module.RefusedError, match="Module nvidia is in use by: nvidia_modeset"):
        one.unload("nvidia")
    for name in ("nvidia_drm", "nvidia_modeset", "nvidia"):
        one.unload(name)
    assert list(one.modules.glob("nvidia*")) == []


def test_unloading_gives_the_cards_and_their_files_back(host):
    one = host(Gpus("h100-sxm", 2, nvswitch=2))
    one.load("nvidia_uvm")
    one.unload("nvidia_uvm")
    one.unload("nvidia")
    assert not one.driver.exists()
    assert list(one.dev.iterdir()) == []
    assert "nvidia" not in drivers(one).values()


def test_an_open_device_file_keeps_the_module(host):
    one = host(Gpus("t4", 1))
    one.load("nvidia")
    handles = one.root / "proc/4711/fd"
    handles.mkdir(parents=True)
    (handles / "3").symlink_to(one.dev / "nvidiactl")
    with pytest.raises(kernel_module.RefusedError, match=r"Module nvidia is in use\.$"):
        one.unload("nvidia")


def test_a_reference_that_no_process_explains_keeps_it_too(host):
    one = host(Gpus("t4", 1))
    one.load("nvidia")
    (one.modules / "nvidia/refcnt").write_text("1\n")
    with pytest.raises(kernel_module.RefusedError, match="in use"):
        one.unload("nvidia")


def test_after_a_reboot_nothing_is_loaded(host):
    one = host(Gpus("h100-sxm", 1, nvswitch=1))
    before = drivers(one)
    one.load("nvidia_uvm")
    one.forget()
    assert list(one.modules.glob("nvidia*")) == []
    assert drivers(one) == before
    assert not one.driver.exists()


def test_a_wrong_word_is_answered_with_the_right_ones(capsys):
    assert kernel_module.main(["load", "ext4"]) == 2
    assert "load|unload nvidia|nvidia_uvm" in capsys.readouterr().err
