# SPDX-License-Identifier: Apache-2.0
"""The small language in which the case modules describe models: layers, models, cases."""

MSE, MAE, BCE = "mean_squared_error", "mean_absolute_error", "binary_crossentropy"
CCE, SPARSE = "categorical_crossentropy", "sparse_categorical_crossentropy"
CROSS_ENTROPIES = (CCE, SPARSE, BCE)
KERAS2, EAGER = ("keras22", "tf1", "tf2_legacy", "tf2"), ("tf2_legacy", "tf2", "keras3")
NEWEST = ("tf2", "keras3")


class Layer:
    """A layer to be made once a family of Keras is known."""

    def __init__(self, kind, *arguments, **keywords):
        self.kind, self.arguments, self.keywords = kind, arguments, keywords

    def make(self, keras, **more):
        keywords = {key: self.made(value, keras) for key, value in self.keywords.items()}
        trainable = keywords.pop("frozen", None)
        arguments = [self.made(value, keras) for value in self.arguments]
        layer = getattr(keras.layers, self.kind)(*arguments, **keywords, **more)
        if trainable:
            layer.trainable = False
        return layer

    def made(self, value, keras):
        if isinstance(value, (Layer, Part)):
            return value.make(keras)
        return [self.made(item, keras) for item in value] if isinstance(value, list) else value


class Part:
    """A regularizer, constraint or initializer: Part("regularizers", "L1", 0.01)."""

    def __init__(self, module, kind, *arguments, **keywords):
        self.module, self.kind, self.arguments, self.keywords = module, kind, arguments, keywords

    def make(self, keras):
        return getattr(getattr(keras, self.module), self.kind)(*self.arguments, **self.keywords)


def layer(kind, *arguments, **keywords):
    return Layer(kind, *arguments, **keywords)


def dense(units, activation="linear", **keywords):
    return Layer("Dense", units, activation=activation, **keywords)


def conv(filters, size, **keywords):
    return Layer("Conv2D", filters, size, **keywords)


def is_standalone(keras):
    """Whether this is keras 2.2.4, whose Sequential wants the shape in its first layer."""
    return getattr(keras, "__version__", "") == "2.2.4"


def sequential(shape, *layers, dtype=None):
    def build(keras):
        model = keras.Sequential()
        rest = list(layers)
        if is_standalone(keras):
            model.add(rest.pop(0).make(keras, input_shape=shape))
        else:
            typed = dict(dtype=dtype) if dtype else {}
            if hasattr(keras, "ops"):
                model.add(keras.Input(shape, **typed))
            else:
                model.add(keras.layers.InputLayer(shape, **typed))
        for one in rest:
            model.add(one.make(keras))
        return model

    return build


def functional(*shapes):
    """Decorates f(keras, *inputs), which returns the output or a list of them."""

    def decorate(connect):
        def build(keras):
            inputs = [keras.Input(**shape) if isinstance(shape, dict) else keras.Input(shape) for shape in shapes]
            outputs = connect(keras, *inputs)
            return keras.Model(inputs if len(inputs) > 1 else inputs[0], outputs)

        return build

    return decorate


def sgd(rate=0.1, **keywords):
    return dict(kind="SGD", learning_rate=rate, **keywords)


def adam(rate=0.001, **keywords):
    return dict(kind="Adam", learning_rate=rate, **keywords)


def listed(value):
    return list(value) if isinstance(value, (list, tuple)) else [value]


def case(row, name, build, loss=MSE, optimizer=None, metrics=(), **more):
    """One case with the defaults filled in. `only` restricts the profiles, `train=False` makes it predict only."""
    losses = [dict(kind=one) if isinstance(one, str) else one for one in listed(loss)]
    groups = [list(metrics)] if len(losses) == 1 else [list(group) for group in (metrics or [()] * len(losses))]
    kinds = [one["kind"] for one in losses]
    default = {CCE: "one_hot", SPARSE: "class_ids", BCE: "binary"}
    more.setdefault("target", [default.get(kind, "floats") for kind in kinds])
    more.setdefault("graph", any(kind in CROSS_ENTROPIES for kind in kinds))
    more["target"] = listed(more["target"])
    return dict(row=row, name=name, build=build, losses=losses, optimizer=optimizer or sgd(), metrics=groups, **more)
