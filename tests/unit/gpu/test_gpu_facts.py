"""Facts of whole machines, made of files."""

import json
import random
from pathlib import Path

import pytest
import yaml
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.facts import gather
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.programs import ask_nobody
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.roots import Roots
from ansible_collections.gpufleet.serving.plugins.modules import gpu_facts
from gpu_tree import build

HERE = Path(__file__).parent
MACHINES = yaml.safe_load((HERE / "trees/machines.yml").read_text(encoding="utf-8"))
SHAPE = {
    "os": {"id", "version", "like", "architecture"},
    "kernel": {"running", "newest", "installed", "headers"},
    "module": {"loaded", "open", "used_by", "references", "on_disk"},
    "userland": {"version", "packages", "source", "sources"},
    "mok": {"enrolled", "dkms_key", "dkms_key_enrolled"},
    "nouveau": {"loaded", "bound", "blocked"},
    "packages": {"manager", "held", "half_configured"},
    "reboot": {"pending", "reasons"},
}


def compare(found, wanted, place="gpu"):
    """What `wanted` names must be so; lists must be as long, and of dictionaries only what is named is compared."""
    if isinstance(wanted, dict):
        for key, value in wanted.items():
            assert key in found, f"{place}.{key} is missing"
            compare(found[key], value, f"{place}.{key}")
    elif isinstance(wanted, list) and wanted and isinstance(wanted[0], dict):
        assert len(found) == len(wanted), f"{place}: {found}"
        for number, value in enumerate(wanted):
            compare(found[number], value, f"{place}.{number}")
    else:
        assert found == wanted, f"{place}: {found!r}, not {wanted!r}"


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine["name"])
def test_the_facts_of_a_machine(machine, tmp_path):
    facts = gather(build(tmp_path, machine["tree"]), ask_nobody)
    wanted = dict(machine["facts"])
    said = wanted.pop("unknown", None)
    compare(facts, wanted)
    if said is not None:
        assert len(facts["unknown"]) == len(said), facts["unknown"]
        assert all(any(words in sentence for sentence in facts["unknown"]) for words in said), facts["unknown"]
    json.dumps(facts)


@pytest.mark.parametrize("machine", MACHINES, ids=lambda machine: machine["name"])
def test_the_shape_is_always_the_same(machine, tmp_path):
    facts = gather(build(tmp_path, machine["tree"]), ask_nobody)
    assert {name: set(facts[name]) for name in SHAPE} == SHAPE
    assert set(facts) == {*SHAPE, "devices", "dkms", "secure_boot", "unknown"}


def test_an_empty_machine_is_no_crash(tmp_path):
    roots = Roots(*(str(tmp_path / name) for name in ("sys", "proc", "boot", "root")))
    facts = gather(roots, ask_nobody)
    assert (facts["devices"], facts["kernel"]["newest"], facts["module"]["loaded"]) == ([], None, None)


@pytest.mark.parametrize("seed", range(8))
def test_damaged_files_are_no_crash(tmp_path, seed):
    """Every third file is cut, filled with rubbish or made a folder; the facts keep their shape."""
    roots = build(tmp_path, MACHINES[seed % 5]["tree"])
    dice = random.Random(seed)  # noqa: S311 - not for secrets
    for file in [path for path in sorted(tmp_path.rglob("*")) if path.is_file() and not path.is_symlink()]:
        way = dice.randrange(9)
        if way == 0:
            file.write_bytes(file.read_bytes()[: dice.randrange(1, 8)])
        elif way == 1:
            file.write_bytes(dice.randbytes(64))
        elif way == 2:
            file.unlink()
            file.mkdir()
    facts = gather(roots, ask_nobody)
    assert {name: set(facts[name]) for name in SHAPE} == SHAPE
    json.dumps(facts)


def test_a_probe_that_breaks_is_told_and_keeps_no_other_from_being_told(tmp_path, monkeypatch):
    roots = build(tmp_path, MACHINES[0]["tree"])
    broken = "ansible_collections.gpufleet.serving.plugins.module_utils.gpu.dkms.dkms"
    monkeypatch.setattr(broken, lambda roots: 1 / 0)
    facts = gather(roots, ask_nobody)
    assert facts["dkms"] == []
    assert any(sentence.startswith("dkms: cannot be found out (ZeroDivisionError") for sentence in facts["unknown"])
    assert facts["module"]["loaded"] == "580.95.05"


def test_the_module_reads_the_roots_it_is_given_and_changes_nothing(tmp_path, capsys):
    roots = build(tmp_path, MACHINES[0]["tree"])
    given = {"sys_root": roots.sys, "proc_root": roots.proc, "boot_root": roots.boot, "root": roots.root}
    with patch_module_args({**given, "_ansible_check_mode": True}), pytest.raises(SystemExit):
        gpu_facts.main()
    result = json.loads(capsys.readouterr().out)
    assert result["changed"] is False
    assert result["gpu"]["devices"][0]["address"] == "0000:3b:00.0"
