"""Filters of the role dcgm_exporter, from plugins/plugin_utils/dcgm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils.dcgm import counters, releases
from ..plugin_utils.preflight import dcgm_exporter as preflight


def dcgm_counters(
    extra: Sequence[Mapping[str, Any]], version: str, exclude: Sequence[str] = (), profiling: bool = True
) -> str:
    """The CSV of counters for a version of dcgm-exporter; see plugins/plugin_utils/dcgm/counters.py.

    Raises:
        AnsibleFilterError: the exporter would not start with it.
    """
    try:
        return counters.csv_text(counters.wanted_counters(extra, exclude, profiling), str(version))
    except (counters.CounterError, releases.ReleaseError) as error:
        raise AnsibleFilterError(f"dcgm_exporter_counters: {error}") from error


def dcgm_version(version: str, wanted: str = "") -> str:
    """The version of DCGM that goes with a version of dcgm-exporter.

    Raises:
        AnsibleFilterError: the two do not go together.
    """
    try:
        return releases.dcgm_version(str(version), str(wanted))
    except releases.ReleaseError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """dcgm_counters, dcgm_version, and dcgm_problems: see plugins/plugin_utils/preflight/dcgm_exporter.py."""

    def filters(self):
        return {
            "dcgm_counters": dcgm_counters,
            "dcgm_version": dcgm_version,
            "dcgm_problems": preflight.problems,
        }
