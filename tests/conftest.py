"""Make `ansible_collections.gpufleet.serving` importable, the way ansible-core itself does it."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def pytest_configure(config):
    from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder

    # pytest itself imported modules already; the finder only has to answer for ansible_collections.*.
    _AnsibleCollectionFinder(paths=[str(ROOT / ".ansible" / "collections")])._install()
    sys.dont_write_bytecode = True
