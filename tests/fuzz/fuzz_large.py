"""Malformed specs that are large, or ask for what is: networks that no machine could hold, thousands of mistakes, depth."""

from __future__ import annotations

from collections.abc import Iterator

from fuzz_cases import Case
from fuzz_specs import BASE, TAIL, WITHOUT, case

from bptui.files.document import MAX_BYTES

# Networks and data that no machine could hold, each from a short text.
GIGANTIC = {
    "a wide layer": 'data = "xor"\nloss = "bce"\nlayers = ["dense 60000000", "dense 1 sigmoid"]\n',
    "two wide layers": 'data = "xor"\nloss = "bce"\nlayers = ["dense 20000", "dense 20000", "dense 1 sigmoid"]\n',
    "many wide layers": 'data = "xor"\nloss = "bce"\nlayers = [' + '"dense 5000", ' * 900 + '"dense 1 sigmoid"]\n',
    "wide and many rows": 'data = { use = "moons", rows = 100000 }\nloss = "bce"\nlayers = ["dense 10000000", "dense 1 sigmoid"]\n',
    "a wide table": 'data = { x = [[1], [2]], y = [0, 1] }\nloss = "mse"\nlayers = ["embedding 1000000000 1000000000", "flatten", "dense 1"]\n',
    "many channels": 'data = { use = "digits", shape = [1, 8, 8] }\nloss = "softmax-ce"\nlayers = ["conv 100000000 3", "flatten", "dense 10"]\n',
    "a large rim": 'data = { use = "digits", shape = [1, 8, 8] }\nloss = "softmax-ce"\nlayers = ["conv 1 3 pad=1000000", "global-avg-pool", "dense 10"]\n',
    "a larger rim": 'data = { use = "digits", shape = [1, 8, 8] }\nloss = "softmax-ce"\nlayers = ["pad 999999999 999999999 axis=2", "flatten", "sum axis=1", "dense 10"]\n',
    "tiles": 'data = "xor"\nloss = "bce"\nlayers = ["tile 999999999", "sum axis=1", "dense 1 sigmoid"]\n',
    "tiles of tiles": 'data = "xor"\nloss = "bce"\nlayers = [' + '"tile 1000", ' * 30 + '"sum axis=1", "dense 1 sigmoid"]\n',
    "more tiles than there are floats": 'data = "xor"\nloss = "bce"\nlayers = [' + '"tile 999999999", ' * 50 + '"dense 9", "dense 1 sigmoid"]\n',
    "as many as the limit of layers": 'data = "xor"\nloss = "bceh"\noptim = "adam"\nlayers = [' + '"dense 2 tanh",' * 999 + '"dense 1 sigmoid"]\n',
    "a thousand kinds that are none": 'data = "xor"\nloss = "bce"\nlayers = [' + '"densely 2 tanhh",' * 1000 + "]\n",
    "a thousand options that are none": 'data = "xor"\nloss = "bce"\nlayers = [' + '"dense 2 biass=true",' * 1000 + "]\n",
    "a thousand activations that are none": 'data = "xor"\nloss = "bce"\nlayers = [' + '"dense 2 tanhh",' * 1000 + "]\n",
    "a thousand tables of unknown keys": 'data = "xor"\nloss = "bce"\n' + "[[layer]]\ndense = 1\nbiass = 1\nlablels = 1\n" * 1000,
    "a thousand shares with nobody": 'data = "xor"\nloss = "bce"\n[net]\n' + "".join(f'node_number_{k} = "dense 1 shares=node_nummber_{k} (x)"\n' for k in range(1000)),
    "a thousand sentences for nothing": 'data = "xor"\nloss = "bce"\nlayers = [' + '"dense 1",' * 1000 + "]\n[narration]\n" + "".join(f"zz{k}.grad = 'x'\n" for k in range(1000)),
    "ten thousand patterns": 'data = "xor"\nloss = "bce"\nlayers = ["dense 1"]\nfreeze = [' + "".join(f"'{k}*W*W*b'," for k in range(10_000)) + "]\n",
    "a thousand patterns": 'data = "xor"\nloss = "bce"\nlayers = [' + '"dense 1",' * 300 + "]\nfreeze = [" + "".join(f"'{k}*W*W*b'," for k in range(1000)) + "]\n",
    "ten thousand labels": 'data = "xor"\nloss = "bce"\nlayers = ["dense 1"]\nlabels = { x = [' + "".join(f"'q{k}'," for k in range(10_000)) + "]}\n",
    "ten thousand labels that are none": 'data = "xor"\nloss = "bce"\n[[layer]]\ndense = 10000\nlabels = { out = [' + "'a b'," * 10_000 + "]}\n[[layer]]\ndense = 1\n",
    "a kernel over a large rim, and a wide layer": 'data = { use = "digits", shape = [1, 8, 8], batch = 64 }\nloss = "softmax-ce"\nlayers = ["conv 1 50 pad=300", "flatten", "dense 80", "dense 10"]\n',
    "doublings": 'data = "xor"\nloss = "bce"\n[net]\na0 = "dense 8 (x)"\n' + "".join(f'a{k + 1} = "concat (a{k}, a{k})"\n' for k in range(60)) + 'out = "dense 1 sigmoid (a60)"\n',
    "an outer product of outer products": 'data = { use = "digits", shape = [64, 1] }\nloss = "mse"\n[net]\na = "transpose axes=2,1 (x)"\nb = "matmul (x, a)"\nc = "tile 9999,9999 (b)"\nout = "matmul (c, c)"\n',
    "recurrent without end": 'data = { text = "tale", length = 1500, targets = "last", one_hot = true }\nloss = "softmax-ce"\nlayers = ["lstm 2000", "dense 25"]\n',
    "recurrent and wide": 'data = { text = "tale", length = 12, one_hot = true }\nloss = "softmax-ce"\nlayers = ["gru 100000", "dense 25"]\n',
    "attention over all": 'data = { text = "tale", length = 1900, stride = 1, targets = "next", one_hot = true }\nloss = "softmax-ce"\nlayers = ["multi-head 1", "dense 25"]\n',
    "rows without end": 'data = { use = "moons", rows = 1000000000 }\n' + TAIL,
    "arms without end": 'data = { use = "spirals", arms = 1000000000 }\n' + TAIL,
    "centres without end": 'data = { use = "blobs", centres = 1000000000 }\n' + TAIL,
    "a step below one": 'data = { text = "tale", length = 10000 }\nloss = "mse"\nlayers = ["dense 1"]\n',
    "a shape beyond": 'data = { use = "digits", shape = [999999999, 999999999] }\nloss = "mse"\nlayers = ["dense 1"]\n',
    "classes beyond": 'data = { x = [[1], [2]], y = [0, 999999] }\nloss = "softmax-ce"\nlayers = ["dense 50000000"]\n',
    "a thousand nodes that read all": 'data = "xor"\nloss = "bce"\n[net]\n' + "".join(f'a{k} = "concat ({", ".join(["x", *(f"a{i}" for i in range(max(0, k - 40), k))])})"\n' for k in range(300)) + 'out = "dense 1 sigmoid (a299)"\n',
    "too many nodes": 'data = "xor"\nloss = "bce"\n[net]\n' + "".join(f'a{k} = "dense 1 (x)"\n' for k in range(5000)),
    "too many layers": 'data = "xor"\nloss = "bce"\nlayers = [' + '"dense 1",' * 100_000 + "]\n",
    "too many tables": 'data = "xor"\nloss = "bce"\n' + "[[layer]]\ndense = 1\n" * 20_000,
    "a loop of a thousand": 'data = "xor"\nloss = "bce"\n[net]\n' + "".join(f'a{k} = "dense 1 (a{(k + 1) % 1000})"\n' for k in range(1000)),
    "a thousand misspelt inputs": 'data = "xor"\nloss = "bce"\n[net]\n' + "".join(f'node_number_{k} = "dense 1 (node_nummber_{k})"\n' for k in range(1000)),
    "a kernel of a thousand sides": 'data = { use = "digits", shape = [1, 8, 8] }\nloss = "mse"\nlayers = ["conv 1 ' + ",".join(["2"] * 1000) + '"]\n',
}  # fmt: skip


def gigantic() -> Iterator[Case]:
    for name, content in GIGANTIC.items():
        yield case(name, content)


def deep() -> Iterator[Case]:
    """Nested, or long, beyond what anybody writes."""
    for n in (50, 500, 5_000, 100_000):
        yield case(f"{n} brackets", f"seed = {'[' * n}{']' * n}\n{BASE}")
        yield case(f"{n} braces", f"seed = {'{ a = ' * n}1{' }' * n}\n{BASE}")
        yield case(f"a key of {n} parts", f"{BASE}{'.'.join(['a'] * n)} = 1\n")
        yield case(f"a header of {n} parts", f"{BASE}[{'.'.join(['a'] * n)}]\n")
        yield case(f"a key of {n} letters", f"{'k' * n} = 1\n{BASE}")
        yield case(f"{n // 4} unknown keys", BASE + "".join(f"k{i} = 1\n" for i in range(n // 4)))
        yield case(f"{n} JSON brackets", "[" * n + "]" * n, "net.json")
        yield case(f"{n} JSON braces", '{"a":' * n + "1" + "}" * n, "net.json")
        yield case(f"x {n} deep", f"data = {{ x = {'[' * n}1{']' * n}, y = [[1]] }}\n{TAIL}")
        yield case(f"W {n} deep", f"{WITHOUT['layers']}[[layer]]\ndense = 1\nW = {'[' * n}1{']' * n}\n")
    yield case("a comment of 20 MB and a mistake", "#" + "x" * 20_000_000 + "\nseed = [\n")
    yield case("a text of 4 MB for a number", 'seed = "' + "x" * 4_000_000 + '"\n' + BASE)
    yield case("more than the limit", b"#" * (MAX_BYTES + 1))


GENERATORS = {"gigantic": gigantic, "deep": deep}
