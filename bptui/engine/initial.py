"""Weights that a description leaves out, drawn from (seed, slot) so that each can be drawn again alone."""

from __future__ import annotations

import zlib

import numpy as np

from bptui.engine.network import Array

_RELUS = ("relu", "leaky-relu")


def generator(seed: int, slot: str) -> np.random.Generator:
    """A generator that depends on nothing but the seed and the slot's name."""
    return np.random.default_rng([seed, zlib.crc32(slot.encode())])


def weights(seed: int, slot: str, shape: tuple[int, int], act: str) -> Array:
    """Weights of shape (in, out): He normal before the relu family, else Glorot uniform.

    He et al. 2015, "Delving Deep into Rectifiers", eq. 10; Glorot & Bengio 2010, "Understanding the difficulty of
    training deep feedforward neural networks", eq. 16.
    """
    rng = generator(seed, slot)
    if act in _RELUS:
        return rng.normal(0.0, np.sqrt(2.0 / shape[0]), shape)
    limit = np.sqrt(6.0 / (shape[0] + shape[1]))
    return rng.uniform(-limit, limit, shape)


def rows(seed: int, iteration: int, total: int, batch: int) -> Array:
    """The row numbers of one batch: the data are shuffled by (seed, epoch), a last partial batch is dropped."""
    per_epoch = total // batch
    epoch, place = divmod(iteration, per_epoch)
    order = np.random.default_rng([seed, zlib.crc32(b"order"), epoch]).permutation(total)
    return order[place * batch : (place + 1) * batch]
