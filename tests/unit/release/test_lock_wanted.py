"""What vars/versions.yml may say."""

from __future__ import annotations

import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible_collections.gpufleet.serving.plugins.plugin_utils.components import Component, find_components
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock import wanted
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.errors import LockError


def component(tmp_path, entry):

    (tmp_path / "vars").mkdir()
    (tmp_path / "vars" / "versions.yml").write_text(yaml.safe_dump({"__demo": entry, "__demo_other": "no source"}))
    return Component("demo", tmp_path, DataLoader())


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"url": "u", "version": "1"}, "__demo: expected either `sums`"),
        (
            {"url": "u", "version": "1", "sums": "s", "fingerprint": "A" * 40},
            "expected either `sums`.*or `fingerprint`",
        ),
        ({"url": "u", "version": "1", "fingerprint": "AB CD"}, "`fingerprint` is 'AB CD'; write capital hex digits"),
        ({"url": "u", "sums": "s"}, "expected either `version`, or `version_variable`"),
        ({"url": "u", "sums": "s", "version": "1", "version_variable": "v"}, "expected either"),
        (
            {"url": "u", "sums": "s", "version": "1", "arch": "x"},
            "unknown key arch; there are also_for, arch_names, fingerprint, machines",
        ),
    ],
)
def test_an_entry_that_cannot_be_used(tmp_path, entry, message):
    with pytest.raises(LockError, match=message):
        wanted.sources_of(component(tmp_path, entry))


class Variables:
    """Hosts that set nothing but what is given."""

    def __init__(self, **hosts):
        self.hosts = hosts

    def raw(self, host):
        return self.hosts.get(host, {})

    def template(self, component, raw, value):
        return value


@pytest.mark.parametrize(
    ("groups", "hosts", "found"),
    [
        ({"demo": ["h"]}, {}, True),
        ({"other": ["h"]}, {}, True),
        ({"third": ["h"]}, {}, False),
        ({"other": ["h"]}, {"h": {"other_state": "absent"}}, False),
        ({}, {}, False),
    ],
)
def test_a_source_may_be_for_other_groups_too(tmp_path, groups, hosts, found):
    key = {"url": "https://h/key.pub", "version": "1", "fingerprint": "A" * 40, "also_for": ["other"]}
    others = [Component(name, tmp_path / name, DataLoader()) for name in ("other", "third")]
    downloads = wanted.downloads([component(tmp_path, key), *others], groups, Variables(**hosts))
    assert [one.url for one in downloads] == (["https://h/key.pub"] if found else [])
    assert all(one.fingerprint == "A" * 40 for one in downloads)


def test_every_source_of_every_role_can_be_locked():
    """The roles' own versions.yml: known keys, https, and the version that is the default is among the tested ones."""

    seen = []
    for one in find_components(DataLoader()).values():
        for source in wanted.sources_of(one):
            seen.append(source.name)
            version = source.version or one.defaults[source.version_variable]
            for download in wanted._for_all_machines(source, version):
                assert download.url.startswith("https://"), download
                assert (download.sums or "https://").startswith("https://"), download
                assert bool(download.sums) != bool(download.fingerprint), download
            entries = one.loader.load_from_file(str(one.path / "vars" / "versions.yml"))
            tested = [
                entry["versions"] for entry in entries.values() if isinstance(entry, dict) and "versions" in entry
            ]
            assert source.version or any(version in versions for versions in tested)
    assert {"node_exporter", "prometheus"} <= set(seen)
    assert any("signing key" in name for name in seen)
    assert any("uv" in name for name in seen)
