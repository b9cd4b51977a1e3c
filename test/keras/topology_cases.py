# SPDX-License-Identifier: Apache-2.0
"""Graphs: shared layers, nested models, several inputs and outputs, and what `trainable` does at each level."""

from case_builder import CCE, EAGER, MAE, MSE, adam, case, dense, functional, is_standalone, layer, sequential

HALF = [0.7, 0.3]


def cases(profile):
    yield case(58, "shared dense", shared_dense)
    yield case(58, "shared dense, regularized", shared_regularized)
    yield case(58, "shared batch norm", shared_norm, only=EAGER)
    yield case(58, "layer used thrice in a chain", chained)
    yield case(58, "tensor used twice", residual)
    yield from nested_cases()
    yield from output_cases(profile)
    yield from trainable_cases()


@functional((4,), (4,))
def shared_dense(keras, a, b):
    shared = keras.layers.Dense(3, activation="tanh")
    return keras.layers.Dense(2)(keras.layers.Concatenate()([shared(a), shared(b)]))


@functional((4,), (4,))
def shared_regularized(keras, a, b):
    shared = keras.layers.Dense(
        3, kernel_regularizer=keras.regularizers.l2(0.05), activity_regularizer=keras.regularizers.l2(0.02)
    )
    return keras.layers.Dense(2)(keras.layers.Add()([shared(a), shared(b)]))


@functional((4,), (4,))
def shared_norm(keras, a, b):
    norm = keras.layers.BatchNormalization(momentum=0.9)
    return keras.layers.Dense(2)(keras.layers.Concatenate()([norm(a), norm(b)]))


@functional((3,))
def chained(keras, x):
    shared = keras.layers.Dense(3, activation="tanh")
    return keras.layers.Dense(2)(shared(shared(shared(x))))


@functional((4,))
def residual(keras, x):
    y = keras.layers.Dense(4, activation="tanh")(x)
    z = keras.layers.Dense(4)(y)
    return keras.layers.Dense(2)(keras.layers.Multiply()([keras.layers.Add()([x, y, z]), z]))


# --- nested models ------------------------------------------------------------------------------------------------


def inner_model(keras, norm=True, size=4):
    given = keras.Input((size,))
    y = keras.layers.Dense(3)(given)
    if norm:
        y = keras.layers.BatchNormalization(momentum=0.9)(y)
    return keras.Model(given, keras.layers.Dense(size, activation="tanh")(y))


def inner_sequential(keras, norm=True):
    middle = [layer("BatchNormalization", momentum=0.9)] if norm else []
    return sequential((4,), dense(3), *middle, dense(4, "tanh"))(keras)


def nested(make, calls=1, frozen=None):
    @functional((4,))
    def build(keras, x):
        inner = make(keras)
        if frozen == "model":
            inner.trainable = False
        if frozen == "layer":
            inner.layers[-1].trainable = False
        y = keras.layers.Dense(4)(x)
        for _ in range(calls):
            y = inner(y)
        return keras.layers.Dense(2)(y)

    return build


def nested_cases():
    yield case(59, "nested sequential with batch norm", nested(inner_sequential))
    yield case(59, "nested functional with batch norm", nested(inner_model))
    yield case(59, "nested functional", nested(lambda keras: inner_model(keras, norm=False)))
    yield case(59, "nested functional called twice", nested(lambda keras: inner_model(keras, norm=False), calls=2))
    yield case(59, "nested sequential called twice", nested(lambda keras: inner_sequential(keras, norm=False), calls=2))
    yield case(59, "nested functional with batch norm called twice", nested(inner_model, calls=2), only=EAGER)
    yield case(59, "nested twice", nested(two_levels))
    yield case(59, "sequential of sequential", sequential_of_models)
    yield case(59, "nested with two inputs and outputs", nested_pairs, [MSE, MSE])
    yield case(59, "nested softmax is the output", nested_softmax, CCE, metrics=["accuracy"])


def two_levels(keras):
    given = keras.Input((4,))
    return keras.Model(given, inner_model(keras)(keras.layers.Activation("tanh")(given)))


def sequential_of_models(keras):
    model = keras.Sequential()
    if not is_standalone(keras):
        model.add(keras.Input((4,)) if hasattr(keras, "ops") else keras.layers.InputLayer((4,)))
    model.add(inner_sequential(keras))
    model.add(inner_model(keras, norm=False))
    model.add(keras.layers.Dense(2))
    return model


@functional((4,), (3,))
def nested_pairs(keras, a, b):
    left, right = keras.Input((4,)), keras.Input((3,))
    joined = keras.layers.Concatenate()([left, right])
    inner = keras.Model([left, right], [keras.layers.Dense(2)(joined), keras.layers.Dense(3, activation="tanh")(right)])
    first, second = inner([a, b])
    return [keras.layers.Dense(2)(second), keras.layers.Dense(1)(first)]


@functional((4,))
def nested_softmax(keras, x):
    given = keras.Input((4,))
    inner = keras.Model(given, keras.layers.Dense(3, activation="softmax")(given))
    return inner(keras.layers.Dense(4)(x))


# --- several outputs ----------------------------------------------------------------------------------------------


def output_cases(profile):
    metrics = (["accuracy"], ["mae"])
    yield case(60, "two outputs, adam", two_outputs, [CCE, MSE], adam(), metrics, loss_weights=HALF)
    yield case(60, "two outputs", two_outputs, [CCE, MSE], None, metrics, loss_weights=HALF)
    yield case(60, "two outputs without weights", two_outputs, [CCE, MSE], None, metrics)
    yield case(60, "same loss for both outputs", same_losses, [MSE, MAE], None, (["mse"], ["mse", "mae"]))
    yield case(60, "three inputs, three outputs", three, [MSE, MAE, CCE], loss_weights=[1.0, 0.5, 2.0])
    yield case(60, "an output that feeds another", feeding, [MSE, MSE], loss_weights=[0.2, 1.0])
    yield case(60, "a penalty beside two outputs", penalized, [MSE, MAE], loss_weights=[2.0, 0.5])
    yield case(60, "outputs out of order", out_of_order, [CCE, MSE], None, metrics)
    yield case(60, "input without effect on an output", partly_connected, [MSE, MSE])


def heads(keras, x, first="a", second="b"):
    y = keras.layers.Dense(4, activation="tanh")(x)
    return [keras.layers.Dense(3, activation="softmax", name=first)(y), keras.layers.Dense(2, name=second)(y)]


@functional((4,))
def two_outputs(keras, x):
    return heads(keras, x)


@functional((4,))
def out_of_order(keras, x):
    return heads(keras, x, "zz", "aa")


@functional((4,))
def same_losses(keras, x):
    y = keras.layers.Dense(4, activation="tanh")(x)
    return [keras.layers.Dense(2, name="left")(y), keras.layers.Dense(1, name="right")(y)]


@functional((4,), (2,), (3,))
def three(keras, a, b, c):
    y = keras.layers.Concatenate()([keras.layers.Dense(2)(a), b])
    z = keras.layers.Add()([keras.layers.Dense(3)(y), c])
    return [
        keras.layers.Dense(1, name="one")(y),
        keras.layers.Dense(2, name="two")(z),
        keras.layers.Dense(3, activation="softmax", name="three")(z),
    ]


@functional((4,))
def feeding(keras, x):
    first = keras.layers.Dense(3, name="first")(x)
    return [first, keras.layers.Dense(2, name="second")(keras.layers.Activation("tanh")(first))]


@functional((4,))
def penalized(keras, x):
    y = keras.layers.Dense(3, kernel_regularizer=keras.regularizers.l2(0.1), activation="tanh")(x)
    return [keras.layers.Dense(2, name="left")(y), keras.layers.Dense(2, name="right")(y)]


@functional((4,), (3,))
def partly_connected(keras, a, b):
    return [keras.layers.Dense(2, name="left")(a), keras.layers.Dense(2, name="right")(b)]


# --- trainable ----------------------------------------------------------------------------------------------------


def trainable_cases():
    yield case(0, "first layer frozen", sequential((4,), dense(3, "tanh", frozen=True), dense(2)))
    yield case(0, "frozen layer with a penalty", frozen_penalty)
    yield case(0, "nested model frozen", nested(lambda keras: inner_model(keras, norm=False), frozen="model"))
    yield case(0, "nested model with batch norm frozen", nested(inner_model, frozen="model"))
    yield case(0, "nested layer frozen", nested(lambda keras: inner_sequential(keras, norm=False), frozen="layer"))
    yield case(0, "nested layer frozen beside batch norm", nested(inner_model, frozen="layer"))
    yield case(
        0,
        "frozen embedding",
        sequential((3,), layer("Embedding", 5, 2, frozen=True), layer("Flatten"), dense(2)),
        inputs=[dict(formula="ids", modulo=5, dtype="int32")],
    )
    yield case(0, "frozen recurrent layer", sequential((3, 2), layer("LSTM", 2, frozen=True), dense(2)))


def frozen_penalty(keras):
    held = keras.layers.Dense(3, kernel_regularizer=keras.regularizers.l2(0.1))
    held.trainable = False
    given = keras.Input((4,))
    return keras.Model(given, keras.layers.Dense(2)(held(given)))
