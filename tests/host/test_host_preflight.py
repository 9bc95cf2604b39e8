"""host_preflight on a real machine."""

import re

APP = "gpufleet-test-app.service"


def look(machine, **wanted):
    return machine.call("host_preflight", **wanted)


def test_a_sound_host_is_described(machine):
    result = look(
        machine,
        arch=["x86_64", "aarch64"],
        systemd_min_version=239,
        disk=[{"path": "/opt/not/there/yet", "need_mb": 1}],
        executables=["systemctl", "/bin/sh"],
        readable=[{"path": "/etc/passwd", "user": "nobody"}],
    )
    assert not result.failed, result["msg"]
    assert result["host"]["systemd"] >= 239
    assert result["host"]["os_id"]


def test_a_port_belongs_to_its_unit_or_is_a_problem(machine):
    machine.unit(APP, "Type=exec\nExecStart=/usr/bin/python3 -m http.server --bind 127.0.0.1 18241\n")
    assert not look(machine, ports=[{"port": 18241, "owner_unit": APP}]).failed
    assert not machine.call("systemd_unit", name=APP, health_url="http://127.0.0.1:18241/").failed
    for address in ("127.0.0.1", "0.0.0.0", "::"):  # noqa: S104
        assert not look(machine, ports=[{"port": 18241, "address": address, "owner_unit": APP}]).failed
        message = look(machine, ports=[{"port": 18241, "address": address, "owner_unit": "other.service"}])["msg"]
        assert re.search(rf"port 18241 on \S+ is taken by python3 \(pid \d+, {APP}\)", message)
    assert not look(machine, ports=[{"port": 18241, "address": "127.0.0.2"}]).failed


def test_a_model_that_a_service_cannot_read_is_named_with_its_remedy(machine):
    base = "/etc/gpufleet-test"
    machine.shell(
        f"mkdir -p {base}/model && echo > {base}/model/a && echo > {base}/model/b && chmod 600 {base}/model/b"
    )
    wanted = [{"path": f"{base}/model", "user": "nobody", "kind": "tree"}]
    result = look(machine, readable=wanted)
    assert result["problems"] == [
        f"nobody cannot read {base}/model/b (-rw------- root root); `chmod o+r {base}/model/b`, "
        "or give a group of nobody access to it"
    ]
    machine.shell(f"chmod o+r {base}/model/b")
    assert not look(machine, readable=wanted).failed
    machine.shell(f"chmod 700 {base}")
    assert (
        f"nobody cannot enter {base} (drwx------ root root); `chmod o+x {base}`"
        in look(machine, readable=wanted)["msg"]
    )
