# SPDX-License-Identifier: Apache-2.0
"""Whole networks, one fixture file each: those of keras.applications only predict, the small ones also train."""

from case_builder import BCE, CCE, MSE, SPARSE, adam, case, conv, dense, functional, layer, sequential, sgd

APPLICATIONS = {  # name: (size, gain)
    "MobileNetV2": (32, 1.0),
    "EfficientNetB0": (32, 1.55),
    "DenseNet121": (32, 0.85),
    "InceptionV3": (75, 0.9),
    "Xception": (71, 0.7),
    "NASNetMobile": (32, 0.7),
    "ConvNeXtTiny": (32, 1.0),
}


def small():
    """name: case. Their weights follow the `deep` formula too."""
    text = dict(inputs=[dict(formula="padded_ids", modulo=20, dtype="int32")], weights="deep")
    deep = dict(weights="deep")
    return {
        "resnet20": case(0, "resnet20", resnet20, CCE, sgd(0.01), ["accuracy"], gain=0.6, **deep),
        "vgg": case(0, "vgg", vgg(), CCE, predict_only=True, gain=0.75, **deep),
        "lstm_text": case(
            0,
            "lstm text classifier",
            sequential(
                (8,),
                layer("Embedding", 20, 6, mask_zero=True),
                layer("Bidirectional", layer("LSTM", 5, return_sequences=True)),
                layer("LSTM", 4),
                dense(3, "softmax"),
            ),
            CCE,
            sgd(),
            ["accuracy"],
            **text,
        ),
        "conv_text": case(
            0,
            "conv1d text classifier",
            sequential(
                (10,),
                layer("Embedding", 20, 6),
                layer("Conv1D", 8, 3, activation="relu"),
                layer("MaxPooling1D", 2),
                layer("Conv1D", 6, 2, activation="relu"),
                layer("GlobalMaxPooling1D"),
                layer("Dropout", 0.0),
                dense(1, "sigmoid"),
            ),
            BCE,
            sgd(),
            ["accuracy"],
            **dict(text, inputs=[dict(formula="ids", modulo=20, dtype="int32")]),
        ),
        "transformer": case(
            0,
            "transformer encoder",
            transformer,
            SPARSE,
            sgd(),
            ["accuracy"],
            only=("tf2_legacy", "tf2", "keras3"),
            **dict(text, inputs=[dict(formula="ids", modulo=20, dtype="int32")]),
        ),
        "unet": case(0, "u-net", unet, BCE, sgd(0.05), target="binary", **deep),
        "autoencoder": case(0, "convolutional autoencoder", autoencoder, MSE, sgd(0.05), **deep),
        "wide_and_deep": case(0, "wide and deep", wide_and_deep, BCE, adam(0.01), ["accuracy"], **deep),
        "multi_output": case(
            0,
            "multi-output",
            multi_output,
            [CCE, MSE, BCE],
            sgd(0.05),
            (["accuracy"], ["mae"], []),
            loss_weights=[1.0, 0.5, 0.25],
            **deep,
        ),
    }


def application(name):
    size, gain = APPLICATIONS[name]

    def build(keras):
        return getattr(keras.applications, name)(weights=None, input_shape=(size, size, 3), classes=10)

    return case(0, name, build, CCE, predict_only=True, weights="deep", gain=gain)


def names():
    return list(APPLICATIONS) + list(small())


def cases(name):
    def listed(profile):
        yield application(name) if name in APPLICATIONS else small()[name]

    return listed


@functional((32, 32, 3))
def resnet20(keras, x):
    layers = keras.layers

    def unit(y, filters, strides=1, activate=True):
        y = layers.Conv2D(filters, 3, strides=strides, padding="same", kernel_regularizer=keras.regularizers.l2(1e-4))(
            y
        )
        y = layers.BatchNormalization()(y)
        return layers.Activation("relu")(y) if activate else y

    y = unit(x, 16)
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(3):
            strides = 2 if stage and not block else 1
            z = unit(unit(y, filters, strides), filters, activate=False)
            if strides == 2:
                y = layers.Conv2D(filters, 1, strides=2, padding="same")(y)
            y = layers.Activation("relu")(layers.Add()([y, z]))
    y = layers.Flatten()(layers.AveragePooling2D(8)(y))
    return layers.Dense(10, activation="softmax")(y)


def vgg():
    blocks = []
    for filters in (16, 32, 64):
        for _ in range(2):
            blocks += [conv(filters, 3, padding="same"), layer("Activation", "relu"), layer("BatchNormalization")]
        blocks += [layer("MaxPooling2D", 2), layer("Dropout", 0.25)]
    return sequential(
        (32, 32, 3), *blocks, layer("Flatten"), dense(64, "relu"), layer("Dropout", 0.5), dense(10, "softmax")
    )


@functional(dict(shape=(6,), dtype="int32"))
def transformer(keras, ids):
    layers = keras.layers
    x = layers.Embedding(20, 8)(ids)
    for _ in range(2):
        y = layers.MultiHeadAttention(2, 4)(x, x)
        x = layers.LayerNormalization(epsilon=1e-6)(x + y)
        y = layers.Dense(8)(layers.Dense(12, activation="relu")(x))
        x = layers.LayerNormalization(epsilon=1e-6)(layers.Add()([x, layers.Dropout(0.0)(y)]))
    return layers.Dense(3, activation="softmax")(layers.GlobalAveragePooling1D()(x))


@functional((8, 8, 2))
def unet(keras, x):
    layers = keras.layers

    def twice(y, filters):
        for _ in range(2):
            y = layers.Conv2D(filters, 3, padding="same", activation="relu")(y)
        return y

    one = twice(x, 4)
    two = twice(layers.MaxPooling2D(2)(one), 6)
    bottom = twice(layers.MaxPooling2D(2)(two), 8)
    y = layers.Conv2DTranspose(6, 2, strides=2)(bottom)
    y = twice(layers.Concatenate()([two, y]), 6)
    y = layers.Conv2D(4, 2, padding="same")(layers.UpSampling2D(2)(y))
    y = twice(layers.Concatenate(axis=3)([one, y]), 4)
    return layers.Conv2D(1, 1, activation="sigmoid")(y)


@functional((8, 8, 1))
def autoencoder(keras, x):
    layers = keras.layers
    given = keras.Input((8, 8, 1))
    y = layers.Conv2D(4, 3, strides=2, padding="same", activation="relu")(given)
    encoder = keras.Model(given, layers.Dense(5)(layers.Flatten()(y)), name="encoder")
    code = keras.Input((5,))
    y = layers.Reshape((4, 4, 2))(layers.Dense(32, activation="relu")(code))
    decoder = keras.Model(code, layers.Conv2DTranspose(1, 3, strides=2, padding="same")(y), name="decoder")
    return decoder(encoder(x))


@functional((6,), (4,))
def wide_and_deep(keras, wide, deep):
    layers = keras.layers
    y = layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.l2(0.001))(deep)
    y = layers.Dense(5, activation="relu")(y)
    return layers.Dense(1, activation="sigmoid")(layers.Concatenate()([wide, y]))


@functional((6, 6, 2))
def multi_output(keras, x):
    layers = keras.layers
    y = layers.Conv2D(4, 3, activation="relu")(x)
    y = layers.Dense(8, activation="relu")(layers.GlobalAveragePooling2D()(y))
    return [
        layers.Dense(4, activation="softmax", name="kind")(y),
        layers.Dense(2, name="place")(y),
        layers.Dense(3, activation="sigmoid", name="marks")(y),
    ]
