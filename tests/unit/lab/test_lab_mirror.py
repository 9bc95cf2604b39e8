"""The mirror's layout, its list of files, and that its archives are the same bytes each time."""

import dataclasses
import io
import json
import tarfile

import pytest

from lab.errors import LabError
from lab.mirror import debian_archives
from lab.mirror.debian_archives import DebianArchive
from lab.mirror.manifest import Manifest, digest_of
from lab.mirror.tarball import Member, members_below, write_tarball
from lab.mirror.urls import archive_path, archive_top


def test_a_url_becomes_a_path_with_its_escapes_undone():
    url = "https://github.com/some/thing/releases/download/1/thing-1.0%2B2.tar.gz"
    assert archive_path(url) == "archives/github.com/some/thing/releases/download/1/thing-1.0+2.tar.gz"
    assert archive_top(url) == "thing-1.0+2"


@pytest.mark.parametrize("url", ["http://github.com/a.tar.gz", "https:///a.tar.gz", "https://github.com/../a", "a"])
def test_what_is_no_url_of_a_publisher_is_refused(url):
    with pytest.raises(LabError, match="no https URL"):
        archive_path(url)


@pytest.fixture
def manifest(tmp_path):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/file").write_text("content")
    manifest = Manifest(tmp_path)
    manifest.add("folder/file", source="somewhere", recipe="r1")
    return manifest


def test_the_list_names_digest_size_and_source(manifest, tmp_path):
    assert json.loads((tmp_path / "MANIFEST.json").read_text()) == {
        "files": {
            "folder/file": {
                "sha256": "ed7002b439e9ac845f22357d822bac1444730fbdb6016d3ec9432297b9ec9f73",
                "size": 7,
                "source": "somewhere",
                "recipe": "r1",
            }
        }
    }


def test_a_file_is_held_while_it_is_whole_and_of_the_same_recipe(manifest, tmp_path):
    reread = Manifest(tmp_path)
    assert reread.holds("folder/file", "r1")
    assert not reread.holds("folder/file", "r2")
    assert not reread.holds("folder/other", "r1")
    (tmp_path / "folder/file").write_text("cont")
    assert not reread.holds("folder/file", "r1")
    (tmp_path / "folder/file").unlink()
    assert not reread.holds("folder/file", "r1")


def test_a_folder_is_replaced_as_a_whole(manifest, tmp_path):
    (tmp_path / "folder/new").write_text("new")
    (tmp_path / "folders").write_text("a neighbour by name")
    manifest.add("folders", source="", recipe="r1")
    before = manifest.below("folder")
    assert list(before) == ["folder/file"]
    manifest.put_folder(before, [tmp_path / "folder/new"], source="", recipe="r2")
    assert list(Manifest(tmp_path).files) == ["folder/new", "folders"]


@pytest.fixture
def tree(tmp_path):
    tree = tmp_path / "tree"
    (tree / "sub").mkdir(parents=True)
    (tree / "program").write_text("#!/bin/sh\n")
    (tree / "program").chmod(0o700)
    (tree / "sub/text").write_text("text")
    (tree / "sub/text").chmod(0o600)
    (tree / "sub/link").symlink_to("text")
    return tree


def test_an_archive_depends_on_its_content_alone(tree, tmp_path):
    members = members_below(tree)
    write_tarball(tmp_path / "a", "top-1.0", members)
    for path in tree.rglob("*"):
        if not path.is_symlink():
            path.touch()
    write_tarball(tmp_path / "b", "top-1.0", reversed(members))
    assert digest_of(tmp_path / "a") == digest_of(tmp_path / "b")
    (tree / "sub/text").write_text("other")
    write_tarball(tmp_path / "c", "top-1.0", members)
    assert digest_of(tmp_path / "a") != digest_of(tmp_path / "c")


def test_an_archive_is_readable_by_everyone_and_owned_by_root(tree, tmp_path):
    write_tarball(tmp_path / "a", "top-1.0", [*members_below(tree / "sub", "etc"), Member("run", tree / "program")])
    with tarfile.open(tmp_path / "a") as archive:
        found = {info.name: (info.type, info.mode, info.uname, info.linkname) for info in archive}
    assert found == {
        "top-1.0": (tarfile.DIRTYPE, 0o755, "root", ""),
        "top-1.0/etc": (tarfile.DIRTYPE, 0o755, "root", ""),
        "top-1.0/etc/link": (tarfile.SYMTYPE, 0o777, "root", "text"),
        "top-1.0/etc/text": (tarfile.REGTYPE, 0o644, "root", ""),
        "top-1.0/run": (tarfile.REGTYPE, 0o755, "root", ""),
    }


ARCHIVE = DebianArchive(
    url="https://github.com/prometheus/thing/releases/download/v1.2.3/thing-1.2.3.linux-amd64.tar.gz",
    suite="testing",
    packages={"thing": "1.2.3"},
    files={"thing": "usr/bin/thing"},
    tools=("thing",),
)


@pytest.fixture
def debian(monkeypatch, tmp_path):
    """Debian with one package, thing 1.2.3; what it answers can be changed."""
    answers = {"version": "1.2.3+ds1-4", "path": "usr/bin/thing"}

    class Apt:
        def __init__(self, suite):
            assert suite == "testing"

        def update(self, step):
            pass

        def download(self, packages, step):
            return {name: tmp_path / f"{name}.deb" for name in packages}

    def unpack(deb, into):
        (into / answers["path"]).parent.mkdir(parents=True)
        (into / answers["path"]).write_text("program")
        (into / answers["path"]).chmod(0o755)

    monkeypatch.setattr(debian_archives, "Apt", Apt)
    monkeypatch.setattr(debian_archives, "unpack", unpack)
    monkeypatch.setattr(debian_archives, "version_of", lambda deb: answers["version"])
    monkeypatch.setattr(debian_archives, "SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(debian_archives, "TOOLS", tmp_path / "tools")
    return answers


def test_a_stand_in_has_the_name_and_the_layout_of_the_publishers(debian, tmp_path):
    manifest = Manifest(tmp_path / "mirror")
    debian_archives.make([ARCHIVE], manifest)
    folder = tmp_path / "mirror/archives/github.com/prometheus/thing/releases/download/v1.2.3"
    tarball = folder / "thing-1.2.3.linux-amd64.tar.gz"
    with tarfile.open(tarball) as packed:
        assert packed.getnames() == ["thing-1.2.3.linux-amd64", "thing-1.2.3.linux-amd64/thing"]
    assert (folder / "sha256sums.txt").read_text() == f"{digest_of(tarball)}  thing-1.2.3.linux-amd64.tar.gz\n"
    entry = manifest.files[ARCHIVE.path]
    assert entry["source"] == f"stand-in for {ARCHIVE.url}, made from Debian's thing 1.2.3 (testing)"
    tool = tmp_path / "tools/thing-1.2.3"
    assert tool.read_text() == "program"
    assert tool.stat().st_mode & 0o777 == 0o755


def test_what_is_there_is_not_made_again(debian, tmp_path):
    manifest = Manifest(tmp_path / "mirror")
    debian_archives.make([ARCHIVE], manifest)
    debian["version"] = "9.9"
    debian_archives.make([ARCHIVE], manifest)


def test_a_tool_that_was_lost_comes_back(debian, tmp_path):
    manifest = Manifest(tmp_path / "mirror")
    debian_archives.make([ARCHIVE], manifest)
    (tmp_path / "tools/thing-1.2.3").unlink()
    debian_archives.make([ARCHIVE], manifest)
    assert (tmp_path / "tools/thing-1.2.3").is_file()


def test_a_distribution_that_moved_on_is_told_with_the_remedy(debian, tmp_path):
    debian["version"] = "1.3.0-1"
    with pytest.raises(LabError, match=r"Debian testing now has thing 1\.3\.0-1, lab/mirror.yml wants 1\.2\.3"):
        debian_archives.make([ARCHIVE], Manifest(tmp_path / "mirror"))
    assert not (tmp_path / "mirror" / ARCHIVE.path).exists()


def test_a_path_that_no_package_holds_is_named(debian, tmp_path):
    debian["path"] = "usr/sbin/thing"
    with pytest.raises(LabError, match="Debian's packages hold no usr/bin/thing"):
        debian_archives.make([ARCHIVE], Manifest(tmp_path / "mirror"))
    folder = tmp_path / "mirror" / ARCHIVE.path
    assert not folder.parent.exists() or list(folder.parent.iterdir()) == []


def test_a_path_inside_a_program_is_replaced_by_one_of_the_same_length(debian, tmp_path):
    archive = dataclasses.replace(ARCHIVE, rewrite={"thing": {"program": "/opt"}})
    debian_archives.make([archive], Manifest(tmp_path / "mirror"))
    assert (tmp_path / "tools/thing-1.2.3").read_text() == "/opt///"


@pytest.mark.parametrize("paths", [{"program": "/opt/longer"}, {"/usr/share": "/opt"}])
def test_a_path_that_does_not_fit_or_is_not_there_is_named(debian, tmp_path, paths):
    archive = dataclasses.replace(ARCHIVE, rewrite={"thing": paths})
    with pytest.raises(LabError, match=r"cannot put /opt.* in the place of .* in thing"):
        debian_archives.make([archive], Manifest(tmp_path / "mirror"))


def test_an_unknown_key_of_an_archive_is_named():
    with pytest.raises(LabError, match=r"debian_archives: .*'urll'"):
        debian_archives.parse([{"urll": "x", "suite": "testing", "packages": {}, "files": {}}])


def test_tar_bytes_are_read_back(tree, tmp_path):
    write_tarball(tmp_path / "a", "top", members_below(tree))
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "a").read_bytes())) as archive:
        assert archive.extractfile("top/sub/text").read() == b"text"
