"""A real machine to try the host modules on.

GPUFLEET_TEST_INVENTORY names an inventory, GPUFLEET_TEST_HOST one of its hosts; without that the first one is used.

The machine is changed, and left as it was found. Without one these tests fail: that they did not run is no pass.
"""

from __future__ import annotations

import base64
import json
import os
import sys
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
import testinfra
from testinfra.utils.ansible_runner import AnsibleRunner

ROOT = Path(__file__).resolve().parents[2]
UNITS = "/etc/systemd/system"
PREFIX = "gpufleet-test"


@dataclass(frozen=True)
class Result:
    """What a module returned, what the command line showed, and how long the call took in all."""

    data: dict[str, Any]
    failed: bool
    shown: str
    seconds: float

    def __getitem__(self, key: str) -> Any:
        return self.data[key]


@dataclass(frozen=True)
class Machine:
    """The host under test."""

    inventory: str
    name: str
    private: Path
    host: Any

    def call(self, module: str, check: bool = False, **arguments: Any) -> Result:
        """Run a module of this collection."""
        began = time.monotonic()
        run = ansible_runner.run(
            private_data_dir=str(self.private),
            project_dir=str(ROOT),
            inventory=self.inventory,
            host_pattern=self.name,
            module=f"gpufleet.serving.{module}",
            module_args=json.dumps(arguments),
            cmdline="--check --diff" if check else "--diff",
            envvars={
                "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                "ANSIBLE_FORCE_COLOR": "false",
                "ANSIBLE_NOCOLOR": "true",
            },
            quiet=True,
        )
        seconds = time.monotonic() - began
        shown = run.stdout.read()
        ends = [event for event in run.events if event["event"] in ("runner_on_ok", "runner_on_failed")]
        assert len(ends) == 1, shown
        return Result(ends[0]["event_data"]["res"], ends[0]["event"] == "runner_on_failed", shown, seconds)

    def shell(self, command: str) -> str:
        """What a shell command prints; it must succeed."""
        done = self.host.run(command)
        assert done.rc == 0, (command, done.stdout, done.stderr)
        return done.stdout.strip()

    def write(self, path: str, content: str) -> None:
        """Write a file by a way of its own."""
        encoded = base64.b64encode(content.encode()).decode()
        self.shell(f"echo {encoded} | base64 -d > {path}")

    def unit(self, name: str, service: str, install: bool = True) -> None:
        """Write a unit file whose [Service] section is `service`."""
        section = "[Install]\nWantedBy=multi-user.target\n" if install else ""
        self.write(f"{UNITS}/{name}", f"[Service]\n{textwrap.dedent(service).strip()}\n{section}")

    def property(self, unit: str, name: str) -> str:
        return self.shell(f"systemctl show {unit} --property={name} --value")


@pytest.fixture(scope="session")
def inventory() -> str:
    path = os.environ.get("GPUFLEET_TEST_INVENTORY")
    if not path:
        pytest.fail("GPUFLEET_TEST_INVENTORY is not set; name an inventory whose first host may be changed by tests")
    return str(Path(path).resolve())


@pytest.fixture(scope="session")
def name(inventory) -> str:
    return os.environ.get("GPUFLEET_TEST_HOST") or AnsibleRunner(inventory).get_hosts("all")[0]


@pytest.fixture(scope="session")
def host(inventory, name) -> Any:
    """The machine, reached without Ansible for what is not under test."""
    return testinfra.get_host(f"ansible://{name}?ansible_inventory={inventory}")


@pytest.fixture
def machine(inventory, name, host, tmp_path) -> Machine:
    machine = Machine(inventory, name, tmp_path, host)
    yield machine
    machine.shell(
        f"systemctl stop '{PREFIX}*'; systemctl disable $(ls {UNITS} | grep ^{PREFIX}) 2>/dev/null; "
        f"rm -rf {UNITS}/{PREFIX}* {UNITS}/multi-user.target.wants/{PREFIX}* /etc/{PREFIX}; "
        f"systemctl daemon-reload; systemctl reset-failed '{PREFIX}*' 2>/dev/null; true"
    )


def pytest_configure() -> None:
    # ansible-runner starts `ansible`, which must be that of this very Python.
    bin_directory = str(Path(sys.executable).parent)
    os.environ["PATH"] = f"{bin_directory}{os.pathsep}{os.environ['PATH']}"
