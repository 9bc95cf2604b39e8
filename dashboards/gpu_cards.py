"""Courses of each card over time: work, heat, health."""

from __future__ import annotations

from .panels import Panel, Query, lines
from .queries import BOX, RATE
from .style import BAD, FEW, PLAIN, SECOND, WARN, Steps

GPU = f'job="dcgm", {BOX}'
# Cards that cannot tell a value report 9.2e18 or so.
KNOWN = "< 1e12"
CARD = "{{instance}} gpu {{gpu}}"
PER_CARD = "by (instance, site, gpu)"
MIB = 1024 * 1024
# Each GPU of a box keeps its colour on all panels: cold ones for the first four, warm ones for the others.
SHADES = ("#5794F2", "#8AB8FF", "#B877D9", "#DEB6F2", "#73BF69", "#96D98D", "#FF9830", "#FFCB7D")
COLOURS = {f"/gpu {number}$/": shade for number, shade in enumerate(SHADES)}
PARTED = "Empty on cards in MIG mode."
PROFILING = "Empty on cards without profiling counters."
NVLINK = "Empty on cards without NVLink."
# Bits of DCGM_FI_DEV_CLOCKS_EVENT_REASONS that slow a busy card down; 1 is idle, 2 a limit that somebody set.
REASONS = {
    4: "power cap",
    8: "hardware slowdown",
    32: "heat, by the driver",
    64: "heat, by the card",
    128: "power brake",
}
REASON_COLOURS = {
    "power cap": SECOND,
    "hardware slowdown": "dark-red",
    "heat, by the driver": WARN,
    "heat, by the card": BAD,
    "power brake": "dark-yellow",
}


def value(metric: str, factor: str = "") -> str:
    return f"{metric}{{{GPU}}} {KNOWN}" if not factor else f"({metric}{{{GPU}}} {KNOWN}) {factor}"


def bit(mask: int) -> str:
    """1 where the bit is set: PromQL has no bitwise operators, but division and remainder do."""
    return f"floor((DCGM_FI_DEV_CLOCKS_EVENT_REASONS{{{GPU}}} {KNOWN}) / {mask}) % 2"


def cards(title: str, description: str, unit: str, expr: str, **more: object) -> Panel:
    return lines(title, description, unit, Query(expr, CARD), colours=COLOURS, fill=0, **more)


def zero(expr: str) -> str:
    return f"{expr} or 0 * count(DCGM_FI_DEV_GPU_TEMP{{{GPU}}})"


# A power cap is normal at full load.
SLOWED = " + ".join(bit(mask) for mask in REASONS if mask != 4)

WORK = (
    cards(
        "Busy",
        "Share of the time in which anything ran on the card. 100 % says nothing of how well it is used.",
        "percentunit",
        f"({value('DCGM_FI_DEV_GPU_UTIL')}) / 100",
        most=1,
        quiet=PARTED,
    ),
    cards(
        "Tensor cores",
        "Share of the cycles in which the tensor cores worked: how well the card is used.",
        "percentunit",
        value("DCGM_FI_PROF_PIPE_TENSOR_ACTIVE"),
        most=1,
        quiet=PROFILING,
    ),
    cards(
        "Memory bus",
        "Share of the cycles in which the memory bus moved data. Generating tokens is bound by it.",
        "percentunit",
        value("DCGM_FI_PROF_DRAM_ACTIVE"),
        most=1,
        quiet=PROFILING,
    ),
    cards("Memory", "Memory that is taken.", "bytes", value("DCGM_FI_DEV_FB_USED", f"* {MIB}")),
    cards(
        "SM clock",
        "Clock of the processors; it falls when a card idles, and when it is slowed down.",
        "hertz",
        value("DCGM_FI_DEV_SM_CLOCK", "* 1e6"),
    ),
    cards(
        "PCIe",
        "Bytes per second over PCIe, both ways.",
        "Bps",
        f"{value('DCGM_FI_PROF_PCIE_TX_BYTES')} + DCGM_FI_PROF_PCIE_RX_BYTES{{{GPU}}}",
        quiet=PROFILING,
    ),
)

BODY = (
    cards(
        "Temperature",
        "Temperature of the GPU. Most cards slow down at about 87 °C.",
        "celsius",
        value("DCGM_FI_DEV_GPU_TEMP"),
        steps=Steps(PLAIN, ((87, BAD),)),
        least=None,
    ),
    cards(
        "Memory temperature",
        "Temperature of the memory, where the card tells.",
        "celsius",
        value("DCGM_FI_DEV_MEMORY_TEMP"),
        least=None,
        quiet="Empty on cards that do not tell.",
    ),
    cards("Power", "Electrical power that the card draws.", "watt", value("DCGM_FI_DEV_POWER_USAGE")),
    lines(
        "Slowed down by",
        "Cards that run slower than they could, by reason. A power cap is normal at full load, the others are not.",
        "short",
        *(Query(f"sum({bit(mask)})", reason) for mask, reason in REASONS.items()),
        colours=REASON_COLOURS,
        decimals=0,
        soft=FEW,
        bars=True,
        width=16,
        quiet="Empty on cards that do not tell.",
    ),
    lines(
        "Energy",
        "Energy used per hour at this rate, by site.",
        "watth",
        Query(
            f"sum by (site) (rate(DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{{{GPU}}}[{RATE}])) * 3600 / 3.6e6", "{{site}}"
        ),
        distinct=True,
        quiet="Empty on cards that do not tell.",
    ),
)

HEALTH = (
    cards(
        "XID errors",
        "XID errors of the last five minutes. 48, 62, 64, 74, 79, 95, 119 and 120 are critical.",
        "short",
        f"sum {PER_CARD} (DCGM_EXP_XID_ERRORS_COUNT{{{GPU}}})",
        decimals=0,
        soft=FEW,
    ),
    lines(
        "ECC errors",
        "Memory errors of the last hour: corrected ones are common, uncorrected ones cost the process its data.",
        "short",
        Query(f"sum(increase(DCGM_FI_DEV_ECC_SBE_VOL_TOTAL{{{GPU}}}[1h]))", "corrected"),
        Query(f"sum(increase(DCGM_FI_DEV_ECC_DBE_VOL_TOTAL{{{GPU}}}[1h]))", "uncorrected"),
        colours={"corrected": WARN, "uncorrected": BAD},
        decimals=0,
        soft=FEW,
        quiet="Empty on cards without ECC.",
    ),
    lines(
        "Remapped rows",
        "Rows of memory replaced by spare ones, in the cards' lives. A failure means that no spare is left.",
        "short",
        Query(f"sum(DCGM_FI_DEV_CORRECTABLE_REMAPPED_ROWS{{{GPU}}})", "for corrected errors"),
        Query(f"sum(DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS{{{GPU}}})", "for uncorrected errors"),
        Query(f"sum({value('DCGM_FI_DEV_ROW_REMAP_PENDING')})", "wait for a reset"),
        Query(f"sum({value('DCGM_FI_DEV_ROW_REMAP_FAILURE')})", "failed"),
        colours={
            "for corrected errors": PLAIN,
            "for uncorrected errors": SECOND,
            "wait for a reset": WARN,
            "failed": BAD,
        },
        decimals=0,
        soft=FEW,
        fill=0,
        quiet="Empty on cards that do not tell.",
    ),
    cards(
        "NVLink",
        "Growth of DCGM's counter of NVLink traffic over all lanes, in the counter's own unit per second.",
        "short",
        f"rate(DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL{{{GPU}}}[{RATE}])",
        quiet=NVLINK,
    ),
    lines(
        "NVLink errors",
        "Errors of the last hour over all links. Replays cost time, recoveries are a link that was down.",
        "short",
        Query(f"sum(increase(DCGM_FI_DEV_NVLINK_CRC_FLIT_ERROR_COUNT_TOTAL{{{GPU}}}[1h]))", "CRC, flow control"),
        Query(f"sum(increase(DCGM_FI_DEV_NVLINK_CRC_DATA_ERROR_COUNT_TOTAL{{{GPU}}}[1h]))", "CRC, data"),
        Query(f"sum(increase(DCGM_FI_DEV_NVLINK_REPLAY_ERROR_COUNT_TOTAL{{{GPU}}}[1h]))", "replays"),
        Query(f"sum(increase(DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL{{{GPU}}}[1h]))", "recoveries"),
        colours={"CRC, flow control": PLAIN, "CRC, data": SECOND, "replays": WARN, "recoveries": BAD},
        decimals=0,
        soft=FEW,
        fill=0,
        quiet=NVLINK,
    ),
    cards(
        "PCIe replays",
        "Retried PCIe packets per second. More than a few point to a bad slot or riser.",
        "cps",
        f"rate(DCGM_FI_DEV_PCIE_REPLAY_COUNTER{{{GPU}}}[{RATE}])",
        decimals=2,
        soft=1,
        quiet="Empty on cards that do not tell.",
    ),
)
