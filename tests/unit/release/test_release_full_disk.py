"""A file system that is too small, for real where we may mount one."""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import subprocess

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release import install, members, space
from ansible_collections.gpufleet.serving.plugins.module_utils.release.errors import NoSpaceError
from release_orders import names
from release_processes import at_once
from release_server import tar

MIB = 1024 * 1024
CLONE_NEWNS = 0x20000


def mount_small_disk(folder: str, options: str) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"mode=755,{options}", "none", folder], check=True)


@pytest.fixture
def on_small_disk(opt, ordering, monkeypatch):
    """Installs 1.0 on a tmpfs, then tries 2.0 with the given content: what went wrong, and that nothing else did."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a file system of its own")
    monkeypatch.setattr(space, "RESERVE", 0)
    opt.parent.mkdir()

    def run(body: bytes, options: str = "size=8m") -> str:
        first, second, third = ordering("1.0"), ordering("2.0", body), ordering("3.0")

        def work() -> str:
            mount_small_disk(str(opt.parent), options)
            install.present(first)
            try:
                install.present(second)
                return "2.0 was installed"
            except NoSpaceError as error:
                said = str(error)
            assert names(opt) == ["1.0", "current"]
            subprocess.run([opt / "current/demo"], check=True, capture_output=True)
            assert install.present(third).plan.action == "install"
            return said

        return at_once([work])[0]

    return run


def test_the_download_would_not_fit(on_small_disk):
    said = on_small_disk(tar({"demo/demo!": os.urandom(9 * MIB)}))
    assert said.split(": ")[1].startswith("not enough space to download http://")
    assert "it needs 9.0 MiB" in said


def test_the_content_would_not_fit(on_small_disk):
    said = on_small_disk(tar({"demo/demo!": bytes(20 * MIB)}))
    assert "not enough space to unpack http://" in said
    assert "it needs 20.0 MiB" in said


def test_full_while_unpacking(on_small_disk, monkeypatch):
    """Some formats do not say how much they hold."""
    monkeypatch.setattr(members, "unpacked_size", lambda *_: 0)
    said = on_small_disk(tar({"demo/a": bytes(6 * MIB), "demo/demo!": bytes(6 * MIB)}))
    assert "No space left on device while trying to unpack http://" in said
    assert "What was written is removed again" in said


def test_full_while_downloading(on_small_disk, monkeypatch):
    """Somebody else may fill the disk after it was looked at."""
    monkeypatch.setattr(space, "require", lambda *_: None)
    said = on_small_disk(tar({"demo/demo!": os.urandom(9 * MIB)}))
    assert "No space left on device while trying to download http://" in said


def test_out_of_inodes(on_small_disk):
    said = on_small_disk(tar({f"demo/{number}": b"" for number in range(200)}), "size=8m,nr_inodes=100")
    assert "No space left on device while trying to unpack" in said
    assert " inodes are available" in said


def test_space_is_counted_with_a_reserve(opt, ordering, monkeypatch):
    install.present(ordering("1.0"))
    free = os.statvfs(opt)
    monkeypatch.setattr(space, "RESERVE", free.f_bavail * free.f_frsize * 2)
    with pytest.raises(NoSpaceError, match="Free some space or choose another root; nothing was changed") as caught:
        install.present(ordering("2.0"))
    assert caught.value.facts["need"] > caught.value.facts["available"]
    assert caught.value.facts["path"].startswith(str(opt))
    assert names(opt) == ["1.0", "current"]


def test_a_file_larger_than_allowed(opt, ordering):
    """EFBIG, from a limit on the size of files, is a lack of space too."""
    order = ordering("2.0", tar({"demo/demo!": os.urandom(100_000), "demo/b": bytes(3_000_000)}))
    install.present(ordering("1.0"))

    def work() -> str:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (MIB, MIB))
        return str(install.present(order))

    said = at_once([work])[0]
    assert said.startswith("NoSpaceError: ")
    assert "File too large while trying to unpack" in said
    assert names(opt) == ["1.0", "current"]
