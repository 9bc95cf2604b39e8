"""The mirror's web server: a container on the labs' network, which also keeps the bridge up."""

from __future__ import annotations

import hashlib
import http.client
import time
from pathlib import Path

from lab import images, network, podman, workbench
from lab.apt import Apt
from lab.errors import LabError
from lab.files import scratch
from lab.machines import SUITES
from lab.paths import MIRROR, SCRATCH
from lab.progress import Step, step

_NAME = "gpufleet-mirror"
_SYSTEM = "debian12"
_PACKAGE = "nginx-light"
_CONFIG = Path(__file__).with_name("nginx.conf")
_START = ["nginx", "-g", "daemon off;"]
_SECONDS = 20


def url() -> str:
    """Where machines find the mirror."""
    return f"http://{network.mirror_address()}"


def ensure() -> None:
    """Let the server run, and answer, before this returns."""
    tag = _ensure_image()
    container = podman.containers("gpufleet=mirror").get(_NAME)
    if container and container.image != tag:
        podman.remove_containers([_NAME])
        container = None
    if container is None:
        options = [
            f"--name={_NAME}",
            "--label=gpufleet=mirror",
            f"--network={network.NAME}",
            f"--ip={network.mirror_address()}",
            "--dns=none",
            "--no-hosts",
            f"--volume={MIRROR}:/srv/mirror:ro",
            "--log-driver=k8s-file",
        ]
        podman.podman("create", *options, *podman.privileges(), tag, *_START)
    if container is None or not container.runs:
        podman.podman("start", _NAME)
    _wait()


def _wait() -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        connection = http.client.HTTPConnection(str(network.mirror_address()), timeout=2)
        try:
            connection.request("HEAD", "/MANIFEST.json")
            status = connection.getresponse().status
        except OSError as error:
            status = error
        finally:
            connection.close()
        if status == 200:
            return
        if time.monotonic() > deadline:
            logs = podman.podman("logs", "--tail=5", _NAME).strip()
            raise LabError(f"the mirror at {url()} does not serve its MANIFEST.json: {status}\n{logs}")
        time.sleep(0.1)


def _ensure_image() -> str:
    """The machines' image with a web server in it."""
    base = images.ensure(_SYSTEM)
    recipe = "\n".join([base, _PACKAGE, _CONFIG.read_text()])
    tag = f"localhost/gpufleet-lab/mirror:{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not podman.image_exists(tag):
        with step("Building the image of the mirror's server") as current:
            _build(base, tag, current)
        podman.remove_older_images(tag)
    return tag


def _build(base: str, tag: str, current: Step) -> None:
    apt = Apt(SUITES[_SYSTEM], images.installed_packages(_SYSTEM))
    apt.update(current)
    install = "dpkg --install /debs/*.deb && rm -r /debs && mv /nginx.conf /etc/nginx/nginx.conf"
    with scratch(SCRATCH) as folder:
        apt.download_with_dependencies([_PACKAGE], folder / "debs", current)
        put = {"/debs": folder / "debs", "/nginx.conf": _CONFIG}
        with workbench.finished(base, current, install, put) as container:
            podman.podman("commit", "--quiet", container, tag)
