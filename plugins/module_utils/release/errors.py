"""Everything that can go wrong with a release, one class per kind. The text is what the operator reads."""

from __future__ import annotations


class ReleaseError(Exception):
    """Base of all; `facts` goes into the task's result beside the message."""

    def __init__(self, message: str, **facts: object) -> None:
        super().__init__(message)
        self.facts = facts


class BadRequestError(ReleaseError):
    """An option cannot be used as it stands."""


class NotLockedError(ReleaseError):
    """The lock file holds no digest for the download."""


class DownloadError(ReleaseError):
    """No complete body after all tries."""


class NotPublishedError(DownloadError):
    """The server says that there is no such file."""


class AccessDeniedError(DownloadError):
    """The server wants credentials, or others."""


class WrongDigestError(DownloadError):
    """A complete body that is not the one that was locked."""


class NotAnArchiveError(WrongDigestError):
    """A web page came instead: a login page, a proxy's error, a captive portal."""


class TooLargeError(ReleaseError):
    """More bytes or members than the limits allow."""


class NoSpaceError(ReleaseError):
    """The file system is or would become full."""


class UnsafeArchiveError(ReleaseError):
    """A member would land outside of the release, or is of a kind that no release needs."""


class DamagedArchiveError(ReleaseError):
    """The archive cannot be read although its digest is the locked one."""


class SmokeError(ReleaseError):
    """The new version does not run on this host."""


class BusyError(ReleaseError):
    """Another run works on the same release for longer than one wants to wait."""


class NotOursError(ReleaseError):
    """Something stands in the way that this module did not make."""
