"""Lines of the command language, carried out."""

from __future__ import annotations

import re
from functools import cached_property

from bptui.commands import registry
from bptui.commands.answer import Answer, Context
from bptui.commands.rooms import BREAKABLE, deed
from bptui.commands.running import Begun
from bptui.files import history
from bptui.files.history import History

# After these stand names and files.
_NAMING = frozenset({"branch", "diff", "save", "load", "open", "delete", "copy", "help"})
_RATE = re.compile(r"(?<!\w)[∂d]([^\W\d]\w*)/[∂d]([^\W\d]\w*)")


class Session(Context):
    """A debugger that takes lines of the command language. Shared by the app and plain mode."""

    def execute(self, line: str) -> Answer:
        """Carry out one line. Raises ValueError with one line of text; then nothing was changed."""
        begun = self.begin(line)
        if isinstance(begun, Answer):
            return begun
        answer = begun.whole()
        self.acknowledge(line.strip())
        return answer

    def begin(self, line: str) -> Begun | Answer:
        """Carry out a line; of a word that runs, only begin it: whoever lets it run has to acknowledge it.

        Raises as `execute` does.
        """
        word, rest = registry.split(line)
        if not word or word.startswith("#"):
            return Answer()
        verb = registry.find(word).verb
        come = deed(verb)(self, rest if verb in _NAMING else self._rates(rest))
        if isinstance(come, Answer):
            self.acknowledge(line.strip())
        return come

    @cached_property
    def history(self) -> History:
        """The lines that were typed; they go to the next session too unless nothing of this one is kept."""
        return History(None if self.recorder is None else history.place())

    def breakable(self, line: str) -> bool:
        """Whether what a line asks for can be broken off: whether it looks at `stopped` on its way."""
        try:
            return registry.find(registry.split(line)[0]).verb in BREAKABLE
        except registry.CommandError:
            return False

    def _rates(self, text: str) -> str:
        """Gradients as they are shown, ∂E/∂w5 or dE/dw5, by the names that expressions have for them: w5.grad."""
        program = self.debugger.program
        losses, known = ("loss", program.name("loss")), {*program.slots, *program.targets}

        def named(found: re.Match[str]) -> str:
            return f"{found[2]}.grad" if found[1] in losses and found[2] in known else found[0]

        return _RATE.sub(named, text)

    def acknowledge(self, text: str) -> None:
        """Put what was just done into the session's file, as this command, before it is shown."""
        if self.recorder is not None:
            self.recorder.acknowledge(text)

    @property
    def unsaved(self) -> str:
        """Why the last command is not in the session's file, though it was carried out; or ""."""
        return "" if self.recorder is None else self.recorder.trouble

    def close(self, *, in_order: bool = True) -> None:
        """Leave the session's file, saved; `in_order` unless a command was broken off."""
        if self.recorder is not None:
            self.recorder.close(in_order=in_order)
