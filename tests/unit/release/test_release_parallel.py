"""Several runs at once on one root."""

from __future__ import annotations

import fcntl
import time
from dataclasses import replace

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release import install
from ansible_collections.gpufleet.serving.plugins.module_utils.release.errors import BusyError
from ansible_collections.gpufleet.serving.plugins.module_utils.release.lock import held
from release_orders import names
from release_processes import at_once
from release_server import program, release, trickle


def test_six_runs_for_one_version_download_once(opt, ordering, publisher):
    order = ordering("1.0", answers=(trickle(release("1.0"), 50, 0.01),))
    said = at_once([lambda: install.present(order).plan.action] * 6)
    assert sorted(said) == ["install"] + ["none"] * 5
    assert publisher.asked("/demo-1.0.tar.gz") == 1
    assert names(opt) == ["1.0", "current"]
    assert (opt / "current/demo").read_bytes() == program("1.0")


def test_six_runs_for_different_versions(opt, ordering):
    orders = [ordering(f"{number}.0", keep=9) for number in range(6)]
    said = at_once([lambda order=order: install.present(order).plan.action for order in orders])
    assert said == ["install"] * 6
    assert names(opt) == ["0.0", "1.0", "2.0", "3.0", "4.0", "5.0", "current"]
    for number in range(6):
        assert (opt / f"{number}.0/demo").read_bytes() == program(f"{number}.0")


@pytest.mark.parametrize("_again", range(4))
def test_installing_and_removing_at_once(opt, ordering, _again):
    """The folder itself comes and goes; each run sees either all of it or nothing."""
    order = ordering("1.0")
    works = [
        lambda: install.present(order).plan.action,
        lambda: install.absent(str(opt), None, 20).plan.action,
    ] * 3
    said = at_once(works)
    assert set(said[::2]) <= {"install", "none"}
    assert set(said[1::2]) <= {"remove", "none"}
    left = [name for name in names(opt) if name != ".lock"] if opt.exists() else []
    assert left in ([], ["1.0", "current"])
    assert install.present(order).plan.action in ("install", "none")
    assert (opt / "current/demo").read_bytes() == program("1.0")


def test_a_run_that_does_not_end(opt, ordering):
    opt.mkdir(parents=True)
    with (opt / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.write("4321")
        file.flush()
        with pytest.raises(BusyError, match=r"another run \(process 4321\) is installing here.*lock_timeout"):
            install.present(replace(ordering("1.0"), patience=0.3))
    assert names(opt) == [".lock"]


def test_a_linked_version_waits_for_nobody(opt, ordering):
    order = replace(ordering("1.0"), patience=0)
    install.present(order)
    with held(str(opt), 1):
        started = time.monotonic()
        assert not install.present(order).plan.changes
        assert time.monotonic() - started < 1


def test_who_waited_notices_that_the_folder_was_removed(opt, ordering):
    """The lock's file that it waited for is gone with the folder: holding it would exclude nobody."""
    install.present(ordering("1.0"))

    def remove_slowly() -> str:
        with held(str(opt), 1):
            time.sleep(0.4)
            for name in ("current",):
                (opt / name).unlink()
        return install.absent(str(opt), None, 20).plan.action

    order = ordering("2.0")
    said = at_once([remove_slowly, lambda: time.sleep(0.2) or install.present(order).plan.action])
    assert said[1] == "install"
