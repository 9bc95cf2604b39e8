"""What the variables of Prometheus must say together, beyond what their types say."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

_DURATION = re.compile(r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_SIZE = re.compile(r"\d+(?:\.\d+)?(?:B|KB|MB|GB|TB|PB|EB)")
_DURATIONS = ("scrape_interval", "scrape_timeout", "evaluation_interval", "retention_time")
_SECRET_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence per problem. `values` are the role's public variables of one host."""
    found = []
    for name in _DURATIONS:
        value = str(values[f"prometheus_{name}"])
        if not value or not _DURATION.fullmatch(value):
            found.append(f"prometheus_{name}: {value!r} is no duration; write it like 15s, 1h30m or 30d.")
    size = values["prometheus_retention_size"]
    if size and not _SIZE.fullmatch(size):
        found.append(f"prometheus_retention_size: {size!r} is no size; write it like 200GB, or leave it empty.")
    if not 0 < values["prometheus_port"] < 65536:
        found.append(f"prometheus_port: {values['prometheus_port']} is no port; write 1 to 65535.")
    if values["prometheus_mode"] == "agent":
        found += _agent_problems(values)
    if values["prometheus_web_config"].get("basic_auth_users") and not values["prometheus_check_username"]:
        found.append(
            "prometheus_web_config asks for a password, so gpufleet's own checks would be refused; "
            "set prometheus_check_username and prometheus_check_password to one of its users."
        )
    found += [
        f"prometheus_secrets: {name!r} is no plain file name."
        for name in values["prometheus_secrets"]
        if not _SECRET_NAME.fullmatch(name)
    ]
    return found


def _agent_problems(values: Mapping[str, Any]) -> list[str]:
    found = []
    if not values["prometheus_remote_write"]:
        found.append("prometheus_mode is agent, which keeps nothing itself: set prometheus_remote_write.")
    found += [
        f"prometheus_mode is agent, which has no {what}: remove prometheus_{name} or use the mode server."
        for name, what in (("alerting", "alerting"), ("extra_rules", "rules"))
        if values[f"prometheus_{name}"]
    ]
    return found
