"""The agent: scrapes and sends on."""

testinfra_hosts = ["ansible://pr13"]


def test_it_is_an_agent(api):
    assert api("status/flags")["enable-feature"] == "agent"


def test_its_secret_is_in_one_file_alone(host):
    token = host.file("/etc/prometheus/secrets/centre_token").content_string
    assert token
    assert token not in host.check_output("ps axww -o args")
    assert token not in host.check_output("journalctl --no-pager -o cat -b")
    assert token not in host.file("/etc/prometheus/prometheus.yml").content_string
