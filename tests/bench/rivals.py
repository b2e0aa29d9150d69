"""What the engine is measured against besides the hand-written loop, each as people usually write it.

Every rival has `reset()`, `run(n)` → the losses of n iterations, and `parameters()` in the order W1, b1, W2, ….
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tests.bench.nets import BETA1, BETA2, EPS, Case


class Naive:
    """NumPy as it is written without thinking of speed: `@`, temporaries, a list of parameters."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.reset()

    def reset(self) -> None:
        self.t = 0
        self.W = [W.copy() for W, _ in self.case.weights]
        self.b = [None if b is None else b.copy() for _, b in self.case.weights]
        self.m = [np.zeros_like(p) for p in self.parameters()]
        self.v = [np.zeros_like(p) for p in self.parameters()]

    def parameters(self) -> list[np.ndarray]:
        return [p for pair in zip(self.W, self.b, strict=True) for p in pair if p is not None]

    def run(self, n: int) -> list[float]:
        return [self.step() for _ in range(n)]

    def step(self) -> float:
        case, x, y, n = self.case, self.case.x, self.case.y, len(self.case.x)
        last = len(self.W) - 1
        a = [x]
        for k, (W, b) in enumerate(zip(self.W, self.b, strict=True)):
            z = a[-1] @ W if b is None else a[-1] @ W + b
            if k < last:
                z = np.tanh(z) if case.act == "tanh" else np.maximum(z, 0) if case.act == "relu" else z
            a.append(z)
        if case.loss == "half-mse":
            loss = 0.5 * np.sum((z - y) ** 2) / n
            g = (z - y) / n
        elif case.loss == "bce":
            loss = np.sum(np.maximum(z, 0) - z * y + np.log1p(np.exp(-np.abs(z)))) / n
            g = (1 / (1 + np.exp(-z)) - y) / n
        else:
            e = np.exp(z - z.max(axis=1, keepdims=True))
            p = e / e.sum(axis=1, keepdims=True)
            loss = -np.sum(y * np.log(np.maximum(p, 1e-30))) / n
            g = (p - y) / n
        grads: list[np.ndarray] = []
        for k in range(last, -1, -1):
            grads[:0] = [a[k].T @ g] if self.b[k] is None else [a[k].T @ g, g.sum(axis=0)]
            if k:
                g = g @ self.W[k].T
                if case.act == "tanh":
                    g = g * (1 - a[k] ** 2)
                elif case.act == "relu":
                    g = g * (a[k] > 0)
        self.t += 1
        for i, (p, g) in enumerate(zip(self.parameters(), grads, strict=True)):
            if case.optim == "adam":
                self.m[i] = BETA1 * self.m[i] + (1 - BETA1) * g
                self.v[i] = BETA2 * self.v[i] + (1 - BETA2) * g**2
                p[...] -= case.lr * (self.m[i] / (1 - BETA1**self.t)) / (np.sqrt(self.v[i] / (1 - BETA2**self.t)) + EPS)
            else:
                p[...] -= case.lr * g
        return float(loss)


class Torch:
    """PyTorch eager: nn.Sequential, torch.optim with what it takes for itself, the loss read each iteration."""

    def __init__(self, case: Case) -> None:
        import torch

        torch.set_num_threads(1)
        self.torch, self.case = torch, case
        kind = getattr(torch, case.dtype)
        layers: list[Any] = []
        for k, (W, b) in enumerate(case.weights):
            layers.append(torch.nn.Linear(*W.shape, bias=b is not None, dtype=kind))
            if k < len(case.weights) - 1 and case.act != "identity":
                layers.append(torch.nn.Tanh() if case.act == "tanh" else torch.nn.ReLU())
        self.net = torch.nn.Sequential(*layers)
        self.x, self.y = torch.tensor(case.x), torch.tensor(case.y)
        functional = torch.nn.functional
        rows = len(case.x)
        if case.loss == "half-mse":
            mse = functional.mse_loss
            self.loss = lambda p, y: 0.5 / rows * mse(p, y, reduction="sum") if rows > 1 else 0.5 * mse(p, y)
        elif case.loss == "bce":
            self.loss = functional.binary_cross_entropy_with_logits
        else:
            self.y = self.y.argmax(1)
            self.loss = functional.cross_entropy
        self.reset()

    def reset(self) -> None:
        torch = self.torch
        linear = [layer for layer in self.net if isinstance(layer, torch.nn.Linear)]
        with torch.no_grad():
            for layer, (W, b) in zip(linear, self.case.weights, strict=True):
                layer.weight.copy_(torch.tensor(W.T.copy()))
                if b is not None:
                    layer.bias.copy_(torch.tensor(b))
        kind = torch.optim.SGD if self.case.optim == "sgd" else torch.optim.Adam
        self.optimizer = kind(self.net.parameters(), lr=self.case.lr)

    def run(self, n: int) -> list[float]:
        net, x, y, loss_of, optimizer, losses = self.net, self.x, self.y, self.loss, self.optimizer, []
        for _ in range(n):
            optimizer.zero_grad()
            loss = loss_of(net(x), y)
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        return losses

    def parameters(self) -> list[np.ndarray]:
        return [p.detach().numpy().T for p in self.net.parameters()]


class Jax:
    """JAX: one jitted training step, its buffers donated, called once for each iteration."""

    def __init__(self, case: Case) -> None:
        import jax
        import jax.numpy as jnp

        jax.config.update("jax_enable_x64", True)
        self.jax, self.jnp, self.case = jax, jnp, case
        x, y, rows, lr = jnp.asarray(case.x), jnp.asarray(case.y), len(case.x), case.lr
        act = {"tanh": jnp.tanh, "relu": lambda z: jnp.maximum(z, 0), "identity": lambda z: z}[case.act]

        def loss_of(params: Any, x: Any, y: Any) -> Any:
            a = x
            for k, (W, b) in enumerate(params):
                a = a @ W if b is None else a @ W + b
                if k < len(params) - 1:
                    a = act(a)
            if case.loss == "half-mse":
                return 0.5 * jnp.sum((a - y) ** 2) / rows
            if case.loss == "bce":
                return jnp.sum(jnp.logaddexp(0, a) - a * y) / rows
            return -jnp.sum(y * jax.nn.log_softmax(a)) / rows

        def sgd(state: Any, x: Any, y: Any) -> Any:
            loss, grads = jax.value_and_grad(loss_of)(state, x, y)
            return jax.tree.map(lambda p, g: p - lr * g, state, grads), loss

        def adam(state: Any, x: Any, y: Any) -> Any:
            params, m, v, t = state
            loss, grads = jax.value_and_grad(loss_of)(params, x, y)
            t = t + 1
            m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, grads)
            v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, grads)
            c1, c2 = 1 - BETA1**t, 1 - BETA2**t
            params = jax.tree.map(lambda p, m, v: p - lr * (m / c1) / (jnp.sqrt(v / c2) + EPS), params, m, v)
            return (params, m, v, t), loss

        self.x, self.y = x, y
        self.step = jax.jit(sgd if case.optim == "sgd" else adam, donate_argnums=0)
        self.reset()

    def reset(self) -> None:
        jnp = self.jnp
        params = [(jnp.array(W), None if b is None else jnp.array(b)) for W, b in self.case.weights]
        zeros = lambda: self.jax.tree.map(jnp.zeros_like, params)  # noqa: E731
        self.state = params if self.case.optim == "sgd" else (params, zeros(), zeros(), jnp.zeros((), self.case.dtype))

    def run(self, n: int) -> list[float]:
        step, x, y, state, losses = self.step, self.x, self.y, self.state, []
        for _ in range(n):
            state, loss = step(state, x, y)
            losses.append(loss)
        self.state = self.jax.block_until_ready(state)
        return [float(loss) for loss in losses[-1:]] if n > 50 else [float(loss) for loss in losses]

    def parameters(self) -> list[np.ndarray]:
        params = self.state if self.case.optim == "sgd" else self.state[0]
        return [np.asarray(p) for pair in params for p in pair if p is not None]


class Micrograd:
    """Karpathy's micrograd: a graph of Python numbers. Tanh is added as he does in his lecture; SGD, half-mse."""

    def __init__(self, case: Case) -> None:
        import math

        from micrograd.engine import Value
        from micrograd.nn import MLP

        assert (case.optim, case.loss) == ("sgd", "half-mse")
        self.case, self.Value = case, Value

        def tanh(value: Any) -> Any:
            t = math.tanh(value.data)
            out = Value(t, (value,), "tanh")

            def backward() -> None:
                value.grad += (1 - t * t) * out.grad

            out._backward = backward
            return out

        self.tanh = tanh if case.act == "tanh" else lambda value: value
        self.net = MLP(case.sizes[0], list(case.sizes[1:]))
        for layer in self.net.layers:
            for neuron in layer.neurons:
                neuron.nonlin = False
        self.reset()

    def reset(self) -> None:
        for layer, (W, b) in zip(self.net.layers, self.case.weights, strict=True):
            for k, neuron in enumerate(layer.neurons):
                for weight, value in zip(neuron.w, W[:, k].tolist(), strict=True):
                    weight.data = value
                neuron.b.data = 0.0 if b is None else float(b[k])

    def run(self, n: int) -> list[float]:
        case, losses = self.case, []
        rows, targets = case.x.tolist(), case.y.tolist()
        trained = [
            p
            for layer, (_, b) in zip(self.net.layers, case.weights, strict=True)
            for neuron in layer.neurons
            for p in (neuron.parameters() if b is not None else neuron.w)
        ]
        for _ in range(n):
            total = self.Value(0.0)
            for row, target in zip(rows, targets, strict=True):
                a: Any = row
                for layer in self.net.layers[:-1]:
                    a = [self.tanh(neuron(a)) for neuron in layer.neurons]
                total = total + (self.net.layers[-1].neurons[0](a) - target[0]) ** 2
            loss = total * (0.5 / len(rows))
            self.net.zero_grad()
            loss.backward()
            for p in trained:
                p.data -= case.lr * p.grad
            losses.append(loss.data)
        return losses

    def parameters(self) -> list[np.ndarray]:
        result = []
        for layer, (_, b) in zip(self.net.layers, self.case.weights, strict=True):
            result.append(np.array([[w.data for w in neuron.w] for neuron in layer.neurons]).T)
            if b is not None:
                result.append(np.array([neuron.b.data for neuron in layer.neurons]))
        return result
