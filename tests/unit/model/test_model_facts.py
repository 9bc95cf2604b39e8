"""What is known of a model before its weights are there: from folders, and from a server on loopback."""

import hashlib
import json
import struct
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.gpu.roots import Roots
from ansible_collections.gpufleet.serving.plugins.module_utils.model.safetensors import INDEX, weights_in
from ansible_collections.gpufleet.serving.plugins.modules import model_facts, model_files

CONFIG = {"model_type": "llama", "hidden_size": 64}
TABLE = {"metadata": {"total_size": 1000}, "weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
FILES = {
    "config.json": json.dumps(CONFIG).encode(),
    INDEX: json.dumps(TABLE).encode(),
    "model-1.safetensors": b"x" * 99,
}


def safetensors(path, **tensors):
    """A file with the given (dtype, bytes) and no weights: nobody reads them."""
    end, table = 0, {"__metadata__": {"format": "pt"}}
    for name, (dtype, size) in tensors.items():
        table[name] = {"dtype": dtype, "shape": [size], "data_offsets": [end, end + size]}
        end += size
    header = json.dumps(table).encode()
    path.write_bytes(struct.pack("<Q", len(header)) + header)


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rpartition("/")[2]
            self.server.asked.append((self.path, self.headers.get("Authorization")))
            body = self.server.files.get(name)
            if self.server.status or body is None:
                self.send_error(self.server.status or 404)
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.files, http.asked, http.status = dict(FILES), [], 0
    Thread(target=http.serve_forever, daemon=True).start()
    yield http
    http.shutdown()
    http.server_close()


def look(server, path, check_mode=False, locked=True, **changes):
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    model = {
        "name": "it",
        "folders": [str(path)],
        "url": f"http://127.0.0.1:{server.server_port}/m" if server else None,
        "path": str(path) if locked else None,
        "files": digests if locked else {},
        "mirror_path": "models/org/it",
        "why": None,
        **{key: value for key, value in changes.items() if key in ("folders", "files", "why")},
    }
    options = {"mirror": None, "token": None, "timeout": 5, "ca_path": None, "use_proxy": False}
    options |= {key: value for key, value in changes.items() if key in options}
    result = model_facts.look_at_all({"models": [model], **options}, check_mode)
    return result["models"]["it"], result["changed"]


def test_a_model_on_the_host_is_read_and_nothing_is_asked(server, tmp_path):
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    safetensors(tmp_path / "model.safetensors", a=("BF16", 600), b=("F8_E4M3", 50), c=("BF16", 100))
    found, changed = look(server, tmp_path)
    assert found["config"] == CONFIG
    assert found["weights"] == {
        "bytes": 750,
        "source": "the headers of 1 safetensors file",
        "dtypes": {"BF16": 700, "F8_E4M3": 50},
    }
    assert (changed, server.asked) == (False, [])


def test_only_the_two_small_files_come_and_they_come_once(server, tmp_path):
    path = tmp_path / "org" / "it" / "commit"
    found, changed = look(server, path)
    assert (found["config"], changed) == (CONFIG, True)
    assert found["weights"] == {"bytes": 1000, "source": INDEX}
    assert [asked[0] for asked in server.asked] == ["/m/config.json", f"/m/{INDEX}"]
    assert not path.exists()
    server.asked.clear()
    assert look(server, path) == ({**found, "found": f"{path}.part"}, False)
    assert server.asked == []
    digests = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    params = {"path": str(path), "url": f"http://127.0.0.1:{server.server_port}/m", "files": digests}
    options = {"mirror": None, "mirror_path": None, "token": None, "retries": 1, "ca_path": None, "use_proxy": False}
    model_files.Run({**params, **options, "wait": 30, "resume": None}).work(False)
    assert [asked[0] for asked in server.asked] == ["/m/model-1.safetensors"]
    assert (path / "config.json").read_bytes() == FILES["config.json"]


def test_check_mode_keeps_nothing(server, tmp_path):
    found, changed = look(server, tmp_path / "it", check_mode=True)
    assert (found["config"], changed) == (CONFIG, False)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("check_mode", [True, False])
def test_another_content_than_the_locked_is_not_believed(server, tmp_path, check_mode):
    server.files["config.json"] = b'{"hidden_size": 1}'
    found, changed = look(server, tmp_path / "it", check_mode=check_mode)
    assert "config.json has a wrong checksum" in found["why"]
    assert not changed
    assert not list(tmp_path.rglob("config.json*"))


def test_without_a_lock_the_files_come_as_they_are_and_an_index_may_miss(server, tmp_path):
    del server.files[INDEX]
    found, changed = look(server, tmp_path, locked=False, token="hf_x")  # noqa: S106 - a test's
    assert (found["config"], found["weights"], changed) == (CONFIG, None, False)
    assert {asked[1] for asked in server.asked} == {"Bearer hf_x"}


def test_a_mirror_is_asked_instead_and_never_sees_the_token(server, tmp_path):
    mirror = f"http://127.0.0.1:{server.server_port}"
    found, _ = look(server, tmp_path / "it", mirror=mirror, token="hf_x")  # noqa: S106 - a test's
    assert found["config"] == CONFIG
    assert server.asked[0] == ("/models/org/it/config.json", None)


def test_what_cannot_be_found_out_is_said(server, tmp_path):
    server.status = 403
    assert "Set vllm_hub_token" in look(server, tmp_path / "it")[0]["why"]
    server.status = 404
    assert "HTTP 404" in look(server, tmp_path / "it")[0]["why"]
    assert look(server, tmp_path / "it", why="nobody asks")[0] == {"why": "nobody asks"}
    assert "there is no config.json in" in look(None, tmp_path, locked=False)[0]["why"]
    assert "none of its config.json" in look(server, tmp_path / "it", files={"x": "0" * 64})[0]["why"]
    assert "no relative path" in look(server, tmp_path / "it", files={"../x": "0" * 64})[0]["why"]
    (tmp_path / "config.json").write_text("[]")
    assert "cannot be used: it is no JSON object" in look(server, tmp_path, locked=False)[0]["why"]


def test_weights_are_those_that_vllm_loads(tmp_path):
    assert weights_in(str(tmp_path)) is None
    (tmp_path / "pytorch_model.bin").write_bytes(b"x" * 70)
    assert weights_in(str(tmp_path)) == {"bytes": 70, "source": "the size of its files"}
    safetensors(tmp_path / "model-1.safetensors", a=("F16", 10))
    safetensors(tmp_path / "consolidated.safetensors", a=("F16", 10))
    assert weights_in(str(tmp_path))["bytes"] == 10
    (tmp_path / INDEX).write_text(json.dumps(TABLE))
    # A file of the index is still to come.
    assert weights_in(str(tmp_path)) == {"bytes": 1000, "source": INDEX}
    safetensors(tmp_path / "model-2.safetensors", a=("F16", 20))
    safetensors(tmp_path / "adapter.safetensors", a=("F16", 40))
    assert weights_in(str(tmp_path))["bytes"] == 30
    (tmp_path / "model-2.safetensors").write_bytes(b"no header")
    assert weights_in(str(tmp_path)) == {"bytes": 1000, "source": INDEX}


def test_gpus_are_numbered_as_nvidia_smi_does(tmp_path):
    for address, number in (("0000:3b:00.0", "0x2684"), ("0000:18:00.0", "0x2330")):
        device = tmp_path / "bus/pci/devices" / address
        device.mkdir(parents=True)
        for name, content in (("vendor", "0x10de"), ("class", "0x030000"), ("device", number)):
            (device / name).write_text(f"{content}\n")
    told = "00000000:18:00.0, NVIDIA H100 80GB HBM3, 81559\n00000000:3B:00.0, [N/A], [N/A]\n"
    found = model_facts.read_gpus(Roots(sys=str(tmp_path), root=str(tmp_path)), lambda *_: told)
    assert found == [
        {"index": 0, "memory_mib": 81559, "name": "NVIDIA H100 80GB HBM3"},
        {"index": 1, "memory_mib": 24564, "name": "NVIDIA GeForce RTX 4090"},
    ]
