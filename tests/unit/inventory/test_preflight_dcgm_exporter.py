"""What the variables of dcgm-exporter must say together."""

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.dcgm.releases import ROLE
from ansible_collections.gpufleet.serving.plugins.plugin_utils.preflight.dcgm_exporter import problems

DEFAULTS = yaml.safe_load((ROLE / "defaults" / "main.yml").read_text(encoding="utf-8"))


def said(**values) -> str:
    return "\n".join(problems({**DEFAULTS, **{f"dcgm_exporter_{name}": value for name, value in values.items()}}))


def test_the_defaults_have_no_problem():
    assert said() == ""


@pytest.mark.parametrize("engine", ["localhost:5555", "10.0.0.4:5555", "[::1]:5555", "embedded"])
def test_an_engine_is_embedded_or_somewhere(engine):
    assert said(engine=engine) == ""


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"dcgm_version": "4.5.2"}, "goes with DCGM 4.5.3, not 4.5.2"),
        ({"version": "9.9.9"}, "is not known here"),
        ({"version": "latest", "dcgm_version": "4.5.3"}, "'latest' is no version"),
        ({"engine": "localhost"}, "write embedded, or host:port"),
        ({"engine": "http://h:5555"}, "write embedded, or host:port"),
        ({"port": 0}, "0 is no port"),
        ({"collect_interval": 10}, "10 ms would keep the GPUs busy"),
        ({"counters": [{"field": "DCGM_FI_DEV_GPU_TMP"}]}, "did you mean DCGM_FI_DEV_GPU_TEMP?"),
        ({"counters": [{"field": "DCGM_FI_PROF_SM_OCCUPANCY"}], "profiling": False}, "needs dcgm_exporter_profiling"),
        ({"counters_exclude": ["DCGM_FI_DEV_FB_USED"]}, "must stay"),
        ({"counters_exclude": ["DCGM_FI_DEV_SERIAL"]}, "nothing to leave out"),
        ({"web_config": {"basic_auth_users": {"a": "b"}}}, "set dcgm_exporter_check_username"),
        ({"flags": {"a": ":9401"}}, "a is set by dcgm_exporter_listen_host"),
        ({"flags": {"collectors": "x"}}, "collectors is set by dcgm_exporter_counters"),
    ],
)
def test_a_problem_says_what_to_write_instead(values, message):
    assert message in said(**values)


def test_nothing_is_asked_of_a_host_that_gives_it_up():
    assert said(state="absent", port=0) == ""


def test_the_role_hands_over_every_variable_that_is_judged():
    handed = yaml.safe_load((ROLE / "vars" / "main.yml").read_text(encoding="utf-8"))["__dcgm_exporter_values"]
    assert problems({name: DEFAULTS[name] for name in handed}) == []
