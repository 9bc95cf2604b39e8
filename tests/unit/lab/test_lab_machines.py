"""The machines file: what it may say, and what is said when it says something else."""

import pytest

from lab import machines
from lab.errors import LabError
from lab.hardware.gpus import Gpus
from lab.paths import LAB, ROOT, STATE


def load(tmp_path, text):
    file = tmp_path / "machines.yml"
    file.write_text(text)
    return machines.load(file)


def problems(tmp_path, text):
    with pytest.raises(machines.MachinesFileError) as caught:
        load(tmp_path, text)
    return str(caught.value).replace(f"{tmp_path}/machines.yml: ", "").splitlines()


def test_the_demo_is_one_box_that_serves_and_one_that_watches():
    demo = machines.load(LAB / "machines.yml")
    assert {machine.name: machine.os for machine in demo.machines} == {"gpu1": "debian12", "mon1": "debian13"}
    assert demo.machine("gpu1").gpus == Gpus("a100-80gb", 2)
    assert {"nvidia_driver", "dcgm_exporter", "vllm"} <= set(demo.machine("gpu1").groups)
    assert demo.inventory == ROOT / "inventory/lab"


def test_an_inventory_of_its_own_is_written_beside_the_state(tmp_path):
    lab = load(tmp_path, "lab: some_lab\nmachines: [{name: a, os: debian13}]\n")
    assert lab.inventory == STATE / "some_lab"
    assert lab.mirror is None
    assert lab.machines == (machines.Machine("a", "debian13", (), None),)


def test_every_problem_is_named_at_once(tmp_path):
    text = """
lab: Demo
machinse: []
machines:
  - {name: a, os: debian11, group: [vllm]}
  - {name: a, os: debian12, groups: vllm}
  - {name: Big, os: debian12, groups: [not-a-group], gpus: {model: t4}}
  - gpu2
"""
    assert problems(tmp_path, text) == [
        "the file: unknown key 'machinse'; known are inventory, lab, machines, mirror",
        "lab: must look like [a-z][a-z0-9_-]{0,30}, not 'Demo'",
        "machine 1: unknown key 'group'; known are gpus, groups, name, os",
        "machine 1: os: must be one of debian12, debian13, rocky9, not 'debian11'",
        "machine 2: groups: must be a list",
        "machine 3: name: must look like [a-z][a-z0-9-]{0,30}, not 'Big'",
        "machine 3: gpus: count: must be a number from 1 to 8, not None",
        "machine 3: groups: must look like [a-z][a-z0-9_]*, not 'not-a-group'",
        "machine 4: must be a mapping with name, os and groups",
        "machines: the name a is given twice",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "must be a mapping"),
        ("- a\n", "must be a mapping"),
        ("lab: a\n", "machines: must be a list of at least one machine"),
        ("lab: a\nmachines: []\n", "machines: must be a list of at least one machine"),
        ("lab: a\nmachines: [\n", "no valid YAML"),
        ("lab: a\ninventory: [x]\nmachines: [{name: a, os: debian12}]\n", "inventory: must be a folder"),
        (
            "lab: a\nmirror: /etc/x\nmachines: [{name: a, os: debian12}]\n",
            "mirror: must be a file below the repository",
        ),
        ("lab: a\ninventory: ../away\nmachines: [{name: a, os: debian12}]\n", "inventory: must be a folder"),
    ],
)
def test_what_is_no_machines_file_is_told_so(tmp_path, text, said):
    (problem,) = problems(tmp_path, text)
    assert problem.startswith(said)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(LabError, match=r"nowhere\.yml: No such file"):
        machines.load(tmp_path / "nowhere.yml")


def test_an_unknown_machine_is_answered_with_the_known(tmp_path):
    lab = load(tmp_path, "lab: a\nmachines: [{name: one, os: debian12}, {name: two, os: debian12}]\n")
    with pytest.raises(LabError, match="three: no such machine in lab a; it has one, two"):
        lab.machine("three")
