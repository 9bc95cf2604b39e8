"""What components say of alerts: where they are received, and which of them keep others quiet.

A component says so in files/monitoring/alerting.yml:

    receives:                        # it takes alerts from Prometheus, one entry per host
      address: "{{ ... }}"           # host:port
      scheme: http                   # optional, default http
      path_prefix: /alerts           # optional
      peer: "{{ ... }}"              # host:port at which others of its kind reach it
    inhibit_rules:                   # Alertmanager's own notation
      - {source_matchers: [...], target_matchers: [...], equal: [...]}
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from .components import Component
from .scrape import ADDRESS, ScrapeError

_KEYS = {"receives", "inhibit_rules"}
_RECEIVES = {"address", "scheme", "path_prefix", "peer"}


def gather(
    components: Iterable[Component], hosts: Callable[[Component], Iterable[tuple[str, Callable[[Any], Any]]]]
) -> dict[str, list[dict[str, Any]]]:
    """All components' alerting.yml: `receivers`, one per host, and `inhibit_rules`.

    Args:
        hosts: the hosts that run a component, each with a function that templates a value in its context.

    Raises:
        ScrapeError: unknown key, or an address that is not host:port.
    """
    receivers: list[dict[str, Any]] = []
    rules: list[dict[str, Any]] = []
    for component in components:
        definition = component.alerting
        _refuse_unknown(component.name, definition, _KEYS)
        rules += definition.get("inhibit_rules", [])
        if "receives" in definition:
            _refuse_unknown(component.name, definition["receives"], _RECEIVES)
            receivers += [
                _receiver(component.name, host, template(definition["receives"])) for host, template in hosts(component)
            ]
    return {"receivers": receivers, "inhibit_rules": rules}


def _receiver(component: str, host: str, said: Mapping[str, Any]) -> dict[str, Any]:
    for key in ("address", "peer"):
        if key in said and not ADDRESS.fullmatch(str(said[key])):
            raise ScrapeError(
                f"{host}: {component} would be reached at {said[key]!r}; write host:port without a scheme"
            )
    return {"host": host, "scheme": "http", "path_prefix": "", **said}


def _refuse_unknown(component: str, definition: Mapping[str, Any], known: set[str]) -> None:
    unknown = set(definition) - known
    if unknown:
        raise ScrapeError(f"{component}: alerting.yml has unknown keys {sorted(unknown)}; it knows {sorted(known)}")


def alertmanager_configs(receivers: Iterable[Mapping[str, Any]], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Prometheus' alerting.alertmanagers: receivers that are spoken to alike stand together.

    Args:
        options: further settings for all of them, such as basic_auth.
    """
    groups: dict[tuple[str, str], list[str]] = {}
    for receiver in receivers:
        groups.setdefault((receiver["scheme"], receiver["path_prefix"]), []).append(receiver["address"])
    return [
        {
            **({"scheme": scheme} if scheme != "http" else {}),
            **({"path_prefix": prefix} if prefix else {}),
            **options,
            "static_configs": [{"targets": sorted(addresses)}],
        }
        for (scheme, prefix), addresses in sorted(groups.items())
    ]
