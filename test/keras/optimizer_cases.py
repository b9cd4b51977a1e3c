# SPDX-License-Identifier: Apache-2.0
"""Optimizers: steps on one variable with given gradients, schedules at given steps, a network trained by each."""

import numpy as np

from case_builder import CCE, adam, case, dense, sequential, sgd

START = [1.0, -0.5, 0.25, 0.125, -2.0]
GRADIENTS = [
    [0.4, -0.1, 1e-3, 1e-6, 3e-7],
    [0.2, 0.3, -1e-3, 2e-6, 0.0],
    [-0.5, 0.05, 2e-3, -1e-6, 3e-7],
    [0.1, -0.2, 0.0, 5e-7, -3e-7],
]
COUNTERLESS = ("SGD", "RMSprop", "Adagrad", "Adadelta")
LEGACY, NEW, KERAS3 = ("tf2_legacy",), ("tf2", "keras3"), ("keras3",)


def kinds(profile):
    """(Keras arguments, families); families None is all."""
    yield dict(kind="SGD", learning_rate=0.1), None
    yield dict(kind="SGD", learning_rate=0.1, momentum=0.9), None
    yield dict(kind="SGD", learning_rate=0.1, momentum=0.9, nesterov=True), None
    yield dict(kind="SGD", learning_rate=0.1, momentum=0.9, decay=0.5), LEGACY
    yield dict(kind="RMSprop", learning_rate=0.001), None
    yield dict(kind="RMSprop", learning_rate=0.01, rho=0.8, momentum=0.5), None
    yield dict(kind="RMSprop", learning_rate=0.01, centered=True), None
    yield dict(kind="RMSprop", learning_rate=0.01, momentum=0.5, centered=True, epsilon=1e-3), None
    yield dict(kind="RMSprop", learning_rate=0.01, decay=0.1), LEGACY
    yield dict(kind="Adam", learning_rate=0.001), None
    yield dict(kind="Adam", learning_rate=0.01, beta_1=0.8, beta_2=0.95, epsilon=1e-4), None
    yield dict(kind="Adam", learning_rate=0.01, amsgrad=True), None
    yield dict(kind="Adam", learning_rate=0.01, decay=0.25), LEGACY
    yield dict(kind="Adagrad", learning_rate=0.01), None
    yield dict(kind="Adagrad", learning_rate=0.01, initial_accumulator_value=0.5, epsilon=1e-3), None
    yield dict(kind="Adadelta", learning_rate=1.0), None
    yield dict(kind="Adadelta", learning_rate=0.001), None
    yield dict(kind="Adadelta", learning_rate=0.5, rho=0.8, epsilon=1e-4), None
    yield dict(kind="Adamax", learning_rate=0.002), None
    yield dict(kind="Adamax", learning_rate=0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-3), None
    yield dict(kind="Nadam", learning_rate=0.002), None
    yield dict(kind="Nadam", learning_rate=0.01, beta_1=0.8, beta_2=0.9, epsilon=1e-3), None
    yield dict(kind="Ftrl", learning_rate=0.1), None
    yield dict(kind="Ftrl", learning_rate=0.1, l1_regularization_strength=0.01, l2_regularization_strength=0.02), None
    yield dict(
        kind="Ftrl",
        learning_rate=0.1,
        learning_rate_power=-0.7,
        initial_accumulator_value=0.2,
        beta=0.1,
        l2_shrinkage_regularization_strength=0.03,
    ), None
    yield dict(kind="AdamW", learning_rate=0.01), NEW
    yield dict(kind="AdamW", learning_rate=0.01, weight_decay=0.1, amsgrad=True), NEW
    yield dict(kind="Lion", learning_rate=0.01), NEW
    yield dict(kind="Lion", learning_rate=0.01, beta_1=0.8, beta_2=0.9, weight_decay=0.1), NEW
    yield dict(kind="Adafactor", learning_rate=0.01), NEW
    yield dict(kind="Adafactor", learning_rate=0.1, relative_step=False, beta_2_decay=-0.5, clip_threshold=0.5), NEW
    yield dict(kind="Lamb", learning_rate=0.01), KERAS3
    for kind in ("SGD", "Adam", "RMSprop", "Adagrad", "Adadelta", "Adamax", "Nadam"):
        yield dict(kind=kind, learning_rate=0.01, weight_decay=0.2), NEW
    yield from clipped()
    yield dict(kind="SGD", learning_rate=0.1, use_ema=True, ema_momentum=0.9, ema_overwrite_frequency=2), NEW
    yield dict(kind="Adam", learning_rate=0.01, use_ema=True, ema_momentum=0.5, ema_overwrite_frequency=3), NEW
    yield dict(kind="SGD", learning_rate=0.1, gradient_accumulation_steps=2), KERAS3
    yield dict(kind="Adam", learning_rate=0.01, gradient_accumulation_steps=3), KERAS3


def clipped():
    yield dict(kind="SGD", learning_rate=0.1, clipnorm=0.1), None
    yield dict(kind="SGD", learning_rate=0.1, clipvalue=0.05), None
    yield dict(kind="SGD", learning_rate=0.1, global_clipnorm=0.2), None
    yield dict(kind="Adam", learning_rate=0.01, clipnorm=0.2), None
    yield dict(kind="SGD", learning_rate=0.1, clipnorm=0.1, clipvalue=0.05), ("tf2_legacy", "tf2")


def steps(family):
    """GraphFamily has no eager variables; there the formulas depart anyway (README.md)."""
    if family.profile in ("keras22", "tf1"):
        return
    for spec, families in kinds(family.profile):
        if families and family.profile not in families:
            continue
        for shape in ((5,),) if spec["kind"] != "Adafactor" else ((5,), (2, 3)):
            start, gradients = values(shape)
            made = family.variable(start)
            try:
                optimizer = family.optimizer(spec)
                after = []
                for gradient in gradients:
                    optimizer.apply_gradients([(family.tf.constant(gradient), made)])
                    after.append(np.array(made))
            except Exception as error:
                print("  without", spec, "--", str(error)[:120], flush=True)
                continue
            yield dict(
                profile=family.profile,
                optimizer=spec,
                shape=list(shape),
                start=start,
                gradients=gradients,
                weights=after,
            )


def values(shape):
    start, gradients = np.array(START, "float32"), np.array(GRADIENTS, "float32")
    if shape == (5,):
        return start, list(gradients)
    return np.resize(start, shape), [np.resize(g, shape) for g in gradients]


# --- schedules ----------------------------------------------------------------------------------------------------

SCHEDULES = [
    dict(kind="ExponentialDecay", initial_learning_rate=0.1, decay_steps=4, decay_rate=0.5),
    dict(kind="ExponentialDecay", initial_learning_rate=0.1, decay_steps=4, decay_rate=0.5, staircase=True),
    dict(kind="InverseTimeDecay", initial_learning_rate=0.1, decay_steps=4, decay_rate=0.5),
    dict(kind="InverseTimeDecay", initial_learning_rate=0.1, decay_steps=4, decay_rate=0.5, staircase=True),
    dict(kind="PolynomialDecay", initial_learning_rate=0.1, decay_steps=10),
    dict(kind="PolynomialDecay", initial_learning_rate=0.1, decay_steps=10, end_learning_rate=0.01, power=2.0),
    dict(
        kind="PolynomialDecay", initial_learning_rate=0.1, decay_steps=4, end_learning_rate=0.01, power=0.5, cycle=True
    ),
    dict(kind="PiecewiseConstantDecay", boundaries=[2, 5], values=[0.1, 0.05, 0.01]),
    dict(kind="CosineDecay", initial_learning_rate=0.1, decay_steps=10),
    dict(kind="CosineDecay", initial_learning_rate=0.1, decay_steps=10, alpha=0.2),
    dict(kind="CosineDecay", initial_learning_rate=0.01, decay_steps=10, alpha=0.1, warmup_target=0.1, warmup_steps=4),
    dict(kind="CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=4),
    dict(kind="CosineDecayRestarts", initial_learning_rate=0.1, first_decay_steps=3, t_mul=1.5, m_mul=0.8, alpha=0.1),
]
AT = [0, 1, 2, 3, 4, 5, 6, 7, 9, 10, 11, 12, 20, 28, 50]


def schedules(family):
    if family.profile in ("keras22", "tf1"):
        return
    for spec in SCHEDULES:
        try:
            schedule = family.schedule(spec)
        except TypeError as error:
            print("  without", spec, "--", str(error)[:120], flush=True)
            continue
        yield dict(profile=family.profile, schedule=spec, steps=AT, rates=[float(schedule(step)) for step in AT])


# --- networks -----------------------------------------------------------------------------------------------------


def cases(profile):
    """Rows 4 to 19 and every kind above: each trains the same network; `graph` cases run as Keras compiles them."""
    mlp = sequential((4,), dense(6, "relu"), dense(5, "relu"), dense(3, "softmax"))
    tanh = sequential((4,), dense(3, "tanh"), dense(3, "softmax"))
    if profile != "keras22":  # whose step counter departs from the formulas
        yield from adam_cases(mlp)
    for number, (spec, families) in enumerate(kinds(profile)):
        if families and profile not in families or profile == "keras22" and spec["kind"] not in COUNTERLESS:
            continue
        if profile == "tf2" and spec["kind"] == "Nadam":
            yield case(
                13,
                "network {} {}".format(number, title(spec)),
                tanh,
                CCE,
                spec,
                departs=dict(tf2="tf.keras 2.15 multiplies Nadam's momentum product once per variable"),
            )
            continue
        yield case(row_of(spec), "network {} {}".format(number, title(spec)), tanh, CCE, spec)
    yield from scheduled(tanh, profile)
    for name, clip in (
        ("clipnorm", dict(clipnorm=0.05)),
        ("clipvalue", dict(clipvalue=0.01)),
        ("global_clipnorm", dict(global_clipnorm=0.05)),
    ):
        if profile not in ("keras22", "tf1") or name != "global_clipnorm":
            yield case(17, "network with momentum and " + name, tanh, CCE, sgd(0.1, momentum=0.9, **clip))


def adam_cases(mlp):
    yield case(6, "adam of tiny inputs", mlp, CCE, adam(), inputs=[dict(scale=1e-4)])
    yield case(5, "adam with relu", mlp, CCE, adam(), metrics=["accuracy", "mse"])


def title(spec):
    words = ["{}={}".format(key, value) for key, value in spec.items() if key not in ("kind", "learning_rate")]
    return " ".join([spec["kind"]] + words)


def row_of(spec):
    rows = dict(RMSprop=8, Adam=5, Adagrad=10, Adadelta=11, Adamax=12, Nadam=13, Ftrl=14, AdamW=15, Lion=16, SGD=1)
    if "weight_decay" in spec:
        return 15
    if any(key.endswith("clipnorm") or key == "clipvalue" for key in spec):
        return 18
    if spec.get("decay"):
        return 4
    if spec.get("centered") or spec["kind"] == "RMSprop" and spec.get("momentum"):
        return 9
    return 7 if spec.get("amsgrad") and spec["kind"] == "Adam" else rows.get(spec["kind"], 0)


def scheduled(model, profile):
    if profile in ("keras22", "tf1"):
        return
    piecewise = dict(kind="PiecewiseConstantDecay", boundaries=[0, 1], values=[0.1, 0.05, 0.01])
    staircase = dict(kind="ExponentialDecay", initial_learning_rate=0.01, decay_steps=2, decay_rate=0.5, staircase=True)
    cosine = dict(kind="CosineDecay", initial_learning_rate=0.1, decay_steps=2, alpha=0.1)
    yield case(19, "network with SGD, PiecewiseConstantDecay", model, CCE, sgd(piecewise))
    yield case(19, "network with Adam, ExponentialDecay", model, CCE, adam(staircase))
    yield case(19, "network with momentum, CosineDecay", model, CCE, sgd(cosine, momentum=0.9))
