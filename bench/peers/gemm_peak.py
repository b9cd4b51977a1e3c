#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a product of float32 matrices reaches here, in GFLOP/s: one thread, and two processes of one thread together.
The better of MKL's product and oneDNN's counts, best of many. Prints one JSON line."""
import json
import multiprocessing
import time


def rates(start, results, seconds=3.0):
    import torch
    torch.set_num_threads(1)
    best = 0.0
    x, y = torch.randn(512, 512), torch.randn(512, 512)
    products = (lambda: torch.mm(x, y), lambda: torch.ops.mkldnn._linear_pointwise(x, y, None, "none", [], ""))
    for product in products:
        product()
    start.wait()
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        for product in products:
            began = time.perf_counter()
            for _ in range(10):
                product()
            best = max(best, 10 * 2 * 512**3 / (time.perf_counter() - began) / 1e9)
    results.put(best)


def together(count):
    spawned = multiprocessing.get_context("spawn")
    start, results = spawned.Barrier(count), spawned.Queue()
    processes = [spawned.Process(target=rates, args=(start, results)) for _ in range(count)]
    for process in processes:
        process.start()
    found = [results.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(found)


if __name__ == "__main__":
    print(json.dumps({"one": together(1), "two": together(2)}))
