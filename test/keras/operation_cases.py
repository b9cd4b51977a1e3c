# SPDX-License-Identifier: Apache-2.0
"""Operation nodes: what arithmetic and functions on Keras tensors leave in the JSON. TF 1.14 cannot write them."""

from case_builder import EAGER, case, functional

VECTOR, SEQUENCE, IMAGE = (4,), (3, 4), (4, 5, 2)


IN_TF2 = (
    "x * 2.0",
    "1.0 - x",
    "slice of steps",
    "slice of one step",
    "reshape",
    "mean of steps",
    "nn.relu",
    "a + b",
    "matmul",
)


def cases(profile):
    """tf.keras 2.15 writes the nodes of 2.10 with other modules: a few of them are enough."""
    for name, shape, operate in unary(profile):
        if profile != "tf2" or name in IN_TF2:
            yield case(0, "operation " + name, between(shape, operate), only=EAGER)
    for name, shapes, operate in binary(profile):
        if profile != "tf2" or name in IN_TF2:
            yield case(0, "operation " + name, between_two(shapes, operate), only=EAGER)
    yield case(0, "operation chain", chain, only=EAGER)


def between(shape, operate):
    """A dense layer before and behind, so that gradients pass through the operation."""

    @functional(shape)
    def build(keras, x):
        y = operate(keras, functions(keras), keras.layers.Dense(shape[-1], activation="tanh")(x))
        return keras.layers.Dense(2)(y)

    return build


def between_two(shapes, operate):
    @functional(*shapes)
    def build(keras, a, b):
        a, b = (keras.layers.Dense(int(x.shape[-1]), activation="tanh")(x) for x in (a, b))
        return keras.layers.Dense(2)(operate(keras, functions(keras), a, b))

    return build


def functions(keras):
    """keras.ops in Keras 3, tensorflow before."""
    if hasattr(keras, "ops"):
        return keras.ops
    import tensorflow

    return tensorflow


def unary(profile):
    yield "x * 2.0", VECTOR, lambda k, f, x: x * 2.0
    yield "2.0 * x", VECTOR, lambda k, f, x: 2.0 * x
    yield "x + 0.5", VECTOR, lambda k, f, x: x + 0.5
    yield "1.0 - x", VECTOR, lambda k, f, x: 1.0 - x
    yield "x - 0.25", VECTOR, lambda k, f, x: x - 0.25
    yield "x / 4.0", VECTOR, lambda k, f, x: x / 4.0
    yield "1.0 / x", VECTOR, lambda k, f, x: 1.0 / (x + 2.0)
    yield "x ** 2", VECTOR, lambda k, f, x: x**2
    yield "negative", VECTOR, lambda k, f, x: -x
    yield "abs", VECTOR, lambda k, f, x: abs(x)
    yield "slice of steps", SEQUENCE, lambda k, f, x: x[:, 1:]
    yield "slice of one step", SEQUENCE, lambda k, f, x: x[:, -1]
    yield "slice with a stride", SEQUENCE, lambda k, f, x: x[:, ::2, :3]
    yield "slice with ellipsis", SEQUENCE, lambda k, f, x: x[..., 1:3]
    yield "slice with new axis", VECTOR, lambda k, f, x: x[:, None]
    yield "reshape", (12,), lambda k, f, x: f.reshape(x, (-1, 3, 4))
    yield "transpose", SEQUENCE, lambda k, f, x: f.transpose(x, (0, 2, 1))
    yield "expand dims", VECTOR, lambda k, f, x: f.expand_dims(x, 1)
    yield "squeeze", (1, 4), lambda k, f, x: f.squeeze(x, 1)
    yield "exp", VECTOR, lambda k, f, x: f.exp(x)
    yield "sqrt", VECTOR, lambda k, f, x: f.sqrt(x + 2.0)
    yield "square", VECTOR, lambda k, f, x: f.square(x)
    yield "tanh", VECTOR, lambda k, f, x: f.tanh(x)
    for name in (
        "relu",
        "sigmoid",
        "softmax",
        "relu6",
        "silu",
        "gelu",
        "leaky_relu",
        "elu",
        "selu",
        "softplus",
        "log_softmax",
    ):
        yield "nn." + name, VECTOR, (lambda one: lambda k, f, x: getattr(f.nn, one)(x))(name)
    means = "mean" if profile == "keras3" else "reduce_mean"
    largest, total = ("max", "sum") if profile == "keras3" else ("reduce_max", "reduce_sum")
    yield "mean of steps", SEQUENCE, lambda k, f, x: getattr(f, means)(x, axis=1)
    yield "mean of an image", IMAGE, lambda k, f, x: getattr(f, means)(x, axis=(1, 2))
    yield "mean keeping axes", SEQUENCE, lambda k, f, x: getattr(f, means)(x, axis=-1, keepdims=True)
    yield "sum of steps", SEQUENCE, lambda k, f, x: getattr(f, total)(x, axis=1)
    yield "max of steps", SEQUENCE, lambda k, f, x: getattr(f, largest)(x, axis=1)
    yield "pad", IMAGE, lambda k, f, x: f.pad(x, [[0, 0], [1, 0], [0, 2], [0, 0]])
    yield "log", VECTOR, lambda k, f, x: (f.log if profile == "keras3" else f.math.log)(x + 2.0)
    if profile == "keras3":
        yield "clip", VECTOR, lambda k, f, x: f.clip(x, -0.5, 0.5)
    else:
        yield "clip", VECTOR, lambda k, f, x: f.clip_by_value(x, -0.5, 0.5)


def binary(profile):
    two = (VECTOR, VECTOR)
    yield "a + b", two, lambda k, f, a, b: a + b
    yield "a - b", two, lambda k, f, a, b: a - b
    yield "a * b", two, lambda k, f, a, b: a * b
    yield "a / b", two, lambda k, f, a, b: a / (b + 2.0)
    yield "a + b broadcast", (SEQUENCE, (1, 4)), lambda k, f, a, b: a + b
    yield "maximum", two, lambda k, f, a, b: f.maximum(a, b)
    yield "minimum", two, lambda k, f, a, b: f.minimum(a, b)
    yield "matmul", (SEQUENCE, (4, 2)), lambda k, f, a, b: f.matmul(a, b)
    yield "a @ b", (SEQUENCE, (4, 2)), lambda k, f, a, b: a @ b
    yield "stack", two, lambda k, f, a, b: f.stack([a, b], axis=1)
    if profile == "keras3":
        yield "concatenate", two, lambda k, f, a, b: f.concatenate([a, b], axis=-1)
    else:
        yield "concatenate", two, lambda k, f, a, b: f.concat([a, b], axis=-1)
    yield "add", two, lambda k, f, a, b: f.add(a, b)


@functional((4, 3))
def chain(keras, x):
    f = functions(keras)
    y = keras.layers.Dense(3)(x)
    centered = y - (
        f.mean(y, axis=1, keepdims=True) if hasattr(keras, "ops") else f.reduce_mean(y, axis=1, keepdims=True)
    )
    gate = f.nn.sigmoid(keras.layers.Dense(3)(x) * 0.5)
    return keras.layers.Dense(2)((centered * gate + x)[:, 1:])
