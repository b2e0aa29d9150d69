"""What a kind of layer is: the words that describe it, the shapes it takes and gives, and the instructions it emits."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from bptui.engine.initial import Weight
from bptui.engine.ops.row import Shape


class MisfitError(ValueError):
    """A layer that can't read what it is given; the message says what would be right."""


class Described(Protocol):
    """What of a node a kind needs to know."""

    @property
    def units(self) -> int:
        """Neurons, of a layer that has them."""
        ...

    @property
    def bias(self) -> bool:
        """Whether it has biases."""
        ...

    @property
    def options(self) -> Mapping[str, Any]:
        """All its kind can be told, defaults filled in."""
        ...


class Emitter(Protocol):
    """What a kind writes its instructions with. Slots are named by a word, which the node's suffix is put behind."""

    evaluation: bool

    def shape(self, slot: str) -> Shape:
        """The shape of a slot, the batch's axis first."""
        ...

    def name(self, word: str, step: int | None = None) -> str:
        """The name of a slot of the node at hand."""
        ...

    def parameter(self, letter: str) -> str:
        """The slot of one of the node's parameters."""
        ...

    def statistic(self, letter: str, shape: Shape, value: float) -> str:
        """A running statistic, and what it begins with."""
        ...

    def mask(self, shape: Shape, rate: float) -> str:
        """Dropout's mask."""
        ...

    def op(self, op: str, reads: Sequence[str], writes: str, **attrs: Any) -> str:
        """A forward instruction; the slot it writes."""
        ...

    def later(self, op: str, reads: Sequence[str], **attrs: Any) -> None:
        """An instruction of the update phase, in place of the first of what it reads."""
        ...


@dataclass(frozen=True)
class Option:
    """A number, word or flag that may be set; a default of None where it has to be.

    kind   int, float, bool, "share" (0 up to, but not, 1), "ints" (one number for all axes, or one for each), "pad"
           (such numbers, or "same"), "activation"
    least  the smallest number
    shape  of "ints": one number alone is a shape of one axis
    free   a default of None means something by itself
    """

    default: Any
    kind: type | str = int
    least: float = 0
    shape: bool = False
    free: bool = False

    @property
    def needed(self) -> bool:
        """Whether it has to be said."""
        return self.default is None and not self.free


@dataclass(frozen=True)
class Kind:
    """A row of the table of layers.

    sizes       the options that stand right behind the name, in order
    inputs      how many nodes it reads: at least, at most (0: any number)
    shape       (node, shapes of the inputs) → shape of its output, all without the batch; raises MisfitError
    parameters  (node, shapes of the inputs) → letter → its weights
    emit        writes the instructions; the last of them writes the slot it is given
    letters     every word that a slot of it may be called by, besides z and a
    """

    name: str
    sizes: tuple[str, ...]
    shape: Callable[[Described, list[Shape]], Shape]
    emit: Callable[[Emitter, Described, list[str], str], str]
    inputs: tuple[int, int] = (1, 1)
    options: Mapping[str, Option] = field(default_factory=dict)
    parameters: Callable[[Described, list[Shape]], Mapping[str, Weight]] | None = None
    letters: tuple[str, ...] = ()
    example: str = ""

    @property
    def trainable(self) -> tuple[str, ...]:
        """What its parameters may be called."""
        return tuple(letter for letter in self.letters if letter[0] in "WbUP")

    @property
    def kept(self) -> tuple[str, ...]:
        """What of it lasts: its parameters and running statistics."""
        return (*self.trainable, *(letter for letter in self.letters if letter in ("mean", "var")))

    def weights(self, node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
        """Letter → parameter; none where it has none."""
        return self.parameters(node, shapes) if self.parameters else {}


def same(node: Described, shapes: list[Shape]) -> Shape:
    """The shape of the first input."""
    del node
    return shapes[0]


def per_axis(node: Described, name: str, count: int) -> tuple[int, ...]:
    """An option as one number for each of so many axes."""
    value = node.options[name]
    values = value if isinstance(value, tuple) else (value,) * count
    if len(values) != count:
        raise MisfitError(f"{name} has {len(values)} numbers: {count} are needed, or one for all")
    return values


def written(shape: Shape) -> str:
    """A shape as messages show it: 1×8×8."""
    return "×".join(map(str, shape)) or "one number"
