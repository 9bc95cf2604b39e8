"""A wheel folder holds exactly what its requirement set names."""

import hashlib
from pathlib import Path

import pytest

from lab.errors import LabError
from lab.mirror import wheels
from lab.mirror.manifest import Manifest
from lab.mirror.wheels import WheelFolder

GOOD = b"a wheel"
FOLDER = WheelFolder(folder="thing-1.0", requirements="set.txt")


@pytest.fixture
def index(monkeypatch, tmp_path):
    """pip that finds these files: name -> content."""
    offered = {"thing-1.0-py3-none-any.whl": GOOD}

    def download(words, into, step):
        (asked,) = (word for word in words if word.startswith("--requirement="))
        assert "thing==1." in Path(asked.removeprefix("--requirement=")).read_text()
        for name, content in offered.items():
            (into / name).write_bytes(content)

    monkeypatch.setattr(wheels.pip, "download", download)
    monkeypatch.setattr(wheels, "ROOT", tmp_path)
    monkeypatch.setattr(wheels, "SCRATCH", tmp_path / "scratch")
    digest = hashlib.sha256(GOOD).hexdigest()
    (tmp_path / "set.txt").write_text(f"# comment\nthing==1.0 \\\n    --hash=sha256:{digest}\n")
    return offered


def test_a_set_is_read_with_all_the_hashes_of_a_package():
    one, two, three = (f"--hash=sha256:{digit * 64}" for digit in "123")
    text = f"# made by\na==1 \\\n    {one} \\\n    {two}\nb==2.0+x {three}\n"
    first, second = wheels.requirements_of(text)
    assert (first.pin, first.digests) == ("a==1", {"1" * 64, "2" * 64})
    assert (second.pin, second.digests) == ("b==2.0+x", {"3" * 64})


def names(manifest):
    return sorted(path.rsplit("/", 1)[-1] for path in manifest.below("wheels/thing-1.0"))


def test_the_wheels_and_the_set_are_listed(index, tmp_path):
    manifest = Manifest(tmp_path / "mirror")
    wheels.make(FOLDER, manifest)
    assert names(manifest) == ["requirements.txt", "thing-1.0-py3-none-any.whl"]


def test_wheels_of_an_older_set_go(index, tmp_path):
    manifest = Manifest(tmp_path / "mirror")
    folder = tmp_path / "mirror/wheels/thing-1.0"
    folder.mkdir(parents=True)
    (folder / "thing-0.9-py3-none-any.whl").write_bytes(b"older")
    wheels.make(FOLDER, manifest)
    assert sorted(path.name for path in folder.iterdir()) == names(manifest)


def test_a_second_run_asks_no_index(index, tmp_path):
    wheels.make(FOLDER, Manifest(tmp_path / "mirror"))
    index.clear()
    index["thing-1.0-py3-none-any.whl"] = b"would be noticed"
    manifest = Manifest(tmp_path / "mirror")
    wheels.make(FOLDER, manifest)
    assert (tmp_path / "mirror/wheels/thing-1.0/thing-1.0-py3-none-any.whl").read_bytes() == GOOD


def test_a_changed_set_is_collected_anew(index, tmp_path):
    manifest = Manifest(tmp_path / "mirror")
    wheels.make(FOLDER, manifest)
    digest = hashlib.sha256(b"newer").hexdigest()
    (tmp_path / "set.txt").write_text(f"thing==1.1 --hash=sha256:{digest}\n")
    index.clear()
    index["thing-1.1-py3-none-any.whl"] = b"newer"
    wheels.make(FOLDER, manifest)
    assert names(manifest) == ["requirements.txt", "thing-1.1-py3-none-any.whl"]


@pytest.mark.parametrize("offered", [{}, {"thing-1.0-py3-none-any.whl": b"not what the hash says"}])
def test_a_wheel_that_did_not_come_is_an_error_and_nothing_is_listed(index, tmp_path, offered):
    index.clear()
    index.update(offered)
    manifest = Manifest(tmp_path / "mirror")
    with pytest.raises(LabError, match=r"no wheel came that the requirement set allows for thing==1\.0"):
        wheels.make(FOLDER, manifest)
    assert names(manifest) == []


def test_a_set_that_is_not_there_is_named(index, tmp_path):
    (tmp_path / "set.txt").unlink()
    with pytest.raises(LabError, match=r"there is no file set\.txt"):
        wheels.make(FOLDER, Manifest(tmp_path / "mirror"))
