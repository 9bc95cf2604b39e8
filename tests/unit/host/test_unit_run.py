import json
import time

import pytest
from ansible.module_utils.testing import patch_module_args
from ansible_collections.gpufleet.serving.plugins.action.systemd_unit import progress_line
from ansible_collections.gpufleet.serving.plugins.module_utils.units import clock, start, stop
from ansible_collections.gpufleet.serving.plugins.module_utils.units import run as running
from ansible_collections.gpufleet.serving.plugins.module_utils.units.errors import (
    CommandError,
    NotReadyError,
    UnitFailedError,
    UnusableUnitError,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.units.report import explain, result
from ansible_collections.gpufleet.serving.plugins.module_utils.units.run import Progress, Wish
from ansible_collections.gpufleet.serving.plugins.modules import systemd_unit
from unit_states import CRASHED, FAILED, NAME, NOT_FOUND, NOW, RUNNING, STARTING, STOPPED, Script

DEFAULTS = {
    name: option.get("default") for name, option in systemd_unit.ARGUMENT_SPEC.items() if name not in ("name", "state")
}


def wish(state="started", **params):
    return Wish.from_params({**DEFAULTS, "name": NAME, "state": state, **params})


def go(systemd, check_mode=False, progress=None, **params):
    progress = progress or Progress()
    running.run(systemd, wish(**params), progress, check_mode)
    return progress


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(start.time, "sleep", lambda seconds: None)


@pytest.fixture(autouse=True)
def up_for_as_long_as_the_units_say(monkeypatch):
    """The machine of the tests may have booted a minute ago."""
    tell, began = time.clock_gettime_ns, time.clock_gettime_ns(time.CLOCK_MONOTONIC)
    monkeypatch.setattr(clock.time, "clock_gettime_ns", lambda which: NOW.monotonic + tell(which) - began)


def test_a_running_unit_costs_one_command_and_changes_nothing():
    systemd = Script(RUNNING)
    progress = go(systemd)
    assert (systemd.commands, progress.actions) == ([], [])


def test_a_stopped_unit_is_enabled_and_started():
    systemd = Script({**STOPPED, "UnitFileState": "disabled"}, RUNNING)
    assert go(systemd).actions == ["enable", "start"]
    assert systemd.commands == ["enable app.service", "--no-block start app.service"]


def test_enabled_can_be_left_alone_or_denied():
    disabled = {**STOPPED, "UnitFileState": "disabled"}
    assert go(Script(disabled, RUNNING), enabled=False).actions == ["start"]
    assert go(Script(STOPPED, RUNNING), enabled=False).actions == ["disable", "start"]
    assert go(Script(RUNNING, STOPPED), state="stopped").actions == ["stop"]


def test_a_failed_unit_has_its_counters_set_back_first():
    systemd = Script(FAILED, RUNNING)
    go(systemd)
    assert systemd.commands == ["reset-failed app.service", "--no-block start app.service"]


def test_changed_unit_files_are_loaded_before_anything_is_decided():
    systemd = Script({**RUNNING, "NeedDaemonReload": "yes"}, RUNNING)
    assert go(systemd).actions == ["daemon-reload", "restart"]
    assert systemd.commands == ["daemon-reload", "--no-block restart app.service"]


def test_a_unit_file_that_systemd_has_not_seen_yet_is_loaded(monkeypatch):
    monkeypatch.setattr(start, "unit_files", lambda name: ["/"])
    systemd = Script(NOT_FOUND, STOPPED, RUNNING)
    assert go(systemd).actions == ["daemon-reload", "start"]


def test_a_drop_in_that_systemd_has_not_noticed_is_loaded_and_run(monkeypatch):
    monkeypatch.setattr(start, "drop_ins", lambda name: ["/etc/systemd/system/app.service.d/x.conf"])
    systemd = Script(RUNNING)
    assert go(systemd, check_mode=True).actions == ["daemon-reload", "restart"]
    assert go(systemd).actions == ["daemon-reload", "restart"]
    known = {**RUNNING, "DropInPaths": "/etc/systemd/system/app.service.d/x.conf"}
    assert go(Script(known)).actions == []


@pytest.mark.parametrize(
    ("shown", "said"),
    [
        (NOT_FOUND, "systemd knows no such unit; write /etc/systemd/system/app.service before this task"),
        ({**STOPPED, "LoadState": "masked"}, "`systemctl unmask app.service`"),
        (
            {**STOPPED, "LoadState": "bad-setting", "LoadError": 'x "bad line"'},
            "does not accept its unit file: bad line",
        ),
        ({**STOPPED, "UnitFileState": "static"}, "no [Install] section"),
    ],
)
def test_a_unit_that_cannot_be_started_is_explained(shown, said):
    with pytest.raises(UnusableUnitError) as caught:
        go(Script(shown))
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said"), [("app", "write the unit's full name"), ("vllm@.service", "is a template; name an instance")]
)
def test_a_name_that_is_none_is_told(name, said):
    with pytest.raises(UnusableUnitError, match=said):
        go(Script(RUNNING), name=name)


def test_an_instance_is_written_as_its_template():
    assert start.unit_files("vllm@tiny.service") == [
        "/etc/systemd/system/vllm@tiny.service",
        "/etc/systemd/system/vllm@.service",
    ]


@pytest.mark.parametrize(
    ("shown", "params", "foreseen"),
    [
        (NOT_FOUND, {}, ["enable", "start"]),
        (NOT_FOUND, {"enabled": False}, ["start"]),
        (NOT_FOUND, {"state": "stopped"}, []),
        (STOPPED, {}, ["start"]),
        (RUNNING, {}, []),
        (RUNNING, {"state": "stopped", "enabled": False}, ["disable", "stop"]),
        ({**RUNNING, "NeedDaemonReload": "yes"}, {}, ["daemon-reload", "restart"]),
        (CRASHED, {}, []),
    ],
)
def test_check_mode_foresees_and_touches_nothing(shown, params, foreseen):
    systemd = Script(shown)
    assert go(systemd, check_mode=True, **params).actions == foreseen
    assert systemd.commands == []


def test_systemctls_own_words_are_kept():
    with pytest.raises(CommandError, match=r"`systemctl --no-block start app.service` fails: Access denied"):
        go(Script(STOPPED, refuse=("start",)))


def test_waiting_goes_on_in_the_next_call_without_doing_anything_twice(monkeypatch):
    systemd = Script(STOPPED, STARTING)
    first = Progress()
    asked = wish(wait=0.0)
    seen = running.run(systemd, asked, first, False)
    handed = json.loads(json.dumps(result(systemd, asked, first, seen)))
    assert handed["pending"]["waiting_for"] == "starting"
    assert systemd.commands == ["--no-block start app.service"]
    systemd.shown = [RUNNING]
    second = go(systemd, progress=Progress.resume(handed["pending"]["memory"]), wait=10.0)
    assert systemd.commands == ["--no-block start app.service"]
    assert (second.actions, second.began) == (["start"], first.began)
    line = progress_line("gpu1", NAME, handed)
    assert line == "app.service on gpu1, 0 s: starting"


def test_the_time_limit_spans_all_calls():
    progress = Progress(began=running.time.monotonic() - 61, actions=["start"])
    with pytest.raises(NotReadyError, match=r"not ready after 61 s \(starting\)"):
        go(Script(STARTING), progress=progress)
    progress = Progress(began=running.time.monotonic() - 61, actions=["stop"])
    with pytest.raises(NotReadyError, match="not down after 61 s"):
        go(Script({**RUNNING, "ActiveState": "deactivating"}), state="stopped", progress=progress)


def test_a_failure_tells_unit_reason_advice_and_last_words():
    systemd = Script(STOPPED, CRASHED, journal=["app: no space left on device", "app.service: Failed"])
    progress = Progress()
    with pytest.raises(UnitFailedError) as caught:
        running.run(systemd, wish(), progress, False)
    told = explain(systemd, wish(), progress, caught.value)
    assert told["msg"] == (
        "app.service: its process exited with status 3; systemd restarts it\n"
        "Hint: a disk is full: `df -h` and `df -i` show which\n"
        "The last lines of its journal:\n"
        "  app: no space left on device\n"
        "  app.service: Failed"
    )
    assert (told["changed"], told["started"], told["journal"]) == (True, True, systemd.lines)


@pytest.fixture
def etc(tmp_path, monkeypatch):
    for folder in ("multi-user.target.wants", "app.service.d", "other.target.requires"):
        (tmp_path / folder).mkdir()
    for name in (NAME, "app.service.d/x.conf", "vllm@.service", "other.service"):
        (tmp_path / name).write_text("")
    for name in (NAME, "vllm@a.service", "vllm@b.service", "vllm2@a.service", "other.service"):
        (tmp_path / "multi-user.target.wants" / name).symlink_to("x")
    (tmp_path / "other.target.requires" / NAME).symlink_to("x")
    monkeypatch.setattr(running, "finish_removal", lambda *given: stop.finish_removal(*given, directory=str(tmp_path)))
    return tmp_path


def left(etc):
    return sorted(str(path.relative_to(etc)) for path in etc.rglob("*"))


def test_absent_takes_the_unit_with_drop_ins_and_links_and_nothing_else(etc):
    systemd = Script(RUNNING, STOPPED)
    progress = go(systemd, state="absent")
    assert systemd.commands == ["--no-block stop app.service", "disable app.service", "daemon-reload"]
    assert [entry for entry in left(etc) if "app.service" in entry] == []
    assert "vllm@.service" in left(etc) and "multi-user.target.wants/vllm@a.service" in left(etc)
    assert progress.actions[:2] == ["stop", "disable"]
    again = Script(NOT_FOUND)
    assert (go(again, state="absent").actions, again.commands) == ([], [])


def test_absent_in_check_mode_leaves_all(etc):
    before = left(etc)
    systemd = Script(RUNNING)
    progress = go(systemd, state="absent", check_mode=True)
    assert (left(etc), systemd.commands) == (before, [])
    removed = [f"remove {etc / name}" for name in (NAME, f"{NAME}.d")]
    assert progress.actions == ["stop", "disable", *removed, "daemon-reload"], "`disable` takes the links"


def test_an_instance_leaves_its_template(etc):
    go(Script(RUNNING, STOPPED), state="absent", name="vllm@a.service")
    assert "multi-user.target.wants/vllm@a.service" not in left(etc)
    assert {"vllm@.service", "multi-user.target.wants/vllm@b.service"} <= set(left(etc))


def test_a_template_takes_its_instances(etc):
    class Instances(Script):
        def instances(self, template):
            return ["vllm@a.service"]

    systemd = Instances(STOPPED, RUNNING, STOPPED)
    go(systemd, state="absent", name="vllm@.service")
    assert systemd.commands == ["--no-block stop vllm@a.service", "daemon-reload"]
    assert [entry for entry in left(etc) if "vllm@" in entry] == []
    assert "multi-user.target.wants/vllm2@a.service" in left(etc)


def test_a_unit_that_failed_while_stopping_is_forgotten(etc):
    systemd = Script(RUNNING, FAILED)
    go(systemd, state="absent")
    assert systemd.commands[-1] == "reset-failed app.service"


def test_a_removal_that_takes_long_is_resumed(etc):
    stopping = {**RUNNING, "ActiveState": "deactivating", "Job": "4"}
    systemd = Script(RUNNING, stopping)
    asked, progress = wish(state="absent", wait=0.0), Progress()
    seen = running.run(systemd, asked, progress, False)
    memory = json.loads(json.dumps(result(systemd, asked, progress, seen)))["pending"]["memory"]
    assert NAME in left(etc), "its file stays while it runs"
    systemd.shown = [STOPPED]
    assert go(systemd, progress=Progress.resume(memory), state="absent").actions[:2] == ["stop", "disable"]
    assert NAME not in left(etc)


def test_the_module_speaks_json(monkeypatch, capsys):
    shown = Script({**RUNNING, "UnitFileState": "disabled"})
    monkeypatch.setattr(systemd_unit, "Systemd", lambda run: shown)
    arguments = {"name": NAME, "_ansible_check_mode": True, "_ansible_diff": True}
    with patch_module_args(arguments), pytest.raises(SystemExit):
        systemd_unit.main()
    told = json.loads(capsys.readouterr().out)
    assert (told["changed"], told["actions"], told["state"]) == (True, ["enable"], "active")
    assert told["diff"] == {
        "before": {"state": "active", "enabled": False},
        "after": {"state": "active", "enabled": True},
    }


def test_the_options_and_their_documentation_say_the_same():
    import yaml

    documented = yaml.safe_load(systemd_unit.DOCUMENTATION)["options"]
    assert set(documented) == set(systemd_unit.ARGUMENT_SPEC)
    for name, option in systemd_unit.ARGUMENT_SPEC.items():
        for key in ("type", "elements", "default", "choices", "required"):
            assert documented[name].get(key) == option.get(key), (name, key)
