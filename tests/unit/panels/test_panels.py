"""Variables filled in, queries run, panels judged: against answers as Prometheus gives them."""

import json

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.http_errors import HttpError
from ansible_collections.gpufleet.serving.plugins.module_utils.panels import variables
from ansible_collections.gpufleet.serving.plugins.module_utils.panels.dashboards import asking
from ansible_collections.gpufleet.serving.plugins.module_utils.panels.look import Look, Window, has_data, together
from ansible_collections.gpufleet.serving.plugins.module_utils.prometheus_api import ApiError
from ansible_collections.gpufleet.serving.plugins.plugin_utils.dashboard_files import read, shortened
from ansible_collections.gpufleet.serving.plugins.plugin_utils.grafana.files import DashboardFileError

WINDOW = Window(end=1000, seconds=900, scrape_interval=15)


@pytest.mark.parametrize(
    ("text", "filled"),
    [
        ('up{a=~"$a"}', 'up{a=~"x.y"}'),
        ('up{a=~"${a}"}', 'up{a=~"x.y"}'),
        ('up{a=~"[[a]]"}', 'up{a=~"x.y"}'),
        ('up{a=~"(.*,)?$a(,.*)?"}', 'up{a=~"(.*,)?x.y(,.*)?"}'),
        ('up{a=~"$many"}', 'up{a=~"(one|two\\\\.b)"}'),
        ('up{a=~"$single"}', 'up{a=~"three\\\\+"}'),
        ("${many:csv} ${many:pipe} ${many:raw}", "one,two.b one|two.b one,two.b"),
        ("rate(a[$__rate_interval])", "rate(a[1m])"),
        ('label_replace(a, "b", "$1", "c", "(.*)")', 'label_replace(a, "b", "$1", "c", "(.*)")'),
    ],
)
def test_variables_are_filled_in_as_grafana_does(text, filled):
    values = {"a": "x.y", "many": ["one", "two.b"], "single": ["three+"], **variables.BUILT_IN}
    assert variables.fill(text, values) == filled


def test_a_variable_that_is_none_is_told():
    with pytest.raises(variables.VariableError, match=r"no variable \$site"):
        variables.fill("$site", {})


@pytest.mark.parametrize(
    ("query", "asked"),
    [
        ("label_values(up, site)", ("up", "site")),
        ('label_values(up{a="b,c", d=~"$d"}, instance)', ('up{a="b,c", d=~"$d"}', "instance")),
        ("label_values(site)", ("", "site")),
        ("query_result(up)", None),
    ],
)
def test_label_values_are_taken_apart(query, asked):
    assert variables.label_values_of(query) == asked


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ({"type": "datasource", "query": "prometheus"}, ""),
        ({"type": "query", "includeAll": True, "allValue": ".*"}, ".*"),
        ({"type": "query", "includeAll": True, "allValue": ".*", "current": {"value": ["$__all"]}}, ".*"),
        ({"type": "query", "includeAll": True}, None),
        ({"type": "query"}, None),
        ({"type": "custom", "query": "a, b"}, "a"),
        ({"type": "custom", "query": "a,b", "includeAll": True}, ["a", "b"]),
        ({"type": "interval", "query": "5m,1h"}, "5m"),
        ({"type": "constant", "query": "c"}, "c"),
    ],
)
def test_values_that_need_no_question(variable, value):
    assert variables.settled(variable) == value


def panel(title, *exprs, **more):
    targets = [{"refId": chr(65 + place), "expr": expr} for place, expr in enumerate(exprs)]
    return {"title": title, "type": "timeseries", "datasource": "${datasource}", "targets": targets, **more}


def dashboard(*panels, variables=()):
    return {"title": "T", "uid": "t", "panels": list(panels), "templating": {"list": list(variables)}}


SERIES = {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "2"]]}]}
NOTHING = {"resultType": "vector", "result": []}
NOT_A_NUMBER = {"resultType": "matrix", "result": [{"metric": {}, "values": [[1, "NaN"], [2, "NaN"]]}]}


class Prometheus:
    """Answers by the text of the query, and remembers what it was asked."""

    def __init__(self, **answers):
        self.answers, self.asked = answers, []

    def __call__(self, path, parameters):
        self.asked.append((path, parameters))
        answer = self.answers[parameters.get("query", path.replace("/", "_"))]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_a_panel_with_data_is_shown_and_one_without_is_told_with_its_query():
    document = dashboard(panel("Full", "full"), panel("Void", "void"), panel("Blank", "nan"))
    verdict = Look(document).again(Prometheus(full=SERIES, void=NOTHING, nan=NOT_A_NUMBER), WINDOW)
    assert verdict.values["shown"] == ["Full"]
    assert verdict.problems == ['panel "Void" has no data: void', 'panel "Blank" has no data: nan']
    assert (verdict.subject, verdict.detail) == ("T", "3 panels: 1 with data")


def test_a_panel_that_may_be_empty_is_counted_apart_but_must_not_fail():
    mark = {"gpufleet": {"may_be_empty": True, "why": "Quiet."}}
    document = dashboard(panel("Void", "void", **mark), panel("Broken", "bad", **mark))
    verdict = Look(document).again(Prometheus(void=NOTHING, bad=ApiError("bad_data", "parse error")), WINDOW)
    assert verdict.values["quiet"] == ["Void"]
    assert verdict.problems == ['panel "Broken", query A fails: bad_data: parse error']


@pytest.mark.parametrize(("jobs", "passed"), [(["node"], True), (["node", "vllm"], False), (None, False)])
def test_a_panel_that_lives_on_a_job_nobody_scrapes_may_be_empty(jobs, passed):
    document = dashboard(panel("Void", "void", gpufleet={"needs": ["vllm"]}))
    assert Look(document, jobs).again(Prometheus(void=NOTHING), WINDOW).passed is passed


def test_one_query_with_data_is_enough_and_the_others_are_told_apart():
    verdict = Look(dashboard(panel("P", "full", "void"))).again(Prometheus(full=SERIES, void=NOTHING), WINDOW)
    assert verdict.passed
    assert verdict.values["partly"] == ['panel "P", query B']


def test_a_query_with_an_unknown_variable_fails():
    [problem] = Look(dashboard(panel("P", "up{a='$b'}"))).again(Prometheus(), WINDOW).problems
    assert problem == 'panel "P", query A fails: there is no variable $b'


def test_looking_again_asks_only_for_what_was_missing():
    look = Look(dashboard(panel("Full", "full"), panel("Late", "late")))
    assert not look.again(Prometheus(full=SERIES, late=NOTHING), WINDOW).passed
    later = Prometheus(late=SERIES)
    verdict = look.again(later, WINDOW)
    assert (verdict.passed, verdict.values["shown"], len(later.asked)) == (True, ["Full", "Late"], 1)


def test_values_of_a_variable_are_asked_for_where_all_is_a_list():
    site = {"name": "site", "type": "query", "query": "label_values(up, site)", "includeAll": True}
    box = {"name": "box", "type": "query", "query": {"query": 'label_values(up{site=~"$site"}, instance)'}}
    answers = {"label_site_values": ["a", "b"], "label_instance_values": ["i"], 'x{s=~"(a|b)", i=~"i"}': SERIES}
    asked = Prometheus(**answers)
    document = dashboard(panel("P", 'x{s=~"$site", i=~"$box"}'), variables=[site, box])
    assert Look(document).again(asked, WINDOW).passed
    assert asked.asked[1] == ("label/instance/values", {"match[]": 'up{site=~"(a|b)"}'})


def test_numbers_and_tables_are_asked_for_now_and_courses_for_a_while():
    document = dashboard(panel("Course", "a[$__rate_interval]"), panel("Now", "b"))
    document["panels"][1]["targets"][0]["instant"] = True
    asked = Prometheus(**{"a[60s]": SERIES, "b": SERIES})
    Look(document).again(asked, WINDOW)
    assert asked.asked == [
        ("query_range", {"query": "a[60s]", "start": 100, "end": 1000, "step": 15}),
        ("query", {"query": "b", "time": 1000}),
    ]


def test_no_answer_is_for_the_caller():
    with pytest.raises(HttpError):
        Look(dashboard(panel("P", "a"))).again(Prometheus(a=HttpError("refused", "no")), WINDOW)


@pytest.mark.parametrize(
    ("data", "is_data"),
    [
        (SERIES, True),
        (NOTHING, False),
        (NOT_A_NUMBER, False),
        ({"resultType": "vector", "result": [{"value": [1, "0"]}]}, True),
        ({"resultType": "vector", "result": [{"value": [1, "+Inf"]}]}, True),
        ({"resultType": "vector", "result": [{"histogram": [1, {}]}]}, True),
        ({"resultType": "scalar", "result": [1, "3"]}, True),
        ({"resultType": "scalar", "result": [1, "NaN"]}, False),
    ],
)
def test_what_counts_as_data(data, is_data):
    assert has_data(data) is is_data


def test_panels_that_ask_nothing_or_something_else_are_left_out():
    rows = {"type": "row", "panels": [panel("Inner", "a")], "collapsed": True}
    document = dashboard(
        rows,
        {"type": "text", "title": "Words"},
        panel("Logs", "{job='x'}", datasource={"type": "loki", "uid": "l"}),
        panel("Hidden", "b"),
        panel("Grafana", "c", datasource="-- Grafana --"),
    )
    document["panels"][3]["targets"][0]["hide"] = True
    assert [one.title for one in asking(document)] == ["Inner"]


def test_all_dashboards_make_one_verdict():
    good = Look(dashboard(panel("A", "full"))).again(Prometheus(full=SERIES), WINDOW)
    bad = Look(dashboard(panel("B", "void"))).again(Prometheus(void=NOTHING), WINDOW)
    verdict = together([good, bad], "http://p")
    assert verdict.problems == ['T: panel "B" has no data: void']
    assert verdict.detail == "2 dashboards, 2 panels, 1 with data"


def test_files_folders_and_mappings_are_read(tmp_path):
    (tmp_path / "b.json").write_text(json.dumps(dashboard(panel("B", "b"))))
    (tmp_path / "a.json").write_text(json.dumps({"dashboard": {**dashboard(), "title": "A"}}))
    bundled = {"name": "c.json", "uid": "c", "title": "C", "content": json.dumps({"title": "C", "panels": []})}
    found = read([str(tmp_path), str(tmp_path / "b.json"), {"title": "M", "panels": []}, bundled])
    assert [one["title"] for one in found] == ["A", "T", "T", "M", "C"]


@pytest.mark.parametrize(
    ("content", "said"), [("{", "not JSON"), ("[]", "not a dashboard"), ('{"a": 1}', "it has no panels")]
)
def test_a_file_that_is_no_dashboard_is_told(tmp_path, content, said):
    file = tmp_path / "x.json"
    file.write_text(content)
    with pytest.raises(DashboardFileError, match=said):
        read([str(file)])


def test_a_folder_or_file_that_is_missing_is_told(tmp_path):
    with pytest.raises(DashboardFileError, match=r"no \*\.json"):
        read([str(tmp_path)])
    with pytest.raises(DashboardFileError, match=r"missing\.json"):
        read([str(tmp_path / "missing.json")])


def test_only_what_the_queries_need_travels():
    document = dashboard({"type": "row", "panels": [panel("P", "a", fieldConfig={}, gridPos={})], "gridPos": {}})
    short = shortened({**document, "links": [], "annotations": {}})
    assert set(short) == {"title", "uid", "templating", "panels"}
    assert set(short["panels"][0]["panels"][0]) == {"title", "type", "datasource", "targets"}
