"""lab/lab: arguments in, exit status out."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from lab import images, labs, lock, machine, machines, podman, status, system
from lab.errors import LabError
from lab.mirror import build, server
from lab.paths import LAB


def main() -> int:
    wanted = _parser().parse_args()
    # The mirror's files are read by its server's own user, whatever the umask of who built it.
    os.umask(0o022)
    try:
        return wanted.run(wanted) or 0
    except LabError as error:
        print(f"lab/lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lab/lab", description="Real systemd machines on this one, and the mirror they install from."
    )
    parser.add_argument("-f", "--file", type=Path, default=LAB / "machines.yml", help="another machines file")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    up = commands.add_parser("up", help="build what is missing and boot the lab's machines")
    up.set_defaults(run=_up)

    down = commands.add_parser("down", help="remove the lab's machines")
    down.add_argument("--all", action="store_true", help="every lab, the mirror's server and the network too")
    down.set_defaults(run=_down)

    show = commands.add_parser("status", help="show the lab's machines; exit status 1 unless all of them run")
    show.set_defaults(run=_status)

    run = commands.add_parser("exec", help="run a command on a machine: lab/lab exec NAME -- CMD")
    run.add_argument("name")
    run.add_argument("argv", nargs="+", metavar="CMD")
    run.set_defaults(run=_exec)

    mirror = commands.add_parser("mirror", help="build the machines' images and all of the mirror, and serve it")
    mirror.set_defaults(run=_mirror)

    tools = commands.add_parser("tools", help="make the tests' tools (promtool, amtool) in .cache/tools")
    tools.set_defaults(run=_tools)
    return parser


def _up(wanted: argparse.Namespace) -> None:
    lab = machines.load(wanted.file)
    with lock.alone():
        system.ensure()
        labs.up(lab)
    status.show(lab)


def _down(wanted: argparse.Namespace) -> None:
    lab = machines.load(wanted.file)
    with lock.alone():
        if wanted.all:
            labs.down_all()
        else:
            labs.down(lab)


def _status(wanted: argparse.Namespace) -> int:
    return 0 if status.show(machines.load(wanted.file)) else 1


def _exec(wanted: argparse.Namespace) -> None:
    lab = machines.load(wanted.file)
    name = machine.container_name(lab, lab.machine(wanted.name))
    there = podman.containers(f"{machine.LAB_LABEL}={lab.name}")
    if name not in there or not there[name].runs:
        raise LabError(f"{wanted.name} of lab {lab.name} is not up: run `lab/lab -f {wanted.file} up`")
    terminal = ["--tty"] if sys.stdin.isatty() and sys.stdout.isatty() else []
    podman.replace_process("exec", "--interactive", *terminal, name, *wanted.argv)


def _mirror(wanted: argparse.Namespace) -> None:
    with lock.alone():
        system.ensure()
        for name in machines.SYSTEMS:
            images.ensure(name)
        build.build()
        server.ensure()


def _tools(wanted: argparse.Namespace) -> None:
    with lock.alone():
        build.build_tools()
