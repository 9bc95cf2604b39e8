"""The lab's Grafana as a program: its ini, its provisioning, its command line."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import yaml
from standin import PASSWORD, StandIn

from lab.standins.grafana import flavour, ini, provisioning
from lab.standins.grafana.database import Database
from lab.standins.grafana.library import Library
from lab.standins.grafana.sources import Sources

ROOT = Path(__file__).resolve().parents[3]
PROVIDER = {"name": "gpufleet", "folder": "Fleet", "folderUid": "fleet", "type": "file"}


@pytest.mark.parametrize(
    ("line", "value"),
    [
        ("a = plain", "plain"),
        ("a=cut ; here", "cut"),
        ("a=cut # here", "cut"),
        ("a=kept#here;too", "kept#here;too"),
        ('a="""#kept ; whole"""', "#kept ; whole"),
        ("a=`kept # whole`", "kept # whole"),
        ("a=${HOME_OF}/x", "/h/x"),
        ("a=$__env{HOME_OF}", "/h"),
    ],
)
def test_values(line, value):
    assert ini.load(f"[x]\n; a = comment\n{line}\n", {"HOME_OF": "/h"}).get("x", "a") == value


def test_what_counts_more():
    text = "[server]\nhttp_port = 1\nhttp_addr = file\n"
    overrides = ["cfg:default.paths.data=/d", "cfg:default.server.http_addr=behind", "cfg:server.domain=on.top"]
    found = ini.load(text, {"GF_SERVER_HTTP_PORT": "2", "GF_AUTH_ANONYMOUS_ENABLED": "true"}, overrides)
    assert found.get("server", "http_port") == "2"
    assert found.get("server", "http_addr") == "file"
    assert found.get("paths", "data") == "/d"
    assert found.on("auth.anonymous", "enabled")
    assert found.root_url == "http://on.top:2/"


def test_a_broken_ini():
    with pytest.raises(ini.IniError, match="key-value delimiter not found: nonsense"):
        ini.load("[server]\nnonsense\n", {})


@pytest.fixture
def library(tmp_path):
    return Library(Database(tmp_path / "db" / "grafana.db"), flavour.of("13.1.3"))


@pytest.fixture
def provide(tmp_path, library):
    """Writes provider and dashboards, and lets the server see them."""

    def run(provider, **dashboards):
        files = tmp_path / "dashboards"
        shutil.rmtree(files, ignore_errors=True)
        files.mkdir()
        for name, model in dashboards.items():
            (files / f"{name}.json").write_text(json.dumps(model))
        folder = tmp_path / "provisioning" / "dashboards"
        folder.mkdir(parents=True, exist_ok=True)
        providers = [{**provider, "options": {"path": str(files)}}] if provider else []
        (folder / "x.yaml").write_text(yaml.safe_dump({"apiVersion": 1, "providers": providers}))
        found = provisioning.Dashboards(tmp_path / "provisioning", library)
        found.forget_removed_providers()
        found.sweep()

    return run


def folder_of(library, uid):
    folder = library.by_id(library.get(uid)["folder_id"], folder=True)
    return folder["uid"] if folder else ""


def test_a_dashboard_moves_only_when_its_content_changes(library, provide):
    provide(PROVIDER, a={"uid": "a", "title": "A"})
    assert (folder_of(library, "a"), library.get("a")["version"]) == ("fleet", 1)
    elsewhere = {**PROVIDER, "folder": "Other", "folderUid": "other"}
    provide(elsewhere, a={"uid": "a", "title": "A"})
    assert (folder_of(library, "a"), library.get("a")["version"]) == ("fleet", 1)
    provide(elsewhere, a={"uid": "a", "title": "A new"})
    assert (folder_of(library, "a"), library.get("a")["version"]) == ("other", 2)


def test_a_file_that_goes_takes_its_dashboard_along(library, provide):
    provide(PROVIDER, a={"uid": "a", "title": "A"}, b={"uid": "b", "title": "B"})
    provide(PROVIDER, a={"uid": "a", "title": "A"})
    assert library.get("b") is None
    provide({**PROVIDER, "disableDeletion": True})
    assert library.get("a") is not None
    assert library.provisioned(library.get("a")) is None


def test_a_provider_that_goes_takes_its_dashboards_along(library, provide):
    provide(PROVIDER, a={"uid": "a", "title": "A"})
    provide(None)
    assert library.get("a") is None


def test_a_uid_counts_once(library, provide, capsys):
    provide(PROVIDER, a={"uid": "same", "title": "A"}, b={"uid": "same", "title": "B"})
    assert library.get("same")["title"] == "A"
    assert "the same UID is used more than once: same" in capsys.readouterr().out


def test_datasources(tmp_path):
    sources = Sources(Database(tmp_path / "grafana.db"))
    folder = tmp_path / "datasources"
    folder.mkdir()

    def provide(*found, **more):
        (folder / "x.yaml").write_text(yaml.safe_dump({"apiVersion": 1, "datasources": list(found), **more}))
        provisioning.datasources(tmp_path, sources)
        return {row["uid"]: row["url"] for row in sources.all()}

    one = {"name": "Metrics", "uid": "m", "type": "prometheus", "url": "http://a"}
    assert provide(one) == {"m": "http://a"}
    assert provide({**one, "url": "http://b", "uid": "n"}) == {"n": "http://b"}
    with pytest.raises(provisioning.ProvisioningError, match="data source with the same uid already exists"):
        provide({**one, "uid": "n"}, {**one, "name": "Twin", "uid": "n"})
    assert provide(deleteDatasources=[{"name": "Metrics", "orgId": 1}]) == {}


def test_sub_path_and_what_is_shut(tmp_path):
    text = "root_url = http://x/grafana/\nserve_from_sub_path = true\n"
    running = StandIn(tmp_path, "13.1.3", text)
    try:
        assert running.ask("GET", "/grafana/api/health", auth="none")[0] == 200
        assert running.ask("GET", "/grafana/api/org", auth="none")[0] == 401
        status, _type, body = running.ask("POST", "/grafana/api/user/signup", {"email": "a@b"}, auth="none")
        assert (status, body) == (401, {"message": "User signup is disabled"})
    finally:
        running.close()


@pytest.fixture
def program(tmp_path):
    """Home, configuration and a free port; starts `grafana server` and waits until it listens."""
    (tmp_path / "VERSION").write_text("13.1.3")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    started = []

    def start(password):
        config = tmp_path / "grafana.ini"
        config.write_text(
            f"[server]\nhttp_addr=127.0.0.1\nhttp_port={port}\n[security]\nadmin_password={password}\n"
            f"[paths]\ndata={tmp_path}/data\nprovisioning={tmp_path}/provisioning\n"
        )
        command = [sys.executable, "-m", "lab.standins.grafana", "server", "--config", str(config)]
        process = subprocess.Popen([*command, "--homepath", str(tmp_path)], cwd=ROOT, stdout=subprocess.DEVNULL)
        started.append(process)
        for _try in range(200):
            try:
                socket.create_connection(("127.0.0.1", port), 0.2).close()
                break
            except OSError:
                time.sleep(0.05)
        return process

    def login(password):
        asking = StandIn.__new__(StandIn)
        asking.url = f"http://127.0.0.1:{port}"
        return asking.ask("GET", "/api/org", login=f"admin:{password}")[0]

    start.login = login
    start.config = tmp_path
    yield start
    for process in started:
        if process.poll() is None:
            process.kill()
            process.wait()


def stop(process):
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_the_password_of_the_ini_counts_only_at_the_first_start(program):
    process = program(PASSWORD)
    assert program.login(PASSWORD) == 200
    stop(process)
    process = program("another one")
    assert program.login("another one") == 401
    command = [sys.executable, "-m", "lab.standins.grafana", "cli", "--homepath", str(program.config)]
    command += ["--config", f"{program.config}/grafana.ini", "admin", "reset-admin-password", "--password-from-stdin"]
    said = subprocess.run(command, cwd=ROOT, input="another one\n", text=True, capture_output=True, check=True)
    assert "Admin password changed successfully" in said.stdout
    assert program.login("another one") == 200
    assert program.login(PASSWORD) == 401
    stop(process)


def test_it_does_not_start_with_a_clash_of_uids(program):
    folder = program.config / "provisioning" / "datasources"
    folder.mkdir(parents=True)
    twins = [{"name": name, "uid": "x", "type": "prometheus", "url": "http://a"} for name in ("A", "B")]
    (folder / "x.yaml").write_text(yaml.safe_dump({"apiVersion": 1, "datasources": twins}))
    command = [sys.executable, "-m", "lab.standins.grafana", "server", "--homepath", str(program.config)]
    command.append(f"cfg:default.paths.provisioning={program.config}/provisioning")
    said = subprocess.run(command, cwd=ROOT, text=True, capture_output=True, check=False, timeout=20)
    assert said.returncode == 1
    assert "Datasource provisioning error: data source with the same uid already exists" in said.stderr
