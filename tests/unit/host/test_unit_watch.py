import http.server
import os
import socket
import threading
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.units.errors import (
    HealthError,
    ReloadFailedError,
    UnitFailedError,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.units.failure import failure
from ansible_collections.gpufleet.serving.plugins.module_utils.units.health import Health
from ansible_collections.gpufleet.serving.plugins.module_utils.units.hints import hints
from ansible_collections.gpufleet.serving.plugins.module_utils.units.journal import last_lines
from ansible_collections.gpufleet.serving.plugins.module_utils.units.watch import Watch
from unit_states import CRASHED, FAILED, NAME, RUNNING, STARTING, STOPPED, Script, Time, state


class Scripted(Health):
    """Gives the scripted answers, the last one for ever."""

    def __init__(self, *answers):
        super().__init__("http://127.0.0.1:8000/health")
        object.__setattr__(self, "answers", list(answers))

    def complaint(self, unit):
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def fresh(time, **changes):
    """Running since this moment."""
    now = time().monotonic // 1000
    return {**RUNNING, "ActiveEnterTimestampMonotonic": str(now), **changes}


def watch(systemd, time, **options):
    return Watch(systemd, NAME, clock=time, sleep=time.sleep, **options)


def test_a_unit_that_has_run_for_long_is_ready_at_once():
    time = Time()
    seen = watch(Script(RUNNING), time, settle=0.5).until_ready(60)
    assert (seen.waiting_for, time.passed) == (None, 0)


def test_a_fresh_unit_must_settle():
    time = Time()
    seen = watch(Script(STARTING, STARTING, fresh(time)), time, settle=0.5).until_ready(60)
    assert seen.waiting_for is None
    assert 0.5 <= time.passed < 1


def test_a_queued_job_is_waited_for_whatever_the_state():
    time = Time()
    stopping = {**RUNNING, "ActiveState": "deactivating", "Job": "1"}
    still_old = {**RUNNING, "Job": "1"}
    failed_while_stopping = {**FAILED, "Job": "1"}
    seen = watch(Script(still_old, stopping, failed_while_stopping, RUNNING), time).until_ready(60)
    assert seen.waiting_for is None
    assert watch(Script(stopping), time).until_ready(1).waiting_for == "stopping"
    assert watch(Script(STARTING), time).until_ready(1).waiting_for == "starting"


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([RUNNING, CRASHED], "exited with status 3; systemd restarts it"),
        ([STARTING, FAILED], "exited with status 3"),
        ([RUNNING, {**RUNNING, "NRestarts": "1"}], "its process ended; systemd restarts it"),
        ([{**RUNNING, "NRestarts": "4"}], "systemd has restarted it 4 times"),
        ([RUNNING, {**STOPPED, "ExecMainCode": "1", "ConditionResult": "yes"}], "exited with status 0"),
        ([STARTING, {**STOPPED, "ConditionTimestampMonotonic": "1"}], "Condition...= of its unit file is not met"),
        ([STARTING, STOPPED], "a unit that it requires did not start"),
    ],
)
def test_a_failure_is_seen_at_once_and_not_at_the_end(script, said):
    time = Time()
    health = Scripted("refuses connections")
    with pytest.raises(UnitFailedError) as caught:
        watch(Script(*script), time, health=health).until_ready(600)
    assert said in str(caught.value)
    assert time.passed < 2


def test_restarts_of_long_ago_are_no_failure():
    time = Time()
    seen = watch(Script({**RUNNING, "NRestarts": "5"}), time, restarts_before=5).until_ready(60)
    assert (seen.waiting_for, time.passed) == (None, 0)


def test_a_unit_that_systemd_restarted_moments_ago_is_on_probation():
    time = Time()
    systemd = Script(fresh(time, NRestarts="5"))
    seen = watch(systemd, time, restarts_before=5, health=Scripted(None)).until_ready(60)
    assert seen.waiting_for is None
    assert 10 <= time.passed < 12


def test_the_time_is_kept_and_the_last_answer_told():
    time = Time()
    seen = watch(Script(RUNNING), time, health=Scripted("answers 503")).until_ready(7)
    assert seen.waiting_for == "running, http://127.0.0.1:8000/health answers 503"
    assert 7 <= time.passed < 7.1


def test_a_unit_that_dies_just_after_its_good_answer_is_not_ready():
    time = Time()
    with pytest.raises(UnitFailedError):
        watch(Script(RUNNING, CRASHED), time, health=Scripted(None)).until_ready(60)
    replaced = {**RUNNING, "InvocationID": "b" * 32}
    answers = Scripted(None, "answers 503", None)
    assert watch(Script(RUNNING, replaced), time, health=answers).until_ready(60).unit.invocation == "b" * 32


def test_a_reload_must_succeed():
    time = Time()
    reloading = {**RUNNING, "ActiveState": "reloading", "Job": "3"}
    ok = watch(Script(reloading, RUNNING), time, reloading=True).until_ready(60)
    assert ok.waiting_for is None
    with pytest.raises(ReloadFailedError, match="goes on with its old configuration"):
        watch(Script(reloading, {**RUNNING, "ReloadResult": "exit-code"}), time, reloading=True).until_ready(60)


def test_down_means_no_job_and_no_process():
    time = Time()
    stopping = {**RUNNING, "ActiveState": "deactivating", "Job": "9"}
    assert watch(Script(stopping, STOPPED), time).until_down(60).waiting_for is None
    assert watch(Script(stopping, FAILED), time).until_down(60).waiting_for is None
    assert watch(Script(stopping), time).until_down(2).waiting_for == "stopping"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"ExecMainStatus": "203"}, "status 203 (EXEC: the program of ExecStart= is missing"),
        ({"ExecMainStatus": "217"}, "(USER: its User= does not exist)"),
        ({"ExecMainStatus": "226"}, "NAMESPACE"),
        ({"ExecMainCode": "2", "ExecMainStatus": "11"}, "killed by signal SIGSEGV"),
        ({"ExecMainCode": "3", "ExecMainStatus": "6"}, "killed by signal SIGABRT and dumped core"),
        ({"ExecMainCode": "2", "ExecMainStatus": "9", "Result": "oom-kill"}, "SIGKILL: the kernel's out-of-memory"),
        ({"ExecMainCode": "2", "ExecMainStatus": "99"}, "killed by signal 99"),
        ({"ExecMainCode": "0", "ExecMainStatus": "0"}, "ExecStartPre="),
        ({"ExecMainCode": "0", "Result": "timeout"}, "within the unit's TimeoutStartSec="),
        ({"Result": "start-limit-hit"}, "status 3: it ended so often that systemd gave up"),
    ],
)
def test_an_end_is_told_in_words(changes, said):
    assert said in failure(state(FAILED, **changes), 0)


def test_where_the_next_process_already_runs_the_journal_tells_how_the_last_one_ended():
    lines = ["bye", "app.service: Main process exited, code=killed, status=9/KILL", "Started app.service."]
    assert failure(state(NRestarts="2"), 0, lines) == (
        "its process was killed by signal SIGKILL; systemd has restarted it 2 times"
    )

    lines += ["app.service: Deactivated successfully.", "Started app.service."]
    assert "exited with status 0; systemd" in failure(state(NRestarts="2"), 0, lines)


def test_the_lines_shown_are_those_of_the_start_that_failed():
    asked = []

    class Journal(Script):
        def journal(self, count, *filters):
            asked.append(filters)
            return super().journal(count, *filters)

    last_lines(Journal(RUNNING, journal=["x"]), state(FAILED), 5.0, 20)
    last_lines(Journal(RUNNING, journal=["x"]), state(NRestarts="2"), 5.0, 20)
    last_lines(Journal(RUNNING), state(FAILED), 5.0, 20)
    by_start = (f"_SYSTEMD_INVOCATION_ID={'a' * 32}", "+", f"INVOCATION_ID={'a' * 32}")
    by_time = ("--since=@5.000000", "--unit=app.service")
    assert asked == [by_start, by_time, by_start, by_time]
    assert last_lines(Journal(RUNNING, journal=["x"]), state(FAILED), 5.0, 0) == []


def test_lines_are_plain_and_not_endless():
    lines = ["\x1b[32mINFO\x1b[0m  ready\x07", "10%\r50%\r100%", "x" * 1000, "\x1b[2J"]
    shown = last_lines(Script(RUNNING, journal=["\n".join(lines)]), state(FAILED), 0.0, 20)
    assert shown[:2] == ["INFO  ready", "100%"]
    assert len(shown[2]) == 400
    assert len(shown) == 3


def test_hints_name_who_holds_the_port(tmp_path):
    (tmp_path / "net").mkdir()
    row = "0: 0100007F:1F90 0:0 0A 0 0 0 0 0 7"
    (tmp_path / "net" / "tcp").write_text(f"header\n {row}\n")
    (tmp_path / "9" / "fd").mkdir(parents=True)
    (tmp_path / "9" / "fd" / "3").symlink_to("socket:[7]")
    (tmp_path / "9" / "comm").write_text("nginx\n")
    (tmp_path / "9" / "cgroup").write_text("0::/system.slice/nginx.service\n")
    expected = ["port 8080 is held by nginx (pid 9, nginx.service); stop that, or choose another port"]
    for line in (
        "listen tcp 127.0.0.1:8080: bind: address already in use",
        "[Errno 98] error while attempting to bind on address ('127.0.0.1', 8080): address already in use",
        "OSError: [Errno 98] Address already in use",
    ):
        assert hints([line, line], NAME, port=8080, proc=tmp_path) == expected, line
    assert hints(["address already in use"], "nginx.service", port=8080, proc=tmp_path) == []
    assert hints(["address already in use"], NAME, proc=tmp_path) == []


def test_hints_of_the_role_come_first_and_each_once():
    own = [{"pattern": "CUDA (error|out of memory)", "say": "lower gpu_memory_utilization"}]
    lines = ["CUDA out of memory", "CUDA error", "open /srv/m/x: permission denied", "write: No space left on device"]
    assert hints(lines, NAME, own) == [
        "lower gpu_memory_utilization",
        "see which directory on the way denies it: `namei -l /srv/m/x`",
        "a disk is full: `df -h` and `df -i` show which",
    ]
    assert hints(["all is well"], NAME, own) == []


@pytest.fixture
def server():
    """A server whose status can be set; yields (its port, set)."""
    status = [200]

    class Answer(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(status[0])
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer) as running:
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running.server_address[1], lambda number: status.__setitem__(0, number)
        running.shutdown()


def test_health_means_200_from_the_units_own_process(server):
    port, set_status = server
    health = Health(f"http://127.0.0.1:{port}/health")
    mine, other = state(MainPID=str(os.getpid())), state()
    assert health.complaint(mine) is None
    me = Path("/proc/self/comm").read_text().strip()
    assert f"is answered by another process on its port: {me} (pid {os.getpid()}" in health.complaint(other)
    assert Health(health.url, own_port=False).complaint(other) is None
    set_status(503)
    assert health.complaint(mine) == "answers 503"


def test_a_closed_port_is_waited_for_and_a_hopeless_address_is_not():
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    assert Health(f"http://127.0.0.1:{port}/").complaint(state()) == "refuses connections"
    with pytest.raises(HealthError, match="cannot be asked"):
        Health("ftp://127.0.0.1/").complaint(state())


def test_health_knows_its_port():
    assert [Health(url).port for url in ("http://h/", "https://h/", "http://h:81/")] == [80, 443, 81]
