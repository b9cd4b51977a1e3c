# SPDX-License-Identifier: Apache-2.0
"""The architectures of the whole-model fixtures. `row` is the row of the conformance table in README.md."""

CCE, SPARSE, BCE = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"
MSE, MAE = "mean_squared_error", "mean_absolute_error"
ACTIVATIONS = ["elu", "exponential", "gelu", "hard_sigmoid", "linear", "mish", "relu", "selu", "sigmoid", "softmax",
               "softplus", "softsign", "swish", "tanh"]
KERAS3_ROWS = {1, 8, 20, 22, 23, 25, 28, 32, 34, 45, 47, 57}
KERAS3_NAMES = {"activation " + name for name in ("gelu", "hard_sigmoid", "leaky_relu", "relu6", "silu", "log_softmax")}
NEWER_ACTIVATIONS = ["leaky_relu", "relu6", "silu", "log_softmax"]


def sequential(shape, *layers):
    """`layers` makes the layers from keras.layers; called when the case is built."""
    def build(keras):
        model = keras.Sequential([keras.layers.InputLayer(shape)] if not keras.__version__.startswith("3")
                                 else [keras.layers.Input(shape)])
        for layer in layers:
            model.add(layer(keras.layers))
        return model
    return build


def dense(units, activation="linear", **arguments):
    return lambda l: l.Dense(units, activation=activation, **arguments)


def conv(filters, size, **arguments):
    return lambda l: l.Conv2D(filters, size, **arguments)


def layer(name, *arguments, **keywords):
    return lambda l: getattr(l, name)(*arguments, **keywords)


def sgd(rate=0.1, **arguments):
    return dict(kind="SGD", learning_rate=rate, **arguments)


def case(row, name, build, optimizer=None, loss=CCE, **more):
    loss = loss if isinstance(loss, dict) else dict(kind=loss)
    if loss["kind"] in (MSE, MAE):
        more.setdefault("target", "floats")
    return dict(row=row, name=name, build=build, optimizer=optimizer or sgd(), loss=loss, **more)


def two_branches(join):
    def build(keras):
        l = keras.layers
        given = keras.Input((5,))
        left, right = l.Dense(4, activation="tanh")(given), l.Dense(4, activation="sigmoid")(given)
        return keras.Model(given, l.Dense(3, activation="softmax")(getattr(l, join)()([left, right])))
    return build


def dense_cases(profile):
    linear = sequential((4,), dense(3, "softmax"))
    mlp = sequential((4,), dense(6, "relu"), dense(5, "relu"), dense(3, "softmax"))
    accuracy = dict(metrics=["accuracy"])
    yield case(1, "softmax", linear, **accuracy)
    yield case(2, "softmax momentum", linear, sgd(0.1, momentum=0.9))
    yield case(3, "softmax nesterov", linear, sgd(0.1, momentum=0.9, nesterov=True))
    if profile == "tf2_legacy":
        yield case(4, "softmax decay", linear, sgd(0.1, decay=0.5))
    yield case(5, "mlp adam", mlp, dict(kind="Adam", learning_rate=0.001), metrics=["accuracy", "mse"])
    yield case(6, "mlp adam tiny inputs", mlp, dict(kind="Adam", learning_rate=0.001), input_scale=1e-4)
    yield case(8, "mlp rmsprop", mlp, dict(kind="RMSprop", learning_rate=0.001))
    yield case(10, "mlp adagrad", mlp, dict(kind="Adagrad", learning_rate=0.01))
    yield case(20, "sigmoid 1", sequential((4,), dense(1, "sigmoid")), loss=BCE, target="binary", **accuracy)
    yield case(21, "sigmoid 3 multi-label", sequential((4,), dense(3, "sigmoid")), loss=BCE, target="binary",
               metrics=["accuracy", "binary_accuracy"])
    yield case(22, "sparse", sequential((4,), dense(4, "softmax")), loss=SPARSE, target="class_id", **accuracy)
    yield case(23, "from logits smoothed", sequential((4,), dense(4)),
               loss=dict(kind=CCE, from_logits=True, label_smoothing=0.1), **accuracy)
    yield case(24, "saturated softmax", linear, weight_scale=100.0, **accuracy)
    yield case(25, "saturated sigmoid", sequential((4,), dense(2, "sigmoid")), loss=BCE, target="binary",
               weight_scale=100.0)
    yield case(26, "mse", sequential((4,), dense(2)), loss=MSE, metrics=["mae"])
    yield case(26, "mae", sequential((4,), dense(2)), loss=MAE, metrics=["mse"])
    yield case(66, "fit short last batch", linear, fit_epochs=2, **accuracy)
    yield case(0, "softmax as a layer", sequential((4,), dense(3), layer("Activation", "softmax")), **accuracy)


def regularized(keras):
    l, r = keras.layers, keras.regularizers
    first = l.Dense(3, kernel_regularizer=r.L1(0.01), bias_regularizer=r.L2(0.02), activation="tanh")
    second = l.Dense(2, kernel_regularizer=r.L1L2(0.003, 0.004))
    start = l.Input((4,)) if keras.__version__.startswith("3") else l.InputLayer((4,))
    return keras.Sequential([start, first, second])


def frozen_norm(keras):
    l = keras.layers
    norm = l.BatchNormalization(momentum=0.9)
    norm.trainable = False
    start = l.Input((4,)) if keras.__version__.startswith("3") else l.InputLayer((4,))
    return keras.Sequential([start, l.Dense(3), norm, l.Dense(2)])


def image_cases():
    image = (5, 6, 2)
    pooled = dict(loss=MSE)
    yield case(31, "conv valid", sequential(image, conv(3, 3, activation="relu")), **pooled)
    yield case(32, "conv same stride 2", sequential((6, 7, 2), conv(2, 3, strides=2, padding="same")), **pooled)
    yield case(34, "conv pool flatten dense",
               sequential(image, conv(3, 3, padding="same", activation="relu"), layer("MaxPooling2D", 2, padding="same"),
                          layer("Flatten"), dense(3, "softmax")),
               dict(kind="Adam", learning_rate=0.001), metrics=["accuracy"])
    yield case(0, "conv without bias, pool valid",
               sequential(image, conv(2, (2, 3), use_bias=False), layer("MaxPooling2D", 2), layer("Flatten"), dense(2)),
               **pooled)
    yield case(35, "average pool same", sequential(image, conv(2, 1), layer("AveragePooling2D", 3, strides=2,
                                                                            padding="same")), **pooled)
    yield case(0, "average pool valid", sequential(image, conv(2, 2), layer("AveragePooling2D", 2)), **pooled)
    yield case(43, "zero padding", sequential((3, 4, 2), layer("ZeroPadding2D", ((1, 0), (2, 1))), conv(2, 3)), **pooled)
    yield case(0, "global average", sequential((4, 3, 2), conv(3, 2), layer("GlobalAveragePooling2D")), **pooled)
    yield case(0, "global max", sequential((4, 3, 2), conv(3, 2), layer("GlobalMaxPooling2D")), **pooled)
    yield case(0, "reshape", sequential((8,), dense(12, "tanh"), layer("Reshape", (2, 3, 2)), conv(2, 2),
                                        layer("Flatten"), dense(2)), **pooled)


def norm_cases():
    norm = "BatchNormalization"
    yield case(44, "batch norm", sequential((4,), dense(3), layer(norm, momentum=0.9), dense(2)), loss=MSE)
    yield case(45, "batch norm after conv", sequential((4, 3, 2), conv(2, 2), layer(norm, momentum=0.9),
                                                       layer("Activation", "relu"), layer("Flatten"), dense(2)), loss=MSE)
    yield case(46, "batch norm without scale", sequential((4,), dense(3), layer(norm, scale=False), dense(2)), loss=MSE)
    yield case(46, "batch norm without center", sequential((4,), dense(3), layer(norm, center=False), dense(2)), loss=MSE)
    yield case(47, "frozen batch norm", frozen_norm, loss=MSE)


def cases(profile):
    """All of them for Keras 2; for Keras 3 those where its JSON or its numbers may differ."""
    for one in all_cases(profile):
        if profile != "keras3" or one["row"] in KERAS3_ROWS or one["name"] in KERAS3_NAMES:
            yield one


def all_cases(profile):
    yield from dense_cases(profile)
    yield case(28, "l1 and l2", regularized, loss=MSE)
    yield from image_cases()
    yield from norm_cases()
    yield case(57, "add", two_branches("Add"))
    yield case(57, "concatenate", two_branches("Concatenate"))
    for name in ACTIVATIONS + (NEWER_ACTIVATIONS if profile == "keras3" else []):
        yield case(0, f"activation {name}", sequential((3,), dense(3, name), dense(2)), loss=MSE)
