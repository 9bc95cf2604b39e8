"""What has to be done to a host's NVIDIA driver: a pure function of what is there and of what is wished.

`driver_plan(facts, wishes)` decides; `plan_text(plan)` says it in a few lines. Both touch nothing.
"""

from .plan import driver_plan
from .text import plan_text
from .wishes import WishError

__all__ = ["WishError", "driver_plan", "plan_text"]
