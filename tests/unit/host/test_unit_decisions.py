import os

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.units.clock import (
    TICK,
    Change,
    Clock,
    newest,
    pause_before_start,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.units.decide import decide
from ansible_collections.gpufleet.serving.plugins.module_utils.units.state import parse_show
from hypothesis import given
from hypothesis import strategies as st
from unit_states import CRASHED, FAILED, NOT_FOUND, NOW, SECOND, STARTED_US, STARTING, STOPPED, state, text

STARTED = NOW.wall_of(STARTED_US)
# A moment with nanoseconds, as file systems that know them give it.
ODD = 123_456_789


@pytest.fixture
def at(tmp_path):
    """Make files that changed so many seconds after the unit's start."""

    def make(name, seconds):
        path = tmp_path / name
        path.write_text("")
        moment = STARTED + int(seconds * SECOND) + ODD % 1000
        os.utime(path, ns=(moment, moment))
        return str(path)

    return make


def action(unit, restart_on=(), reload_on=(), unit_file_changed=False):
    return decide(unit, NOW, restart_on, reload_on, unit_file_changed).action


@pytest.mark.parametrize(
    ("base", "changes", "expected"),
    [
        (None, {}, None),
        (STOPPED, {}, "start"),
        (FAILED, {}, "start"),
        (None, {"ActiveState": "deactivating"}, "start"),
        (None, {"ActiveState": "reloading"}, None),
        (STARTING, {"ActiveState": "activating"}, None),
        (CRASHED, {}, None),
    ],
)
def test_a_unit_without_newer_files_is_started_unless_it_runs(base, changes, expected):
    assert action(state(base, **changes)) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(-50, None), (-0.1, None), (0.001, "restart"), (50, "restart")])
def test_restart_when_a_file_is_newer_than_the_start(at, seconds, expected):
    assert action(state(), restart_on=[at("x", seconds), at("old", -80)]) == expected


@pytest.mark.parametrize(("seconds", "expected"), [(-50, None), (0.1, "reload"), (50, "reload")])
def test_reload_when_a_file_is_newer_than_the_last_change(at, seconds, expected):
    assert action(state(), reload_on=[at("x", seconds)]) == expected


def test_a_reload_is_remembered_by_systemd_alone(at):
    reloaded = state(StateChangeTimestampMonotonic=str(STARTED_US + 60 * 10**6))
    assert action(reloaded, reload_on=[at("x", 50)]) is None
    assert action(reloaded, reload_on=[at("x", 70)]) == "reload"
    assert action(reloaded, restart_on=[at("x", 50)]) == "restart"


def test_a_reload_that_failed_is_tried_again(at):
    failed = state(StateChangeTimestampMonotonic=str(STARTED_US + 60 * 10**6), ReloadResult="exit-code")
    assert action(failed, reload_on=[at("x", 50)]) == "reload"
    assert action(failed) is None, "only where this task reloads at all"


def test_a_restart_makes_a_reload_needless(at):
    decision = decide(state(), NOW, [at("a", 1)], [at("b", 2)], False)
    assert (decision.action, decision.reason.endswith("/a is newer than its start")) == ("restart", True)


def test_without_a_reload_command_it_is_restarted(at):
    decision = decide(state(CanReload="no"), NOW, [], [at("x", 1)], False)
    assert decision.action == "restart"
    assert "no ExecReload=" in decision.reason


def test_a_crash_looping_unit_is_started_anew_once_its_files_are_mended(at):
    assert action(state(CRASHED), reload_on=[at("x", 1)]) == "restart"
    assert action(state(CRASHED), restart_on=[at("x", 1)]) == "restart"


def test_a_unit_file_that_systemd_had_to_read_again_asks_for_a_restart():
    assert action(state(), unit_file_changed=True) == "restart"
    assert action(state(STOPPED), unit_file_changed=True) == "start"


def test_own_files_count_when_they_are_the_administrators(monkeypatch, at):
    mine, packaged = at("app.service", 1), at("vendor.service", 1)
    decisions = "ansible_collections.gpufleet.serving.plugins.module_utils.units.decide._ADMINISTRATORS"
    monkeypatch.setattr(decisions, mine)
    assert action(state(FragmentPath=mine)) == "restart"
    assert action(state(FragmentPath=packaged)) is None
    assert action(state(FragmentPath=packaged, DropInPaths=f"/run/x {mine}")) == "restart"


def test_a_start_that_takes_long_counts_from_its_process(at):
    """A notify service reads its files when its process starts, not when it reports ready."""
    slow = state(ActiveEnterTimestampMonotonic=str(STARTED_US + 30 * 10**6))
    assert action(slow, restart_on=[at("x", 10)]) == "restart"


def test_paths_that_are_not_there_do_not_count():
    assert action(state(), ["/no/such/file"], ["/no/such/dir/file"]) is None


def test_a_link_counts_as_itself(at, tmp_path):
    target = at("target", 50)
    link = tmp_path / "current"
    link.symlink_to(target)
    moment = STARTED - SECOND + 1
    os.utime(link, ns=(moment, moment), follow_symlinks=False)
    assert action(state(), restart_on=[str(link)]) is None
    later = STARTED + SECOND + 1
    os.utime(link, ns=(later, later), follow_symlinks=False)
    assert action(state(), restart_on=[str(link)]) == "restart"


def test_a_directory_counts_with_the_files_in_it(at, tmp_path):
    inside = at("a.yml", 50)
    os.utime(tmp_path, ns=(STARTED - SECOND + 1,) * 2)
    assert action(state(), reload_on=[str(tmp_path)]) == "reload"
    os.utime(inside, ns=(STARTED - SECOND + 1,) * 2)
    assert action(state(), reload_on=[str(tmp_path)]) is None
    os.utime(tmp_path, ns=(STARTED + SECOND + 1,) * 2)
    assert action(state(), reload_on=[str(tmp_path)]) == "reload", "a file was removed"


def test_a_time_in_the_future_is_warned_of_and_counts_for_nothing(at):
    decision = decide(state(), NOW, [at("x", 1000)], [], False)
    assert decision.action is None
    assert "set the clock right, then `touch " in decision.warnings[0]


@given(st.integers(0, 10**12), st.integers(0, 10**12), st.integers(-(10**18), 10**18))
def test_a_step_of_the_wall_clock_shifts_every_start_alike(up_us, start_us, step):
    clock, stepped = Clock(2 * 10**18, up_us * 1000), Clock(2 * 10**18 + step, up_us * 1000)
    assert stepped.wall_of(start_us) - clock.wall_of(start_us) == step
    assert clock.wall_of(up_us) == clock.wall


@given(st.integers(0, 2 * 10**18), st.integers(0, TICK - 1))
def test_a_file_written_after_a_start_always_counts_as_newer(started, lag):
    """The kernel may stamp it up to a tick in the past."""
    assert Change("x", started + 1 - lag).after(started)


@given(st.integers(0, 3 * SECOND), st.booleans())
def test_a_start_after_the_pause_is_later_than_the_file_beyond_doubt(age, whole_seconds):
    mtime = NOW.wall - age
    if whole_seconds:
        mtime -= mtime % SECOND
    change = Change("x", mtime if mtime % SECOND else mtime + SECOND - 1)
    pause = pause_before_start([change], NOW)
    assert 0 <= pause < 1.1
    assert not change.after(NOW.wall + round(pause * SECOND) + 1)


def test_no_pause_is_made_for_files_of_some_time_ago():
    assert pause_before_start([], NOW) == pause_before_start([Change("x", NOW.wall - SECOND)], NOW) == 0


def test_whole_seconds_mean_any_moment_of_that_second(tmp_path):
    (tmp_path / "x").write_text("")
    os.utime(tmp_path / "x", ns=(5 * SECOND, 5 * SECOND))
    change, future = newest([str(tmp_path / "x")], NOW)
    assert (change.at, future) == (6 * SECOND - 1, [])


def test_what_an_older_systemd_does_not_have_counts_as_zero_or_empty():
    unit = parse_show("x.target", "LoadState=loaded\nActiveState=active\nActiveEnterTimestampMonotonic=7\nJob=0\n")
    assert (unit.started_us, unit.restarts, unit.reload_result, unit.job, unit.condition) == (7, 0, "", False, True)


def test_an_odd_line_is_no_crash():
    unit = parse_show("x.service", text({"NRestarts": "[not set]", "LoadError": 'x "unbalanced'}) + "no equals sign\n")
    assert (unit.restarts, unit.load_error) == (0, 'x "unbalanced')


def test_the_reason_why_a_unit_does_not_load_is_read():
    assert state(NOT_FOUND).load_error == "Unit app.service not found."
