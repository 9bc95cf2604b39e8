"""Digests of a hub model, from a server on loopback that answers like the hub's API."""

import hashlib
import importlib.util
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
import yaml

TOOL = Path(__file__).parents[3] / "roles/vllm/tools/lock_model.py"
COMMIT = "0e9e39f249a16976918f6564b8830bc894c89659"
BIG = {"type": "file", "path": "model.safetensors", "lfs": {"oid": "b" * 64}}


@pytest.fixture(scope="module")
def tool():
    spec = importlib.util.spec_from_file_location("lock_model", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def hub():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            self.server.tokens.add(self.headers.get("Authorization"))
            pages, tree = self.server.pages, f"/api/models/org/tiny/tree/{COMMIT}"
            link = None
            if self.path == f"{tree}?recursive=true":
                body, link = json.dumps(pages[0]), f'<{self.server.url}{tree}?cursor=1>; rel="next"'
            elif self.path == f"{tree}?cursor=1":
                body = json.dumps(pages[1])
            elif self.path.endswith("config.json") and pages[2:]:
                body = '{"hidden_size": 64}'
            elif self.path.endswith("index.json"):
                body = '{"metadata": {"total_size": 1000}}'
            else:
                body = f"content of {self.path.rpartition('/')[2]}"
            self.send_response(200)
            if link:
                self.send_header("Link", link)
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.url, http.tokens = f"http://127.0.0.1:{http.server_port}", set()
    small = [{"type": "file", "path": path} for path in ("config.json", "README.md", "original/x.pth", "old.bin")]
    http.pages = [[{"type": "directory", "path": "original"}, *small], [BIG]]
    Thread(target=http.serve_forever, daemon=True).start()
    yield http
    http.shutdown()
    http.server_close()


def test_large_files_by_the_hubs_digest_small_ones_by_their_content(tool, hub):
    base = f"https://huggingface.co/org/tiny/resolve/{COMMIT}"
    assert tool.digests(hub.url, "org/tiny", COMMIT, "hf_x", []) == {
        f"{base}/config.json": hashlib.sha256(b"content of config.json").hexdigest(),
        f"{base}/model.safetensors": "b" * 64,
    }
    assert hub.tokens == {"Bearer hf_x"}


def test_the_lines_belong_into_the_lock(tool, hub, monkeypatch, capsys):
    monkeypatch.setenv("HF_ENDPOINT", hub.url)
    monkeypatch.setattr("sys.argv", ["lock_model.py", "org/tiny", COMMIT, "--exclude", "config.json"])
    tool.main()
    lock = yaml.safe_load("gpufleet_lock:\n  https://elsewhere/x: 0\n" + capsys.readouterr().out)["gpufleet_lock"]
    assert lock[f"https://huggingface.co/org/tiny/resolve/{COMMIT}/model.safetensors"] == "b" * 64
    assert len(lock) == 2


def test_other_weights_go_only_where_there_are_safetensors(tool):
    assert tool.wanted(["pytorch_model.bin", "config.json"], []) == ["config.json", "pytorch_model.bin"]


def test_a_branch_is_refused(tool, monkeypatch):
    monkeypatch.setattr("sys.argv", ["lock_model.py", "org/tiny", "main"])
    with pytest.raises(SystemExit, match="can move"):
        tool.main()


def test_facts_for_the_inventory(tool, hub):
    hub.pages.append([])
    assert tool.facts(hub.url, "org/tiny", COMMIT, None) == {"config": {"hidden_size": 64}}
    hub.pages[1].append({"type": "file", "path": "model.safetensors.index.json"})
    assert tool.facts(hub.url, "org/tiny", COMMIT, None) == {"config": {"hidden_size": 64}, "weight_bytes": 1000}
