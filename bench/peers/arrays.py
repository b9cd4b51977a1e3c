# SPDX-License-Identifier: Apache-2.0
"""The arrays of bench/prepare_data as tensors, as float32 or word numbers and ready to be trained on."""
import json
import os
import resource

import numpy as np
import torch


def load(folder, name, rows=None):
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as header:
        spec = json.load(header)
    return np.fromfile(os.path.join(folder, name + ".bin"), spec["type"]).reshape(spec["shape"])[:rows]


def tensors(folder, workload, channels_last):
    """(x, y) for training and for validation. Images: (n, 3, 32, 32) in 0..1; words: int64; labels: int64, or float32 (n, 1)
    where the loss is binary."""
    found = []
    for part in ("train", "test"):
        rows = workload[f"{part}_rows"]
        x = torch.from_numpy(load(folder, f"{workload['data']}_x_{part}", rows))
        y = torch.from_numpy(load(folder, f"{workload['data']}_y_{part}", rows))
        if workload["data"] == "cifar10":
            x = (x.float() / 255.0).permute(0, 3, 1, 2)
            x = x.contiguous(memory_format=torch.channels_last) if channels_last else x.contiguous()
        elif workload["data"] == "imdb":
            x = x.long()
        y = y.float().unsqueeze(1) if workload["loss"] == "binary_crossentropy" else y.long()
        found.append((x, y))
    return found


def peak_megabytes():
    """Highest resident size of this process."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
