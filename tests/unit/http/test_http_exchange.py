"""One HTTP exchange with every kind of broken server: a clear error each, and never longer than allowed."""

import time

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.http import Connection, send
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError, visible
from broken_server import PAGE, PASSWORD, TOKEN, USER

# path -> reason, and words that must be in the message
BROKEN = {
    "endless": ("too_large", "more than 50000 bytes"),
    "endless_in_chunks": ("too_large", "more than 50000 bytes"),
    "bomb": ("too_large", "more than 50000 bytes"),
    "truncated": ("truncated", f"ends after {len(PAGE)} of the {len(PAGE) + 100} bytes"),
    "truncated_chunk": ("truncated", "broke in the middle of the body"),
    "truncated_between_chunks": ("truncated", "broke in the middle of the body"),
    "truncated_gzip": ("truncated", "gzip body ends before its end"),
    "not_gzip": ("protocol", "says Content-Encoding gzip, but the body is not gzip"),
    "brotli": ("protocol", "Content-Encoding 'br'"),
    "drip": ("timeout", "no complete answer within 1 s"),
    "drip_head": ("timeout", "no complete answer within 1 s"),
    "silent": ("timeout", "within 1 s"),
    "hang_up": ("protocol", "closes the connection without an answer; does it speak HTTPS there?"),
    "reset": ("protocol", "reset before an answer"),
    "ssh": ("protocol", "does not speak HTTP"),
    "redirect": ("redirect", "redirects (302) to http://127.0.0.1:1/login"),
    "refused": ("auth", "refuses the credentials (401)"),
    "forbidden": ("auth", "refuses the credentials (403)"),
    "missing": ("status", "answers 404, saying '404 page not found'; check the path"),
    "broken": ("status", "answers 500, saying 'something broke:"),
    "starting": ("status", "answers 503, saying 'Service Unavailable'; it is not ready"),
}


@pytest.mark.parametrize("path", BROKEN)
def test_a_broken_answer_is_a_clear_error_in_time(server, path):
    reason, words = BROKEN[path]
    began = time.monotonic()
    with pytest.raises(HttpError) as error:
        send(Connection(timeout=1), f"{server.url}/{path}", max_bytes=50_000)
    assert time.monotonic() - began < 3
    assert error.value.reason == reason
    assert words in str(error.value)
    assert f"{server.url}/{path}" in str(error.value)


@pytest.mark.parametrize("path", ["good", "without_length", "packed"])
def test_a_sound_answer_comes_whole(server, path):
    answer = send(Connection(), f"{server.url}/{path}")
    assert (answer.status, answer.body) == (200, PAGE)
    assert answer.content_type.startswith("text/plain")
    assert 0 < answer.seconds < 5


def test_chunks_are_put_together(server):
    assert send(Connection(), f"{server.url}/chunked").body == b"hello"


def test_nothing_listens():
    with pytest.raises(HttpError, match="nothing listens there; is the service started") as error:
        send(Connection(), "http://127.0.0.1:1/metrics")
    assert (error.value.reason, error.value.retry) == ("refused", True)


def test_a_name_that_does_not_resolve():
    with pytest.raises(HttpError, match="does not resolve") as error:
        send(Connection(), "http://nosuchhost.invalid/metrics")
    assert error.value.reason == "dns"


@pytest.mark.parametrize("url", ["ftp://h/x", "h:9100/metrics", "http:///metrics", "http://[::1/", "http://h:port/"])
def test_a_url_that_is_none(url):
    with pytest.raises(HttpError, match="expected http://HOST:PORT/PATH") as error:
        send(Connection(), url)
    assert (error.value.reason, error.value.retry) == ("url", False)


def test_credentials_do_not_belong_into_the_url():
    with pytest.raises(HttpError) as error:
        send(Connection(), "http://me:secret@127.0.0.1/")
    assert "url_password" in str(error.value)
    assert "secret" not in str(error.value)
    assert visible("http://me:secret@h:1/p?q=1") == "http://h:1/p?q=1"


def test_basic_authentication(server):
    connection = Connection(username=USER, password=PASSWORD)
    assert send(connection, f"{server.url}/basic").body == PAGE


def test_a_bearer_token(server):
    assert send(Connection(token=TOKEN), f"{server.url}/bearer").body == PAGE


def test_own_headers_are_sent_and_win(server):
    echoed = send(Connection(headers={"X-Scope": 7, "Accept": "a/b"}), f"{server.url}/echo", headers={"Accept": "c/d"})
    assert "X-Scope: 7" in echoed.text
    assert "Accept: a/b" in echoed.text
    assert "c/d" not in echoed.text


def test_json_is_sent_as_json(server):
    echoed = send(Connection(), f"{server.url}/echo", method="POST", body={"a": 1})
    assert "Content-Type: application/json" in echoed.text


def test_a_secret_that_the_server_repeats_is_struck_out(server):
    with pytest.raises(HttpError) as error:
        send(Connection(headers={"X": "s3cr3t"}, token=TOKEN), f"{server.url}/broken")
    assert "s3cr3t" not in str(error.value)
    assert TOKEN not in str(error.value)


def test_a_connection_does_not_show_its_secrets():
    shown = repr(Connection(username="u", password=PASSWORD, token=TOKEN, headers={"X": "h3ad"}))
    assert not any(secret in shown for secret in (PASSWORD, TOKEN, "h3ad"))


def test_a_redirect_is_followed_only_when_asked_and_without_credentials(server):
    connection = Connection(follow_redirects="safe", token=TOKEN)
    assert send(connection, f"{server.url}/redirect_home").body == PAGE
    assert f"Authorization: Bearer {TOKEN}" in server.requests[0]
    assert TOKEN not in server.requests[1]


def test_any_status_is_an_answer_to_those_who_ask_for_it(server):
    assert send(Connection(), f"{server.url}/missing", any_status=True).status == 404


def test_a_proxy_of_the_environment_is_not_used_unasked(server, monkeypatch):
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert send(Connection(), f"{server.url}/good").status == 200


def test_what_is_no_json_is_told_with_its_first_words(server):
    with pytest.raises(HttpError, match="expected JSON, found text/html"):
        send(Connection(), f"{server.url}/html").json()


def test_tls_with_the_right_authority(tls_server, certificate):
    assert send(Connection(ca_path=str(certificate[0])), f"{tls_server.url}/good").body == PAGE


def test_tls_without_checking(tls_server):
    assert send(Connection(validate_certs=False), f"{tls_server.url}/good").body == PAGE


def test_tls_that_nobody_vouches_for(tls_server):
    with pytest.raises(HttpError, match=r"not trusted.*ca_path") as error:
        send(Connection(), f"{tls_server.url}/good")
    assert error.value.reason == "tls"


def test_tls_spoken_to_a_plain_server(server):
    with pytest.raises(HttpError, match="write http://"):
        send(Connection(), f"https://{server.address}/good")


def test_plain_spoken_to_a_tls_server(tls_server):
    with pytest.raises(HttpError, match="does it speak HTTPS there"):
        send(Connection(timeout=5), f"http://{tls_server.address}/good")


def test_a_client_certificate(mutual_tls_server, certificate):
    cert, key = map(str, certificate)
    connection = Connection(ca_path=cert, client_cert=cert, client_key=key)
    assert send(connection, f"{mutual_tls_server.url}/good").body == PAGE


def test_a_client_certificate_that_is_not_given(mutual_tls_server, certificate):
    with pytest.raises(HttpError, match="client_cert"):
        send(Connection(ca_path=str(certificate[0])), f"{mutual_tls_server.url}/good")


def test_a_file_that_is_not_there(tls_server):
    with pytest.raises(HttpError, match=r"cannot read /nowhere/ca\.pem on this host") as error:
        send(Connection(ca_path="/nowhere/ca.pem"), f"{tls_server.url}/good")
    assert error.value.reason == "file"
