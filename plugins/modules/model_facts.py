#!/usr/bin/python
# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: model_facts
short_description: Read what is known of models, and of the GPUs they are to run on
description:
  - For each model its C(config.json) and the size of its weights, from a folder on the host; where it is not there yet,
    from the publisher or a mirror, of which nothing but C(config.json) and C(model.safetensors.index.json) is fetched.
  - What cannot be found out is no failure; RV(models) says why.
author: The gpufleet maintainers
options:
  models:
    description: What to look at.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description: Key in the result.
        type: str
        required: true
      folders:
        description: Where it may lie on the host; the first one with a C(config.json) counts.
        type: list
        elements: path
        default: []
      url:
        description: Where the publisher has its files; the name of a file follows after a slash.
        type: str
      path:
        description: Folder that O(models[].files) are going to be fetched to.
        type: path
      files:
        description: >-
          Relative path -> sha256 of the model's files. Those that are fetched here are checked, and lie ready for
          M(gpufleet.serving.model_files).
        type: dict
        default: {}
      mirror_path:
        description: Where the mirror has the files, relative to its root.
        type: str
      why:
        description: Why nothing can be fetched, if it is not on the host.
        type: str
  gpus:
    description: Look at the GPUs too.
    type: bool
    default: false
  mirror:
    description: Address of a mirror to fetch from instead. Must not hold credentials, since it is logged.
    type: str
  token:
    description: Bearer token for the publisher. Never sent to a mirror, nor to a host that the publisher redirects to.
    type: str
  timeout:
    description: Seconds to wait for each answer.
    type: float
    default: 10
  ca_path:
    description: File of certificates on the host that are trusted instead of the system's.
    type: path
  use_proxy:
    description: Whether to follow C(http_proxy), C(https_proxy) and C(no_proxy) of the environment.
    type: bool
    default: true
attributes:
  check_mode:
    description: Does the same, but keeps nothing of what it fetched.
    support: full
  diff_mode:
    description: Changes nothing but what it fetches.
    support: none
"""

EXAMPLES = r"""
- name: See what a model needs
  gpufleet.serving.model_facts:
    models:
      - {name: llama, folders: [/srv/models/llama-3.1-8b]}
    gpus: true
"""

RETURN = r"""
models:
  description: By name.
  type: dict
  returned: always
  contains:
    config:
      description: Content of config.json.
      type: dict
    weights:
      description: C(bytes) of the weights, C(source) of that number and, from headers, C(dtypes), bytes per data type.
      type: dict
    found:
      description: The folder or address they are from.
      type: str
    why:
      description: Why nothing is known.
      type: str
gpus:
  description: C(index), C(memory_mib) and C(name) of each GPU.
  type: list
  elements: dict
  returned: with O(gpus)
"""

from ansible.module_utils.basic import AnsibleModule

from ..module_utils import sources
from ..module_utils.gpu import pci, programs, smi
from ..module_utils.gpu.roots import Roots
from ..module_utils.model import facts
from ..module_utils.model.errors import ModelError
from ..module_utils.model.folder import Folder
from ..module_utils.model.request import base_address
from ..module_utils.release.errors import BusyError
from ..module_utils.release.http import Client

ARGUMENTS = {
    "models": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {
            "name": {"type": "str", "required": True},
            "folders": {"type": "list", "elements": "path", "default": []},
            "url": {"type": "str"},
            "path": {"type": "path"},
            "files": {"type": "dict", "default": {}},
            "mirror_path": {"type": "str"},
            "why": {"type": "str"},
        },
    },
    "gpus": {"type": "bool", "default": False},
    "mirror": {"type": "str"},
    "token": {"type": "str", "no_log": True},
    "timeout": {"type": "float", "default": 10},
    "ca_path": {"type": "path"},
    "use_proxy": {"type": "bool", "default": True},
}


def look(model: dict, params: dict, check_mode: bool) -> tuple[dict, bool]:
    """The facts of one model, and whether something was put on disk for them."""
    locked = None
    if model["files"]:
        digests = {str(name): str(digest).lower() for name, digest in model["files"].items()}
        locked = Folder((model["path"] or "").rstrip("/"), digests)
        locked.check()
    folders = list(model["folders"]) + ([locked.part] if locked else [])
    found = facts.read(folders)
    if found:
        return found, False
    if model["why"] or not model["url"]:
        return {"why": model["why"] or f"there is no config.json in {' or '.join(folders) or 'any folder'}"}, False
    client = Client(
        timeout=params["timeout"],
        token=None if params["mirror"] else params["token"],
        ca_path=params["ca_path"],
        use_proxy=params["use_proxy"],
    )
    base = base_address(model["url"], params["mirror"], model["mirror_path"])
    keep = locked is not None and not check_mode
    return facts.fetch(client, base, locked, keep), keep


def look_at_all(params: dict, check_mode: bool) -> dict:
    """The module's result; what goes wrong with one model is said in its place."""
    result, changed = {}, False
    for model in params["models"]:
        try:
            result[model["name"]], kept = look(model, params, check_mode)
            changed = changed or kept
        except (ModelError, sources.SourceError, BusyError) as error:
            result[model["name"]] = {"why": str(error)}
        except OSError as error:
            result[model["name"]] = {"why": f"{error.filename or model['name']}: {error.strerror}"}
    return {"changed": changed, "models": result}


def read_gpus(roots: Roots, ask: programs.Asker) -> list:
    """The GPUs in the order of nvidia-smi and CUDA_DEVICE_ORDER=PCI_BUS_ID."""
    described, _ = pci.described(pci.devices(roots), roots, smi.ask_cards(ask) or {})
    keys = ("index", "memory_mib", "name")
    return [{key: device[key] for key in keys} for device in described if device["kind"] == "gpu"]


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    result = look_at_all(module.params, module.check_mode)
    if module.params["gpus"]:
        result["gpus"] = read_gpus(Roots(), programs.ask)
    module.exit_json(**result)


if __name__ == "__main__":
    main()
