import errno
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files import landing
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.errors import LandingError
from ansible_collections.gpufleet.serving.plugins.module_utils.config_files.plan import make_plan
from config_set import directory, file, request
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def land(check_mode=False, **options):
    plan = make_plan(request(**options), check_mode)
    landing.carry_out(plan, lambda path, final: None)
    return plan


def snapshot(root):
    """Every path below root with its mode, modification time and content."""
    found = {}
    for path in root.rglob("*"):
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        # Making and removing a neighbour moves a directory's time; that is no change of what it holds.
        time = status.st_mtime_ns if content is not None else None
        found[str(path.relative_to(root))] = (status.st_mode, time, content)
    return found


@pytest.fixture
def etc(tmp_path):
    """A directory in which every kind of change has something to do."""
    (tmp_path / "keep").write_text("keep\n")
    (tmp_path / "old").write_text("old\n")
    (tmp_path / "drift").write_text("x\n")
    (tmp_path / "drift").chmod(0o666)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "leaf").write_text("leaf\n")
    (tmp_path / "stale.yml").write_text("stale\n")
    for path in tmp_path.rglob("*"):
        os.utime(path, (1_000_000_000, 1_000_000_000))
    return tmp_path


def everything(etc):
    return {
        "directories": [directory(etc / "new.d"), directory(etc / "new.d" / "sub", mode="0700")],
        "files": [
            file(etc / "keep", "keep\n"),
            file(etc / "old", "new\n"),
            file(etc / "drift", "x\n"),
            file(etc / "new.d" / "sub" / "fresh", "fresh\n", mode="0600"),
        ],
        "remove": [{"path": str(etc / "tree"), "recursive": True}],
        "prune": [(etc, "*.yml")],
    }


def test_all_kinds_of_changes_land(etc):
    land(**everything(etc))
    after = snapshot(etc)
    assert sorted(after) == ["drift", "keep", "new.d", "new.d/sub", "new.d/sub/fresh", "old"]
    assert after["old"][2] == b"new\n"
    assert stat.S_IMODE(after["new.d/sub"][0]) == 0o700
    assert stat.S_IMODE(after["new.d/sub/fresh"][0]) == 0o600
    assert not make_plan(request(**everything(etc)), check_mode=False).changed


def test_unchanged_content_keeps_its_time_even_where_the_mode_is_repaired(etc):
    land(**everything(etc))
    after = snapshot(etc)
    assert after["keep"][1] == after["drift"][1] == 1_000_000_000 * 10**9
    assert stat.S_IMODE(after["drift"][0]) == 0o644
    assert after["old"][1] > 1_000_000_000 * 10**9


FAILING = ["mkdir", "open", "fsync", "link", "rename", "chmod", "fchmod"]


@pytest.mark.parametrize("call", FAILING)
def test_whichever_step_fails_all_is_as_before(etc, monkeypatch, call):
    """Each call fails in turn, once at each place where it happens."""
    before, failures = snapshot(etc), 0
    real = getattr(os, call)
    for broken in range(1, 20):
        seen = 0

        def fail(*arguments, broken=broken, **options):
            nonlocal seen
            # Reading, as os.walk and Python's own machinery do, is none of it.
            if call == "open" and not arguments[1] & os.O_CREAT:
                return real(*arguments, **options)
            seen += 1
            if seen == broken:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            return real(*arguments, **options)

        plan = make_plan(request(**everything(etc)), check_mode=False)
        monkeypatch.setattr(landing.os, call, fail)
        try:
            landing.carry_out(plan, lambda path, final: None)
        except LandingError as error:
            failures += 1
            assert str(error).startswith(str(etc))
        finally:
            monkeypatch.setattr(landing.os, call, real)
        if seen < broken or (call == "link" and seen == broken):
            # Past the last place; or a file system without hard links, where a copy does as well.
            break
        assert snapshot(etc) == before
    assert failures or call == "link"
    assert snapshot(etc)["old"][2] == b"new\n"


def test_an_interrupted_run_puts_everything_back(etc, monkeypatch):
    before = snapshot(etc)
    plan = make_plan(request(**everything(etc)), check_mode=False)
    real = os.rename

    def stop(source, target):
        if target == str(etc / "stale.yml") or source == str(etc / "stale.yml"):
            monkeypatch.setattr(landing.os, "rename", real)
            raise SystemExit("stopped by signal 15")
        return real(source, target)

    monkeypatch.setattr(landing.os, "rename", stop)
    with pytest.raises(SystemExit):
        landing.carry_out(plan, lambda path, final: None)
    assert snapshot(etc) == before


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.ENOSPC, "no space left for it in"),
        (errno.EDQUOT, "no space left for it in"),
        (errno.EROFS, "mounted read-only"),
        (errno.EPERM, "immutable file" if os.geteuid() == 0 else "become: true"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_the_reason_is_told_with_the_path(etc, monkeypatch, number, said):
    def fail(descriptor):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(landing.os, "fsync", fail)
    with pytest.raises(LandingError, match=f"{etc}/old: .*{said}"):
        land(files=[file(etc / "old", "new\n")])


def test_a_secret_is_never_readable_by_others_on_its_way(tmp_path, monkeypatch):
    modes = []
    for call in ("fchmod", "fchown", "fsync"):
        real = getattr(os, call)

        def spy(descriptor, *arguments, real=real):
            modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
            return real(descriptor, *arguments)

        monkeypatch.setattr(landing.os, call, spy)
    previous = os.umask(0)
    try:
        land(files=[file(tmp_path / "s", "hunter2", mode="0400", secret=True)])
    finally:
        os.umask(previous)
    assert set(modes) <= {0o600, 0o400}
    assert stat.S_IMODE((tmp_path / "s").stat().st_mode) == 0o400


def test_what_a_killed_run_left_is_cleared_away_and_nothing_else(tmp_path):
    ours = [".a.gpufleet-new-0123abcd", ".a.gpufleet-old-0123abcd", ".d.gpufleet-old-00000000"]
    others = ["a", ".a.gpufleet-new", ".gpufleet-new-0123abcd", "a.gpufleet-new-0123abcd", ".hidden"]
    for name in (*ours[:2], *others):
        (tmp_path / name).write_text("x")
    (tmp_path / ours[2] / "sub").mkdir(parents=True)
    landing.remove_leftovers({str(tmp_path), str(tmp_path / "not there")})
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(others)


def test_every_temporary_name_is_one_that_the_next_run_clears_away():
    for name in ("a", "x" * 255, "prometheus.yml"):
        for kind in ("new", "old"):
            made = Path(landing._beside(f"/etc/{name}", kind)).name
            assert landing._LEFTOVER.match(made)
            assert len(made) <= 255


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=40, deadline=None)
@given(
    st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=4).map(lambda raw: raw.hex()), max_size=6),
    st.dictionaries(st.sampled_from("abcdef"), st.binary(max_size=4).map(lambda raw: raw.hex()), max_size=6),
    st.integers(1, 12),
)
def test_any_set_over_any_other_lands_whole_or_not_at_all(tmp_path_factory, old, new, broken):
    etc = tmp_path_factory.mktemp("etc")
    for name, content in old.items():
        (etc / name).write_text(content)
        (etc / name).chmod(0o644)
    plan = make_plan(
        request(files=[file(etc / name, content) for name, content in new.items()], prune=[(etc, "*")]), False
    )
    calls, real = 0, os.rename

    def rename(source, target):
        nonlocal calls
        calls += 1
        if calls == broken:
            raise OSError(errno.EIO, "broken")
        return real(source, target)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(landing.os, "rename", rename)
        try:
            landing.carry_out(plan, lambda path, final: None)
            expected = new
        except LandingError:
            expected = old
    assert {path.name: path.read_text() for path in etc.iterdir()} == expected
