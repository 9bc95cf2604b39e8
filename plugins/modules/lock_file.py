# Copyright 2026 The gpufleet maintainers. Apache-2.0.
from __future__ import annotations

DOCUMENTATION = r"""
module: lock_file
short_description: Write down which sha256 every download must have
description:
  - Works out which versions of which components the inventory asks for, reads the publishers' own checksum files over
    TLS, and writes the digests into the inventory's C(group_vars/all/gpufleet_lock.yml), sorted by URL.
  - Entries that are there already stay, so that a fleet can go back to them; see O(prune).
  - When a publisher's digest for a URL differs from the locked one, nothing is written and the task fails; see
    O(accept_changed).
  - Works on the controller alone and opens no connection to any host. C(make lock INVENTORY=...) runs it.
author: The gpufleet maintainers
options:
  path:
    description: The lock file. By default C(group_vars/all/gpufleet_lock.yml) beside the inventory given with C(-i).
    type: path
  from_mirror:
    description:
      - Folder or address of a mirror; its MANIFEST.json gives the digests instead of the publishers. For networks
        without a way out, and for mirrors that hold what no publisher has.
    type: str
  accept_changed:
    description: URLs whose digest may change, after you found out why it did.
    type: list
    elements: str
    default: []
  prune:
    description: Whether entries go that the inventory does not ask for now.
    type: bool
    default: false
  ca_path:
    description: File of certificates that are trusted instead of the system's.
    type: path
attributes:
  check_mode: {description: Asks the publishers but writes nothing., support: full}
  diff_mode: {description: Shows how the file changes., support: full}
  action: {description: Runs on the controller., support: full}
"""

EXAMPLES = r"""
- name: Write the lock file
  hosts: localhost
  gather_facts: false
  tasks:
    - name: Ask the publishers
      gpufleet.serving.lock_file:
"""

RETURN = r"""
path:
  description: The lock file.
  type: str
  returned: success
entries:
  description: How many downloads it holds.
  type: int
  returned: success
added:
  description: URLs that are new.
  type: list
  elements: str
  returned: success
changed_urls:
  description: URLs whose digest changed, all of them among O(accept_changed).
  type: list
  elements: str
  returned: success
dropped:
  description: URLs that were pruned.
  type: list
  elements: str
  returned: success
"""
