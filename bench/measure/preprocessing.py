# SPDX-License-Identifier: Apache-2.0
"""Rows of packing: training_preprocessor_dl against a Python script that does the same by binary COPY."""
import json

from measure import report, server
from measure.server import peer, sql, timed_sql
from measure.tables import load_raw


def rows(folder, repeat, images):
    sql("CREATE SCHEMA IF NOT EXISTS bench;")
    load_raw(folder, "cifar10", "train", "bench.to_pack", images)
    sql("VACUUM ANALYZE bench.to_pack;")  # hint bits are set for both sides
    ours, theirs = [], []
    for _ in range(repeat):
        sql("DROP TABLE IF EXISTS bench.packed, bench.packed_summary; CHECKPOINT;")
        ours.append(timed_sql(
            "SELECT modelhop.training_preprocessor_dl('bench.to_pack', 'bench.packed', 'y', 'x', NULL, 255, num_segments => 4, "
            "seed => 1, independent_shape => ARRAY[32,32,3]);"))
        buffer_rows = sql("SELECT max((x_shape)[1]) FROM bench.packed;")
        sql("DROP TABLE IF EXISTS bench.packed_by_peer; CHECKPOINT;")
        theirs.append(json.loads(peer("preprocess.py", server.connection_string(), "bench.to_pack", "bench.packed_by_peer", 10, 4,
                                      buffer_rows)))
    seconds, of_peer = [one.seconds for one in ours], [one["seconds"] for one in theirs]
    report.report(f"training_preprocessor_dl, {images:,} images as bytea, s", seconds)
    report.report("preprocessing: Python by binary COPY, s", of_peer)
    report.report("preprocessing: ours / Python", [us / it for us, it in zip(seconds, of_peer)], at_most=0.5)
    report.report("training_preprocessor_dl, bytea, MB/s", [images * 3072 / 1e6 / one for one in seconds], at_least=100)
    report.report("training_preprocessor_dl: backend's peak, MB", [one.backend_mb for one in ours])
    report.report("preprocessing: Python's peak, MB", [one["peak_mb"] for one in theirs])
    compare()
    arrays(repeat, min(images, 20000) // 10)


def compare():
    """Both packed the same pixels and labels: counts, bytes and sums over all of them, whatever the order."""
    def facts(table):
        return sql(f"SELECT sum((x_shape)[1]), sum(octet_length(x)), sum(octet_length(y)), count(DISTINCT buffer_id % 4), (SELECT sum("
                   f"get_byte(x, i * 3072)) FROM {table}, generate_series(0, (x_shape)[1] - 1) i) FROM {table};")

    ours, theirs = facts("bench.packed"), facts("bench.packed_by_peer")
    report.note(f"rows, bytes of x and y, segments, sum of first pixels: {ours} | {theirs}")
    report.report("preprocessing: both sides packed the same (1: yes)", float(ours == theirs), at_least=1)


def arrays(repeat, images):
    sql("DROP TABLE IF EXISTS bench.as_array; CREATE TABLE bench.as_array AS SELECT id, y, (SELECT array_agg(get_byte(x, i)::real "
        f"ORDER BY i) FROM generate_series(0, 3071) i) AS x FROM bench.to_pack WHERE id < {images};")
    rates = []
    for _ in range(repeat):
        run = timed_sql("SELECT modelhop.training_preprocessor_dl('bench.as_array', 'bench.as_array_packed', 'y', 'x', NULL, 255, "
                        "num_segments => 4, seed => 1);",
                        "DROP TABLE IF EXISTS bench.as_array_packed, bench.as_array_packed_summary;")
        rates.append(images * 3072 / 1e6 / run.seconds)
    report.report("training_preprocessor_dl, real[], MB/s as uint8", rates)
