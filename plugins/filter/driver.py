"""Filters that plan the NVIDIA driver: see plugins/plugin_utils/driver_plan."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible.errors import AnsibleFilterError

from ..plugin_utils import driver_plan as planner


def driver_plan(facts: Mapping[str, Any], wishes: Mapping[str, Any]) -> dict[str, Any]:
    """What has to be done to the driver of the host whose `gpu_facts` these are.

    Raises:
        AnsibleFilterError: the wishes cannot be understood.
    """
    try:
        return planner.driver_plan(facts, wishes)
    except planner.WishError as error:
        raise AnsibleFilterError(f"driver_plan: {error}") from error


class FilterModule:
    """driver_plan, driver_plan_text."""

    def filters(self):
        return {"driver_plan": driver_plan, "driver_plan_text": planner.plan_text}
