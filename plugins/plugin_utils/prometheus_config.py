"""Prometheus' configuration as plain data, from a monitoring bundle and the role's variables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from .alerting import alertmanager_configs
from .plain import plain

CONFIG_DIR = "/etc/prometheus"


def config_document(
    bundle: Mapping[str, Any],
    mode: str,
    global_settings: Mapping[str, Any],
    scrape_options: Mapping[str, Mapping[str, Any]],
    extra_scrape_configs: Sequence[Mapping[str, Any]],
    remote_write: Sequence[Mapping[str, Any]],
    alerting: Mapping[str, Any],
    alertmanager_options: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The content of prometheus.yml. Paths in it are relative, so that promtool can judge it before it lands.

    Args:
        bundle: what gpufleet.serving.monitoring_bundle returned.
        mode: server or agent; an agent has neither rules nor alerting.
        global_settings: the section `global`; empty values are left out.
        scrape_options: settings by job, over those that the component asks for.
        alerting: the section `alerting`; the Alertmanagers of the inventory come beside those it names.
        alertmanager_options: settings of the Alertmanagers of the inventory, such as basic_auth.
    """
    document: dict[str, Any] = {"global": {key: value for key, value in global_settings.items() if value}}
    if mode == "agent":
        document["global"].pop("evaluation_interval", None)
    else:
        document["rule_files"] = ["rules/*.yml"]
        gathered = alertmanager_configs(bundle["alerting"]["receivers"], alertmanager_options or {})
        if alerting or gathered:
            managers = [*alerting.get("alertmanagers", ()), *gathered]
            document["alerting"] = {**alerting, "alertmanagers": managers}
    document["scrape_configs"] = [
        {
            "job_name": job,
            **asked,
            **scrape_options.get(job, {}),
            "file_sd_configs": [{"files": [f"targets/{job}.yml"]}],
        }
        for job, asked in sorted(bundle["jobs"].items())
    ] + [dict(config) for config in extra_scrape_configs]
    if remote_write:
        document["remote_write"] = [dict(entry) for entry in remote_write]
    return document


def support_files(
    bundle: Mapping[str, Any], mode: str, extra_rules: Mapping[str, Any], secrets: Mapping[str, str]
) -> list[dict[str, Any]]:
    """Targets, rules and secrets as files for gpufleet.serving.config_files, in a stable order."""
    private = {"group": "prometheus", "mode": "0640"}
    files = [
        {"path": f"{CONFIG_DIR}/targets/{job}.yml", "content": _yaml(bundle["targets"].get(job, [])), **private}
        for job in sorted(bundle["jobs"])
    ]
    if mode == "server":
        rules = {**bundle["rules"], **{f"{name}.yml": _yaml(content) for name, content in extra_rules.items()}}
        files += [{"path": f"{CONFIG_DIR}/rules/{name}", "content": rules[name], **private} for name in sorted(rules)]
    files += [
        {"path": f"{CONFIG_DIR}/secrets/{name}", "content": secrets[name], "secret": True, **private}
        for name in sorted(secrets)
    ]
    return files


def _yaml(value: Any) -> str:
    return yaml.safe_dump(plain(value), default_flow_style=False, sort_keys=False)
