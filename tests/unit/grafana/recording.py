"""Answers of a real Grafana 7.5.5, and of later servers in the shape that their documentation gives."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "recordings" / "grafana-7.5.5" / "api.json"
EXCHANGES = {one["name"]: one for one in json.loads(FILE.read_text(encoding="utf-8"))["exchanges"]}

# The dashboard of the recording, as its file would be.
VLLM = copy.deepcopy(EXCHANGES["dashboard create in a folder (by id)"]["request"]["body"]["dashboard"])
del VLLM["panels"][0]["datasource"]
FLEET = EXCHANGES["folder by uid"]["response"]["body"]
NOT_FOUND = EXCHANGES["dashboard by uid, absent"]["response"]["body"]
NO_FOLDER = EXCHANGES["folder by uid, absent"]["response"]["body"]


def response(name: str) -> tuple[Any, int]:
    """Body and status of a recorded answer."""
    found = EXCHANGES[name]["response"]
    return copy.deepcopy(found["body"]), found["status"]


def dashboard_answer(model: dict, version: int = 1, **meta: Any) -> dict:
    """What 7.5.5 answers for a dashboard that holds `model`, in the folder `fleet` unless `meta` says otherwise."""
    recorded, _status = response("dashboard by uid")
    recorded["meta"].update(version=version, **meta)
    recorded["dashboard"] = {**copy.deepcopy(model), "id": 2, "version": version}
    return recorded


def resource(model: dict, folder: str = "fleet", version: str = "1001", generation: int = 1, **notes: str) -> dict:
    """A dashboard of /apis."""
    annotations = {"grafana.app/createdBy": "user:u1", **notes}
    if folder:
        annotations["grafana.app/folder"] = folder
    return {
        "kind": "Dashboard",
        "apiVersion": "dashboard.grafana.app/v1",
        "metadata": {
            "name": model["uid"],
            "namespace": "default",
            "resourceVersion": version,
            "generation": generation,
            "creationTimestamp": "2026-11-25T00:48:51Z",
            "annotations": annotations,
        },
        "spec": {key: value for key, value in model.items() if key != "uid"},
        "status": {},
    }
