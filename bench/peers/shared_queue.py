# SPDX-License-Identifier: Apache-2.0
"""Processes that take tasks from one queue, as a tuned script would share them out; and the JSON line of the training peers."""
import json
import multiprocessing
import time


def run(worker, arguments, workload, tasks):
    """worker(arguments, workload, queue, results, start) waits at `start` when it is ready, then takes tasks until None; it puts a
    dictionary key -> losses for each, and at its end (peak in MB, processor seconds)."""
    spawned = multiprocessing.get_context("spawn")  # torch's threads do not survive a fork
    queue, results, start = spawned.Queue(), spawned.Queue(), spawned.Barrier(arguments.processes + 1)
    for task in tasks + [None] * arguments.processes:
        queue.put(task)
    workers = [spawned.Process(target=worker, args=(arguments, workload, queue, results, start))
               for _ in range(arguments.processes)]
    for process in workers:
        process.start()
    start.wait()
    began = time.monotonic()
    losses, ends = {}, []
    while len(losses) < len(workload["configurations"]):
        found = results.get()
        losses.update(found) if isinstance(found, dict) else ends.append(found)
    wall = time.monotonic() - began
    while len(ends) < arguments.processes:
        ends.append(results.get())
    for process in workers:
        process.join()
    print(json.dumps({"wall_seconds": wall, "cpu_seconds": sum(cpu for _, cpu in ends), "losses": losses,
                      "peak_mb": sum(peak for peak, _ in ends)}))
