"""What the driver's variables must say together."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.preflight.nvidia_driver import problems

ROOT = Path(__file__).resolve().parents[3]
DEFAULTS = yaml.safe_load((ROOT / "roles/nvidia_driver/defaults/main.yml").read_text(encoding="utf-8"))
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n..."


def said(**values):
    return problems({**DEFAULTS, **{f"nvidia_driver_{name}": value for name, value in values.items()}})


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"version": "580.95.05"},
        {"branch": "", "version": "580.95.05"},
        {"source": "distribution", "branch": ""},
        {"source": "mirror", "repository_url": "http://10.0.0.5/nvidia/", "repository_key": KEY},
        {"fabric_manager": True, "signed_modules": False},
        {"state": "absent", "branch": "nonsense"},
    ],
)
def test_in_order(values):
    assert said(**values) == []


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"branch": "latest"}, "'latest'; write a number such as \"580\""),
        ({"branch": "390"}, "525 or later"),
        ({"version": "580.95.05-1"}, "write NVIDIA's own version, such as 580.95.05"),
        ({"version": "590.48.01"}, 'is not of the branch 580; set nvidia_driver_branch: "590"'),
        ({"branch": ""}, "which only the source distribution allows"),
        ({"source": "mirror", "repository_key": KEY}, "write the address of your repository"),
        ({"source": "mirror", "repository_url": "http://h/"}, "must be the armoured public key"),
        ({"source": "mirror", "repository_url": "http://u:p@h/", "repository_key": KEY}, "credentials"),
        ({"repository_url": "http://h/"}, "is for the source mirror"),
        ({"fabric_manager": "yes please"}, "write auto, true or false"),
        ({"reboot_batch": 0}, "write 1 or more"),
    ],
)
def test_one_sentence_per_problem(values, says):
    (sentence,) = said(**values)
    assert says in sentence
