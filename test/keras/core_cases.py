# SPDX-License-Identifier: Apache-2.0
"""Core, reshaping, activation, regularization-at-prediction and preprocessing layers."""

from case_builder import CCE, EAGER, KERAS2, NEWEST, Part, case, conv, dense, layer, sequential

FUNCTIONS = [
    "elu",
    "exponential",
    "hard_sigmoid",
    "linear",
    "relu",
    "selu",
    "sigmoid",
    "softmax",
    "softplus",
    "softsign",
    "tanh",
]
TF2_FUNCTIONS = ["gelu", "swish"]
TF2_NEWER_FUNCTIONS = ["mish"]
KERAS3_FUNCTIONS = [
    "celu",
    "hard_shrink",
    "hard_silu",
    "hard_swish",
    "hard_tanh",
    "leaky_relu",
    "log_sigmoid",
    "log_softmax",
    "relu6",
    "silu",
    "soft_shrink",
    "sparse_plus",
    "sparse_sigmoid",
    "sparsemax",
    "squareplus",
    "tanh_shrink",
]


def cases(profile):
    yield from dense_cases()
    yield from shape_cases()
    yield from predict_only_cases()


def dense_cases():
    yield case(0, "dense", sequential((4,), dense(3, "tanh"), dense(2)))
    yield case(0, "dense without bias", sequential((4,), dense(3, use_bias=False), dense(2)))
    yield case(0, "dense of rank 3", sequential((3, 4), dense(3, "relu"), dense(2)))
    yield case(0, "dense of rank 4", sequential((2, 3, 2), dense(3, "sigmoid"), dense(2)))
    yield case(0, "dense softmax of rank 3", sequential((3, 4), dense(3, "softmax")), CCE)
    yield case(0, "dense frozen", sequential((4,), dense(3, frozen=True), dense(2)))
    yield case(
        0,
        "dense float32 numbers in the config",
        sequential((4,), dense(2, kernel_initializer=Part("initializers", "RandomUniform", -0.25, 0.3, seed=7))),
    )
    for name in ("GlorotNormal", "HeUniform", "LecunNormal", "Orthogonal", "TruncatedNormal"):
        kind = Part("initializers", name) if name != "Orthogonal" else Part("initializers", name, 0.7)
        yield case(
            0, "initializer " + name, sequential((4,), dense(3, kernel_initializer=kind)), only=EAGER, train=False
        )
    yield case(
        0,
        "einsum dense",
        sequential((3, 4), layer("EinsumDense", "abc,cde->abde", output_shape=(3, 2, 3), bias_axes="de")),
        only=NEWEST,
    )
    yield case(
        0,
        "einsum dense of rank 2",
        sequential((4,), layer("EinsumDense", "ab,bc->ac", output_shape=3, bias_axes="c", activation="relu")),
        only=NEWEST,
    )


def shape_cases():
    two = dense(2)
    yield case(0, "activation layer", sequential((4,), dense(3), layer("Activation", "tanh"), dense(2)))
    yield case(0, "flatten", sequential((2, 3, 2), conv(2, 1), layer("Flatten"), two))
    yield case(0, "flatten channels first", sequential((2, 3, 2), layer("Flatten", data_format="channels_first"), two))
    yield case(0, "flatten of rank 2", sequential((4,), layer("Flatten"), two))
    yield case(0, "reshape with a free extent", sequential((12,), dense(12), layer("Reshape", (-1, 2)), two))
    yield case(0, "reshape to an image", sequential((8,), dense(12, "tanh"), layer("Reshape", (2, 3, 2)), conv(2, 2)))
    yield case(0, "permute 2 1", sequential((3, 4), dense(2), layer("Permute", (2, 1)), two))
    yield case(0, "permute 3 1 2", sequential((2, 3, 4), dense(2), layer("Permute", (3, 1, 2)), two))
    yield case(0, "repeat vector", sequential((4,), dense(3), layer("RepeatVector", 3), two))
    yield case(
        0,
        "masking, dense",
        sequential((4, 3), layer("Masking", 0.5), two),
        inputs=[dict(formula="padded_wave", pad=0.5)],
    )
    for name, l1, l2 in (("l1", 0.02, 0.0), ("l2", 0.0, 0.03), ("both", 0.02, 0.03)):
        yield case(
            29,
            "activity regularization " + name,
            sequential((4,), dense(3, "tanh"), layer("ActivityRegularization", l1, l2), two),
        )
    yield case(0, "identity", sequential((4,), dense(3), layer("Identity"), two), only=NEWEST)


def predict_only_cases():
    """Layers whose training draws random numbers: at prediction they hand their input on."""
    flat = [("Dropout", (0.3,)), ("GaussianNoise", (0.4,)), ("GaussianDropout", (0.3,)), ("AlphaDropout", (0.2,))]
    for kind, arguments in flat:
        yield case(
            67, kind + " at prediction", sequential((4,), dense(3), layer(kind, *arguments), dense(2)), train=False
        )
    yield case(
        67,
        "Dropout with noise shape at prediction",
        sequential((3, 4), dense(3), layer("Dropout", 0.5, noise_shape=(None, 1, 3)), dense(2)),
        train=False,
    )
    for rank, shape in ((1, (4, 2)), (2, (3, 3, 2)), (3, (2, 3, 2, 2))):
        yield case(
            67,
            "SpatialDropout{}D at prediction".format(rank),
            sequential(shape, dense(3), layer("SpatialDropout{}D".format(rank), 0.25), dense(2)),
            train=False,
        )
    yield case(67, "Dropout of rate 0", sequential((4,), dense(3), layer("Dropout", 0.0), dense(2)))
    image = (6, 5, 3)
    for kind, arguments in (
        ("RandomFlip", ("horizontal",)),
        ("RandomRotation", (0.2,)),
        ("RandomZoom", (0.2, 0.1)),
        ("RandomTranslation", (0.1, 0.2)),
        ("RandomContrast", (0.3,)),
        ("RandomBrightness", (0.2,)),
    ):
        yield case(
            67, kind + " at prediction", sequential(image, layer(kind, *arguments), conv(2, 2)), train=False, only=EAGER
        )
    yield case(
        67,
        "RandomCrop at prediction",
        sequential(image, layer("RandomCrop", 4, 3), conv(2, 2)),
        train=False,
        only=("tf2_legacy", "tf2"),
    )


def activation_cases(profile):
    names = FUNCTIONS + (TF2_FUNCTIONS if profile in EAGER else []) + (TF2_NEWER_FUNCTIONS if profile in NEWEST else [])
    names += KERAS3_FUNCTIONS if profile == "keras3" else []
    for name in names:
        yield case(0, "activation " + name, sequential((3,), dense(3, name), dense(2)))
    for name, spread in (("hard_sigmoid", 8.0), ("selu", 8.0), ("softplus", 40.0), ("gelu", 8.0), ("softmax", 40.0)):
        if name in names:
            yield case(
                0,
                "activation {} of wide inputs".format(name),
                sequential((3,), dense(3, name), dense(2)),
                inputs=[dict(scale=spread)],
            )
    yield from activation_layer_cases()


def activation_layer_cases():
    def around(one, name, row=61, **more):
        return case(row, name, sequential((4,), dense(3), one, dense(2)), **more)

    yield around(layer("LeakyReLU"), "LeakyReLU default")
    yield around(layer("LeakyReLU", 0.15), "LeakyReLU 0.15")
    yield around(layer("ELU", 0.7), "ELU 0.7")
    yield around(layer("ELU"), "ELU default")
    yield around(layer("ThresholdedReLU", 0.2), "ThresholdedReLU", only=KERAS2)
    yield around(layer("ReLU"), "ReLU default")
    yield around(layer("ReLU", 0.3), "ReLU with maximum")
    yield around(layer("ReLU", max_value=0.4, negative_slope=0.1, threshold=0.05), "ReLU with all options")
    yield around(layer("Softmax"), "Softmax layer")
    yield case(61, "Softmax axis 1", sequential((3, 4), dense(3), layer("Softmax", axis=1), dense(2)))
    yield case(
        61, "Softmax of two axes", sequential((3, 4), dense(3), layer("Softmax", axis=[1, 2]), dense(2)), only=EAGER
    )
    yield around(layer("PReLU"), "PReLU of rank 2")
    image = (3, 4, 2)
    yield case(61, "PReLU per element", sequential(image, conv(2, 2), layer("PReLU"), layer("Flatten"), dense(2)))
    yield case(
        61,
        "PReLU shared axes",
        sequential(image, conv(3, 2), layer("PReLU", shared_axes=[1, 2]), layer("Flatten"), dense(2)),
    )
    yield case(
        61,
        "PReLU shared axis 2 with regularizer",
        sequential(
            (3, 4),
            dense(3),
            layer("PReLU", shared_axes=[2], alpha_regularizer=Part("regularizers", "l2", 0.1)),
            dense(2),
        ),
    )
