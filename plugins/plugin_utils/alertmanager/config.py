"""The content of alertmanager.yml and of the files beside it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from ..plain import plain
from . import receivers

CONFIG_DIR = "/etc/alertmanager"
WATCHDOG = "Watchdog"
NOWHERE = "nowhere"
_HEAD = "---\n# Managed by Ansible (gpufleet.serving.alertmanager); changes made here are lost.\n"
_GROUPING = ("group_by", "group_wait", "group_interval", "repeat_interval")


def document(values: Mapping[str, Any], inhibit_rules: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """alertmanager.yml as data. It holds no secret: those lie in files of their own, which it names.

    Args:
        values: the role's public variables, which plugin_utils/preflight/alertmanager.py found in order.
        inhibit_rules: what the components of the inventory bring.
    """
    own = receivers.document(values["alertmanager_receivers"])
    extra = [dict(receiver) for receiver in values["alertmanager_extra_receivers"]]
    found: dict[str, Any] = {
        "global": {
            "resolve_timeout": values["alertmanager_resolve_timeout"],
            **_smtp(values["alertmanager_smtp"]),
            **values["alertmanager_global"],
        },
        "templates": [f"{CONFIG_DIR}/templates/*.tmpl"],
        "route": _root_route(values, default_receiver(values)),
        "inhibit_rules": [*inhibit_rules, *values["alertmanager_inhibit_rules"]],
    }
    if values["alertmanager_time_intervals"]:
        found["time_intervals"] = values["alertmanager_time_intervals"]
    found["receivers"] = [*own, *extra] + ([] if values["alertmanager_dead_mans_switch"] else [{"name": NOWHERE}])
    return plain(found)


def text(values: Mapping[str, Any], inhibit_rules: Sequence[Mapping[str, Any]]) -> str:
    """alertmanager.yml as text."""
    return _HEAD + yaml.safe_dump(document(values, inhibit_rules), sort_keys=False, allow_unicode=True, width=1000)


def receiver_names(values: Mapping[str, Any]) -> list[str]:
    """The names that routes may use, in the order of their first mention."""
    entries = [*values["alertmanager_receivers"], *values["alertmanager_extra_receivers"]]
    return list(dict.fromkeys(str(entry.get("name", "")) for entry in entries))


def default_receiver(values: Mapping[str, Any]) -> str:
    """Who is told of what fits no route."""
    return values["alertmanager_default_receiver"] or next(iter(receiver_names(values)), "")


def _root_route(values: Mapping[str, Any], receiver: str) -> dict[str, Any]:
    grouping = {key: values[f"alertmanager_{key}"] for key in _GROUPING}
    routes = [_watchdog_route(values), *(_route(route) for route in values["alertmanager_routes"])]
    return {"receiver": receiver, **grouping, "routes": routes}


def _watchdog_route(values: Mapping[str, Any]) -> dict[str, Any]:
    """A notification is repeated at the first flush of its group after the repeat interval has passed. Were the two
    alike, the flush would come a moment too early each time, and every second one would be left out."""
    return {
        "receiver": values["alertmanager_dead_mans_switch"] or NOWHERE,
        "matchers": [f'alertname="{WATCHDOG}"'],
        "group_by": ["alertname"],
        "group_wait": "0s",
        "group_interval": values["alertmanager_dead_mans_switch_interval"],
        "repeat_interval": "1s",
    }


def _route(route: Mapping[str, Any]) -> dict[str, Any]:
    severity = [f'severity="{route["severity"]}"'] if route.get("severity") else []
    found = {"receiver": route["receiver"], "matchers": [*severity, *(route.get("matchers") or ())]}
    for key in (*_GROUPING, "mute_time_intervals", "active_time_intervals"):
        if route.get(key):
            found[key] = route[key]
    return {**found, "continue": True} if route.get("continue") else found


def _smtp(smtp: Mapping[str, Any]) -> dict[str, Any]:
    names = {
        "smarthost": "smtp_smarthost",
        "from": "smtp_from",
        "hello": "smtp_hello",
        "username": "smtp_auth_username",
        "require_tls": "smtp_require_tls",
    }
    found = {names[key]: value for key, value in smtp.items() if key in names and value is not None}
    if smtp.get("password_secret"):
        found["smtp_auth_password_file"] = receivers.secret_file(smtp["password_secret"])
    return found


def files(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The operator's templates and secrets as files for gpufleet.serving.config_files, in a stable order."""
    private = {"group": "alertmanager", "mode": "0640"}
    templates = values["alertmanager_templates"]
    secrets = values["alertmanager_secrets"]
    return [
        {"path": f"{CONFIG_DIR}/templates/{name}.tmpl", "content": templates[name], **private}
        for name in sorted(templates)
    ] + [
        {"path": receivers.secret_file(name), "content": secrets[name], "secret": True, **private}
        for name in sorted(secrets)
    ]


def config_hash(content: str) -> int:
    """The value of alertmanager_config_hash for a configuration: the first six bytes of its MD5, little-endian.

    Source: md5HashAsMetricValue of Alertmanager 0.33.1, held against the program's own answer by a test.
    """
    digest = hashlib.md5(content.encode("utf-8"), usedforsecurity=False).digest()
    return int.from_bytes(digest[:6], "little")


def in_force(content: str, changing: bool = False) -> dict[str, Any]:
    """What /metrics must say when `content` is the configuration in force.

    Args:
        changing: it may still be another one, since a check mode changes nothing.
    """
    value = config_hash(content)
    exact = {} if changing else {"alertmanager_config_hash": {"type": "gauge", "min": value, "max": value}}
    return {"alertmanager_config_last_reload_successful": {"type": "gauge", "min": 1}, **exact}
