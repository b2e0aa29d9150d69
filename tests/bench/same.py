"""The hand-written loop with the engine's numerics: straight-line NumPy that gives the same bits, as fast as I can.

It is what the targets are measured against. Like `hand`, which may round otherwise, it owes nothing to the engine:
local variables, bound methods, 0-d constants, broadcast views, one flat vector for parameters and one for gradients.
What appears twice in the mathematics is computed once here: p − y, the softmax's exponentials; with a batch of 1 the
bias's gradient *is* the layer's.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench.nets import BETA1, BETA2, EPS, Case


class Same:
    """A loop and its buffers."""

    def __init__(self, case: Case) -> None:
        self.case, self.dtype = case, np.dtype(case.dtype)
        self.names: dict[str, Any] = {}
        self.body: list[str] = []
        self.t = 0
        self._vectors()
        self._forward()
        getattr(self, "_" + case.loss.replace("-", "_"))()
        self._backward()
        self._update()
        names = ", ".join(f"{name}={name}" for name in self.names)
        lines = "".join(f"        {line}\n" for line in self.body)
        self.source = f"def loop(n, losses, c1, c2, {names}):\n    for k in range(n):\n{lines}"
        scope = dict(self.names)
        exec(self.source, scope)
        self._loop: Callable[..., None] = scope["loop"]
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.t = 0
        self.names["P"][...] = 0
        for (W, b), (W0, b0) in zip(self.views, self.case.weights, strict=True):
            W[...] = W0
            if b is not None:
                b[...] = b0
        for name in "MV":
            if name in self.names:
                self.names[name][...] = 0

    def run(self, n: int) -> np.ndarray:
        """n iterations; their losses."""
        losses = np.empty(n)
        t = np.arange(self.t + 1, self.t + n + 1, dtype=self.dtype)
        beta1, beta2 = (np.array(beta, self.dtype) for beta in (BETA1, BETA2))
        self._loop(n, losses, 1 - np.power(beta1, t), 1 - np.power(beta2, t))
        self.t += n
        return losses

    def parameters(self) -> list[np.ndarray]:
        return [array for pair in self.views for array in pair if array is not None]

    def let(self, **values: Any) -> None:
        self.names.update(values)

    def say(self, *lines: str) -> None:
        self.body += lines

    def like(self, array: np.ndarray, *names: str) -> None:
        """Buffers of the shape of an array."""
        self.let(**{name: np.zeros_like(array) for name in names})

    def _vectors(self) -> None:
        sizes = [(W.shape, None if b is None else b.shape) for W, b in self.case.weights]
        total = sum(int(np.prod(W)) + (0 if b is None else int(np.prod(b))) for W, b in sizes)
        P, G, T = (np.zeros(total, self.dtype) for _ in range(3))
        self.views, self.grads, at = [], [], 0
        for W, b in sizes:
            pairs: list[list[Any]] = [[], []]
            for shape in (W, b):
                size = 0 if shape is None else int(np.prod(shape))
                for pair, flat in zip(pairs, (P, G), strict=True):
                    pair.append(None if shape is None else flat[at : at + size].reshape(shape))
                at += size
            self.views.append(pairs[0])
            self.grads.append(pairs[1])
        constant = lambda value: np.array(value, self.dtype)  # noqa: E731
        self.let(P=P, G=G, T=T, zero=constant(0), half=constant(0.5), one=constant(1), lr=constant(self.case.lr),
                 add=np.add, subtract=np.subtract, multiply=np.multiply, divide=np.divide, maximum=np.maximum,
                 tanh=np.tanh, square=np.square, sqrt=np.sqrt, exp=np.exp, log=np.log, log1p=np.log1p,
                 negative=np.negative, greater=np.greater, sum_of=np.add.reduce, max_of=np.maximum.reduce)  # fmt: skip

    def _forward(self) -> None:
        case, self.last = self.case, len(self.views)
        self.a = [case.x.copy()]
        for k, (W, b) in enumerate(self.views, 1):
            z = np.zeros((case.batch, W.shape[1]), self.dtype)
            self.let(**{f"W{k}": W, f"z{k}": z, f"from{k}": self.a[-1].dot})
            self.say(f"from{k}(W{k}, z{k})")
            name = f"z{k}"
            if b is not None:
                if z.size == 1:
                    name = f"y{k}"
                    self.like(z, name)
                self.let(**{f"b{k}": np.broadcast_to(b, z.shape)})
                self.say(f"add(z{k}, b{k}, {name})")
            self.out = name
            if k < self.last and case.act != "identity":
                self.like(z, f"a{k}", f"zeros{k}")
                self.say(f"tanh(z{k}, a{k})" if case.act == "tanh" else f"maximum(z{k}, zeros{k}, out=a{k})")
                name = f"a{k}"
            self.a.append(self.names[name])

    def _g(self, k: int) -> np.ndarray:
        """The gradient of what layer k gives before its activation: with a batch of 1 it lies in its bias's place."""
        gb = self.grads[k - 1][1]
        if self.case.batch == 1 and gb is not None:
            return gb.reshape(1, -1)
        return np.zeros_like(self.a[k])

    def _mean(self, total: str, n: int) -> None:
        """The loss from a sum: divided by n, and kept."""
        self.let(count=np.array(n, self.dtype), loss=np.zeros((), self.dtype), item=None)
        if n > 1:
            self.say(f"divide({total}, count, loss)")
        self.let(item=self.names["loss" if n > 1 else total].item)
        self.say("losses[k] = item()")

    def _half_mse(self) -> None:
        p, rows = self.a[-1], self.case.batch
        self.let(y=self.case.y.copy(), g=self._g(self.last))
        self.like(p, "d", "s")
        total = self.names["s"].reshape(()) if p.size == 1 else np.zeros((), self.dtype)
        self.let(total=total, halved=np.zeros((), self.dtype))
        self.say(f"subtract({self.out}, y, {'d' if rows > 1 else 'g'})", f"square({'d' if rows > 1 else 'g'}, s)")
        if p.size > 1:
            self.say("sum_of(s, None, None, total)")
        self.say("multiply(half, total, halved)")
        self._mean("halved", rows)
        if rows > 1:
            self.say("divide(d, count, g)")

    def _bce(self) -> None:
        """From logits: max(z, 0) − z·y + log(1 + exp(−|z|)), and σ(z) − y."""
        z, cells = self.a[-1], self.a[-1].size
        self.let(y=self.case.y.copy(), g=self._g(self.last), total=np.zeros((), self.dtype), nil=np.zeros_like(z))
        self.like(z, *(f"s{k}" for k in range(12)))
        self.say(f"maximum({self.out}, nil, out=s0)", f"multiply({self.out}, y, s1)", "subtract(s0, s1, s2)")
        self.say(f"negative({self.out}, s3)", f"maximum({self.out}, s3, out=s4)", "negative(s4, s5)", "exp(s5, s6)")
        self.say("log1p(s6, s7)", "add(s2, s7, s8)")
        if cells > 1:
            self.say("sum_of(s8, None, None, total)")
        else:
            self.let(total=self.names["s8"].reshape(()))
        self._mean("total", cells)
        self.say("exp(s3, s9)", "add(one, s9, s10)", "divide(one, s10, s11)")
        if cells > 1:
            self.say("subtract(s11, y, s0)", "divide(s0, count, g)")
        else:
            self.say("subtract(s11, y, g)")

    def _softmax_ce(self) -> None:
        z, rows = self.a[-1], self.case.batch
        column = np.zeros((rows, 1), self.dtype)
        self.let(y=self.case.y.copy(), g=self._g(self.last), total=np.zeros((), self.dtype), top=column)
        self.like(z, "d", "e", "s")
        self.like(column, "sum", "logs")
        self.let(top_b=np.broadcast_to(column, z.shape), logs_b=np.broadcast_to(self.names["logs"], z.shape),
                 sum_b=np.broadcast_to(self.names["sum"], z.shape), flipped=np.zeros((), self.dtype))  # fmt: skip
        self.say(f"max_of({self.out}, -1, None, top, True)", f"subtract({self.out}, top_b, d)", "exp(d, e)")
        self.say("sum_of(e, -1, None, sum, True)", "log(sum, logs)", "subtract(d, logs_b, s)", "multiply(y, s, s)")
        self.say("sum_of(s, None, None, total)", "negative(total, flipped)")
        self._mean("flipped", rows)
        self.say("divide(e, sum_b, e)", "subtract(e, y, e)", "divide(e, count, g)")

    def _backward(self) -> None:
        case, g = self.case, "g"
        for k in range(self.last, 0, -1):
            gW, gb = self.grads[k - 1]
            self.let(**{f"gW{k}": gW, f"to{k}": self.a[k - 1].T.dot})
            self.say(f"to{k}({g}, gW{k})")
            if gb is not None and case.batch > 1:
                self.let(**{f"gb{k}": gb})
                self.say(f"sum_of({g}, 0, None, gb{k})")
            if k == 1:
                return
            below = self._g(k - 1)
            self.let(**{f"g{k - 1}": below, f"back{k}": self.names[g].dot, f"WT{k}": self.views[k - 1][0].T})
            self.like(below, f"e{k}", f"d{k}")
            if case.act == "tanh":
                self.say(f"back{k}(WT{k}, e{k})", f"multiply(a{k - 1}, a{k - 1}, d{k})")
                self.say(f"subtract(one, d{k}, d{k})", f"multiply(e{k}, d{k}, g{k - 1})")
            elif case.act == "relu":
                self.let(**{f"m{k}": np.zeros(below.shape, bool)})
                self.say(f"back{k}(WT{k}, e{k})", f"greater(z{k - 1}, zero, m{k})")
                self.say(f"multiply(e{k}, m{k}, g{k - 1})")
            else:
                self.say(f"back{k}(WT{k}, g{k - 1})")
            g = f"g{k - 1}"

    def _update(self) -> None:
        if self.case.optim == "sgd":
            self.say("multiply(lr, G, T)", "subtract(P, T, P)")
            return
        constants = {
            "k1": BETA1,
            "t1": float(f"{1 - BETA1:.15g}"),
            "k2": BETA2,
            "t2": float(f"{1 - BETA2:.15g}"),
            "eps": EPS,
        }
        self.let(**{name: np.array(value, self.dtype) for name, value in constants.items()})
        self.like(self.names["P"], "M", "V", "U", "H")
        self.say("multiply(k1, M, M)", "multiply(t1, G, T)", "add(M, T, M)")
        self.say("multiply(k2, V, V)", "square(G, T)", "multiply(t2, T, T)", "add(V, T, V)")
        self.say("divide(M, c1[k], U)", "divide(V, c2[k], H)", "sqrt(H, H)", "add(H, eps, H)", "divide(U, H, U)")
        self.say("multiply(lr, U, U)", "subtract(P, U, P)")
