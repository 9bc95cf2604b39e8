"""The machines: processors, memory, disks, network, time and services."""

from __future__ import annotations

from .page import Page, Section, choices
from .panels import Column, Query, grid, lines, number
from .queries import BOX, RATE
from .style import BAD, CALM, PLAIN, SECOND, WARN, Steps, rising

NODE = f'job="node", {BOX}'
DISKS = f'{NODE}, fstype!~"tmpfs|ramfs|overlay|squashfs"'
LINKS = f'{NODE}, device!~"lo|veth.*|docker.*|br-.*"'
PER_BOX = "by (instance, site)"
NAME = "{{instance}}"
BUSY = f'1 - avg {PER_BOX} (rate(node_cpu_seconds_total{{{NODE}, mode="idle"}}[5m]))'
TAKEN = f"1 - node_memory_MemAvailable_bytes{{{NODE}}} / node_memory_MemTotal_bytes{{{NODE}}}"
FULL = f"1 - node_filesystem_avail_bytes{{{DISKS}}} / (node_filesystem_size_bytes{{{DISKS}}} > 0)"
FAILED = f'count(node_systemd_unit_state{{{NODE}, state="failed"}} == 1)'
PRESSURE = "Empty on kernels without pressure stall information."

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
        Column("Processors", BUSY, unit="percentunit", decimals=0, look="basic"),
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
        "percentunit",
        Query(f'avg by (instance) (rate(node_cpu_seconds_total{{{NODE}, mode="iowait"}}[{RATE}]))', NAME),
        decimals=1,
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

DISK = (
    lines(
        "File systems",
        "Share of each file system that is taken.",
        "percentunit",
        Query(FULL, "{{instance}} {{mountpoint}}"),
        most=1,
        fill=0,
        listed=True,
        steps=Steps(PLAIN, ((0.9, BAD),)),
    ),
    lines(
        "Reading and writing",
        "Bytes per second from and to disks.",
        "Bps",
        Query(f"sum by (instance) (rate(node_disk_read_bytes_total{{{NODE}}}[{RATE}]))", "{{instance}} read"),
        Query(f"sum by (instance) (rate(node_disk_written_bytes_total{{{NODE}}}[{RATE}]))", "{{instance}} written"),
        colours={"/ read$/": PLAIN, "/ written$/": SECOND},
        quiet="Empty on machines that show no disks, such as containers.",
        fill=0,
    ),
    lines(
        "Disks busy",
        "Share of the time in which the busiest disk had work.",
        "percentunit",
        Query(f"max by (instance) (rate(node_disk_io_time_seconds_total{{{NODE}}}[{RATE}]))", NAME),
        most=1,
        fill=0,
        quiet="Empty on machines that show no disks, such as containers.",
    ),
)

NETWORK = (
    lines(
        "Traffic",
        "Bytes per second over all interfaces but the loopback.",
        "Bps",
        Query(f"sum by (instance) (rate(node_network_receive_bytes_total{{{LINKS}}}[{RATE}]))", "{{instance}} in"),
        Query(f"sum by (instance) (rate(node_network_transmit_bytes_total{{{LINKS}}}[{RATE}]))", "{{instance}} out"),
        colours={"/ in$/": PLAIN, "/ out$/": SECOND},
        fill=0,
    ),
    lines(
        "Errors and drops",
        "Packets per second that were faulty or dropped.",
        "pps",
        Query(
            f"sum by (instance) (rate(node_network_receive_errs_total{{{LINKS}}}[{RATE}]) + rate(node_network_transmit_errs_total{{{LINKS}}}[{RATE}]))",
            "{{instance}} errors",
        ),
        Query(
            f"sum by (instance) (rate(node_network_receive_drop_total{{{LINKS}}}[{RATE}]) + rate(node_network_transmit_drop_total{{{LINKS}}}[{RATE}]))",
            "{{instance}} drops",
        ),
        colours={"/ errors$/": BAD, "/ drops$/": WARN},
        decimals=1,
        fill=0,
    ),
    lines(
        "Clock",
        "Offset of the clock from the time servers.",
        "s",
        Query(f"node_timex_offset_seconds{{{NODE}}}", NAME),
        least=None,
        fill=0,
    ),
)

STALLS = tuple(
    lines(
        title,
        f"Share of the time in which {what}.",
        "percentunit",
        Query(f"rate({metric}{{{NODE}}}[{RATE}])", NAME),
        fill=0,
        decimals=1,
        quiet=PRESSURE,
    )
    for title, what, metric in (
        ("Waiting for processors", "some process waited for a processor", "node_pressure_cpu_waiting_seconds_total"),
        (
            "Waiting for memory",
            "some process waited for memory to be freed",
            "node_pressure_memory_waiting_seconds_total",
        ),
        ("Waiting for input and output", "some process waited for a disk", "node_pressure_io_waiting_seconds_total"),
    )
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
