# SPDX-License-Identifier: Apache-2.0
"""Rows of prediction and evaluation: rows read and written on our side, data in memory on the peer's."""
import json
import os

from measure import report
from measure.server import peer, sql, timed_sql
from measure.tables import load_raw, prepare
from measure.training import fit, write_for_peers


def rows(workload, folder, repeat, images):
    """The CNN of w1 (its first configuration) on `images` images, by both cores."""
    path = write_for_peers(workload, prepare(workload, folder), folder)
    fit(workload.name, 1)
    key = sql(f"SELECT min(mst_key) FROM bench.{workload.name}_mst WHERE model_id = 1;")
    load_raw(folder, "cifar10", "train", "bench.images", images)
    sql("DROP TABLE IF EXISTS bench.images_packed, bench.images_packed_summary; SELECT modelhop.validation_preprocessor_dl("
        f"'bench.images', 'bench.images_packed', 'y', 'x', 'bench.{workload.name}_packed', independent_shape => ARRAY[32,32,3]);")
    # The peer gets the trained weights, so that both sides must find the same classes and the same loss.
    weights = os.path.join(folder, "w1.weights.hex")
    with open(weights, "w", encoding="ascii") as file:
        file.write(sql(f"SELECT encode(modelhop.model_weights('bench.{workload.name}_out', {key}), 'hex');"))
    ours, theirs = {"predict": [], "evaluate": []}, {"predict": [], "evaluate": []}
    found, peaks = None, []
    for _ in range(repeat):
        ours["predict"].append(timed_sql(
            f"SELECT modelhop.predict('bench.{workload.name}_out', 'bench.images', 'id', 'x', 'bench.predicted', 'response', "
            f"FALSE, {key});", "DROP TABLE IF EXISTS bench.predicted;"))
        ours["evaluate"].append(timed_sql(
            f"SELECT modelhop.evaluate('bench.{workload.name}_out', 'bench.images_packed', 'bench.scored', FALSE, {key});",
            "DROP TABLE IF EXISTS bench.scored;"))
        found = json.loads(peer("infer.py", path, folder, weights, images, tuned=True))
        peaks.append(found["peak_mb"])
        for what, values in theirs.items():
            values.append(found[f"{what}_seconds"])
    for what, runs in ours.items():
        values = [run.seconds for run in runs]
        report.report(f"{what} of {images:,} images, rows read and written, s", values)
        report.report(f"{what}: PyTorch, tuned, data in memory ({found[what + '_form']}), s", theirs[what])
        report.report(f"{what}: ours / PyTorch, tuned", [us / it for us, it in zip(values, theirs[what])], at_most=1.0)
        report.report(f"{what}: trainer's peak, MB", [run.trainer_mb for run in runs])
        report.report(f"{what}: backend's peak, MB", [run.backend_mb for run in runs])
    report.report("predict and evaluate: PyTorch, memory of its processes, MB", peaks)
    compare(found, images)


def compare(found, images):
    classes = [int(line) for line in sql("SELECT class_value FROM bench.predicted ORDER BY id;").splitlines()]
    same = sum(ours == theirs for ours, theirs in zip(classes, found["classes"]))
    report.report("predict: share of equal classes on both sides", same / images, at_least=0.999)
    loss = float(sql("SELECT loss FROM bench.scored;"))
    report.note(f"loss of the evaluation, ours | the peer's: {loss:.6f} | {found['loss']:.6f}")
    report.report("evaluate: difference of the losses", abs(loss - found["loss"]) / found["loss"], at_most=0.001)
