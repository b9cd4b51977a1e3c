#!/usr/bin/env python3
"""The peer of bench/run's prediction: PyTorch's default batched inference on 10,000 images, both cores, data in memory.

usage: torch_predict_peer.py DATA_FOLDER. Prints one JSON line: images per second, best of three.
"""
import json
import sys
import time

import numpy as np
import torch
from torch import nn

from torch_peer import cifar10_cnn, load


def main():
    images = load(sys.argv[1], "cifar10_x_train").astype(np.float32) / 255.0
    x = torch.from_numpy(images).permute(0, 3, 1, 2).contiguous()
    network = cifar10_cnn(nn).eval()
    best = 0.0
    with torch.no_grad():
        for _ in range(3):
            began = time.monotonic()
            for begin in range(0, len(x), 256):
                network(x[begin:begin + 256]).softmax(1).topk(1)
            best = max(best, len(x) / (time.monotonic() - began))
    print(json.dumps({"images_per_second": best}))


if __name__ == "__main__":
    main()
