# SPDX-License-Identifier: Apache-2.0
"""The networks of the benchmarks in Keras's JSON, and a walk over their layers with shapes. Both sides read the same JSON:
modelhop as it is, the peers through peers/keras_network.py."""
import json
import os

EXAMPLES = os.path.join(os.path.dirname(__file__), "..", "..", "examples", "architectures")


def layer(class_name, **config):
    return {"class_name": class_name, "config": config}


def dense(units, activation):
    return layer("Dense", units=units, activation=activation)


def conv(filters, padding):
    return layer("Conv2D", filters=filters, kernel_size=[3, 3], padding=padding, activation="relu")


def sequential(input_shape, layers):
    layers[0]["config"]["batch_input_shape"] = [None, *input_shape]
    for number, item in enumerate(layers):
        item["config"]["name"] = f"layer_{number}"
    return json.dumps({"class_name": "Sequential", "keras_version": "2.10.0", "backend": "tensorflow",
                       "config": {"name": "sequential", "layers": layers}})


def example(name):
    with open(os.path.join(EXAMPLES, name + ".json"), encoding="utf-8") as file:
        return json.dumps(json.load(file))


def cifar10_cnn():
    def pool():
        return layer("MaxPooling2D", pool_size=[2, 2])

    return sequential([32, 32, 3], [
        conv(32, "same"), conv(32, "valid"), pool(), layer("Dropout", rate=0.25),
        conv(64, "same"), conv(64, "valid"), pool(), layer("Dropout", rate=0.25),
        layer("Flatten"), dense(512, "relu"), layer("Dropout", rate=0.5), dense(10, "softmax")])


def cifar10_mlp():
    return sequential([32, 32, 3], [layer("Flatten"), dense(1024, "relu"), dense(512, "relu"), dense(10, "softmax")])


def tabular_mlp(first, second):
    return sequential([108], [dense(first, "relu"), dense(second, "relu"), dense(1, "sigmoid")])


def text_conv(words, length):
    return sequential([length], [
        layer("Embedding", input_dim=words, output_dim=64),
        layer("Conv1D", filters=128, kernel_size=[5], padding="valid", activation="relu"),
        layer("GlobalMaxPooling1D"), dense(64, "relu"), layer("Dropout", rate=0.5), dense(1, "sigmoid")])


def text_lstm(words, length):
    return sequential([length], [
        layer("Embedding", input_dim=words, output_dim=64), layer("LSTM", units=64), dense(1, "sigmoid")])


def _after(kind, config, shape):
    """The output's shape, and multiply-adds of one example going forward."""
    if kind in ("Conv2D", "Conv1D"):
        kernel = config["kernel_size"]
        places = list(shape[:-1])
        if config.get("padding", "valid") == "valid":
            places = [place - size + 1 for place, size in zip(places, kernel)]
        work = config["filters"] * shape[-1]
        for factor in (*places, *kernel):
            work *= factor
        return [*places, config["filters"]], work
    if kind == "MaxPooling2D":
        return [shape[0] // config["pool_size"][0], shape[1] // config["pool_size"][1], shape[2]], 0
    if kind == "Flatten":
        size = 1
        for factor in shape:
            size *= factor
        return [size], 0
    if kind == "GlobalMaxPooling1D":
        return [shape[-1]], 0
    if kind == "Dense":
        return [config["units"]], shape[-1] * config["units"]
    if kind == "Embedding":
        return [*shape, config["output_dim"]], 0
    if kind == "LSTM":
        return [config["units"]], shape[0] * 4 * config["units"] * (shape[1] + config["units"])
    if kind in ("Activation", "Dropout", "BatchNormalization", "InputLayer"):
        return shape, 0
    raise ValueError(f"the benchmarks have no layer {kind}")


def walk(text):
    """Yields (class name, config, shape before, shape after, multiply-adds) of each layer."""
    shape = None
    for item in json.loads(text)["config"]["layers"]:
        config = item["config"]
        if shape is None:
            shape = config["batch_input_shape"][1:]
        before = shape
        shape, work = _after(item["class_name"], config, before)
        yield item["class_name"], config, before, shape, work


def flops(text):
    """Floating-point operations of one example: (a training step, a forward pass). The gradient of the first layer's input
    is not needed, unless that comes out of an embedding."""
    forward = training = 0
    is_first = True
    for kind, _, _, _, work in walk(text):
        forward += 2 * work
        training += 2 * work * (2 if is_first and work else 3)
        is_first = is_first and work == 0 and kind != "Embedding"
    return training, forward
