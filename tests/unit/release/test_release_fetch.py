"""Downloads from a server that misbehaves in every way that was thought of."""

from __future__ import annotations

import ssl
import time
from dataclasses import replace

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release.errors import (
    AccessDeniedError,
    DownloadError,
    NoSpaceError,
    NotAnArchiveError,
    NotPublishedError,
    TooLargeError,
    WrongDigestError,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.release.fetch import Limits, Source, download
from ansible_collections.gpufleet.serving.plugins.module_utils.release.http import Client
from release_server import (
    endless,
    hang,
    head,
    html,
    reset,
    serving,
    sha256,
    short,
    status,
    trickle,
    whole,
    without_length,
)

BODY = bytes(range(256)) * 4096
CLIENT = Client(timeout=5, use_proxy=False)
LIMITS = Limits(retries=3, backoff=0.01, deadline=60)


class Fetch:
    """Downloads a path of the publisher and remembers the pauses between the tries."""

    def __init__(self, publisher, folder):
        self.publisher, self.path, self.pauses = publisher, folder / "download", []

    def __call__(self, *answers, body=BODY, client=CLIENT, limits=LIMITS, path="/file.tar.gz"):
        url = self.publisher.publish(path, *answers) if answers else self.publisher.url + path
        return download(Source(url, url, sha256(body)), str(self.path), client, limits, self.pauses.append)

    def ranges(self):
        return [headers.get("Range") for _path, headers in self.publisher.requests]


@pytest.fixture
def fetch(publisher, tmp_path):
    return Fetch(publisher, tmp_path)


def test_whole_body(fetch):
    assert fetch(whole(BODY)) == len(BODY)
    assert fetch.path.read_bytes() == BODY
    assert fetch.pauses == []


def test_body_without_a_length(fetch):
    assert fetch(without_length(BODY)) == len(BODY)


@pytest.mark.parametrize("bad", [status(500), status(502), status(503), status(504), status(429), status(408), reset])
def test_a_failure_that_passes(fetch, bad):
    assert fetch(bad, bad, whole(BODY)) == len(BODY)
    assert len(fetch.pauses) == 2


def test_pauses_grow_and_vary(fetch):
    limits = Limits(retries=5, backoff=1, deadline=1000)
    with pytest.raises(DownloadError):
        fetch(status(503), limits=limits)
    for number, pause in enumerate(fetch.pauses):
        assert 0.5 * 2**number <= pause <= 1.5 * 2**number
    assert len({round(pause / 2**number, 6) for number, pause in enumerate(fetch.pauses)}) > 1


def test_the_server_may_ask_for_a_longer_pause(fetch):
    fetch(status(503, Retry_After="7"), status(429, Retry_After="9999"), whole(BODY))
    assert fetch.pauses == [7, 30]


def test_server_that_stays_broken(fetch):
    with pytest.raises(
        DownloadError, match=r"/file\.tar\.gz could not be downloaded; tried 4 times, the last time: HTTP 500"
    ):
        fetch(status(500))


def test_nobody_listens(publisher, tmp_path):
    with serving() as gone:
        url = gone.url + "/file"
    with pytest.raises(
        DownloadError, match=r"tried twice|tried 2 times.*Connection refused.*set gpufleet_mirror"
    ) as caught:
        download(Source(url, url, "0" * 64), str(tmp_path / "f"), CLIENT, replace(LIMITS, retries=1), lambda _: None)
    assert caught.value.facts["tries"] == 2


def test_mirror_down(tmp_path):
    with serving() as gone:
        address = gone.url + "/archives/github.com/file"
    source = Source("https://github.com/file", address, "0" * 64)
    with pytest.raises(DownloadError, match=r"Is the mirror up and reachable") as caught:
        download(source, str(tmp_path / "f"), CLIENT, replace(LIMITS, retries=0), lambda _: None)
    assert f"{address} (the mirror's copy of https://github.com/file)" in str(caught.value)


def test_unknown_host(tmp_path):
    url = "http://no-such-host.invalid/file"
    with pytest.raises(DownloadError, match=r"tried once, the last time: .*(not known|resolution)"):
        download(Source(url, url, "0" * 64), str(tmp_path / "f"), CLIENT, replace(LIMITS, retries=0), lambda _: None)


def test_not_found_is_not_tried_again(fetch, publisher):
    with pytest.raises(NotPublishedError, match=r"/file\.tar\.gz: HTTP 404.*Is the version spelt right"):
        fetch(status(404))
    assert len(publisher.requests) == 1


def test_the_mirror_lacks_it(publisher, tmp_path):
    source = Source("https://github.com/file", publisher.url + "/archives/github.com/file", "0" * 64)
    with pytest.raises(NotPublishedError, match=r"copy of https://github\.com/file\): HTTP 404.*The mirror lacks it"):
        download(source, str(tmp_path / "f"), CLIENT, LIMITS, lambda _: None)


@pytest.mark.parametrize("code", [401, 403])
def test_access_denied(fetch, publisher, code):
    with pytest.raises(AccessDeniedError, match=f"HTTP {code}.*url_username and url_password, or token"):
        fetch(status(code))
    assert len(publisher.requests) == 1


def test_another_status_is_not_tried_again(fetch, publisher):
    with pytest.raises(DownloadError, match="HTTP 418"):
        fetch(status(418))
    assert len(publisher.requests) == 1


def test_half_a_download_goes_on_where_it_ended(fetch):
    assert fetch(short(BODY, 700_000), whole(BODY)) == len(BODY)
    assert fetch.ranges() == [None, "bytes=700000-"]
    assert fetch.path.read_bytes() == BODY


def test_the_rest_is_only_taken_from_the_same_file(fetch, publisher):
    fetch(short(BODY, 1000, ETag='"one"'), whole(BODY))
    assert publisher.requests[1][1]["If-Range"] == '"one"'


def test_a_weak_etag_is_no_proof(fetch, publisher):
    fetch(short(BODY, 1000, ETag='W/"one"', Last_Modified="Mon, 05 Oct 2026 10:00:00 GMT"), whole(BODY))
    assert publisher.requests[1][1]["If-Range"] == "Mon, 05 Oct 2026 10:00:00 GMT"


def test_a_server_without_ranges_starts_again(fetch):
    assert fetch(short(BODY, 700_000), whole(BODY, ranges=False)) == len(BODY)
    assert fetch.path.read_bytes() == BODY


def test_a_rest_that_does_not_fit_is_thrown_away(fetch):
    assert fetch(short(b"x" * len(BODY), 5000), whole(BODY), whole(BODY)) == len(BODY)
    assert fetch.ranges() == [None, "bytes=5000-", None]


def test_another_part_than_the_one_asked_for(fetch):
    odd = head(206, Content_Length=str(len(BODY)), Content_Range=f"bytes 0-{len(BODY) - 1}/{len(BODY)}")
    assert fetch(short(BODY, 5000), odd, whole(BODY, ranges=False)) == len(BODY)


def test_range_not_satisfiable(fetch):
    assert fetch(short(BODY, 5000), status(416), whole(BODY)) == len(BODY)
    assert fetch.ranges() == [None, "bytes=5000-", None]


def test_always_truncated(fetch):
    with pytest.raises(DownloadError, match=f"the connection ended after 10 of {len(BODY)} bytes"):
        fetch(short(BODY, 10), short(BODY, 10), short(BODY, 10), short(BODY, 10))


def test_slow_but_alive(fetch):
    body = BODY[:2000]
    assert fetch(trickle(body, 100, 0.02), body=body, client=replace(CLIENT, timeout=0.5)) == 2000


def test_stalled(fetch):
    started = time.monotonic()
    client = replace(CLIENT, timeout=0.2)
    with pytest.raises(DownloadError, match="timed out after 3 of 9 bytes"):
        fetch(trickle(b"123456789", 3, 5), body=b"123456789", client=client, limits=replace(LIMITS, retries=0))
    assert time.monotonic() - started < 3


def test_no_answer_at_all(fetch):
    with pytest.raises(DownloadError, match=r"tried once, the last time: .*timed out"):
        fetch(hang(2), client=replace(CLIENT, timeout=0.2), limits=replace(LIMITS, retries=0))


def test_a_trickle_does_not_outlast_the_deadline(fetch):
    started = time.monotonic()
    with pytest.raises(DownloadError, match=r"bytes came within 0\.5 s, which is all the time it may take"):
        fetch(trickle(BODY, 1, 0.01), limits=replace(LIMITS, deadline=0.5))
    assert time.monotonic() - started < 3


def test_no_more_tries_after_the_deadline(fetch):
    with pytest.raises(DownloadError, match="tried once"):
        fetch(status(503), limits=Limits(retries=50, backoff=10, deadline=1))


def test_wrong_checksum(fetch, publisher):
    other = b"tampered" * 100
    with pytest.raises(WrongDigestError) as caught:
        fetch(whole(other))
    text = str(caught.value)
    for part in (publisher.url + "/file.tar.gz", sha256(BODY), sha256(other), "800 bytes", "Nothing was unpacked"):
        assert part in text
    assert caught.value.facts["expected"] == sha256(BODY)
    assert caught.value.facts["got"] == sha256(other)
    assert len(publisher.requests) == 1


def test_a_web_page_instead_of_an_archive(fetch):
    with pytest.raises(NotAnArchiveError, match=r"the answer is a web page, .* of text/html, instead of the release"):
        fetch(html())


def test_a_web_page_without_a_type(fetch):
    with pytest.raises(NotAnArchiveError):
        fetch(whole(b"\n <html>", ranges=False))


def test_a_page_that_is_wanted(fetch):
    body = b"<html>really</html>"
    assert fetch(html(body.decode()), body=body) == len(body)


def test_announced_as_too_large(fetch):
    with pytest.raises(
        TooLargeError, match=r"1\.0 MiB or more, but at most 0\.5 MiB are allowed. Raise max_download_mb"
    ):
        fetch(whole(BODY), limits=replace(LIMITS, max_bytes=512 * 1024))
    assert not fetch.path.stat().st_size


def test_endless(fetch):
    with pytest.raises(TooLargeError):
        fetch(endless(b"x" * 65536), limits=replace(LIMITS, max_bytes=1024 * 1024))


def test_announced_as_larger_than_the_disk(fetch):
    with pytest.raises(NoSpaceError, match=r"not enough space to download .*it needs .* MiB, .* MiB are available"):
        fetch(head(200, Content_Length=str(2**60)), limits=replace(LIMITS, max_bytes=2**62))


BASIC = replace(CLIENT, username="me", password="secret")  # noqa: S106
BEARER = replace(CLIENT, token="secret")  # noqa: S106


@pytest.mark.parametrize(("client", "header"), [(BASIC, "Basic bWU6c2VjcmV0"), (BEARER, "Bearer secret")])
def test_credentials_go_to_the_host_that_is_asked_and_to_no_other(fetch, publisher, client, header):
    with serving() as other:
        elsewhere = other.publish("/file", whole(BODY))
        publisher.publish("/same-host", status(302, Location=elsewhere))
        fetch(status(307, Location="/same-host"), client=client)
        assert [headers.get("Authorization") for _path, headers in publisher.requests] == [header, header]
        assert [headers.get("Authorization") for _path, headers in other.requests] == [None]


def test_the_secret_is_in_no_error(fetch):
    for answer in (status(401), status(404), status(500), whole(b"x"), html()):
        with pytest.raises(DownloadError) as caught:
            fetch(answer, client=BASIC)
        assert "secret" not in str(caught.value)
    assert "secret" not in repr(BASIC)


def test_the_machines_netrc_is_not_asked(fetch, publisher, tmp_path, monkeypatch):
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret\n")
    (tmp_path / "netrc").chmod(0o600)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    fetch(whole(BODY))
    assert "Authorization" not in publisher.requests[0][1]


def test_redirects_in_circles(fetch):
    with pytest.raises(DownloadError, match="more than 10 redirects"):
        fetch(status(302, Location="/file.tar.gz"))


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://h/x"])
def test_redirect_to_something_else_than_http(fetch, target):
    with pytest.raises(DownloadError, match=f"redirects to {target}, which is no http address|not allowed"):
        fetch(status(302, Location=target))


@pytest.fixture
def tls(certificates):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificates.server, certificates.key)
    with serving(context) as running:
        yield running


def test_a_private_authority(tls, certificates, tmp_path):
    url = tls.publish("/file", whole(BODY))
    source, path = Source(url, url, sha256(BODY)), str(tmp_path / "f")
    with pytest.raises(
        DownloadError, match=r"certificate of 127\.0\.0\.1 is not trusted: .*give its certificate as ca_path"
    ):
        download(source, path, CLIENT, LIMITS, lambda _: None)
    assert download(source, path, replace(CLIENT, ca_path=str(certificates.ca)), LIMITS) == len(BODY)
    assert download(source, path, replace(CLIENT, validate_certs=False), LIMITS) == len(BODY)
    with pytest.raises(DownloadError, match="ca_path: /nowhere does not exist on this host"):
        download(source, path, replace(CLIENT, ca_path="/nowhere"), LIMITS)


def test_no_way_down_from_https(tls, publisher, certificates, tmp_path):
    url = tls.publish("/file", status(302, Location=publisher.publish("/file", whole(BODY))))
    client = replace(CLIENT, ca_path=str(certificates.ca))
    with pytest.raises(DownloadError, match="which is not encrypted"):
        download(Source(url, url, sha256(BODY)), str(tmp_path / "f"), client, LIMITS, lambda _: None)
    assert publisher.requests == []
