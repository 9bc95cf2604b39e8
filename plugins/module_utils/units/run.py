# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""One call of the module: what is asked for, what is done, what is waited for."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field
from typing import Any, Mapping

from .errors import NotReadyError, UnusableUnitError
from .health import Health
from .start import Doing, ensure_started
from .stop import begin_removal, ensure_stopped, finish_removal, is_template
from .systemctl import Systemd
from .watch import Seen, Watch

_SUFFIXES = (".service", ".socket", ".timer", ".path", ".mount", ".target", ".slice")


@dataclass(frozen=True)
class Wish:
    """What is asked for. Times are seconds; `wait` is how long this one call may wait."""

    name: str
    state: str
    enabled: bool | None
    restart_on: tuple[str, ...]
    reload_on: tuple[str, ...]
    health: Health | None
    timeout: float
    settle: float
    wait: float
    journal_lines: int
    hints: tuple[Mapping[str, str], ...]

    @classmethod
    def from_params(cls, params: Mapping[str, Any]) -> Wish:
        """From the module's parameters."""
        health, settle, enabled = _health(params), params["settle"], params["enabled"]
        if settle is None:
            settle = 0.0 if health else 0.5
        if enabled is None and params["state"] == "started":
            enabled = True
        return cls(
            name=params["name"],
            state=params["state"],
            enabled=enabled,
            restart_on=tuple(params["restart_on"]),
            reload_on=tuple(params["reload_on"]),
            health=health,
            timeout=params["timeout"],
            settle=settle,
            wait=params["timeout"] if params["wait"] is None else params["wait"],
            journal_lines=params["journal_lines"],
            hints=tuple(params["hints"]),
        )


def _health(params: Mapping[str, Any]) -> Health | None:
    if not params["health_url"]:
        return None
    connection = {
        "username": params["health_username"],
        "password": params["health_password"],
        "token": params["health_token"],
        "headers": params["health_headers"],
        "validate_certs": params["validate_certs"],
        "ca_path": params["ca_path"],
    }
    return Health(params["health_url"], connection, params["health_own_port"])


@dataclass
class Progress:
    """What one call hands on to the next through the action plugin.

    Attributes:
        began: seconds of CLOCK_MONOTONIC; None before the first call has begun.
        before: ActiveState and whether it was enabled.
        restarts_before: see Watch.
        names: units that must be down before the rest of a removal.
    """

    began: float | None = None
    actions: list[str] = field(default_factory=list)
    reason: str = ""
    before: dict[str, Any] = field(default_factory=dict)
    restarts_before: int = 0
    names: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @classmethod
    def resume(cls, memory: Mapping[str, Any] | None) -> Progress:
        """From what the call before handed back, or a new one."""
        return cls(**memory) if memory else cls()

    def memory(self) -> dict[str, Any]:
        """For the next call; warnings have been given by then."""
        return {**asdict(self), "warnings": []}

    @property
    def elapsed(self) -> float:
        """Seconds since the first call began."""
        return time.monotonic() - (self.began or 0.0)

    def did(self, *verbs: str) -> bool:
        return any(verb in self.actions for verb in verbs)

    def note(self, doing: Doing) -> None:
        self.actions += doing.actions
        self.reason = doing.reason
        self.warnings += doing.warnings
        self.before = {"state": doing.before.active_state or "absent", "enabled": doing.before.enabled}


def run(systemd: Systemd, wish: Wish, progress: Progress, check_mode: bool) -> Seen:
    """Do what is needed and wait, for at most wish.wait seconds; `progress` keeps what was done.

    Raises:
        UnitError: whatever keeps the unit from the wished state, time included.
    """
    if not wish.name.endswith(_SUFFIXES):
        raise UnusableUnitError(f"{wish.name}: write the unit's full name, such as {wish.name}.service")
    if is_template(wish.name) and wish.state != "absent":
        raise UnusableUnitError(f"{wish.name} is a template; name an instance, such as {wish.name.replace('@', '@a')}")
    first = progress.began is None
    if first:
        progress.began = time.monotonic()
    seen = {"started": _start, "stopped": _stop, "absent": _remove}[wish.state](
        systemd, wish, progress, first, check_mode
    )
    if seen.waiting_for is not None and progress.elapsed >= wish.timeout:
        goal = "ready" if wish.state == "started" else "down"
        raise NotReadyError(f"not {goal} after {progress.elapsed:.0f} s ({seen.waiting_for})", seen.unit)
    return seen


def _start(systemd: Systemd, wish: Wish, progress: Progress, first: bool, check_mode: bool) -> Seen:
    if first:
        doing = ensure_started(systemd, wish.name, wish.enabled, wish.restart_on, wish.reload_on, check_mode)
        progress.note(doing)
        # A start sets the counter back.
        progress.restarts_before = 0 if progress.did("start", "restart") else doing.before.restarts
        if check_mode:
            return Seen(doing.before, None)
    watch = Watch(systemd, wish.name, progress.restarts_before, wish.settle, wish.health, progress.did("reload"))
    return watch.until_ready(_slice(wish, progress))


def _stop(systemd: Systemd, wish: Wish, progress: Progress, first: bool, check_mode: bool) -> Seen:
    if first:
        doing = ensure_stopped(systemd, wish.name, wish.enabled, check_mode)
        progress.note(doing)
        if check_mode:
            return Seen(doing.before, None)
    return Watch(systemd, wish.name).until_down(_slice(wish, progress))


def _remove(systemd: Systemd, wish: Wish, progress: Progress, first: bool, check_mode: bool) -> Seen:
    if first:
        doing, progress.names = begin_removal(systemd, wish.name, check_mode)
        progress.note(doing)
    seen = None
    for name in [] if check_mode else progress.names:
        seen = Watch(systemd, name).until_down(_slice(wish, progress))
        if seen.waiting_for is not None:
            return seen
    finishing = Doing(systemd.show(_instance(wish.name)))
    finish_removal(systemd, finishing, wish.name, progress.names, check_mode)
    progress.actions += finishing.actions
    return Seen(finishing.before, None)


def _instance(name: str) -> str:
    # systemctl shows no template, only instances, which need not exist.
    return name.replace("@.", "@none.")


def _slice(wish: Wish, progress: Progress) -> float:
    return max(min(wish.wait, wish.timeout - progress.elapsed), 0.0)
