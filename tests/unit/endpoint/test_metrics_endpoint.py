"""The module for real: one ansible-playbook on localhost, and one in check mode, against a server that misbehaves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "unit" / "http"))

from broken_server import PASSWORD, TOKEN, USER, broken_server  # noqa: E402

# path -> the first problem's words, or None where all is well
ENDPOINTS = {
    "good": None,
    "openmetrics": None,
    "html": "expected metrics, found the web page 'Grafana'; check host, port and path",
    "malformed": "line 2: expected a number as value, found 'x'",
    "empty": "line 1: expected at least one sample, found an empty page",
    "octets": "Prometheus 3 refuses it",
    "truncated": "ends after 26 of the 126 bytes that Content-Length announces",
    "endless": "more than 100000 bytes and did not end there",
    "drip": "no complete answer within 1 s",
    "missing": "answers 404, saying '404 page not found'; check the path",
    "refused": "refuses the credentials (401)",
}
UNUSABLE = {
    "contract that is not there": ({"contract": "/nowhere/1.yml"}, "/nowhere/1.yml: cannot read this contract"),
    "misspelt expectation": ({"expect": {"a": {"typ": "gauge"}}}, "unknown key 'typ'; did you mean type?"),
    "record without version": ({"record": "r.yml"}, "missing parameter(s) required by 'record': component, version"),
    "two credentials": ({"token": "t", "url_username": "u", "url_password": "p"}, "mutually exclusive"),
    "misspelt option": ({"contrakt": "x"}, "Unsupported parameters"),
}


class Run:
    """A playbook that runs metrics_endpoint once for each of `options`, and what came of it."""

    def __init__(self, folder: Path, options: dict[str, dict], *flags: str):
        tasks = [
            {"gpufleet.serving.metrics_endpoint": own, "register": f"result_{number}", "ignore_errors": True}
            for number, own in enumerate(options.values())
        ]
        every = ", ".join(f"result_{number}" for number in range(len(options)))
        write = {"content": f"{{{{ [{every}] | to_json }}}}", "dest": str(folder / "results.json")}
        tasks.append({"ansible.builtin.copy": write, "check_mode": False})
        playbook = folder / "play.yml"
        play = {"hosts": "localhost", "connection": "local", "gather_facts": False, "tasks": tasks}
        playbook.write_text(yaml.safe_dump([play]), encoding="utf-8")
        program = Path(sys.executable).parent / "ansible-playbook"
        python = f"ansible_python_interpreter={sys.executable}"
        done = subprocess.run(
            [program, "-i", "localhost,", "-e", python, playbook, *flags],
            cwd=ROOT,
            env={**os.environ, "ANSIBLE_LOCALHOST_WARNING": "false", "ANSIBLE_NOCOLOR": "1"},
            capture_output=True,
            text=True,
            timeout=300,
        )
        self.output = done.stdout + done.stderr
        self.written = (folder / "results.json").read_text(encoding="utf-8")
        self.results = dict(zip(options, json.loads(self.written), strict=True))

    def __getitem__(self, name: str) -> dict:
        return self.results[name]


@pytest.fixture(scope="module")
def server():
    with broken_server() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("endpoint")


@pytest.fixture(scope="module")
def run(server, folder) -> Run:
    good, limits = f"{server.url}/good", {"timeout": 1, "max_bytes": 100_000, "on_problem": "report"}
    recording = {"url": good, "record": str(folder / "contracts" / "1.yml"), "component": "c", "version": "1"}
    return Run(
        folder,
        {
            **{path: {"url": f"{server.url}/{path}", **limits} for path in ENDPOINTS},
            **{name: {"url": f"{server.url}/never", **own} for name, (own, _said) in UNUSABLE.items()},
            "basic": {"url": f"{server.url}/basic", "url_username": USER, "url_password": PASSWORD},
            "bearer": {"url": f"{server.url}/bearer", "token": TOKEN, "headers": {"X-Short": "a", "X-Digit": "1"}},
            "broken": {"url": f"{server.url}/broken", "token": TOKEN, "on_problem": "report"},
            "third try": {"url": f"{server.url}/third_time", "deadline": 20, "interval": 0.1, "expect": ["a"]},
            "deadline": {"url": f"{good}?late", "deadline": 6, "interval": 0.1, "expect": ["b_total"]},
            "first recording": recording,
            "second recording": recording,
            "kept": {"url": good, "contract": recording["record"]},
        },
        "-vvv",
    )


@pytest.mark.parametrize("path", ENDPOINTS)
def test_each_kind_of_endpoint_gets_its_verdict(run, server, path):
    result, words = run[path], ENDPOINTS[path]
    assert result["check"] == "metrics"
    assert result["subject"] == f"{server.url}/{path}"
    assert not result["failed"]
    assert "page" not in result
    assert result["passed"] == (words is None), result
    if words:
        assert words in result["problems"][0]
        assert result["msg"].startswith(f"localhost: {server.url}/{path}: ")


@pytest.mark.parametrize("name", UNUSABLE)
def test_options_that_cannot_be_used_are_told_before_anything_is_asked(run, server, name):
    assert run[name]["failed"]
    assert UNUSABLE[name][1] in run[name]["msg"]
    assert not any("/never" in request for request in server.requests)


def test_credentials_are_used(run):
    assert run["basic"]["passed"]
    assert run["bearer"]["passed"]
    assert run["bearer"]["series"] == 1


def test_credentials_are_shown_nowhere(run):
    for secret in (PASSWORD, TOKEN):
        assert secret not in run.output
        assert secret not in run.written


def test_keeps_trying_until_it_passes(run, server):
    assert run["third try"]["passed"]
    assert sum("third_time" in request for request in server.requests) == 3


def test_gives_up_at_the_deadline_with_the_last_problem_as_a_failure(run, server):
    assert run["deadline"]["failed"]
    assert run["deadline"]["problems"] == ["b_total: expected a family of that name, found none"]
    assert sum("?late" in request for request in server.requests) >= 2


def test_records_a_contract_once_and_the_endpoint_keeps_it(run, folder):
    assert (run["first recording"]["changed"], run["second recording"]["changed"]) == (True, False)
    assert run["kept"]["passed"]
    assert yaml.safe_load((folder / "contracts" / "1.yml").read_text(encoding="utf-8")) == {
        "component": "c",
        "version": "1",
        "families": {"a": {"type": "gauge", "labels": ["b"]}},
    }


@pytest.fixture(scope="module")
def check_run(server, tmp_path_factory) -> Run:
    folder = tmp_path_factory.mktemp("check")
    record = {"record": str(folder / "1.yml"), "component": "c", "version": "1"}
    return Run(
        folder,
        {
            "blank": {"url": "http://127.0.0.1:1/metrics", "deadline": 30},
            "no authority yet": {"url": "https://127.0.0.1:1/m", "ca_path": "/nowhere/ca.pem", "deadline": 30},
            "recording": {"url": f"{server.url}/good", **record},
            "malformed": {"url": f"{server.url}/malformed", "on_problem": "report"},
        },
        "--check",
        "--diff",
    )


@pytest.mark.parametrize("name", ["blank", "no authority yet"])
def test_check_mode_on_a_blank_host_says_that_nothing_was_checked(check_run, name):
    result = check_run[name]
    assert (result["passed"], result["checked"]) == (True, False)
    assert result["detail"] == "not checked: nothing listens yet (check mode)"


def test_check_mode_judges_what_is_there(check_run):
    assert not check_run["malformed"]["passed"]


def test_check_mode_shows_what_it_would_record_and_writes_nothing(check_run):
    result = check_run["recording"]
    assert result["changed"]
    assert "a: {type: gauge, labels: [b]}" in result["diff"]["after"]
    assert not Path(result["diff"]["after_header"]).exists()
