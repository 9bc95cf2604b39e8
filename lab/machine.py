"""One machine of a lab: a container with systemd as its first process, reached over SSH like any host."""

from __future__ import annotations

import io
import socket
import tarfile
import time
from collections.abc import Mapping

from lab import images, keys, network, podman
from lab.errors import CommandFailedError, LabError
from lab.hardware import machine as hardware
from lab.machines import SUITES, Lab, Machine
from lab.mirror import apt_repository, extra, server, signing

LAB_LABEL = "gpufleet.lab"
ADDRESS_LABEL = "gpufleet.address"
OS_LABEL = "gpufleet.os"
GPUS_LABEL = "gpufleet.gpus"
MIRROR_LABEL = "gpufleet.mirror"
BUILT_AS = (OS_LABEL, GPUS_LABEL, MIRROR_LABEL)

_BOOT_SECONDS = 90
_APT_SOURCE = """\
Types: deb
URIs: {uri}
Suites: {suite}
Components: {components}
Signed-By: /etc/apt/keyrings/mirror.asc
"""
_RPM_SOURCE = """\
[baseos]
name=Rocky Linux 9 - what the lab has of it
baseurl={mirror}/rpm/rocky9
gpgkey=file:///etc/pki/rpm-gpg/RPM-GPG-KEY-lab
gpgcheck=1
"""


def container_name(lab: Lab, machine: Machine) -> str:
    return f"{lab.name}-{machine.name}"


def create(lab: Lab, machine: Machine, addresses: Mapping[str, str]) -> None:
    """Make the machine and let it boot; it is not waited for. `addresses` holds every machine of the lab."""
    name = container_name(lab, machine)
    labels = {
        "gpufleet": "machine",
        LAB_LABEL: lab.name,
        ADDRESS_LABEL: addresses[machine.name],
        **built_as(lab, machine),
    }
    options = [
        f"--name={name}",
        f"--hostname={machine.name}",
        f"--network={network.NAME}",
        f"--ip={addresses[machine.name]}",
        "--dns=none",
        "--no-hosts",
        "--systemd=always",
        "--cgroupns=private",
        "--shm-size=1g",
        "--log-driver=none",
        *podman.privileges(),
        *(f"--label={key}={value}" for key, value in labels.items()),
    ]
    boot = "/lib/systemd/systemd"
    if machine.gpus:
        # A driver may need a reboot, which ends the first process: podman starts it again.
        options += ["--restart=on-failure", *hardware.lay(lab.name, machine.name, machine.gpus)]
        boot = hardware.BOOT
    podman.podman("create", *options, images.ensure(machine.os), boot)
    podman.podman("cp", "-", f"{name}:/", stdin=_own_files(lab, machine, addresses))
    podman.podman("start", name)


def built_as(lab: Lab, machine: Machine) -> dict[str, str]:
    """Labels that tell whether a container is still the machine that its file describes."""
    gpus = {GPUS_LABEL: hardware.label(machine.gpus)} if machine.gpus else {}
    mirror = {MIRROR_LABEL: extra.load(lab.mirror).folder} if lab.mirror else {}
    return {OS_LABEL: machine.os, **gpus, **mirror}


def wait(lab: Lab, machine: Machine, address: str) -> None:
    """Return when systemd says that all is up and sshd answers."""
    name = container_name(lab, machine)
    deadline = time.monotonic() + _BOOT_SECONDS
    while (state := _system_state(name)) in {"", "initializing", "starting", "offline"}:
        if time.monotonic() > deadline:
            raise LabError(f"{machine.name} did not boot within {_BOOT_SECONDS} s; its state is {state or 'unknown'!r}")
        time.sleep(0.2)
    if state != "running":
        failed = podman.podman("exec", name, "systemctl", "list-units", "--failed", "--plain", "--no-legend")
        raise LabError(f"{machine.name} came up {state}; failed units:\n{failed}")
    while not _ssh_answers(address):
        if time.monotonic() > deadline:
            raise LabError(f"{machine.name} is up, but no SSH server answers at {address}")
        time.sleep(0.1)


def _system_state(name: str) -> str:
    try:
        return podman.podman("exec", name, "systemctl", "is-system-running", "--wait").strip()
    except CommandFailedError as error:
        words = error.output.split()
        return "degraded" if "degraded" in words else ""


def _ssh_answers(address: str) -> bool:
    try:
        with socket.create_connection((address, 22), timeout=2) as connection:
            connection.settimeout(2)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def _hosts_file(addresses: Mapping[str, str]) -> str:
    lines = [("127.0.0.1", "localhost"), ("::1", "localhost ip6-localhost ip6-loopback")]
    lines += [(address, name) for name, address in addresses.items()]
    return "".join(f"{address} {names}\n" for address, names in lines)


def _own_files(lab: Lab, machine: Machine, addresses: Mapping[str, str]) -> bytes:
    """What each machine has of its own, as a tar stream."""
    keys.ensure_host_key(lab.name, machine.name)
    private = keys.host_key(lab.name, machine.name)
    files = {
        "etc/ssh/ssh_host_ed25519_key": (private.read_text(), 0o600),
        "etc/ssh/ssh_host_ed25519_key.pub": (private.with_name(f"{private.name}.pub").read_text(), 0o644),
        "root/.ssh/authorized_keys": (f"{keys.ensure_client_key()}\n", 0o600),
        "etc/hosts": (_hosts_file(addresses), 0o644),
        "etc/hostname": (f"{machine.name}\n", 0o644),
        **_package_sources(lab, machine),
    }
    contents = {name: (text.encode(), mode) for name, (text, mode) in files.items()}
    if machine.gpus:
        contents |= hardware.own_files(machine.gpus, machine.os)
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        folder = tarfile.TarInfo("root/.ssh")
        folder.type, folder.mode = tarfile.DIRTYPE, 0o700
        archive.addfile(folder)
        for name, (content, mode) in contents.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode, info.mtime = len(content), mode, int(time.time())
            archive.addfile(info, io.BytesIO(content))
    return stream.getvalue()


def _package_sources(lab: Lab, machine: Machine) -> dict[str, tuple[str, int]]:
    """Where the distribution's own packages come from, as every host knows it."""
    if machine.os not in SUITES:
        return {
            "etc/pki/rpm-gpg/RPM-GPG-KEY-lab": (signing.ROCKY.public_key(), 0o644),
            "etc/yum.repos.d/rocky.repo": (_RPM_SOURCE.format(mirror=server.url()), 0o644),
        }
    places = [(apt_repository.BASE, ["main"])]
    if lab.mirror:
        more = extra.load(lab.mirror)
        places.append((more.folder, list(more.components)))
    stanzas = [
        _APT_SOURCE.format(uri=f"{server.url()}/{folder}", suite=SUITES[machine.os], components=" ".join(components))
        for folder, components in places
    ]
    return {
        "etc/apt/keyrings/mirror.asc": (signing.DEBIAN.public_key(), 0o644),
        "etc/apt/sources.list.d/mirror.sources": ("\n".join(stanzas), 0o644),
    }
