"""Archives from the network, unpacked as root: nothing may land outside of the folder made for them."""

from __future__ import annotations

import io
import os
import stat
import tarfile
import tempfile
import zipfile
from pathlib import Path

import pytest
from ansible_collections.gpufleet.serving.plugins.module_utils.release import members
from ansible_collections.gpufleet.serving.plugins.module_utils.release import unpack as unpacking
from ansible_collections.gpufleet.serving.plugins.module_utils.release.errors import (
    BadRequestError,
    DamagedArchiveError,
    ReleaseError,
    TooLargeError,
    UnsafeArchiveError,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st
from release_orders import names
from release_server import tar, zipped

LIMIT = 64 * 1024 * 1024


def header(name: str, kind: bytes, target: str = "", mode: int = 0o644, **more: int) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, mode
    for field, value in more.items():
        setattr(info, field, value)
    return info


def link(name: str, target: str) -> tarfile.TarInfo:
    return header(name, tarfile.SYMTYPE, target)


def hard(name: str, target: str) -> tarfile.TarInfo:
    return header(name, tarfile.LNKTYPE, target)


def archive(*entries: tarfile.TarInfo | tuple[str, bytes]) -> bytes:
    """Members in order, duplicates and all."""
    memory = io.BytesIO()
    with tarfile.open(fileobj=memory, mode="w:gz") as file:
        for entry in entries:
            if isinstance(entry, tuple):
                info = tarfile.TarInfo(entry[0])
                info.size = len(entry[1])
                file.addfile(info, io.BytesIO(entry[1]))
            else:
                file.addfile(entry)
    return memory.getvalue()


def unpack(
    body: bytes, folder: Path, archive_format: str = "tar.gz", strip: int | None = None, limit: int = LIMIT
) -> Path:
    (folder / "archive").write_bytes(body)
    (folder / "out").mkdir()
    with members.opened(str(folder / "archive"), archive_format) as found:
        return Path(unpacking.unpack(found, str(folder / "out"), limit, strip))


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([("../evil", b"")], "climbs up"),
        ([("a/../../evil", b"")], "climbs up"),
        ([("a/..", b"")], "climbs up"),
        ([("/etc/evil", b"")], "an absolute path"),
        ([("//etc/evil", b"")], "an absolute path"),
        ([link("a", "/etc")], "link to '/etc'"),
        ([link("a", "..")], "leads out of the release"),
        ([link("a/b", "../../x")], "leads out of the release"),
        ([link("a", "")], "leads out of the release or in circles"),
        ([link("a", "b"), link("b", "a"), ("c", b"")], "in circles"),
        # Lexically d/x/.. is d; as the kernel goes, it is the parent of the whole.
        ([("d/file", b""), link("d/x", ".."), link("y", "d/x/..")], "leads out of the release"),
        ([link("a", "b"), ("a/evil", b"")], "leads through a, which is a symlink"),
        ([("a", b""), ("a/evil", b"")], "leads through a, which is a file"),
        ([link("a", "b"), link("a/c", "d")], "leads through a"),
        ([link("a", "b"), header("a", tarfile.DIRTYPE)], "twice"),
        ([("a", b"1"), ("a", b"2")], "twice"),
        ([("a", b"1"), ("./a", b"2")], "twice"),
        ([hard("a", "/etc/passwd")], "an absolute path"),
        ([hard("a", "../x")], "climbs up"),
        ([hard("a", "b"), ("b", b"")], "no file before it"),
        ([link("l", "x"), hard("a", "l"), ("x", b"")], "no file before it"),
        ([hard("a", "a")], "no file before it"),
        ([header("a", tarfile.CHRTYPE, devmajor=1, devminor=3)], "is a device node"),
        ([header("a", tarfile.BLKTYPE, devmajor=8)], "is a device node"),
        ([header("a", tarfile.FIFOTYPE)], "is a fifo"),
    ],
)
def test_refused(tmp_path, entries, message):
    with pytest.raises(UnsafeArchiveError, match=message):
        unpack(archive(*entries), tmp_path)
    assert names(tmp_path) == ["archive", "out"]


def test_special_bits_and_write_rights_are_dropped(tmp_path):
    out = unpack(
        archive(
            header("program", tarfile.REGTYPE, mode=0o6777),
            header("data", tarfile.REGTYPE, mode=0o7666),
            header("secret", tarfile.REGTYPE, mode=0o400),
            header("folder", tarfile.DIRTYPE, mode=0o7777),
            header("closed", tarfile.DIRTYPE, mode=0o000),
        ),
        tmp_path,
    )
    modes = {entry.name: stat.S_IMODE(entry.stat().st_mode) for entry in out.iterdir()}
    assert modes == {"program": 0o755, "data": 0o644, "secret": 0o644, "folder": 0o755, "closed": 0o755}


def test_owners_in_the_archive_do_not_count(tmp_path):
    out = unpack(archive(header("a", tarfile.REGTYPE, uid=1234, gid=1234)), tmp_path)
    assert ((out / "a").stat().st_uid, (out / "a").stat().st_gid) == (os.geteuid(), os.getegid())


def test_links_that_stay_inside(tmp_path):
    out = unpack(
        archive(
            ("py/bin/python3.11", b"elf"),
            link("py/bin/python3", "python3.11"),
            link("py/bin/python", "./python3"),
            link("py/lib64", "lib/../bin"),
            link("py/lib/up", "../bin/python"),
            link("py/dangling", "nothing/there"),
            hard("py/bin/again", "py/bin/python3.11"),
        ),
        tmp_path,
    )
    assert out.name == "py"
    for name in ("bin/python", "lib64/python", "lib/up", "bin/again"):
        assert (out / name).read_bytes() == b"elf"


def test_a_link_out_of_the_folder_that_is_entered(tmp_path):
    with pytest.raises(UnsafeArchiveError, match="leads out"):
        unpack(archive(("top/file", b""), link("top/a", "../top/file")), tmp_path)


def test_times_are_kept(tmp_path):
    out = unpack(archive(header("a", tarfile.REGTYPE, mtime=1_600_000_000), header("b", tarfile.REGTYPE)), tmp_path)
    assert (out / "a").stat().st_mtime == 1_600_000_000


def test_impossible_times(tmp_path):
    unpack(archive(header("a", tarfile.REGTYPE, mtime=2**40)), tmp_path)


def test_too_much(tmp_path):
    with pytest.raises(TooLargeError, match="big: with it the archive holds more than 1 MiB"):
        unpack(archive(("small", b"x" * 600_000), ("big", b"x" * 600_000)), tmp_path, limit=1024 * 1024)
    assert not (tmp_path / "out/big").exists()


def test_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 10)
    with pytest.raises(TooLargeError):
        unpack(archive(*((f"{number}", b"") for number in range(11))), tmp_path)


def test_a_bomb_of_one_file(tmp_path):
    with pytest.raises(TooLargeError):
        unpack(zipped({"bomb": bytes(20 * 1024 * 1024)}), tmp_path, "zip", limit=1024 * 1024)


def test_zip_whose_header_lies_about_the_size(tmp_path):
    body = bytearray(zipped({"a": b"x" * 1000}))
    for signature, offset in ((b"PK\x01\x02", 24), (b"PK\x03\x04", 22)):
        at = body.index(signature) + offset
        body[at : at + 4] = (10).to_bytes(4, "little")
    with pytest.raises(DamagedArchiveError):
        unpack(bytes(body), tmp_path, "zip")
    assert not (tmp_path / "out/a").exists() or (tmp_path / "out/a").stat().st_size <= 11


def zip_of(info: zipfile.ZipInfo, content: bytes) -> bytes:
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        file.writestr(info, content)
    return memory.getvalue()


def zip_entry(name: str, mode: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    return info


def test_zip_members(tmp_path):
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        file.writestr(zip_entry("top/", 0o40777), b"")
        file.writestr(zip_entry("top/run", 0o104777), b"run")
        file.writestr(zip_entry("top/link", 0o120777), b"run")
    out = unpack(memory.getvalue(), tmp_path, "zip")
    assert out.name == "top"
    assert stat.S_IMODE((out / "run").stat().st_mode) == 0o755
    assert str((out / "link").readlink()) == "run"


@pytest.mark.parametrize(
    ("name", "mode", "content", "message"),
    [
        ("../evil", 0o100644, b"", "climbs up"),
        ("/evil", 0o100644, b"", "absolute"),
        ("a", 0o120777, b"/etc", "leads out"),
        ("a", 0o020644, b"", "special file"),
        ("a", 0o010644, b"", "special file"),
    ],
)
def test_zip_refused(tmp_path, name, mode, content, message):
    with pytest.raises(UnsafeArchiveError, match=message):
        unpack(zip_of(zip_entry(name, mode), content), tmp_path, "zip")


def test_encrypted_zip(tmp_path):
    body = bytearray(zipped({"a": b"content"}))
    for signature, offset in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        body[body.index(signature) + offset] |= 1
    with pytest.raises(UnsafeArchiveError, match="is encrypted"):
        unpack(bytes(body), tmp_path, "zip")


@pytest.mark.parametrize("archive_format", ["tar.gz", "tar.xz", "tar.bz2", "tar.zst", "zip"])
@pytest.mark.parametrize("harm", [lambda body: b"", lambda body: b"junk" * 100, lambda body: body[: len(body) // 2]])
def test_damaged(tmp_path, archive_format, harm):
    body = {"zip": zipped({"a/b": os.urandom(50_000)})}.get(archive_format)
    if archive_format == "tar.zst":
        body = zstd(tar({"a/b": os.urandom(50_000)}, "w"))
    elif body is None:
        body = tar({"a/b": os.urandom(50_000)}, f"w:{archive_format[4:]}")
    with pytest.raises(DamagedArchiveError, match=f"cannot be read as {archive_format} although"):
        unpack(harm(body), tmp_path, archive_format)


def zstd(body: bytes) -> bytes:
    import subprocess

    return subprocess.run(["zstd", "--stdout"], input=body, check=True, capture_output=True).stdout


def test_zst(tmp_path):
    out = unpack(zstd(tar({"top/run!": b"run" * 100_000}, "w")), tmp_path, "tar.zst")
    assert (out / "run").read_bytes() == b"run" * 100_000


def test_zst_without_the_program(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BadRequestError, match="install the package zstd"):
        unpack(b"", tmp_path, "tar.zst")


def test_nothing_left_after_stripping(tmp_path):
    with pytest.raises(BadRequestError, match="holds nothing after strip_components: 3"):
        unpack(tar({"a/b": b""}), tmp_path, strip=3)


@pytest.mark.parametrize(
    ("path", "archive_format"),
    [
        ("https://h/a.tar.gz", "tar.gz"),
        ("https://h/a.TGZ", "tar.gz"),
        ("a.tar.xz", "tar.xz"),
        ("a.txz", "tar.xz"),
        ("a.tar.zst", "tar.zst"),
        ("a.zip", "zip"),
        ("jq-linux64", None),
        ("a.gz", None),
    ],
)
def test_format_of(path, archive_format):
    assert members.format_of(path) == archive_format


NAMES = st.lists(st.sampled_from(["a", "b", "c", "..", ".", "", "a\0b", "\udcff"]), min_size=1, max_size=4).map(
    "/".join
)
KINDS = st.sampled_from(["file", "directory", "symlink", "hardlink", "fifo"])
MEMBERS = st.lists(st.tuples(NAMES, KINDS, NAMES), max_size=12)


def member(name: str, kind: str, target: str) -> members.Member:
    content = io.BytesIO(b"new") if kind == "file" else None
    return members.Member(name, kind, 3 if content else 0, True, 0, target, content)


@settings(max_examples=600, deadline=None, database=None)
@given(MEMBERS, st.sampled_from([None, 0, 1]))
@example([("a", "symlink", ".."), ("a/outside", "file", "")], None)
@example([("d/x", "symlink", ".."), ("y", "symlink", "d/x/../outside"), ("d/f", "file", "")], 0)
def test_nothing_ever_lands_outside(entries, strip):
    """Whatever an archive holds: what is outside stays as it is, and nothing inside leads there."""
    with tempfile.TemporaryDirectory() as name:
        base = Path(name)
        (base / "outside").write_text("old")
        (base / "out").mkdir()
        try:
            tree = Path(unpacking.unpack((member(*entry) for entry in entries), str(base / "out"), LIMIT, strip))
        except (ReleaseError, OSError):
            tree = None
        assert names(base) == ["out", "outside"]
        assert (base / "outside").read_text() == "old"
        assert (base / "outside").stat().st_nlink == 1
        if tree:
            root = os.path.realpath(tree)
            for found in tree.rglob("*"):
                assert os.path.commonpath([root, os.path.realpath(found)]) == root, found
                assert not found.is_symlink() or not found.readlink().is_absolute()
                mode = found.lstat().st_mode
                assert stat.S_ISDIR(mode) or stat.S_ISREG(mode) or stat.S_ISLNK(mode)


TARGETS = st.lists(st.sampled_from(["a", "b", "..", "."]), min_size=1, max_size=5).map("/".join)


@settings(max_examples=200, deadline=None, database=None)
@given(st.dictionaries(st.sampled_from(["a", "b", "d/a", "d/b", "d/e/a", "d/e/b"]), TARGETS))
def test_stays_inside_agrees_with_the_kernel(links):
    """The pure walk and the kernel's own come to the same end, on trees whose links stand in real folders."""
    with tempfile.TemporaryDirectory() as name:
        # Deep enough that no link leaves the temporary folder.
        root = Path(os.path.realpath(name), "1/2/3/4/5/6/root")
        (root / "d/e").mkdir(parents=True)
        for path, target in links.items():
            (root / path).symlink_to(target)
        for path in links:
            if unpacking.stays_inside(path, links):
                resolved = os.path.realpath(root / path)
                assert os.path.commonpath([root, resolved]) == str(root)
