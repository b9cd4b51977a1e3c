# SPDX-License-Identifier: Apache-2.0
"""The training workloads: one description that our side loads into tables and that the peers get as JSON."""
import dataclasses

from measure import networks

TEXT_WORDS, TEXT_LENGTH = 5000, 200  # bench/prepare_data


@dataclasses.dataclass
class Workload:
    name: str
    data: str  # cifar10, adult or imdb
    loss: str  # categorical_crossentropy or binary_crossentropy
    metric: str
    architectures: list
    optimizers: list
    batches: list
    iterations: int
    train_rows: int
    test_rows: int
    segments: int

    def configurations(self):
        """All combinations; tables.py finds their keys."""
        return [{"architecture": place, "optimizer": optimizer, "batch": batch}
                for place in range(len(self.architectures)) for optimizer in self.optimizers for batch in self.batches]

    def compile_params(self, optimizer):
        return f"loss='{self.loss}', optimizer='{optimizer_text(optimizer)}', metrics=['{self.metric}']"

    @staticmethod
    def fit_params(batch):
        return f"batch_size={batch}, epochs=1"

    def flops(self):
        """Of the whole run: training and, after each iteration, evaluation of both tables."""
        total = 0
        for configuration in self.configurations():
            training, forward = networks.flops(self.architectures[configuration["architecture"]])
            total += self.iterations * (self.train_rows * (training + forward) + self.test_rows * forward)
        return total

    def small(self):
        """Enough to see that both sides work and agree; no figure of it counts."""
        rows = {"cifar10": (1000, 500), "adult": (4000, 1000), "imdb": (1000, 500)}[self.data]
        optimizers = self.optimizers
        if len(optimizers) > 4:
            optimizers = optimizers[::4] if len(optimizers) > 8 else optimizers[1::2]
        batches = self.batches if len(self.batches) < 3 else self.batches[::3]
        return dataclasses.replace(self, train_rows=rows[0], test_rows=rows[1], optimizers=optimizers, batches=batches,
                                   iterations=min(self.iterations, 2))


def optimizer_text(optimizer):
    return f"{optimizer['name']}(" + ", ".join(f"{key}={value}" for key, value in optimizer.items() if key != "name") + ")"


def _sgd(rate, momentum=0.9):
    return {"name": "SGD", "learning_rate": rate, **({"momentum": momentum} if momentum else {})}


def _named(name, rate):
    return {"name": name, "learning_rate": rate}


def _adam(rate):
    return _named("Adam", rate)


def all_workloads():
    tabular = [_sgd(rate) for rate in (0.1, 0.03, 0.01, 0.003, 0.001, 0.05, 0.02, 0.005)]
    tabular += [_adam(rate) for rate in (0.01, 0.003, 0.001, 0.0003, 0.0001, 0.005, 0.002, 0.0005)]
    text = [_adam(0.001), _adam(0.003), _named("RMSprop", 0.001), _sgd(0.1)]
    images = [_adam(0.0001), _adam(0.001), _named("RMSprop", 0.0001), _named("RMSprop", 0.001), _sgd(0.001), _sgd(0.01),
              _sgd(0.01, 0), _named("Adagrad", 0.01)]
    categorical = ("categorical_crossentropy", "accuracy")
    binary = ("binary_crossentropy", "binary_accuracy")
    found = [
        Workload("w1", "cifar10", *categorical, [networks.cifar10_cnn(), networks.cifar10_mlp()], [_sgd(0.01), _adam(0.001)],
                 [32, 128], 2, 10000, 2000, 4),
        Workload("w2", "cifar10", *categorical,
                 [networks.example(name) for name in ("cifar10_cnn", "cifar10_vgg3", "cifar10_small")], images,
                 [32, 64, 128, 256], 1, 2000, 1000, 4),
        Workload("w3", "adult", *binary, [networks.tabular_mlp(64, 32), networks.tabular_mlp(128, 64)], tabular, [64, 256], 3,
                 32561, 16281, 2),
        Workload("text", "imdb", *binary, [networks.text_conv(TEXT_WORDS, TEXT_LENGTH)], text, [32, 128], 2, 8000, 2000, 2),
        Workload("lstm", "imdb", *binary, [networks.text_lstm(TEXT_WORDS, TEXT_LENGTH)], text, [32, 128], 2, 8000, 2000, 2),
    ]
    return {workload.name: workload for workload in found}
