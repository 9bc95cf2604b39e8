"""systemd_unit on a machine with a real systemd."""

import json
import re

import pytest

APP = "gpufleet-test-app.service"
CONFIG = "/etc/gpufleet-test/app.conf"
TRACE = "/run/gpufleet-test-reloads"

# A service that reads its configuration when it starts and when it is told to reload.
PLAIN = f"""
Type=exec
ExecStart=/bin/sleep infinity
ExecReload=/bin/sh -c 'echo reloaded >> {TRACE}'
ExecStopPost=-/bin/rm -f {TRACE}
"""


@pytest.fixture
def app(machine):
    machine.unit(APP, PLAIN)
    machine.shell("mkdir -p /etc/gpufleet-test")
    machine.write(CONFIG, "a\n")
    return machine


def run(machine, check=False, name=APP, **options):
    result = machine.call("systemd_unit", check, name=name, **options)
    assert not result.failed, result["msg"]
    return result


def fail(machine, name=APP, **options):
    result = machine.call("systemd_unit", name=name, **options)
    assert result.failed, result.data
    return result


def test_start_then_nothing_then_restart_and_reload_as_files_change(app):
    watched = {"restart_on": [CONFIG], "reload_on": ["/etc/gpufleet-test"]}
    foreseen = run(app, check=True, **watched)
    assert foreseen["actions"] == ["enable", "start"]
    assert app.property(APP, "ActiveState") == "inactive"

    started = run(app, **watched)
    assert (started["started"], started["state"], started["actions"][-2:]) == (True, "active", ["enable", "start"])
    assert app.property(APP, "UnitFileState") == "enabled"
    again = run(app, **watched)
    assert (again["changed"], again["actions"], again["reason"]) == (False, [], "")
    assert not run(app, check=True, **watched)["changed"]

    before = app.property(APP, "InvocationID")
    app.shell(f"touch {CONFIG}")
    assert run(app, check=True, **watched)["restarted"]
    restarted = run(app, **watched)
    assert (restarted["restarted"], restarted["reloaded"]) == (True, False)
    assert restarted["reason"] == f"{CONFIG} is newer than its start"
    after = app.property(APP, "InvocationID")
    assert after != before
    assert not run(app, **watched)["changed"]

    app.shell("touch /etc/gpufleet-test/rule.yml")
    reloaded = run(app, **watched)
    assert (reloaded["reloaded"], reloaded["restarted"]) == (True, False)
    assert app.property(APP, "InvocationID") == after
    assert app.shell(f"cat {TRACE}") == "reloaded"
    assert not run(app, **watched)["changed"]
    assert app.shell(f"systemctl daemon-reload; systemctl daemon-reexec; wc -l < {TRACE}") == "1"
    assert not run(app, **watched)["changed"], "neither daemon-reload nor daemon-reexec counts as a reload"


def test_a_changed_unit_file_is_loaded_and_run_also_after_an_interrupted_run(app):
    run(app)
    app.unit(APP, PLAIN + "Environment=A=1\n")
    assert run(app)["actions"] == ["daemon-reload", "restart"]
    assert app.property(APP, "Environment") == "A=1"
    # As after a run that was cut off between daemon-reload and restart.
    app.unit(APP, PLAIN + "Environment=A=2\n")
    app.shell("systemctl daemon-reload")
    assert run(app)["actions"] == ["restart"]
    assert "A=2" in app.shell(f"cat /proc/$(systemctl show -P MainPID {APP})/environ | tr '\\0' '\\n'")
    assert not run(app)["changed"]


def test_a_file_written_in_the_very_moment_of_a_start_is_never_missed_and_never_counts_twice(app):
    for _ in range(3):
        app.shell(f"systemctl restart {APP}; touch {CONFIG}")
        assert run(app, restart_on=[CONFIG])["restarted"]
        app.shell(f"touch {CONFIG}")
        assert run(app, restart_on=[CONFIG])["restarted"]
        assert not run(app, restart_on=[CONFIG])["changed"]
    # As on a file system that keeps whole seconds.
    app.shell(f"touch -d @$(date +%s) {CONFIG}")
    assert run(app, restart_on=[CONFIG])["restarted"]
    assert not run(app, restart_on=[CONFIG])["changed"]


def test_a_reload_that_fails_is_told_and_tried_again(app):
    app.unit(
        APP, PLAIN.replace(f"ExecReload=/bin/sh -c 'echo reloaded >> {TRACE}'", f"ExecReload=/bin/test -e {TRACE}")
    )
    run(app, reload_on=[CONFIG])
    app.shell(f"touch {CONFIG}")
    assert "goes on with its old configuration" in fail(app, reload_on=[CONFIG])["msg"]
    assert "goes on with its old configuration" in fail(app, reload_on=[CONFIG])["msg"]
    app.shell(f"touch {TRACE}")
    assert run(app, reload_on=[CONFIG])["reason"] == "its last reload failed"
    assert not run(app, reload_on=[CONFIG])["changed"]


@pytest.mark.parametrize(
    ("restart", "ending", "said"),
    [
        ("Restart=always\nRestartSec=1", "exit 3", "exited with status 3; systemd restarts it"),
        ("Restart=always\nRestartSec=100ms", "exit 0", "exited with status 0; systemd"),
        ("Restart=no", "exit 4", "exited with status 4"),
        ("Restart=on-failure", "exit 0", "exited with status 0"),
        ("Restart=always\nRestartSec=1", "kill -SEGV $$$$", "killed by signal SIGSEGV"),
    ],
    ids=["crash loop", "loop of exits with 0", "failed", "ended", "killed"],
)
def test_a_unit_that_does_not_stay_up_is_reported_in_seconds_with_its_last_words(machine, restart, ending, said):
    machine.unit(APP, f"Type=exec\nExecStart=/bin/sh -c 'echo my last words; sleep 0.7; {ending}'\n{restart}\n")
    result = fail(machine, health_url="http://127.0.0.1:9/health", timeout=60)
    assert said in result["msg"]
    assert "  my last words" in result["msg"]
    assert result["seconds"] < 5
    again = fail(machine, health_url="http://127.0.0.1:9/health", timeout=60)
    assert again["seconds"] < 5, "nor does the next run take it for running"


def test_only_the_last_start_is_quoted(machine):
    machine.unit(APP, "Type=exec\nExecStart=/bin/sh -c 'echo old failure; exit 1'\n")
    assert "old failure" in fail(machine)["msg"]
    machine.unit(APP, "Type=exec\nExecStart=/bin/sh -c 'echo new failure; exit 1'\n")
    message = fail(machine)["msg"]
    assert "new failure" in message and "old failure" not in message


def test_a_program_that_is_missing_is_explained(machine):
    machine.unit(APP, "Type=exec\nExecStart=/opt/no/such/program\n")
    message = fail(machine)["msg"]
    assert "status 203 (EXEC: the program of ExecStart= is missing" in message
    assert "/opt/no/such/program" in message


def serving(port):
    server = f"/usr/bin/python3 -u -m http.server --bind 127.0.0.1 {port}"
    return f"Type=exec\nExecStart={server}\nRestart=always\nRestartSec=1\n"


def test_a_port_that_is_taken_names_who_holds_it(machine):
    machine.unit("gpufleet-test-other.service", serving(18231))
    run(machine, name="gpufleet-test-other.service", health_url="http://127.0.0.1:18231/")
    machine.unit(APP, serving(18231))
    # The other one answers 200 on that very address: that must not pass for this one.
    message = fail(machine, health_url="http://127.0.0.1:18231/")["msg"]
    assert "exited with status 1" in message
    assert re.search(r"port 18231 is held by python3 \(pid \d+, gpufleet-test-other.service\)", message)


def test_another_units_answer_is_not_taken_for_this_ones(machine):
    machine.unit("gpufleet-test-other.service", serving(18232))
    run(machine, name="gpufleet-test-other.service", health_url="http://127.0.0.1:18232/")
    machine.unit(APP, "Type=exec\nExecStart=/bin/sleep infinity\n")
    message = fail(machine, health_url="http://127.0.0.1:18232/", timeout=2)["msg"]
    assert "is answered by another process on its port: python3 (pid" in message
    assert run(machine, health_url="http://127.0.0.1:18232/", health_own_port=False)["changed"] is False


def test_a_slow_start_shows_how_far_it_is_and_ends_in_time(machine):
    machine.unit(APP, serving(18233) + "ExecStartPre=/bin/sh -c 'echo loading weights; sleep 12'\nTimeoutStartSec=60\n")
    result = run(machine, health_url="http://127.0.0.1:18233/", timeout=60)
    assert 12 < result["seconds"] < 17
    assert re.search(rf"{APP} on \S+, 1\d s: starting; log: loading weights", result.shown)
    assert result["started"] and "pending" not in result.data
    quick = run(machine, health_url="http://127.0.0.1:18233/", timeout=60)
    assert not quick["changed"] and quick["seconds"] < 1


def test_the_time_limit_tells_the_last_answer_and_the_last_words(machine):
    machine.unit(APP, "Type=exec\nExecStart=/bin/sh -c 'echo still loading; exec sleep infinity'\n")
    result = fail(machine, health_url="http://127.0.0.1:18234/", timeout=3)
    assert "not ready after 3 s (running, http://127.0.0.1:18234/ refuses connections)" in result["msg"]
    assert "  still loading" in result["msg"]
    assert machine.property(APP, "ActiveState") == "active", "it is left running, for the operator to look at"


def test_instances_of_a_template_live_and_die_alone(machine):
    template = "gpufleet-test@.service"
    one, two = "gpufleet-test@one.service", "gpufleet-test@two.service"
    machine.unit(template, "Type=exec\nExecStart=/bin/sleep infinity\nEnvironment=NAME=%i\n")
    assert run(machine, name=one)["started"]
    assert run(machine, name=two)["started"]
    assert not run(machine, name=one)["changed"]
    assert run(machine, name=one, state="absent")["state"] == "absent"
    assert machine.property(one, "ActiveState") == "inactive"
    assert machine.property(two, "ActiveState") == "active"
    assert not run(machine, name=one, state="absent")["changed"]
    assert run(machine, check=True, name=template, state="absent")["changed"]
    assert machine.property(two, "ActiveState") == "active"
    assert f"stop {two}" in run(machine, name=template, state="absent")["actions"]
    assert machine.property(two, "LoadState") == "not-found"
    assert machine.shell("ls /etc/systemd/system/multi-user.target.wants | grep -c gpufleet-test || true") == "0"
    assert not run(machine, name=template, state="absent")["changed"]


def test_absent_leaves_nothing(app):
    run(app)
    app.shell(
        f"mkdir /etc/systemd/system/{APP}.d; printf '[Unit]\\nDescription=x\\n' > /etc/systemd/system/{APP}.d/x.conf"
    )
    assert run(app)["restarted"]
    foreseen = run(app, check=True, state="absent")
    assert app.property(APP, "ActiveState") == "active"
    assert run(app, state="absent")["actions"] == foreseen["actions"]
    assert app.property(APP, "LoadState") == "not-found"
    assert app.shell(f"find /etc/systemd /run/systemd/system -name '{APP}*'") == ""
    assert APP not in app.shell("systemctl list-units --all --no-legend")
    assert not run(app, state="absent")["changed"]


def test_a_failed_unit_is_forgotten_too(machine):
    machine.unit(APP, "Type=exec\nExecStart=/bin/false\n")
    fail(machine)
    run(machine, state="absent")
    assert APP not in machine.shell("systemctl list-units --all --no-legend")


def test_stopped_and_back(app):
    run(app)
    assert run(app, state="stopped")["actions"] == ["stop"]
    assert app.property(APP, "UnitFileState") == "enabled"
    assert not run(app, state="stopped")["changed"]
    assert run(app, state="stopped", enabled=False)["actions"] == ["disable"]
    assert run(app)["actions"] == ["enable", "start"]


def test_what_cannot_be_started_is_explained(machine):
    assert run(machine, check=True)["actions"] == ["enable", "start"]
    assert "systemd knows no such unit; write /etc/systemd/system/" in fail(machine)["msg"]
    machine.shell(f"ln -s /dev/null /etc/systemd/system/{APP}; systemctl daemon-reload")
    assert f"`systemctl unmask {APP}`" in fail(machine)["msg"]
    machine.shell(f"rm /etc/systemd/system/{APP}")
    machine.write(f"/etc/systemd/system/{APP}", "[Service]\nType=exec\n")
    message = fail(machine)["msg"]
    assert "does not accept its unit file" in message
    assert "ExecStart" in message, "systemd's own words are quoted"
    machine.unit(APP, PLAIN, install=False)
    assert "has no [Install] section" in fail(machine)["msg"]
    assert run(machine, enabled=False)["started"]


def test_a_password_for_the_health_address_is_shown_nowhere(app):
    result = fail(
        app,
        health_url="http://127.0.0.1:18235/",
        health_username="u",
        health_password="hunter2-hunter2",  # noqa: S106
        timeout=1,
    )
    assert "hunter2" not in result.shown + json.dumps(result.data)
    assert app.shell("journalctl -q --since -1min | grep -v grep | grep -c hunter2-hunter2 || true") == "0"


def test_in_the_steady_state_it_is_quick(app):
    run(app, restart_on=[CONFIG])
    seconds = [run(app, restart_on=[CONFIG])["seconds"] for _ in range(3)]
    assert min(seconds) < 0.1, seconds
