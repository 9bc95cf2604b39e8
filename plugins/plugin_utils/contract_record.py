"""Recording a contract from what a real program exposes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .contract import ContractError
from .exposition.model import Exposition, Family

_WIDTH = 138


def record(page: Exposition, component: str, version: str, former: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A contract that `page` keeps, as the content of its file.

    With a `former` contract of the same component and version the two are merged: what only one of them has may be
    absent, so that pages from before and after the first request, or from different machines, make one contract. Bounds
    and whatever else was written into the former one by hand stay.

    Raises:
        ContractError: the former contract is another component's, or gives a family another type.
    """
    families = {name: _recorded(family) for name, family in page.families.items() if family.samples and _lasting(name)}
    if former:
        if former["component"] != component or str(former["version"]) != version:
            raise ContractError(
                f"expected the contract of {component} {version}, found that of {former['component']} "
                f"{former['version']}; record into a file of its own"
            )
        families = _merged(former["families"], families)
    return {"component": component, "version": version, "families": dict(sorted(families.items()))}


def _merged(former: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, Any]:
    merged = {}
    for name in {*former, *seen}:
        if name not in seen or name not in former:
            merged[name] = {**(former.get(name) or seen[name]), "may_be_absent": True}
            continue
        old, new = former[name], seen[name]
        if old.get("type", new["type"]) != new["type"]:
            raise ContractError(f"{name}: expected a {old['type']} as recorded before, found a {new['type']}")
        merged[name] = {**old, "labels": [label for label in old.get("labels", ()) if label in new["labels"]]}
    return merged


def _lasting(name: str) -> bool:
    """Families of the program itself: go_* change with the Go release that happened to build it, and _created is a time
    stamp that prometheus_client adds to each counter."""
    return not name.endswith("_created") and not name.startswith("go_")


def _recorded(family: Family) -> dict[str, Any]:
    """The type, and the labels that every series of the family carries."""
    if family.name.endswith("_info"):
        # What an _info metric tells stands in its labels, and each release and machine tells something else.
        return {"type": family.type or "untyped", "labels": []}
    common = set.intersection(*({label for label, _value in labels} for labels in family.series()))
    return {"type": family.type or "untyped", "labels": sorted(common)}


def dump(contract: Mapping[str, Any], comments: str = "") -> str:
    """The text of a contract file: a family per line. `comments` are lines that stand above the families."""
    head = f'---\ncomponent: {contract["component"]}\nversion: "{contract["version"]}"\n{comments}families:\n'
    return head + "".join(line for name, wanted in contract["families"].items() for line in _entry(name, wanted))


def comments_of(text: str) -> str:
    """The comment lines at the head of a contract file, so that recording again keeps them."""
    head = text.partition("\nfamilies:")[0]
    return "".join(f"{line}\n" for line in head.splitlines() if line.startswith("#"))


def _entry(name: str, wanted: Mapping[str, Any]) -> Iterator[str]:
    key = _flow(name)
    line = f"  {key}: {_flow(wanted)}\n"
    if len(line) <= _WIDTH:
        yield line
        return
    yield f"  {key}:\n"
    for option, value in wanted.items():
        yield f"    {option}: {_flow(value)}\n"


def _flow(value: Any) -> str:
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10_000)
    return text.removesuffix("...\n").strip()
