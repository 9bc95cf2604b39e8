"""The corpus of pages: read from corpus/*.yml, and the real promtool to compare with."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
RECORDINGS = ROOT / "tests" / "recordings"
PROMTOOL = ROOT / ".cache" / "tools" / "promtool-3.5.3"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


@dataclass(frozen=True)
class Case:
    """A page, and the error findings it must give: line -> kinds."""

    name: str
    body: bytes
    errors: dict[int, list[str]] = field(default_factory=dict)
    stricter: str = ""
    differs: str = ""
    crashes_prometheus: bool = False


def load(file: Path) -> list[Case]:
    return [_case(file.stem, **case) for case in yaml.safe_load(file.read_text(encoding="utf-8"))["cases"]]


def _case(topic, name, body="", file=None, errors=None, **rest) -> Case:
    content = (RECORDINGS / file).read_bytes() if file else body.encode("latin-1")
    kinds = {line: sorted([kind] if isinstance(kind, str) else kind) for line, kind in (errors or {}).items()}
    return Case(f"{topic}: {name}", content, kinds, **rest)


def classic_cases() -> list[Case]:
    files = sorted((Path(__file__).parent / "corpus").glob("*.yml"))
    return [case for file in files if file.stem != "openmetrics" for case in load(file)]


def openmetrics_cases() -> list[Case]:
    return load(Path(__file__).parent / "corpus" / "openmetrics.yml")


def kinds_by_line(exposition) -> dict[int, list[str]]:
    """The error findings of a judged page, in the form of Case.errors."""
    found: dict[int, list[str]] = {}
    for finding in exposition.errors:
        found.setdefault(finding.line, []).append(finding.kind.value)
    return {line: sorted(kinds) for line, kinds in found.items()}


def promtool_refuses(body: bytes) -> bool:
    """Whether `promtool check metrics` cannot parse the page: exit 1, or a crash. Exit 0 and 3 (lint) mean it can."""
    if not PROMTOOL.exists():
        raise FileNotFoundError(f"{PROMTOOL} is missing; make it with: lab/lab tools")
    run = subprocess.run([PROMTOOL, "check", "metrics"], input=body, capture_output=True, timeout=60)
    return run.returncode not in (0, 3)
