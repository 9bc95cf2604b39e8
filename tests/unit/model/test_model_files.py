"""Fetching a model from a server on loopback that cuts connections, redirects nobody and knows ranges."""

import hashlib
import os
import re
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.model.errors import (
    BadRequestError,
    FetchError,
    WrongDigestError,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.model.folder import MARK
from ansible_collections.gpufleet.serving.plugins.modules import model_files

FILES = {"config.json": b"{}", "sub/weights.bin": os.urandom(300_000)}


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            server = self.server
            server.asked.append((self.path, self.headers.get("Range"), self.headers.get("Authorization")))
            body = server.files.get(self.path.removeprefix("/m/"))
            status = server.status or (200 if body is not None else 404)
            if status != 200:
                self.send_error(status)
                return
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
            start = int(found[1]) if found and server.ranges else 0
            self.send_response(206 if start else 200)
            self.send_header("Content-Length", str(len(body) - start))
            self.end_headers()
            until = min(len(body), start + server.cut) if server.cut else len(body)
            self.wfile.write(body[start:until])

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.files, http.asked, http.status, http.cut, http.ranges = dict(FILES), [], 0, 0, True
    Thread(target=http.serve_forever, daemon=True).start()
    yield http
    http.shutdown()
    http.server_close()


@pytest.fixture(autouse=True)
def _no_pause(monkeypatch):
    monkeypatch.setattr(model_files, "_PAUSE", 0.01)


def params(server, path, **changes):
    files = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    url = f"http://127.0.0.1:{server.server_port}/m"
    plain = {"path": str(path), "url": url, "files": files, "mirror": None, "mirror_path": None, "token": None}
    return {**plain, "retries": 3, "ca_path": None, "use_proxy": False, "wait": 30, "resume": None, **changes}


def run(server, path, check_mode=False, **changes):
    return model_files.Run(params(server, path, **changes)).work(check_mode)


def test_a_model_comes_whole_and_is_not_asked_for_again(server, tmp_path):
    path = tmp_path / "org" / "name" / "rev"
    assert run(server, path, check_mode=True)["changed"]
    assert not path.exists()
    assert run(server, path)["fetched"] == sorted(FILES)
    assert {name: (path / name).read_bytes() for name in FILES} == FILES
    assert (path / "sub/weights.bin").stat().st_mode & 0o777 == 0o644
    assert path.stat().st_mode & 0o005 == 0o005
    server.asked.clear()
    assert not run(server, path)["changed"]
    assert server.asked == []
    assert sorted(p.name for p in path.parent.iterdir()) == ["rev"]


def test_a_connection_that_is_cut_goes_on_where_it_ended(server, tmp_path):
    server.cut = 100_000
    assert run(server, tmp_path / "m")["changed"]
    ranges = [asked[1] for asked in server.asked if asked[0].endswith("weights.bin")]
    assert ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_a_killed_run_is_taken_up_by_the_next(server, tmp_path):
    part = tmp_path / "m.part" / "sub"
    part.mkdir(parents=True)
    (part / "weights.bin.incomplete").write_bytes(FILES["sub/weights.bin"][:1234])
    run(server, tmp_path / "m")
    assert ("/m/sub/weights.bin", "bytes=1234-", None) in server.asked


def test_a_server_without_ranges_sends_it_anew(server, tmp_path):
    server.ranges = False
    part = tmp_path / "m.part" / "sub"
    part.mkdir(parents=True)
    (part / "weights.bin.incomplete").write_bytes(b"something else")
    run(server, tmp_path / "m")
    assert (tmp_path / "m/sub/weights.bin").read_bytes() == FILES["sub/weights.bin"]


def test_when_the_time_is_up_it_says_how_far_it_is(server, tmp_path):
    answer = run(server, tmp_path / "m", wait=0)
    assert "pending" in answer
    assert not (tmp_path / "m").exists()
    assert "of 2 files are whole" in answer["pending"]["waiting_for"]
    again = run(server, tmp_path / "m", resume=answer["pending"]["memory"])
    assert again["changed"]


def test_another_content_never_gets_into_place(server, tmp_path):
    server.files["config.json"] = b"forged"
    with pytest.raises(WrongDigestError, match=r"config\.json: wrong checksum"):
        run(server, tmp_path / "m")
    assert not (tmp_path / "m").exists()
    server.files["config.json"] = FILES["config.json"]
    assert run(server, tmp_path / "m")["changed"]


def test_a_damaged_file_is_fetched_again_alone(server, tmp_path):
    run(server, tmp_path / "m")
    server.asked.clear()
    time.sleep(0.01)
    (tmp_path / "m/config.json").write_bytes(b"[]")
    assert run(server, tmp_path / "m")["fetched"] == ["config.json"]
    assert [asked[0] for asked in server.asked] == ["/m/config.json"]
    assert (tmp_path / "m" / MARK).exists()
    assert not (tmp_path / "m.part").exists()


@pytest.mark.parametrize(
    ("status", "said"), [(404, "Is the revision right"), (401, "vllm_hub_token"), (403, "vllm_hub_token"), (400, "400")]
)
def test_a_refusal_is_not_tried_again(server, tmp_path, status, said):
    server.status = status
    with pytest.raises(FetchError, match=said):
        run(server, tmp_path / "m")
    assert len(server.asked) == 1


def test_a_server_that_fails_is_tried_a_few_times(server, tmp_path):
    server.status = 503
    with pytest.raises(FetchError, match="tried 4 times in a row"):
        run(server, tmp_path / "m")


def test_a_mirror_is_asked_instead_and_never_sees_the_token(server, tmp_path):
    mirror = f"http://127.0.0.1:{server.server_port}"
    changes = {"url": "https://huggingface.example/x", "mirror": mirror, "mirror_path": "m", "token": "hf_x"}
    run(server, tmp_path / "m", **changes)
    assert {asked[2] for asked in server.asked} == {None}
    server.asked.clear()
    run(server, tmp_path / "n", token="hf_x")  # noqa: S106 - a test's
    assert {asked[2] for asked in server.asked} == {"Bearer hf_x"}


@pytest.mark.parametrize("files", [{"../x": "0" * 64}, {"/x": "0" * 64}, {"a//b": "0" * 64}, {"x": "123"}])
def test_names_that_lead_elsewhere_are_refused(server, tmp_path, files):
    with pytest.raises(BadRequestError):
        run(server, tmp_path / "m", files=files)
