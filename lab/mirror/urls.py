"""A publisher's URL, and where its file lies in a mirror: https://HOST/PATH -> archives/HOST/PATH."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from lab.errors import LabError


def archive_path(url: str) -> str:
    """The path below the mirror. Escapes are undone: a web server looks for the plain name."""
    parts = urlsplit(url)
    path = unquote(parts.path)
    if parts.scheme != "https" or not parts.hostname or ".." in path.split("/"):
        raise LabError(f"lab/mirror.yml: {url!r} is no https URL of a file")
    return f"archives/{parts.hostname}{path}"


def archive_top(url: str) -> str:
    """The one folder that upstream's tarballs unpack to, by their custom: the file's name less its ending."""
    return unquote(url).rsplit("/", 1)[-1].removesuffix(".tar.gz")
