"""The module as Ansible calls it: arguments in, JSON out."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.errors import LandingError
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.locks import locked
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.plan import make_plan
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.stage import run_checks
from ansible_collections.gpufleet.serving.plugins.modules import config_files
from config_set import OWNERSHIP, check, file, params, request

SECRET = "hunter2-hunter2"  # noqa: S105


@pytest.fixture
def call(capsys, monkeypatch):
    """Run the module; returns its result and everything it wrote or logged."""

    monkeypatch.setattr(config_files, "_clean_up_when_told_to_stop", lambda: None)

    def call(**arguments):
        logged = []
        monkeypatch.setattr(config_files.SilentModule, "log", lambda self, msg, log_args=None: logged.append(msg))
        monkeypatch.setattr(config_files.SilentModule, "_log_to_syslog", lambda self, msg: logged.append(msg))
        with patch_module_args(arguments), pytest.raises(SystemExit):
            config_files.main()
        out = capsys.readouterr()
        return json.loads(out.out), out.out + out.err + "".join(logged)

    return call


def files(tmp_path, text="a\n"):
    return [
        {"path": str(tmp_path / "plain"), "content": text, **OWNERSHIP},
        {"path": str(tmp_path / "key"), "content": SECRET, "mode": "0600", "secret": True, **OWNERSHIP},
    ]


def test_first_run_second_run_and_check_mode(call, tmp_path):
    wanted = {"files": files(tmp_path)}
    foreseen, _ = call(**wanted, _ansible_check_mode=True)
    assert foreseen["changed"] and list(tmp_path.iterdir()) == []
    done, _ = call(**wanted)
    assert done["changed_files"] == foreseen["changed_files"] == [str(tmp_path / "plain"), str(tmp_path / "key")]
    assert (tmp_path / "key").read_text() == SECRET
    again, _ = call(**wanted)
    assert (again["changed"], again["changed_files"]) == (False, [])


@pytest.mark.parametrize("arguments", [{}, {"_ansible_check_mode": True}])
@pytest.mark.parametrize("before", [None, "old-secret-old-secret"])
def test_a_secret_appears_nowhere(call, tmp_path, arguments, before):
    if before:
        (tmp_path / "key").write_text(before)
    result, said = call(files=files(tmp_path), _ansible_diff=True, _ansible_verbosity=4, **arguments)
    assert SECRET not in said and "old-secret" not in said
    shown = {entry["after_header"]: entry["after"] for entry in result["diff"]}
    assert shown[str(tmp_path / "key")] in ("(secret content changed)\n", {"mode": "0600"})
    assert shown[str(tmp_path / "plain")] == "a\n"


@pytest.mark.parametrize(
    "broken",
    [
        {"validate": [{"argv": ["grep", "nothing", "{PATH}/key"]}]},
        {"validate": [{"argv": ["cat", "{PATH}/key", "/no/such"]}]},
        {"files": [{"path": "relative", "content": SECRET, "secret": True}]},
        {"files": [{"path": "/etc/x", "content": {"password": SECRET}, "secret": True}]},
        {"files": [{"path": "/etc/x", "content": SECRET, "secret": "perhaps"}]},
        {"files": [{"content": SECRET}]},
        {"no_such_option": SECRET},
    ],
)
def test_not_even_a_failure_says_a_secret(call, tmp_path, broken):
    arguments = {
        "files": files(tmp_path),
        **json.loads(json.dumps(broken).replace("{PATH}/key", f"{{{tmp_path}/key}}")),
    }
    result, said = call(**arguments, _ansible_diff=True, _ansible_verbosity=4)
    assert result["failed"]
    assert SECRET not in said
    assert list(tmp_path.iterdir()) == []


def test_a_failed_check_says_that_nothing_was_changed(call, tmp_path):
    (tmp_path / "plain").write_text("before\n")
    result, _ = call(files=files(tmp_path), validate=[{"argv": ["false"]}])
    assert "files before still stand" in result["msg"]
    assert (tmp_path / "plain").read_text() == "before\n"
    assert not (tmp_path / "key").exists()


def test_checks_run_when_something_changes_and_not_otherwise(call, tmp_path):
    arguments = {"files": files(tmp_path), "validate": [{"argv": ["true", f"{{{tmp_path}/plain}}"]}]}
    assert call(**arguments)[0]["validated"] == [f"true {tmp_path}/plain"]
    assert call(**arguments)[0]["validated"] == []


def test_a_program_that_is_not_there_yet_is_no_error_in_check_mode_only(call, tmp_path):
    checks = [{"argv": ["true"]}, {"argv": ["/opt/no/such/promtool", "check"], "needs": ["/no/such/file"]}]
    result, _ = call(files=files(tmp_path), validate=checks, _ansible_check_mode=True)
    assert result["not_validated"] == ["/opt/no/such/promtool", "/no/such/file"]
    result, _ = call(files=files(tmp_path), validate=checks)
    assert "cannot be checked: /opt/no/such/promtool, /no/such/file" in result["msg"]


def test_a_check_may_be_left_out_of_check_mode(call, tmp_path):
    checks = [{"argv": ["false"], "in_check_mode": False}]
    assert call(files=files(tmp_path), validate=checks, _ansible_check_mode=True)[0]["changed"]
    assert call(files=files(tmp_path), validate=checks)[0]["failed"]


def test_absent_takes_everything_away_and_is_then_content(call, tmp_path):
    wanted = {
        "files": [{"path": str(tmp_path / "d" / "x"), "content": "x", **OWNERSHIP}],
        "directories": [{"path": str(tmp_path / "d"), **OWNERSHIP}],
    }
    call(**wanted)
    result, _ = call(**wanted, state="absent")
    assert result["removed"] == [str(tmp_path / "d" / "x"), str(tmp_path / "d")]
    assert list(tmp_path.iterdir()) == []
    assert not call(**wanted, state="absent")[0]["changed"]


def test_two_runs_on_one_directory_follow_each_other(tmp_path):
    order = []

    def hold():
        with locked([str(tmp_path)], 5):
            order.append("first in")
            time.sleep(0.3)
            order.append("first out")

    other = threading.Thread(target=hold)
    other.start()
    while not order:
        time.sleep(0.01)
    with locked([str(tmp_path / "not made yet")], 5):
        order.append("second in")
    other.join()
    assert order == ["first in", "first out", "second in"]
    assert list(tmp_path.iterdir()) == []


def test_a_run_that_does_not_end_is_named(tmp_path):
    said = "another run has been writing there for"
    with locked([str(tmp_path)], 1), pytest.raises(LandingError, match=said), locked([str(tmp_path)], 0.2):
        pass


def test_a_run_that_is_killed_leaves_nothing_for_long(tmp_path):
    """A real process, stopped while a check runs: SIGTERM cleans up at once, SIGKILL is made up for by the next run."""
    program = (
        "import json, sys; from pathlib import Path; sys.path.insert(0, sys.argv[1]); import conftest;"
        "conftest.pytest_configure(None);"
        "from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.plan import make_plan;"
        "from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.request import parse;"
        "from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.stage import run_checks;"
        "from ansible_collections.gpufleet.serving.plugins.modules.config_files import _clean_up_when_told_to_stop;"
        "_clean_up_when_told_to_stop(); wanted = parse(json.loads(sys.argv[2]));"
        "run_checks(wanted, make_plan(wanted, True), wanted.checks, sys.argv[3])"
    )
    stages, running = tmp_path / "stages", tmp_path / "running"
    stages.mkdir()
    wait = params(files=[file(tmp_path / "x")], validate=[check("sh", "-c", f"touch {running}; exec sleep 5")])

    def stopped_by(number):
        tests = str(Path(__file__).resolve().parents[2])
        running.unlink(missing_ok=True)
        child = subprocess.Popen([sys.executable, "-c", program, tests, json.dumps(wait), str(stages)])
        while not running.exists():
            assert child.poll() is None
            time.sleep(0.02)
        child.send_signal(number)
        child.wait(10)
        return list(stages.iterdir())

    assert stopped_by(signal.SIGTERM) == []
    assert len(stopped_by(signal.SIGKILL)) == 1
    wanted = request(files=[file(tmp_path / "x")], validate=[check("true")])
    run_checks(wanted, make_plan(wanted, True), wanted.checks, str(stages))
    assert list(stages.iterdir()) == []


def test_the_options_and_their_documentation_say_the_same():
    import yaml

    documented = yaml.safe_load(config_files.DOCUMENTATION)["options"]

    def shape(options, key):
        return {
            name: (option.get("type"), option.get("required", False), option.get("default"), shape(option[key], key))
            if key in option
            else (option.get("type"), option.get("required", False), option.get("default"))
            for name, option in options.items()
        }

    assert shape(documented, "suboptions") == shape(config_files.ARGUMENT_SPEC, "options")
