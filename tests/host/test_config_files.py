"""config_files on a real machine."""

import json

import pytest

UNIT = "/etc/systemd/system/gpufleet-test-app.service"
ETC = "/etc/gpufleet-test"


def write(machine, check=False, **options):
    return machine.call("config_files", check, **options)


def unit(content):
    return {
        "directories": [{"path": ETC}],
        "files": [
            {"path": UNIT, "content": content},
            {"path": f"{ETC}/app.env", "content": "NAME=a\n", "mode": "0600"},
        ],
        "validate": [{"argv": ["systemd-analyze", "verify", "--man=no", f"{{{UNIT}}}"]}],
    }


GOOD = f"[Service]\nType=exec\nEnvironmentFile={ETC}/app.env\nExecStart=/bin/sleep infinity\n"


def test_a_unit_file_lands_only_if_systemd_accepts_it(machine):
    assert write(machine, check=True, **unit(GOOD))["changed"]
    first = write(machine, **unit(GOOD))
    assert first["changed_files"] == [ETC, UNIT, f"{ETC}/app.env"]
    assert first["validated"] == [f"systemd-analyze verify --man=no {UNIT}"]
    again = write(machine, **unit(GOOD))
    assert (again["changed"], again["validated"]) == (False, [])
    times = machine.shell(f"stat -c %Y.%n {UNIT} {ETC}/app.env")
    bad = write(machine, **unit(GOOD.replace("/bin/sleep infinity", "/no/such/program")))
    assert bad.failed
    assert "/no/such/program" in bad["msg"]
    assert "files before still stand" in bad["msg"]
    assert "gpufleet-stage" not in bad["msg"]
    assert machine.shell(f"stat -c %Y.%n {UNIT} {ETC}/app.env") == times
    assert machine.shell("ls -d /run/gpufleet-stage-* 2>/dev/null || true") == ""


def test_a_full_disk_lets_nothing_land(machine):
    machine.shell(f"mkdir -p {ETC} && mount -t tmpfs -o size=64k tmpfs {ETC} && echo before > {ETC}/a")
    try:
        wanted = [{"path": f"{ETC}/a", "content": "after\n"}, {"path": f"{ETC}/b", "content": "x" * 100_000}]
        result = write(machine, files=wanted)
        assert result.failed
        assert f"{ETC}/b: no space left for it in {ETC}" in result["msg"]
        assert machine.shell(f"cd {ETC}; cat a; ls -A") == "before\na"
        refused = write(machine, remove=[{"path": ETC, "recursive": True}])
        assert "mount point; unmount it first" in refused["msg"]
    finally:
        machine.shell(f"umount {ETC}")


def test_a_secret_leaves_no_trace(machine):
    secret = "hunter2-hunter2"  # noqa: S105
    wanted = {
        "directories": [{"path": ETC}],
        "files": [{"path": f"{ETC}/key", "content": f"password: {secret}\n", "mode": "0600", "secret": True}],
    }
    asked = {"validate": [{"argv": ["/bin/cat", f"{{{ETC}/key}}", "/no/such/file"]}]}
    refused = write(machine, **wanted, **asked)
    assert refused.failed and "says:\n(secret)" in refused["msg"]
    assert secret not in refused.shown + json.dumps(refused.data)
    for check in (True, False):
        result = write(machine, check, **wanted)
        assert secret not in result.shown + json.dumps(result.data)
    assert machine.shell(f"cat {ETC}/key; stat -c %a {ETC}/key") == f"password: {secret}\n600"
    assert machine.shell("journalctl -q --since -5min --output=verbose | grep -c hunter2 || true") == "0"


@pytest.mark.parametrize("content", ["ohne Zeilenende", "grüße\n", "", "a\r\nb\n"])
def test_content_arrives_byte_by_byte(machine, content):
    write(machine, directories=[{"path": ETC}], files=[{"path": f"{ETC}/x", "content": content}])
    assert bytes.fromhex(machine.shell(f"od -An -v -tx1 {ETC}/x | tr -d ' \\n'")).decode() == content


def test_everything_is_taken_away_again(machine):
    write(machine, **unit(GOOD))
    assert write(machine, **unit(GOOD), state="absent")["changed"]
    assert machine.shell(f"ls -d {ETC} {UNIT} 2>/dev/null || true") == ""
    assert not write(machine, **unit(GOOD), state="absent")["changed"]
