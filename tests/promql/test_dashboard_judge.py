"""Dashboards that are wrong in one way each."""

import pytest
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql import known
from ansible_collections.gpufleet.serving.plugins.plugin_utils.promql.dashboards import judge_dashboard

LABELS = known.TARGET_LABELS


@pytest.fixture(scope="module")
def vocabulary() -> known.Vocabulary:
    words = known.Vocabulary()
    sure = frozenset({"job", "instance"})
    for name, kind, present in (("up", "gauge", True), ("requests_total", "counter", False)):
        words.add(known.Series(name, known.Vector(kind, may=LABELS, sure=sure, present=present)))
    return words


SITE = {"name": "site", "type": "query", "query": "label_values(up, site)", "multi": True, "includeAll": True}


def asking(query: str) -> dict:
    return {**SITE, "query": query}


def naming(columns: dict) -> dict:
    return {"id": "organize", "options": {"renameByName": columns}}


def dashboard(expr: str, *, variables=(SITE,), legend: str = "", transformations=(), **more) -> dict:
    target = {"refId": "A", "expr": expr, "legendFormat": legend}
    panel = {"title": "P", "type": "timeseries", "datasource": "${datasource}", "targets": [target], **more}
    return {"panels": [{**panel, "transformations": list(transformations)}], "templating": {"list": list(variables)}}


def problems(vocabulary, document: dict) -> list[str]:
    return list(judge_dashboard(document, "d.json", vocabulary))


MAY_BE_EMPTY = {"gpufleet": {"may_be_empty": True, "why": "No traffic."}}


@pytest.mark.parametrize(
    "document",
    [
        dashboard('up{site=~"$site"}', legend="{{instance}} {{ site }}"),
        dashboard('sum(rate(requests_total{site=~"$site"}[$__rate_interval])) or 0 * sum(up)'),
        dashboard("rate(requests_total[$__range])", **MAY_BE_EMPTY),
        dashboard("count(up == 0) or 0 * count(up)"),
        dashboard("up < 1e12"),
        dashboard("time() - up"),
    ],
)
def test_right_ones_are_left_alone(vocabulary, document):
    assert problems(vocabulary, document) == []


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (dashboard('upp{site=~"$site"}'), 'd.json: panel "P" (query A), column 1: no contract knows upp'),
        (dashboard('up{site="$site"}'), 'panel "P" (query A): $site may hold several values; compare with =~'),
        (dashboard('up{site=~"$sight"}'), 'panel "P" (query A): there is no variable $sight on this dashboard'),
        (
            dashboard("sum(up)", legend="{{instance}}"),
            "the legend names the label instance, which the series do not carry",
        ),
        (dashboard("rate(requests_total[5m])"), "its queries may find nothing on a healthy fleet"),
        (dashboard("up == 0"), "its queries may find nothing on a healthy fleet"),
        (
            dashboard("up", variables=[{**SITE, "query": "label_values(up, sight)"}]),
            "variable site: up has no label sight",
        ),
        (dashboard("up", variables=[{**SITE, "query": "label_values(upp, site)"}]), "no contract knows upp"),
        (dashboard("up", variables=[{**SITE, "query": "query_result(up)"}]), "ask for label_values(series, label)"),
        (
            dashboard(
                "up", transformations=[{"id": "organize", "options": {"renameByName": {"gpu": "GPU", "Value": "V"}}}]
            ),
            "the column gpu is neither a value nor a label of its queries",
        ),
    ],
)
def test_wrong_ones_are_told_what_is_wrong(vocabulary, document, said):
    found = problems(vocabulary, document)
    assert any(said in one for one in found), found


def test_panels_in_collapsed_rows_are_judged_too(vocabulary):
    [inner] = dashboard("upp")["panels"]
    document = {"panels": [{"type": "row", "title": "R", "panels": [inner]}], "templating": {"list": []}}
    assert any("no contract knows upp" in one for one in problems(vocabulary, document))
