"""The server: keeps, evaluates, and takes what the agent sends."""

testinfra_hosts = ["ansible://pr12"]


def test_it_is_a_server_with_retention_by_time_and_size(api):
    flags = api("status/flags")
    assert flags["agent"] == "false"
    assert flags["storage.tsdb.retention.time"] == "30d"
    assert flags["storage.tsdb.retention.size"] == "1GiB"


def test_every_series_carries_instance_and_site(query):
    assert query('count({instance="", __name__=~".+", __name__!~"own:.*|ALERTS.*"})') == []
    assert query('count({site="", __name__=~".+", __name__!~"own:.*|ALERTS.*"})') == []


def test_what_the_agent_scrapes_arrives_here(query):
    (sample,) = query('up{instance="pr13", site="edge"}')
    assert sample["value"][1] == "1"


def test_own_and_gathered_rules_are_loaded_and_evaluated(api, query):
    brought = {"monitoring", "service_levels", "service_levels_slow"}
    assert {group["name"] for group in api("rules")["groups"]} == {"own"} | brought
    assert query("own:up:sum")
