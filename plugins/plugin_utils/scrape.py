"""Scrape targets, rendered from the inventory on the controller: which series each host owes, under which labels.

A component says in files/monitoring/scrape.yml how it is scraped:

    job: vllm                       # Prometheus' job name
    each: "{{ vllm_instances }}"    # optional: one target per item, named `item` below
    when: "{{ ... }}"               # optional: false leaves the target out
    address: "{{ ... }}"            # host:port
    scheme: http                    # optional, default http
    metrics_path: /metrics          # optional, default /metrics
    labels: {model_name: "{{ item.model }}"}
    shares: [model_name]            # labels that the host's other targets carry as well, joined by commas
    options: {honor_labels: true}   # optional: more settings of the job's scrape_config
    series:                         # optional: numbers that the inventory knows and rules compare with, one per host
      gpufleet:inventory_gpus: "{{ gpufleet_gpus | default(none) }}"    # nothing leaves the series out
      gpufleet:inventory_vllm_info: {labels: {version: "{{ vllm_version }}"}}   # words: labels of a series that is 1
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

_PER_TARGET = {"when", "address", "scheme", "metrics_path", "labels"}
_KEYS = {"job", "each", "shares", "options", "series"} | _PER_TARGET
# With a colon in its name, as Prometheus' own convention wants it of recorded series.
_SERIES_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]*:[a-zA-Z0-9_:]+")
ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):\d{1,5}")


class ScrapeError(Exception):
    """A scrape definition that cannot become a target, with the component and the host it was rendered for."""


@dataclass(frozen=True)
class Target:
    """One endpoint to scrape."""

    job: str
    host: str
    address: str
    labels: dict[str, str]
    shares: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Series:
    """A number that the inventory knows of a host, as Prometheus is to see it."""

    name: str
    value: float
    labels: dict[str, str]


def targets_of(
    component: str,
    definition: Mapping[str, Any],
    host: str,
    template: Callable[..., Any],
    host_labels: Mapping[str, Any],
) -> list[Target]:
    """The targets that `component` owes on `host`.

    Args:
        definition: the content of scrape.yml, untemplated.
        template: `template(value, **extra) -> value`, in the context of the host.
        host_labels: labels of the host itself (instance, site, ...).

    Raises:
        ScrapeError: unknown key, or an address that is not host:port.
    """
    _require_known(component, definition)
    found = []
    for item in template(definition["each"]) if "each" in definition else (None,):
        wanted = {key: value for key, value in definition.items() if key in _PER_TARGET}
        if "when" in wanted and not template(wanted.pop("when"), item=item):
            continue
        rendered = template(wanted, item=item)
        address = str(rendered["address"])
        if not ADDRESS.fullmatch(address):
            raise ScrapeError(f"{host}: {component} would be scraped at {address!r}; write host:port without a scheme")
        labels = {**host_labels, **rendered.get("labels", {})}
        if rendered.get("scheme", "http") != "http":
            labels["__scheme__"] = rendered["scheme"]
        if rendered.get("metrics_path", "/metrics") != "/metrics":
            labels["__metrics_path__"] = rendered["metrics_path"]
        found.append(
            Target(
                job=definition["job"],
                host=host,
                address=address,
                labels={name: str(value) for name, value in labels.items() if str(value) != ""},
                shares=tuple(definition.get("shares", ())),
            )
        )
    return found


def series_of(
    component: str,
    definition: Mapping[str, Any],
    host: str,
    template: Callable[..., Any],
    host_labels: Mapping[str, Any],
) -> list[Series]:
    """The series that the inventory owes for `component` on `host`; the arguments are those of targets_of.

    Raises:
        ScrapeError: a name without a colon, or a value that is no number.
    """
    _require_known(component, definition)
    found = []
    # Ansible's strings carry their origin; YAML wants plain ones.
    labels = {str(name): str(value) for name, value in host_labels.items() if str(value) != ""}
    for name, expression in definition.get("series", {}).items():
        if not _SERIES_NAME.fullmatch(name):
            raise ScrapeError(
                f"{component}: scrape.yml has a series {name!r}; write a name like gpufleet:inventory_gpus"
            )
        told = template(expression)
        own = told.get("labels", {}) if isinstance(told, Mapping) else {}
        value = 1 if isinstance(told, Mapping) else told
        if value is None or str(value) == "":
            continue
        try:
            number = float(value)
        except (TypeError, ValueError):
            raise ScrapeError(f"{host}: {component} would record {name} as {value!r}, which is no number") from None
        found.append(Series(str(name), number, labels | {str(label): str(text) for label, text in own.items()}))
    return found


def inventory_rules(series: Iterable[Series]) -> str:
    """A rule file that records what the inventory knows, in a stable order; empty where it knows nothing."""
    rules = [
        {"record": one.name, "expr": f"vector({one.value:g})", "labels": one.labels}
        for one in sorted(series, key=lambda one: (one.name, sorted(one.labels.items())))
    ]
    if not rules:
        return ""
    return yaml.safe_dump({"groups": [{"name": "inventory", "rules": rules}]}, sort_keys=False, width=120)


def _require_known(component: str, definition: Mapping[str, Any]) -> None:
    unknown = set(definition) - _KEYS
    if unknown:
        raise ScrapeError(f"{component}: scrape.yml has unknown keys {sorted(unknown)}; it knows {sorted(_KEYS)}")


def members(names: Iterable[str], groups: Mapping[str, list[str]]) -> set[str]:
    """The hosts that are meant by the names of groups and hosts.

    Raises:
        ScrapeError: a name that is neither.
    """
    everyone = {host for hosts in groups.values() for host in hosts}
    found: set[str] = set()
    for name in names:
        if name not in groups and name not in everyone:
            raise ScrapeError(f"prometheus_scrape_hosts: {name!r} is neither a group nor a host of the inventory")
        found |= set(groups.get(name, [name]))
    return found


def lend_labels(targets: Iterable[Target]) -> list[Target]:
    """Give every target of a host the labels that one of its components shares, unless it has its own."""
    targets = list(targets)
    lent: dict[tuple[str, str], list[str]] = {}
    for target in targets:
        for label in target.shares:
            if label in target.labels:
                values = lent.setdefault((target.host, label), [])
                if target.labels[label] not in values:
                    values.append(target.labels[label])
    by_host: dict[str, dict[str, str]] = {}
    for (host, label), values in lent.items():
        by_host.setdefault(host, {})[label] = ",".join(values)
    return [Target(t.job, t.host, t.address, {**by_host.get(t.host, {}), **t.labels}, t.shares) for t in targets]


def file_sd(targets: Iterable[Target]) -> dict[str, list[dict[str, Any]]]:
    """Prometheus' file_sd documents by job, in a stable order; targets with equal labels stand together."""
    jobs: dict[str, dict[tuple[tuple[str, str], ...], list[str]]] = {}
    for target in targets:
        jobs.setdefault(target.job, {}).setdefault(tuple(sorted(target.labels.items())), []).append(target.address)
    return {
        job: [
            {"targets": sorted(set(addresses)), "labels": dict(labels)} for labels, addresses in sorted(groups.items())
        ]
        for job, groups in sorted(jobs.items())
    }
