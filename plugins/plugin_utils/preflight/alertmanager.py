"""What the variables of Alertmanager must say together, beyond what their types say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..alertmanager import config
from ..alertmanager.receivers import KINDS, said
from ..inventory_check import nearest

_DURATION = re.compile(r"(?:\d+y)?(?:\d+w)?(?:\d+d)?(?:\d+h)?(?:\d+m)?(?:\d+s)?(?:\d+ms)?")
_DURATIONS = (
    *("group_wait", "group_interval", "repeat_interval", "resolve_timeout", "retention_time"),
    "dead_mans_switch_interval",
)
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_HOST_PORT = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):\d{1,5}")
# Upstream's keys whose value is a secret; each has a twin that names a file.
_SECRET_KEYS = re.compile(r"(?:.*_)?(?:password|secret|token|api_key|service_key|routing_key|user_key|credentials)")
_SECRET_URLS = {"slack_configs": ("api_url",), "msteams_configs": ("webhook_url",), "discord_configs": ("webhook_url",)}


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence per problem. `values` are the role's public variables of one host."""
    if values["alertmanager_state"] == "absent":
        return []
    found = [*_plain_values(values), *_secrets(values)]
    # What is wrong in one of these would only be said again by the next.
    for check in (_receivers, _routes, _unreached):
        wrong = list(check(values))
        found += wrong
        if wrong:
            break
    return found


def _plain_values(values: Mapping[str, Any]) -> Iterator[str]:
    for name in _DURATIONS:
        yield from _duration(f"alertmanager_{name}", values[f"alertmanager_{name}"])
    for name in ("port", "cluster_port"):
        if not 0 < values[f"alertmanager_{name}"] < 65536:
            yield f"alertmanager_{name}: {values[f'alertmanager_{name}']} is no port; write 1 to 65535."
    if values["alertmanager_port"] == values["alertmanager_cluster_port"]:
        yield f"alertmanager_port and alertmanager_cluster_port are both {values['alertmanager_port']}; change one."
    url = values["alertmanager_external_url"]
    if url and not re.match(r"https?://[^/\s]+", url):
        yield f"alertmanager_external_url: {url!r} is no address; write it like https://alerts.example.com."
    if values["alertmanager_web_config"].get("basic_auth_users") and not values["alertmanager_check_username"]:
        yield (
            "alertmanager_web_config asks for a password, so gpufleet's own checks would be refused; "
            "set alertmanager_check_username and alertmanager_check_password to one of its users."
        )


def _duration(name: str, value: Any) -> Iterator[str]:
    if not value or not _DURATION.fullmatch(str(value)):
        yield f"{name}: {value!r} is no duration; write it like 30s, 5m or 4h."


def _secrets(values: Mapping[str, Any]) -> Iterator[str]:
    for what in ("secrets", "templates"):
        for name, content in values[f"alertmanager_{what}"].items():
            if not _FILE_NAME.fullmatch(str(name)):
                yield f"alertmanager_{what}: {name!r} is no plain file name."
            elif not isinstance(content, str) or not content.strip():
                yield f"alertmanager_{what}: {name} is empty."
    if "gpufleet" in values["alertmanager_templates"]:
        yield "alertmanager_templates: the name gpufleet is taken by the templates that the role brings."


def _receivers(values: Mapping[str, Any]) -> Iterator[str]:
    if not config.receiver_names(values):
        yield (
            "alertmanager_receivers is empty, so nobody would be told of anything; list at least one, such as "
            "{name: ops, type: webhook, url: 'https://chat.example.com/hook'}."
        )
    for entry in values["alertmanager_receivers"]:
        for problem in _entry(entry, values):
            yield f"alertmanager_receivers: {entry['name']}: {problem}"
    mails = [entry for entry in values["alertmanager_receivers"] if entry["type"] == "email"]
    yield from _smtp(values["alertmanager_smtp"], values, needed=bool(mails))
    for receiver in values["alertmanager_extra_receivers"]:
        if not receiver.get("name"):
            yield "alertmanager_extra_receivers: each needs a name."
        for problem in _inline_secrets(receiver):
            yield f"alertmanager_extra_receivers: {receiver.get('name', '?')}: {problem}"
    for problem in _inline_secrets(values["alertmanager_global"]):
        yield f"alertmanager_global: {problem}"
    both = {e["name"] for e in values["alertmanager_receivers"]} & {
        r.get("name") for r in values["alertmanager_extra_receivers"]
    }
    for name in sorted(both):
        yield f"alertmanager_extra_receivers: {name} stands in alertmanager_receivers already; give it another name."
    if config.NOWHERE in config.receiver_names(values):
        yield f"alertmanager_receivers: the name {config.NOWHERE} is taken by the role; choose another."


def _entry(entry: Mapping[str, Any], values: Mapping[str, Any]) -> Iterator[str]:
    kind = KINDS.get(entry["type"])
    if kind is None:
        yield (
            f"type {entry['type']!r} is none of {', '.join(KINDS)}; write other types in upstream's words in "
            "alertmanager_extra_receivers."
        )
        return
    keys = said(entry)
    for group in kind.one_of:
        given = [key for key in group if key in keys]
        if not given:
            yield f"a receiver of type {entry['type']} needs {' or '.join(group)}."
        elif len(given) > 1:
            yield f"{' and '.join(given)} exclude each other; keep one."
    for key in sorted(set(keys) - kind.known):
        fits = " and ".join(name for name, other in KINDS.items() if key in other.known)
        yield f"{key} belongs to receivers of type {fits}, and this one is a {entry['type']}."
    for key in sorted(key for key in keys if key.endswith("_secret")):
        yield from _known_secret(key, keys[key], values)
    if not str(keys.get("url", "http://")).startswith(("http://", "https://")):
        yield f"url: {keys['url']!r} does not begin with http:// or https://."
    if "@" not in str(keys.get("to", "@")):
        yield f"to: {keys['to']!r} is no mail address."
    yield from _inline_secrets({kind.section: entry.get("settings") or {}})


def _known_secret(key: str, name: str, values: Mapping[str, Any]) -> Iterator[str]:
    secrets = values["alertmanager_secrets"]
    if name not in secrets:
        near = nearest(name, secrets)
        remedy = f"did you mean {near}?" if near else f"add it there, from a vault: {name}: '{{{{ vault_{name} }}}}'."
        yield f"{key}: alertmanager_secrets has no {name}; {remedy}"


def _smtp(smtp: Mapping[str, Any], values: Mapping[str, Any], needed: bool) -> Iterator[str]:
    if needed:
        for key in ("smarthost", "from"):
            if not smtp.get(key):
                yield f"alertmanager_smtp: {key} is missing, and a receiver of type email needs it."
    if smtp.get("smarthost") and not _HOST_PORT.fullmatch(smtp["smarthost"]):
        yield f"alertmanager_smtp: smarthost: write {smtp['smarthost']!r} as host:port, such as mail.example.com:587."
    if bool(smtp.get("username")) != bool(smtp.get("password_secret")):
        yield "alertmanager_smtp: username and password_secret go together; give both or none."
    if smtp.get("password_secret"):
        for problem in _known_secret("password_secret", smtp["password_secret"], values):
            yield f"alertmanager_smtp: {problem}"


def _inline_secrets(value: Any, section: str = "", path: str = "") -> Iterator[str]:
    """A secret in upstream's words would stand in the configuration, which more people may read than the secrets."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            here = f"{path}.{key}" if path else str(key)
            secret = _SECRET_KEYS.fullmatch(str(key)) or key in _SECRET_URLS.get(section, ())
            if secret and isinstance(item, str):
                yield (
                    f"{here} would put a secret into the configuration; put it into alertmanager_secrets and write "
                    f"{key}_file: /etc/alertmanager/secrets/<name>."
                )
            else:
                yield from _inline_secrets(item, str(key) if str(key).endswith("_configs") else section, here)
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for item in value:
            yield from _inline_secrets(item, section, path)


def _routes(values: Mapping[str, Any]) -> Iterator[str]:
    names = config.receiver_names(values)
    intervals = [str(interval.get("name", "")) for interval in values["alertmanager_time_intervals"]]
    for key in ("default_receiver", "dead_mans_switch"):
        if values[f"alertmanager_{key}"]:
            yield from _known(f"alertmanager_{key}", "receiver", values[f"alertmanager_{key}"], names)
    for number, route in enumerate(values["alertmanager_routes"], start=1):
        where = f"alertmanager_routes, entry {number}"
        yield from _known(where, "receiver", route["receiver"], names)
        if not route.get("severity") and not route.get("matchers"):
            yield (
                f"{where}: it takes every alert, so that no later one ever fits; give it a severity or matchers, or "
                f"set alertmanager_default_receiver: {route['receiver']}."
            )
        for key in ("mute_time_intervals", "active_time_intervals"):
            for name in route.get(key) or ():
                yield from _known(f"{where}, {key}", "time interval", name, intervals)
        for key in ("group_wait", "group_interval", "repeat_interval"):
            if route.get(key):
                yield from _duration(f"{where}, {key}", route[key])


def _known(where: str, what: str, name: str, names: Sequence[str]) -> Iterator[str]:
    if name not in names:
        near = nearest(name, names)
        known = f"did you mean {near}?" if near else f"there are {', '.join(names)}." if names else "there is none."
        yield f"{where}: no {what} is called {name}; {known}"


def _unreached(values: Mapping[str, Any]) -> Iterator[str]:
    reached = {config.default_receiver(values), values["alertmanager_dead_mans_switch"]}
    reached |= {route["receiver"] for route in values["alertmanager_routes"]}
    for name in config.receiver_names(values):
        if name not in reached:
            yield (
                f"alertmanager_receivers: no route leads to {name}, so it would never be told of anything; "
                "add one to alertmanager_routes, or remove it."
            )
