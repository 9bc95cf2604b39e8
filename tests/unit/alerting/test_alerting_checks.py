"""What the checks make of the answers of Alertmanager 0.33.1 and Prometheus 3.5.3."""

from ansible_collections.gpufleet.serving.plugins.modules import alertmanager_alerts, prometheus_alertmanagers

READY = {"status": "ready", "peers": [{"name": "a"}, {"name": "b"}]}


def test_alerts_are_counted_by_name_and_missed_by_name():
    alerts = alertmanager_alerts.count([{"labels": {"alertname": name}} for name in ("Watchdog", "X", "X")])
    assert alerts == {"Watchdog": 1, "X": 2}
    assert alertmanager_alerts.missing(alerts, ["Watchdog"]) == []
    (said,) = alertmanager_alerts.missing({"X": 2}, ["Watchdog"])
    assert "expected the alert Watchdog, found that it has X" in said
    (said,) = alertmanager_alerts.missing({}, ["Watchdog"])
    assert "none at all" in said


def test_a_cluster_must_be_whole_and_ready():
    assert alertmanager_alerts.lonely({"status": "disabled", "peers": []}, 0) == []
    assert alertmanager_alerts.lonely(READY, 1) == []
    assert "expected 2 other members in its cluster, found 1" in alertmanager_alerts.lonely(READY, 2)[0]
    assert "switched off" in alertmanager_alerts.lonely({"status": "disabled", "peers": []}, 1)[0]
    assert alertmanager_alerts.lonely({**READY, "status": "settling"}, 1) == ["its cluster is not ready: settling"]


def test_an_alertmanager_that_prometheus_does_not_know_is_named():
    active = ["http://a:9093/api/v2/alerts", "https://c:443/prefix/api/v2/alerts"]
    assert prometheus_alertmanagers.missing(active, ["a:9093", "c:443"]) == []
    (said,) = prometheus_alertmanagers.missing(active, ["b:9093"])
    assert said.startswith("expected alerts to go to b:9093 as well, found a:9093, c:443;")
    assert "no Alertmanager at all" in prometheus_alertmanagers.missing([], ["b:9093"])[0]
