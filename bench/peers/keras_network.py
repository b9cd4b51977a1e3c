# SPDX-License-Identifier: Apache-2.0
"""A torch.nn network out of Keras's JSON, initialized as Keras does, so that both sides train the same thing. The last
softmax or sigmoid is left to the loss."""
import os
import sys

import torch
from torch import nn

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from measure.networks import walk  # noqa: E402


class FlattenLast(nn.Module):
    """Flattens as Keras does, height, width, channel: a view of a channels-last tensor."""

    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class TextConvolution(nn.Module):
    """Conv1D over (rows, words, features) as a convolution over images of height 1: channels last, without a copy."""

    def __init__(self, inputs, filters, kernel):
        super().__init__()
        self.convolution = nn.Conv2d(inputs, filters, (1, kernel))

    def forward(self, x):
        return self.convolution(x.permute(0, 2, 1).unsqueeze(2)).squeeze(2).permute(0, 2, 1)


class GlobalMax(nn.Module):
    def forward(self, x):
        return x.max(1).values


class LastOfLstm(nn.Module):
    def __init__(self, inputs, units):
        super().__init__()
        self.lstm = nn.LSTM(inputs, units, batch_first=True)
        self.lstm.bias_hh_l0.requires_grad_(False)  # Keras has one bias

    def forward(self, x):
        return self.lstm(x)[1][0][0]


def _module(kind, config, before, tuned):
    if kind == "Conv2D":
        padding = "same" if config.get("padding") == "same" else 0
        if padding == "same":
            padding = tuple(size // 2 for size in config["kernel_size"])
        return nn.Conv2d(before[-1], config["filters"], tuple(config["kernel_size"]), padding=padding)
    if kind == "Conv1D":
        return TextConvolution(before[-1], config["filters"], config["kernel_size"][0])
    if kind == "Dense":
        return nn.Linear(before[-1], config["units"])
    if kind == "MaxPooling2D":
        return nn.MaxPool2d(tuple(config["pool_size"]))
    if kind == "Dropout":
        return nn.Dropout(config["rate"])
    if kind == "Flatten":
        return FlattenLast() if tuned else nn.Flatten()
    if kind == "BatchNormalization":
        norm = nn.BatchNorm2d if len(before) == 3 else nn.BatchNorm1d
        return norm(before[-1], eps=config["epsilon"], momentum=1 - config["momentum"])
    if kind == "Embedding":
        return nn.Embedding(config["input_dim"], config["output_dim"])
    if kind == "GlobalMaxPooling1D":
        return GlobalMax()
    if kind == "LSTM":
        return LastOfLstm(before[-1], config["units"])
    return None  # InputLayer, Activation


def _draw(weight, config):
    """Keras's default is glorot_uniform."""
    initializer = config.get("kernel_initializer", {"class_name": "GlorotUniform"})
    {"GlorotUniform": nn.init.xavier_uniform_,
     "HeUniform": lambda it: nn.init.kaiming_uniform_(it, nonlinearity="relu")}[initializer["class_name"]](weight)


@torch.no_grad()
def _initialize(module, config):
    if isinstance(module, TextConvolution):
        module = module.convolution
    if isinstance(module, (nn.Linear, nn.Conv2d)):
        _draw(module.weight, config)
        nn.init.zeros_(module.bias)
    elif isinstance(module, nn.Embedding):
        nn.init.uniform_(module.weight, -0.05, 0.05)
    elif isinstance(module, LastOfLstm):
        lstm, units = module.lstm, module.lstm.hidden_size
        bound = (6.0 / (lstm.input_size + 4 * units)) ** 0.5  # Keras draws all four gates as one matrix
        nn.init.uniform_(lstm.weight_ih_l0, -bound, bound)
        nn.init.orthogonal_(lstm.weight_hh_l0)
        nn.init.zeros_(lstm.bias_ih_l0)
        nn.init.zeros_(lstm.bias_hh_l0)
        lstm.bias_ih_l0[units:2 * units] = 1.0  # the forget gate


def build(text, tuned):
    """`tuned`: channels last, relu in place, and after pooling where it comes before it, which is the same on fewer values."""
    modules = []
    for kind, config, before, _, _ in walk(text):
        module = _module(kind, config, before, tuned)
        if module is not None:
            _initialize(module, config)
            if tuned and "MaxPooling" in kind and isinstance(modules[-1], nn.ReLU):
                modules.insert(-1, module)
            else:
                modules.append(module)
        if config.get("activation") == "relu" and kind != "LSTM":
            modules.append(nn.ReLU(inplace=tuned))
    network = nn.Sequential(*modules)
    return network.to(memory_format=torch.channels_last) if tuned else network


def optimizer(description, parameters, tuned):
    """As Keras defines them: epsilon 1e-7, RMSprop's decay 0.9, Adagrad's accumulator 0.1."""
    parameters = [parameter for parameter in parameters if parameter.requires_grad]
    name, rate = description["name"], description["learning_rate"]
    if name == "SGD":
        return torch.optim.SGD(parameters, lr=rate, momentum=description.get("momentum", 0.0), fused=tuned or None)
    if name == "Adam":
        return torch.optim.Adam(parameters, lr=rate, eps=1e-7, fused=tuned or None)
    if name == "Adagrad":
        return torch.optim.Adagrad(parameters, lr=rate, eps=1e-7, initial_accumulator_value=0.1, fused=tuned or None)
    return torch.optim.RMSprop(parameters, lr=rate, alpha=0.9, eps=1e-7, foreach=tuned or None)
