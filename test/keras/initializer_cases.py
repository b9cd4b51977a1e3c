# SPDX-License-Identifier: Apache-2.0
"""Statistics of one draw of each initializer: streams of random numbers cannot be compared, distributions can."""

import numpy as np

SHAPES = ((300, 200), (3, 5, 40, 60), (100000,))
KINDS = [
    dict(kind=kind)
    for kind in (
        "GlorotUniform",
        "GlorotNormal",
        "HeUniform",
        "HeNormal",
        "LecunUniform",
        "LecunNormal",
        "RandomNormal",
        "RandomUniform",
        "TruncatedNormal",
        "Orthogonal",
    )
]
KINDS += [
    dict(kind="RandomNormal", mean=0.5, stddev=0.2),
    dict(kind="RandomUniform", minval=-1.0, maxval=0.25),
    dict(kind="TruncatedNormal", mean=-0.5, stddev=0.2),
    dict(kind="Orthogonal", gain=0.5),
]
KINDS += [
    dict(kind="VarianceScaling", scale=scale, mode=mode, distribution=distribution)
    for scale, mode, distribution in (
        (1.0, "fan_in", "truncated_normal"),
        (2.0, "fan_out", "untruncated_normal"),
        (0.5, "fan_avg", "uniform"),
    )
]


def values(family):
    if family.profile in ("keras22", "tf1"):
        return
    for spec in KINDS:
        arguments = {key: value for key, value in spec.items() if key != "kind"}
        for shape in SHAPES:
            if spec["kind"] == "Orthogonal" and len(shape) == 1:
                continue
            drawn = np.array(getattr(family.keras.initializers, spec["kind"])(seed=3, **arguments)(shape))
            yield dict(
                profile=family.profile,
                initializer=spec,
                shape=list(shape),
                mean=float(drawn.mean()),
                deviation=float(drawn.std()),
                smallest=float(drawn.min()),
                largest=float(drawn.max()),
            )
