"""The page /metrics, as far as gpufleet's contract asks for it."""

from __future__ import annotations

import platform
import time
from collections.abc import Mapping


def page(version: str, totals: Mapping[str, int], requests: Mapping[tuple, int], started: float) -> str:
    """`totals` are numbers of things by what they are, `requests` those answered by method and status."""
    build = f'branch="HEAD",edition="oss",goversion="{platform.python_version()}",revision="x",version="{version}"'
    lines = [
        "# HELP grafana_build_info A metric with a constant '1' value",
        "# TYPE grafana_build_info gauge",
        f"grafana_build_info{{{build}}} 1",
        "# HELP process_start_time_seconds Start time of the process since unix epoch in seconds.",
        "# TYPE process_start_time_seconds gauge",
        f"process_start_time_seconds {started:.2f}",
        "# HELP process_cpu_seconds_total Total user and system CPU time spent in seconds.",
        "# TYPE process_cpu_seconds_total counter",
        f"process_cpu_seconds_total {time.process_time():.2f}",
    ]
    for name, value in totals.items():
        lines += [
            f"# HELP grafana_stat_totals_{name} total amount of {name}s",
            f"# TYPE grafana_stat_totals_{name} gauge",
            f"grafana_stat_totals_{name} {value}",
        ]
    lines += [
        "# HELP grafana_api_response_status_total api http response status",
        "# TYPE grafana_api_response_status_total counter",
    ]
    by_code: dict[str, int] = {}
    for (_method, status), count in requests.items():
        code = str(status) if status in (200, 404, 500) else "unknown"
        by_code[code] = by_code.get(code, 0) + count
    lines += [f'grafana_api_response_status_total{{code="{code}"}} {count}' for code, count in sorted(by_code.items())]
    return "\n".join(lines) + "\n"
