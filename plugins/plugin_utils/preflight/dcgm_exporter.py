"""What the variables of dcgm-exporter must say together, beyond what their types say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ..dcgm import counters, releases

_ENGINE = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):\d{1,5}")
# Upstream's flags, and the shorter ones, that the role sets from variables of its own.
_OWN_FLAGS = {
    "collectors": "dcgm_exporter_counters",
    "f": "dcgm_exporter_counters",
    "address": "dcgm_exporter_listen_host",
    "a": "dcgm_exporter_listen_host",
    "collect-interval": "dcgm_exporter_collect_interval",
    "c": "dcgm_exporter_collect_interval",
    "remote-hostengine-info": "dcgm_exporter_engine",
    "r": "dcgm_exporter_engine",
    "web-config-file": "dcgm_exporter_web_config",
}


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence per problem. `values` are the role's public variables of one host."""
    if values["dcgm_exporter_state"] == "absent":
        return []
    return [*_versions(values), *_counters(values), *_settings(values)]


def _versions(values: Mapping[str, Any]) -> Iterator[str]:
    try:
        releases.dcgm_version(values["dcgm_exporter_version"], values["dcgm_exporter_dcgm_version"])
    except releases.ReleaseError as error:
        yield f"dcgm_exporter_version: {error}"


def _counters(values: Mapping[str, Any]) -> Iterator[str]:
    standard = {counter.field for counter in counters.standard_counters()}
    for name in values["dcgm_exporter_counters_exclude"]:
        if name in counters.ESSENTIAL:
            yield f"dcgm_exporter_counters_exclude: {name} must stay; contract, alerts and dashboards count on it."
        elif name not in standard:
            yield f"dcgm_exporter_counters_exclude: {name} is no standard field, so there is nothing to leave out."
    wanted = counters.wanted_counters(
        values["dcgm_exporter_counters"], values["dcgm_exporter_counters_exclude"], values["dcgm_exporter_profiling"]
    )
    for extra in values["dcgm_exporter_counters"]:
        if extra["field"].startswith(counters.PROFILING) and not values["dcgm_exporter_profiling"]:
            yield f"dcgm_exporter_counters: {extra['field']} needs dcgm_exporter_profiling, which is off."
    try:
        for said in counters.problems(wanted, values["dcgm_exporter_version"]):
            yield f"dcgm_exporter_counters: {said}"
    except releases.ReleaseError as error:
        yield f"dcgm_exporter_version: {error}"


def _settings(values: Mapping[str, Any]) -> Iterator[str]:
    engine = values["dcgm_exporter_engine"]
    if engine != "embedded" and not _ENGINE.fullmatch(engine):
        yield f"dcgm_exporter_engine: {engine!r}; write embedded, or host:port of an nv-hostengine (localhost:5555)."
    if not 0 < values["dcgm_exporter_port"] < 65536:
        yield f"dcgm_exporter_port: {values['dcgm_exporter_port']} is no port; write 1 to 65535."
    if values["dcgm_exporter_collect_interval"] < 100:
        yield (
            f"dcgm_exporter_collect_interval: {values['dcgm_exporter_collect_interval']} ms would keep the GPUs busy "
            "with being watched; write 100 or more (10000 is 10 s)."
        )
    if values["dcgm_exporter_web_config"].get("basic_auth_users") and not values["dcgm_exporter_check_username"]:
        yield (
            "dcgm_exporter_web_config asks for a password, so gpufleet's own checks would be refused; "
            "set dcgm_exporter_check_username and dcgm_exporter_check_password to one of its users."
        )
    for flag in values["dcgm_exporter_flags"]:
        if flag in _OWN_FLAGS:
            yield f"dcgm_exporter_flags: {flag} is set by {_OWN_FLAGS[flag]}; use that."
