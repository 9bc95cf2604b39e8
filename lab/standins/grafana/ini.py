"""grafana.ini as Grafana reads it: defaults, the file, the environment, and the command line on top."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path

DEFAULTS = {
    "paths": {"data": "data", "logs": "data/log", "plugins": "data/plugins", "provisioning": "conf/provisioning"},
    "server": {
        "protocol": "http",
        "http_addr": "",
        "http_port": "3000",
        "domain": "localhost",
        "root_url": "%(protocol)s://%(domain)s:%(http_port)s/",
        "serve_from_sub_path": "false",
        "cert_file": "",
        "cert_key": "",
    },
    "database": {"type": "sqlite3", "path": "grafana.db"},
    "security": {"admin_user": "admin", "admin_password": "admin", "disable_initial_admin_creation": "false"},
    "users": {"allow_sign_up": "false"},
    "auth.anonymous": {"enabled": "false", "org_role": "Viewer", "hide_version": "false"},
    "auth.basic": {"enabled": "true"},
    "analytics": {"reporting_enabled": "true", "check_for_updates": "true"},
    "metrics": {"enabled": "true", "basic_auth_username": "", "basic_auth_password": ""},
}
_REFERENCE = re.compile(r"\$__(env|file)\{([^}]+)\}|\$\{([^}]+)\}")


class IniError(Exception):
    """The file cannot be read."""


class Settings:
    """All values, as text."""

    def __init__(self, sections: Mapping[str, Mapping[str, str]]):
        self._sections = sections

    def get(self, section: str, key: str) -> str:
        return self._sections.get(section, {}).get(key, "")

    def on(self, section: str, key: str) -> bool:
        return self.get(section, key).lower() in ("1", "t", "true", "yes", "y", "on")

    @property
    def root_url(self) -> str:
        server = dict(self._sections["server"])
        return re.sub(r"%\((\w+)\)s", lambda found: server.get(found.group(1), ""), server["root_url"])


def load(text: str, environment: Mapping[str, str], overrides: Iterable[str] = ()) -> Settings:
    """`overrides` are like `cfg:default.paths.data=/var/lib/grafana`: default ones stand behind the file.

    Raises:
        IniError: with the line that cannot be read.
    """
    sections = {name: dict(values) for name, values in DEFAULTS.items()}
    parsed = [re.match(r"cfg:(default\.)?(.+)\.([^.=]+)=(.*)$", one.strip()) for one in overrides]
    for found in parsed:
        if found and found.group(1):
            sections.setdefault(found.group(2), {})[found.group(3)] = found.group(4)
    for section, key, value in parse(text):
        sections.setdefault(section, {})[key] = value
    for section, values in sections.items():
        for key in values:
            name = f"GF_{re.sub('[.-]', '_', section)}_{re.sub('[.-]', '_', key)}".upper()
            values[key] = environment.get(name, values[key])
    for found in parsed:
        if found and not found.group(1):
            sections.setdefault(found.group(2), {})[found.group(3)] = found.group(4)
    return Settings({name: {k: expand(v, environment) for k, v in values.items()} for name, values in sections.items()})


def parse(text: str) -> Iterable[tuple[str, str, str]]:
    """Section, key and value of each line. Behind a blank, # and ; begin a comment unless the value is quoted."""
    section = "DEFAULT"
    for number, line in enumerate(text.splitlines(), 1):
        line = line.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("["):
            if not line.endswith("]"):
                raise IniError(f"unclosed section: {line} (line {number})")
            section = line[1:-1].strip()
            continue
        key, sign, value = line.partition("=")
        if not sign:
            raise IniError(f"key-value delimiter not found: {line} (line {number})")
        yield section, key.strip(), _value(value.strip())


def _value(text: str) -> str:
    for quote in ('"""', "`", '"', "'"):
        if text.startswith(quote):
            end = text.find(quote, len(quote))
            if end > 0:
                return text[len(quote) : end]
    return re.split(r"\s[#;]", text, maxsplit=1)[0].strip()


def expand(value: str, environment: Mapping[str, str]) -> str:
    """${NAME}, $__env{NAME} and $__file{/path}."""

    def replacement(found: re.Match) -> str:
        kind, name, plain = found.groups()
        if kind == "file":
            return Path(name).read_text(encoding="utf-8").strip()
        return environment.get(plain or name, "")

    return _REFERENCE.sub(replacement, value)


def data_file(settings: Settings, home: str) -> Path:
    """Where the database is."""
    return Path(home, settings.get("paths", "data"), settings.get("database", "path"))
