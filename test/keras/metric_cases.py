# SPDX-License-Identifier: Apache-2.0
"""Metrics on fixed arrays: the result after one update and after two."""

import numpy as np

TIES = np.array(
    [
        [0.1, 0.3, 0.3, 0.3],
        [0.4, 0.2, 0.2, 0.2],
        [0.25, 0.25, 0.25, 0.25],
        [0.1, 0.2, 0.3, 0.4],
        [0.0, 0.5, 0.0, 0.5],
        [0.7, 0.1, 0.1, 0.1],
    ],
    "float32",
)
IDS = np.array([3, 1, 2, 0, 1, 0], "int64")
HOT = np.eye(4, dtype="float32")[IDS]
INDEX = np.arange(24)
PROBABILITIES = np.round((INDEX * 37 % 101) / 100.0, 3).astype("float32").reshape(6, 4)
LABELS = (INDEX * 5 % 7 > 3).astype("float32").reshape(6, 4)
FLOATS = np.round(np.sin(0.7 * INDEX), 3).astype("float32").reshape(6, 4)
OTHERS = np.round(np.cos(0.9 * INDEX), 3).astype("float32").reshape(6, 4)
SCORES = np.array([0.1, 0.4, 0.35, 0.8, 0.8, 0.5], "float32").reshape(6, 1)
TRUTH = np.array([0, 0, 1, 1, 0, 1], "float32").reshape(6, 1)
WEIGHTS = np.array([1.0, 0.0, 2.0, 0.5, 3.0, 1.5], "float32")


def listed():
    """(metric, predictions, target)"""
    yield from accuracies()
    yield from counts()
    yield from areas()
    yield from regressions()
    yield from overlaps()
    yield from of_rows()


def accuracies():
    yield dict(kind="CategoricalAccuracy"), TIES, HOT
    yield dict(kind="SparseCategoricalAccuracy"), TIES, IDS
    yield dict(kind="BinaryAccuracy"), PROBABILITIES, LABELS
    yield dict(kind="BinaryAccuracy", threshold=0.3), PROBABILITIES, LABELS
    yield dict(kind="BinaryAccuracy"), SCORES, TRUTH
    yield dict(kind="Accuracy"), np.round(PROBABILITIES), LABELS
    for k in (1, 2, 3):
        yield dict(kind="TopKCategoricalAccuracy", k=k), TIES, HOT
        yield dict(kind="SparseTopKCategoricalAccuracy", k=k), TIES, IDS
    yield dict(kind="CategoricalCrossentropy"), TIES, HOT
    yield dict(kind="CategoricalCrossentropy", from_logits=True, label_smoothing=0.1), OTHERS, HOT
    yield dict(kind="SparseCategoricalCrossentropy"), TIES, IDS
    yield dict(kind="BinaryCrossentropy"), PROBABILITIES, LABELS
    yield dict(kind="BinaryCrossentropy", from_logits=True), OTHERS, LABELS
    yield dict(kind="Mean"), OTHERS, None


def counts():
    for kind in ("TruePositives", "TrueNegatives", "FalsePositives", "FalseNegatives"):
        yield dict(kind=kind), PROBABILITIES, LABELS
        yield dict(kind=kind, thresholds=[0.2, 0.7]), PROBABILITIES, LABELS
    for kind in ("Precision", "Recall"):
        yield dict(kind=kind), PROBABILITIES, LABELS
        yield dict(kind=kind), SCORES, TRUTH
        yield dict(kind=kind, thresholds=[0.2, 0.7]), PROBABILITIES, LABELS
        yield dict(kind=kind, top_k=2), PROBABILITIES, LABELS
        yield dict(kind=kind, class_id=1), PROBABILITIES, LABELS
        yield dict(kind=kind, class_id=3, top_k=2), PROBABILITIES, LABELS
        yield dict(kind=kind, thresholds=1.0), PROBABILITIES, LABELS
    for average in (None, "micro", "macro", "weighted"):
        yield dict(kind="F1Score", average=average, threshold=0.5), PROBABILITIES, LABELS
        yield dict(kind="F1Score", average=average), TIES, HOT
    yield dict(kind="FBetaScore", beta=2.0, threshold=0.4), PROBABILITIES, LABELS
    yield dict(kind="FBetaScore", average="macro", beta=0.5, threshold=0.4), PROBABILITIES, LABELS


def areas():
    for curve in ("ROC", "PR"):
        yield dict(kind="AUC", curve=curve), SCORES, TRUTH
        yield dict(kind="AUC", curve=curve), PROBABILITIES, LABELS
        for method in ("majoring", "minoring"):
            yield dict(kind="AUC", curve=curve, summation_method=method), PROBABILITIES, LABELS
        yield dict(kind="AUC", curve=curve, num_thresholds=5), PROBABILITIES, LABELS
        yield dict(kind="AUC", curve=curve, thresholds=[0.2, 0.45, 0.7]), PROBABILITIES, LABELS
        yield dict(kind="AUC", curve=curve, multi_label=True), PROBABILITIES, LABELS
    yield dict(kind="AUC", multi_label=True, label_weights=[0.1, 0.2, 0.3, 0.4]), PROBABILITIES, LABELS
    yield dict(kind="AUC", from_logits=True), OTHERS, LABELS
    yield dict(kind="SpecificityAtSensitivity", sensitivity=0.6), PROBABILITIES, LABELS
    yield dict(kind="SensitivityAtSpecificity", specificity=0.6), PROBABILITIES, LABELS
    yield dict(kind="PrecisionAtRecall", recall=0.6), PROBABILITIES, LABELS
    yield dict(kind="RecallAtPrecision", precision=0.5), PROBABILITIES, LABELS
    yield dict(kind="SensitivityAtSpecificity", specificity=0.6, num_thresholds=20), SCORES, TRUTH
    yield dict(kind="RecallAtPrecision", precision=0.99), PROBABILITIES, LABELS


def regressions():
    for kind in (
        "MeanSquaredError",
        "RootMeanSquaredError",
        "MeanAbsoluteError",
        "MeanAbsolutePercentageError",
        "MeanSquaredLogarithmicError",
        "CosineSimilarity",
        "LogCoshError",
    ):
        yield dict(kind=kind), OTHERS, FLOATS
    yield dict(kind="CosineSimilarity", axis=0), OTHERS, FLOATS
    for average in (None, "uniform_average", "variance_weighted_average"):
        yield dict(kind="R2Score", class_aggregation=average), OTHERS, FLOATS
    yield dict(kind="R2Score", num_regressors=1), OTHERS, FLOATS
    for kind in ("Hinge", "SquaredHinge", "CategoricalHinge"):
        yield dict(kind=kind), OTHERS, LABELS
    yield dict(kind="Hinge"), OTHERS, LABELS * 2 - 1
    yield dict(kind="KLDivergence"), PROBABILITIES, LABELS
    yield dict(kind="Poisson"), PROBABILITIES, LABELS


def overlaps():
    guessed = (INDEX[:6] * 5 % 4).astype("float32")
    yield dict(kind="MeanIoU", num_classes=4), guessed, IDS
    yield dict(kind="IoU", num_classes=4, target_class_ids=[0, 2]), guessed, IDS
    yield dict(kind="BinaryIoU"), PROBABILITIES, LABELS
    yield dict(kind="BinaryIoU", target_class_ids=[1], threshold=0.3), PROBABILITIES, LABELS
    yield dict(kind="OneHotIoU", num_classes=4, target_class_ids=[1, 3]), TIES, HOT
    yield dict(kind="OneHotMeanIoU", num_classes=4), TIES, HOT
    yield dict(kind="MeanIoU", num_classes=4, ignore_class=3), guessed, IDS


def of_rows():
    yield dict(kind="PearsonCorrelation"), OTHERS, FLOATS
    yield dict(kind="ConcordanceCorrelation"), OTHERS, FLOATS
    yield dict(kind="MeanRelativeError", normalizer=[1.0, 0.0, 2.0, 0.5]), OTHERS, FLOATS


def values(family):
    if family.profile in ("keras22", "tf1"):
        return
    for spec, predictions, target in listed():
        for weights in (None, WEIGHTS):
            try:
                yield case(family, spec, predictions, target, weights)
            except Exception as error:
                print(
                    "  without",
                    spec,
                    "" if weights is None else "weighted",
                    "--",
                    type(error).__name__,
                    str(error).strip().split("\n")[0][:100],
                    flush=True,
                )


def case(family, spec, predictions, target, weights):
    """First four examples, then the other two."""
    metric = family.metric(spec)
    results = []
    for part in (slice(0, 4), slice(4, 6)):
        arguments = [predictions[part]] if target is None else [target[part], predictions[part]]
        metric.update_state(*arguments, sample_weight=None if weights is None else weights[part])
        results.append(np.asarray(metric.result(), "float32"))
    found = dict(metric=spec, profile=family.profile, shape=list(predictions.shape), predictions=predictions)
    if target is not None:
        found.update(target_shape=list(target.shape), target_is_class_id=target.dtype.kind == "i", target=target)
    if weights is not None:
        found["sample_weights"] = weights
    return dict(found, results=[result.reshape(-1) for result in results])
