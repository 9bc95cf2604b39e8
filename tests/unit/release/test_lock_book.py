"""The lock file: where it goes, what may change in it, what it looks like."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock import book
from ansible_collections.gpufleet.serving.plugins.plugin_utils.lock.errors import LockError
from hypothesis import given, settings
from hypothesis import strategies as st

ROOT = Path(__file__).resolve().parents[3]
OLD, NEW = "1" * 64, "2" * 64
ONE, TWO = "https://h/one.tar.gz", "https://h/two.tar.gz"


PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)


@settings(database=None)
@given(st.dictionaries(PRINTABLE, DIGESTS, max_size=5))
def test_what_is_written_is_what_is_read(entries):
    assert yaml.safe_load(book.render(entries)) == {"gpufleet_lock": entries}


def test_the_order_of_finding_does_not_matter():
    assert book.render({ONE: OLD, TWO: NEW}) == book.render({TWO: NEW, ONE: OLD})


def test_the_file_passes_the_projects_own_yamllint(tmp_path):
    url = "https://github.com/astral-sh/python-build-standalone/releases/download/20261110/" + "x" * 120
    (tmp_path / "gpufleet_lock.yml").write_text(book.render({url: OLD, ONE: "123e" + "4" * 60}))
    yamllint = Path(sys.executable).with_name("yamllint")
    command = [yamllint, "--strict", "-c", ROOT / ".yamllint.yml", tmp_path / "gpufleet_lock.yml"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_reading(tmp_path):
    file = tmp_path / "lock.yml"
    assert book.read(file) == {}
    file.write_text(book.render({ONE: OLD}))
    assert book.read(file) == {ONE: OLD}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("- a\n", "expected the variable gpufleet_lock and nothing else"),
        ("", "expected the variable gpufleet_lock"),
        ("gpufleet_lock: {}\nvllm_port: 1\n", "nothing else"),
        ("gpufleet_lock:\n  https://h/x: abc\n", "https://h/x: 'abc' is no sha256"),
        ("a: [\n", "is no YAML"),
    ],
)
def test_a_file_that_somebody_damaged(tmp_path, text, message):
    (tmp_path / "lock.yml").write_text(text)
    with pytest.raises(LockError, match=message):
        book.read(tmp_path / "lock.yml")


def test_merge_keeps_other_versions():
    merged = book.merge({ONE: OLD}, {TWO: NEW}, set(), prune=False)
    assert merged.entries == {ONE: OLD, TWO: NEW}
    assert (merged.added, merged.changed, merged.dropped) == ((TWO,), (), ())


def test_merge_with_pruning():
    merged = book.merge({ONE: OLD}, {TWO: NEW}, set(), prune=True)
    assert merged.entries == {TWO: NEW}
    assert merged.dropped == (ONE,)


def test_a_changed_digest_is_refused_loudly():
    with pytest.raises(LockError) as caught:
        book.merge({ONE: OLD, TWO: OLD}, {ONE: NEW, TWO: OLD}, set(), prune=False)
    text = str(caught.value)
    for part in ("THE PUBLISHER CHANGED", ONE, f"locked    {OLD}", f"published {NEW}", f"--accept-changed {ONE}"):
        assert part in text
    assert TWO not in text


def test_a_changed_digest_is_accepted_by_name():
    merged = book.merge({ONE: OLD}, {ONE: NEW}, {ONE}, prune=False)
    assert (merged.entries, merged.changed) == ({ONE: NEW}, (ONE,))
    with pytest.raises(LockError, match=TWO):
        book.merge({ONE: OLD, TWO: OLD}, {ONE: NEW, TWO: NEW}, {ONE}, prune=False)


def test_accepting_what_did_not_change():
    with pytest.raises(LockError, match=r"has not changed. Leave the option out"):
        book.merge({ONE: OLD}, {ONE: OLD}, {ONE}, prune=False)


def test_place(tmp_path):
    (tmp_path / "hosts.yml").touch()
    wanted = tmp_path / "group_vars/all/gpufleet_lock.yml"
    assert book.path_in([str(tmp_path)]) == wanted
    assert book.path_in([str(tmp_path / "hosts.yml")]) == wanted


@pytest.mark.parametrize("sources", [[], ["localhost,"], ["a", "b"]])
def test_no_single_inventory_folder(sources):
    with pytest.raises(LockError, match="expected one inventory folder"):
        book.path_in(sources)


def test_an_inventory_that_is_not_there(tmp_path):
    with pytest.raises(LockError, match="no such inventory"):
        book.path_in([str(tmp_path / "nowhere")])


@pytest.mark.parametrize("name", ["all", "all.yml", "all.yaml", "all.json"])
def test_variables_that_the_lock_file_would_hide(tmp_path, name):
    """Ansible reads either the folder or the file: the lock file must not silence somebody's all.yml."""
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars" / name).touch()
    with pytest.raises(LockError, match=r"would no longer be read.*Move it to .*/group_vars/all/main\.yml"):
        book.path_in([str(tmp_path)])
