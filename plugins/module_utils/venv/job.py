# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""A build as a transient unit of systemd: it outlives the connection, there is one of a name, and its end is known."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass

from . import script
from .errors import BuildError, VenvError

_PHASES = {
    "creating": "creating the environment",
    "installing": "installing",
    "trying": "trying it",
    "compiling": "compiling its modules",
    "landing": "moving it into place",
}

# What the log says -> what to do.
_REMEDIES = (
    (r"No space left on device", "Make room on the file system of /opt, or move /opt/vllm to a larger one."),
    (
        r"Hash mismatch|hash(es)? .*do(es)? not match",
        "A wheel is not the one that was locked: is the mirror's copy damaged?",
    ),
    (
        r"no wheels|not found in the provided package locations|no version of|not found in the package registry",
        "The source of wheels lacks something that the locked set names; is the mirror made for this very version?",
    ),
    (
        r"Failed to fetch|error sending request|Connect|timed out|dns error",
        "Is the source of wheels up and reachable from this host? Without a way out, set gpufleet_mirror",
    ),
    (r"cannot open shared object file", "A system library is missing on the host; see the role's list of packages."),
)


@dataclass(frozen=True)
class State:
    """`active` is systemd's ActiveState: activating, active, failed, inactive. `run` names one run of the unit."""

    active: str
    result: str
    run: str

    @property
    def running(self) -> bool:
        return self.active in ("activating", "active", "deactivating", "reloading")


def unit_of(folder: str, environment: str) -> str:
    """Name of the unit that builds an environment of a program's folder."""
    return f"gpufleet-venv-{os.path.basename(folder)}-{environment}.service"


def state(unit: str) -> State:
    said = _systemctl("show", unit, "--property=ActiveState,Result,InvocationID")
    values = dict(line.split("=", 1) for line in said.splitlines() if "=" in line)
    return State(values.get("ActiveState", "inactive"), values.get("Result", ""), values.get("InvocationID", ""))


def start(unit: str, recipe: script.Recipe, requirements: str, given: dict[str, str], timeout: int) -> None:
    """Write what the build needs and start it. What an earlier run has fetched is used again.

    Raises:
        VenvError: systemd refuses.
    """
    os.makedirs(recipe.work, mode=0o755, exist_ok=True)
    for name, text, mode in (
        ("requirements.txt", requirements, 0o644),
        ("build.sh", script.render(recipe), 0o600),
        ("environment", script.environment(recipe, given), 0o600),
        ("log", "", 0o600),
        ("phase", "creating\n", 0o644),
    ):
        _write(os.path.join(recipe.work, name), text, mode)
    subprocess.run(["systemctl", "reset-failed", unit], check=False, capture_output=True)
    command = ["systemd-run", "--quiet", f"--unit={unit}", f"--description=Build {recipe.name}"]
    command += [f"--property=EnvironmentFile={recipe.work}/environment", f"--property=RuntimeMaxSec={timeout}"]
    done = subprocess.run([*command, "/bin/sh", f"{recipe.work}/build.sh"], check=False, capture_output=True, text=True)
    if done.returncode and not state(unit).running:
        raise VenvError(f"systemd-run refuses to start {unit}: {done.stderr.strip()}")


def _write(path: str, text: str, mode: int) -> None:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        os.fchmod(handle, mode)
        file.write(text)


def progress(work: str) -> str:
    """A few words for whoever waits: the step, and how many of the packages have come."""
    phase = _read(os.path.join(work, "phase")).strip()
    said = _PHASES.get(phase, "starting")
    if phase == "installing":
        archives = os.path.join(work, "cache", "archive-v0")
        here = len(os.listdir(archives)) if os.path.isdir(archives) else 0
        wanted = len(re.findall(r"^[A-Za-z0-9]", _read(os.path.join(work, "requirements.txt")), re.MULTILINE))
        said += f", {min(here, wanted)} of {wanted} packages are here"
    return said


def failure(unit: str, work: str, result: str) -> BuildError:
    """Why the build ended badly, from its log."""
    log = [line.rstrip() for line in _read(os.path.join(work, "log")).splitlines() if line.strip()]
    phase = _PHASES.get(_read(os.path.join(work, "phase")).strip(), "starting")
    text = "\n".join(log)
    remedy = next((say for pattern, say in _REMEDIES if re.search(pattern, text)), None)
    why = {"timeout": "it took too long", "oom-kill": "the host ran out of memory"}.get(result)
    message = f"{os.path.basename(work)} could not be built; while {phase}: {why or _gist(log, result)}."
    if remedy:
        message += f" {remedy}"
    return BuildError(f"{message} What ran before still runs; the whole log is {work}/log on the host.", log[-20:])


def _gist(log: list[str], result: str) -> str:
    """The lines of the log in which uv says what is wrong, or else its last one."""
    said = [line.strip() for line in log if re.match(r"\s*(error|cause|hint):", line)]
    if said:
        return "; ".join(said[:3])
    return log[-1] if log else f"it ended with {result or 'no result'} and an empty log"


def stop_all(folder: str) -> None:
    """End all builds of a program's folder."""
    pattern = unit_of(folder, "*")
    for verb in ("stop", "reset-failed"):
        subprocess.run(["systemctl", verb, pattern], check=False, capture_output=True)


def _read(path: str) -> str:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except FileNotFoundError:
        return ""


def _systemctl(*arguments: str) -> str:
    done = subprocess.run(["systemctl", *arguments], check=False, capture_output=True, text=True)
    if done.returncode:
        raise VenvError(f"systemctl {arguments[0]}: {done.stderr.strip()}; is systemd the init of this host?")
    return done.stdout
