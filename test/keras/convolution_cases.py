# SPDX-License-Identifier: Apache-2.0
"""Convolutions, pooling, and what changes the size of images and sequences."""

from case_builder import EAGER, NEWEST, CCE, adam, case, conv, dense, layer, sequential


def convolution_cases(profile):
    yield from conv1d_cases()
    yield from conv2d_cases()
    yield from conv3d_cases()
    yield from transpose_cases()
    yield from separable_cases()


def conv1d_cases():
    def one(name, shape=(7, 3), filters=2, size=3, row=37, **keywords):
        only = keywords.pop("only", None)
        more = dict(only=only) if only else {}
        return case(row, "conv1d " + name, sequential(shape, layer("Conv1D", filters, size, **keywords)), **more)

    yield one("valid")
    yield one("same", padding="same", activation="relu")
    yield one("causal dilated", padding="causal", dilation_rate=2)
    yield one("causal stride 2", padding="causal", strides=2)
    yield one("same stride 2 even", shape=(8, 3), padding="same", strides=2)
    yield one("same stride 3", padding="same", strides=3, size=2)
    yield one("dilated", dilation_rate=3, size=2)
    yield one("without bias", use_bias=False, size=1)
    yield one("groups", shape=(5, 4), groups=2, only=EAGER)


def conv2d_cases():
    image = (5, 6, 2)
    yield case(31, "conv2d valid", sequential(image, conv(3, 3, activation="relu")))
    yield case(32, "conv2d same stride 2", sequential((6, 7, 2), conv(2, 3, strides=2, padding="same")))
    yield case(0, "conv2d two strides", sequential((6, 7, 2), conv(2, (2, 3), strides=(1, 3), padding="same")))
    yield case(0, "conv2d valid stride 2", sequential((6, 7, 2), conv(2, 2, strides=2)))
    yield case(0, "conv2d even kernel same", sequential(image, conv(2, (4, 2), padding="same")))
    yield case(33, "conv2d dilation 2 same", sequential(image, conv(2, 3, dilation_rate=2, padding="same")))
    yield case(33, "conv2d dilation of each axis", sequential(image, conv(2, 2, dilation_rate=(1, 3))))
    yield case(33, "conv2d groups 2", sequential((4, 4, 4), conv(6, 2, groups=2)), only=EAGER)
    yield case(
        33,
        "conv2d groups of all channels",
        sequential((4, 4, 3), conv(6, 2, groups=3, padding="same", strides=2)),
        only=EAGER,
    )
    yield case(
        0,
        "conv2d without bias, pool valid",
        sequential(image, conv(2, (2, 3), use_bias=False), layer("MaxPooling2D", 2), layer("Flatten"), dense(2)),
    )
    yield case(0, "conv2d softmax of channels", sequential((3, 3, 2), conv(3, 1, activation="softmax")), CCE)
    yield case(
        34,
        "conv2d pool flatten dense",
        sequential(
            image,
            conv(3, 3, padding="same", activation="relu"),
            layer("MaxPooling2D", 2, padding="same"),
            layer("Flatten"),
            dense(3, "softmax"),
        ),
        CCE,
        adam(),
        ["accuracy"],
    )
    first = dict(data_format="channels_first")
    yield case(
        36, "conv2d channels first", sequential((2, 4, 5), conv(2, 3, padding="same", strides=2, **first)), xla=True
    )
    yield case(
        36,
        "conv2d channels first, flatten",
        sequential(
            (2, 4, 5), conv(3, 2, **first), layer("MaxPooling2D", 2, **first), layer("Flatten", **first), dense(2)
        ),
        only=("keras22", "keras3"),
        xla=True,
    )


def conv3d_cases():
    cube = (3, 4, 5, 2)
    yield case(38, "conv3d valid", sequential(cube, layer("Conv3D", 2, 2)))
    yield case(38, "conv3d same stride 2", sequential(cube, layer("Conv3D", 2, (2, 3, 3), strides=2, padding="same")))
    yield case(
        38,
        "conv3d dilated",
        sequential(cube, layer("Conv3D", 2, 2, dilation_rate=(1, 2, 3))),
        only=("keras22", "keras3"),
    )
    yield case(
        38,
        "conv3d and pools",
        sequential(
            cube,
            layer("Conv3D", 2, 2, padding="same", activation="relu"),
            layer("MaxPooling3D", (1, 2, 2)),
            layer("AveragePooling3D", 2, padding="same"),
            layer("Flatten"),
            dense(2),
        ),
    )


def transpose_cases():
    def two(name, filters=2, size=3, shape=(3, 4, 2), only=None, **keywords):
        more = dict(only=only) if only else {}
        return case(
            39,
            "conv2d transpose " + name,
            sequential(shape, layer("Conv2DTranspose", filters, size, **keywords)),
            **more,
        )

    yield two("valid stride 2", strides=2)
    yield two("same stride 2", strides=2, padding="same", activation="relu")
    yield two("kernel smaller than stride", size=2, strides=3)
    yield two("same kernel smaller than stride", size=2, strides=3, padding="same")
    yield two("even kernel", size=4, strides=2, padding="same")
    yield two("stride 1", size=(2, 3), padding="same")
    yield two("output padding", strides=2, output_padding=1)
    yield two("same output padding", strides=2, padding="same", output_padding=(1, 0))
    yield two("without bias, stride of each axis", strides=(1, 2), use_bias=False)
    yield two("dilated", size=2, dilation_rate=2, only=("keras22", "keras3"))
    for name, keywords in (
        ("valid stride 2", dict(strides=2)),
        ("same stride 2", dict(strides=2, padding="same")),
        ("same even kernel stride 3", dict(strides=3, padding="same")),
    ):
        yield case(
            39, "conv1d transpose " + name, sequential((4, 2), layer("Conv1DTranspose", 2, 4, **keywords)), only=EAGER
        )
    for name, keywords in (("valid stride 2", dict(strides=2)), ("same", dict(strides=(1, 2, 2), padding="same"))):
        yield case(39, "conv3d transpose " + name, sequential((2, 2, 2, 2), layer("Conv3DTranspose", 2, 2, **keywords)))


def separable_cases():
    image = (5, 4, 2)
    yield case(40, "separable conv2d", sequential(image, layer("SeparableConv2D", 3, 3, depth_multiplier=2)))
    yield case(
        40,
        "separable conv2d same stride 2",
        sequential(image, layer("SeparableConv2D", 3, 3, strides=2, padding="same", activation="relu", use_bias=False)),
    )
    yield case(
        40,
        "separable conv2d dilated",
        sequential(image, layer("SeparableConv2D", 2, 2, dilation_rate=2, padding="same")),
    )
    yield case(
        40, "separable conv1d", sequential((6, 2), layer("SeparableConv1D", 3, 3, depth_multiplier=2, padding="same"))
    )
    yield case(
        40, "separable conv1d causal", sequential((6, 2), layer("SeparableConv1D", 3, 2, padding="causal")), only=EAGER
    )
    yield case(
        41,
        "depthwise conv2d",
        sequential(image, layer("DepthwiseConv2D", 3, depth_multiplier=2, strides=2, padding="same")),
    )
    yield case(41, "depthwise conv2d valid", sequential(image, layer("DepthwiseConv2D", (2, 3), use_bias=False)))
    yield case(
        41,
        "depthwise conv2d dilated",
        sequential(image, layer("DepthwiseConv2D", 2, dilation_rate=2, activation="tanh")),
        only=EAGER,
    )
    for name, keywords in (("same stride 2", dict(strides=2, padding="same", depth_multiplier=2)), ("valid", {})):
        yield case(
            41, "depthwise conv1d " + name, sequential((6, 2), layer("DepthwiseConv1D", 3, **keywords)), only=EAGER
        )


def pooling_cases(profile):
    sizes = {1: (7, 3), 2: (5, 6, 2), 3: (3, 4, 3, 2)}
    for rank, shape in sizes.items():
        first = layer("Conv{}D".format(rank), 2, 2, padding="same")
        for kind in ("Max", "Average"):
            name = "{}Pooling{}D".format(kind, rank)
            yield case(0, name + " default", sequential(shape, first, layer(name, 2)))
            # In the third batch two cells of a window are that close.
            near_ties = "TensorFlow gives the gradient of a 3D maximum to every cell within 1e-5 of it"
            yield case(
                35,
                name + " same 3 stride 2",
                sequential(shape, first, layer(name, 3, strides=2, padding="same")),
                weights_depart=near_ties if name == "MaxPooling3D" else None,
            )
            yield case(0, name + " stride 1", sequential(shape, first, layer(name, 2, strides=1)))
            yield case(
                0,
                "Global{}Pooling{}D".format(kind, rank),
                sequential(shape, first, layer("Global{}Pooling{}D".format(kind, rank))),
            )
            yield case(
                0,
                "Global{}Pooling{}D keepdims".format(kind, rank),
                sequential(shape, first, layer("Global{}Pooling{}D".format(kind, rank), keepdims=True)),
                only=EAGER,
            )
            yield case(
                0,
                "Global{}Pooling{}D channels first".format(kind, rank),
                sequential(shape, first, layer("Global{}Pooling{}D".format(kind, rank), data_format="channels_first")),
            )
    yield case(
        0,
        "MaxPooling2D of each axis",
        sequential((5, 6, 2), conv(2, 2), layer("MaxPooling2D", (2, 3), strides=(1, 2), padding="same")),
    )
    yield case(
        0,
        "AveragePooling2D of each axis",
        sequential((5, 6, 2), conv(2, 2), layer("AveragePooling2D", (3, 2), strides=(2, 1), padding="same")),
    )
    yield case(
        0,
        "masked GlobalAveragePooling1D",
        sequential((4, 3), layer("Masking"), dense(3, "tanh"), layer("GlobalAveragePooling1D"), dense(2)),
        inputs=[dict(formula="padded_wave")],
    )
    for rank, count in ((1, 3), (2, (2, 3))):
        for kind in ("Max", "Average"):
            yield case(
                0,
                "Adaptive{}Pooling{}D".format(kind, rank),
                sequential(
                    sizes[rank],
                    layer("Conv{}D".format(rank), 2, 2),
                    layer("Adaptive{}Pooling{}D".format(kind, rank), count),
                ),
                only=("keras3",),
            )


def resizing_cases(profile):
    conv1, conv2, conv3 = layer("Conv1D", 2, 2), conv(2, 2), layer("Conv3D", 2, 2)
    line, image, cube = (5, 2), (3, 4, 2), (2, 3, 2, 2)
    yield case(42, "UpSampling1D", sequential(line, conv1, layer("UpSampling1D", 3)))
    yield case(42, "UpSampling2D nearest", sequential(image, conv2, layer("UpSampling2D", (2, 3))))
    yield case(
        42, "UpSampling2D bilinear", sequential(image, conv2, layer("UpSampling2D", 2, interpolation="bilinear"))
    )
    yield case(
        42,
        "UpSampling2D bilinear of each axis",
        sequential(image, conv2, layer("UpSampling2D", (3, 2), interpolation="bilinear")),
    )
    yield case(
        42,
        "UpSampling2D channels first",
        sequential((2, 3, 2), dense(2), layer("UpSampling2D", 2, data_format="channels_first")),
    )
    yield case(
        42,
        "UpSampling2D bicubic",
        sequential(image, conv2, layer("UpSampling2D", 2, interpolation="bicubic")),
        only=EAGER,
    )
    yield case(42, "UpSampling3D", sequential(cube, conv3, layer("UpSampling3D", (1, 2, 3))))
    yield case(43, "ZeroPadding1D", sequential(line, conv1, layer("ZeroPadding1D", (2, 1)), layer("Conv1D", 2, 3)))
    yield case(43, "ZeroPadding1D symmetric", sequential(line, conv1, layer("ZeroPadding1D", 2), layer("Conv1D", 2, 3)))
    yield case(43, "ZeroPadding2D", sequential(image, layer("ZeroPadding2D", ((1, 0), (2, 1))), conv(2, 3)))
    yield case(43, "ZeroPadding2D symmetric", sequential(image, conv2, layer("ZeroPadding2D", (1, 2)), conv(2, 3)))
    yield case(
        43,
        "ZeroPadding2D channels first",
        sequential((2, 3, 2), layer("ZeroPadding2D", ((1, 0), (2, 1)), data_format="channels_first"), conv(2, 2)),
    )
    yield case(
        43, "ZeroPadding3D", sequential(cube, layer("ZeroPadding3D", ((1, 0), (0, 1), (2, 1))), layer("Conv3D", 2, 2))
    )
    yield case(43, "Cropping1D", sequential((6, 2), layer("Conv1D", 2, 2), layer("Cropping1D", (1, 2))))
    yield case(43, "Cropping2D", sequential((5, 6, 2), conv2, layer("Cropping2D", ((1, 0), (0, 2)))))
    yield case(
        43,
        "ZeroPadding2D, Cropping2D",
        sequential(
            (5, 4, 2), layer("ZeroPadding2D", ((2, 1), (0, 3))), conv2, layer("Cropping2D", ((2, 1), (1, 0))), conv2
        ),
    )
    yield case(
        43, "Cropping3D", sequential((4, 4, 4, 1), layer("Conv3D", 2, 2), layer("Cropping3D", ((1, 0), (0, 1), (1, 1))))
    )
    for method in ("nearest", "bilinear", "bicubic"):
        yield case(
            0,
            "Resizing {} larger".format(method),
            sequential(image, conv2, layer("Resizing", 5, 4, method)),
            only=EAGER,
        )
        yield case(
            0,
            "Resizing {} smaller".format(method),
            sequential((6, 7, 2), conv2, layer("Resizing", 3, 4, method)),
            only=EAGER,
        )
    yield case(
        0,
        "Resizing cropped to aspect ratio",
        sequential((6, 8, 2), conv2, layer("Resizing", 3, 3, crop_to_aspect_ratio=True)),
        only=EAGER,
        train=False,
    )
    yield case(0, "CenterCrop", sequential((6, 7, 2), conv2, layer("CenterCrop", 3, 4)), only=EAGER)
    yield case(
        0,
        "CenterCrop larger than the image",
        sequential((3, 4, 2), conv2, layer("CenterCrop", 4, 3)),
        only=EAGER,
        train=False,
    )
