# SPDX-License-Identifier: Apache-2.0
"""Loss functions on fixed arrays: the value and its gradient with respect to the predictions."""

import numpy as np

LOGITS = np.array(
    [[1.5, -0.5, 0.25], [50.0, -50.0, 0.0], [-50.0, 50.0, 49.0], [0.0, 0.0, 0.0], [2.0, 3.0, -4.0]], "float32"
)
PROBABILITIES = np.array(
    [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.4, 0.3], [5e-8, 0.5, 0.5], [0.25, 0.25, 0.5]], "float32"
)
ONE_HOT = np.eye(3, dtype="float32")[[2, 1, 0, 0, 2]]
CLASS_IDS = np.array([2, 1, 0, 0, 2], "int64")
MULTI_LABEL = np.array([[1, 0, 1], [0, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]], "float32")
FLOATS = np.array([[0.5, -1.5, 2.0], [0.0, 3.0, 0.1], [1.0, 1.0, 1.0], [-2.0, 0.0, 0.0], [0.3, 0.25, -4.0]], "float32")
WEIGHTS = np.array([1.0, 0.0, 2.0, 0.5, 3.0], "float32")
CCE, SPARSE, BCE, MSE = (
    "categorical_crossentropy",
    "sparse_categorical_crossentropy",
    "binary_crossentropy",
    "mean_squared_error",
)
EAGER, NEWEST, KERAS3 = ("tf2_legacy", "tf2", "keras3"), ("tf2", "keras3"), ("keras3",)


def classification():
    """(name, loss, outputs, target, more)"""
    fused = dict(fused="softmax")
    for name, arguments in (("", {}), (" smoothed", dict(label_smoothing=0.1))):
        yield "cce of probabilities" + name, dict(kind=CCE, **arguments), PROBABILITIES, ONE_HOT, {}
        yield "cce after softmax" + name, dict(kind=CCE, **arguments), LOGITS, ONE_HOT, fused
        yield "cce from logits" + name, dict(kind=CCE, from_logits=True, **arguments), LOGITS, ONE_HOT, {}
        yield "bce of probabilities" + name, dict(kind=BCE, **arguments), PROBABILITIES, MULTI_LABEL, {}
        yield "bce after sigmoid" + name, dict(kind=BCE, **arguments), LOGITS, MULTI_LABEL, dict(fused="sigmoid")
        yield "bce from logits" + name, dict(kind=BCE, from_logits=True, **arguments), LOGITS, MULTI_LABEL, {}
    yield "cce of soft targets", dict(kind=CCE), PROBABILITIES, PROBABILITIES[::-1].copy(), {}
    yield "cce axis 1", dict(kind=CCE, axis=1, from_logits=True), cube(LOGITS), np.swapaxes(
        np.eye(2, dtype="float32")[np.array([[0, 1, 1], [1, 0, 0]])], 1, 2
    ).copy(), {}
    yield "sparse of probabilities", dict(kind=SPARSE), PROBABILITIES, CLASS_IDS, {}
    yield "sparse after softmax", dict(kind=SPARSE), LOGITS, CLASS_IDS, fused
    yield "sparse from logits", dict(kind=SPARSE, from_logits=True), LOGITS, CLASS_IDS, {}
    yield "sparse ignoring class 0", dict(kind=SPARSE, ignore_class=0), PROBABILITIES, CLASS_IDS, {}
    yield "sparse ignoring a class from logits", dict(
        kind=SPARSE, from_logits=True, ignore_class=2
    ), LOGITS, CLASS_IDS, {}
    yield "bce one column", dict(kind=BCE), PROBABILITIES[:, :1], MULTI_LABEL[:, :1], {}
    focal, categorical = "binary_focal_crossentropy", "categorical_focal_crossentropy"
    yield "binary focal", dict(kind=focal), PROBABILITIES, MULTI_LABEL, {}
    yield "binary focal from logits", dict(kind=focal, from_logits=True, gamma=1.0), LOGITS / 20, MULTI_LABEL, {}
    yield "binary focal balanced", dict(
        kind=focal, apply_class_balancing=True, alpha=0.3
    ), PROBABILITIES, MULTI_LABEL, {}
    yield "binary focal smoothed", dict(kind=focal, label_smoothing=0.2), PROBABILITIES, MULTI_LABEL, {}
    yield "categorical focal", dict(kind=categorical), PROBABILITIES, ONE_HOT, {}
    yield "categorical focal from logits", dict(
        kind=categorical, from_logits=True, alpha=0.5, gamma=1.0
    ), LOGITS, ONE_HOT, {}
    yield "categorical focal smoothed", dict(kind=categorical, label_smoothing=0.1), PROBABILITIES, ONE_HOT, {}


def regression():
    signs = MULTI_LABEL * 2 - 1
    for kind in (
        MSE,
        "mean_absolute_error",
        "mean_absolute_percentage_error",
        "mean_squared_logarithmic_error",
        "huber",
        "log_cosh",
        "cosine_similarity",
        "poisson",
    ):
        yield kind, dict(kind=kind), LOGITS / 10 + 0.05, FLOATS, {}
    yield "huber delta 0.5", dict(kind="huber", delta=0.5), LOGITS / 10, FLOATS, {}
    yield "cosine axis 1", dict(kind="cosine_similarity", axis=1), cube(LOGITS), cube(FLOATS), {}
    yield "poisson of probabilities", dict(kind="poisson"), PROBABILITIES, MULTI_LABEL, {}
    yield "kld", dict(kind="kl_divergence"), PROBABILITIES, PROBABILITIES[::-1].copy(), {}
    for kind in ("hinge", "squared_hinge"):
        yield kind + " of signs", dict(kind=kind), LOGITS, signs, {}
        yield kind + " of zeros and ones", dict(kind=kind), LOGITS, MULTI_LABEL, {}
        yield kind + " of mixed targets", dict(kind=kind), LOGITS, FLOATS, {}
    yield "categorical hinge", dict(kind="categorical_hinge"), LOGITS, ONE_HOT, {}
    yield "dice", dict(kind="dice"), PROBABILITIES, MULTI_LABEL, {}
    yield "dice of each example", dict(kind="dice", axis=[1, 2]), cube(PROBABILITIES), cube(MULTI_LABEL), {}
    yield "tversky", dict(kind="tversky", alpha=0.3, beta=0.6), PROBABILITIES, MULTI_LABEL, {}
    yield "mse of rank 3", dict(kind=MSE), cube(LOGITS) / 10, cube(FLOATS), {}
    yield "mae of rank 3", dict(kind="mean_absolute_error"), cube(LOGITS) / 10, cube(FLOATS), {}


def reductions():
    for reduction in ("sum", "none", "mean", "mean_with_sample_weight", "sum_over_batch_size"):
        for weights in (None, WEIGHTS):
            name = "mse {}{}".format(reduction, " weighted" if weights is not None else "")
            yield name, dict(kind=MSE, reduction=reduction), LOGITS / 10, FLOATS, dict(weights=weights)
    yield "cce weighted", dict(kind=CCE), PROBABILITIES, ONE_HOT, dict(weights=WEIGHTS)
    yield "sparse weighted", dict(kind=SPARSE, from_logits=True), LOGITS, CLASS_IDS, dict(weights=WEIGHTS)
    yield "bce weighted", dict(kind=BCE), PROBABILITIES, MULTI_LABEL, dict(weights=WEIGHTS)
    yield "mse of rank 3 weighted", dict(kind=MSE), cube(LOGITS) / 10, cube(FLOATS), dict(weights=WEIGHTS[2:4])
    yield "mse of rank 3, weighted steps", dict(kind=MSE), cube(LOGITS) / 10, cube(FLOATS), dict(
        weights=np.array([[1.0, 0.0], [0.5, 2.0]], "float32")
    )
    mask = np.array([[True, False], [True, True]])
    for kind in (MSE, "mean_absolute_error"):
        yield kind + " masked", dict(kind=kind), cube(LOGITS) / 10, cube(FLOATS), dict(mask=mask)
    yield "mse masked, weighted steps", dict(kind=MSE), cube(LOGITS) / 10, cube(FLOATS), dict(
        mask=mask, weights=np.array([[1.0, 3.0], [0.5, 2.0]], "float32")
    )


def cube(array):
    return array[:4].reshape(2, 2, 3)


def values(family):
    """One case per loss that this family has."""
    if family.profile in ("keras22", "tf1"):
        yield from graph_values(family)
        return
    for name, spec, outputs, target, more in list(classification()) + list(regression()) + list(reductions()):
        if family.profile != "keras3" and spec.get("reduction") in ("mean", "mean_with_sample_weight"):
            continue
        if family.profile == "tf2_legacy" and "mask" in more:  # 2.10 masks losses only inside compiled models
            continue
        if family.profile == "keras3" and name == "mse of rank 3 weighted":  # it takes the weights for those of steps
            continue
        try:
            yield case(family, name, spec, outputs, target, **more)
        except Exception as error:
            print("  without", name, "--", type(error).__name__, str(error).split("\n")[0][:120], flush=True)


def case(family, name, spec, outputs, target, fused="none", weights=None, mask=None):
    tf = family.tf
    given = tf.constant(outputs)
    loss = family.loss(dict(spec, name="loss"))
    with tf.GradientTape() as tape:
        tape.watch(given)
        predictions = given if fused == "none" else getattr(family.keras.activations, fused)(given)
        if mask is not None:
            predictions._keras_mask = tf.constant(mask)
        value = loss(tf.constant(target), predictions, sample_weight=None if weights is None else tf.constant(weights))
    found = dict(
        name=name,
        profile=family.profile,
        loss=spec,
        fused=fused,
        shape=list(outputs.shape),
        outputs=outputs,
        target_shape=list(target.shape),
        target_is_class_id=target.dtype.kind == "i",
        target=target,
    )
    if weights is not None:
        found.update(weight_shape=list(weights.shape), sample_weights=weights)
    if mask is not None:
        found["mask"] = mask.astype("int32")
    return dict(found, value=value.numpy(), gradient=tape.gradient(value, given))


# --- keras 2.2.4: functions of tensors, no objects and no gradients of reductions ---------------------------------


def graph_values(family):
    """The mean over examples of the function's values and its gradient; only losses without arguments."""
    if family.profile != "keras22":
        return
    backend, names = family.keras.backend, dict(
        log_cosh="logcosh", cosine_similarity="cosine_proximity", kl_divergence="kullback_leibler_divergence"
    )
    for name, spec, outputs, target, more in list(classification()) + list(regression()):
        kind = names.get(spec["kind"], spec["kind"])
        function = getattr(family.keras.losses, kind, None)
        if len(spec) > 1 or function is None:
            continue
        given = backend.variable(outputs)
        fused = more.get("fused", "none")
        predictions = backend.identity(given) if fused == "none" else getattr(family.keras.activations, fused)(given)
        wanted = backend.variable(target.reshape(-1, 1) if target.dtype.kind == "i" else target)
        value = backend.mean(function(wanted, predictions))
        gradient = backend.gradients(value, [given])[0]
        found = backend.get_session().run([value, gradient])
        yield dict(
            name=name,
            profile=family.profile,
            loss=dict(kind=kind),
            fused=fused,
            shape=list(outputs.shape),
            outputs=outputs,
            target_shape=list(target.shape),
            target_is_class_id=target.dtype.kind == "i",
            target=target,
            value=float(found[0]),
            gradient=found[1],
        )
