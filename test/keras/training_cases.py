# SPDX-License-Identifier: Apache-2.0
"""Losses, penalties, constraints, weights of examples and classes, masks in the loss, and fits."""

from case_builder import (
    BCE,
    CCE,
    EAGER,
    MAE,
    MSE,
    NEWEST,
    SPARSE,
    Part,
    adam,
    case,
    conv,
    dense,
    layer,
    sequential,
    sgd,
)

SOFTMAX = sequential((4,), dense(3, "softmax"))
SIGMOID3 = sequential((4,), dense(3, "sigmoid"))
LINEAR2 = sequential((4,), dense(2))
WEIGHTS = [((5 * i) % 4) * 0.5 for i in range(21)]  # zeros among them
NO_ZEROS = [0.5 + (i % 3) * 0.75 for i in range(21)]


def cases(profile):
    yield from cross_entropy_cases()
    yield from loss_cases(profile)
    yield from penalty_cases()
    yield from constraint_cases()
    yield from weight_cases(profile)
    yield from mask_cases()
    yield from fit_cases(profile)


def cross_entropy_cases():
    accuracy = ["accuracy"]
    yield case(1, "softmax", SOFTMAX, CCE, metrics=accuracy)
    yield case(2, "softmax momentum", SOFTMAX, CCE, sgd(0.1, momentum=0.9))
    yield case(3, "softmax nesterov", SOFTMAX, CCE, sgd(0.1, momentum=0.9, nesterov=True))
    yield case(20, "sigmoid 1", sequential((4,), dense(1, "sigmoid")), BCE, metrics=accuracy)
    yield case(21, "sigmoid 3 multi-label", SIGMOID3, BCE, metrics=["accuracy", "binary_accuracy"])
    yield case(22, "sparse", sequential((4,), dense(4, "softmax")), SPARSE, metrics=accuracy)
    yield case(
        22,
        "sparse without a column",
        sequential((4,), dense(4, "softmax")),
        SPARSE,
        metrics=accuracy,
        id_column=False,
        only=EAGER,
    )
    yield case(
        23,
        "from logits smoothed",
        sequential((4,), dense(4)),
        dict(kind=CCE, from_logits=True, label_smoothing=0.1),
        metrics=accuracy,
        only=EAGER,
    )
    yield case(
        23,
        "sparse from logits",
        sequential((4,), dense(4)),
        dict(kind=SPARSE, from_logits=True),
        target="class_ids",
        metrics=accuracy,
        only=EAGER,
    )
    yield case(
        23,
        "binary from logits smoothed",
        sequential((4,), dense(2)),
        dict(kind=BCE, from_logits=True, label_smoothing=0.2),
        only=EAGER,
    )
    yield case(24, "saturated softmax", SOFTMAX, CCE, weight_scale=100.0, metrics=accuracy)
    yield case(24, "saturated sparse softmax", SOFTMAX, SPARSE, weight_scale=100.0)
    yield case(25, "saturated sigmoid", sequential((4,), dense(2, "sigmoid")), BCE, weight_scale=100.0)
    for name, tail in (
        ("an activation layer", [layer("Activation", "softmax")]),
        ("a softmax layer", [layer("Softmax")]),
        ("softmax, linear", [layer("Activation", "softmax"), layer("Activation", "linear")]),
        ("softmax, reshape", [layer("Activation", "softmax"), layer("Reshape", (3,))]),
        ("softmax, flatten", [layer("Activation", "softmax"), layer("Flatten")]),
        ("softmax, dropout 0", [layer("Activation", "softmax"), layer("Dropout", 0.0)]),
    ):
        yield case(24, "saturated output by " + name, sequential((4,), dense(3), *tail), CCE, weight_scale=100.0)
    yield case(
        25,
        "saturated sigmoid layer",
        sequential((4,), dense(2), layer("Activation", "sigmoid")),
        BCE,
        weight_scale=100.0,
    )
    yield case(0, "softmax over pixels", sequential((3, 3, 2), conv(3, 2, activation="softmax")), CCE, metrics=accuracy)
    yield case(
        0,
        "sparse over steps",
        sequential((3, 4), dense(4, "softmax")),
        SPARSE,
        id_column=False,
        metrics=accuracy,
        only=EAGER,
    )
    yield case(0, "accuracy with mse", sequential((4,), dense(3)), MSE, metrics=accuracy, target="one_hot")


def loss_cases(profile):
    kld = "kl_divergence" if profile in EAGER else "kullback_leibler_divergence"
    kinds = [
        (26, MSE, "floats"),
        (26, MAE, "floats"),
        (26, "mean_absolute_percentage_error", "signs"),
        (26, "mean_squared_logarithmic_error", "positive"),
        (27, "hinge", "signs"),
        (27, "squared_hinge", "signs"),
        (27, "categorical_hinge", "one_hot"),
        (27, "poisson", "positive"),
        (27, kld, "positive"),
        (26, "log_cosh" if profile == "keras3" else "logcosh", "floats"),
    ]
    if profile in EAGER:
        kinds += [
            (26, "huber", "floats"),
            (27, "cosine_similarity", "floats"),
            (27, "hinge", "binary"),
            (27, "squared_hinge", "binary"),
        ]
    kinds += [(27, "cosine_proximity", "floats")] if profile == "keras22" else []
    for row, kind, target in kinds:
        positive = kind in ("poisson", kld, "mean_squared_logarithmic_error")
        model = sequential((4,), dense(3, "sigmoid")) if positive else sequential((4,), dense(3))
        yield case(
            row,
            "loss {} of {}".format(kind, target),
            model,
            kind,
            sgd(0.01),
            target=target,
            metrics=[kind] if kind not in ("huber", "log_cosh", "categorical_hinge", kld) else [],
        )
    yield case(26, "loss huber delta 0.3", LINEAR2, dict(kind="huber", delta=0.3), only=EAGER)
    yield case(26, "loss sum", LINEAR2, dict(kind=MSE, reduction="sum"), sgd(0.01), only=EAGER)
    yield case(
        0, "loss binary focal", SIGMOID3, dict(kind="binary_focal_crossentropy", gamma=1.5), target="binary", only=EAGER
    )
    yield case(
        0,
        "loss binary focal balanced",
        SIGMOID3,
        dict(kind="binary_focal_crossentropy", apply_class_balancing=True, alpha=0.3),
        target="binary",
        only=NEWEST,
    )
    yield case(
        0,
        "loss categorical focal",
        SOFTMAX,
        dict(kind="categorical_focal_crossentropy", alpha=0.4),
        target="one_hot",
        only=NEWEST,
    )
    yield case(0, "loss dice", SIGMOID3, "dice", target="binary", only=("keras3",))
    yield case(0, "loss tversky", SIGMOID3, "tversky", target="binary", only=("keras3",))
    yield case(
        22,
        "loss sparse ignoring a class",
        sequential((4,), dense(4, "softmax")),
        dict(kind=SPARSE, ignore_class=2),
        target="class_ids",
        only=EAGER,
    )


def regular(kind, *arguments, **keywords):
    return Part("regularizers", kind, *arguments, **keywords)


def penalty_cases():
    yield case(
        28,
        "l1 and l2",
        sequential(
            (4,),
            dense(3, "tanh", kernel_regularizer=regular("l1", 0.01), bias_regularizer=regular("l2", 0.02)),
            dense(2, kernel_regularizer=regular("l1_l2", 0.003, 0.004)),
        ),
    )
    yield case(28, "penalties by name", sequential((4,), dense(3, kernel_regularizer="l2", bias_regularizer="l1")))
    yield case(
        28,
        "penalty beside cross-entropy",
        sequential((4,), dense(3, "softmax", kernel_regularizer=regular("l2", 0.1))),
        CCE,
        metrics=["accuracy"],
    )
    for mode in ("rows", "columns"):
        yield case(
            28,
            "orthogonal penalty of " + mode,
            sequential((4,), dense(3, kernel_regularizer=regular("OrthogonalRegularizer", 0.1, mode))),
            only=EAGER,
        )
    yield case(28, "conv penalty", sequential((3, 4, 2), conv(2, 2, kernel_regularizer=regular("l2", 0.1))))
    for name, part in (
        ("l1", regular("l1", 0.05)),
        ("l2", regular("l2", 0.05)),
        ("l1 and l2", regular("l1_l2", 0.02, 0.03)),
    ):
        yield case(29, "activity " + name, sequential((4,), dense(3, "tanh", activity_regularizer=part), dense(2)))
    yield case(29, "activity of rank 3", sequential((3, 4), dense(3, activity_regularizer=regular("l2", 0.05))))
    yield case(
        29,
        "activity of conv",
        sequential((3, 4, 2), conv(2, 2, activation="relu", activity_regularizer=regular("l1", 0.05))),
    )


def constraint_cases():
    def one(name, kind, *arguments, **keywords):
        return case(
            30,
            "constraint " + name,
            sequential((4,), dense(3, kernel_constraint=Part("constraints", kind, *arguments, **keywords))),
            MSE,
            sgd(1.0),
        )

    yield one("max norm", "MaxNorm", 0.4)
    yield one("max norm axis 1", "MaxNorm", 0.4, axis=1)
    yield one("non negative", "NonNeg")
    yield one("unit norm", "UnitNorm")
    yield one("unit norm of all", "UnitNorm", axis=[0, 1])
    yield one("min max norm", "MinMaxNorm", 0.5, 0.7)
    yield one("min max norm rate", "MinMaxNorm", 0.5, 0.7, rate=0.3)
    yield case(
        30,
        "constraints of a convolution",
        sequential(
            (3, 4, 2),
            conv(
                2,
                2,
                kernel_constraint=Part("constraints", "MaxNorm", 0.5, axis=[0, 1, 2]),
                bias_constraint=Part("constraints", "NonNeg"),
            ),
        ),
        MSE,
        sgd(0.5),
    )
    yield case(
        30,
        "constraint with adam",
        sequential(
            (4,),
            dense(
                3,
                bias_constraint=Part("constraints", "NonNeg"),
                kernel_constraint=Part("constraints", "UnitNorm", axis=1),
            ),
        ),
        MSE,
        adam(0.1),
    )


def weight_cases(profile):
    classes = {"0": 1.0, "1": 2.5, "2": 0.25}
    accuracy = dict(metrics=["accuracy"])
    yield case(64, "class weights", SOFTMAX, CCE, class_weights=classes, **accuracy)
    yield case(64, "class weights of ids", SOFTMAX, SPARSE, class_weights=classes, **accuracy)
    yield case(
        64,
        "class weights of a sigmoid",
        sequential((4,), dense(1, "sigmoid")),
        BCE,
        class_weights={"0": 0.5, "1": 3.0},
        **accuracy,
    )
    yield case(64, "sample weights with zeros", SOFTMAX, CCE, sample_weights=WEIGHTS, **accuracy)
    yield case(64, "sample weights", LINEAR2, MSE, sample_weights=NO_ZEROS, metrics=["mae"])
    yield case(64, "sample weights of rank 3", sequential((3, 4), dense(2)), MSE, sample_weights=NO_ZEROS, only=EAGER)
    yield case(
        64,
        "sample weights of steps",
        sequential((3, 4), dense(2)),
        MSE,
        sample_weight_shape=[21, 3],
        sample_weights=[(i * 5 % 4) * 0.5 for i in range(63)],
        only=EAGER,
    )
    yield case(64, "weighted metrics", SOFTMAX, CCE, sample_weights=WEIGHTS, weighted=True, only=EAGER, **accuracy)
    yield case(
        64,
        "weighted metrics, class weights",
        SOFTMAX,
        CCE,
        class_weights=classes,
        weighted=True,
        only=EAGER,
        **accuracy,
    )
    if profile in ("tf1", "tf2_legacy", "tf2"):
        yield case(64, "class and sample weights", SOFTMAX, CCE, class_weights=classes, sample_weights=NO_ZEROS)


def mask_cases():
    padded = dict(inputs=[dict(formula="padded_wave")])
    steps = sequential((4, 3), layer("Masking"), dense(2))
    yield case(56, "mask in mse", steps, MSE, metrics=["mae", "mse"], **padded)
    yield case(56, "mask in mae", steps, MAE, **padded)
    yield case(
        56,
        "mask in cross-entropy",
        sequential((4, 3), layer("Masking"), dense(3, "softmax")),
        CCE,
        metrics=["accuracy"],
        **padded,
    )
    yield case(
        56,
        "mask in sparse cross-entropy",
        sequential((4, 3), layer("Masking"), dense(3, "softmax")),
        SPARSE,
        metrics=["accuracy"],
        id_column=False,
        only=EAGER,
        **padded,
    )
    yield case(
        56,
        "mask of an embedding in the loss",
        sequential((4,), layer("Embedding", 5, 2, mask_zero=True), dense(2)),
        MSE,
        inputs=[dict(formula="padded_ids", modulo=5, dtype="int32")],
    )


def fit_cases(profile):
    twice = [dict(batch_size=8, epochs=2)]
    carried = [dict(batch_size=8, epochs=1), dict(batch_size=6, epochs=1)]
    mlp = sequential((4,), dense(5, "relu"), dense(3, "softmax"))
    yield case(66, "fit short last batch", SOFTMAX, CCE, fit=twice, metrics=["accuracy"])
    yield case(66, "fit with sample weights", SOFTMAX, CCE, sample_weights=NO_ZEROS, fit=twice)
    yield case(
        66,
        "fit with batch norm",
        sequential((4,), dense(3), layer("BatchNormalization", momentum=0.9), dense(2)),
        fit=twice,
    )
    yield case(66, "two fits, momentum", mlp, CCE, sgd(0.1, momentum=0.9), fit=carried)
    yield case(66, "two fits, adam", mlp, CCE, adam(0.01), fit=carried)
    yield case(66, "two fits, amsgrad", mlp, CCE, adam(0.01, amsgrad=True), fit=carried)
    yield case(
        66,
        "two fits, rmsprop",
        mlp,
        CCE,
        dict(kind="RMSprop", learning_rate=0.005, momentum=0.5),
        fit=carried,
        only=EAGER,
    )
    yield case(
        66,
        "two fits, schedule",
        mlp,
        CCE,
        sgd(dict(kind="ExponentialDecay", initial_learning_rate=0.2, decay_steps=2, decay_rate=0.5)),
        fit=carried,
        only=EAGER,
    )
    if profile in ("tf1", "tf2_legacy"):
        yield case(66, "two fits, decay", mlp, CCE, sgd(0.2, decay=0.3), fit=carried)
