"""The cards: how busy, how hot, and what ails them."""

from __future__ import annotations

from .gpu_cards import BODY, GPU, HEALTH, MIB, PARTED, PER_CARD, SLOWED, WORK, value, zero
from .page import Page, Section, choices
from .panels import number
from .style import BAD, CALM, GOOD, Steps, rising
from .tables import Column, grid

HEAD = (
    number("GPUs", "Cards that report.", f"count(DCGM_FI_DEV_GPU_TEMP{{{GPU}}})", decimals=0),
    number(
        "Missing",
        "Cards that the inventory promises (gpufleet_gpus) and that do not report.",
        "sum(clamp_min(gpufleet:inventory_gpus"
        '{site=~"$site", instance=~"$instance"} - on (instance) '
        f"(count by (instance) (DCGM_FI_DEV_GPU_TEMP{{{GPU}}}) "
        'or on (instance) 0 * gpufleet:inventory_gpus{site=~"$site", instance=~"$instance"}), 0))',
        decimals=0,
        steps=Steps(GOOD, ((1, BAD),)),
        quiet="The inventory may give no number.",
    ),
    number(
        "XID errors",
        "Cards with an XID error in the last five minutes. Applications cause 13, 31 and 43; others are the card's.",
        zero(f"count(DCGM_EXP_XID_ERRORS_COUNT{{{GPU}}} > 0)"),
        decimals=0,
        steps=rising(1, 1),
    ),
    number(
        "Slowed down",
        "Cards that run slower than they could, for heat or for want of power. A power cap is normal and not counted.",
        zero(f"count(({SLOWED}) > 0)"),
        decimals=0,
        steps=rising(1, 4),
        quiet="Empty on cards that do not tell.",
    ),
    number(
        "Hottest",
        "The hottest card.",
        f"max({value('DCGM_FI_DEV_GPU_TEMP')})",
        "celsius",
        decimals=0,
        steps=rising(80, 87),
    ),
    number(
        "Busy",
        "How much of the time the cards did anything at all, on average.",
        f"avg({value('DCGM_FI_DEV_GPU_UTIL')}) / 100",
        "percentunit",
        decimals=0,
        trend=True,
        quiet=PARTED,
    ),
    number(
        "Memory",
        "How much of the cards' memory is taken. vLLM takes its share at the start and keeps it.",
        f"sum({value('DCGM_FI_DEV_FB_USED')}) / sum({value('DCGM_FI_DEV_FB_TOTAL')})",
        "percentunit",
        decimals=0,
    ),
    number(
        "Power",
        "Electrical power that the cards draw together.",
        f"sum({value('DCGM_FI_DEV_POWER_USAGE')})",
        "watt",
        decimals=1,
        trend=True,
    ),
)

TABLE = grid(
    "Cards",
    "One row per card. Blank: the card does not tell.",
    [
        Column("Box", label="instance", width=130),
        Column("Site", label="site", width=70),
        Column("GPU", label="gpu", width=55),
        Column(
            "Model", f"max by (instance, site, gpu, modelName) ({value('DCGM_FI_DEV_FB_TOTAL')})", label="modelName"
        ),
        Column(
            "Busy",
            f"max {PER_CARD} ({value('DCGM_FI_DEV_GPU_UTIL')}) / 100",
            unit="percentunit",
            decimals=0,
            look="basic",
            width=130,
        ),
        Column(
            "Tensor",
            f"max {PER_CARD} ({value('DCGM_FI_PROF_PIPE_TENSOR_ACTIVE')})",
            unit="percentunit",
            decimals=0,
            look="basic",
            width=130,
        ),
        Column(
            "Memory", f"max {PER_CARD} ({value('DCGM_FI_DEV_FB_USED', f'* {MIB}')})", unit="bytes", decimals=1, width=95
        ),
        Column("Power", f"max {PER_CARD} ({value('DCGM_FI_DEV_POWER_USAGE')})", unit="watt", decimals=0, width=85),
        Column(
            "Heat",
            f"max {PER_CARD} ({value('DCGM_FI_DEV_GPU_TEMP')})",
            unit="celsius",
            decimals=0,
            steps=rising(80, 87, CALM),
            look="color-background",
            width=85,
        ),
        Column(
            "Slowed",
            f"max {PER_CARD} (({SLOWED}) > bool 0)",
            decimals=0,
            steps=rising(1, 2, CALM),
            look="color-background",
            words={0: "no", 1: "yes"},
            width=80,
        ),
        Column(
            "Last XID",
            f"max {PER_CARD} ({value('DCGM_FI_DEV_XID_ERRORS')})",
            decimals=0,
            steps=rising(1, 1e9, CALM),
            look="color-background",
            width=85,
        ),
        Column(
            "Remapped",
            f"max {PER_CARD} (DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS{{{GPU}}})",
            decimals=0,
            steps=rising(1, 8, CALM),
            look="color-background",
            width=95,
        ),
        Column(
            "Replace",
            f"max {PER_CARD} ({value('DCGM_FI_DEV_ROW_REMAP_FAILURE')})",
            steps=Steps(CALM, ((1, BAD),)),
            look="color-background",
            words={0: "no", 1: "yes"},
            width=85,
        ),
    ],
    sort="-Heat",
    height=9,
)

PAGE = Page(
    "gpu",
    "GPUs",
    "The cards: how busy and how hot they are, and what ails them.",
    choices("dcgm"),
    (Section("", (*HEAD, TABLE)), Section("Work", WORK), Section("Heat and power", BODY), Section("Health", HEALTH)),
)
