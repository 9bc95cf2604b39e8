#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: vllm_completion
short_description: Ask a vLLM server for a real completion
description:
  - Posts to C(/v1/completions), the only proof that a model server serves. C(/health) is fine long before that, and
    also while the model answers nonsense or nothing.
  - Asks for a few tokens at temperature 0, and checks that some came back and that the model is the one asked for.
author: The gpufleet maintainers
extends_documentation_fragment:
  - gpufleet.serving.http
  - gpufleet.serving.check
options:
  model:
    description: The served name of the model.
    type: str
    required: true
  prompt:
    description: What the model is asked to go on with.
    type: str
    default: The capital of France is
  max_tokens:
    description: How many tokens it may answer with.
    type: int
    default: 8
"""

EXAMPLES = r"""
- name: Ask for a completion
  gpufleet.serving.vllm_completion:
    url: http://127.0.0.1:8000
    model: llama-3-8b
    token: "{{ vault_vllm_api_key }}"
    deadline: 60
"""

RETURN = r"""
text:
  description: What the model answered.
  type: str
  returned: when it answered
completion_tokens:
  description: How many tokens it answered with.
  type: int
  returned: when it answered
seconds:
  description: Seconds from the request to the whole answer.
  type: float
  returned: when it answered
passed:
  description: Whether a completion came back.
  type: bool
  returned: always
problems:
  description: Why none did, each with the remedy.
  type: list
  elements: str
  returned: always
"""

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.gpufleet.serving.plugins.module_utils.http import (
    CONNECTION_RULES,
    Connection,
    connection_spec,
    send,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.verdict import Verdict, check_spec, keep_trying

CHECK = "completion"


def ask(connection: Connection, url: str, model: str, prompt: str, max_tokens: int, check_mode: bool) -> Verdict:
    """One completion and what it says of the server."""
    subject = f"{url} {model}"
    request = {"model": model, "prompt": prompt, "max_tokens": max_tokens, "temperature": 0}
    try:
        answer = send(connection, f"{url}/v1/completions", method="POST", body=request)
        document = answer.json()
    except HttpError as error:
        return Verdict.from_error(CHECK, subject, error, check_mode)
    return judge(document, subject, model, answer.seconds)


def judge(document: dict, subject: str, model: str, seconds: float) -> Verdict:
    """Whether the answer of /v1/completions (OpenAI's API) is a completion by the model asked for."""
    try:
        choice, tokens = document["choices"][0], int(document["usage"]["completion_tokens"])
        text, served = choice["text"], document["model"]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        problem = f"{subject}: the answer is no completion ({type(error).__name__}: {error}); is this vLLM's own port?"
        return Verdict(CHECK, subject, problems=[problem])
    problems = []
    if tokens < 1:
        problems.append(f"{subject}: expected at least one token, found none; see the service's journal")
    if served != model:
        problems.append(f"{subject}: expected an answer by {model}, found one by {served}; does a proxy route it?")
    values = {"text": text, "completion_tokens": tokens, "seconds": round(seconds, 3)}
    return Verdict(CHECK, subject, problems, detail=f"{tokens} tokens in {seconds:.2f} s", values=values)


def main() -> None:
    spec = connection_spec()
    spec["timeout"] = {"type": "float", "default": 60.0}
    module = AnsibleModule(
        argument_spec={
            **spec,
            **check_spec(),
            "model": {"type": "str", "required": True},
            "prompt": {"type": "str", "default": "The capital of France is"},
            "max_tokens": {"type": "int", "default": 8},
        },
        supports_check_mode=True,
        **CONNECTION_RULES,
    )
    params = module.params
    connection, url = Connection.from_params(params), params["url"].rstrip("/")
    verdict = keep_trying(
        lambda: ask(connection, url, params["model"], params["prompt"], params["max_tokens"], module.check_mode),
        params["deadline"],
        params["interval"],
    )
    module.exit_json(**verdict.as_result(params["on_problem"]))


if __name__ == "__main__":
    main()
