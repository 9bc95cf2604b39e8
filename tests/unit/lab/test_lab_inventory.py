"""The inventory that the lab writes, and the addresses that stand in it."""

import json
import subprocess
from ipaddress import IPv4Network

import pytest

from lab import inventory, keys, network
from lab.errors import LabError
from lab.machines import Lab, Machine

MACHINES = (Machine("gpu1", "debian12", ("vllm", "node_exporter")), Machine("mon1", "debian13", ("node_exporter",)))
ADDRESSES = {"gpu1": "10.64.0.10", "mon1": "10.64.0.11"}


@pytest.fixture
def lab(monkeypatch, tmp_path):
    monkeypatch.setattr(inventory, "STATE", tmp_path / "with space")
    lab = Lab("demo", MACHINES, tmp_path / "inventory")
    inventory.write(
        lab, ADDRESSES, "http://10.64.0.2", {"https://b": "22", "https://a": "11"}, {"grafana_version": "1.2.3"}
    )
    return lab


def test_ansible_reads_it(lab):
    listed = json.loads(subprocess.check_output(["ansible-inventory", "-i", lab.inventory, "--list"]))
    assert listed["vllm"]["hosts"] == ["gpu1"]
    assert listed["node_exporter"]["hosts"] == ["gpu1", "mon1"]
    gpu1 = listed["_meta"]["hostvars"]["gpu1"]
    assert gpu1["ansible_host"] == "10.64.0.10"
    assert gpu1["gpufleet_mirror"] == "http://10.64.0.2"
    assert gpu1["grafana_version"] == "1.2.3"
    assert gpu1["gpufleet_lock"] == {"https://a": "11", "https://b": "22"}
    assert "StrictHostKeyChecking=yes" in gpu1["ansible_ssh_common_args"]


def test_ssh_knows_the_machines_by_their_own_keys():
    known = keys.known_hosts({"10.64.0.11": "ssh-ed25519 BBBB mon1", "10.64.0.10": "ssh-ed25519 AAAA gpu1"})
    assert known == "10.64.0.10 ssh-ed25519 AAAA\n10.64.0.11 ssh-ed25519 BBBB\n"


def test_removing_it_leaves_what_was_not_written(lab):
    kept = lab.inventory / "group_vars/all/main.yml"
    kept.write_text("a: 1\n")
    (folder,) = inventory.folders()
    inventory.remove(folder)
    assert [path for path in lab.inventory.rglob("*") if path.is_file()] == [kept]
    kept.unlink()
    inventory.remove(folder)
    assert not lab.inventory.exists()


def test_a_subnet_in_use_is_left_alone():
    first = network.free_subnet([])
    assert first.prefixlen == 24
    assert first.subnet_of(IPv4Network("10.64.0.0/10"))
    second = network.free_subnet([first])
    assert not second.overlaps(first)
    assert not network.free_subnet([IPv4Network("10.64.0.0/11")]).overlaps(IPv4Network("10.64.0.0/11"))


def test_no_free_subnet_is_told():
    with pytest.raises(LabError, match=r"every subnet of 10\.64\.0\.0/10 is in use"):
        network.free_subnet([IPv4Network("10.0.0.0/8")])
