# SPDX-License-Identifier: Apache-2.0
"""bench/quick: workloads like w1 and w3, small enough for a minute, against the tuned peers. Its ratios are worse than those of the
whole runs, because starts weigh more: compare them with those of the commit before."""
import dataclasses

from measure import training


def rows(workloads, folder, repeat):
    w1 = dataclasses.replace(workloads["w1"], train_rows=1600, test_rows=400, iterations=1)
    w3 = dataclasses.replace(workloads["w3"], iterations=1)
    for workload in (w1, w3):
        training.brief_rows(workload, folder, repeat)
