"""Which topic belongs to which role, and the JSON that is committed there."""

from __future__ import annotations

import sys
from pathlib import Path

from . import alerts, fleet, gpu, node, prometheus, slo, vllm
from .page import Page

ROOT = Path(__file__).resolve().parents[1]
PAGES: dict[str, tuple[Page, ...]] = {
    "grafana": (fleet.PAGE, alerts.PAGE, slo.PAGE),
    "vllm": (vllm.PAGE,),
    "dcgm_exporter": (gpu.PAGE,),
    "node_exporter": (node.PAGE,),
    "prometheus": (prometheus.PAGE,),
}


def built(root: Path = ROOT) -> dict[Path, str]:
    """File -> its text, for every dashboard."""
    return {
        root / "roles" / role / "files/monitoring/dashboards" / f"{page.topic}.json": page.text()
        for role, pages in PAGES.items()
        for page in pages
    }


def main() -> int:
    """Write what differs from what is there."""
    for file, text in built().items():
        if not file.is_file() or file.read_text(encoding="utf-8") != text:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            print(f"wrote {file.relative_to(ROOT)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
