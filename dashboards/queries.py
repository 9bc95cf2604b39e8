"""PromQL that several topics need."""

from __future__ import annotations

# The model's servers themselves; other targets of a host carry the names of all its models, joined by commas.
VLLM = 'job="vllm", site=~"$site", instance=~"$instance", model_name=~"$model"'
BOX = 'site=~"$site", instance=~"$instance", model_name=~"(.*,)?$model(,.*)?"'
PER_BOX = "by (instance, site)"
RATE = "$__rate_interval"


def quantile(phi: float, family: str, selector: str, by: str = "", window: str = RATE) -> str:
    """A quantile of a histogram; without requests there is none."""
    labels = f"le, {by}" if by else "le"
    return f"histogram_quantile({phi}, sum by ({labels}) (rate({family}_bucket{{{selector}}}[{window}])))"


def or_zero(expr: str, where: str) -> str:
    """0 where `expr` has nothing to count, yet nothing where `where` says that there is nobody to count for."""
    return f"{expr} or 0 * {where}"


def share(part: str, whole: str) -> str:
    """A ratio that is absent, not infinite and not NaN, where the whole is 0."""
    return f"{part} / ({whole} > 0)"


def answered(status: str, by: str = "", window: str = RATE, selector: str = VLLM) -> str:
    """Requests per second by class of status: "5xx", or "" for all."""
    wanted = f', status="{status}"' if status else ""
    grouped = f"sum {by} " if by else "sum"
    return f"{grouped}(rate(http_requests_total{{{selector}{wanted}}}[{window}]))"


def failing(by: str = "", window: str = RATE, selector: str = VLLM) -> str:
    """Share of requests answered with 5xx: 0 without traffic, absent without servers."""
    grouped = f" {by} " if by else ""
    servers = f"min{grouped}(up{{{selector}}})"
    whole = answered("", by, window, selector)
    part = f"({answered('5xx', by, window, selector)} or 0 * {whole})"
    return f"{share(part, whole)} or 0 * {servers}"
