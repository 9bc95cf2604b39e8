"""URL templates and the mirror's layout."""

from __future__ import annotations

import posixpath
from urllib.parse import unquote, urlsplit

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.gpufleet.serving.plugins.filter.sources import FilterModule
from ansible_collections.gpufleet.serving.plugins.module_utils.sources import (
    SourceError,
    archive_path,
    expand,
    mirrored_url,
)
from hypothesis import given, settings
from hypothesis import strategies as st

GITHUB = (
    "https://github.com/prometheus/prometheus/releases/download/v{version}/prometheus-{version}.linux-{arch}.tar.gz"
)


@pytest.mark.parametrize(
    ("template", "version", "machine", "url"),
    [
        (GITHUB, "3.5.3", "x86_64", GITHUB.replace("{version}", "3.5.3").replace("{arch}", "amd64")),
        (GITHUB, "3.5.3", "aarch64", GITHUB.replace("{version}", "3.5.3").replace("{arch}", "arm64")),
        ("https://h/uv-{machine}.tar.gz", "1", "aarch64", "https://h/uv-aarch64.tar.gz"),
        ("https://h/{version}/x", "3.11.18+20261110", "x86_64", "https://h/3.11.18%2B20261110/x"),
        ("https://h/one-for-all.tar.gz", "1", "riscv64", "https://h/one-for-all.tar.gz"),
    ],
)
def test_expand(template, version, machine, url):
    assert expand(template, version, machine) == url


def test_expand_with_a_publishers_own_words():
    assert expand("https://h/{arch}", "1", "x86_64", {"x86_64": "x64"}) == "https://h/x64"


def test_expand_names_what_is_wrong():
    with pytest.raises(SourceError, match=r"riscv64 machine.*knows aarch64, x86_64.*add riscv64 to arch_names"):
        expand(GITHUB, "3.5.3", "riscv64")
    with pytest.raises(
        SourceError, match=r"unknown placeholder \{os\}; there are \{version\}, \{arch\} and \{machine\}"
    ):
        expand("https://h/{os}", "1", "x86_64")


@pytest.mark.parametrize(
    ("url", "path"),
    [
        ("https://github.com/a/b/v1/c-1.tar.gz", "archives/github.com/a/b/v1/c-1.tar.gz"),
        ("https://GitHub.com/a", "archives/github.com/a"),
        ("http://h/a", "archives/h/a"),
        ("https://h:443/a", "archives/h/a"),
        ("http://h:80/a", "archives/h/a"),
        ("https://h:8443/a", "archives/h:8443/a"),
        ("https://[2001:db8::1]/a", "archives/[2001:db8::1]/a"),
        ("https://[2001:db8::1]:8443/a", "archives/[2001:db8::1]:8443/a"),
        ("https://h/a%2Bb", "archives/h/a+b"),
        ("https://h/a+b", "archives/h/a+b"),
        ("https://h//a//b", "archives/h/a/b"),
        ("https://h/get?file=x.tar.gz", "archives/h/get?file=x.tar.gz"),
        ("https://h/get?path=a/b", "archives/h/get?path=a%2Fb"),
        ("https://h/a#sha256=1", "archives/h/a"),
    ],
)
def test_archive_path(url, path):
    assert archive_path(url) == path


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("https://me:secret@h/a", "credentials do not belong into a URL"),
        ("https://h/", "names a folder"),
        ("https://h", "names a folder"),
        ("https://h/a/", "names a folder"),
        ("https://h/a/../../etc/passwd", "must not hold"),
        ("https://h/a/%2e%2e/b", "must not hold"),
        ("https://h/a%00b", "must not hold"),
        ("ftp://h/a", "expected https://HOST/PATH"),
        ("/etc/passwd", "expected https://HOST/PATH"),
        ("https:///a", "expected https://HOST/PATH"),
        ("https://h:port/a", "https://h:port/a"),
    ],
)
def test_archive_path_refuses(url, message):
    with pytest.raises(SourceError, match=message) as caught:
        archive_path(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("mirror", [None, ""])
def test_no_mirror(mirror):
    assert mirrored_url("https://h/a", mirror) == "https://h/a"


@pytest.mark.parametrize(
    ("mirror", "expected"),
    [
        ("http://10.0.0.5", "http://10.0.0.5/archives/h/a%2Bb.tar.gz"),
        ("http://10.0.0.5/", "http://10.0.0.5/archives/h/a%2Bb.tar.gz"),
        ("https://files.example:8443/gpu//", "https://files.example:8443/gpu/archives/h/a%2Bb.tar.gz"),
    ],
)
def test_mirrored_url(mirror, expected):
    assert mirrored_url("https://h/a%2Bb.tar.gz", mirror) == expected


def test_a_query_becomes_part_of_the_file_name():
    assert mirrored_url("https://h:8443/get?f=x&v=1", "http://m") == "http://m/archives/h:8443/get%3Ff%3Dx%26v%3D1"


@pytest.mark.parametrize("mirror", ["10.0.0.5", "ftp://m", "http://", "http://m?x=1", "/srv/mirror"])
def test_bad_mirror(mirror):
    with pytest.raises(SourceError, match=r"gpufleet_mirror is .*expected http\(s\)://HOST"):
        mirrored_url("https://h/a", mirror)


def test_credentials_in_the_mirrors_address():
    with pytest.raises(SourceError, match="module_defaults") as caught:
        mirrored_url("https://h/a", "http://me:secret@m")
    assert "secret" not in str(caught.value)


@settings(database=None)
@given(st.text(min_size=1), st.text())
def test_whatever_the_url_the_mirrors_file_is_the_one_that_is_asked_for(path, query):
    """A plain file server that decodes the path finds exactly archive_path, below archives/."""
    try:
        relative = archive_path(f"https://h/{path}?{query}")
    except SourceError:
        return
    assert posixpath.normpath(relative) == relative
    assert relative.startswith("archives/h/")
    asked = urlsplit(mirrored_url(f"https://h/{path}?{query}", "http://m"))
    assert (unquote(asked.path), asked.query, asked.fragment) == (f"/{relative}", "", "")


def test_filters():
    filters = FilterModule().filters()
    assert filters["mirrored"]("https://h/a", "http://m") == "http://m/archives/h/a"
    assert filters["mirrored"]("https://h/a") == "https://h/a"
    assert filters["expanded"]("https://h/{version}-{arch}", 7, "aarch64") == "https://h/7-arm64"
    assert filters["archive_path"]("https://h/a") == "archives/h/a"
    with pytest.raises(AnsibleFilterError, match="expected http"):
        filters["mirrored"]("https://h/a", "m")
