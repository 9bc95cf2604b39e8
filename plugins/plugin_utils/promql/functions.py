"""PromQL's functions, by what they make of their argument. Source: Prometheus' documentation of 3.5."""

# Over a counter they mean something; over a gauge each fall of it would count as a reset.
OF_COUNTERS = frozenset({"rate", "irate", "increase", "resets"})
# Over a counter they tell only how long the program has run.
OF_GAUGES = frozenset(
    {
        "delta",
        "idelta",
        "deriv",
        "predict_linear",
        "holt_winters",
        "double_exponential_smoothing",
        "avg_over_time",
        "min_over_time",
        "max_over_time",
        "sum_over_time",
        "stddev_over_time",
        "stdvar_over_time",
        "quantile_over_time",
        "mad_over_time",
    }
)
# They hand on the samples as they are.
PASSING = frozenset(
    {"last_over_time", "sort", "sort_desc", "sort_by_label", "sort_by_label_desc", "round", "abs", "ceil", "floor"}
)
ABSENCE = frozenset({"absent", "absent_over_time"})
COUNTING = frozenset({"changes", "count_over_time", "present_over_time", "timestamp", "resets"})
SCALARS = frozenset({"time", "scalar", "pi"})
# Dates without an argument are those of now.
DATES = frozenset({"minute", "hour", "day_of_week", "day_of_month", "day_of_year", "days_in_month", "month", "year"})
# Aggregations whose result is still a rate of buckets.
ADDING = frozenset({"sum", "avg"})
# Aggregations that keep the series, with all their labels.
CHOOSING = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
