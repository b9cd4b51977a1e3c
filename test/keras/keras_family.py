# SPDX-License-Identifier: Apache-2.0
"""Where the Keras families differ for a caller: imports, evaluate's result, optimizer and loss classes, determinism.

`family(profile)` gives an object with the same face for keras 2.2.4, tf.keras 1.14, tf.keras 2.10 and 2.15 and Keras 3.
"""

import os

os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ.setdefault("KERAS_BACKEND", "tensorflow")
PROFILES = ("keras22", "tf1", "tf2_legacy", "tf2", "keras3")

LOSS_CLASSES = dict(kl_divergence="KLDivergence", logcosh="LogCosh", log_cosh="LogCosh")


def camel(name):
    return "".join(part.capitalize() for part in name.split("_"))


def family(profile):
    if profile not in PROFILES:
        raise SystemExit("profile must be one of " + " ".join(PROFILES))
    return GraphFamily(profile) if profile in ("keras22", "tf1") else EagerFamily(profile)


class Family:
    """What all have in common."""

    def __init__(self, profile, keras, tf):
        self.profile, self.keras, self.tf = profile, keras, tf
        self.layers = keras.layers

    def optimizer(self, spec):
        arguments = {key: value for key, value in spec.items() if key != "kind"}
        rate = arguments.get("learning_rate")
        if isinstance(rate, dict):
            arguments["learning_rate"] = self.schedule(rate)
        if self.profile == "keras22":
            arguments["lr"] = arguments.pop("learning_rate")
        return getattr(self.optimizers, spec["kind"])(**arguments)

    def schedule(self, spec):
        arguments = {key: value for key, value in spec.items() if key != "kind"}
        return getattr(self.keras.optimizers.schedules, spec["kind"])(**arguments)

    def loss(self, spec):
        """The name where there are no arguments, else an object of the class."""
        arguments = {key: value for key, value in spec.items() if key != "kind"}
        if not arguments:
            return spec["kind"]
        return getattr(self.keras.losses, LOSS_CLASSES.get(spec["kind"], camel(spec["kind"])))(**arguments)

    def metric(self, spec):
        if isinstance(spec, str):
            return spec
        return getattr(self.keras.metrics, spec["kind"])(**{key: value for key, value in spec.items() if key != "kind"})


class EagerFamily(Family):
    """tf.keras 2.x and Keras 3."""

    def __init__(self, profile):
        import tensorflow as tf

        keras = __import__("keras") if profile == "keras3" else tf.keras
        super().__init__(profile, keras, tf)
        tf.config.threading.set_intra_op_parallelism_threads(1)
        tf.config.threading.set_inter_op_parallelism_threads(1)
        if profile != "keras3":  # there it would forbid XLA, and one thread is deterministic anyway
            tf.config.experimental.enable_op_determinism()
        keras.utils.set_random_seed(1)
        self.optimizers = keras.optimizers
        if profile == "tf2_legacy" and not tf.__version__.startswith("2.10"):
            self.optimizers = keras.optimizers.legacy

    def clear(self):
        self.keras.backend.clear_session()

    def weights(self, model):
        return model.weights

    def compile(self, model, case):
        arguments = dict(run_eagerly=not case.get("graph"))
        if self.profile == "keras3" or case.get("xla"):
            arguments["jit_compile"] = bool(case.get("xla"))
        if case.get("xla"):
            arguments["run_eagerly"] = False
        weighted = "weighted_metrics" if case.get("weighted") else "metrics"
        metrics = [[self.metric(m) for m in group] for group in case["metrics"]]
        if case.get("loss_weights"):
            arguments["loss_weights"] = list(case["loss_weights"])
        losses = [self.loss(spec) for spec in case["losses"]]
        arguments[weighted] = metrics if len(losses) > 1 else metrics[0]
        model.compile(
            loss=losses if len(losses) > 1 else losses[0], optimizer=self.optimizer(case["optimizer"]), **arguments
        )

    def evaluate(self, model, x, y, case, weights):
        arguments = dict(batch_size=32, verbose=0, sample_weight=weights)
        if len(case["losses"]) == 1:
            values = model.evaluate(x, y, **arguments)
            values = [float(v) for v in (values if isinstance(values, (list, tuple)) else [values])]
            return dict(loss=values[0], metrics=[values[1:]])
        found = model.evaluate(x, y, return_dict=True, **arguments)  # Keras 3 sorts the list by output name
        names = list(model.output_names)
        return dict(
            loss=float(found["loss"]),
            output_losses=[float(found[n + "_loss"]) for n in names],
            metrics=[[float(found[n + "_" + m]) for m in group] for n, group in zip(names, case["metrics"])],
        )

    def predict(self, model, x):
        return model.predict(x, verbose=0)

    def train_on_batch(self, model, x, y, case, weights):
        arguments = (
            dict(class_weight={int(k): v for k, v in case["class_weights"].items()})
            if case.get("class_weights")
            else {}
        )
        values = model.train_on_batch(x, y, sample_weight=weights, **arguments)
        if hasattr(model, "reset_metrics"):
            model.reset_metrics()
        return float(values[0] if isinstance(values, (list, tuple)) else values)

    def gradients(self, model, x, y, weights):
        """Of the training loss with penalties: one array per weight, None where nothing is trained."""
        x, y, weights = self.tensors(x), self.tensors(y), None if weights is None else self.tensors(weights)
        with self.tf.GradientTape() as tape:
            outputs = model(x, training=True)
            loss = model.compute_loss(x=x, y=y, y_pred=outputs, sample_weight=weights)
        variables = [getattr(v, "value", v) if self.profile == "keras3" else v for v in model.trainable_variables]
        found = {id(v): g for v, g in zip(model.trainable_variables, tape.gradient(loss, variables))}
        return [self.dense(found.get(id(v))) for v in model.weights]

    def variable(self, value):
        return self.keras.Variable(value) if self.profile == "keras3" else self.tf.Variable(value)

    def tensors(self, arrays):
        return [self.tf.constant(a) for a in arrays] if isinstance(arrays, list) else self.tf.constant(arrays)

    def dense(self, gradient):
        return None if gradient is None else self.tf.convert_to_tensor(gradient).numpy()

    def fit(self, model, x, y, **arguments):
        return model.fit(x, y, shuffle=False, verbose=0, **arguments).history


class GraphFamily(Family):
    """keras 2.2.4 and tf.keras on TensorFlow 1.14; resource variables, so that no gradient reads an updated weight."""

    def __init__(self, profile):
        import tensorflow as tf

        tf.compat.v1.logging.set_verbosity(tf.compat.v1.logging.ERROR)
        tf.compat.v1.enable_resource_variables()
        keras = __import__("keras") if profile == "keras22" else tf.keras
        super().__init__(profile, keras, tf)
        self.optimizers = keras.optimizers

    def clear(self):
        self.keras.backend.clear_session()
        config = self.tf.compat.v1.ConfigProto(intra_op_parallelism_threads=1, inter_op_parallelism_threads=1)
        (
            self.keras.backend.set_session(self.tf.compat.v1.Session(config=config))
            if self.profile == "keras22"
            else self.tf.compat.v1.keras.backend.set_session(self.tf.compat.v1.Session(config=config))
        )

    def weights(self, model):
        return [variable for layer in model.layers for variable in layer.weights]

    def compile(self, model, case):
        losses = [self.loss(spec) for spec in case["losses"]]
        one = len(losses) == 1
        metrics = [list(group) for group in case["metrics"]]
        by_name = dict(zip(model.output_names, metrics))
        arguments = dict(loss_weights=list(case["loss_weights"])) if case.get("loss_weights") else {}
        weighted = "weighted_metrics" if case.get("weighted") else "metrics"
        arguments[weighted] = metrics[0] if one else {k: v for k, v in by_name.items() if v}
        model.compile(loss=losses[0] if one else losses, optimizer=self.optimizer(case["optimizer"]), **arguments)

    def evaluate(self, model, x, y, case, weights):
        values = model.evaluate(x, y, batch_size=32, verbose=0, sample_weight=weights)
        values = [float(v) for v in (values if isinstance(values, (list, tuple)) else [values])]
        count = len(case["losses"])
        first = 1 if count == 1 else 1 + count
        rest, groups = values[first:], []
        for group in case["metrics"]:
            groups.append(rest[: len(group)])
            rest = rest[len(group) :]
        found = dict(loss=values[0], metrics=groups)
        return found if count == 1 else dict(found, output_losses=values[1:first])

    def predict(self, model, x):
        return model.predict(x)

    def train_on_batch(self, model, x, y, case, weights):
        arguments = (
            dict(class_weight={int(k): v for k, v in case["class_weights"].items()})
            if case.get("class_weights")
            else {}
        )
        values = model.train_on_batch(x, y, sample_weight=weights, **arguments)
        return float(values[0] if isinstance(values, (list, tuple)) else values)

    def gradients(self, model, x, y, weights):
        return None

    def fit(self, model, x, y, **arguments):
        return model.fit(x, y, shuffle=False, verbose=0, **arguments).history
