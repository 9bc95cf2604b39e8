"""What counts as a completion, against a server on loopback that answers like vLLM, or wrongly."""

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.http import Connection
from ansible_collections.gpufleet.serving.plugins.modules.vllm_completion import ask

GOOD = {"model": "tiny", "choices": [{"text": " Paris"}], "usage": {"completion_tokens": 2}}


@pytest.fixture
def server():
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            length = int(self.headers["Content-Length"])
            self.server.asked = (self.path, self.headers.get("Authorization"), json.loads(self.rfile.read(length)))
            body = json.dumps(self.server.answer).encode()
            self.send_response(self.server.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.answer, http.status = GOOD, 200
    Thread(target=http.serve_forever, daemon=True).start()
    yield http
    http.shutdown()
    http.server_close()


def completion(server, check_mode=False, **connection):
    url = f"http://127.0.0.1:{server.server_port}"
    return ask(Connection(timeout=5, **connection), url, "tiny", "Hello", 8, check_mode)


def test_a_completion_passes_and_says_what_it_was(server):
    verdict = completion(server)
    assert verdict.passed
    assert verdict.values["text"] == " Paris"
    assert verdict.detail.startswith("2 tokens in ")


def test_it_asks_as_openai_would_with_the_token_in_a_header(server):
    completion(server, token="s3cret")  # noqa: S106 - a made-up one
    path, authorization, body = server.asked
    assert (path, authorization) == ("/v1/completions", "Bearer s3cret")
    assert body == {"model": "tiny", "prompt": "Hello", "max_tokens": 8, "temperature": 0}


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({**GOOD, "usage": {"completion_tokens": 0}}, "at least one token"),
        ({**GOOD, "model": "other"}, "found one by other"),
        ({**GOOD, "choices": []}, "no completion"),
        ({"error": {"message": "x"}}, "no completion"),
        ([], "no completion"),
    ],
)
def test_anything_else_is_a_problem(server, answer, said):
    server.answer = answer
    verdict = completion(server)
    assert not verdict.passed
    assert said in verdict.problems[0]


@pytest.mark.parametrize("status", [401, 404, 500, 503])
def test_a_refusal_is_a_problem_that_names_the_status(server, status):
    server.status = status
    assert str(status) in completion(server).problems[0]


def test_nothing_listening_is_a_problem_except_in_check_mode(server):
    server.shutdown()
    server.server_close()
    assert not completion(server).passed
    in_check_mode = completion(server, check_mode=True)
    assert in_check_mode.passed
    assert not in_check_mode.checked
