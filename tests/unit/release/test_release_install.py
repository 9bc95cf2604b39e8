"""What a run leaves on the disk and says about it."""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release import disk, install
from ansible_collections.gpufleet.serving.plugins.module_utils.release.errors import (
    BadRequestError,
    DownloadError,
    NotLockedError,
    NotOursError,
    SmokeError,
    UnsafeArchiveError,
)
from ansible_collections.gpufleet.serving.plugins.module_utils.release.install import Layout
from release_orders import names
from release_server import program, release, sha256, status, tar, whole, zipped


def tree(path: Path) -> list[str]:
    return sorted(str(found.relative_to(path)) for found in path.rglob("*"))


def snapshot(path: Path) -> dict[str, tuple]:
    """Everything about everything below `path` that a write would change."""
    found = {}
    for entry in [path, *path.rglob("*")] if path.exists() else []:
        status_ = entry.lstat()
        found[str(entry)] = (status_.st_mode, status_.st_ino, status_.st_mtime_ns, status_.st_ctime_ns, status_.st_size)
    return found


@contextmanager
def umask(mask: int):
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


def test_first_installation(opt, ordering):
    outcome = install.present(ordering("1.0"))
    assert (outcome.plan.action, outcome.plan.previous, outcome.downloaded) == ("install", None, len(release("1.0")))
    assert names(opt) == ["1.0", "current"]
    assert str((opt / "current").readlink()) == "1.0"
    assert (opt / "current" / "demo").read_bytes() == program("1.0")
    assert (opt / "1.0" / "share/a/deep/file.txt").is_file()
    marker = json.loads((opt / "1.0" / disk.MARKER).read_text())
    assert marker["sha256"] == sha256(release("1.0"))
    assert marker["executables"] == {"demo": len(program("1.0"))}


def test_nothing_is_writable_by_others(opt, ordering):
    with umask(0):
        install.present(ordering("1.0"))
    for entry in [opt, *opt.rglob("*")]:
        if not entry.is_symlink():
            assert not entry.stat().st_mode & 0o022, entry
            assert (entry.stat().st_uid, entry.stat().st_gid) == (os.geteuid(), os.getegid())


def test_readable_for_services_under_a_closed_umask(opt, ordering):
    with umask(0o077):
        install.present(ordering("1.0"))
    for entry in [opt.parent, opt, *opt.rglob("*")]:
        wanted = 0o005 if entry.is_dir() else 0o004
        assert entry.is_symlink() or stat.S_IMODE(entry.stat().st_mode) & wanted == wanted, entry


def test_second_run_asks_nothing_and_writes_nothing(opt, ordering, publisher):
    order = ordering("1.0")
    install.present(order)
    before, asked = snapshot(opt.parent), len(publisher.requests)
    outcome = install.present(order)
    assert not outcome.plan.changes
    assert outcome.debris == ()
    assert snapshot(opt.parent) == before
    assert len(publisher.requests) == asked


def test_upgrade_and_going_back_without_network(opt, ordering, publisher):
    old = ordering("1.0")
    install.present(old)
    outcome = install.present(ordering("2.0"))
    assert (outcome.plan.previous, outcome.plan.kept) == ("1.0", ("1.0",))
    publisher.routes.clear()
    asked = len(publisher.requests)
    before = (opt / "current").lstat().st_mtime_ns
    outcome = install.present(old)
    assert (outcome.plan.action, outcome.plan.previous, outcome.downloaded) == ("link", "2.0", 0)
    assert str((opt / "current").readlink()) == "1.0"
    # What restarts services: the link itself is new.
    assert (opt / "current").lstat().st_mtime_ns > before
    assert len(publisher.requests) == asked


def test_a_kept_version_needs_no_entry_in_the_lock(opt, ordering):
    install.present(ordering("1.0"))
    install.present(ordering("2.0"))
    assert install.present(ordering("1.0", sha256=None)).plan.action == "link"


def test_a_new_version_needs_an_entry_in_the_lock(opt, ordering, publisher):
    order = ordering("1.0", sha256=None)
    with pytest.raises(NotLockedError, match=r"no sha256 for http://\S+/demo-1.0.tar.gz.*make lock INVENTORY="):
        install.present(order)
    assert not opt.parent.exists()
    assert publisher.requests == []


def test_pruning_keeps_the_last_used(opt, ordering):
    for version in ("1.0", "2.0", "3.0"):
        install.present(ordering(version))
    assert names(opt) == ["1.0", "2.0", "3.0", "current"]
    install.present(ordering("1.0"))
    outcome = install.present(ordering("4.0"))
    # 2.0 was in use longest ago, although 1.0 is older.
    assert outcome.plan.remove == ("2.0",)
    assert names(opt) == ["1.0", "3.0", "4.0", "current"]


def test_use_counts_and_not_the_time_of_installation(opt, ordering):
    for version in ("1.0", "2.0", "3.0", "1.0", "3.0"):
        install.present(ordering(version))
    assert install.present(ordering("4.0")).plan.remove == ("2.0",)


def test_keep_none(opt, ordering):
    install.present(ordering("1.0"))
    outcome = install.present(ordering("2.0", keep=0))
    assert outcome.plan.remove == ("1.0",)
    assert names(opt) == ["2.0", "current"]


def test_a_version_that_another_link_leads_to_is_never_pruned(opt, ordering):
    install.present(ordering("1.0", link="canary"))
    install.present(ordering("2.0"))
    install.present(ordering("3.0", keep=0))
    assert names(opt) == ["1.0", "3.0", "canary", "current"]


def test_without_link(opt, ordering):
    install.present(ordering("1.0"))
    for version in ("2.0", "3.0", "4.0", "5.0"):
        outcome = install.present(ordering(version, link=None))
        assert outcome.plan.remove == ()
    assert str((opt / "current").readlink()) == "1.0"
    assert not install.present(ordering("5.0", link=None)).plan.changes


def test_an_operators_absolute_link_is_understood(opt, ordering):
    install.present(ordering("1.0"))
    install.present(ordering("2.0"))
    (opt / "current").unlink()
    (opt / "current").symlink_to(opt / "1.0")
    assert not install.present(ordering("1.0")).plan.changes
    assert install.present(ordering("2.0")).plan.previous == "1.0"


@pytest.mark.parametrize("target", ["3.0", "/nowhere", "../elsewhere"])
def test_a_link_that_leads_nowhere_is_set_right(opt, ordering, target):
    install.present(ordering("1.0"))
    (opt / "current").unlink()
    (opt / "current").symlink_to(target)
    assert install.present(ordering("1.0")).plan.action == "link"
    assert str((opt / "current").readlink()) == "1.0"


def test_republished_version_is_replaced(opt, ordering):
    install.present(ordering("1.0"))
    before = (opt / "current").lstat().st_mtime_ns
    body = tar({"demo-1.0/demo!": program("1.0 again")})
    outcome = install.present(ordering("1.0", body))
    assert outcome.plan.action == "reinstall"
    assert sha256(body) in outcome.plan.reason
    assert (opt / "current" / "demo").read_bytes() == program("1.0 again")
    assert not (opt / "1.0" / "LICENSE").exists()
    assert (opt / "current").lstat().st_mtime_ns > before
    assert names(opt) == ["1.0", "current"]


def test_republished_version_where_folders_cannot_be_exchanged(opt, ordering, monkeypatch):
    """Overlay file systems refuse it for what came with their lower layer."""

    def refuse(*_arguments):
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    install.present(ordering("1.0"))
    monkeypatch.setattr(disk.libc, "_call", lambda name, *rest: refuse() if name == "renameat2" else None)
    with pytest.raises(
        NotOursError, match=r"cannot do that in one step.*remove this one with state=absent version=1\.0"
    ):
        install.present(ordering("1.0", tar({"demo-1.0/demo!": program("1.0 again")})))
    assert (opt / "current" / "demo").read_bytes() == program("1.0")
    assert names(opt) == ["1.0", "current"]


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda opt: (opt / "1.0/demo").unlink(), "demo is gone"),
        (lambda opt: (opt / "1.0/demo").write_bytes(b""), "demo has 0 bytes instead of"),
        (lambda opt: (opt / "1.0" / disk.MARKER).write_bytes(b""), "cannot be read"),
        (lambda opt: (opt / "1.0" / disk.MARKER).write_text("[]"), "cannot be read"),
        (lambda opt: (opt / "1.0" / disk.MARKER).write_text('{"url": 1}'), "cannot be read"),
    ],
)
def test_a_damaged_version_is_replaced(opt, ordering, harm, reason):
    order = ordering("1.0")
    install.present(order)
    harm(opt)
    outcome = install.present(order)
    assert outcome.plan.action == "reinstall"
    assert reason in outcome.plan.reason
    assert (opt / "current/demo").read_bytes() == program("1.0")
    assert not install.present(order).plan.changes


def test_foreign_things_stay(opt, ordering):
    (opt / "1.0").mkdir(parents=True)
    (opt / "1.0" / "mine").touch()
    with pytest.raises(NotOursError, match=r"/1\.0 was not made by.*Move it away"):
        install.present(ordering("1.0"))
    install.present(ordering("2.0", keep=0))
    assert (opt / "1.0" / "mine").exists()


def test_an_empty_folder_of_the_versions_name_is_used(opt, ordering):
    (opt / "1.0").mkdir(parents=True)
    install.present(ordering("1.0"))
    assert (opt / "current/demo").exists()


def test_a_folder_in_the_place_of_the_link(opt, ordering):
    (opt / "current").mkdir(parents=True)
    (opt / "current" / "file").touch()
    with pytest.raises(NotOursError, match="/current was not made by"):
        install.present(ordering("1.0"))


def test_a_file_in_the_place_of_the_folder(opt, ordering):
    opt.parent.mkdir()
    opt.touch()
    with pytest.raises(NotOursError, match="is no folder"):
        install.present(ordering("1.0"))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to somebody else")
@pytest.mark.parametrize("loosen", [lambda path: os.chown(path, 1234, 0), lambda path: path.chmod(0o777)])
def test_a_folder_that_others_may_write_to(opt, ordering, loosen):
    opt.mkdir(parents=True)
    loosen(opt)
    with pytest.raises(NotOursError, match="others than root could replace"):
        install.present(ordering("1.0"))


def test_a_linked_folder_on_another_disk(opt, ordering):
    data = opt.parent.with_name("data")
    data.mkdir()
    opt.parent.mkdir()
    opt.symlink_to(data)
    install.present(ordering("1.0"))
    assert not install.present(ordering("1.0")).plan.changes
    assert (data / "current/demo").is_file()


def test_debris_is_cleared_and_said(opt, ordering):
    install.present(ordering("1.0"))
    (opt / ".staging-dead" / "unpacked").mkdir(parents=True)
    outcome = install.present(ordering("1.0"))
    assert outcome.debris == (".staging-dead",)
    assert names(opt) == ["1.0", "current"]


@pytest.mark.parametrize(
    ("body", "error", "message"),
    [
        (tar({"demo-2.0/demo!": b"#!/bin/sh\necho no good; exit 3\n"}), SmokeError, "exit status 3.*no good"),
        (tar({"demo-2.0/other": b""}), SmokeError, "the release holds no demo; at its top are.*other"),
        (tar({"../demo!": b""}), UnsafeArchiveError, r"climbs up"),
        (tar({f"demo-2.0/{disk.MARKER}": b"{}"}), UnsafeArchiveError, "holds a file of this name"),
        (b"no archive", Exception, "cannot be read as tar.gz although its checksum is the locked one"),
        (tar({}), BadRequestError, "the archive holds nothing"),
    ],
)
def test_a_bad_release_changes_nothing(opt, ordering, body, error, message):
    install.present(ordering("1.0"))
    before = tree(opt)
    order = ordering("2.0", body)
    with pytest.raises(error, match=message) as caught:
        install.present(order)
    assert "2.0" in str(caught.value)
    assert tree(opt) == before
    assert str((opt / "current").readlink()) == "1.0"


def test_a_failed_first_installation_leaves_nothing(opt, ordering):
    with pytest.raises(DownloadError):
        install.present(ordering("1.0", answers=(status(404),)))
    assert not opt.exists()


def test_going_back_to_a_version_that_does_not_run_any_more(opt, ordering):
    install.present(ordering("1.0"))
    install.present(ordering("2.0"))
    broken = b"#!/bin/sh\nexit 9 #"
    (opt / "1.0/demo").write_bytes(broken.ljust(len(program("1.0")), b"#"))
    with pytest.raises(SmokeError, match=r"1\.0 does not work on this host, so .*/current stays as it was.*status 9"):
        install.present(ordering("1.0"))
    assert str((opt / "current").readlink()) == "2.0"


@pytest.mark.parametrize(
    ("layout", "body"),
    [
        (Layout("file", binary="demo"), program("1.0")),
        (Layout("zip", binary="demo"), zipped({"demo-linux-amd64": program("1.0")})),
        (Layout("zip"), zipped({"demo-1.0/demo": program("1.0")}, executable=("demo-1.0/demo",))),
        (Layout("tar.gz", strip=2), tar({"a/b/demo!": program("1.0"), "a/README": b""})),
        (Layout("tar.gz"), tar({"demo!": program("1.0"), "README": b""})),
        (Layout("tar.gz"), tar({"./demo-1.0/demo!": program("1.0")})),
        (Layout("tar.gz", binary="demo"), tar({"top/demo-amd64": program("1.0")})),
        (Layout("tar.xz"), tar({"demo-1.0/demo!": program("1.0")}, "w:xz")),
        (Layout("tar.bz2"), tar({"demo-1.0/demo!": program("1.0")}, "w:bz2")),
    ],
)
def test_layouts(opt, ordering, layout, body):
    install.present(ordering("1.0", body, layout=layout))
    assert (opt / "current/demo").read_bytes() == program("1.0")
    assert stat.S_IMODE((opt / "current/demo").stat().st_mode) == 0o755


def test_strip_components_zero_keeps_the_top_folder(opt, ordering):
    install.present(ordering("1.0", layout=Layout("tar.gz", strip=0), smoke=("demo-1.0.linux-amd64/demo",)))
    assert (opt / "current/demo-1.0.linux-amd64/demo").is_file()


def test_binary_is_for_one_file(opt, ordering):
    with pytest.raises(BadRequestError, match="a release of one file, but this one holds LICENSE, demo, filler, share"):
        install.present(ordering("1.0", layout=Layout("tar.gz", binary="demo")))


def test_check_mode_touches_nothing_and_asks_nothing(opt, ordering, publisher):
    outcome = install.present(ordering("1.0"), check=True)
    assert outcome.plan.action == "install"
    assert not opt.parent.exists()
    install.present(ordering("1.0"))
    (opt / ".staging-dead").mkdir()
    before, asked = snapshot(opt.parent), len(publisher.requests)
    outcome = install.present(ordering("2.0", keep=0), check=True)
    assert (outcome.plan.action, outcome.plan.remove, outcome.debris) == ("install", ("1.0",), (".staging-dead",))
    assert not install.absent(str(opt), None, 1, check=True).plan.kept
    assert snapshot(opt.parent) == before
    assert len(publisher.requests) == asked


def test_absent_removes_all_of_it(opt, ordering):
    install.present(ordering("1.0"))
    install.present(ordering("2.0", link="canary"))
    outcome = install.absent(str(opt), None, 1)
    assert outcome.plan.remove == ("1.0", "2.0")
    assert not opt.exists()
    assert not install.absent(str(opt), None, 1).plan.changes
    assert not opt.exists()


def test_absent_leaves_what_is_not_ours(opt, ordering):
    install.present(ordering("1.0"))
    (opt / "models").mkdir()
    (opt / "models" / "weights").touch()
    assert install.absent(str(opt), None, 1).foreign == ("models",)
    assert tree(opt) == ["models", "models/weights"]
    assert not install.absent(str(opt), None, 1).plan.changes


def test_absent_one_version(opt, ordering):
    install.present(ordering("1.0"))
    install.present(ordering("2.0"))
    with pytest.raises(BadRequestError, match=r"2\.0 is in use: current leads to it\. Switch to one of 1\.0 first"):
        install.absent(str(opt), "2.0", 1)
    assert install.absent(str(opt), "1.0", 1).plan.kept == ("2.0",)
    assert not install.absent(str(opt), "1.0", 1).plan.changes
    install.absent(str(opt), "2.0", 1)
    assert not opt.exists()


def test_absent_refuses_a_foreign_version(opt, ordering):
    install.present(ordering("1.0"))
    (opt / "2.0").mkdir()
    (opt / "2.0" / "file").touch()
    with pytest.raises(NotOursError, match="so it stays"):
        install.absent(str(opt), "2.0", 1)


def test_absent_after_a_run_that_was_killed_at_the_very_end(opt):
    opt.mkdir(parents=True)
    (opt / ".lock").touch()
    install.absent(str(opt), None, 1)
    assert not opt.exists()


def test_the_whole_story_is_retried_from_a_mirror(opt, ordering, publisher):
    order = ordering("1.0")
    address = publisher.publish("/archives/example.org/demo.tar.gz", status(503), whole(release("1.0")))
    outcome = install.present(
        replace(order, address=address, wish=replace(order.wish, url="https://example.org/demo.tar.gz"))
    )
    assert outcome.downloaded == len(release("1.0"))
    assert json.loads((opt / "1.0" / disk.MARKER).read_text())["url"] == "https://example.org/demo.tar.gz"
    assert [path for path, _headers in publisher.requests] == ["/archives/example.org/demo.tar.gz"] * 2
