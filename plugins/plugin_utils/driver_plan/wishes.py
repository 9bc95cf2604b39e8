"""What the inventory wishes, as the role puts it together from its variables."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .versions import branch_of, upstream

_CHOICES = {
    "source": ("cuda_repo", "distribution", "mirror"),
    "modules": ("auto", "open", "proprietary"),
    "without_gpu": ("skip", "refuse"),
    "reboot": ("never", "when_needed", "always"),
}
PACKAGE_SETS = ("headers", "open", "proprietary", "pinning", "fabricmanager", "persistenced")


class WishError(ValueError):
    """The wishes cannot be understood; says which one and what to write."""


@dataclass(frozen=True)
class Wishes:
    """`branch` and `version` are None where any will do; `offered` and `headers_offered` where nobody has looked.

    `sets` are the package names: those of `headers` may contain `{kernel}`.
    """

    branch: int | None
    version: str | None
    source: str
    modules: str
    gpus: int | None
    without_gpu: str
    reboot: str
    connection: str
    signed_modules: bool
    fabric_manager: bool | None
    sets: Mapping[str, tuple[str, ...]]
    offered: tuple[str, ...] | None
    headers_offered: tuple[str, ...] | None

    @property
    def origins(self) -> tuple[str, ...]:
        """The origins of packages that this source may have brought: a mirror has the publisher's."""
        return ("distribution",) if self.source == "distribution" else ("cuda_repo",)

    @property
    def builds(self) -> bool:
        """Whether modules are built on the host, which needs headers: prebuilt ones come with none."""
        return bool(self.sets["headers"])

    def matches(self, version: str | None) -> bool:
        """Whether this driver version is what is wished."""
        if self.version:
            return upstream(version) == self.version
        return upstream(version) is not None and self.branch in (None, branch_of(version))

    def __str__(self) -> str:
        return self.version or (f"branch {self.branch}" if self.branch else "any branch")


def read_wishes(raw: Mapping[str, Any]) -> Wishes:
    """The wishes in the shape that the role hands over; what is left out takes the role's default.

    Raises:
        WishError: a value that is none of its choices, or no branch or version.
    """
    values = {
        "source": "cuda_repo",
        "modules": "auto",
        "without_gpu": "skip",
        "reboot": "when_needed",
        "connection": "ssh",
        **{name: value for name, value in raw.items() if value is not None},
    }
    for name, choices in _CHOICES.items():
        if values[name] not in choices:
            raise WishError(f"{name} is {values[name]!r}; write one of {', '.join(choices)}")
    if values.get("state", "present") != "present":
        raise WishError("a plan is made for state present only; what is absent is taken off without one")
    version = _version(values.get("version"))
    packages = values.get("packages") or {}
    available = values.get("available") or {}
    return Wishes(
        branch=_branch(values.get("branch")) or branch_of(version),
        version=version,
        source=values["source"],
        modules=values["modules"],
        gpus=None if values.get("gpus") in (None, "") else int(values["gpus"]),
        without_gpu=values["without_gpu"],
        reboot=values["reboot"],
        connection=values["connection"],
        signed_modules=bool(values.get("secure_boot_modules", False)),
        fabric_manager=_tristate(values.get("fabric_manager", "auto")),
        sets={name: tuple(packages.get(name) or ()) for name in PACKAGE_SETS},
        offered=_known(available.get("driver")),
        headers_offered=_known(available.get("headers")),
    )


def _branch(value: Any) -> int | None:
    if value in (None, ""):
        return None
    if not str(value).isdigit():
        raise WishError(f"branch is {value!r}; write a number such as 580, in quotes")
    return int(value)


def _version(value: Any) -> str | None:
    if value in (None, ""):
        return None
    found = upstream(str(value))
    if found != str(value):
        raise WishError(f"version is {value!r}; write NVIDIA's own version, such as 580.95.05")
    return found


def _tristate(value: Any) -> bool | None:
    if isinstance(value, bool):
        return value
    if value in (None, "", "auto"):
        return None
    raise WishError(f"fabric_manager is {value!r}; write auto, true or false")


def _known(values: Any) -> tuple[str, ...] | None:
    return None if values is None else tuple(map(str, values))
