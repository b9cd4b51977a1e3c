#!/usr/bin/env python3
"""The peer of bench/run: the same configurations in Python PyTorch, two processes of one thread each, data already in memory.

usage: torch_peer.py WORKLOAD DATA_FOLDER [--processes N]
Prints one JSON line: wall seconds of training and evaluation, without start-up and loading.
DATA_FOLDER holds what bench/prepare_data made: raw little-endian arrays with a JSON header beside each.
"""
import argparse
import json
import multiprocessing
import os
import time

import numpy as np


def load(folder, name):
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as header:
        spec = json.load(header)
    return np.fromfile(os.path.join(folder, name + ".bin"), spec["type"]).reshape(spec["shape"])


def cifar10_cnn(nn):
    return nn.Sequential(
        nn.Conv2d(3, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Conv2d(32, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
        nn.Flatten(), nn.Linear(64 * 6 * 6, 512), nn.ReLU(), nn.Dropout(0.5), nn.Linear(512, 10))


def mlp(nn, widths):
    layers = [nn.Flatten()]
    for i in range(len(widths) - 1):
        layers.append(nn.Linear(widths[i], widths[i + 1]))
        if i + 2 < len(widths):
            layers.append(nn.ReLU())
    return nn.Sequential(*layers)


def configurations(workload):
    if workload == "w1":
        return [(network, optimizer, batch) for network in ("cnn", "mlp") for optimizer in ("sgd", "adam")
                for batch in (32, 128)]
    # 64 small networks on tabular data: 2 shapes x 2 batch sizes x 16 optimizer settings
    settings = [("sgd", rate) for rate in (0.1, 0.03, 0.01, 0.003, 0.001, 0.05, 0.02, 0.005)]
    settings += [("adam", rate) for rate in (0.01, 0.003, 0.001, 0.0003, 0.0001, 0.005, 0.002, 0.0005)]
    return [(shape, setting, batch) for shape in ("64-32", "128-64") for batch in (64, 256) for setting in settings]


def make_optimizer(torch, optimizer, parameters):
    if optimizer == "sgd":
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.9)
    if optimizer == "adam":
        return torch.optim.Adam(parameters, lr=1e-3)
    kind, rate = optimizer
    return torch.optim.SGD(parameters, lr=rate, momentum=0.9) if kind == "sgd" else torch.optim.Adam(parameters, lr=rate)


def train_one(torch, nn, workload, configuration, data, epochs):
    network_name, optimizer_name, batch = configuration
    x, y, x_test, y_test = data
    if workload == "w1":
        network = cifar10_cnn(nn) if network_name == "cnn" else mlp(nn, [3072, 1024, 512, 10])
        loss_function = nn.CrossEntropyLoss()
    else:
        network = mlp(nn, [x.shape[1]] + [int(width) for width in network_name.split("-")] + [1])
        loss_function = nn.BCEWithLogitsLoss()
    optimizer = make_optimizer(torch, optimizer_name, network.parameters())

    def accuracy(inputs, targets):
        network.eval()
        correct = 0
        with torch.no_grad():
            for begin in range(0, len(inputs), 256):
                outputs = network(inputs[begin:begin + 256])
                target = targets[begin:begin + 256]
                loss_function(outputs, target)
                hits = outputs.argmax(1) == target if workload == "w1" else (outputs > 0) == (target > 0.5)
                correct += int(hits.sum())
        return correct / len(inputs)

    result = None
    for _ in range(epochs):
        network.train()
        order = torch.randperm(len(x))
        for begin in range(0, len(x), batch):
            rows = order[begin:begin + batch]
            optimizer.zero_grad()
            loss_function(network(x[rows]), y[rows]).backward()
            optimizer.step()
        result = (accuracy(x, y), accuracy(x_test, y_test))
    return result


def worker(workload, folder, queue, results, start):
    import torch
    from torch import nn
    torch.set_num_threads(1)
    torch.manual_seed(1)
    prefix = "cifar10" if workload == "w1" else "adult"
    arrays = [load(folder, f"{prefix}_{name}") for name in ("x_train", "y_train", "x_test", "y_test")]
    if workload == "w1":
        x, x_test = (torch.from_numpy(a.astype(np.float32) / 255.0).permute(0, 3, 1, 2).contiguous() for a in arrays[::2])
        y, y_test = (torch.from_numpy(a.astype(np.int64)) for a in arrays[1::2])
    else:
        x, x_test = (torch.from_numpy(a) for a in arrays[::2])
        y, y_test = (torch.from_numpy(a.astype(np.float32)).unsqueeze(1) for a in arrays[1::2])
    start.wait()
    while True:
        configuration = queue.get()
        if configuration is None:
            return
        epochs = 2 if workload == "w1" else 3
        results.put((configuration, train_one(torch, nn, workload, configuration, (x, y, x_test, y_test), epochs)))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("workload", choices=["w1", "w3"])
    parser.add_argument("folder")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    work = configurations(arguments.workload)
    queue, results = multiprocessing.Queue(), multiprocessing.Queue()
    start = multiprocessing.Barrier(arguments.processes + 1)
    for configuration in work + [None] * arguments.processes:
        queue.put(configuration)
    workers = [multiprocessing.Process(target=worker, args=(arguments.workload, arguments.folder, queue, results, start))
               for _ in range(arguments.processes)]
    for process in workers:
        process.start()
    start.wait()
    began = time.monotonic()
    accuracies = [results.get() for _ in work]
    wall = time.monotonic() - began
    for process in workers:
        process.join()
    best = max(accuracy[1] for _, accuracy in accuracies)
    print(json.dumps({"workload": arguments.workload, "wall_seconds": wall, "best_test_accuracy": best}))


if __name__ == "__main__":
    main()
