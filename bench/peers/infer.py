#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prediction and evaluation of images by the first network of a workload, tuned: channels last, inference mode, relu after pooling,
the best batch size, and the better of two threads on each product and two processes that share the images.

usage: infer.py WORKLOAD.json DATA_FOLDER WEIGHTS.hex IMAGES
WEIGHTS.hex: the float32 of Keras's get_weights(). Prints one JSON line: seconds of both, how, the classes and the mean loss.
"""
import json
import multiprocessing
import sys
import time

import numpy as np

from arrays import peak_megabytes

BATCHES = (64, 128, 256, 512)


def load_network(torch, workload, path):
    """The network with Keras's weights: kernels (height, width, in, out), dense (in, out)."""
    from keras_network import build
    with open(path, encoding="ascii") as file:
        values = torch.from_numpy(np.frombuffer(bytes.fromhex(file.read()), np.float32).copy())
    network, place = build(workload["architectures"][0], True), 0
    with torch.no_grad():
        for module in network.modules():
            for name in ("weight", "bias"):
                parameter = getattr(module, name, None)
                if parameter is None:
                    continue
                part, place = values[place:place + parameter.numel()], place + parameter.numel()
                if parameter.dim() == 4:
                    filters, inputs, height, width = parameter.shape
                    part = part.view(height, width, inputs, filters).permute(3, 2, 0, 1)
                elif parameter.dim() == 2:
                    part = part.view(parameter.shape[1], parameter.shape[0]).t()
                parameter.copy_(part)
    assert place == len(values), "the weights belong to another network"
    return network.eval()


def run(torch, network, x, y, batch, evaluates):
    """Classes with their probabilities, or the sum of losses and the hits."""
    classes, loss, hits = [], 0.0, 0
    for begin in range(0, len(x), batch):
        logits = network(x[begin:begin + batch])
        if evaluates:
            target = y[begin:begin + batch]
            loss += float(torch.nn.functional.cross_entropy(logits, target, reduction="sum"))
            hits += int((logits.argmax(1) == target).sum())
        else:
            classes.append(logits.softmax(1).max(1).indices)
    return (loss, hits) if evaluates else torch.cat(classes).tolist()


def prepare(workload_path, folder, weights, images, threads):
    import torch
    from arrays import tensors
    torch.set_num_threads(threads)
    with open(workload_path, encoding="utf-8") as file:
        workload = json.load(file)
    (x, y), _ = tensors(folder, {**workload, "train_rows": images, "test_rows": 1}, True)
    return torch, load_network(torch, workload, weights), x, y


def half(arguments, place, orders, answers):
    """One of two processes of one thread: a half of the images at each order."""
    torch, network, x, y = prepare(*arguments, 1)
    middle = len(x) // 2
    part = slice(0, middle) if place == 0 else slice(middle, None)
    with torch.inference_mode():
        run(torch, network, x[:512], y[:512], 128, False)
        answers.put(None)
        while (order := orders.get()) is not None:
            run(torch, network, x[part], y[part], *order)
            answers.put(None)
    answers.put(peak_megabytes())


def time_two_processes(arguments, best):
    spawned = multiprocessing.get_context("spawn")
    orders, answers = [spawned.Queue(), spawned.Queue()], spawned.Queue()
    processes = [spawned.Process(target=half, args=(arguments, place, orders[place], answers)) for place in range(2)]
    for process in processes:
        process.start()
    for _ in processes:
        answers.get()
    for evaluates in (False, True):
        for batch in BATCHES:
            began = time.perf_counter()
            for queue in orders:
                queue.put((batch, evaluates))
            for _ in processes:
                answers.get()
            keep(best, evaluates, time.perf_counter() - began, f"2 processes, batches of {batch}")
    for queue in orders:
        queue.put(None)
    peaks = [answers.get() for _ in processes]
    for process in processes:
        process.join()
    return sum(peaks)


def keep(best, evaluates, seconds, form):
    if evaluates not in best or seconds < best[evaluates][0]:
        best[evaluates] = (seconds, form)


def main():
    if len(sys.argv) != 5:
        sys.exit(__doc__)
    arguments = (*sys.argv[1:4], int(sys.argv[4]))
    best = {}
    peak_of_two = time_two_processes(arguments, best)
    torch, network, x, y = prepare(*arguments, 2)
    found = {}
    with torch.inference_mode():
        run(torch, network, x[:512], y[:512], 128, False)
        for evaluates in (False, True):
            for batch in BATCHES:
                began = time.perf_counter()
                found[evaluates] = run(torch, network, x, y, batch, evaluates)
                keep(best, evaluates, time.perf_counter() - began, f"2 threads, batches of {batch}")
    print(json.dumps({"predict_seconds": best[False][0], "predict_form": best[False][1], "evaluate_seconds": best[True][0],
                      "evaluate_form": best[True][1], "classes": found[False], "loss": found[True][0] / len(x),
                      "peak_mb": max(peak_of_two, peak_megabytes())}))


if __name__ == "__main__":
    main()
