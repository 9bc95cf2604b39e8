"""What can be said of an inventory before any host is touched: missing, ill-typed and misspelt variables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from difflib import SequenceMatcher, get_close_matches
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

# A name outside every component's prefix is the operator's own business, unless it all but equals one of ours.
_LOOKALIKE = 0.9

# gpufleet_* belongs to what all components share.
SHARED_PREFIX = "gpufleet"


def nearest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name most like `name`, or None when none is near."""
    close = get_close_matches(name, list(known), n=1, cutoff=cutoff)
    return close[0] if close else None


def misspelt(names: Iterable[str], known: set[str], prefixes: Iterable[str], allowed: Iterable[str] = ()) -> list[str]:
    """One sentence for each of `names` that is not a variable of gpufleet but was surely meant to be one.

    Args:
        names: variables that the inventory sets for a host.
        known: every public variable of every component.
        prefixes: component names; `<prefix>_*` is reserved for the component's own variables.
        allowed: names that the operator declared as their own (`gpufleet_foreign_variables`).
    """
    reserved = re.compile("|".join(f"{re.escape(prefix)}_" for prefix in (*prefixes, SHARED_PREFIX)))
    candidates = sorted(known)
    problems = []
    for name in sorted(set(names) - known - set(allowed)):
        if reserved.match(name):
            near = nearest(name, candidates)
            remedy = f"did you mean {near}?" if near else "see the role's README for the variables it knows."
            problems.append(
                f"{name}: no component knows this variable; {remedy} "
                f"(If it is your own, list it in gpufleet_foreign_variables.)"
            )
        elif not name.startswith(("ansible_", "_")):
            near = nearest(name, candidates, cutoff=_LOOKALIKE)
            if near and SequenceMatcher(None, name, near).ratio() >= _LOOKALIKE:
                problems.append(f"{name}: unknown, and almost {near}; did you mean that?")
    return problems


def spec_problems(options: Mapping[str, Any], values: Mapping[str, Any]) -> list[str]:
    """What a role's argument specs say about the variables of one host: missing and ill-typed ones, nested ones too."""
    result = ArgumentSpecValidator(dict(options)).validate(dict(values), validate_role_argument_spec=True)
    return list(result.error_messages)


def group_by_host(problems: Mapping[str, Iterable[str]]) -> list[str]:
    """Lines for people: a problem that many hosts share is said once, with the hosts that have it."""
    hosts_of: dict[str, list[str]] = {}
    for host, said in problems.items():
        for problem in said:
            hosts_of.setdefault(problem, []).append(host)
    return [f"{_name(hosts)}: {problem}" for problem, hosts in sorted(hosts_of.items(), key=lambda item: item[1])]


def _name(hosts: list[str], shown: int = 3) -> str:
    more = f" and {len(hosts) - shown} more" if len(hosts) > shown else ""
    return ", ".join(hosts[:shown]) + more
