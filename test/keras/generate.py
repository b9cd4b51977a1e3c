# SPDX-License-Identifier: Apache-2.0
"""Writes fixtures/*.json with numbers that a real Keras computed. README.md describes protocol and format.

Usage: python generate.py tf2_legacy|tf2|keras3   (in a virtual environment with the requirements of that family)
"""
import json
import os
import pathlib
import sys

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
PROFILE = sys.argv[1]

import keras
import numpy as np
import tensorflow as tf

import model_cases

tf.config.experimental.enable_op_determinism()
keras.utils.set_random_seed(1)

FOLDER = pathlib.Path(__file__).parent / "fixtures"
OPTIMIZERS = keras.optimizers.legacy if PROFILE == "tf2_legacy" else keras.optimizers


def plain(value):
    """Arrays as flat lists of the shortest decimals that read back as the same float32."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, (np.ndarray, np.generic, tf.Tensor)):
        flat = np.asarray(value).reshape(-1)
        return [int(x) if flat.dtype.kind == "i" else number(x) for x in flat]
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return number(value) if isinstance(value, float) else value


def number(x):
    text = str(np.float32(x))
    return text if text in ("nan", "inf", "-inf") else float(text)


def write(name, content):
    path = FOLDER / f"{name}.{PROFILE}.json"
    lines = ",\n".join(json.dumps(plain(case), separators=(",", ":")) for case in content)
    path.write_text(f"[\n{lines}\n]\n")
    print(path.name, len(content), "cases", path.stat().st_size, "bytes")


def make_optimizer(spec):
    arguments = {key: value for key, value in spec.items() if key != "kind"}
    return getattr(OPTIMIZERS, spec["kind"])(**arguments)


# --- optimizers ---------------------------------------------------------------------------------------------------

OPTIMIZER_CASES = [
    dict(kind="SGD", learning_rate=0.1),
    dict(kind="SGD", learning_rate=0.1, momentum=0.9),
    dict(kind="SGD", learning_rate=0.1, momentum=0.9, nesterov=True),
    dict(kind="SGD", learning_rate=0.1, momentum=0.9, decay=0.5),
    dict(kind="RMSprop", learning_rate=0.001),
    dict(kind="RMSprop", learning_rate=0.01, rho=0.8, momentum=0.5),
    dict(kind="RMSprop", learning_rate=0.01, centered=True),
    dict(kind="RMSprop", learning_rate=0.01, momentum=0.5, centered=True, epsilon=1e-3),
    dict(kind="RMSprop", learning_rate=0.01, decay=0.1),
    dict(kind="Adam", learning_rate=0.001),
    dict(kind="Adam", learning_rate=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-4),
    dict(kind="Adam", learning_rate=0.01, amsgrad=True),
    dict(kind="Adam", learning_rate=0.01, decay=0.25),
    dict(kind="Adagrad", learning_rate=0.01),
    dict(kind="Adagrad", learning_rate=0.01, initial_accumulator_value=0.5, epsilon=1e-3),
]
START = [1.0, -0.5, 0.25, 0.125, -2.0]
GRADIENTS = [[0.4, -0.1, 1e-3, 1e-6, 3e-7], [0.2, 0.3, -1e-3, 2e-6, 0.0],
             [-0.5, 0.05, 2e-3, -1e-6, 3e-7], [0.1, -0.2, 0.0, 5e-7, -3e-7]]


def optimizer_cases():
    for spec in OPTIMIZER_CASES:
        if "decay" in spec and PROFILE != "tf2_legacy":
            continue
        variable = tf.Variable(START) if PROFILE != "keras3" else keras.Variable(np.array(START, "float32"))
        optimizer = make_optimizer(spec)
        steps = []
        for gradient in GRADIENTS:
            optimizer.apply_gradients([(tf.constant(gradient), variable)])
            steps.append(np.array(variable))
        yield dict(profile=PROFILE, optimizer=spec, start=START, gradients=GRADIENTS, weights=steps)


# --- losses and metrics -------------------------------------------------------------------------------------------

LOGITS = np.array([[1.5, -0.5, 0.25], [50.0, -50.0, 0.0], [-50.0, 50.0, 49.0], [0.0, 0.0, 0.0], [2.0, 3.0, -4.0]],
                  "float32")
PROBABILITIES = np.array([[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.4, 0.3], [5e-8, 0.5, 0.5], [0.25, 0.25, 0.5]],
                         "float32")
ONE_HOT = np.eye(3, dtype="float32")[[2, 1, 0, 0, 2]]
CLASS_IDS = np.array([2, 1, 0, 0, 2], "int64")
MULTI_LABEL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]], "float32")
FLOATS = np.array([[0.5, -1.5, 2.0], [0.0, 3.0, 0.1], [1.0, 1.0, 1.0], [-2.0, 0.0, 0.0], [0.3, 0.25, -4.0]], "float32")


def loss_object(kind, arguments):
    names = dict(categorical_crossentropy="CategoricalCrossentropy", binary_crossentropy="BinaryCrossentropy",
                 sparse_categorical_crossentropy="SparseCategoricalCrossentropy", mean_squared_error="MeanSquaredError",
                 mean_absolute_error="MeanAbsoluteError")
    return getattr(keras.losses, names[kind])(**arguments)


def loss_case(name, kind, outputs, target, fused="none", **arguments):
    given = tf.constant(outputs)
    with tf.GradientTape() as tape:
        tape.watch(given)
        predictions = given if fused == "none" else getattr(keras.activations, fused)(given)
        loss = loss_object(kind, arguments)(tf.constant(target), predictions)
    return dict(name=name, profile=PROFILE, loss=dict(kind=kind, **arguments), fused=fused, shape=list(outputs.shape),
                outputs=outputs, target_is_class_id=target.dtype.kind == "i", target=target, mean_loss=float(loss),
                gradient=tape.gradient(loss, given))


def loss_cases():
    cce, sparse, bce = "categorical_crossentropy", "sparse_categorical_crossentropy", "binary_crossentropy"
    column, binary = (slice(None), slice(0, 1)), MULTI_LABEL[:, :1]
    smooth = dict(label_smoothing=0.1)
    yield loss_case("cce probabilities", cce, PROBABILITIES, ONE_HOT)
    yield loss_case("cce probabilities smoothed", cce, PROBABILITIES, ONE_HOT, **smooth)
    yield loss_case("cce fused", cce, LOGITS, ONE_HOT, "softmax")
    yield loss_case("cce fused smoothed", cce, LOGITS, ONE_HOT, "softmax", **smooth)
    yield loss_case("cce from logits", cce, LOGITS, ONE_HOT, from_logits=True)
    yield loss_case("cce from logits smoothed", cce, LOGITS, ONE_HOT, from_logits=True, **smooth)
    yield loss_case("sparse probabilities", sparse, PROBABILITIES, CLASS_IDS)
    yield loss_case("sparse fused", sparse, LOGITS, CLASS_IDS, "softmax")
    yield loss_case("sparse from logits", sparse, LOGITS, CLASS_IDS, from_logits=True)
    yield loss_case("bce probabilities", bce, PROBABILITIES, MULTI_LABEL)
    yield loss_case("bce probabilities one column", bce, PROBABILITIES[column], binary)
    yield loss_case("bce probabilities smoothed", bce, PROBABILITIES, MULTI_LABEL, **smooth)
    yield loss_case("bce fused", bce, LOGITS, MULTI_LABEL, "sigmoid")
    yield loss_case("bce fused smoothed", bce, LOGITS, MULTI_LABEL, "sigmoid", **smooth)
    yield loss_case("bce from logits one column", bce, LOGITS[column], binary, from_logits=True)
    yield loss_case("mse", "mean_squared_error", LOGITS, FLOATS)
    yield loss_case("mae", "mean_absolute_error", LOGITS, FLOATS)
    cube, target = np.arange(12, dtype="float32").reshape(2, 2, 3) / 8, FLOATS[:4].reshape(2, 2, 3)
    yield loss_case("mse of rank 3", "mean_squared_error", cube, target)
    yield loss_case("cce from logits of rank 3", cce, cube, ONE_HOT[:4].reshape(2, 2, 3), from_logits=True)


def metric_case(name, metric, predictions, target):
    metric.update_state(target, predictions)
    return dict(name=name, shape=list(predictions.shape), predictions=predictions, target=target,
                target_is_class_id=target.dtype.kind == "i", k=getattr(metric, "k", 5) or 5, mean=float(metric.result()))


def metric_cases():
    m = keras.metrics
    ties = np.array([[0.1, 0.3, 0.3, 0.3], [0.4, 0.2, 0.2, 0.2], [0.25, 0.25, 0.25, 0.25], [0.1, 0.2, 0.3, 0.4],
                     [0.0, 0.5, 0.0, 0.5]], "float32")
    ids = np.array([3, 1, 2, 0, 1], "int64")
    hot = np.eye(4, dtype="float32")[ids]
    yield metric_case("categorical_accuracy", m.CategoricalAccuracy(), ties, hot)
    yield metric_case("sparse_categorical_accuracy", m.SparseCategoricalAccuracy(), ties, ids)
    yield metric_case("binary_accuracy", m.BinaryAccuracy(), PROBABILITIES, MULTI_LABEL)
    yield metric_case("binary_accuracy", m.BinaryAccuracy(), PROBABILITIES[:, 2:], MULTI_LABEL[:, :1])
    for k in (1, 2, 3):
        yield dict(metric_case("top_k_categorical_accuracy", m.TopKCategoricalAccuracy(k=k), ties, hot), k=k)
        yield dict(metric_case("sparse_top_k_categorical_accuracy", m.SparseTopKCategoricalAccuracy(k=k), ties, ids), k=k)
    yield metric_case("mean_squared_error", m.MeanSquaredError(), LOGITS, FLOATS)
    yield metric_case("mean_absolute_error", m.MeanAbsoluteError(), LOGITS, FLOATS)
    yield metric_case("categorical_crossentropy", m.CategoricalCrossentropy(), PROBABILITIES, ONE_HOT)
    yield metric_case("sparse_categorical_crossentropy", m.SparseCategoricalCrossentropy(), PROBABILITIES, CLASS_IDS)
    yield metric_case("binary_crossentropy", m.BinaryCrossentropy(), PROBABILITIES, MULTI_LABEL)


# --- initializers -------------------------------------------------------------------------------------------------

def initializer_cases():
    i = keras.initializers
    for shape in ((300, 200), (3, 5, 40, 60)):
        for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal", "LecunUniform", "LecunNormal",
                     "RandomNormal", "RandomUniform", "TruncatedNormal", "Orthogonal"):
            values = np.array(getattr(i, name)(seed=3)(shape))
            yield dict(name=name, shape=list(shape), mean=float(values.mean()), deviation=float(values.std()),
                       largest=float(np.abs(values).max()))


# --- whole models -------------------------------------------------------------------------------------------------

def start_weight(variable, index, scale):
    i = np.arange(int(np.prod(variable.shape)))
    wave = 0.3 * np.sin(1.7 * i + 0.3 * index)
    name = getattr(variable, "path", variable.name)
    values = 0.5 + 0.4 * np.abs(np.sin(1.7 * i + 0.3 * index)) if "variance" in name else scale * wave
    return np.round(values, 4).astype("float32").reshape(variable.shape)


def target_of(case, shape):
    rows = np.arange(21)
    outputs = int(shape[-1])
    classes = (2 * rows + rows // max(outputs, 1)) % outputs if outputs % 3 == 0 else (3 * rows) % max(outputs, 1)
    kind = case.get("target", "one_hot")
    if kind == "one_hot":
        return np.eye(outputs, dtype="float32")[classes]
    if kind == "class_id":
        return classes.astype("int64").reshape(-1, 1)
    if kind == "binary":
        return ((np.arange(21 * outputs) * 5 % 7) > 3).astype("float32").reshape(21, outputs)
    return np.round(np.sin(0.7 * np.arange(21 * int(np.prod(shape)))), 3).astype("float32").reshape(21, *shape)


def evaluation(model, x, y):
    values = np.atleast_1d(model.evaluate(x, y, batch_size=32, verbose=0))
    return dict(loss=float(values[0]), metrics=[float(value) for value in values[1:]])


def flat_weights(model):
    return np.concatenate([np.asarray(w).reshape(-1) for w in model.get_weights()]) if model.weights else np.zeros(0)


def model_case(case):
    keras.backend.clear_session()
    model = case["build"](keras)
    architecture = json.loads(model.to_json())
    x = np.round(np.cos(0.9 * np.arange(21 * int(np.prod(model.input_shape[1:])))), 3) * case.get("input_scale", 1.0)
    x = x.astype("float32").reshape(21, *model.input_shape[1:])
    y = target_of(case, model.output_shape[1:])
    start = [start_weight(v, k, case.get("weight_scale", 1.0)) for k, v in enumerate(model.weights)]
    loss = loss_object(case["loss"]["kind"], {k: v for k, v in case["loss"].items() if k != "kind"})
    if len(case["loss"]) == 1:
        loss = case["loss"]["kind"]

    def compiled():
        model.set_weights(start)
        model.compile(loss=loss, optimizer=make_optimizer(case["optimizer"]), metrics=list(case.get("metrics", [])))

    compiled()
    result = dict(name=case["name"], row=case["row"], profile=PROFILE, model=architecture,
                  loss=case["loss"], optimizer=case["optimizer"], metrics=case.get("metrics", []),
                  weight_shapes=[list(w.shape) for w in start], start_weights=flat_weights(model),
                  input_shape=list(x.shape), input_scale=case.get("input_scale", 1.0), target_shape=list(y.shape), target=y,
                  forward=model.predict(x[:8], verbose=0), evaluation=evaluation(model, x, y))
    compiled()
    losses = []
    for first, end in ((0, 8), (8, 16), (16, 21)):
        values = model.train_on_batch(x[first:end], y[first:end])
        losses.append(float(np.atleast_1d(values)[0]))
        if hasattr(model, "reset_metrics"):
            model.reset_metrics()
    result.update(batch_losses=losses, end_weights=flat_weights(model), end_evaluation=evaluation(model, x, y))
    if "fit_epochs" in case:
        compiled()
        history = model.fit(x, y, batch_size=8, epochs=case["fit_epochs"], shuffle=False, verbose=0)
        result["fit"] = dict(batch_size=8, epochs=case["fit_epochs"], losses=[float(v) for v in history.history["loss"]],
                             end_weights=flat_weights(model))
    return result


if __name__ == "__main__":
    write("optimizers", list(optimizer_cases()))
    if PROFILE != "tf2":
        write("losses", list(loss_cases()))
        write("metrics", list(metric_cases()))
        write("initializers", list(initializer_cases()))
        write("models", [model_case(case) for case in model_cases.cases(PROFILE)])
