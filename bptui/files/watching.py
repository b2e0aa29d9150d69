"""Whether the files of a spec have changed since they were read: asked again and again, at the cost of a look each."""

from __future__ import annotations

from bptui.files.document import stamp
from bptui.files.origins import Origin


class SpecWatch:
    """The spec's file and those that it names.

    origin  as they were read
    """

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self._known = self._seen = dict(origin.stamps)

    def changed(self) -> bool:
        """Whether they have changed since the last time that it was so, and were the same when last looked at.

        What is being written is left to rest: half of it would be told as full of mistakes.
        """
        now = {path: stamp(path) for path in self._known}
        rests, self._seen = now == self._seen, now
        if not rests or now == self._known:
            return False
        self._known = now
        return True
