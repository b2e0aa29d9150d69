"""The spec that `bptui new` writes."""

TEMPLATE = """\
# A network for bptui. Open it with: bptui FILE
# What stands behind # is a comment. Everything can be changed, and a mistake is told with its line.

title = "my network"                 # one line about it
seed = 1                             # the same seed draws the same weights and the same order of the data
# dtype = "float32"                  # how exact numbers are; float64 unless said otherwise

loss = "bce"                         # how wrong the network is: half-mse, mse, mae, huber, bce, softmax-ce, …
lr = 0.5                             # the learning rate: how far each update goes
# optim = { use = "adam", lr = 0.01 }  # or sgd with a momentum, rmsprop, adagrad, adamw, lion, …
# schedule = { use = "cosine", steps = 500 }  # the learning rate over time: step, exponential, warm-up, one-cycle
# clip = { norm = 1 }                # gradients are scaled so that their norm is at most that
# l2 = 0.001                         # a penalty on large weights
iterations = 500                     # where a run without a stop ends

# The data: built in (xor, and, or, moons, circles, spirals, blobs, linear, sine, iris, wine, digits), a file of your
# own ("points.csv", "arrays.npz"), or written out: one row an example, as many targets as inputs.
data = "xor"
# data = { x = [[0, 0], [0, 1], [1, 0], [1, 1]], y = [0, 1, 1, 0] }
# data = { use = "moons", rows = 200, noise = 0.1, batch = 50, test = 0.25 }  # 50 drawn each time, a quarter held out

# A name for each input, target and the loss, to be used wherever a number is asked for.
labels = { x = ["i1", "i2"], y = ["target"], loss = "E" }
# freeze = ["b*"]                    # parameters that are not to be trained, here every bias
# layout = "in-out"                  # write W as one row per input; one row per neuron unless said otherwise

# The network in short. Layers: dense, conv, max-pool, layer-norm, dropout, embedding, multi-head, lstm, …; activations:
# identity, sigmoid, tanh, relu, leaky-relu, elu, selu, gelu, silu, mish, softplus, softsign, softmax, …
# layers = ["dense 3 tanh", "dense 1 sigmoid"]

# The same at length, a [[layer]] each. All but dense may be left out.
[[layer]]
dense = 3                            # the number of neurons
name = "h"                           # what its output is called
act = "tanh"
# bias = false                       # no biases
W = [[0.8, -0.1], [-0.9, 0.4], [0.3, -0.9]]   # one row per neuron; drawn at random where left out
b = 0                                # a list, or one number for all
# freeze = ["b"]                     # what of this layer is not trained
labels = { W = [["w1", "w2"], ["w3", "w4"], ["w5", "w6"]], out = ["h1", "h2", "h3"] }

[[layer]]
dense = 1
act = "sigmoid"
W = [[-0.9, -0.6, 1.0]]
labels = { W = [["v1", "v2", "v3"]], out = ["prediction"] }

# A graph, instead of layers: a line a node, what it reads in brackets.
# [net]
# h = "dense 3 tanh (x)"
# g = "dense 3 tanh (h)"
# s = "add (h, g)"
# out = "dense 1 sigmoid (s)"

# Sentences for the reader: by stage (start, data, forward, loss, backward, update, end) or by what was just written.
[narration]
start = "Two inputs, three hidden neurons, one output that should become the xor of the inputs."
z1 = "Each hidden neuron weighs both inputs and adds its bias."
"""
