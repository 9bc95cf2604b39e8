"""What a person would look at on a machine that serves a model."""

import json
import re

testinfra_hosts = ["ansible://vllm"]

KEY = 'a key that "nobody" may $ee'
FETCH = """
import json, sys, urllib.error, urllib.request
url, key, body = sys.argv[1:4]
request = urllib.request.Request(url, data=body.encode() or None)
request.add_header("Content-Type", "application/json")
if key:
    request.add_header("Authorization", "Bearer " + key)
try:
    answer = urllib.request.urlopen(request, timeout=60)
except urllib.error.HTTPError as error:
    answer = error
print(json.dumps({"status": answer.status, "body": answer.read().decode()}))
"""


def ask(host, path: str, key: str = "", body: str = "") -> dict:
    command = host.run("python3 -c %s %s %s %s", FETCH, f"http://127.0.0.1:8000{path}", key, body)
    assert command.rc == 0, command.stderr
    return json.loads(command.stdout)


def test_it_runs_as_its_own_user_and_at_boot(host):
    service = host.service("vllm@tiny")
    assert service.is_running
    assert service.is_enabled
    assert host.check_output("systemctl show -p User --value vllm@tiny") == "vllm"
    (main,) = [p for p in host.process.filter(user="vllm") if "--config" in p.args]
    assert main.args.endswith("--config /etc/vllm/tiny.yaml")


def test_the_key_opens_v1_and_nothing_else_does(host):
    assert ask(host, "/v1/models")["status"] == 401
    assert ask(host, "/v1/models", "wrong")["status"] == 401
    models = json.loads(ask(host, "/v1/models", KEY)["body"])["data"]
    assert {model["id"] for model in models} == {"tiny", "alias"}


def test_a_chat_is_answered_under_an_alias(host):
    body = {"model": "alias", "messages": [{"role": "user", "content": "hello"}], "max_tokens": 4}
    answer = ask(host, "/v1/chat/completions", KEY, json.dumps(body))
    assert answer["status"] == 200
    assert json.loads(answer["body"])["usage"]["completion_tokens"] > 0


def test_the_key_is_nowhere_to_be_seen(host):
    part = "nobody"
    assert part not in host.check_output("ps -eo args")
    assert part not in host.check_output("journalctl --no-pager -u 'vllm@*'")
    assert part not in host.check_output("systemctl show vllm@tiny")
    assert part not in host.file("/etc/vllm/tiny.yaml").content_string
    secrets = host.file("/etc/vllm/tiny.env")
    assert part in secrets.content_string
    assert (secrets.user, secrets.group, secrets.mode) == ("root", "root", 0o600)
    assert host.file("/etc/vllm").mode == 0o750


def test_the_service_cannot_write_what_it_runs(host):
    version = host.check_output("readlink -f /opt/vllm/instances/tiny")
    model = host.check_output("find /var/lib/vllm/models -name config.json -printf %%h")
    for path in (version, model, "/etc/vllm"):
        assert host.run("find %s -user vllm -o -perm -0002 ! -type l | head -1", path).stdout == ""


def test_modules_are_compiled_where_the_service_cannot_do_it(host):
    site = host.check_output("echo /opt/vllm/instances/tiny/lib/python3*/site-packages")
    assert host.file(f"{site}/vllm/__pycache__").is_directory
    assert host.file(f"{site}/torch/__pycache__").user == "root"


def test_nothing_of_the_build_is_left(host):
    assert not host.file("/opt/vllm/.build").exists
    assert "gpufleet-venv" not in host.check_output("systemctl list-units --all --no-legend 'gpufleet-*'")


def test_the_unit_is_well_hardened(host):
    said = host.run("systemd-analyze security vllm@tiny.service --no-pager").stdout
    exposure = float(re.search(r"Overall exposure level for \S+: ([\d.]+)", said)[1])
    assert exposure <= 2.0


def test_metrics_say_the_first_served_name(host):
    page = ask(host, "/metrics")["body"]
    assert 'vllm:num_requests_running{engine="0",model_name="tiny"}' in page
