"""What the variables of Grafana must say together, beyond what their types say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from ..grafana.ini import IniError, render

SHORTEST_PASSWORD = 12
_UID = re.compile(r"[A-Za-z0-9_-]{1,40}")
_FILE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Settings that have a variable of their own, which other things depend on as well.
_OWN = {
    "server.http_addr": "grafana_listen_host",
    "server.http_port": "grafana_port",
    "server.protocol": "grafana_tls_cert",
    "server.cert_file": "grafana_tls_cert",
    "server.cert_key": "grafana_tls_key",
    "server.root_url": "grafana_root_url",
    "server.serve_from_sub_path": "grafana_root_url",
    "security.admin_user": "grafana_admin_user",
    "security.admin_password": "grafana_admin_password",
}


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence per problem. `values` are the role's public variables of one host."""
    if values["grafana_state"] == "absent":
        return []
    return [*_password(str(values["grafana_admin_password"])), *_addresses(values), *_files(values), *_config(values)]


def _password(password: str) -> Iterator[str]:
    if password.lower() in ("admin", "grafana", "password", "changeme"):
        yield "grafana_admin_password: is one that everybody tries first; choose another one, and keep it in a vault."
    elif len(password) < SHORTEST_PASSWORD:
        yield f"grafana_admin_password: is shorter than {SHORTEST_PASSWORD} characters; choose a longer one."
    elif password != password.strip() or "\n" in password:
        yield "grafana_admin_password: begins or ends with a blank, or has a line break, which Grafana would cut off."


def _addresses(values: Mapping[str, Any]) -> Iterator[str]:
    if not 0 < values["grafana_port"] < 65536:
        yield f"grafana_port: {values['grafana_port']} is no port; write 1 to 65535."
    elif values["grafana_port"] < 1024:
        yield f"grafana_port: Grafana runs without privileges, so it cannot listen on {values['grafana_port']}."
    root = values["grafana_root_url"]
    if root and (urlsplit(root).scheme not in ("http", "https") or not urlsplit(root).hostname):
        yield f"grafana_root_url: {root!r} is no address; write it like https://mon.example.com/grafana/."
    if bool(values["grafana_tls_cert"]) != bool(values["grafana_tls_key"]):
        yield "grafana_tls_cert, grafana_tls_key: TLS takes both of them."


def _files(values: Mapping[str, Any]) -> Iterator[str]:
    if not _UID.fullmatch(values["grafana_folder_uid"]):
        yield f"grafana_folder_uid: {values['grafana_folder_uid']!r}: write up to 40 letters, digits, - and _."
    for name in values["grafana_secrets"]:
        if not _FILE.fullmatch(name) or name == "admin_password":
            yield f"grafana_secrets: {name!r} is no plain file name, or one of the role's own."


def _config(values: Mapping[str, Any]) -> Iterator[str]:
    for section, settings in values["grafana_config"].items():
        if not isinstance(settings, Mapping):
            yield f"grafana_config: {section}: expected settings of a section, found {settings!r}."
            continue
        for key in settings:
            if own := _OWN.get(f"{section}.{key}"):
                yield f"grafana_config: {section}.{key}: write {own} instead, which more than grafana.ini depends on."
        try:
            render({section: settings})
        except IniError as error:
            yield f"grafana_config: {error}."
