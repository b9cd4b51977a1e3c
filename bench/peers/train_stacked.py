#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The best form of many small networks in PyTorch: networks of equal shape, batch size and kind of optimizer are one stack of
matrices, trained together on the same mini-batches. The first layer of all is one product, the others are batched ones (bmm);
one update for the stack, with a rate for each weight.

usage: train_stacked.py WORKLOAD.json DATA_FOLDER [--no-autograd] [--processes N]
--no-autograd: the backward is written by hand too, into memory that is kept: no longer PyTorch's training, but all that its
operations can give. Prints the JSON line of train_each.py.
"""
import argparse
import itertools
import json
import time

import shared_queue


class Stack:
    """G networks Dense-Dense-Dense(1) with relu and a binary cross-entropy; all weights in one flat tensor, network by network in
    each part."""

    def __init__(self, torch, inputs, widths, optimizers, batch):
        self.torch, self.batch, self.optimizers = torch, batch, optimizers
        self.count = count = len(optimizers)
        h1, h2 = widths
        shapes = [(inputs, count * h1), (count * h1,), (count, h1, h2), (count, 1, h2), (count, h2, 1), (count, 1, 1)]
        sizes = [torch.Size(shape).numel() for shape in shapes]
        self.parameters, self.gradients = torch.zeros(sum(sizes)), torch.zeros(sum(sizes))
        self.w = [part.view(shape) for part, shape in zip(self.parameters.split(sizes), shapes)]
        self.g = [part.view(shape) for part, shape in zip(self.gradients.split(sizes), shapes)]
        self.leaves = None
        for weight, fan in ((self.w[0], inputs + h1), (self.w[2], h1 + h2), (self.w[4], h2 + 1)):
            weight.uniform_(-1, 1).mul_((6.0 / fan) ** 0.5)
        # The rate of each weight, because networks of one stack differ in it.
        rates = torch.tensor([optimizer["learning_rate"] for optimizer in optimizers])
        columns = rates.repeat_interleave(h1)
        self.rate = torch.empty_like(self.parameters)
        for part, shape, values in zip(self.rate.split(sizes), shapes, (
                columns, columns, *(rates.view(count, 1, 1),) * 4)):
            part.view(shape).copy_(values.expand(shape))
        self.slots = [torch.zeros_like(self.parameters) for _ in range(2)]
        self.scratch = torch.empty_like(self.parameters)
        self.momentum = optimizers[0].get("momentum", 0.0)
        self.steps, self.rows, self.widths = 0, -1, widths

    def buffers(self, rows):
        """Activations and their gradients for so many rows, made once."""
        if rows == self.rows:
            return
        torch, count, (h1, h2) = self.torch, self.count, self.widths
        self.rows = rows
        self.a1, self.d1 = torch.empty(rows, count * h1), torch.empty(rows, count * h1)
        self.a1_by_network = self.a1.view(rows, count, h1).permute(1, 0, 2)
        self.d1_by_network = self.d1.view(rows, count, h1).permute(1, 0, 2)
        self.e1 = torch.empty(count, rows, h1)
        self.a2, self.d2 = torch.empty(count, rows, h2), torch.empty(count, rows, h2)
        self.z, self.dz = torch.empty(count, rows, 1), torch.empty(count, rows, 1)

    def forward(self, x):
        torch, (w1, b1, w2, b2, w3, b3) = self.torch, self.w
        self.buffers(len(x))
        torch.addmm(b1, x, w1, out=self.a1).relu_()
        torch.baddbmm(b2, self.a1_by_network, w2, out=self.a2).relu_()
        return torch.baddbmm(b3, self.a2, w3, out=self.z)

    def backward(self, x, y):
        torch, (_, _, w2, _, w3, _), (g1, c1, g2, c2, g3, c3) = self.torch, self.w, self.g
        torch.sigmoid(self.z, out=self.dz).sub_(y).mul_(1.0 / len(x))
        torch.bmm(self.a2.transpose(1, 2), self.dz, out=g3)
        torch.sum(self.dz, 1, keepdim=True, out=c3)
        torch.mul(self.dz, w3.transpose(1, 2), out=self.d2)
        torch.ops.aten.threshold_backward.grad_input(self.d2, self.a2, 0, grad_input=self.d2)
        torch.bmm(self.a1_by_network.transpose(1, 2), self.d2, out=g2)
        torch.sum(self.d2, 1, keepdim=True, out=c2)
        torch.bmm(self.d2, w2.transpose(1, 2), out=self.e1)
        torch.ops.aten.threshold_backward.grad_input(self.e1, self.a1_by_network, 0, grad_input=self.d1_by_network)
        torch.mm(x.t(), self.d1, out=g1)
        torch.sum(self.d1, 0, out=c1)

    def gradients_by_autograd(self, x, y):
        torch, functional = self.torch, self.torch.nn.functional
        if self.leaves is None:
            self.leaves = [weight.detach().requires_grad_() for weight in self.w]
            for leaf, gradient in zip(self.leaves, self.g):
                leaf.grad = gradient
        w1, b1, w2, b2, w3, b3 = self.leaves
        self.gradients.zero_()
        with torch.enable_grad():
            hidden = torch.addmm(b1, x, w1).relu_().view(len(x), self.count, -1).transpose(0, 1)
            z = torch.baddbmm(b3, torch.baddbmm(b2, hidden, w2).relu_(), w3)
            loss = functional.binary_cross_entropy_with_logits(z, y.expand_as(z), reduction="sum")
            loss.backward(torch.tensor(1.0 / len(x)))

    def update(self):
        torch, (first, second) = self.torch, self.slots
        self.steps += 1
        if self.optimizers[0]["name"] == "SGD":
            first.mul_(self.momentum).add_(self.gradients)
            self.parameters.addcmul_(first, self.rate, value=-1.0)
            return
        first.lerp_(self.gradients, 0.1)
        second.mul_(0.999).addcmul_(self.gradients, self.gradients, value=0.001)
        size = (1 - 0.999**self.steps) ** 0.5 / (1 - 0.9**self.steps)
        torch.sqrt(second, out=self.scratch).add_(1e-7)
        torch.div(first, self.scratch, out=self.scratch).mul_(self.rate)
        self.parameters.add_(self.scratch, alpha=-size)

    def evaluate(self, x, y):
        """Mean loss of each network; its accuracy is computed too, as on our side."""
        torch, functional = self.torch, self.torch.nn.functional
        loss, hits = torch.zeros(self.count, dtype=torch.float64), torch.zeros(self.count, dtype=torch.int64)
        for begin in range(0, len(x), 256):
            target = y[begin:begin + 256]
            z = self.forward(x[begin:begin + 256])
            every = functional.binary_cross_entropy_with_logits(z, target.expand_as(z), reduction="none")
            loss += every.sum((1, 2), dtype=torch.float64)
            hits += ((z > 0) == (target > 0.5)).sum((1, 2))
        return (loss / len(x)).tolist(), (hits / len(x)).tolist()


def train_stack(torch, workload, members, data, by_autograd):
    from keras_network import walk
    layers = [layer for layer in walk(workload["architectures"][members[0]["architecture"]]) if layer[0] == "Dense"]
    widths = [layer[1]["units"] for layer in layers]
    assert len(widths) == 3 and widths[2] == 1, "a stack has three dense layers"
    (x, y), (x_held_out, y_held_out) = data
    stack = Stack(torch, x.shape[1], widths[:2], [member["optimizer"] for member in members], members[0]["batch"])
    for _ in range(workload["iterations"]):
        for rows in torch.randperm(len(x)).split(stack.batch):
            batch, target = x.index_select(0, rows), y.index_select(0, rows)
            if by_autograd:
                stack.gradients_by_autograd(batch, target)
            else:
                stack.forward(batch)
                stack.backward(batch, target)
            stack.update()
        training, held_out = stack.evaluate(x, y), stack.evaluate(x_held_out, y_held_out)
    return {member["mst_key"]: pair for member, pair in zip(members, zip(training[0], held_out[0]))}


def worker(arguments, workload, queue, results, start):
    import torch
    from arrays import peak_megabytes, tensors
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    data = tensors(arguments.folder, workload, True)
    start.wait()
    cpu = time.process_time()
    with torch.inference_mode() if arguments.no_autograd else torch.no_grad():
        while (members := queue.get()) is not None:
            results.put(train_stack(torch, workload, members, data, not arguments.no_autograd))
    results.put((peak_megabytes(), time.process_time() - cpu))


def stacks(workload):
    """Configurations that can share a stack, the stacks with the most work first."""
    def kind(one):
        return one["architecture"], one["batch"], one["optimizer"]["name"], one["optimizer"].get("momentum", 0.0)

    groups = [list(group) for _, group in itertools.groupby(sorted(workload["configurations"], key=kind), key=kind)]
    return sorted(groups, key=lambda group: (-group[0]["architecture"], group[0]["batch"]))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("workload")
    parser.add_argument("folder")
    parser.add_argument("--no-autograd", action="store_true")
    parser.add_argument("--processes", type=int, default=2)
    arguments = parser.parse_args()
    with open(arguments.workload, encoding="utf-8") as file:
        workload = json.load(file)
    shared_queue.run(worker, arguments, workload, stacks(workload))


if __name__ == "__main__":
    main()
