"""A tour of one minute round the article: what is done at each stop, by the words of the registry, and what is seen."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from bptui.commands.answer import Answer, Context, Verb, nothing
from bptui.commands.telling import Told
from bptui.files import specs

NAME = "article"
# Digits of the script's numbers, where a person has not said how many.
_DIGITS = 4


@dataclass(frozen=True)
class Stop:
    """A stop of the tour.

    words  what is seen, in two lines of a small screen at most
    verb   whose key is shown: what is done here, or ""
    times  how often
    lines  the same as the command language has it, where that is more than the verb
    pane   the pane that is looked at, where it is not the first
    """

    words: str
    verb: str = ""
    times: int = 1
    lines: tuple[str, ...] = ()
    pane: int = 1

    @property
    def commands(self) -> tuple[str, ...]:
        """What leads here from the stop before."""
        return self.lines or (self.verb,) * (self.times if self.verb else 0)


_NUDGES = 8

STOPS = (
    Stop("A network before its training: two inputs, two hidden values, one prediction, and six weights that were "
         "guessed. A dot is a number that is not computed yet."),
    Stop("One operation: each hidden value is a weighted sum, h1 = 2·0.11 + 3·0.21 = 0.85. What it reads and writes is "
         "lit in every pane.", "next"),
    Stop("The prediction: the hidden values weighted by w5 and w6, 0.191. It should be 1.", "next"),
    Stop("How wrong is that? E is half the squared distance to the target, 0.3272. Which weights are to blame? The way "
         "back begins.", "next"),
    Stop("The first gradient, −0.809: E falls when the prediction grows. All others are made from this one.", "next"),
    Stop("Back through the last layer: the blame of w5 is that gradient times the 0.85 which w5 carried, −0.68765.",
         "next"),
    Stop("And down to the first layer by the chain rule: ∂E/∂w1 = −0.809 · 0.14 · 2 = −0.2265.", "next", times=2),
    Stop("Where does a number come from? It is opened down to inputs and weights. What you see is what was computed.",
         "explain"),
    Stop("The update: a small step against the gradient, w1 ← 0.11 − 0.05·(−0.2265) = 0.1213.", "next"),
    Stop("Back in time: w1 is 0.11 again. Capital letters go back, and nothing is lost on the way.", "back"),
    Stop("A whole iteration on, to the same operation: the prediction is 0.2557 now, nearer to 1.", "iteration"),
    Stop("What if w5 were larger? Prediction, E and gradients follow at once. Any number can be changed, also by e.",
         "nudge", times=_NUDGES, lines=("nudge w5",) * _NUDGES),
    Stop("Taken back. All that you try can be.", "undo"),
    Stop("Trained to the end, or to where something stops it: E falls to nearly nothing, the prediction is 1.",
         "continue", pane=5),
    Stop("Back at the very start: your turn. n steps, x says why, + changes, : takes words, ? has every key.",
         "reverse-continue"),
)  # fmt: skip


def refusal(session: Context) -> str:
    """Why the tour can't go through the network that is open, or nothing."""
    debugger, origin = session.debugger, session.origin
    fresh = not (debugger.timeline.edits or debugger.breakpoints.enabled() or origin.settings)
    is_article = debugger.program.network.name == NAME and not origin.path
    if is_article and fresh:
        return ""
    return f"the tour goes through the article as it comes: load {NAME} opens it, then tour"


def tour(session: Context, rest: str) -> Answer:
    """The tour as a script to be followed: each stop's words, what is typed there, and what that answers."""
    from bptui.commands.session import Session

    nothing(rest)
    guide = Session(specs.load(NAME), session.digits or _DIGITS)
    guide.spoken = session.spoken
    lines: list[str] = []
    for number, stop in enumerate(STOPS, 1):
        lines.append(f"{number} of {len(STOPS)}. {stop.words}")
        for command, alike in groupby(stop.commands):
            answers = [guide.execute(command).lines for _ in alike]
            lines += [_typed(command, len(answers)), *answers[-1]]
    return Answer(tuple(lines))


def _typed(command: str, times: int) -> str:
    often = f", {times} times" if times > 1 else ""
    return Told(f"> {command}{often}", lambda: [f"Type {command}{often}"])


VERBS: dict[str, Verb] = {"tour": tour}
