"""The indexes of the mirror's Debian, as apt reads them."""

from datetime import UTC, datetime

import pytest

from lab.errors import LabError
from lab.mirror import apt_repository


def test_a_package_is_listed_with_name_size_and_digest():
    control = "Package: thing\nVersion: 1.0\nDescription: short\n long\n"
    index = apt_repository.packages_index([(control, "pool/bookworm/thing_1.0_amd64.deb", 12, "ab" * 32)])
    assert index == (
        "Package: thing\nVersion: 1.0\nDescription: short\n long\n"
        f"Filename: pool/bookworm/thing_1.0_amd64.deb\nSize: 12\nSHA256: {'ab' * 32}\n\n"
    )


def test_no_package_is_an_empty_list():
    assert apt_repository.packages_index([]) == ""


def test_release_names_the_digest_of_each_index():
    text = apt_repository.release("trixie", {"main/binary-amd64/Packages": b""}, datetime(2026, 1, 2, tzinfo=UTC))
    assert "Suite: trixie\nCodename: trixie\nDate: Fri, 02 Jan 2026 00:00:00 UTC\n" in text
    empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert text.endswith(f"SHA256:\n {empty} 0 main/binary-amd64/Packages\n")


def test_every_distribution_has_an_archive_even_if_an_empty_one():
    assert apt_repository.parse({"bookworm": ["libnuma1"]}) == {"bookworm": ["libnuma1"], "trixie": []}


@pytest.mark.parametrize("entry", [{"bullseye": []}, {"trixie": "libnuma1"}])
def test_a_wrong_entry_is_named(entry):
    with pytest.raises(LabError, match="must be one of bookworm, trixie, with a list"):
        apt_repository.parse(entry)
