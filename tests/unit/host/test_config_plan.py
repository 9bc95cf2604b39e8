import os
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files import plan as planning
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.errors import (
    RefusedError,
    UnknownAccountError,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.plan import make_plan
from config_set import directory, file, request


def plan(check_mode=False, **options):
    return make_plan(request(**options), check_mode)


def test_nothing_to_do_where_all_is_as_wanted(tmp_path):
    (tmp_path / "a").write_text("x\n")
    (tmp_path / "a").chmod(0o640)
    tmp_path.chmod(0o750)
    made = plan(files=[file(tmp_path / "a", mode="0640")], directories=[directory(tmp_path, mode="0750")])
    assert not made.changed


def test_content_and_mode_are_told_apart(tmp_path):
    (tmp_path / "a").write_text("old\n")
    (tmp_path / "b").write_text("x\n")
    (tmp_path / "b").chmod(0o666)
    one, two = plan(files=[file(tmp_path / "a"), file(tmp_path / "b")]).files
    assert (one.content_changed, one.before) == (True, b"old\n")
    assert (two.content_changed, two.attributes_before, two.attributes_after) == (
        False,
        {"mode": "0666"},
        {"mode": "0644"},
    )


def test_a_missing_parent_is_refused_unless_it_is_listed_or_nothing_is_written(tmp_path):
    wanted = tmp_path / "no" / "a"
    with pytest.raises(RefusedError, match="does not exist; list it under `directories`"):
        plan(files=[file(wanted)])
    assert plan(files=[file(wanted)], directories=[directory(wanted.parent)]).changed
    assert plan(files=[file(wanted)], check_mode=True).changed


def test_an_unknown_owner_is_an_error_but_for_check_mode(tmp_path):
    wanted = {**file(tmp_path / "a"), "owner": "nobody-has-this-name"}
    with pytest.raises(UnknownAccountError, match=r"user 'nobody-has-this-name' does not exist.*create it"):
        plan(files=[wanted])
    assert plan(files=[wanted], check_mode=True).files[0].ids.uid is None


@pytest.mark.parametrize(
    ("target", "said"), [("elsewhere", "symbolic link to elsewhere"), ("/dev/null", "systemctl unmask")]
)
def test_a_link_in_the_place_of_a_file_is_refused(tmp_path, target, said):
    (tmp_path / "a").symlink_to(target)
    with pytest.raises(RefusedError, match=said):
        plan(files=[file(tmp_path / "a")])


def test_a_link_to_a_directory_counts_as_one_and_a_dangling_link_does_not(tmp_path):
    (tmp_path / "disk").mkdir(mode=0o755)
    (tmp_path / "data").symlink_to(tmp_path / "disk")
    assert not plan(directories=[directory(tmp_path / "data")]).changed
    (tmp_path / "disk").rmdir()
    with pytest.raises(RefusedError, match=r"is a link to .*disk, which does not exist"):
        plan(directories=[directory(tmp_path / "data")])


@pytest.mark.parametrize("option", ["files", "directories"])
def test_something_else_in_the_way_is_refused(tmp_path, option):
    (tmp_path / "d").mkdir()
    (tmp_path / "f").write_text("")
    wanted = {"files": [file(tmp_path / "d")], "directories": [directory(tmp_path / "f")]}[option]
    with pytest.raises(RefusedError, match="remove it"):
        plan(**{option: wanted})
    below = {"files": [file(tmp_path / "f" / "x")], "directories": [directory(tmp_path / "f" / "x")]}[option]
    with pytest.raises(RefusedError, match="one of its parents is a file"):
        plan(**{option: below})


def test_prune_takes_files_that_match_and_are_not_listed(tmp_path):
    for name in ("a.yml", "b.yml", ".hidden.yml", "c.txt"):
        (tmp_path / name).write_text("x\n")
    (tmp_path / "d.yml").mkdir()
    (tmp_path / "link.yml").symlink_to("nowhere")
    removals = plan(files=[file(tmp_path / "a.yml")], prune=[(tmp_path, "*.yml"), (tmp_path, "b*")]).removals
    assert [Path(change.path).name for change in removals] == ["b.yml", "link.yml"]
    assert plan(prune=[(tmp_path, ".*")]).removals[0].path.endswith(".hidden.yml")
    assert plan(prune=[(tmp_path / "none", "*")]).removals == []


def test_a_directory_goes_after_what_is_in_it(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_text("")
    removals = plan(remove=[str(tmp_path / "d"), str(tmp_path / "d" / "x")]).removals
    assert [os.path.relpath(change.path, tmp_path) for change in removals] == ["d/x", "d"]


def test_a_full_directory_is_removed_only_on_request(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x").write_text("")
    with pytest.raises(RefusedError, match=r"not empty \(x\); say `recursive: true`"):
        plan(remove=[str(tmp_path / "d")])
    assert plan(remove=[{"path": str(tmp_path / "d"), "recursive": True}]).changed
    assert not plan(directories=[directory(tmp_path / "d")], state="absent").changed
    assert plan(directories=[directory(tmp_path / "d", recursive=True)], state="absent").changed


def test_nothing_is_removed_while_something_is_mounted_in_it(tmp_path, monkeypatch):
    (tmp_path / "data" / "disk").mkdir(parents=True)
    monkeypatch.setattr(planning, "_mount_points", lambda: ["/", str(tmp_path / "data" / "disk")])
    with pytest.raises(RefusedError, match="mount point; unmount it first"):
        plan(remove=[{"path": str(tmp_path / "data"), "recursive": True}])


def test_mount_points_are_read_with_their_escapes(monkeypatch):
    assert "/" in planning._mount_points()
    assert planning._OCTAL.sub(lambda found: chr(int(found.group(1), 8)), r"/mnt/a\040b") == "/mnt/a b"
