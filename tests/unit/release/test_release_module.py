"""The module's options and result, and the module as Ansible runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gpufleet.serving.plugins.modules import release as module
from release_orders import names
from release_server import program, release, sha256, whole

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def play(opt, publisher, capsys, monkeypatch):
    """Runs the module in this process; its result."""
    monkeypatch.setattr(module.platform, "machine", lambda: "x86_64")

    def run(version="1.0", check=False, diff=False, **options):
        url = publisher.url + "/demo-{version}-{arch}.tar.gz"
        locked = {publisher.url + f"/demo-{one}-amd64.tar.gz": sha256(release(one)) for one in ("1.0", "2.0", "3.0")}
        arguments = {
            "name": "demo",
            "version": version,
            "url": url,
            "checksums": locked,
            "root": str(opt.parent),
            "smoke": ["demo"],
            "backoff": 0.01,
            "_ansible_check_mode": check,
            "_ansible_diff": diff,
            **options,
        }
        arguments = {name: value for name, value in arguments.items() if value is not ...}
        publisher.publish(f"/demo-{version}-amd64.tar.gz", whole(release(str(version))))
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return run


def test_documentation_and_argument_spec_agree():
    import yaml

    documented = yaml.safe_load(module.DOCUMENTATION)["options"]
    assert set(documented) == set(module.ARGUMENTS)
    for name, spec in module.ARGUMENTS.items():
        said = {key: value for key, value in documented[name].items() if key != "description"}
        assert said == {key: value for key, value in spec.items() if key != "no_log"}, name


def test_result_of_a_first_installation(play, opt):
    said = play()
    assert said.pop("seconds") > 0
    added_by_ansible = {"invocation", "gid", "group", "mode", "owner", "size", "state", "uid"}
    assert {key: said[key] for key in said if key not in added_by_ansible} == {
        "changed": True,
        "action": "install",
        "version": "1.0",
        "previous": None,
        "path": f"{opt}/1.0",
        "link": f"{opt}/current",
        "kept": [],
        "removed": [],
        "downloaded": True,
        "bytes": len(release("1.0")),
    }


def test_result_of_an_upgrade_with_pruning(play, opt):
    play()
    play("2.0")
    (opt / ".staging-dead").mkdir()
    said = play("3.0", keep=1)
    assert (said["previous"], said["kept"], said["removed"]) == ("2.0", ["2.0"], ["1.0", ".staging-dead"])


def test_nothing_to_do(play):
    play()
    said = play()
    assert (said["changed"], said["action"], said["downloaded"]) == (False, "none", False)


def test_check_mode_on_a_blank_host(play, opt, publisher):
    said = play(check=True, diff=True)
    assert (said["changed"], said["action"], said["downloaded"]) == (True, "install", False)
    assert said["diff"]["before"] == ""
    assert said["diff"]["after"] == "1.0 <- current\n"
    assert not opt.parent.exists()
    assert publisher.requests == []


@pytest.mark.parametrize("check", [True, False])
def test_diff_of_an_upgrade(play, opt, check):
    play()
    play("2.0")
    said = play("3.0", keep=1, check=check, diff=True)
    assert said["diff"] == {
        "before_header": str(opt),
        "after_header": str(opt),
        "before": "1.0\n2.0 <- current\n",
        "after": "2.0\n3.0 <- current\n",
    }


def test_diff_of_going_back_and_of_removal(play):
    play()
    play("2.0")
    said = play(diff=True)
    assert (said["diff"]["before"], said["diff"]["after"]) == ("1.0\n2.0 <- current\n", "1.0 <- current\n2.0\n")
    said = play(diff=True)
    assert said["diff"]["before"] == said["diff"]["after"]
    said = play(state="absent", version=..., url=..., diff=True)
    assert (said["diff"]["before"], said["diff"]["after"]) == ("1.0\n2.0\n", "")


def test_absent(play, opt):
    play()
    (opt / "models").mkdir()
    (opt / "models" / "weights").touch()
    said = play(state="absent", version=..., url=...)
    assert (said["changed"], said["removed"], said["left"], said["path"]) == (
        True,
        ["1.0"],
        [f"{opt}/models"],
        str(opt),
    )


@pytest.mark.parametrize("spelling", [False, "false", "no", ""])
def test_no_link(play, opt, spelling):
    said = play(link=spelling)
    assert said["link"] is None
    assert names(opt) == ["1.0"]


def test_a_bare_program(play, opt, publisher):
    publisher.publish("/demo-amd64", whole(program("7")))
    url = publisher.url + "/demo-{arch}"
    said = play("7", url=url, checksums={publisher.url + "/demo-amd64": sha256(program("7")).upper()})
    assert said["changed"]
    assert (opt / "current/demo").read_bytes() == program("7")


def test_mirror_is_asked_and_the_publisher_is_not(play, publisher):
    url = "https://github.com/d/demo-{version}.linux-{arch}.tar.gz"
    publisher.publish("/m/archives/github.com/d/demo-1.0.linux-amd64.tar.gz", whole(release("1.0")))
    checksums = {"https://github.com/d/demo-1.0.linux-amd64.tar.gz": sha256(release("1.0"))}
    assert play(url=url, mirror=publisher.url + "/m/", checksums=checksums)["downloaded"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"name": "../x"}, r"name is '../x'; expected letters"),
        ({"version": "1/2"}, "version is '1/2'"),
        ({"version": ".."}, "version is '..'"),
        ({"version": "current"}, "link and version are both 'current'"),
        ({"link": "a/b"}, "link is 'a/b'"),
        ({"link": True}, "link is True"),
        ({"binary": "../x"}, "binary is '../x'"),
        ({"root": "opt"}, "expected an absolute path"),
        ({"keep": -1}, "keep is -1; expected 0 or more"),
        ({"timeout": 0}, "timeout is 0.0; expected more than 0"),
        ({"version": ...}, "all of the following are missing: version"),
        ({"checksums": {}}, "no sha256 for http"),
        ({"arch_names": {}}, "nothing is published for a x86_64 machine"),
        ({"url": "https://h/{os}"}, "unknown placeholder"),
        ({"url": "https://me:pw@h/x.zip"}, "credentials do not belong into a URL"),
        ({"mirror": "http://me:pw@h"}, "credentials do not belong into the address"),
        ({"mirror": "10.0.0.1"}, "expected http"),
        ({"url_username": "me"}, "url_username, url_password"),
    ],
)
def test_bad_options(play, opt, options, message):
    said = play(**options)
    assert said["failed"]
    assert message in said["msg"]
    assert not opt.exists()


def test_a_digest_that_is_none(play, publisher):
    said = play(checksums={publisher.url + "/demo-1.0-amd64.tar.gz": "sha256:abc"})
    assert "'sha256:abc' for http" in said["msg"]
    assert "is no sha256; expected 64 hexadecimal digits" in said["msg"]


def test_an_error_carries_facts(play, publisher):
    said = play(checksums={publisher.url + "/demo-1.0-amd64.tar.gz": "0" * 64})
    assert (said["failed"], said["expected"], said["got"]) == (True, "0" * 64, sha256(release("1.0")))
    assert said["msg"].startswith(f"demo: {publisher.url}/demo-1.0-amd64.tar.gz: wrong checksum: expected sha256 000")


def test_a_kept_version_that_left_the_lock_is_warned_about(play, monkeypatch):
    warnings = []
    monkeypatch.setattr(module.AnsibleModule, "warn", lambda _self, text: warnings.append(text))
    play()
    assert warnings == []
    assert not play(checksums={})["changed"]
    assert len(warnings) == 1
    assert "the lock file has no sha256 for http" in warnings[0]


@pytest.mark.parametrize(
    ("error", "user", "message"),
    [
        (OSError(30, "Read-only file system", "/opt/x"), 0, "demo: /opt/x: Read-only file system"),
        (OSError(5, "Input/output error"), 0, "demo: {opt}: Input/output error"),
        (PermissionError(1, "Operation not permitted", "/opt/x"), 0, "demo: /opt/x: Operation not permitted"),
        (
            PermissionError(13, "Permission denied", "/opt/x"),
            1000,
            "demo: /opt/x: Permission denied; run the task with become: true",
        ),
    ],
)
def test_what_the_system_refuses(play, opt, monkeypatch, error, user, message):
    def refuse(*_arguments, **_more):
        raise error

    monkeypatch.setattr(module.install, "present", refuse)
    monkeypatch.setattr(module.os, "geteuid", lambda: user)
    assert play()["msg"] == message.format(opt=opt)
