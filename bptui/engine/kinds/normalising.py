"""Layers that normalise, then scale and shift with weights of their own. The papers are named in `ops.normalising`."""

from __future__ import annotations

import math
from collections.abc import Mapping

from bptui.engine.initial import Weight
from bptui.engine.kinds.kind import Described, Emitter, Kind, MisfitError, Option, same, written
from bptui.engine.ops.row import Shape

_EPS = {"eps": Option(1e-5, float, 0)}


def _features(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    """One number for each feature, the last axis."""
    del node
    shape = shapes[0][-1:]
    return {"W": Weight(shape, default="ones"), "b": Weight(shape, default="zeros")}


def _channels(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    """One number for each channel, the first axis."""
    del node
    shape = shapes[0][:1]
    return {"W": Weight(shape, default="ones"), "b": Weight(shape, default="zeros")}


def _scaled_only(node: Described, shapes: list[Shape]) -> Mapping[str, Weight]:
    return {"W": _features(node, shapes)["W"]}


def _affine(to: Emitter, slot: str, writes: str, axis: int) -> str:
    """Scale and shift along one axis."""
    shape = to.shape(slot)
    seen = tuple(n if k == axis else 1 for k, n in enumerate(shape))
    axes = tuple(k for k in range(len(shape)) if k != axis)
    return to.op("affine", [slot, to.parameter("W"), to.parameter("b")], writes, shape=seen, axes=axes)


def _layer_norm(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    last = len(to.shape(reads[0])) - 1
    normal = to.op("standardize", reads, to.name("n"), axes=last, eps=node.options["eps"])
    return _affine(to, normal, writes, last)


def _rms_norm(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    shape = to.shape(reads[0])
    last = len(shape) - 1
    normal = to.op("rms", reads, to.name("n"), axes=last, eps=node.options["eps"])
    seen = (*(1,) * last, shape[-1])
    return to.op("scaled", [normal, to.parameter("W")], writes, shape=seen, axes=tuple(range(last)))


def _batch_norm(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    shape, eps = to.shape(reads[0]), node.options["eps"]
    axes = (0, *range(2, len(shape)))
    mean, var = to.statistic("mean", shape[1:2], 0.0), to.statistic("var", shape[1:2], 1.0)
    if to.evaluation:
        seen = (1, shape[1], *(1,) * (len(shape) - 2))
        shaped = [to.op("reshape", [slot], to.name(word), shape=seen) for slot, word in ((mean, "m"), (var, "v"))]
        return _affine(to, to.op("normalize", [reads[0], *shaped], to.name("n"), eps=eps), writes, 1)
    normal = to.op("standardize", reads, to.name("n"), axes=axes, eps=eps)
    rate, n = node.options["momentum"], math.prod(shape[k] for k in axes)
    to.later("running-mean", [mean, reads[0]], keep=1 - rate, rate=rate, axes=axes)
    to.later("running-var", [var, reads[0]], keep=1 - rate, rate=rate, axes=axes, n=max(1, n - 1))
    return _affine(to, normal, writes, 1)


def _grouped(to: Emitter, slot: str, groups: int, eps: float) -> str:
    """Normalised within each of so many groups of channels, for each row of the batch alone."""
    shape = to.shape(slot)
    together = to.op("reshape", [slot], to.name("r"), shape=(shape[0], groups, math.prod(shape[1:]) // groups))
    normal = to.op("standardize", [together], to.name("n"), axes=2, eps=eps)
    return to.op("reshape", [normal], to.name("s"), shape=shape)


def _group_norm(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    return _affine(to, _grouped(to, reads[0], node.options["groups"], node.options["eps"]), writes, 1)


def _group_shape(node: Described, shapes: list[Shape]) -> Shape:
    if shapes[0][0] % node.options["groups"]:
        raise MisfitError(f"{shapes[0][0]} channels can't be put into {node.options['groups']} equal groups")
    return shapes[0]


def _instance_norm(to: Emitter, node: Described, reads: list[str], writes: str) -> str:
    axes = tuple(range(2, len(to.shape(reads[0]))))
    normal = to.op("standardize", reads, to.name("n"), axes=axes, eps=node.options["eps"])
    return _affine(to, normal, writes, 1)


def _instance_shape(node: Described, shapes: list[Shape]) -> Shape:
    del node
    if len(shapes[0]) < 2:
        raise MisfitError(f"instance-norm reads channels × places, not {written(shapes[0])}")
    return shapes[0]


_NAMES = ("W", "b", "n")

KINDS = [
    Kind(
        "layer-norm",
        (),
        same,
        _layer_norm,
        options=_EPS,
        parameters=_features,
        letters=_NAMES,
        example="layer-norm (h)",
    ),
    Kind(
        "rms-norm", (), same, _rms_norm, options=_EPS, parameters=_scaled_only, letters=_NAMES, example="rms-norm (h)"
    ),
    Kind(
        "batch-norm",
        (),
        same,
        _batch_norm,
        options={**_EPS, "momentum": Option(0.1, float, 0)},
        parameters=_channels,
        letters=(*_NAMES, "mean", "var", "m", "v"),
        example="batch-norm relu (h)",
    ),
    Kind(
        "group-norm",
        ("groups",),
        _group_shape,
        _group_norm,
        options={**_EPS, "groups": Option(None, int, 1)},
        parameters=_channels,
        letters=(*_NAMES, "r", "s"),
        example="group-norm 2 (h)",
    ),
    Kind(
        "instance-norm",
        (),
        _instance_shape,
        _instance_norm,
        options=_EPS,
        parameters=_channels,
        letters=_NAMES,
        example="instance-norm (h)",
    ),
]
