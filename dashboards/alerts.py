"""What fires, since when, and whether anybody is told."""

from __future__ import annotations

from .page import Page, Section, choices
from .panels import Query, bars, lines, number
from .queries import BOX, RATE
from .style import BAD, FEW, GOOD, PLAIN, SECOND, SEVERITIES, WARN, Steps, rising
from .tables import Column, grid

QUIET = "Empty while no alert fires."
NO_RECEIVER = "Empty where no Alertmanager is scraped."
EVERYONE = f"count(up{{{BOX}}})"


def firing(severity: str, state: str = "firing") -> str:
    return f'ALERTS{{alertstate="{state}", severity=~"{severity}", {BOX}}}'


HEAD = (
    number(
        "Critical",
        "Critical alerts that fire: somebody must get up.",
        f"count({firing('critical')}) or 0 * {EVERYONE}",
        decimals=0,
        steps=Steps(GOOD, ((1, BAD),)),
        width=4,
    ),
    number(
        "Warnings",
        "Warnings that fire: they can wait until the morning.",
        f"count({firing('warning')}) or 0 * {EVERYONE}",
        decimals=0,
        steps=Steps(GOOD, ((1, WARN),)),
        width=4,
    ),
    number(
        "Pending",
        "Alerts whose condition holds, but not for long enough yet.",
        f"count({firing('critical|warning', 'pending')}) or 0 * {EVERYONE}",
        decimals=0,
        width=4,
    ),
    number(
        "Boxes concerned",
        "Boxes with at least one alert that fires.",
        f"count(count by (instance) ({firing('critical|warning')})) or 0 * {EVERYONE}",
        decimals=0,
        steps=rising(1, 5),
        width=4,
    ),
    number(
        "Watchdog",
        "An alert that always fires, to prove that alerts arrive. Lost means that Prometheus evaluates no rules.",
        'count(ALERTS{alertname="Watchdog", alertstate="firing"}) or 0 * count(up)',
        steps=Steps(BAD, ((1, GOOD),)),
        words={0: "lost", 1: "awake"},
        width=4,
    ),
    number(
        "Notifications failed",
        "Notifications of the last hour that could not be delivered.",
        "sum(increase(alertmanager_notifications_failed_total[1h]))",
        decimals=0,
        steps=rising(1, 1),
        width=4,
        quiet=NO_RECEIVER,
    ),
)

NOW = (
    grid(
        "Firing now",
        "What fires, critical alerts on top.",
        [
            Column("Severity", label="severity", width=100),
            Column("Alert", label="alertname"),
            Column(
                "Box",
                label="instance",
                link=("Machine ${__value.text}", "/d/gpufleet-node?var-instance=${__value.text}&${__url_time_range}"),
            ),
            Column("Model", label="model_name"),
            Column("Site", label="site"),
            Column(
                "Since",
                "max by (severity, alertname, instance, model_name, site) "
                f'(time() - ALERTS_FOR_STATE{{severity=~"critical|warning", {BOX}}} '
                f"and ignoring (alertstate) {firing('critical|warning')})",
                unit="s",
                decimals=0,
            ),
        ],
        sort="Severity",
        height=10,
        quiet=QUIET,
    ),
)

COURSE = (
    lines(
        "By severity",
        "Alerts that fire.",
        "short",
        *(Query(f"count({firing(severity)})", severity) for severity in reversed(SEVERITIES)),
        colours=SEVERITIES,
        decimals=0,
        soft=FEW,
        bars=True,
        width=12,
        quiet=QUIET,
    ),
    bars(
        "Time spent firing",
        "How long each alert fired in the chosen time, all boxes added up: what keeps the night awake.",
        "s",
        Query(
            f"60 * sum by (alertname) (count_over_time(({firing('critical|warning')})[$__range:1m]))", "{{alertname}}"
        ),
        decimals=1,
        width=12,
        quiet="Empty when no alert fired.",
    ),
)

TELLING = (
    lines(
        "Notifications",
        "Notifications per second that Alertmanager sent, by receiver's kind.",
        "cps",
        Query(f"sum by (integration) (rate(alertmanager_notifications_total[{RATE}])) > 0", "{{integration}}"),
        decimals=2,
        quiet="Empty while nothing is sent.",
    ),
    lines(
        "Delivery failed",
        "Notifications per second that could not be delivered, by receiver's kind.",
        "cps",
        Query(f"sum by (integration) (rate(alertmanager_notifications_failed_total[{RATE}]))  > 0", "{{integration}}"),
        colour=BAD,
        decimals=2,
        quiet="Empty while everything arrives.",
    ),
    lines(
        "Alerts at Alertmanager",
        "Active alerts, and those that are silenced or inhibited.",
        "short",
        Query("sum by (state) (alertmanager_alerts)", "{{state}}"),
        colours={"active": PLAIN, "suppressed": SECOND},
        decimals=0,
        quiet=NO_RECEIVER,
    ),
)

PAGE = Page(
    "alerts",
    "Alerts",
    "What fires, since when, and whether anybody is told.",
    choices(),
    (Section("", (*HEAD, *NOW)), Section("Course", COURSE), Section("Telling", TELLING)),
    since="now-6h",
)
