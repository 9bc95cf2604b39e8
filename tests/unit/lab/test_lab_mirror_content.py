"""lab/mirror.yml holds what the roles install, under the publishers' URLs."""

import re

import pytest
import yaml

from lab.errors import LabError
from lab.mirror import build
from lab.mirror.manifest import Manifest
from lab.mirror.urls import archive_path
from lab.paths import ROOT

# Keys of what the lab has no machines of.
ELSEWHERE = re.compile(r"/cuda/repos/(?!(?:debian12|debian13|rhel9)/)")


def sources():
    """(role, URL) of every archive and key that a role installs on the lab's machines."""
    for file in sorted(ROOT.glob("roles/*/vars/versions.yml")):
        for source in (yaml.safe_load(file.read_text()) or {}).values():
            if not isinstance(source, dict) or "url" not in source:
                continue
            arch = source.get("arch_names", {}).get("x86_64", "amd64")
            for version in source.get("versions", [source.get("version")]):
                url = source["url"].replace("{version}", str(version).replace("+", "%2B"))
                url = url.replace("{arch}", arch).replace("{machine}", "x86_64")
                if not ELSEWHERE.search(url):
                    yield file.parts[-3], url


def test_some_role_installs_something():
    assert list(sources())


@pytest.mark.parametrize(("role", "url"), list(sources()))
def test_the_mirror_holds_what_the_role_installs(role, url):
    assert url in [*build.load().urls, *build.key_urls()]


def test_requirement_sets_of_the_wheels_are_there():
    for folder in build.load().wheels:
        assert (ROOT / folder.requirements).is_file()


def test_a_key_that_is_missing_is_named(monkeypatch, tmp_path):
    (tmp_path / "mirror.yml").write_text("debian_archives: []\n")
    monkeypatch.setattr(build, "_FILE", tmp_path / "mirror.yml")
    with pytest.raises(LabError, match=r"lab/mirror.yml: 'uv' is missing"):
        build.load()


def test_the_lock_names_every_archive_every_key_and_every_file_of_the_model(monkeypatch, tmp_path):
    content, manifest = build.load(), Manifest(tmp_path)
    keys = build.key_urls()
    paths = [*map(archive_path, [*content.urls, *keys]), f"{content.model.path}/config.json"]
    manifest.replace({}, {path: {"sha256": f"digest of {path}"} for path in paths})
    monkeypatch.setattr(build, "MIRROR", tmp_path)
    lock = build.lock()
    assert set(lock) == {*content.urls, *keys, f"{content.model.url}/config.json"}
    assert lock[content.uv.url] == f"digest of {archive_path(content.uv.url)}"
