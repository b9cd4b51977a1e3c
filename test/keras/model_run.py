# SPDX-License-Identifier: Apache-2.0
"""Runs one case of a model in one Keras family and collects what the fixture stores (README.md has the protocol)."""

import json

import numpy as np

import fixture_format
from fixture_format import BATCHES, EXAMPLES

FORWARD_EXAMPLES, FORWARD_VALUES, GRADIENT_VALUES = 3, 96, 60
PREDICTED_EXAMPLES, STORED_WEIGHTS = 2, 600
COUNTER_DEPARTS = "keras 2.2.4 on TensorFlow 1.14 counts optimizer steps from 2"
NORM_DEPARTS = "keras 2.2.4 zero-debiases moving statistics"


def layer_classes(model):
    """Every class_name of a layer in the JSON, wrapped and nested layers and cells included."""
    found = set()

    def visit(item):
        if isinstance(item, dict):
            if isinstance(item.get("config"), dict) and "class_name" in item and "name" in item["config"]:
                found.add(item["class_name"])
            for value in item.values():
                visit(value)
        elif isinstance(item, list):
            for value in item:
                visit(value)

    visit(model.get("config"))
    return sorted(found - {"InputLayer", "__keras_tensor__", "DTypePolicy", "Policy"})


def depthwise_variables(model):
    """Identities of the variables of depthwise layers: Keras 3 calls their kernels only kernel."""
    found = set()
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found |= depthwise_variables(layer)
        elif "Depthwise" in type(layer).__name__:
            found |= {id(variable) for variable in layer.weights}
    return found


def weight_kind(variable, deep, depthwise):
    """What the weight formulas tell apart, by the variable's name."""
    last = getattr(variable, "path", variable.name).rsplit("/", 1)[-1].split(":")[0]
    for kind in ("variance", "count"):
        if last.endswith(kind):
            return kind
    if not deep:
        return "wave"
    if "kernel" in last:
        return "depthwise" if "depthwise" in last or id(variable) in depthwise else "kernel"
    return "embedding" if "embeddings" in last else "gamma" if "gamma" in last else "other"


def full_shape(tensor, case):
    static = getattr(tensor, "_keras_shape", tensor.shape)
    extents = [getattr(extent, "value", extent) for extent in list(static)[1:]]
    return [PREDICTED_EXAMPLES if case.get("predict_only") else EXAMPLES] + [
        case["length"] if extent is None else int(extent) for extent in extents
    ]


def input_specs(model, case):
    kinds = case.get("inputs", [{}] * len(model.inputs))
    specs = []
    for tensor, kind in zip(model.inputs, kinds):
        specs.append(dict(dict(shape=full_shape(tensor, case), formula="wave"), **kind))
    return specs


def target_specs(model, case):
    specs = []
    for tensor, kind in zip(model.outputs, case["target"]):
        shape = full_shape(tensor, case)
        if kind == "class_ids":
            column = [1] if case.get("id_column", True) else []
            specs.append(dict(shape=shape[:-1] + column, formula="class_ids", classes=shape[-1]))
        else:
            specs.append(dict(shape=shape, formula=kind) if isinstance(kind, str) else dict(kind, shape=shape))
    return specs


def several(values):
    return values if isinstance(values, (list, tuple)) else [values]


def one_or_list(arrays):
    return arrays[0] if len(arrays) == 1 else arrays


def set_start(model, arrays, kinds):
    model.set_weights(arrays)
    if "count" in kinds:  # Keras 3 uses given statistics only after this
        for layer in model.layers:
            if hasattr(layer, "finalize_state"):
                layer.finalize_state()


def weights_of(model):
    return [np.asarray(w) for w in model.get_weights()]


def flat(arrays):
    return np.concatenate([np.asarray(a, "float32").reshape(-1) for a in arrays]) if arrays else np.zeros(0, "float32")


def start_of(model, keras_family, case, result):
    """The start weights and their kinds; the fixture tells how to make them."""
    deep = case.get("weights") == "deep"
    shapes = [list(w.shape) for w in weights_of(model)]
    depthwise = depthwise_variables(model)
    kinds = [weight_kind(v, deep, depthwise) for v in keras_family.weights(model)]
    result.update(weight_shapes=shapes, weight_formula="deep" if deep else "standard")
    if deep:
        result.update(
            weight_kinds="".join(fixture_format.KIND_LETTERS[kind] for kind in kinds),
            parameters=int(model.count_params()),
        )
        if case.get("gain", 1.0) != 1.0:
            result["weight_gain"] = case["gain"]
        return fixture_format.deep_weights(shapes, kinds, case.get("gain", 1.0)), kinds
    if case.get("weight_scale", 1.0) != 1.0:
        result["weight_scale"] = case["weight_scale"]
    for kind in ("variance", "count"):
        if kind in kinds:
            result[kind + "_arrays"] = [k for k, one in enumerate(kinds) if one == kind]
    return fixture_format.start_weights(shapes, kinds, case.get("weight_scale", 1.0)), kinds


def departures(case, profile, model, classes):
    """Why parts of the training are left out for this family, and which: all of it or only what follows step one."""
    if case.get("departs", {}).get(profile):
        return case["departs"][profile], "all"
    if case.get("weights_depart"):
        return case["weights_depart"], "weights"
    if profile == "keras22" and case.get("train", True):
        kind = case["optimizer"]["kind"]
        if kind in ("Adam", "Adamax", "Nadam") or case["optimizer"].get("decay"):
            return COUNTER_DEPARTS, "all"
        if "BatchNormalization" in classes and model.updates:
            return NORM_DEPARTS, "weights"
    return None, None


def run(keras_family, case):
    """The fixture of this case as a dictionary."""
    keras_family.clear()
    model = case["build"](keras_family.keras)
    architecture = json.loads(model.to_json())
    inputs, targets = input_specs(model, case), target_specs(model, case)
    xs = [fixture_format.input_values(spec) for spec in inputs]
    classes = layer_classes(architecture)
    reason, left_out = departures(case, keras_family.profile, model, classes)
    result = dict(name=case["name"], row=case["row"], profile=keras_family.profile, layers=classes, inputs=inputs)
    if reason:
        result["departs"] = reason
    start, kinds = start_of(model, keras_family, case, result)
    set_start(model, start, kinds)
    if not case.get("predict_only"):
        keras_family.compile(model, case)
    outputs = several(keras_family.predict(model, one_or_list(xs)))
    result["outputs"] = [forward(output) for output in outputs]
    if case.get("train", True) and not case.get("predict_only"):
        ys = [fixture_format.target_values(spec) for spec in targets]
        result.update(targets=targets, losses=case["losses"], optimizer=case["optimizer"], metrics=case["metrics"])
        for key in ("loss_weights", "class_weights", "sample_weights", "sample_weight_shape"):
            if case.get(key) is not None:
                result[key] = case[key]
        if case.get("weighted"):
            result["metrics_are_weighted"] = True
        train(keras_family, model, case, result, xs, ys, start, kinds, left_out)
    result["model"] = architecture
    return result


def forward(output):
    """The first values of an output; `shape` is that of the whole prediction."""
    per_example = int(np.prod(output.shape[1:], dtype="int64"))
    count = min(FORWARD_EXAMPLES, max(1, FORWARD_VALUES // max(1, per_example))) * per_example
    return dict(shape=list(output.shape), values=output.reshape(-1)[: min(count, 2 * FORWARD_VALUES)])


def train(keras_family, model, case, result, xs, ys, start, kinds, left_out):
    x, y = one_or_list(xs), one_or_list(ys)
    weights = None
    if case.get("sample_weights") is not None:
        weights = np.asarray(case["sample_weights"], "float32").reshape(case.get("sample_weight_shape", [EXAMPLES]))

    def fresh():
        set_start(model, start, kinds)
        keras_family.compile(model, case)

    def part(arrays, first, end):
        return one_or_list([a[first:end] for a in arrays])

    def weights_part(first, end):
        return None if weights is None else weights[first:end]

    result["evaluation"] = keras_family.evaluate(model, x, y, case, weights)
    if left_out == "all":
        return
    small = sum(w.size for w in start) <= GRADIENT_VALUES
    if keras_family.profile == "tf2_legacy" and small and not case.get("class_weights") and not case.get("xla"):
        gradients = keras_family.gradients(model, part(xs, 0, 8), part(ys, 0, 8), weights_part(0, 8))
        if gradients is not None:
            result["gradients"] = [None if g is None else np.reshape(g, -1) for g in gradients]
    fresh()
    result["batch_losses"] = [
        keras_family.train_on_batch(model, part(xs, a, b), part(ys, a, b), case, weights_part(a, b)) for a, b in BATCHES
    ]
    if left_out == "weights":
        return
    if sum(w.size for w in start) <= STORED_WEIGHTS:
        result["end_weights"] = flat(weights_of(model))
    else:
        result["end_outputs"] = [forward(output) for output in several(keras_family.predict(model, x))]
    result["end_evaluation"] = keras_family.evaluate(model, x, y, case, weights)
    if "fit" in case:
        fit(keras_family, model, case, result, x, y, weights, fresh)


def fit(keras_family, model, case, result, x, y, weights, fresh):
    """`fit` calls in a row on one compiled model: the optimizer keeps its state between them."""
    fresh()
    more = {} if weights is None else dict(sample_weight=weights)
    if case.get("class_weights"):
        more["class_weight"] = {int(k): v for k, v in case["class_weights"].items()}
    stored = []
    for arguments in case["fit"]:
        history = keras_family.fit(model, x, y, **arguments, **more)
        stored.append(dict(arguments, losses=[float(v) for v in history["loss"]], end_weights=flat(weights_of(model))))
    result["fits"] = stored
