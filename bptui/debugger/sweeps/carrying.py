"""How a sweep is carried out: all at once in this process where that can be done, else by workers."""

from __future__ import annotations

from bptui.debugger.sweeps import crowd
from bptui.debugger.sweeps.crowd import Crowd
from bptui.debugger.sweeps.sweep import Outcome, Plan, singly, together
from bptui.engine.stacks import FEW, LanesError, Watch, nobody


def carry_out(plan: Plan, workers: Crowd | None = None, watch: Watch = nobody) -> tuple[list[Outcome], str]:
    """(how each fork ended, how it was done in words); by `workers` where there are any.

    Every way gives the same bits. What `watch` raises breaks it off.
    """
    if workers is not None:
        return crowd.shared(plan, workers, watch), f"by {workers.words}"
    if len(plan.variants) < FEW:
        return singly(plan, watch), "one after the other"
    try:
        return together(plan, watch), "stacked in one process"
    except LanesError as error:
        why = str(error)
    if not crowd.portable(plan):
        return singly(plan, watch), f"one after the other, not stacked: {why}"
    found = crowd.processes()
    return crowd.shared(plan, found, watch), f"by {found.words}, not stacked: {why}"
