# Copyright 2026 The gpufleet maintainers. Apache-2.0.
"""What a check says in the end: the same few words from every checking module, and patience until a deadline."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any, Callable

from .http_errors import HttpError

# A fleet that is down has thousands of problems; the first ones say what is the matter.
MOST_PROBLEMS = 50
NOTHING_LISTENS = "not checked: nothing listens yet"


def check_spec() -> dict[str, dict[str, Any]]:
    """The options of every checking module as an argument spec; `deadline` and `interval` are seconds."""
    return {
        "deadline": {"type": "float", "default": 0.0},
        "interval": {"type": "float", "default": 2.0},
        "on_problem": {"type": "str", "choices": ["fail", "report"], "default": "fail"},
    }


@dataclass
class Verdict:
    """One check of one thing.

    Attributes:
        check: short name of the check; a column of the verify table.
        subject: what was looked at: a URL, an instance.
        problems: each with what was expected and what was found; none means passed.
        detail: a few words for the row of a check that passed.
        final: trying again cannot help.
        checked: False when there was nothing to look at yet (check mode on a blank host).
        values: what else the module returns.
    """

    check: str
    subject: str
    problems: list[str] = field(default_factory=list)
    detail: str = ""
    final: bool = False
    checked: bool = True
    values: dict[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool:
        return not self.problems

    @classmethod
    def from_error(cls, check: str, subject: str, error: HttpError, check_mode: bool = False) -> Verdict:
        """No answer is a problem; but in check mode what would listen may not have been started yet."""
        if check_mode and error.reason in ("refused", "file"):
            return cls(check, subject, detail=f"{NOTHING_LISTENS} (check mode)", final=True, checked=False)
        return cls(check, subject, problems=[str(error)], final=not error.retry)

    def as_result(self, on_problem: str, host: str = "") -> dict[str, Any]:
        """The module's result. With on_problem=fail a problem is a failure that lists them all."""
        told = self.problems[:MOST_PROBLEMS]
        if len(self.problems) > MOST_PROBLEMS:
            told.append(f"and {len(self.problems) - MOST_PROBLEMS} more")
        result = {
            **self.values,
            "changed": self.values.get("changed", False),
            "check": self.check,
            "subject": self.subject,
            "passed": self.passed,
            "checked": self.checked,
            "problems": told,
            "detail": self.detail,
        }
        if told:
            result["msg"] = self._message(told, host)
            result["failed"] = on_problem == "fail"
        return result

    def _message(self, problems: list[str], host: str) -> str:
        where = f"{host}: " if host else ""
        if not any(self.subject in problem for problem in problems):
            where += f"{self.subject}: "
        if len(problems) == 1:
            return where + problems[0]
        return "\n".join([f"{where}{len(self.problems)} problems", *(f"- {problem}" for problem in problems)])


def keep_trying(
    attempt: Callable[[], Verdict],
    deadline: float,
    interval: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Verdict:
    """Attempt until it passes, is final, or no other try would begin within `deadline` seconds; at least once."""
    end = clock() + deadline
    while True:
        verdict = attempt()
        if verdict.passed or verdict.final or clock() + interval > end:
            return verdict
        sleep(interval)
