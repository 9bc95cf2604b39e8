"""Digests from publishers (over TLS on loopback) and from a mirror's manifest."""

from __future__ import annotations

import json
import ssl

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release.http import Client
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock import collect
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.errors import LockError
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.wanted import Download
from release_server import html, reset, serving, short, status, whole

A, B = "a" * 64, "b" * 64


@pytest.fixture
def https(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    with serving(context) as running:
        yield running


@pytest.fixture
def client(certificates):
    return Client(timeout=5, ca_path=str(certificates.ca), use_proxy=False)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch):
    monkeypatch.setattr(collect.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(collect.body, "__defaults__", (lambda _seconds: None,))


def both_machines(base: str, version: str = "1.0", sums: str = "/sums") -> list[Download]:
    return [
        Download("demo", version, f"{base}/demo-{version}.linux-{arch}.tar.gz", base + sums)
        for arch in ("amd64", "arm64")
    ]


def listing(version: str = "1.0", arches: str = "amd64 arm64") -> bytes:
    return "".join(f"{A}  demo-{version}.linux-{arch}.tar.gz\n" for arch in arches.split()).encode()


def test_one_request_for_all_machines(https, client):
    https.publish("/sums", whole(listing()))
    said = []
    found = collect.from_publishers(both_machines(https.url), client, said.append)
    assert found.digests == {download.url: A for download in both_machines(https.url)}
    assert (found.problems, found.notes) == ([], [])
    assert said == [f"demo 1.0: {https.url}/sums"]
    assert https.asked("/sums") == 1


def test_a_sums_file_per_download(https, client):
    wanted = [
        Download("uv", "1", f"{https.url}/uv-{machine}.tar.gz", f"{https.url}/uv-{machine}.tar.gz.sha256")
        for machine in ("x86_64", "aarch64")
    ]
    https.publish("/uv-x86_64.tar.gz.sha256", whole(f"{A} *uv-x86_64.tar.gz\n".encode()))
    https.publish("/uv-aarch64.tar.gz.sha256", whole(f"{B} *uv-aarch64.tar.gz\n".encode()))
    assert sorted(collect.from_publishers(wanted, client, print).digests.values()) == [A, B]


def test_a_kind_of_machine_that_is_not_published_is_a_note(https, client):
    https.publish("/sums", whole(listing(arches="amd64")))
    found = collect.from_publishers(both_machines(https.url), client, print)
    assert list(found.digests.values()) == [A]
    assert found.problems == []
    assert found.notes == [
        f"{https.url}/sums lists no demo-1.0.linux-arm64.tar.gz: hosts of that kind cannot install demo 1.0"
    ]


def test_a_version_that_is_not_published_is_a_problem(https, client):
    https.publish("/sums", whole(listing("9.9")))
    found = collect.from_publishers(both_machines(https.url), client, print)
    assert found.digests == {}
    assert len(found.problems) == 2
    assert "lists no demo-1.0.linux-amd64.tar.gz. Is 1.0 a version of demo" in found.problems[0]


def test_every_problem_is_named_at_once(https, client):
    https.publish("/good", whole(listing("1.0")))
    https.publish("/page", html())
    wanted = [
        *both_machines(https.url, "1.0", "/good"),
        *both_machines(https.url, "2.0", "/missing"),
        *both_machines(https.url, "3.0", "/page"),
        *both_machines(https.url.replace("https:", "http:"), "4.0", "/plain"),
    ]
    found = collect.from_publishers(wanted, client, print)
    assert len(found.digests) == 2
    assert [problem.split(": ", 1)[1] for problem in found.problems] == [
        "HTTP 404 Not Found",
        "holds no sha256 at all; is it the right address?",
        "is not https, so anybody on the way could change it. "
        "Take the digests from a mirror that you trust with --from-mirror",
    ]


def test_a_certificate_that_is_not_trusted(https):
    https.publish("/sums", whole(listing()))
    found = collect.from_publishers(both_machines(https.url), Client(timeout=5, use_proxy=False), print)
    assert found.digests == {}
    assert "certificate verify failed" in found.problems[0]
    assert https.requests == []


def test_no_way_down_from_https(https, client, publisher):
    https.publish("/sums", status(302, Location=publisher.publish("/sums", whole(listing()))))
    found = collect.from_publishers(both_machines(https.url), client, print)
    assert "which is not encrypted" in found.problems[0]
    assert publisher.requests == []


@pytest.mark.parametrize("bad", [status(503), status(429), reset, short(listing(), 10)])
def test_a_failure_that_passes(https, client, bad):
    https.publish("/sums", bad, bad, whole(listing()))
    assert len(collect.from_publishers(both_machines(https.url), client, print).digests) == 2


def test_a_failure_that_stays(https, client):
    https.publish("/sums", status(500))
    found = collect.from_publishers(both_machines(https.url), client, print)
    assert found.problems == [f"{https.url}/sums: HTTP 500 Internal Server Error"]
    assert https.asked("/sums") == collect.TRIES


def test_endless_sums(https, client, monkeypatch):
    monkeypatch.setattr(collect, "MAX_BYTES", 10)
    https.publish("/sums", whole(listing()))
    assert (
        "which no list of checksums has" in collect.from_publishers(both_machines(https.url), client, print).problems[0]
    )


def manifest(**files: str) -> str:
    return json.dumps({"files": {path: {"sha256": digest, "size": 1, "source": "x"} for path, digest in files.items()}})


def test_manifest():
    wanted = both_machines("https://h")
    paths = {"archives/h/demo-1.0.linux-amd64.tar.gz": A, "archives/h/demo-1.0.linux-arm64.tar.gz": B, "apt/x.deb": A}
    found = collect.from_manifest(wanted, manifest(**paths), "M")
    assert found.digests == {wanted[0].url: A, wanted[1].url: B}
    assert (found.problems, found.notes) == ([], [])


def test_manifest_of_one_kind_of_machine():
    found = collect.from_manifest(
        both_machines("https://h"), manifest(**{"archives/h/demo-1.0.linux-amd64.tar.gz": A}), "M"
    )
    assert len(found.digests) == 1
    assert "M has no archives/h/demo-1.0.linux-arm64.tar.gz" in found.notes[0]


def test_manifest_without_the_version():
    found = collect.from_manifest(both_machines("https://h"), manifest(), "M")
    assert len(found.problems) == 2


def test_manifest_with_a_bad_digest():
    found = collect.from_manifest(
        both_machines("https://h")[:1], manifest(**{"archives/h/demo-1.0.linux-amd64.tar.gz": "x"}), "M"
    )
    assert "'x' is no sha256" in found.problems[0]


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"files": []}', '{"files": {"a": {}}}', '{"files": {"a": 1}}'])
def test_no_manifest(text):
    with pytest.raises(LockError, match="is no manifest"):
        collect.from_manifest([], text, "M")


def test_where_a_manifest_lies(tmp_path, publisher, client):
    (tmp_path / "MANIFEST.json").write_text("here")
    assert collect.manifest(str(tmp_path), client) == ("here", f"{tmp_path}/MANIFEST.json")
    publisher.publish("/m/MANIFEST.json", whole(b"there"))
    assert collect.manifest(publisher.url + "/m/", client) == ("there", publisher.url + "/m/MANIFEST.json")
    with pytest.raises(LockError, match=r"Is .* the folder of a mirror"):
        collect.manifest(str(tmp_path / "nowhere"), client)
    with pytest.raises(LockError, match="--from-mirror: gpufleet_mirror is 'ftp://m'"):
        collect.manifest("ftp://m", client)
