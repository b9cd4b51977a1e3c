#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""PyTorch, one configuration after the other in each of N processes of one thread, data already in memory.

usage: train_each.py WORKLOAD.json DATA_FOLDER [--tuned] [--compile] [--processes N]
Without --tuned: as most people write it. With it: channels last, fused optimizers, inference mode, large batches for
evaluation, nothing measured on the way; bench/measure/server.py adds what the environment can do. --compile adds
torch.compile, whose time counts: it has not paid yet (bench/README.md).
All take the longest configurations first from one queue. Prints one JSON line: seconds of training and evaluation without
start-up and loading, final losses by mst_key, and the memory of all processes.
"""
import argparse
import json
import time

import shared_queue


def evaluate(torch, network, loss_function, x, y, batch):
    """Mean loss and accuracy, as our side computes them after each iteration."""
    loss = hits = 0.0
    for begin in range(0, len(x), batch):
        outputs, target = network(x[begin:begin + batch]), y[begin:begin + batch]
        loss += float(loss_function(outputs, target)) * len(target)
        found = outputs.argmax(1) == target if target.dim() == 1 else (outputs > 0) == (target > 0.5)
        hits += int(found.sum())
    return loss / len(x), hits / len(x)


def train_one(torch, workload, configuration, data, arguments):
    from keras_network import build, optimizer
    (x, y), held_out = data
    network = build(workload["architectures"][configuration["architecture"]], arguments.tuned)
    update = optimizer(configuration["optimizer"], network.parameters(), arguments.tuned)
    is_binary = workload["loss"] == "binary_crossentropy"
    loss_function = torch.nn.BCEWithLogitsLoss() if is_binary else torch.nn.CrossEntropyLoss()
    forward = torch.compile(network, dynamic=False) if arguments.compile else network
    batch = configuration["batch"]
    scores = None
    for _ in range(workload["iterations"]):
        network.train()
        for rows in torch.randperm(len(x)).split(batch):
            loss_function(forward(x.index_select(0, rows) if arguments.tuned else x[rows]), y[rows]).backward()
            update.step()
            update.zero_grad()
        network.eval()
        with torch.inference_mode() if arguments.tuned else torch.no_grad():
            scores = [evaluate(torch, network, loss_function, *part, 256)
                      for part in ((x, y), held_out)]
    return [score[0] for score in scores]


def worker(arguments, workload, queue, results, start):
    import torch
    from arrays import peak_megabytes, tensors
    torch.set_num_threads(1)
    torch.set_flush_denormal(arguments.tuned)
    data = tensors(arguments.folder, workload, arguments.tuned)
    warm = torch.nn.Linear(8, 8)  # thread pools and libraries are loaded before the clock starts
    warm(torch.zeros(8, 8)).sum().backward()
    start.wait()
    cpu = time.process_time()
    while (configuration := queue.get()) is not None:
        torch.manual_seed(configuration["mst_key"])
        results.put({configuration["mst_key"]: train_one(torch, workload, configuration, data, arguments)})
    results.put((peak_megabytes(), time.process_time() - cpu))


def longest_first(workload):
    from keras_network import walk

    def cost(configuration):
        work = sum(layer[-1] for layer in walk(workload["architectures"][configuration["architecture"]]))
        return work + 2e6 / configuration["batch"]  # a step's own cost, whatever its rows

    return sorted(workload["configurations"], key=cost, reverse=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload")
    parser.add_argument("folder")
    parser.add_argument("--tuned", action="store_true")
    parser.add_argument("--compile", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with open(arguments.workload, encoding="utf-8") as file:
        workload = json.load(file)
    shared_queue.run(worker, arguments, workload, longest_first(workload))


if __name__ == "__main__":
    main()
