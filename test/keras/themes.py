# SPDX-License-Identifier: Apache-2.0
"""Which module makes which fixture file: `models` themes list cases for model_run, `values` themes compute."""

import convolution_cases
import core_cases
import initializer_cases
import loss_cases
import merge_cases
import metric_cases
import normalization_cases
import operation_cases
import optimizer_cases
import recurrent_cases
import topology_cases
import training_cases
import whole_models

THEMES = {
    "layers_core": ("models", core_cases.cases),
    "layers_activation": ("models", core_cases.activation_cases),
    "layers_convolution": ("models", convolution_cases.convolution_cases),
    "layers_pooling": ("models", convolution_cases.pooling_cases),
    "layers_resizing": ("models", convolution_cases.resizing_cases),
    "layers_normalization": ("models", normalization_cases.cases),
    "layers_recurrent": ("models", recurrent_cases.cases),
    "layers_wrappers": ("models", recurrent_cases.wrapper_cases),
    "layers_merge": ("models", merge_cases.cases),
    "layers_attention": ("models", merge_cases.attention_cases),
    "operations": ("models", operation_cases.cases),
    "topology": ("models", topology_cases.cases),
    "training": ("models", training_cases.cases),
    "optimizer_networks": ("models", optimizer_cases.cases),
    "optimizer_steps": ("values", optimizer_cases.steps),
    "schedules": ("values", optimizer_cases.schedules),
    "loss_values": ("values", loss_cases.values),
    "metric_values": ("values", metric_cases.values),
    "initializer_draws": ("values", initializer_cases.values),
}

AS_IN_TF2_LEGACY = {
    "tf2": [name for name in THEMES if name.startswith("layers_")],
    "keras3": ["layers_convolution", "layers_pooling", "layers_resizing", "layers_merge"],
    "keras22": ["layers_core", "layers_convolution", "layers_pooling", "layers_merge"],
}
NOT_IN_KERAS3 = (
    "DenseNet121",
    "InceptionV3",
    "NASNetMobile",
    "Xception",
)  # their JSON is large, the layers are the same
TF1_THEMES = ("layers_normalization", "layers_wrappers", "training")


def names(profile):
    """All themes that this family writes."""
    if profile == "tf1":
        return list(TF1_THEMES)
    return list(THEMES) + ["whole_" + name for name in whole_names(profile)]


def whole_names(profile):
    if profile == "keras22":
        return [name for name in whole_models.names() if name not in whole_models.APPLICATIONS]
    if profile == "keras3":
        return [name for name in whole_models.names() if name not in NOT_IN_KERAS3]
    return whole_models.names() if profile == "tf2_legacy" else []


def theme(name):
    if name.startswith("whole_"):
        return "models", whole_models.cases(name[len("whole_") :])
    return THEMES[name]
