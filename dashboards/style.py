"""One look for all dashboards: a colour means the same thing everywhere."""

from __future__ import annotations

from dataclasses import dataclass

GOOD, WARN, BAD = "green", "semi-dark-orange", "semi-dark-red"
PLAIN, SECOND, MUTED = "blue", "purple", "#8e8e8e"
# A cell or a number that is as it should be takes no colour, so that the sick one stands out.
CALM = "transparent"

QUANTILES = {"p50": "super-light-blue", "p95": "blue", "p99": "purple"}
CLASSES = {"2xx": PLAIN, "3xx": MUTED, "4xx": WARN, "5xx": BAD}
SEVERITIES = {"critical": BAD, "warning": WARN}

NOTHING = "-"
# Grafana stretches the axis of its own per cent units to the whole; small shares would lie on the ground.
SMALL_SHARE = "suffix:%"
# Seconds that stay seconds, so that a column can be read downwards.
PLAIN_SECONDS = "suffix:s"
# Counts: without it an axis on which nothing happens has ticks like 0.5.
FEW = 4


@dataclass(frozen=True)
class Steps:
    """Thresholds: the colour of a value from each bound on.

    Attributes:
        base: below the first bound.
        bounds: (value, colour), rising.
    """

    base: str = PLAIN
    bounds: tuple[tuple[float, str], ...] = ()


def rising(warn: float, bad: float, base: str = GOOD) -> Steps:
    """The more the worse."""
    return Steps(base, ((warn, WARN), (bad, BAD)))


def falling(warn: float, bad: float, good: str = GOOD) -> Steps:
    """The less the worse: red below `bad`, amber below `warn`."""
    return Steps(BAD, ((bad, WARN), (warn, good)))


NEUTRAL = Steps()
NONE_IS_GOOD = Steps(GOOD, ((1, BAD),))
