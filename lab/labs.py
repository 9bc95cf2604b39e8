"""Labs up and down."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor

from lab import images, inventory, keys, machine, namespace, network, podman
from lab.files import write_atomically
from lab.machines import Lab
from lab.mirror import build, extra, grafana_repository, server
from lab.paths import RUN, STATE
from lab.podman import Container
from lab.progress import step


def up(lab: Lab) -> None:
    """Make the lab's machines what its file says, and write the inventory when they answer."""
    for system in sorted({wanted.os for wanted in lab.machines}):
        images.ensure(system)
    build.build()
    if lab.mirror:
        extra.make(extra.load(lab.mirror), sorted({wanted.os for wanted in lab.machines}))
    server.ensure()
    there = _machines_of(lab)
    changed = [name for name, container in there.items() if not _is_wanted(lab, container)]
    podman.remove_containers(changed)
    there = {name: container for name, container in there.items() if name not in changed}
    addresses = _addresses(lab, there)
    with step(f"Booting {', '.join(addresses)}") as current:
        for wanted in lab.machines:
            current.at(wanted.name)
            container = there.get(machine.container_name(lab, wanted))
            if container is None:
                machine.create(lab, wanted, addresses)
            elif not container.runs:
                podman.podman("start", container.name)
        with ThreadPoolExecutor() as waiters:
            list(waiters.map(lambda wanted: machine.wait(lab, wanted, addresses[wanted.name]), lab.machines))
    known = {addresses[wanted.name]: keys.ensure_host_key(lab.name, wanted.name) for wanted in lab.machines}
    write_atomically(STATE / lab.name / "known_hosts", keys.known_hosts(known))
    given = grafana_repository.given_version()
    inventory.write(lab, addresses, server.url(), build.lock(), {"grafana_version": given} if given else {})


def down(lab: Lab) -> None:
    """Remove the lab's machines and all that was written for them."""
    there = _machines_of(lab)
    if there:
        with step(f"Removing {', '.join(there)}"):
            podman.remove_containers(list(there))
    inventory.remove(lab.inventory)
    shutil.rmtree(STATE / lab.name, ignore_errors=True)


def down_all() -> None:
    """Remove every lab of this checkout, the mirror's server, the network and the namespace: all but the cache."""
    with step("Removing every machine, the mirror's server and the network"):
        podman.remove_containers(list(podman.containers("gpufleet")))
        network.remove()
        podman.let_go()
        namespace.remove()
        for folder in inventory.folders():
            inventory.remove(folder)
        shutil.rmtree(STATE, ignore_errors=True)
        shutil.rmtree(RUN, ignore_errors=True)


def _machines_of(lab: Lab) -> dict[str, Container]:
    return podman.containers(f"{machine.LAB_LABEL}={lab.name}")


def _is_wanted(lab: Lab, container: Container) -> bool:
    # One that was made and never started is half made: the command that made it was killed.
    return container.state != "created" and any(
        machine.container_name(lab, wanted) == container.name
        and machine.built_as(lab, wanted)
        == {key: container.labels[key] for key in machine.BUILT_AS if key in container.labels}
        for wanted in lab.machines
    )


def _addresses(lab: Lab, there: dict[str, Container]) -> dict[str, str]:
    """An address for each machine: the one it has, else the lowest that no lab uses."""
    used = {container.labels[machine.ADDRESS_LABEL] for container in podman.containers(machine.LAB_LABEL).values()}
    free = (str(address) for address in network.machine_addresses() if str(address) not in used)
    addresses = {}
    for wanted in lab.machines:
        container = there.get(machine.container_name(lab, wanted))
        addresses[wanted.name] = container.labels[machine.ADDRESS_LABEL] if container else next(free)
    return addresses
