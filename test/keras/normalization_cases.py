# SPDX-License-Identifier: Apache-2.0
"""BatchNormalization in every rank, axis and state, the other normalizations, and adapted preprocessing layers."""

from case_builder import EAGER, NEWEST, Part, adam, case, conv, dense, layer, sequential

NORM = "BatchNormalization"


def cases(profile):
    yield from batch_norm_cases()
    yield from layer_norm_cases()
    yield from group_norm_cases()
    yield from preprocessing_cases()


def batch_norm_cases():
    def norm(**keywords):
        return layer(NORM, momentum=0.9, **keywords)

    yield case(44, "batch norm of rank 2", sequential((4,), dense(3), norm(), dense(2)))
    yield case(44, "batch norm of rank 3", sequential((3, 4), dense(3), norm(), dense(2)))
    yield case(44, "batch norm first", sequential((4,), norm(), dense(2)))
    yield case(
        45,
        "batch norm of rank 4",
        sequential((4, 3, 2), conv(2, 2), norm(), layer("Activation", "relu"), layer("Flatten"), dense(2)),
    )
    yield case(45, "batch norm of rank 5", sequential((2, 3, 2, 2), dense(2), norm(), layer("Flatten"), dense(2)))
    yield case(
        45,
        "batch norm default momentum, epsilon 0.01",
        sequential((4, 3, 2), conv(2, 2), layer(NORM, epsilon=0.01), layer("Flatten"), dense(2)),
    )
    yield case(46, "batch norm without scale", sequential((4,), dense(3), norm(scale=False), dense(2)))
    yield case(46, "batch norm without center", sequential((4,), dense(3), norm(center=False), dense(2)))
    yield case(
        46,
        "batch norm without both",
        sequential((4, 3, 2), conv(2, 2), norm(scale=False, center=False), layer("Flatten"), dense(2)),
    )
    yield case(46, "batch norm axis 1 of rank 3", sequential((3, 4), dense(3), norm(axis=1), dense(2)))
    yield case(
        46, "batch norm axis 1 of rank 4", sequential((3, 4, 2), conv(2, 2), norm(axis=1), layer("Flatten"), dense(2))
    )
    yield case(
        46, "batch norm axis 2 of rank 4", sequential((3, 4, 2), conv(2, 2), norm(axis=2), layer("Flatten"), dense(2))
    )
    yield case(
        46, "batch norm axis 1 of rank 5", sequential((2, 3, 2, 2), dense(2), norm(axis=1), layer("Flatten"), dense(2))
    )
    yield case(47, "frozen batch norm", sequential((4,), dense(3), norm(frozen=True), dense(2)))
    yield case(
        47,
        "frozen batch norm of rank 4",
        sequential((4, 3, 2), conv(2, 2), norm(frozen=True), layer("Flatten"), dense(2)),
    )
    yield case(
        0,
        "batch norm with regularizers",
        sequential(
            (4,),
            dense(3),
            norm(beta_regularizer=Part("regularizers", "l1", 0.02), gamma_regularizer=Part("regularizers", "l2", 0.03)),
            dense(2),
        ),
    )
    yield case(
        0,
        "batch norm with constraints",
        sequential(
            (4,),
            dense(3),
            norm(
                beta_constraint=Part("constraints", "NonNeg"),
                gamma_constraint=Part("constraints", "MaxNorm", 0.3, axis=0),
            ),
            dense(2),
        ),
    )
    yield case(
        0,
        "batch norm under a mask",
        sequential((4, 3), layer("Masking"), dense(2), norm(), dense(2)),
        inputs=[dict(formula="padded_wave")],
    )
    yield case(
        0,
        "two batch norms, adam",
        sequential((4,), dense(3, "relu"), norm(), dense(3, "tanh"), norm(), dense(2)),
        optimizer=adam(0.01),
    )
    yield case(
        0,
        "batch norm renorm",
        sequential((4,), dense(3), norm(renorm=True), dense(2)),
        only=("tf2_legacy", "tf2"),
        train=False,
    )


def layer_norm_cases():
    def norm(**keywords):
        return layer("LayerNormalization", **keywords)

    yield case(48, "layer norm", sequential((4,), dense(3), norm(), dense(2)), optimizer=adam(), only=EAGER)
    yield case(48, "layer norm of rank 3", sequential((3, 4), dense(3), norm(epsilon=1e-2), dense(2)), only=EAGER)
    yield case(
        48,
        "layer norm axes 1 2",
        sequential((3, 4), dense(3), norm(axis=[1, 2]), dense(2)),
        optimizer=adam(),
        only=EAGER,
    )
    yield case(48, "layer norm axis 1", sequential((3, 4), dense(3), norm(axis=1), dense(2)), only=EAGER)
    yield case(
        48, "layer norm axes 1 3 of rank 4", sequential((2, 3, 2), dense(2), norm(axis=[1, 3]), dense(2)), only=EAGER
    )
    yield case(48, "layer norm without scale", sequential((4,), dense(3), norm(scale=False), dense(2)), only=EAGER)
    yield case(48, "layer norm without center", sequential((4,), dense(3), norm(center=False), dense(2)), only=EAGER)
    yield case(
        48, "layer norm without both", sequential((4,), dense(3), norm(center=False, scale=False), dense(2)), only=EAGER
    )
    yield case(
        48, "layer norm rms scaling", sequential((4,), dense(3), norm(rms_scaling=True), dense(2)), only=("keras3",)
    )
    yield case(48, "rms norm", sequential((4,), dense(3), layer("RMSNormalization"), dense(2)), only=("keras3",))


def group_norm_cases():
    def norm(*arguments, **keywords):
        return layer("GroupNormalization", *arguments, **keywords)

    image = (3, 2, 2)
    yield case(0, "group norm 2", sequential(image, dense(4), norm(2), layer("Flatten"), dense(2)), only=NEWEST)
    yield case(0, "group norm of one group", sequential(image, dense(4), norm(1, epsilon=1e-2), dense(2)), only=NEWEST)
    yield case(0, "group norm of each channel", sequential(image, dense(3), norm(-1), dense(2)), only=NEWEST)
    yield case(0, "group norm axis 1", sequential((4, 3), dense(2), norm(2, axis=1), dense(2)), only=NEWEST)
    yield case(0, "group norm of rank 2", sequential((4,), dense(4), norm(2), dense(2)), only=NEWEST)
    yield case(0, "group norm without scale", sequential((3, 2), dense(4), norm(2, scale=False), dense(2)), only=NEWEST)
    yield case(
        0, "group norm without center", sequential((3, 2), dense(4), norm(2, center=False), dense(2)), only=NEWEST
    )
    yield case(0, "unit normalization", sequential((4,), dense(3), layer("UnitNormalization"), dense(2)), only=EAGER)
    yield case(
        0,
        "unit normalization axes 1 2",
        sequential((3, 4), dense(2), layer("UnitNormalization", axis=[1, 2]), dense(2)),
        only=EAGER,
    )


def preprocessing_cases():
    given = layer("Normalization", mean=[0.1, -0.2, 0.3, 0.4], variance=[0.5, 1.5, 0.25, 1.0])
    yield case(63, "rescaling", sequential((4,), layer("Rescaling", 0.5, offset=-0.25), dense(2)), only=EAGER)
    yield case(
        63,
        "rescaling of each channel",
        sequential((2, 3), layer("Rescaling", [0.5, 2.0, 1.5], offset=[0.1, 0.0, -0.2]), dense(2)),
        only=EAGER,
    )
    yield case(
        63,
        "rescaling of pixels",
        sequential((4, 3, 3), layer("Rescaling", 1 / 127.5, offset=-1), conv(2, 2)),
        inputs=[dict(scale=255.0)],
        only=EAGER,
    )
    yield case(63, "normalization with statistics in the config", sequential((4,), given, dense(2)), only=EAGER)
    yield case(63, "normalization adapted", sequential((4,), layer("Normalization"), dense(2)), only=EAGER)
    yield case(63, "normalization axis 1", sequential((2, 3), layer("Normalization", axis=1), dense(2)), only=EAGER)
    yield case(63, "normalization of all", sequential((2, 3), layer("Normalization", axis=None), dense(2)), only=EAGER)
    yield case(
        63,
        "normalization inverted",
        sequential((4,), layer("Normalization", mean=0.5, variance=2.0, invert=True, axis=None), dense(2)),
        only=NEWEST,
    )
    yield case(
        63,
        "rescaling, normalization, dense",
        sequential((4,), layer("Rescaling", 2.0, offset=0.5), layer("Normalization"), dense(3, "tanh"), dense(2)),
        only=EAGER,
    )
