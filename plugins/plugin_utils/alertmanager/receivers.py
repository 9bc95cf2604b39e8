"""The kinds of receivers that the inventory writes in a few words, and what becomes of each in upstream's words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

SECRETS = "/etc/alertmanager/secrets"

TITLE = '{{ template "gpufleet.title" . }}'
TEXT = '{{ template "gpufleet.text" . }}'
_PAGERDUTY_SEVERITY = '{{ if eq .CommonLabels.severity "critical" }}critical{{ else }}warning{{ end }}'


@dataclass(frozen=True)
class Kind:
    """One type of receiver.

    Attributes:
        section: upstream's key in the receiver.
        one_of: entries must say exactly one of each of these groups.
        takes: what an entry may say beside them.
        settings: what upstream's defaults leave out and people want to read.
    """

    section: str
    one_of: tuple[tuple[str, ...], ...]
    takes: tuple[str, ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def known(self) -> set[str]:
        return {*self.takes, *(name for group in self.one_of for name in group)}


KINDS: dict[str, Kind] = {
    "webhook": Kind("webhook_configs", one_of=(("url", "url_secret"),), takes=("token_secret",)),
    "email": Kind("email_configs", one_of=(("to",),), settings={"headers": {"Subject": TITLE}}),
    "slack": Kind(
        "slack_configs",
        one_of=(("channel",), ("url_secret",)),
        settings={"title": TITLE, "text": TEXT},
    ),
    "pagerduty": Kind(
        "pagerduty_configs",
        one_of=(("routing_key_secret",),),
        settings={"description": TITLE, "severity": _PAGERDUTY_SEVERITY},
    ),
}

# What an entry says -> upstream's name, for each kind. A secret's name becomes the path of its file.
_PLAIN = {"url": "url", "to": "to", "channel": "channel"}
_SECRET_FILES = {
    ("webhook", "url_secret"): "url_file",
    ("slack", "url_secret"): "api_url_file",
    ("pagerduty", "routing_key_secret"): "routing_key_file",
}


def secret_file(name: str) -> str:
    """Where a secret lies. Alertmanager resolves some relative paths against its own working directory."""
    return f"{SECRETS}/{name}"


def said(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What an entry of alertmanager_receivers says of its own kind; the argument specs fill in empty values."""
    common = ("name", "type", "send_resolved", "settings")
    return {key: value for key, value in entry.items() if key not in common and value not in (None, "")}


def document(entries: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Upstream's list of receivers, in the order of their first mention; entries of one name become one receiver."""
    receivers: dict[str, dict[str, Any]] = {}
    for entry in entries:
        kind = KINDS[entry["type"]]
        receiver = receivers.setdefault(entry["name"], {"name": entry["name"]})
        receiver.setdefault(kind.section, []).append(_integration(entry, kind))
    return list(receivers.values())


def _integration(entry: Mapping[str, Any], kind: Kind) -> dict[str, Any]:
    found: dict[str, Any] = {"send_resolved": entry.get("send_resolved", True), **kind.settings}
    for key, value in said(entry).items():
        if key == "token_secret":
            found["http_config"] = {"authorization": {"credentials_file": secret_file(value)}}
        elif key in _PLAIN:
            found[_PLAIN[key]] = value
        else:
            found[_SECRET_FILES[entry["type"], key]] = secret_file(value)
    own = dict(entry.get("settings") or {})
    if "http_config" in found and "http_config" in own:
        own["http_config"] = {**own["http_config"], **found["http_config"]}
    return {**found, **own}
