"""The verdict over a fleet: collecting what the roles' verify tasks found, and showing it as one table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass(frozen=True)
class Check:
    """One row of the table."""

    host: str
    component: str
    check: str
    subject: str
    passed: bool
    detail: str = ""
    problems: list[str] = field(default_factory=list)


def checks_of(host: str, component: str, variables: Mapping[str, Any]) -> list[Check]:
    """The checks that a role's verify tasks registered on a host, as `__<component>_verify_*`.

    A host without any is a failed check of its own: nobody looked, so nobody knows.
    """
    prefix = f"__{component}_verify_"
    found = [
        _check(host, component, result)
        for name in sorted(variables)
        if name.startswith(prefix)
        for result in _flatten(variables[name])
    ]
    if found:
        return found
    unseen = "nothing was checked here: the host was unreachable, or a task before failed (see above)"
    return [Check(host, component, "verify", component, passed=False, problems=[unseen])]


def _flatten(result: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    if "results" in result:
        for item in result["results"]:
            yield from _flatten(item)
    elif not result.get("skipped"):
        yield result


def _check(host: str, component: str, result: Mapping[str, Any]) -> Check:
    problems = [str(problem) for problem in result.get("problems", [])]
    if result.get("failed") and not problems:
        problems = [str(result.get("msg", "the check itself failed"))]
    passed = bool(result.get("passed")) and not result.get("failed")
    return Check(
        host=host,
        component=component,
        check=str(result.get("check", "check")),
        subject=str(result.get("subject", "")),
        passed=passed,
        detail=str(result.get("detail", "")),
        problems=[] if passed else problems or ["failed without saying why"],
    )


def table(checks: Iterable[Check]) -> list[tuple[str, bool]]:
    """Lines for the terminal, each with whether it is good news; problems stand under their row."""
    rows = [("host", "component", "check", "result", "what"), *map(_row, checks)]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    lines = []
    for row, check in zip(rows, [None, *checks], strict=True):
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row[:4], widths, strict=True))
        lines.append((f"{cells}  {row[4]}".rstrip(), check is None or check.passed))
        lines += [(f"    {problem}", False) for problem in (check.problems if check else [])]
    return lines


def _row(check: Check) -> tuple[str, str, str, str, str]:
    what = f"{check.subject}  {check.detail}" if check.detail else check.subject
    return check.host, check.component, check.check, "ok" if check.passed else "FAILED", what


def document(checks: Iterable[Check], finished: str) -> dict[str, Any]:
    """The same for machines. `finished` is an ISO 8601 time."""
    rows = [asdict(check) for check in checks]
    return {"passed": all(row["passed"] for row in rows), "finished": finished, "checks": rows}
