"""The module release as Ansible runs it on a host."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils import sources
from release_server import release, sha256, status, whole

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def ansible(tmp_path):
    """Runs `ansible localhost -m gpufleet.serving.release`; the task's result."""

    def run(options: dict, *flags: str) -> dict:
        done = subprocess.run(
            [
                str(Path(sys.executable).with_name("ansible")), "localhost", "-i", "localhost,", "-c", "local",
                "-m", "gpufleet.serving.release", "-a", json.dumps(options), *flags,
            ],
            cwd=ROOT, capture_output=True, text=True, timeout=120,
            env={
                **os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"), "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
                "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default", "ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"),
                "ANSIBLE_PYTHON_INTERPRETER": sys.executable, "ANSIBLE_LOAD_CALLBACK_PLUGINS": "false",
            },
        )  # fmt: skip
        text = done.stdout
        said = json.loads(text[text.index("=> {") + 3 :]) if "=> {" in text else {}
        assert said, done.stdout + done.stderr
        return {**said, "rc": done.returncode, "shown": text}

    return run


def test_through_ansible(ansible, opt, publisher):
    """The whole life of a release with the real thing: check, install, nothing to do, an error, removal."""
    machine = os.uname().machine
    arch = sources.ARCH_NAMES.get(machine, machine)
    url = publisher.publish(f"/demo-1.0-{arch}.tar.gz", whole(release("1.0")))
    options = {
        "name": "demo",
        "version": "1.0",
        "url": publisher.url + "/demo-{version}-{arch}.tar.gz",
        "arch_names": {machine: arch},
        "checksums": {url: sha256(release("1.0"))},
        "root": str(opt.parent),
        "smoke": ["demo"],
        "url_username": "me",
        "url_password": "pass-word",
    }
    assert ansible(options, "--check")["changed"]
    assert not opt.parent.exists()
    assert ansible(options)["downloaded"]
    said = ansible(options, "-vvv")
    assert (said["changed"], said["rc"]) == (False, 0)
    assert "pass-word" not in said["shown"]
    publisher.publish(f"/demo-2.0-{arch}.tar.gz", status(404))
    said = ansible({**options, "version": "2.0", "checksums": {url.replace("1.0", "2.0"): "0" * 64}})
    assert said["rc"] == 2
    assert "HTTP 404" in said["msg"]
    assert ansible({"name": "demo", "state": "absent", "root": str(opt.parent)})["changed"]
    assert not opt.exists()
