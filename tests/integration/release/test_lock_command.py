"""tools/lock as an operator runs it: an inventory, a component of their own, publishers on loopback."""

from __future__ import annotations

import json
import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from release_server import serving, whole

ROOT = Path(__file__).resolve().parents[3]
A, B = "a" * 64, "b" * 64


@pytest.fixture
def https(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    with serving(context) as running:
        for version, digest in (("1.0", A), ("2.0", B), ("3.0", A)):
            text = "".join(f"{digest}  demo-{version}.{arch}.tgz\n" for arch in ("amd64", "arm64"))
            running.publish(f"/{version}/sums", whole(text.encode()))
        running.publish("/tool.sha256", whole(f"{A}\n".encode()))
        yield running


@pytest.fixture
def site(tmp_path, https):
    """An inventory with a component `demo` of the operator's own; returns the inventory's folder."""
    role = tmp_path / "roles" / "demo"
    for folder in ("tasks", "defaults", "vars"):
        (role / folder).mkdir(parents=True)
    (role / "tasks" / "main.yml").write_text("[]\n")
    (role / "defaults" / "main.yml").write_text("demo_version: '1.0'\ndemo_state: present\n")
    source = {
        "version_variable": "demo_version",
        "url": https.url + "/{version}/demo-{version}.{arch}.tgz",
        "sums": https.url + "/{version}/sums",
    }
    tool = {"version": "9", "url": https.url + "/tool", "sums": https.url + "/tool.sha256", "machines": ["x86_64"]}
    (role / "vars" / "versions.yml").write_text(yaml.safe_dump({"__demo_source": source, "__demo_tool": tool}))
    inventory = tmp_path / "site"
    (inventory / "group_vars" / "all").mkdir(parents=True)
    (inventory / "group_vars" / "all" / "main.yml").write_text(f"gpufleet_component_paths: [{tmp_path / 'roles'}]\n")
    (inventory / "hosts.yml").write_text(
        "demo:\n"
        "  hosts:\n"
        "    plain:\n"
        "    canary: {demo_version: \"{{ '2' }}.0\"}\n"
        "    gone: {demo_version: '3.0', demo_state: absent}\n"
        "bystander: {hosts: {other: {demo_version: '4.0'}}}\n"
    )
    return inventory


@pytest.fixture
def lock(site, certificates, tmp_path):
    def run(*arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            [ROOT / "tools" / "lock", "-i", site, "--ca-path", certificates.ca, *arguments],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
            env={
                **os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "no_proxy": "*",
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
            },
        )  # fmt: skip

    run.file = site / "group_vars" / "all" / "gpufleet_lock.yml"
    run.entries = lambda: yaml.safe_load(run.file.read_text())["gpufleet_lock"]
    return run


def test_what_the_inventory_asks_for(lock, https):
    done = lock("--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "+gpufleet_lock:" in done.stdout
    assert not lock.file.exists()

    done = lock()
    assert done.returncode == 0, done.stdout + done.stderr
    url = https.url
    assert lock.entries() == {
        f"{url}/1.0/demo-1.0.amd64.tgz": A,
        f"{url}/1.0/demo-1.0.arm64.tgz": A,
        f"{url}/2.0/demo-2.0.amd64.tgz": B,
        f"{url}/2.0/demo-2.0.arm64.tgz": B,
        f"{url}/tool": A,
    }
    assert stat.S_IMODE(lock.file.stat().st_mode) == 0o644
    assert f"demo 2.0: {url}/2.0/sums" in done.stdout
    before = lock.file.stat()
    assert "changed=0" in lock().stdout
    assert (lock.file.stat().st_ino, lock.file.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_other_versions_stay_until_pruned(lock, site, https):
    lock()
    (site / "hosts.yml").write_text("demo: {hosts: {plain: {demo_version: '3.0'}}}\n")
    assert lock().returncode == 0
    assert len(lock.entries()) == 7
    assert lock("--prune").returncode == 0
    assert sorted(lock.entries()) == [
        f"{https.url}/3.0/demo-3.0.amd64.tgz",
        f"{https.url}/3.0/demo-3.0.arm64.tgz",
        f"{https.url}/tool",
    ]


def test_a_publisher_that_changed_something(lock, https):
    lock()
    before = lock.file.read_text()
    https.publish("/tool.sha256", whole(f"{B}\n".encode()))
    done = lock()
    assert done.returncode == 2
    assert "THE PUBLISHER CHANGED WHAT WAS LOCKED" in done.stdout + done.stderr
    assert lock.file.read_text() == before
    assert lock("--accept-changed", https.url + "/tool").returncode == 0
    assert lock.entries()[https.url + "/tool"] == B


def test_nothing_is_written_when_one_sum_is_missing(lock, https):
    https.routes.pop("/2.0/sums")
    done = lock()
    assert done.returncode == 2
    assert "/2.0/sums: HTTP 404" in done.stdout + done.stderr
    assert not lock.file.exists()


def test_from_a_mirror_folder(lock, https, tmp_path):
    host = https.url.removeprefix("https://")
    files = {f"archives/{host}/{version}/demo-{version}.amd64.tgz": A for version in ("1.0", "2.0")}
    files[f"archives/{host}/tool"] = B
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "MANIFEST.json").write_text(
        json.dumps({"files": {path: {"sha256": digest, "size": 1, "source": ""} for path, digest in files.items()}})
    )
    done = lock("--from-mirror", os.path.relpath(mirror, ROOT))
    assert done.returncode == 0, done.stdout + done.stderr
    assert len(lock.entries()) == 3
    assert "hosts of that kind cannot install demo 1.0" in done.stdout + done.stderr
    assert https.requests == []


def test_an_inventory_whose_variables_would_be_hidden(lock, site):
    folder = site / "group_vars" / "all"
    (folder / "main.yml").rename(site / "group_vars" / "all.yml")
    folder.rmdir()
    done = lock()
    assert done.returncode == 2
    assert "would no longer be read" in done.stdout + done.stderr
    assert not folder.exists()
