"""What is up, as a table."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from lab import machine, podman
from lab.machines import Lab
from lab.mirror import grafana_repository, server
from lab.mirror.manifest import Manifest
from lab.paths import MIRROR, ROOT


def show(lab: Lab) -> bool:
    """Print the lab's machines; whether all of them run."""
    there = podman.containers(f"{machine.LAB_LABEL}={lab.name}")
    table = Table(title=f"Lab {lab.name}", title_justify="left")
    for heading in ("machine", "os", "address", "groups", "state"):
        table.add_column(heading)
    for wanted in lab.machines:
        container = there.get(machine.container_name(lab, wanted))
        address = container.labels[machine.ADDRESS_LABEL] if container else "-"
        state = container.state if container else "absent"
        table.add_row(wanted.name, wanted.os, address, ", ".join(wanted.groups), state)
    console = Console()
    console.print(table)
    if not there:
        return False
    inventory = lab.inventory.relative_to(ROOT)
    console.print(f"inventory: {inventory}\nmirror:    {server.url()}\nenter one: lab/lab exec NAME -- bash")
    if any("grafana" in wanted.groups for wanted in lab.machines):
        console.print(f"grafana:   {grafana_repository.origin(Manifest(MIRROR))}", highlight=False, soft_wrap=True)
    return len(there) == len(lab.machines) and all(container.runs for container in there.values())
