"""Attention, built from products and a softmax, so that each multiplication can be stepped.

Vaswani et al. 2017, "Attention Is All You Need": softmax(q kᵀ / √d) v, section 3.2.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

from bptui.engine.initial import Weight
from bptui.engine.kinds.kind import Described, Emitter, Kind, MisfitError, Option, written
from bptui.engine.kinds.simple import lead
from bptui.engine.ops.row import Shape


def _check(shape: Shape) -> None:
    if len(shape) != 2:
        raise MisfitError(f"attention reads places × features, not {written(shape)}")


def _scaled_dot_product(to: Emitter, reads: list[str], writes: str, *, causal: bool) -> str:
    """q, k, v (…, places, features); the scores and their shares are slots of their own."""
    q, k, v = reads
    rank = len(to.shape(q))
    swapped = (*range(rank - 2), rank - 1, rank - 2)
    turned = to.op("transpose", [k], to.name("kT"), axes=swapped)
    raw = to.op("matmul", [q, turned], to.name("qk"), ranks=(rank, rank))
    scores = to.op("scale", [raw], to.name("s"), by=1 / math.sqrt(to.shape(q)[-1]))
    if causal:
        rows, columns = to.shape(scores)[-2:]
        scores = to.op("causal", [scores], to.name("m"), rows=rows, columns=columns)
    shares = to.op("softmax", [scores], to.name("p"), axis=-1)
    return to.op("matmul", [shares, v], writes, ranks=(rank, rank))


def _attention_shape(node: Described, shapes: list[Shape]) -> Shape:
    del node
    for shape in shapes:
        _check(shape)
    q, k, v = shapes
    if q[1] != k[1] or k[0] != v[0]:
        raise MisfitError(
            f"q is {written(q)}, k {written(k)}, v {written(v)}: q and k need as many features, k and v as many places"
        )
    return (q[0], v[1])


def _attention(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    return _scaled_dot_product(to, reads, writes, causal=node.options["causal"])


def _multi_head_shape(node: Described, shapes: list[Shape]) -> Shape:
    _check(shapes[0])
    if shapes[0][1] % node.options["heads"]:
        raise MisfitError(f"{shapes[0][1]} features can't be shared among {node.options['heads']} heads")
    return shapes[0]


def _multi_head_weights(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    features = shapes[0][-1]
    found = {letter: Weight((features, features), features, features) for letter in ("Wq", "Wk", "Wv", "Wo")}
    if node.bias:
        found |= {letter: Weight((features,), default="zeros") for letter in ("bq", "bk", "bv", "bo")}
    return found


def _multi_head(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    batch, places, features = to.shape(reads[0])
    heads = node.options["heads"]

    def project(slot: str, which: str, into: str) -> str:
        weights = [to.parameter(f"W{which}"), *([to.parameter(f"b{which}")] if node.bias else [])]
        return to.op("dense+b" if node.bias else "dense", [slot, *weights], into, lead=lead(to.shape(slot)))

    def by_head(which: str) -> str:
        flat = project(reads[0], which, to.name(which))
        parted = to.op("reshape", [flat], to.name(f"{which}r"), shape=(batch, places, heads, features // heads))
        return to.op("transpose", [parted], to.name(f"{which}h"), axes=(0, 2, 1, 3))

    mixed = _scaled_dot_product(to, [by_head(w) for w in "qkv"], to.name("c"), causal=node.options["causal"])
    back = to.op("transpose", [mixed], to.name("ch"), axes=(0, 2, 1, 3))
    joined = to.op("reshape", [back], to.name("cr"), shape=(batch, places, features))
    return project(joined, "o", writes)


_WEIGHTS = tuple(f"{letter}{which}" for letter in "Wb" for which in "qkvo")
_PARTED = tuple(f"{which}{part}" for which in "qkv" for part in ("", "r", "h"))
_INSIDE = ("kT", "qk", "s", "m", "p")

KINDS = [
    Kind(
        "attention",
        (),
        _attention_shape,
        _attention,
        inputs=(3, 3),
        options={"causal": Option(False, bool)},
        letters=_INSIDE,
        example="attention causal=true (q, k, v)",
    ),
    Kind(
        "multi-head",
        ("heads",),
        _multi_head_shape,
        _multi_head,
        options={"heads": Option(None, int, 1), "causal": Option(False, bool)},
        parameters=_multi_head_weights,
        letters=(*_WEIGHTS, *_PARTED, *_INSIDE, "c", "ch", "cr"),
        example="multi-head 2 causal=true (h)",
    ),
]
