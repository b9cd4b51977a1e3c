# SPDX-License-Identifier: Apache-2.0
"""Rows of training: one SQL call against PyTorch on the same networks, hyperparameters and rows; losses of both; scaling."""
import dataclasses
import json
import os

from measure import report
from measure.server import peer, sql, timed_sql, trainer_cpu_seconds
from measure.tables import prepare
from measure.workloads import optimizer_text

# What each workload is compared with: name of the peer, its program and arguments, whether its environment is tuned, and the bound of
# our time over its.
PEERS = {
    "w1": [("PyTorch, defaults", "train_each.py", [], False, 0.55), ("PyTorch, tuned", "train_each.py", ["--tuned"], True, 0.85)],
    "w2": [("PyTorch, tuned", "train_each.py", ["--tuned"], True, 0.85)],
    "w3": [("PyTorch, stacked, no autograd", "train_stacked.py", ["--no-autograd"], True, None),
           ("PyTorch, stacked", "train_stacked.py", [], True, 0.4)],
    "text": [("PyTorch, tuned", "train_each.py", ["--tuned"], True, 0.9)],
    "lstm": [("PyTorch, tuned", "train_each.py", ["--tuned"], True, 0.9)],
}


def fit(name, iterations, before=""):
    """The whole call."""
    return timed_sql(
        f"SELECT modelhop.fit_multiple_model('bench.{name}_packed', 'bench.{name}_out', 'bench.{name}_mst', {iterations}, "
        f"FALSE, 'bench.{name}_test_packed', 1, FALSE, NULL, NULL, TRUE, seed => 1);",
        f"{before} DROP TABLE IF EXISTS bench.{name}_out, bench.{name}_out_info, bench.{name}_out_summary;")


def our_losses(name):
    lines = sql(f"SELECT mst_key, training_loss_final, validation_loss_final FROM bench.{name}_out_info;").splitlines()
    return {int(key): (float(training), float(validation)) for key, training, validation in (line.split("|") for line in lines)}


def write_for_peers(workload, configurations, folder):
    """The peers' description of the workload; returns its path."""
    path = os.path.join(folder, f"{workload.name}.workload.json")
    described = dataclasses.asdict(workload)
    described["configurations"] = [{"mst_key": key, **one} for key, one in configurations.items()]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(described, file)
    return path


def both_sides(workload, peers, folder, repeat):
    """Runs ours and each peer in turn, `repeat` times; returns (configurations, our runs, peer name -> its runs)."""
    name, configurations = workload.name, prepare(workload, folder)
    path = write_for_peers(workload, configurations, folder)
    fit(name, 1)  # the trainer is warm, as the peers' start is not counted either
    ours, theirs = [], {peer_name: [] for peer_name, *_ in peers}
    for _ in range(repeat):
        cpu = trainer_cpu_seconds()
        run = fit(name, workload.iterations)
        ours.append({"wall_seconds": run.seconds, "cpu_seconds": trainer_cpu_seconds() - cpu, "peak_mb": run.trainer_mb,
                     "overhead": slot_overhead(name),
                     "makespan": float(sql(f"SELECT makespan_ratio FROM bench.{name}_out_summary;"))})
        for peer_name, program, arguments, tuned, _ in peers:
            theirs[peer_name].append(json.loads(peer(program, path, folder, *arguments, tuned=tuned)))
    return configurations, ours, theirs


def column(runs, field):
    return [run[field] for run in runs]


def ratios(ours, theirs, field):
    return [us[field] / it[field] for us, it in zip(ours, theirs)]


def workload_rows(workload, folder, repeat):
    name, peers = workload.name, PEERS[workload.name]
    configurations, ours, theirs = both_sides(workload, peers, folder, repeat)
    report.report(f"{name}: fit_multiple_model, s", column(ours, "wall_seconds"))
    for peer_name, _, _, _, bound in peers:
        runs = theirs[peer_name]
        report.report(f"{name}: {peer_name}, s", column(runs, "wall_seconds"))
        report.report(f"{name}: ours / {peer_name}", ratios(ours, runs, "wall_seconds"), at_most=bound)
        report.report(f"{name}: ours / {peer_name}, processor time", ratios(ours, runs, "cpu_seconds"))
        report.report(f"{name}: {peer_name}, memory of its processes, MB", column(runs, "peak_mb"))
        signed, unsigned = compare_losses(workload, peer_name, configurations, runs[-1])
        # After a few dozen steps batch normalization still makes losses of chance.
        is_whole = workload.train_rows >= 2000
        report.report(f"{name}: losses, difference from {peer_name}", signed, at_most=0.1 if is_whole else 0.25)
        report.report(f"{name}: losses, the same without signs", unsigned, at_most=0.1 if is_whole else 0.25)
    report.report(f"{name}: trainer's peak, MB", column(ours, "peak_mb"))
    report.report(f"{name}: makespan / lower bound", column(ours, "makespan"), at_most=1.05)
    report.report(f"{name}: slot time outside units, %", column(ours, "overhead"))
    return column(ours, "wall_seconds")


def brief_rows(workload, folder, repeat):
    """Against the strongest peer that has a bound: the ratios alone. Processor time is what stands still on a busy machine."""
    configurations, ours, theirs = both_sides(workload, PEERS[workload.name][-1:], folder, repeat)
    (peer_name, runs), = theirs.items()
    for label, field in (("wall time", "wall_seconds"), ("processor time", "cpu_seconds")):
        report.report(f"{workload.name}-like: ours / {peer_name}, {label}", ratios(ours, runs, field))
    _, unsigned = compare_losses(workload, peer_name, configurations, runs[-1], shown=False)
    report.report(f"{workload.name}-like: losses, difference from {peer_name}, without signs", unsigned, at_most=0.1)


def compare_losses(workload, peer_name, configurations, run, shown=True):
    labels = {key: f"{key}: model {one['architecture'] + 1}, {optimizer_text(one['optimizer'])}, {one['batch']}"
              for key, one in configurations.items()}
    groups = {key: one["architecture"] for key, one in configurations.items()}
    theirs = {int(key): losses for key, losses in run["losses"].items()}
    file = f"{workload.name}.{peer_name.split(', ')[-1].replace(' ', '_')}"
    return report.losses(file, labels, groups, our_losses(workload.name), theirs, shown)


def slot_overhead(name):
    """Percent of all slots' time that is scheduling, messages and the tail."""
    busy, slots, makespan = map(float, sql(
        f"SELECT sum(seconds), max(slot) + 1, (SELECT makespan_seconds FROM bench.{name}_out_summary) "
        f"FROM modelhop.unit_timeline('bench.{name}_out');").split("|"))
    return 100 * (1 - busy / (slots * makespan))


def peak_rows(workloads, seconds):
    """Percent of the GEMM peak of both cores: arithmetic of the networks over wall time over what a product reaches."""
    peak = json.loads(peer("gemm_peak.py", tuned=True))
    report.report("GEMM peak, one thread, GFLOP/s", peak["one"])
    report.report("GEMM peak, two processes, GFLOP/s", peak["two"])
    for name, runs in seconds.items():
        if name in ("w1", "w3"):
            rate = [workloads[name].flops() / run / 1e9 for run in runs]
            report.report(f"{name}: percent of the GEMM peak of two cores", [100 * one / peak["two"] for one in rate])


def scaling_rows(workload, folder, repeat):
    """The same run on one slot and on two, one after the other."""
    prepare(workload, folder)
    fit(workload.name, 1)
    one_slot, both = [], []
    for _ in range(repeat):
        one_slot.append(fit(workload.name, workload.iterations, "LOAD 'modelhop'; SET modelhop.run_slots = 1;").seconds)
        both.append(fit(workload.name, workload.iterations).seconds)
    report.report(f"{workload.name}: one slot, s", one_slot)
    report.report(f"{workload.name}: two slots, times as fast", [one / two for one, two in zip(one_slot, both)], at_least=1.9)


def feed_rows():
    megabytes, seconds = map(float, sql("SELECT feed_bytes / 1e6, feed_seconds FROM bench.w1_out_summary;").split("|"))
    report.report("feed + decode, MB/s", megabytes / seconds, at_least=500)
