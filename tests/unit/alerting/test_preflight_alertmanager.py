"""What the variables of Alertmanager must say together."""

import pytest
from alertmanager_values import DEFAULTS, FULL
from ansible_collections.gpufleet.serving.plugins.plugin_utils.preflight.alertmanager import problems

WEBHOOK = {"name": "ops", "type": "webhook", "url": "https://chat.example.com/hook"}
SMALL = {**DEFAULTS, "alertmanager_receivers": [WEBHOOK]}


def receiver(**changes) -> dict:
    return {"alertmanager_receivers": [{**WEBHOOK, **changes}]}


def slack(**changes) -> dict:
    return {
        "alertmanager_receivers": [{"name": "ops", "type": "slack", "channel": "#a", "url_secret": "slack", **changes}],
        "alertmanager_secrets": {"slack": "https://hooks.slack.com/x"},
    }


def route(**changes) -> dict:
    return {"alertmanager_routes": [{"severity": "critical", "receiver": "ops", **changes}]}


def test_one_receiver_is_enough_and_all_together_is_fine():
    assert problems(SMALL) == []
    assert problems(FULL) == []
    assert problems({**SMALL, **slack()}) == []


def test_nobody_is_asked_for_receivers_of_what_is_taken_off():
    assert problems({**DEFAULTS, "alertmanager_state": "absent"}) == []


def test_empty_values_of_the_argument_specs_count_as_not_said():
    assert problems({**SMALL, **receiver(url_secret=None, channel=None, to="", settings={})}) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"alertmanager_receivers": []}, "nobody would be told"),
        (receiver(type="telegram"), "'telegram' is none of webhook, email, slack, pagerduty"),
        (receiver(url=None), "needs url or url_secret"),
        (receiver(url="chat.example.com"), "http:// or https://"),
        (receiver(channel="#a"), "channel belongs to receivers of type slack"),
        (receiver(name="nowhere"), "nowhere is taken"),
        (receiver(**{"token_secret": "tok"}), "alertmanager_secrets has no tok; add it there"),
        (
            receiver(settings={"http_config": {"basic_auth": {"password": "x"}}}),
            "basic_auth.password would",
        ),
        (slack(**{"url_secret": "slak"}), "alertmanager_secrets has no slak; did you mean slack?"),
        (slack(channel=None), "needs channel"),
        (slack(settings={"api_url": "https://hooks.slack.com/x"}), "api_url would put a secret"),
        (
            {
                **receiver(type="email", url=None, to="ops"),
                "alertmanager_smtp": {"smarthost": "m:25", "from": "a@example.com"},
            },
            "'ops' is no mail address",
        ),
        (
            {
                **receiver(type="email", url=None, to="ops@example.com"),
                "alertmanager_smtp": {"smarthost": "m", "from": "a@example.com"},
            },
            "as host:port",
        ),
        (
            {
                **receiver(type="email", url=None, to="ops@example.com"),
                "alertmanager_smtp": {"smarthost": "m:25"},
            },
            "from is missing",
        ),
        ({"alertmanager_smtp": {"username": "u"}}, "username and password_secret go together"),
        ({"alertmanager_secrets": {"../x": "y"}}, "plain file name"),
        ({"alertmanager_secrets": {"x": " "}}, "x is empty"),
        ({"alertmanager_templates": {"gpufleet": "x"}}, "the name gpufleet is taken"),
        ({"alertmanager_extra_receivers": [{"name": "ops"}]}, "ops stands in alertmanager_receivers already"),
        ({"alertmanager_global": {"slack_api_url": "x", "opsgenie_api_key": "y"}}, "opsgenie_api_key would put"),
        (route(receiver="opps"), "no receiver is called opps; did you mean ops?"),
        (route(severity=None), "takes every alert"),
        (route(mute_time_intervals=["nights"]), "no time interval is called nights; there is none"),
        (route(repeat_interval="1 hour"), "'1 hour' is no duration"),
        ({"alertmanager_default_receiver": "chat"}, "no receiver is called chat; there are ops"),
        ({"alertmanager_dead_mans_switch": "pulse"}, "no receiver is called pulse"),
        (
            {"alertmanager_receivers": [WEBHOOK, {**WEBHOOK, "name": "chat"}]},
            "no route leads to chat, so it would never be told",
        ),
        ({"alertmanager_group_wait": "30"}, "write it like 30s"),
        ({"alertmanager_port": 0}, "1 to 65535"),
        ({"alertmanager_cluster_port": 9093}, "change one"),
        ({"alertmanager_external_url": "alerts.example.com"}, "https://alerts.example.com"),
        ({"alertmanager_web_config": {"basic_auth_users": {"a": "b"}}}, "alertmanager_check_username"),
    ],
)
def test_each_contradiction_is_named_with_its_remedy(changes, said):
    (problem,) = problems({**SMALL, **changes})
    assert said in problem


def test_a_secret_is_never_shown():
    values = {**SMALL, **receiver(settings={"http_config": {"authorization": {"credentials": "s3cret"}}})}
    (problem,) = problems(values)
    assert "s3cret" not in problem
