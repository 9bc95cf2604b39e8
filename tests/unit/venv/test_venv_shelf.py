"""Environments on disk, links, and what has to change."""

import os

from ansible_collections.gpufleet.serving.plugins.module_utils.venv import shelf


def environment(folder, name, age=0):
    path = folder / name
    (path / "bin").mkdir(parents=True)
    (path / "bin" / "python").write_text("#!/bin/sh\n")
    (path / "bin" / "python").chmod(0o755)
    mark = path / shelf.MARK
    mark.touch()
    os.utime(mark, (1_000_000 - age, 1_000_000 - age))
    return path


def apply(folder, wanted, links, keep=1):
    plan = shelf.decide(shelf.look(str(folder)), wanted, links, keep)
    shelf.switch(str(folder), plan)
    return plan


def test_a_blank_host_needs_everything(tmp_path):
    plan = shelf.decide(shelf.look(str(tmp_path / "vllm")), ["new"], {"a": "new"}, 1)
    assert plan == shelf.Plan(build=["new"], link={"a": "new"}, unlink=[], remove=[])


def test_links_move_and_unlisted_ones_go(tmp_path):
    for name in ("old", "new"):
        environment(tmp_path, name)
    apply(tmp_path, ["old"], {"a": "old", "b": "old"})
    plan = apply(tmp_path, ["new"], {"a": "new"})
    assert (plan.link, plan.unlink, plan.remove) == ({"a": "new"}, ["b"], [])
    assert str((tmp_path / "instances/a").readlink()) == "../new"
    assert not os.path.lexists(tmp_path / "instances/b")
    assert not shelf.decide(shelf.look(str(tmp_path)), ["new"], {"a": "new"}, 1).changes


def test_the_last_used_ones_are_kept(tmp_path):
    for age, name in enumerate(("one", "two", "three", "four")):
        environment(tmp_path, name, age)
    plan = apply(tmp_path, ["four"], {"a": "four"}, keep=1)
    assert plan.remove == ["two", "three"]
    assert sorted(path.name for path in tmp_path.iterdir() if (path / shelf.MARK).exists()) == ["four", "one"]


def test_an_environment_that_any_link_uses_is_never_removed(tmp_path):
    for name in ("one", "two"):
        environment(tmp_path, name)
    assert apply(tmp_path, ["one", "two"], {"a": "one", "b": "two"}, keep=0).remove == []


def test_one_without_its_interpreter_is_built_again(tmp_path):
    environment(tmp_path, "one")
    (tmp_path / "one/bin/python").unlink()
    (tmp_path / "one/bin/python").symlink_to("/nowhere/python3")
    assert shelf.decide(shelf.look(str(tmp_path)), ["one"], {"a": "one"}, 1).build == ["one"]


def test_a_half_made_one_does_not_count(tmp_path):
    (environment(tmp_path, "one") / shelf.MARK).unlink()
    assert shelf.look(str(tmp_path)).environments == []


def test_removing_everything_leaves_what_is_not_ours(tmp_path):
    folder = tmp_path / "vllm"
    environment(folder, "one")
    apply(folder, ["one"], {"a": "one"})
    (folder / shelf.BUILD).mkdir()
    (folder / "notes.txt").write_text("mine")
    assert shelf.remove_all(str(folder)) == [str(folder / "notes.txt")]
    (folder / "notes.txt").unlink()
    shelf.remove_all(str(folder))
    assert not folder.exists()
