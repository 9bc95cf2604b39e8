# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""Stop a unit, and take it off the host."""

from __future__ import annotations

import fnmatch
import os
import shutil

from .start import Doing, load, set_enabled
from .systemctl import Systemd

UNIT_DIRECTORY = "/etc/systemd/system"
_LINK_DIRECTORIES = (".wants", ".requires", ".upholds")


def ensure_stopped(systemd: Systemd, name: str, enabled: bool | None, check_mode: bool) -> Doing:
    """Tell it to stop, and enable or disable it; returns at once."""
    doing = Doing(systemd.show(name))
    if doing.before.load_state != "loaded":
        return doing
    unit = load(systemd, doing, check_mode)
    set_enabled(systemd, doing, unit, enabled, check_mode)
    if not unit.down:
        _stop(systemd, doing, name, check_mode)
    return doing


def begin_removal(systemd: Systemd, name: str, check_mode: bool) -> tuple[Doing, list[str]]:
    """Tell it to stop; returns at once, with the names of the units that must be down before `finish_removal`.

    A template (`vllm@.service`) stands for all its instances.
    """
    if not is_template(name):
        doing = Doing(systemd.show(name))
        if not doing.before.down:
            _stop(systemd, doing, name, check_mode)
        return doing, [name]
    names = systemd.instances(name)
    doing = Doing(systemd.show(name.replace("@.", "@none.")))
    for instance in names:
        if not systemd.show(instance).down:
            _stop(systemd, doing, instance, check_mode)
    return doing, names


def is_template(name: str) -> bool:
    """Whether it is `x@.service` rather than one of its instances."""
    return "@." in name


def _stop(systemd: Systemd, doing: Doing, name: str, check_mode: bool) -> None:
    doing.actions.append(f"stop {name}" if name != doing.before.name else "stop")
    if not check_mode:
        systemd.call("--no-block", "stop", name)


def finish_removal(
    systemd: Systemd, doing: Doing, name: str, stopped: list[str], check_mode: bool, directory: str = UNIT_DIRECTORY
) -> None:
    """Disable it, remove its files from `directory`, and have systemd forget it. An instance leaves its template."""
    found = leftovers(name, directory)
    if doing.before.enabled and not is_template(name):
        # Before its file goes: systemctl finds aliases only there.
        doing.actions.append("disable")
        if not check_mode:
            systemd.call("disable", name)
        found = [path for path in found if not _is_link_to_unit(path, directory)]
        found += [] if check_mode else [path for path in leftovers(name, directory) if path not in found]
    for path in found:
        doing.actions.append(f"remove {path}")
        if not check_mode:
            _remove(path)
    if found:
        doing.actions.append("daemon-reload")
        if not check_mode:
            systemd.call("daemon-reload")
    if check_mode:
        return
    for unit in map(systemd.show, stopped):
        if unit.active_state == "failed":
            systemd.call("reset-failed", unit.name)


def leftovers(name: str, directory: str = UNIT_DIRECTORY) -> list[str]:
    """The unit's file, its drop-ins, and links to it that make other units want it."""
    pattern = name.replace("@.", "@*.") if is_template(name) else name
    found = [path for path in (f"{directory}/{name}", f"{directory}/{name}.d") if os.path.lexists(path)]
    for entry in sorted(os.listdir(directory)):
        if entry.endswith(_LINK_DIRECTORIES):
            folder = os.path.join(directory, entry)
            found += [os.path.join(folder, link) for link in sorted(os.listdir(folder)) if _matches(link, pattern)]
    return found


def _is_link_to_unit(path: str, directory: str) -> bool:
    return os.path.dirname(path) != directory


def _matches(link: str, pattern: str) -> bool:
    # Only the star of a template is meant as one.
    literal = pattern.replace("[", "[[]").replace("?", "[?]")
    return fnmatch.fnmatchcase(link, literal)


def _remove(path: str) -> None:
    if os.path.isdir(path) and not os.path.islink(path):
        shutil.rmtree(path)
    else:
        os.unlink(path)
