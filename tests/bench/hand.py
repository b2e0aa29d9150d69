"""Hand-written training loops: straight-line NumPy that allocates nothing, as fast as I could write it.

It is what the engine's free run is measured against, so it owes nothing to the engine: the statements are written
here, for dense layers with one activation, three losses and two optimizers. A layer's statements are repeated for each
layer by a loop over its number, which is all that the generator does; print `source(case)` to read the result.

What makes it fast, each measured on its own first:

* objects are local variables, products are bound methods (`x.dot`), constants are 0-d arrays, biases are broadcast
  views, gradients and parameters one flat vector each, so that an update is a few statements
* what appears twice is computed once: p − y, softmax, exp; 1 − a² for all hidden layers at once
* with a batch of 1 the bias's gradient *is* the layer's: the buffer of one is the place of the other; else it is
  ones.dot(g), which costs a third of g.sum(0)
* half the squared error is d.dot(d), scaled for all iterations after the loop
* a buffer with a single cell is never written in place: NumPy takes a path three times as slow for it
* relu's gradient is what comes from above times the mask: a copy where the mask says so costs fifteen times as much,
  since a processor can't foresee the mask; maximum(z, zeros) takes a third of maximum(z, 0)
* Adam's corrections are folded into its step size and epsilon (Kingma & Ba 2014, end of section 2), both averages are
  rows of one array, and a long vector is gone through in blocks that stay in the cache

Every number that has a name in training is there after each iteration: activations, gradients, parameters, losses.

`free=True` gives up that too: biases are rows of the weights and a column of ones is appended to what a layer reads,
gradients are those of −lr · loss, so that an update by SGD is one addition, and a single output is a Python float.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tests.bench.nets import BETA1, BETA2, EPS, Case

# Cells of a block of a long update: what a step goes through stays in the cache.
BLOCK = 32768


class Hand:
    """A loop and its buffers."""

    def __init__(self, case: Case, *, free: bool = False) -> None:
        self.case = case
        self.free = free
        self.names: dict[str, Any] = {}
        self.body: list[str] = []
        self.t = 0
        self._setup()
        (self._free if free else self._write)()
        self.source = self._source()
        scope: dict[str, Any] = dict(self.names)
        exec(self.source, scope)
        self._loop: Callable[..., None] = scope["loop"]
        self.reset()

    def reset(self) -> None:
        """Begin anew."""
        self.t = 0
        for (W, b), (W0, b0) in zip(self.views, self.case.weights, strict=True):
            W[...] = W0
            if b is not None:
                b[...] = b0
        if self.case.optim == "adam":
            self.names["S"][...] = 0

    def run(self, n: int) -> np.ndarray:
        """n iterations; their losses."""
        losses = np.empty(n)
        if self.case.optim == "adam":
            t = np.arange(self.t + 1, self.t + n + 1)
            root = np.sqrt(1 - BETA2**t)
            steps = self.case.lr * root / (1 - BETA1**t)
            self._loop(n, losses, steps.tolist(), (EPS * root).tolist())
        else:
            self._loop(n, losses)
        self.t += n
        losses *= self.scale
        return losses

    def parameters(self) -> list[np.ndarray]:
        return [array for pair in self.views for array in pair if array is not None]

    # The statements

    def let(self, **values: Any) -> None:
        self.names.update(values)

    def say(self, *lines: str) -> None:
        self.body += lines

    def _setup(self) -> None:
        case = self.case
        dtype = np.dtype(case.dtype)
        self.layers = len(case.weights)
        shapes = [(W.shape, b is not None) for W, b in case.weights]
        if self.free:
            size = sum((W[0] + has) * W[1] for W, has in shapes)
        else:
            size = sum(W[0] * W[1] + has * W[1] for W, has in shapes)
        P, G, T = (np.zeros(size, dtype) for _ in range(3))
        self.views, self.grads, self.whole = [], [], []
        at = 0
        for (m, n), has in shapes:
            views = []
            for flat in (P, G):
                W = flat[at : at + m * n].reshape(m, n)
                b = flat[at + m * n : at + m * n + n] if has else None
                views.append((W, b, flat[at : at + (m + has) * n].reshape(m + has, n)))
            at += (m + has) * n
            self.views.append(views[0][:2])
            self.grads.append(views[1][:2])
            self.whole.append((views[0][2], views[1][2]))
        constant = lambda value: np.array(value, dtype)  # noqa: E731
        self.let(
            P=P, G=G, T=T, zero=constant(0), one=constant(1), lr=constant(case.lr),
            over_n=constant(1 / case.batch), add=np.add, subtract=np.subtract, multiply=np.multiply,
            divide=np.divide, maximum=np.maximum, tanh=np.tanh, square=np.square, sqrt=np.sqrt, exp=np.exp, log=np.log,
            negative=np.negative, copyto=np.copyto, logaddexp=np.logaddexp, greater=np.greater,
            sum_of=np.add.reduce, max_of=np.maximum.reduce,
        )  # fmt: skip
        self.scale = {"half-mse": 0.5 / case.batch}.get(case.loss, 1 / case.batch)

    def _write(self) -> None:
        case, last = self.case, self.layers
        dtype, rows = np.dtype(case.dtype), case.batch
        hidden = case.sizes[1:-1]
        # Activations, what their derivative needs, and masks, of all hidden layers side by side.
        A, D = np.zeros(rows * sum(hidden), dtype), np.zeros(rows * sum(hidden), dtype)
        M = np.zeros(A.size, bool)
        places = np.cumsum([0, *(rows * n for n in hidden)])
        part = lambda flat, k: flat[places[k - 1] : places[k]].reshape(rows, hidden[k - 1])  # noqa: E731
        self.let(A=A, D=D, M=M, ones=np.ones(rows, dtype), sum_rows=np.ones(rows, dtype).dot)
        a = {0: case.x.copy(), **{k: part(A, k) for k in range(1, last)}}
        a[last] = np.zeros((rows, case.sizes[-1]), dtype)
        for k, (W, b) in enumerate(self.views, 1):
            gW, gb = self.grads[k - 1]
            own = rows == 1 and gb is not None
            g = gb.reshape(1, -1) if own else np.zeros_like(a[k])
            if k == last and case.loss == "softmax-ce":
                # Classes by rows: a reduction along ten cells at a time costs three times one along the other axis.
                a[k], g = (np.zeros(a[k].shape[::-1], dtype).T for _ in range(2))
            self.let(**{f"a{k}": a[k], f"W{k}": W, f"WT{k}": W.T, f"gW{k}": gW, f"g{k}": g, f"gb{k}": gb})
            self.let(**{f"from{k}": a[k - 1].dot, f"fromT{k}": a[k - 1].T.dot, f"g{k}_dot": g.dot})
            if b is not None:
                self.let(**{f"b{k}": np.broadcast_to(b, a[k].shape)})
            if k < last:
                self.let(**{f"e{k}": np.zeros_like(a[k]), f"d{k}": part(D, k), f"m{k}": part(M, k)})
        # Forward
        for k in range(1, last + 1):
            if k == last and case.loss == "softmax-ce":
                self._logits(a[k - 1], a[k].T)
                break
            self.say(f"from{k}(W{k}, a{k})")
            if self.views[k - 1][1] is not None:
                self._aside(f"a{k}", lambda out, k=k: f"add(a{k}, b{k}, {out})", a, k)
            if k < last and case.act == "tanh":
                self.say(f"tanh(a{k}, a{k})")
            elif k < last and case.act == "relu":
                self.let(**{f"zeros{k}": np.zeros_like(a[k])})
                self.say(f"maximum(a{k}, zeros{k}, out=a{k})")
        self._loss(a[last], f"g{last}")
        # Backward
        if case.act == "tanh":
            self.say("multiply(A, A, D)", "subtract(one, D, D)")
        elif case.act == "relu":
            self.say("greater(A, zero, M)")
        for k in range(last, 0, -1):
            self.say(f"fromT{k}(g{k}, gW{k})")
            if self.grads[k - 1][1] is not None and rows > 1:
                self.say(f"sum_rows(g{k}, gb{k})")
            if k == 1:
                break
            if case.act == "tanh":
                self.say(f"g{k}_dot(WT{k}, e{k - 1})", f"multiply(e{k - 1}, d{k - 1}, g{k - 1})")
            elif case.act == "relu":
                self.say(f"g{k}_dot(WT{k}, g{k - 1})", f"multiply(g{k - 1}, m{k - 1}, g{k - 1})")
            else:
                self.say(f"g{k}_dot(WT{k}, g{k - 1})")
        self._update()

    def _aside(self, name: str, line: Callable[[str], str], a: dict[int, np.ndarray], k: int) -> None:
        """A statement in place, or into another buffer if there is a single cell; the name is that of the result."""
        if a[k].size > 1:
            self.say(line(name))
            return
        self.let(**{f"{name}_": np.zeros_like(a[k])})
        self.say(line(f"{name}_"))
        self.output = f"{name}_"

    output = ""

    def _loss(self, p: np.ndarray, g: str) -> None:
        """The sum that the loss is, into `losses`, and the gradient of the mean, into `g`."""
        case, z = self.case, self.output or f"a{self.layers}"
        rows = case.batch
        y = case.y.copy()
        spare = [np.zeros_like(p) for _ in range(4)]
        self.let(y=y, s1=spare[0], s2=spare[1], s3=spare[2], s4=spare[3])
        flat = self.names[g].reshape(-1)
        self.let(g_flat=flat, g_sq=flat.dot, sum_all=np.ones(p.size, p.dtype).dot, s1_flat=spare[0].reshape(-1))
        if case.loss == "half-mse":
            self.say(f"subtract({z}, y, {g})", "losses[k] = g_sq(g_flat)")
            if rows > 1:
                self.say(f"multiply({g}, over_n, {g})")
        elif case.loss == "bce":
            z_flat = self.names[z].reshape(-1)
            self.let(z_flat=z_flat, y_dot=y.reshape(-1).dot)
            self.say(f"logaddexp(zero, {z}, s1)", "losses[k] = sum_all(s1_flat) - y_dot(z_flat)")
            self.say(f"negative({z}, s1)", "exp(s1, s2)", "add(one, s2, s3)", "divide(one, s3, s4)")
            self.say(f"subtract(s4, y, {g})", *([f"multiply({g}, over_n, {g})"] if rows > 1 else []))
        else:
            c, e = np.zeros((p.shape[1], rows), p.dtype), self.names[g].T
            top, total = np.zeros(rows, p.dtype), np.zeros(rows, p.dtype)
            self.let(c=c, e=e, top=top, total=total, top_b=np.broadcast_to(top, c.shape), logs=np.zeros_like(top))
            self.let(total_b=np.broadcast_to(total, c.shape), yT=np.ascontiguousarray(y.T), c_flat=c.reshape(-1))
            self.let(y_dot=np.ascontiguousarray(y.T).reshape(-1).dot)
            self.say("max_of(z, 0, None, top)", "subtract(z, top_b, c)", "exp(c, e)", "sum_of(e, 0, None, total)")
            self.say("log(total, logs)", "losses[k] = sum_rows(logs) - y_dot(c_flat)")
            self.say("divide(e, total_b, e)", "subtract(e, yT, e)", "multiply(e, over_n, e)")

    def _logits(self, a: np.ndarray, z: np.ndarray) -> None:
        """The last layer with its classes by rows."""
        k = self.layers
        self.let(
            z=z,
            to_logits=self.names[f"WT{k}"].dot,
            aT=a.T,
            b_column=np.broadcast_to(self.views[-1][1][:, None], z.shape),
        )
        self.say("to_logits(aT, z)", "add(z, b_column, z)")

    def _update(self) -> None:
        P, G, T = (self.names[name] for name in "PGT")
        blocks = range(0, P.size, BLOCK) if P.size > (BLOCK if self.case.optim == "adam" else 8 * BLOCK) else ()
        if self.case.optim == "sgd":
            if blocks:
                self.let(
                    blocks=[(P[i : i + BLOCK], G[i : i + BLOCK], T[:BLOCK][: P[i : i + BLOCK].size]) for i in blocks]
                )
                self.say("for p, g, t in blocks:", "    multiply(lr, g, t)", "    subtract(p, t, p)")
            else:
                self.say("multiply(lr, G, T)", "subtract(P, T, P)")
            return
        S = np.zeros((2, P.size), P.dtype)
        scalars = [np.array(value, P.dtype) for value in (0.0, 0.0, BETA1, 1 - BETA1, BETA2, 1 - BETA2)]
        self.let(S=S, **dict(zip(("step", "eps", "keep1", "take1", "keep2", "take2"), scalars, strict=True)))
        self.say("step[...] = steps[k]", "eps[...] = epsilons[k]")
        adam = [
            "multiply(m, keep1, m)",
            "multiply(g, take1, t)",
            "add(m, t, m)",
            "multiply(v, keep2, v)",
            "square(g, t)",
        ]
        adam += ["multiply(t, take2, t)", "add(v, t, v)"]
        end = ["sqrt(v, t)", "add(t, eps, t)", "divide(m, t, t)", "multiply(t, step, t)", "subtract(p, t, p)"]
        if blocks:
            cut = lambda flat, i: flat[i : i + BLOCK]  # noqa: E731
            self.let(blocks=[(cut(P, i), cut(G, i), cut(S[0], i), cut(S[1], i), T[: cut(P, i).size]) for i in blocks])
            self.say("for p, g, m, v, t in blocks:", *(f"    {line}" for line in [*adam, *end]))
            return
        # g and its square in one array, so that both averages are taken at once.
        Q, B, R = (
            np.zeros((2, P.size), P.dtype),
            np.array([[BETA1], [BETA2]], P.dtype),
            np.array([[1 - BETA1], [1 - BETA2]], P.dtype),
        )
        self.let(
            Q=Q,
            q1=Q[0],
            q2=Q[1],
            B=np.broadcast_to(B, S.shape).copy(),
            R=np.broadcast_to(R, S.shape).copy(),
            m=S[0],
            v=S[1],
        )
        self.say("multiply(S, B, S)", "copyto(q1, G)", "square(G, q2)", "multiply(Q, R, Q)", "add(S, Q, S)")
        self.say("sqrt(v, T)", "add(T, eps, T)", "divide(m, T, T)", "multiply(T, step, T)", "subtract(P, T, P)")

    def _free(self) -> None:
        """The form that gives up biases and gradients of their own; for SGD on half the squared error alone."""
        case, last = self.case, self.layers
        assert case.loss == "half-mse" and case.optim == "sgd"
        dtype, rows = np.dtype(case.dtype), case.batch
        # Columns are rows of the batch, so that a row of ones can be appended and what is above it is contiguous.
        has = [b is not None for _, b in case.weights]
        units = [n + (has[k] if k < last else False) for k, n in enumerate(case.sizes)]
        a = []
        hidden = np.cumsum([0, *(n * rows for n in units[1:-1])])
        A = np.ones(int(hidden[-1]), dtype)
        D = np.zeros_like(A)
        part = lambda flat, k: flat[hidden[k - 1] : hidden[k]].reshape(units[k], rows)  # noqa: E731
        for k, n in enumerate(case.sizes):
            full = part(A, k) if 0 < k < last else np.ones((units[k], rows), dtype)
            a.append((full, full[:n]))
        a[0][1][...] = case.x.T
        self.let(A=A, D=D, y=np.ascontiguousarray(case.y.T), rate=np.array(-case.lr / rows, dtype))
        for k in range(1, last + 1):
            W, gW = self.whole[k - 1]
            g = np.zeros_like(a[k][1])
            self.let(
                **{
                    f"in{k}": a[k - 1][0],
                    f"z{k}": a[k][1],
                    f"WT{k}_dot": W.T.dot,
                    f"gW{k}": gW,
                    f"gT{k}": g.T,
                    f"g{k}": g,
                }
            )
            self.let(**{f"in{k}_dot": a[k - 1][0].dot, f"W{k}_dot": self.views[k - 1][0].dot})
            if k < last:
                self.let(**{f"d{k}": part(D, k)[: case.sizes[k]], f"e{k}": np.zeros_like(g)})
            self.say(f"WT{k}_dot(in{k}, z{k})")
            if k < last and case.act == "tanh":
                self.say(f"tanh(z{k}, z{k})")
        single = rows == 1 and case.sizes[-1] == 1
        if single:
            self.let(
                z_item=a[last][1].item, target=case.y.item(), g_last=self.names[f"g{last}"].reshape(-1), r=-case.lr
            )
            self.say("u = z_item() - target", "losses[k] = u * u", "g_last[0] = r * u")
        else:
            self.let(u=np.zeros_like(a[last][1]), u_flat=None)
            self.let(u_flat=self.names["u"].reshape(-1), u_sq=self.names["u"].reshape(-1).dot)
            self.say(f"subtract(z{last}, y, u)", "losses[k] = u_sq(u_flat)", f"multiply(rate, u, g{last})")
        if case.act == "tanh":
            self.say("multiply(A, A, D)", "subtract(one, D, D)")
        for k in range(last, 0, -1):
            self.say(f"in{k}_dot(gT{k}, gW{k})")
            if k > 1 and case.act == "tanh":
                self.say(f"W{k}_dot(g{k}, e{k - 1})", f"multiply(e{k - 1}, d{k - 1}, g{k - 1})")
            elif k > 1:
                self.say(f"W{k}_dot(g{k}, g{k - 1})")
        self.say("add(P, G, P)")

    def _source(self) -> str:
        names = ", ".join(f"{name}={name}" for name in self.names)
        lists = "steps, epsilons, " if self.case.optim == "adam" else ""
        return f"def loop(n, losses, {lists}{names}):\n    for k in range(n):\n" + "".join(
            f"        {line}\n" for line in self.body
        )
