"""What can go wrong with the lock file."""

from __future__ import annotations


class LockError(Exception):
    """The text says which URL or file, what is wrong with it, and what to do instead."""
