"""What the variables of Prometheus must say together."""

from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.preflight.prometheus import problems

DEFAULTS = yaml.safe_load((Path(__file__).parents[3] / "roles/prometheus/defaults/main.yml").read_text())
WRITE = [{"url": "https://centre.example/api/v1/write"}]


def test_the_defaults_are_in_order():
    assert problems(DEFAULTS) == []


def test_an_agent_that_sends_on_is_in_order():
    assert problems({**DEFAULTS, "prometheus_mode": "agent", "prometheus_remote_write": WRITE}) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"prometheus_mode": "agent"}, "set prometheus_remote_write"),
        (
            {"prometheus_mode": "agent", "prometheus_remote_write": WRITE, "prometheus_alerting": {"a": 1}},
            "no alerting",
        ),
        (
            {"prometheus_mode": "agent", "prometheus_remote_write": WRITE, "prometheus_extra_rules": {"a": 1}},
            "no rules",
        ),
        ({"prometheus_scrape_interval": "15"}, "15s"),
        ({"prometheus_retention_time": "a month"}, "30d"),
        ({"prometheus_retention_size": "200 gigs"}, "200GB"),
        ({"prometheus_port": 0}, "1 to 65535"),
        ({"prometheus_web_config": {"basic_auth_users": {"a": "b"}}}, "prometheus_check_username"),
        ({"prometheus_secrets": {"../x": "y"}}, "plain file name"),
    ],
)
def test_each_contradiction_is_named_with_its_remedy(changes, said):
    (problem,) = problems({**DEFAULTS, **changes})
    assert said in problem
