"""The lab's package of Grafana, and where its repository comes from."""

from __future__ import annotations

import subprocess

import pytest

from lab.errors import LabError
from lab.mirror import grafana_repository as repository
from lab.mirror.manifest import Manifest
from lab.packages import deb, grafana

INDEX = """\
Package: grafana
Version: 13.2.3
Architecture: amd64
Filename: pool/main/g/grafana/grafana_13.2.3_amd64.deb
SHA256: aa

Package: grafana
Version: 13.2.3
Architecture: arm64
Filename: pool/main/g/grafana/grafana_13.2.3_arm64.deb
SHA256: bb

Package: grafana-enterprise
Version: 13.2.2
Architecture: amd64
Filename: x.deb
SHA256: cc
"""


def test_versions_are_those_of_the_role():
    assert repository.versions()[0] == repository.EARLIER
    assert len(set(repository.versions())) == 2


def test_the_real_packages_are_found_in_the_list():
    assert repository.wanted(INDEX, ["13.2.3"]) == {"13.2.3": ("pool/main/g/grafana/grafana_13.2.3_amd64.deb", "aa")}
    with pytest.raises(LabError, match=r"has no grafana 13\.2\.2"):
        repository.wanted(INDEX, ["13.2.2", "13.2.3"])


@pytest.fixture
def build(tmp_path, monkeypatch):
    """Makes the repository in a mirror of its own; how often packages were made."""
    made = []
    monkeypatch.setattr(repository.SIGNER, "public_key", lambda: "public")
    monkeypatch.setattr(repository.SIGNER, "sign", lambda file, signed: signed.write_text(file.read_text()))
    monkeypatch.setattr(repository, "_published", lambda: None)
    monkeypatch.setattr(repository, "SCRATCH", tmp_path)
    packing = repository._pack
    monkeypatch.setattr(repository, "_pack", lambda pool, current: (made.append(1), packing(pool, current)))
    rpms = "{0.name}-{0.version}.rpm".format

    def fill(folder, packages, key, current):
        for package in packages:
            (folder / rpms(package)).write_text("an RPM")

    monkeypatch.setattr(repository.rpm_repository, "fill", fill)

    def run():
        manifest = Manifest(tmp_path / "mirror")
        repository.make(manifest)
        return manifest

    run.made = made
    return run


def test_a_stand_in_is_packed_where_the_real_one_cannot_be_reached(build, tmp_path):
    files = build().files
    names = [path.rsplit("/", 1)[-1] for path in files if path.endswith(".deb")]
    assert names == [f"grafana_{version}+lab_amd64.deb" for version in repository.versions()]
    assert {entry["source"] for entry in files.values()} == {
        "stand-ins for the packages of https://apt.grafana.com, which cannot be reached"
    }
    assert {path for path in files if path.endswith("gpg.key")} == {
        "archives/apt.grafana.com/gpg.key",
        "archives/rpm.grafana.com/gpg.key",
    }
    assert "archives/rpm.grafana.com/grafana-13.2.3-1.rpm" in files
    index = (tmp_path / "mirror/archives/apt.grafana.com/dists/stable/main/binary-amd64/Packages").read_text()
    assert "Version: 13.2.3+lab" in index
    build()
    assert len(build.made) == 1


def test_a_given_package_is_taken(build, tmp_path, monkeypatch):
    mine = deb.make(grafana.deb("12.1.0"), tmp_path)
    monkeypatch.setenv(repository.GIVEN, str(mine))
    files = build().files
    assert [path for path in files if path.endswith(".deb")] == [
        "archives/apt.grafana.com/pool/grafana_12.1.0+lab_amd64.deb"
    ]
    assert {entry["source"] for entry in files.values()} == {"the package given as LAB_GRAFANA_DEB"}
    assert not [path for path in files if path.endswith(".rpm")]
    assert repository.given_version() == "12.1.0"
    assert repository.origin(Manifest(tmp_path / "mirror")) == "the package given as LAB_GRAFANA_DEB"
    monkeypatch.setenv(repository.GIVEN, str(tmp_path / "none.deb"))
    with pytest.raises(LabError, match="is no package of Grafana"):
        build()


def test_what_the_package_holds(tmp_path):
    file = deb.make(grafana.deb("13.2.3"), tmp_path)
    listed = subprocess.run(["dpkg-deb", "-c", file], capture_output=True, text=True, check=True).stdout
    for path in (
        "usr/share/grafana/bin/grafana",
        "usr/sbin/grafana-server",
        "usr/sbin/grafana-cli",
        "usr/lib/systemd/system/grafana-server.service",
        "etc/default/grafana-server",
        "usr/share/grafana/standin/grafana/__main__.py",
        "usr/share/grafana/standin/yaml/__init__.py",
    ):
        assert f"./{path}\n" in listed
    subprocess.run(["dpkg-deb", "-x", file, tmp_path / "root"], check=True)
    environment = {"PYTHONPATH": str(tmp_path / "root/usr/share/grafana/standin"), "PATH": "/usr/bin:/bin"}
    command = ["python3", "-B", "-m", "grafana", "server", "--homepath", tmp_path / "root/usr/share/grafana", "-v"]
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    assert said.startswith("Version 13.2.3 ")
