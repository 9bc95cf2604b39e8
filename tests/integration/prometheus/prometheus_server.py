"""Real Prometheus servers on loopback, from the archives that the lab's hosts install."""

from __future__ import annotations

import json
import socket
import subprocess
import tarfile
import threading
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
ARCHIVES = ROOT / ".cache" / "mirror" / "archives" / "github.com" / "prometheus"

START_SECONDS = 60


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@dataclass(frozen=True)
class RunningPrometheus:
    """A Prometheus that answers."""

    version: str
    url: str

    def get(self, path: str, **query: str) -> dict:
        address = f"{self.url}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=10) as answer:  # noqa: S310 - loopback
            return json.load(answer)["data"]

    def wait(self, done: Callable[[], bool], seconds: float = 30) -> None:
        end = time.monotonic() + seconds
        while not done():
            assert time.monotonic() < end, f"Prometheus {self.version} did not get there within {seconds} s"
            time.sleep(0.2)


def binary(version: str, folder: Path) -> Path:
    archive = ARCHIVES / f"prometheus/releases/download/v{version}/prometheus-{version}.linux-amd64.tar.gz"
    if not archive.exists():
        raise FileNotFoundError(f"{archive} is missing; make it with: lab/lab tools")
    with tarfile.open(archive) as content:
        content.extract(f"prometheus-{version}.linux-amd64/prometheus", folder, filter="data")
    return folder / f"prometheus-{version}.linux-amd64" / "prometheus"


@contextmanager
def running(
    version: str, program: Path, folder: Path, config: dict, flags: Sequence[str]
) -> Iterator[RunningPrometheus]:
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")
    url = f"http://127.0.0.1:{free_port()}"
    listen = url.removeprefix("http://")
    storage = "agent" if any("agent" in flag for flag in flags) else "tsdb"
    command = [
        program,
        "--config.file=prometheus.yml",
        f"--storage.{storage}.path=data",
        f"--web.listen-address={listen}",
    ]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, *flags], cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        end = time.monotonic() + START_SECONDS
        while not _ready(url):
            assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
            assert time.monotonic() < end, "Prometheus does not become ready"
            time.sleep(0.1)
        yield RunningPrometheus(version, url)
        assert process.poll() is None, (folder / "log").read_text(encoding="utf-8")
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _ready(url: str) -> bool:
    try:
        with urllib.request.urlopen(f"{url}/-/ready", timeout=2):  # noqa: S310 - loopback
            return True
    except OSError:
        return False


@contextmanager
def serve_pages(pages: Sequence[tuple[bytes, str]]) -> Iterator[str]:
    """Serve (body, Content-Type) number N under /N; yields host:port."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body, content_type = pages[int(self.path.strip("/"))]
            self.send_response(200)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        server.server_close()
