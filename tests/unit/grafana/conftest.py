"""The module as Ansible runs it, against a scripted server."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args
from scripted_server import ScriptedServer

ROOT = Path(__file__).resolve().parents[3]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture
def server():
    running = ScriptedServer()
    yield running
    running.finish()


@pytest.fixture
def run_module(capsys):
    """Runs the module in this process; its result."""
    from ansible_collections.gpufleet.serving.plugins.modules import grafana_dashboard as module

    def run(url: str, *models: Any, check: bool = False, **options: Any) -> dict:
        documents = [
            {"name": f"{number}.json", "content": model if isinstance(model, str) else json.dumps(model)}
            for number, model in enumerate(models, 1)
        ]
        arguments = {
            "url": url,
            "url_username": "admin",
            "url_password": "open sesame",
            "dashboards": documents,
            "_ansible_check_mode": check,
            "_ansible_diff": True,
            **options,
        }
        arguments = {name: value for name, value in arguments.items() if value is not None}
        with patch_module_args(arguments), pytest.raises(SystemExit):
            module.main()
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def push(run_module, server):
    """Runs the module against the scripted server, into the folder `fleet`."""

    def run(*models: Any, **options: Any) -> dict:
        return run_module(server.url, *models, **{"folder_uid": "fleet", **options})

    return run
