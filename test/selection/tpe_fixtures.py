#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes data/tpe_fixtures.json: what hyperopt's own functions compute, for parzen_test.cpp to compare with.

    python3.11 -m venv V && V/bin/pip install -r requirements-hyperopt.txt && V/bin/python tpe_fixtures.py
"""
import json
import math
import pathlib

import numpy as np
from hyperopt import tpe

PRIOR_WEIGHT = 1.0
RANGES = [(0.0, 1.0), (-5.0, 10.0), (math.log(1e-5), math.log(1e-1))]
COUNTS = [0, 1, 2, 3, 5, 24, 25, 26, 27, 60, 150]


def numbers(values):
    return [float(value) for value in np.asarray(values).ravel()]


def parzen(observations, low, high):
    return tpe.adaptive_parzen_normal(np.asarray(observations), PRIOR_WEIGHT, 0.5 * (low + high), high - low)


def mixtures(random):
    cases = []
    for low, high in RANGES:
        middle = 0.5 * (low + high)
        lists = [random.uniform(low, high, count) for count in COUNTS]
        # The prior's place among equals, clusters far narrower than the range, both ends.
        lists += [[middle], [middle, low], [low, high], [low, low + 1e-9 * (high - low), middle, high]]
        lists += [np.clip(random.normal(low + 0.3 * (high - low), 0.01 * (high - low), 30), low, high)]
        for observations in lists:
            weights, means, deviations = parzen(observations, low, high)
            candidates = random.uniform(low, high, 6)
            densities = tpe.GMM1_lpdf(candidates, weights, means, deviations, low=low, high=high)
            cases.append({"low": low, "high": high, "observations": numbers(observations), "weights": numbers(weights),
                          "means": numbers(means), "deviations": numbers(deviations), "candidates": numbers(candidates),
                          "log_densities": numbers(densities)})
    return cases


def log_ratios(random):
    """Log-uniform parameters. hyperopt leaves out what all candidates share: the first candidate's ratio is taken off."""
    cases = []
    for good_count, other_count in [(0, 5), (1, 19), (3, 40), (7, 120)]:
        low, high = RANGES[2]
        good = random.uniform(low, 0.5 * (low + high), good_count)
        others = random.uniform(low, high, other_count)
        candidates = random.uniform(low, high, 8)
        ratios = (tpe.LGMM1_lpdf(np.exp(candidates), *parzen(good, low, high), low=low, high=high) -
                  tpe.LGMM1_lpdf(np.exp(candidates), *parzen(others, low, high), low=low, high=high))
        cases.append({"low": low, "high": high, "good": numbers(good), "others": numbers(others),
                      "candidates": numbers(candidates), "log_ratios": numbers(ratios - ratios[0])})
    return cases


def categories(random):
    cases = []
    for count in (2, 3, 7):
        for observed in COUNTS:
            observations = random.integers(0, count, observed)
            weights = tpe.linear_forgetting_weights(observed, tpe.DEFAULT_LF)
            counts = np.bincount(observations, weights=weights, minlength=count) if observed else np.zeros(count)
            posterior = tpe.tpe_cat_pseudocounts(counts, PRIOR_WEIGHT, np.full(count, 1.0 / count), (1,))
            cases.append({"count": count, "observations": numbers(observations), "probabilities": numbers(posterior)})
    return cases


def main():
    random = np.random.default_rng(7)
    fixtures = {
        "forgetting": [{"count": count, "weights": numbers(tpe.linear_forgetting_weights(count, tpe.DEFAULT_LF))}
                       for count in COUNTS],
        "mixtures": mixtures(random), "log_ratios": log_ratios(random), "categories": categories(random),
    }
    lines = []
    for name, cases in fixtures.items():
        rows = ",\n".join(json.dumps(case) for case in cases)
        lines.append(f'"{name}": [\n{rows}]')
    path = pathlib.Path(__file__).parent / "data" / "tpe_fixtures.json"
    path.write_text("{" + ",\n".join(lines) + "}\n")


if __name__ == "__main__":
    main()
