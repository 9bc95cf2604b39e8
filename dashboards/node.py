"""The machines: processors, memory, disks, network, time and services."""

from __future__ import annotations

from .node_io import BUSY, DISK, FAILED, FULL, NAME, NETWORK, NODE, PER_BOX, STALLS, TAKEN
from .page import Page, Section, choices
from .panels import Query, lines, number
from .queries import RATE
from .style import BAD, CALM, FEW, PLAIN, SMALL_SHARE, Steps, rising
from .tables import Column, grid

HEAD = (
    number("Boxes", "Machines that report.", f"sum(up{{{NODE}}})", decimals=0, width=4),
    number(
        "Busiest",
        "The machine with the busiest processors.",
        f"max({BUSY})",
        "percentunit",
        decimals=0,
        steps=rising(0.9, 0.98),
        width=4,
    ),
    number(
        "Least memory",
        "The machine with the least memory left: how much of it is taken.",
        f"max({TAKEN})",
        "percentunit",
        decimals=0,
        steps=rising(0.9, 0.95),
        width=4,
    ),
    number(
        "Fullest disk",
        "The fullest file system of all machines.",
        f"max({FULL})",
        "percentunit",
        decimals=0,
        steps=rising(0.9, 0.98),
        width=4,
    ),
    number(
        "Failed units",
        "Units of systemd that have failed.",
        f"{FAILED} or 0 * count(up{{{NODE}}})",
        decimals=0,
        steps=rising(1, 3),
        width=4,
    ),
    number(
        "Worst clock",
        "The largest offset of a clock from the time servers.",
        f"max(abs(node_timex_offset_seconds{{{NODE}}}))",
        "s",
        decimals=1,
        steps=rising(0.1, 0.5),
        width=4,
    ),
)

TABLE = grid(
    "Machines",
    "One row per machine.",
    [
        Column("Box", label="instance"),
        Column("Site", label="site"),
        Column("Processors", BUSY, unit="percentunit", decimals=0, steps=rising(0.9, 0.98), look="basic"),
        Column(
            "Memory", f"max {PER_BOX} ({TAKEN})", unit="percentunit", decimals=0, steps=rising(0.9, 0.95), look="basic"
        ),
        Column(
            "Fullest disk",
            f"max {PER_BOX} ({FULL})",
            unit="percentunit",
            decimals=0,
            steps=rising(0.9, 0.98),
            look="basic",
        ),
        Column("Load", f"max {PER_BOX} (node_load5{{{NODE}}})", decimals=1),
        Column(
            "Failed units",
            f'sum {PER_BOX} (node_systemd_unit_state{{{NODE}, state="failed"}})',
            decimals=0,
            steps=rising(1, 3, CALM),
            look="color-background",
        ),
        Column("Up since", f"max {PER_BOX} (time() - node_boot_time_seconds{{{NODE}}})", unit="s", decimals=1),
        Column("Kernel", f"max by (instance, site, release) (node_uname_info{{{NODE}}})", label="release"),
        Column(
            "node_exporter", f"max by (instance, site, version) (node_exporter_build_info{{{NODE}}})", label="version"
        ),
    ],
    sort="Box",
    height=7,
)

BASICS = (
    lines(
        "Processors",
        "Share of the time in which the processors were not idle.",
        "percentunit",
        Query(f'1 - avg by (instance) (rate(node_cpu_seconds_total{{{NODE}, mode="idle"}}[{RATE}]))', NAME),
        most=1,
        fill=0,
    ),
    lines(
        "Waiting for disks",
        "Share of the time in which processors waited for disks.",
        SMALL_SHARE,
        Query(f'100 * avg by (instance) (rate(node_cpu_seconds_total{{{NODE}, mode="iowait"}}[{RATE}]))', NAME),
        decimals=1,
        soft=10,
        fill=0,
    ),
    lines(
        "Load",
        "Processes that run or wait to, over five minutes.",
        "short",
        Query(f"node_load5{{{NODE}}}", NAME),
        decimals=1,
        fill=0,
    ),
    lines(
        "Memory",
        "Share of the memory that is taken and cannot be given back.",
        "percentunit",
        Query(TAKEN, NAME),
        most=1,
        fill=0,
        steps=Steps(PLAIN, ((0.95, BAD),)),
    ),
    lines(
        "Killed for want of memory",
        "Processes that the kernel killed in the last ten minutes.",
        "short",
        Query(f"increase(node_vmstat_oom_kill{{{NODE}}}[10m])", NAME),
        decimals=0,
        soft=FEW,
        colour=BAD,
        bars=True,
    ),
    lines(
        "Swap",
        "Swap space in use. A model server that swaps is not served by it.",
        "bytes",
        Query(f"node_memory_SwapTotal_bytes{{{NODE}}} - node_memory_SwapFree_bytes{{{NODE}}}", NAME),
        fill=0,
    ),
)

SERVICES = (
    lines(
        "Failed units",
        "Units of systemd that have failed, by name. `journalctl -u` on the machine says why.",
        "short",
        Query(
            f'sum by (instance, name) (node_systemd_unit_state{{{NODE}, state="failed"}}) > 0', "{{instance}} {{name}}"
        ),
        colour=BAD,
        bars=True,
        decimals=0,
        soft=FEW,
        width=24,
        height=6,
        listed=True,
        quiet="Empty while no unit has failed.",
    ),
)

PAGE = Page(
    "node",
    "Machines",
    "Processors, memory, disks, network, time and services of the machines.",
    choices("node"),
    (
        Section("", (*HEAD, TABLE)),
        Section("Processors and memory", BASICS),
        Section("Disks", DISK),
        Section("Network and time", NETWORK),
        Section("Pressure", STALLS),
        Section("Services", SERVICES),
    ),
)
