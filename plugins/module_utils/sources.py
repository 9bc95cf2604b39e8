"""Where a download comes from: the publisher's URL is its identity, a mirror only another place to get it from."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote, urlsplit

# What `uname -m` says -> what most publishers write.
ARCH_NAMES = {"x86_64": "amd64", "aarch64": "arm64"}

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PLACEHOLDER = re.compile(r"\{([^{}]*)\}")


class SourceError(ValueError):
    """A URL, a template or a mirror cannot be used as it stands; the text says what to write instead."""


def expand(template: str, version: str, machine: str, arch_names: dict[str, str] | None = None) -> str:
    """The URL of one version for one machine.

    Args:
        template: a URL with any of `{version}`, `{arch}` and `{machine}`.
        version: put in percent-encoded, so `3.11.18+20261110` becomes `3.11.18%2B20261110`.
        machine: as `uname -m` says it; what `{machine}` stands for.
        arch_names: machine -> the publisher's word for it, which `{arch}` stands for; ARCH_NAMES when None.

    Raises:
        SourceError: an unknown placeholder, or `{arch}` for a machine that has no name.
    """
    names = ARCH_NAMES if arch_names is None else arch_names

    def value(match: re.Match) -> str:
        placeholder = match.group(1)
        if placeholder == "version":
            return quote(version, safe="")
        if placeholder == "machine":
            return machine
        if placeholder != "arch":
            raise SourceError(
                f"{template}: unknown placeholder {{{placeholder}}}; there are {{version}}, {{arch}} and {{machine}}"
            )
        if machine not in names:
            raise SourceError(
                f"{template}: nothing is published for a {machine} machine as far as arch_names says; it knows "
                f"{', '.join(sorted(names)) or 'none'}. If the publisher supports it, add {machine} to arch_names"
            )
        return names[machine]

    return _PLACEHOLDER.sub(value, template)


def archive_path(url: str) -> str:
    """Where a mirror keeps a download, relative to the mirror's root: `archives/HOST/PATH`, as a path on disk.

    A query is part of the file's name, a port part of the host's folder. Percent-encoding is undone.

    Raises:
        SourceError: not an http(s) URL of a file, or one with credentials in it.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise SourceError(f"{url}: {error}") from error
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise SourceError(f"{url}: expected https://HOST/PATH")
    if parts.username is not None:
        raise SourceError(
            f"{parts.hostname}: credentials do not belong into a URL, it is written to logs and lock files"
        )
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if port is not None and port != _DEFAULT_PORTS[parts.scheme]:
        host += f":{port}"
    segments = [segment for segment in unquote(parts.path).split("/") if segment]
    if not segments or parts.path.endswith("/"):
        raise SourceError(f"{url}: names a folder, not a file")
    if parts.query:
        segments[-1] += "?" + unquote(parts.query).replace("/", "%2F")
    if any(segment in (".", "..") or not segment.isprintable() for segment in segments):
        raise SourceError(f"{url}: the path must not hold '.', '..' or control characters")
    return "/".join(["archives", host, *segments])


def mirrored_url(url: str, mirror: str | None) -> str:
    """Where to fetch `url` from: from `mirror` when there is one, else from the publisher.

    Raises:
        SourceError: `url` or `mirror` cannot be used.
    """
    if not mirror:
        return url
    return f"{mirror_root(mirror)}/{quote(archive_path(url), safe='/:')}"


def mirror_root(mirror: str) -> str:
    """The mirror's address without a slash at its end.

    Raises:
        SourceError: not `http(s)://HOST[/PATH]`.
    """
    parts = urlsplit(mirror)
    if parts.username is not None:
        raise SourceError(
            f"gpufleet_mirror: credentials do not belong into the address of {parts.hostname}, it is written to logs; "
            "give them as url_username and url_password, for all tasks under module_defaults"
        )
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or parts.query or parts.fragment:
        raise SourceError(f"gpufleet_mirror is {mirror!r}; expected http(s)://HOST[/PATH]")
    return mirror.rstrip("/")
