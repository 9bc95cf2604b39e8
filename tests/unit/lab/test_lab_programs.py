"""The programs that the stand-in packages bring."""

import subprocess
import sys

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.module_files import embedded_info

from lab.hardware import machine
from lab.hardware.gpus import Gpus
from lab.packages import driver
from lab.paths import LAB
from lab.standins import kernel_module
from lab.standins.elf import kernel_object

VERSION = "580.95.05"


@pytest.fixture
def smi(monkeypatch, tmp_path):
    """nvidia-smi on a machine with two L4: arguments -> (exit status, output)."""
    monkeypatch.setattr(machine, "STATE", tmp_path / "state")
    monkeypatch.setattr(kernel_module.Machine, "_node", lambda *_: None)
    machine.lay("lab", "gpu1", Gpus("l4", 2))
    laid = tmp_path / "state/lab/hardware/gpu1"
    for name, place in {"devices": "sys/bus/pci/devices", "module": "sys/module", "driver": "proc/driver"}.items():
        (tmp_path / place).parent.mkdir(parents=True, exist_ok=True)
        (laid / name).rename(tmp_path / place)
    program = tmp_path / "nvidia-smi"
    program.write_bytes(driver.program("nvidia_smi.py", VERSION).content)

    def run(*arguments, loaded=VERSION):
        if loaded:
            folder = tmp_path / "lib/modules/r/updates/dkms"
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "nvidia.ko").write_bytes(kernel_object("nvidia", {"version": loaded, "license": "NVIDIA"}, "r"))
            kernel_module.Machine(tmp_path, "r").load("nvidia")
        done = subprocess.run(
            [sys.executable, program, *arguments],
            env={"NVIDIA_SMI_ROOT": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout

    return run


def test_smi_answers_a_query_as_csv(smi):
    status, out = smi("--query-gpu=index,name,memory.total,driver_version,pci.bus_id", "--format=csv")
    assert status == 0
    assert out.splitlines() == [
        "index, name, memory.total [MiB], driver_version, pci.bus_id",
        "0, NVIDIA L4, 23034 MiB, 580.95.05, 00000000:3B:00.0",
        "1, NVIDIA L4, 23034 MiB, 580.95.05, 00000000:5E:00.0",
    ]


def test_smi_leaves_out_heading_and_units_and_other_cards(smi):
    query = ["--query-gpu=power.limit,count", "--format=csv,noheader,nounits", "-i", "1"]
    assert smi(*query) == (0, "72.00, 2\n")


def test_smi_lists_cards_with_the_ids_that_the_driver_shows(smi):
    status, out = smi("-L")
    assert status == 0
    assert out.startswith("GPU 0: NVIDIA L4 (UUID: GPU-")
    assert len(out.splitlines()) == 2


def test_smi_names_itself_a_stand_in(smi):
    status, out = smi()
    assert status == 0
    assert "stand-in of the lab" in out


def test_without_a_module_smi_says_what_the_real_one_says(smi):
    status, out = smi(loaded=None)
    assert status == 9
    assert out.startswith("NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.")


def test_beside_another_module_smi_says_what_the_real_one_says(smi):
    status, out = smi(loaded="580.105.08")
    assert status == 18
    assert out == "Failed to initialize NVML: Driver/library version mismatch\nNVML library version: 580.95.05\n"


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["--query-gpu=colour", "--format=csv"], 2, 'Field "colour" is not a valid field to query.'),
        (["--query-gpu=name"], 1, '"--format=" switch is missing.'),
        (["--reset"], 1, "Invalid combination of input arguments."),
        (["-i", "7"], 6, "No devices were found"),
    ],
)
def test_smi_refuses_as_the_real_one_does(smi, arguments, status, said):
    done, out = smi(*arguments)
    assert done == status
    assert out.startswith(said)


def test_a_kernel_object_is_read_by_the_facts_and_by_modinfo(tmp_path):
    content = kernel_object("nvidia", {"version": VERSION, "license": "Dual MIT/GPL"}, "6.1.0-40-amd64")
    assert embedded_info(content) == {"version": VERSION, "license": "Dual MIT/GPL"}
    assert content[:4] == b"\x7fELF"
    assert b"\0vermagic=6.1.0-40-amd64 SMP preempt mod_unload modversions \0" in content


@pytest.fixture
def source(tmp_path):
    """DKMS's build folder."""
    for name in ("compile.py", "elf.py"):
        (tmp_path / name).write_bytes((LAB / "standins" / name).read_bytes())
    return tmp_path


def compiled(source):
    command = [sys.executable, "compile.py", "6.1.0-40-amd64", VERSION, "NVIDIA"]
    return subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)


def test_the_compiler_writes_every_module_that_dkms_wants(source):
    assert compiled(source).returncode == 0
    for name in driver.MODULES:
        assert embedded_info((source / f"{name}.ko").read_bytes())["version"] == VERSION
    assert b"depends=nvidia-modeset\0" in (source / "nvidia-drm.ko").read_bytes()


def test_the_compiler_fails_where_it_is_told_to(source):
    (source / "error").write_bytes((LAB / "standins/compile_error.txt").read_bytes())
    done = compiled(source)
    assert done.returncode == 2
    assert f"{source}/nvidia/nv-pci.c:245:9: error: too few arguments" in done.stdout
    assert list(source.glob("*.ko")) == []
