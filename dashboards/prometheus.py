"""Prometheus itself: whether it sees, remembers, thinks and tells."""

from __future__ import annotations

from .page import Page, Section, Variable
from .panels import Query, lines, number
from .queries import RATE
from .style import BAD, CALM, FEW, GOOD, PLAIN, QUANTILES, SECOND, WARN, Steps, rising
from .tables import Column, grid

SELF = 'job="prometheus", site=~"$site", instance=~"$instance"'
NAME = "{{instance}}"
AGENT = "Empty on agents, which only scrape and send on."
REMOTE = "Empty where nothing is sent on."
UP = f"count(up{{{SELF}}})"


def failing(counter: str, window: str = "1h") -> str:
    return f"sum(increase({counter}{{{SELF}}}[{window}]))"


HEAD = (
    number(
        "Targets down",
        "Targets of all jobs that cannot be scraped. The page Alerts tells which.",
        "count(up == 0) or 0 * count(up)",
        decimals=0,
        steps=Steps(GOOD, ((1, BAD),)),
    ),
    number("Targets", "Targets that Prometheus scrapes.", "count(up)", decimals=0),
    number(
        "Series",
        "Series in memory: what the last two hours or so brought.",
        f"sum(prometheus_tsdb_head_series{{{SELF}}})",
        "short",
        decimals=1,
        trend=True,
        quiet=AGENT,
    ),
    number(
        "Samples",
        "Samples taken in per second.",
        f"sum(rate(prometheus_tsdb_head_samples_appended_total{{{SELF}}}[{RATE}]))",
        "short",
        decimals=1,
        trend=True,
        quiet=AGENT,
    ),
    number(
        "Configuration",
        "Whether each Prometheus runs the configuration on its disk; a failed reload keeps the old one.",
        f"min(prometheus_config_last_reload_successful{{{SELF}}})",
        steps=Steps(BAD, ((1, GOOD),)),
        words={0: "stale", 1: "current"},
    ),
    number(
        "Failing rules",
        "Evaluations of rules that failed in the last hour. An alert whose rule fails cannot fire.",
        failing("prometheus_rule_evaluation_failures_total"),
        decimals=0,
        steps=rising(1, 10),
        quiet=AGENT,
    ),
    number(
        "Alertmanagers",
        "Alertmanagers that Prometheus sends to. None means that nobody is told of anything.",
        f"min(prometheus_notifications_alertmanagers_discovered{{{SELF}}})",
        decimals=0,
        steps=Steps(BAD, ((1, GOOD),)),
    ),
    number(
        "Alerts dropped",
        "Notifications of the last hour that no Alertmanager took.",
        failing("prometheus_notifications_dropped_total"),
        decimals=0,
        steps=rising(1, 1),
    ),
)

JOBS = (
    grid(
        "Jobs",
        "One row per job: what Prometheus scrapes, how long it takes and how much it brings.",
        [
            Column("Job", label="job"),
            Column("Targets", "count by (job) (up)", decimals=0),
            Column(
                "Down",
                "count by (job) (up == 0) or 0 * count by (job) (up)",
                decimals=0,
                steps=Steps(CALM, ((1, BAD),)),
                look="color-background",
            ),
            Column(
                "Slowest scrape",
                "max by (job) (scrape_duration_seconds)",
                unit="s",
                decimals=2,
                steps=rising(5, 10, CALM),
                look="color-background",
            ),
            Column("Samples a scrape", "sum by (job) (scrape_samples_scraped)", unit="short", decimals=0),
        ],
        sort="Job",
        width=12,
    ),
    lines(
        "Targets down",
        "Targets that cannot be scraped, by job.",
        "short",
        Query("count by (job) (up == 0) or 0 * count by (job) (up)", "{{job}}"),
        decimals=0,
        soft=FEW,
        distinct=True,
        width=12,
    ),
)

STORE = (
    lines(
        "Series in memory",
        "Series of the last two hours or so. A jump is a label with too many values.",
        "short",
        Query(f"prometheus_tsdb_head_series{{{SELF}}}", NAME),
        quiet=AGENT,
    ),
    lines(
        "Samples",
        "Samples taken in per second.",
        "short",
        Query(f"sum by (instance) (rate(prometheus_tsdb_head_samples_appended_total{{{SELF}}}[{RATE}]))", NAME),
        quiet=AGENT,
    ),
    lines(
        "Room on disk",
        "Bytes of finished blocks and of the write-ahead log.",
        "bytes",
        Query(f"prometheus_tsdb_storage_blocks_bytes{{{SELF}}}", "{{instance}} blocks"),
        Query(f"prometheus_tsdb_wal_storage_size_bytes{{{SELF}}}", "{{instance}} log"),
        colours={"/ blocks$/": PLAIN, "/ log$/": SECOND},
    ),
    lines(
        "Memory", "Resident memory of the process.", "bytes", Query(f"process_resident_memory_bytes{{{SELF}}}", NAME)
    ),
    lines(
        "Processors",
        "Processors in use.",
        "none",
        Query(f"rate(process_cpu_seconds_total{{{SELF}}}[{RATE}])", NAME),
        decimals=2,
    ),
    lines(
        "Trouble with the store",
        "Failures of the last hour: compactions, the write-ahead log, blocks.",
        "short",
        Query(failing("prometheus_tsdb_compactions_failed_total"), "compactions"),
        Query(failing("prometheus_tsdb_wal_corruptions_total"), "corrupt log"),
        Query(failing("prometheus_tsdb_reloads_failures_total"), "blocks"),
        colours={"compactions": BAD, "corrupt log": WARN, "blocks": SECOND},
        decimals=0,
        soft=FEW,
        quiet=AGENT,
    ),
)

THINKING = (
    lines(
        "Evaluation of rules",
        "Time that each group of rules took at its last evaluation.",
        "s",
        Query(f"max by (rule_group) (prometheus_rule_group_last_duration_seconds{{{SELF}}})", "{{rule_group}}"),
        listed=True,
        fill=0,
        quiet=AGENT,
    ),
    lines(
        "Missed evaluations",
        "Evaluations per hour that were skipped, since the one before took too long.",
        "short",
        Query(failing("prometheus_rule_group_iterations_missed_total"), "missed"),
        soft=FEW,
        colours={"missed": BAD},
        decimals=0,
        quiet=AGENT,
    ),
    lines(
        "Queries",
        "Time that queries take inside the engine: the middle one, and the slowest of 10 and of 100.",
        "s",
        *(
            Query(
                f'max(prometheus_engine_query_duration_seconds{{{SELF}, slice="inner_eval", quantile="{phi}"}}) >= 0',
                name,
            )
            for name, phi in (("p50", "0.5"), ("p90", "0.9"), ("p99", "0.99"))
        ),
        colours={**QUANTILES, "p90": "blue"},
        fill=0,
        quiet=AGENT,
    ),
)

TELLING = (
    lines(
        "Notifications",
        "Notifications to Alertmanagers per second.",
        "cps",
        Query(f"sum(rate(prometheus_notifications_sent_total{{{SELF}}}[{RATE}]))", "sent"),
        colours={"sent": PLAIN},
        decimals=2,
        quiet="Empty where there is no Alertmanager.",
    ),
    lines(
        "Queue to Alertmanager",
        "Notifications that wait to be sent.",
        "short",
        Query(f"prometheus_notifications_queue_length{{{SELF}}}", NAME),
        decimals=0,
        soft=FEW,
    ),
    lines(
        "Behind in sending on",
        "How far the remote store is behind.",
        "s",
        Query(
            f"prometheus_remote_storage_highest_timestamp_in_seconds{{{SELF}}} - on (instance) group_right () "
            "max by (instance, remote_name, url) "
            f"(prometheus_remote_storage_queue_highest_sent_timestamp_seconds{{{SELF}}} > 0)",
            "{{instance}} {{remote_name}}",
        ),
        steps=Steps(PLAIN, ((300, BAD),)),
        quiet=REMOTE,
    ),
)

PAGE = Page(
    "prometheus",
    "Prometheus",
    "Prometheus itself: whether it sees, remembers, thinks and tells.",
    (
        Variable("site", "Site", 'label_values(up{job="prometheus"}, site)'),
        Variable("instance", "Box", 'label_values(up{job="prometheus", site=~"$site"}, instance)'),
    ),
    (
        Section("", HEAD),
        Section("Seeing", JOBS),
        Section("Remembering", STORE),
        Section("Thinking", THINKING),
        Section("Telling", TELLING),
    ),
)
