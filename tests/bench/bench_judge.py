"""Time the judge of metrics pages against promtool (as a process) and prometheus_client, in one run: JSON, a line each.

Fails when the judge takes longer than promtool for a page of 1 MB.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))

import conftest  # noqa: E402 - it makes the collection importable

conftest.pytest_configure(None)

from ansible_collections.gpufleet.serving.plugins.plugin_utils.exposition import judge  # noqa: E402
from prometheus_client.parser import text_string_to_metric_families  # noqa: E402

PROMTOOL = ROOT / ".cache" / "tools" / "promtool-3.5.3"
RECORDED = next((ROOT / "tests" / "recordings").rglob("metrics.txt"))
MEGABYTE = 1_000_000


def grown(page: str, size: int) -> str:
    """The recorded page with the series of more and more models, until it has `size` bytes."""
    models = 1
    while len(text := "".join(_copies(line, models) for line in page.splitlines(keepends=True))) < size:
        models += 1
    return text


def _copies(line: str, models: int) -> str:
    if line.startswith("#") or 'model_name="tiny"' not in line:
        return line
    return "".join(line.replace('model_name="tiny"', f'model_name="tiny-{number}"') for number in range(models))


def best_of(rounds: int, work: Callable[[], object]) -> float:
    """Milliseconds of the quickest round: what is slower is the machine's noise."""
    times = []
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return min(times) * 1000


def promtool(body: bytes) -> None:
    # Exit 3 is lint, which is no verdict on a program one does not own.
    done = subprocess.run([PROMTOOL, "check", "metrics"], input=body, capture_output=True, timeout=60)
    assert done.returncode in (0, 3), done.stderr


def in_order(page: str) -> str:
    """A family's samples must stand together, series by series: sort the copies of each model behind each other."""
    blocks: list[list[str]] = []
    for line in page.splitlines(keepends=True):
        if line.startswith("# HELP") or not blocks:
            blocks.append([])
        blocks[-1].append(line)
    return "".join("".join(_by_model(block)) for block in blocks)


def _by_model(block: list[str]) -> list[str]:
    def model(line: str) -> int:
        marker = 'model_name="tiny-'
        return int(line.partition(marker)[2].partition('"')[0]) if marker in line else -1

    return sorted(block, key=model)


def main() -> None:
    recorded = RECORDED.read_text(encoding="utf-8")
    took = {}
    for name, text in (("53KB", recorded), ("1MB", in_order(grown(recorded, MEGABYTE)))):
        body = text.encode()
        page = judge(body, "text/plain; version=0.0.4")
        assert not page.errors, page.errors[:3]
        readers = {
            "judge": lambda body=body: judge(body, "text/plain; version=0.0.4"),
            "promtool": lambda body=body: promtool(body),
            "prometheus_client": lambda text=text: list(text_string_to_metric_families(text)),
        }
        for reader, work in readers.items():
            took[reader, name] = best_of(7, work)
            figure = {"figure": f"{reader}_{name}", "value": round(took[reader, name], 1), "unit": "ms"}
            print(json.dumps({**figure, "bytes": len(body), "samples": page.samples}), flush=True)
    if took["judge", "1MB"] > took["promtool", "1MB"]:
        sys.exit("the judge takes longer than promtool for a page of 1 MB")


if __name__ == "__main__":
    main()
