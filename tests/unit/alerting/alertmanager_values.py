"""The role's defaults, and an inventory that uses all of it."""

from pathlib import Path

import yaml

DEFAULTS = yaml.safe_load((Path(__file__).parents[3] / "roles/alertmanager/defaults/main.yml").read_text())

FULL = {
    **DEFAULTS,
    "alertmanager_receivers": [
        {"name": "oncall", "type": "pagerduty", "routing_key_secret": "pagerduty"},
        {"name": "oncall", "type": "slack", "channel": "#pages", "url_secret": "slack"},
        {"name": "chat", "type": "slack", "channel": "#gpu", "url_secret": "slack", "settings": {"color": "good"}},
        {"name": "mail", "type": "email", "to": "ops@example.com", "send_resolved": False},
        {"name": "tickets", "type": "webhook", "url": "https://tickets.example.com/x", "token_secret": "tickets"},
        {"name": "pulse", "type": "webhook", "url_secret": "pulse", "send_resolved": False},
    ],
    "alertmanager_extra_receivers": [
        {"name": "phone", "telegram_configs": [{"bot_token_file": "/etc/alertmanager/secrets/telegram", "chat_id": 1}]}
    ],
    "alertmanager_secrets": {
        "pagerduty": "0123456789abcdef0123456789abcdef",
        "slack": "https://hooks.slack.com/services/T/B/x",
        "tickets": "ticket-token",
        "pulse": "https://pulse.example.com/uuid",
        "smtp": "mail-password",
        "telegram": "bot-token",
    },
    "alertmanager_smtp": {
        "smarthost": "mail.example.com:587",
        "from": "alerts@example.com",
        "username": "alerts",
        "password_secret": "smtp",
    },
    "alertmanager_routes": [
        {"severity": "critical", "receiver": "oncall", "repeat_interval": "1h", "continue": True},
        {"severity": "critical", "receiver": "tickets"},
        {"severity": "warning", "matchers": ['site="fra"'], "receiver": "chat", "mute_time_intervals": ["nights"]},
        {
            "matchers": ['job="node"'],
            "receiver": "phone",
            "group_by": ["alertname"],
            "active_time_intervals": ["nights"],
        },
    ],
    "alertmanager_default_receiver": "mail",
    "alertmanager_dead_mans_switch": "pulse",
    "alertmanager_time_intervals": [
        {"name": "nights", "time_intervals": [{"times": [{"start_time": "20:00", "end_time": "24:00"}]}]}
    ],
    "alertmanager_inhibit_rules": [
        {"source_matchers": ['alertname="A"'], "target_matchers": ['alertname="B"'], "equal": ["instance"]}
    ],
    "alertmanager_global": {"http_config": {"proxy_url": "http://proxy.example.com:3128"}},
    "alertmanager_templates": {"mine": '{{ define "mine" }}x{{ end }}'},
}

INHIBIT_RULES = [
    {
        "source_matchers": ['alertname="HostDown"'],
        "target_matchers": ['alertname!="HostDown"'],
        "equal": ["site", "instance"],
    }
]
