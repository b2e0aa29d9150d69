"""Many forks of one program at once: what differs between them gets a leading axis, a lane for each fork.

The lane of a fork has the very bits that a machine alone would have; what can't be done so is refused.
"""

from bptui.engine.stacks.course import Condition, Course, Ending, Fork, Watch, nobody
from bptui.engine.stacks.forking import one_by_one, stacked
from bptui.engine.stacks.lockstep import FEW
from bptui.engine.stacks.rewriting import LanesError

__all__ = ["FEW", "Condition", "Course", "Ending", "Fork", "LanesError", "Watch", "nobody", "one_by_one", "stacked"]
