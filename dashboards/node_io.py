"""Disks, network, time and pressure of the machines."""

from __future__ import annotations

from .panels import Query, lines
from .queries import BOX, RATE
from .style import BAD, PLAIN, SECOND, SMALL_SHARE, WARN, Steps

NODE = f'job="node", {BOX}'
DISKS = f'{NODE}, fstype!~"tmpfs|ramfs|squashfs"'
LINKS = f'{NODE}, device!~"lo|veth.*|docker.*|br-.*"'
PER_BOX = "by (instance, site)"
NAME = "{{instance}}"
BUSY = f'1 - avg {PER_BOX} (rate(node_cpu_seconds_total{{{NODE}, mode="idle"}}[5m]))'
TAKEN = f"1 - node_memory_MemAvailable_bytes{{{NODE}}} / node_memory_MemTotal_bytes{{{NODE}}}"
FULL = f"1 - node_filesystem_avail_bytes{{{DISKS}}} / node_filesystem_size_bytes{{{DISKS}}}"
FAILED = f'count(node_systemd_unit_state{{{NODE}, state="failed"}} == 1)'
PRESSURE = "Empty on kernels without pressure stall information."


def _both_ways(what: str) -> str:
    received, sent = (f"rate(node_network_{way}_{what}_total{{{LINKS}}}[{RATE}])" for way in ("receive", "transmit"))
    return f"sum by (instance) ({received} + {sent})"


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
            _both_ways("errs"),
            "{{instance}} errors",
        ),
        Query(
            _both_ways("drop"),
            "{{instance}} drops",
        ),
        colours={"/ errors$/": BAD, "/ drops$/": WARN},
        decimals=2,
        soft=1,
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
        SMALL_SHARE,
        Query(f"100 * rate({metric}{{{NODE}}}[{RATE}])", NAME),
        soft=10,
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
