"""SIGKILL at every step that changes the disk, and at many moments in between.

Whatever the moment: the link leads to a complete version, and the next run brings everything to the wished state.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release import disk, install
from release_orders import names
from release_server import program, release, tar, whole

CHANGES = {
    "os.rename", "os.mkdir", "os.symlink", "os.link", "os.remove", "os.rmdir", "os.chmod", "os.chown", "os.truncate",
    "os.utime", "subprocess.Popen", "ctypes.dlsym", "socket.connect",
}  # fmt: skip
WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
PATIENCE = 30


def changes_something(event: str, arguments: tuple) -> bool:
    return event in CHANGES or (event == "open" and bool((arguments[2] or 0) & WRITING))


def run_in_child(work: Callable[[], object], at: int | None = None, after: float | None = None) -> tuple[bool, int]:
    """Run `work` in a process of its own, killed before its change number `at` or `after` so many seconds.

    Returns:
        Whether it was killed, and how many changes it has made or tried.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        count = 0

        def watch(event: str, arguments: tuple) -> None:
            nonlocal count
            if changes_something(event, arguments):
                count += 1
                if count == at:
                    os.kill(os.getpid(), signal.SIGKILL)

        code = 1
        try:
            sys.addaudithook(watch)
            work()
            os.write(writing, str(count).encode())
            code = 0
        finally:
            os._exit(code)
    os.close(writing)
    if after is not None:
        time.sleep(after)
        os.kill(child, signal.SIGKILL)
    with os.fdopen(reading) as pipe:
        said = pipe.read()
    status = os.waitpid(child, 0)[1]
    killed = os.WIFSIGNALED(status)
    assert killed or os.WEXITSTATUS(status) == 0, "the run failed by itself"
    return killed, int(said or 0)


def assert_sound(opt: Path, contents: set[bytes], linked: bool) -> None:
    """Every version that has its name is complete, and so is what the link leads to."""
    if linked:
        assert (opt / "current").is_symlink()
    for entry in opt.iterdir() if opt.exists() else ():
        if entry.name == ".lock" or entry.name.startswith(disk.STAGING):
            continue
        version = entry.resolve(strict=True)
        assert version.parent == opt.resolve()
        assert not disk.look(str(opt)).versions[version.name].damage
        assert (version / "demo").read_bytes() in contents
        subprocess.run([version / "demo"], check=True, capture_output=True)


class Story:
    """A state of the disk, what is run on it, and the state that it has to end in."""

    def __init__(self, opt: Path, prepare, work, contents: set[bytes], end: list[str], linked: bool = True) -> None:
        self.opt, self.work, self.contents, self.end, self.linked = opt, work, contents, end, linked
        self.saved = opt.parent.with_name("saved")
        prepare()
        if opt.exists():
            shutil.copytree(opt, self.saved, symlinks=True)

    def restore(self) -> None:
        shutil.rmtree(self.opt, ignore_errors=True)
        if self.saved.exists():
            shutil.copytree(self.saved, self.opt, symlinks=True)

    def check(self) -> None:
        assert_sound(self.opt, self.contents, self.linked)
        self.work()
        # A run that was killed at its last step leaves its lock's file, which blocks nobody.
        left = names(self.opt) if self.opt.exists() else []
        assert [name for name in left if name != ".lock"] == self.end
        assert_sound(self.opt, self.contents, self.linked)
        assert not self.work().plan.changes


@pytest.fixture
def story(opt, ordering):
    def build(name: str) -> Story:
        old, new = ordering("1.0"), ordering("2.0", keep=0)
        installed = functools.partial(install.present, old)
        both = {program("1.0"), program("2.0")}
        if name == "first":
            return Story(opt, lambda: None, installed, both, ["1.0", "current"], linked=False)
        if name == "upgrade":
            return Story(opt, installed, functools.partial(install.present, new), both, ["2.0", "current"])
        if name == "republished":
            again = ordering("1.0", tar({"demo/demo!": program("1.0b")}))
            return Story(
                opt, prepared(old, ordering), functools.partial(install.present, again),
                {program("1.0"), program("1.0b")}, ["1.0", "current"],
            )  # fmt: skip
        if name == "back":
            return Story(
                opt, lambda: (installed(), install.present(ordering("2.0"))), installed, both, ["1.0", "2.0", "current"]
            )
        remove = functools.partial(install.absent, str(opt), None, PATIENCE)
        return Story(opt, installed, remove, both, [], linked=False)

    def prepared(order, ordering):
        def prepare():
            ordering("1.0")
            install.present(order)
            ordering("1.0", tar({"demo/demo!": program("1.0b")}))

        return prepare

    return build


@pytest.mark.parametrize("name", ["first", "upgrade", "republished", "back", "absent"])
def test_killed_before_every_change(story, name):
    told = story(name)
    told.work()  # so that no child spends changes on importing what is imported late
    told.restore()
    killed, changes = run_in_child(told.work)
    assert not killed
    assert changes >= {"back": 8, "absent": 8}.get(name, 20), "fewer steps than there can be: is the watch blind?"
    for at in range(1, changes + 1):
        told.restore()
        killed, _count = run_in_child(told.work, at=at)
        assert killed, f"change {at} of {changes} never came"
        told.check()


def test_killed_at_any_time(story, publisher, ordering):
    """Also between the steps: while bytes arrive, are written, unpacked or synced."""
    told = story("upgrade")
    body = release("2.0", filler=30_000_000)
    order = ordering("2.0", body, answers=(whole(body),), keep=0)
    told.work = functools.partial(install.present, order)
    started = time.monotonic()
    run_in_child(told.work)
    span = time.monotonic() - started
    hits = 0
    for number in range(200):
        told.restore()
        # Golden ratio: moments spread evenly over the span, however many there will be.
        killed, _count = run_in_child(told.work, after=span * (number * 0.618034 % 1))
        told.check()
        if killed:
            hits += 1
        else:
            span *= 0.9
        if hits == 25:
            return
    pytest.fail(f"only {hits} of 200 kills came before the run's end")


def test_a_killed_runs_lock_is_free(opt, ordering):
    install.present(ordering("1.0"))
    killed, _count = run_in_child(functools.partial(install.present, ordering("2.0")), at=6)
    assert killed
    assert (opt / ".lock").exists()
    started = time.monotonic()
    install.present(ordering("2.0"))
    assert time.monotonic() - started < PATIENCE / 2
    assert names(opt) == ["1.0", "2.0", "current"]
