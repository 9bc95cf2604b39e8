"""Which downloads an inventory asks for: the components it has, in the versions it wishes, for all machines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ...module_utils import sources
from ..components import Component
from ..host_variables import HostVariables
from .errors import LockError

MACHINES = ("x86_64", "aarch64")
_KEYS = {
    "name",
    "url",
    "sums",
    "fingerprint",
    "machines",
    "arch_names",
    "version_variable",
    "version",
    "versions",
    "also_for",
}
_FINGERPRINT = re.compile(r"[0-9A-F]{8}|[0-9A-F]{16}|[0-9A-F]{40}|[0-9A-F]{64}")


@dataclass(frozen=True)
class Source:
    """One entry of a role's vars/versions.yml; docs/versions-and-sources.md explains its keys."""

    name: str
    url: str
    sums: str | None = None
    fingerprint: str | None = None
    machines: tuple[str, ...] = MACHINES
    arch_names: Mapping[str, str] = field(default_factory=lambda: dict(sources.ARCH_NAMES))
    version_variable: str | None = None
    version: str | None = None
    also_for: tuple[str, ...] = ()


@dataclass(frozen=True)
class Download:
    """One file to be locked, and how to know its digest: where the publisher lists it (`sums`), or, for a signing key,
    by fetching it and comparing its OpenPGP `fingerprint`.
    """

    name: str
    version: str
    url: str
    sums: str | None
    fingerprint: str | None = None


def sources_of(component: Component) -> list[Source]:
    """All entries with a URL in vars/versions.yml.

    Raises:
        LockError: an entry cannot be used as it stands.
    """
    file = component.path / "vars" / "versions.yml"
    if not file.is_file():
        return []
    content = component.loader.load_from_file(str(file)) or {}
    return [
        _source(f"{file}: {variable}", variable.strip("_").removesuffix("_source"), entry)
        for variable, entry in content.items()
        if isinstance(entry, Mapping) and "url" in entry
    ]


def _source(where: str, name: str, entry: Mapping[str, Any]) -> Source:
    unknown = sorted(set(entry) - _KEYS)
    if unknown:
        raise LockError(f"{where}: unknown key {', '.join(unknown)}; there are {', '.join(sorted(_KEYS))}")
    if ("sums" in entry) == ("fingerprint" in entry):
        raise LockError(
            f"{where}: expected either `sums`, where the publisher has the sha256 of {entry['url']}, or `fingerprint` "
            "for an OpenPGP key"
        )
    fingerprint = entry.get("fingerprint")
    if fingerprint is not None and not _FINGERPRINT.fullmatch(str(fingerprint)):
        raise LockError(
            f"{where}: `fingerprint` is {fingerprint!r}; write capital hex digits in quotes, without spaces"
        )
    if ("version" in entry) == ("version_variable" in entry):
        raise LockError(f"{where}: expected either `version`, or `version_variable` for what the inventory may choose")
    version = entry.get("version")
    return Source(
        name=str(entry.get("name", name)),
        url=str(entry["url"]),
        sums=entry.get("sums"),
        fingerprint=fingerprint,
        machines=tuple(entry.get("machines", MACHINES)),
        arch_names=dict(entry.get("arch_names", sources.ARCH_NAMES)),
        version_variable=entry.get("version_variable"),
        version=None if version is None else str(version),
        also_for=tuple(entry.get("also_for", ())),
    )


def downloads(
    components: Iterable[Component], groups: Mapping[str, Iterable[str]], variables: HostVariables
) -> list[Download]:
    """What the hosts of the inventory may download, each file once.

    Raises:
        LockError: an entry of a versions.yml cannot be used.
    """
    found: dict[str, Download] = {}
    by_name = {component.name: component for component in components}
    hosts_of = {
        name: [host for host in groups.get(name, ()) if _wanted_on(component, host, variables)]
        for name, component in by_name.items()
    }
    for component in by_name.values():
        for source in sources_of(component):
            hosts = [host for name in (component.name, *source.also_for) for host in hosts_of.get(name, ())]
            for version in sorted(_versions(component, source, hosts, variables)) if hosts else ():
                found.update((download.url, download) for download in _for_all_machines(source, version))
    return [found[url] for url in sorted(found)]


def _wanted_on(component: Component, host: str, variables: HostVariables) -> bool:
    return _value(component, host, f"{component.name}_state", variables) != "absent"


def _value(component: Component, host: str, name: str, variables: HostVariables) -> Any:
    raw = variables.raw(host)
    return variables.template(component, raw, raw.get(name, component.defaults.get(name)))


def _versions(component: Component, source: Source, hosts: list[str], variables: HostVariables) -> set[str]:
    if source.version is not None:
        return {source.version}
    wished = {_value(component, host, source.version_variable, variables) for host in hosts}
    if None in wished:
        raise LockError(
            f"{component.path}: {source.version_variable} has no value, neither a default nor in the inventory"
        )
    return {str(version) for version in wished}


def _for_all_machines(source: Source, version: str) -> Iterator[Download]:
    for machine in source.machines:
        url, sums = (
            template and sources.expand(template, version, machine, source.arch_names)
            for template in (source.url, source.sums)
        )
        yield Download(source.name, version, url, sums, source.fingerprint)
