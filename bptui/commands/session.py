"""Lines of the command language, carried out: the words of every room in one table."""

from __future__ import annotations

from bptui.commands import branching, editing, filing, looking, moving, registry, stopping
from bptui.commands.answer import Answer, Context, Verb

VERBS: dict[str, Verb] = {
    **moving.VERBS,
    **editing.VERBS,
    **stopping.VERBS,
    **branching.VERBS,
    **looking.VERBS,
    **filing.VERBS,
}


class Session(Context):
    """A debugger that takes lines of the command language. Shared by the app and plain mode."""

    def execute(self, line: str) -> Answer:
        """Carry out one line. Raises ValueError with one line of text; then nothing was changed."""
        word, rest = [*line.split(None, 1), "", ""][:2]
        if not word or word.startswith("#"):
            return Answer()
        return VERBS[registry.find(word).verb](self, rest.strip())
