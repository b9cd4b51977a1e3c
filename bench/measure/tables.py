# SPDX-License-Identifier: Apache-2.0
"""Loads the arrays of bench/prepare_data into tables of schema bench, packs them, and loads networks and configurations."""
import json
import os
import subprocess
import sys

from measure.server import PSQL, sql


def array_of(folder, name):
    with open(os.path.join(folder, name + ".json"), encoding="utf-8") as header:
        spec = json.load(header)
    with open(os.path.join(folder, name + ".bin"), "rb") as data:
        return spec["type"], spec["shape"], data.read()


def copy_rows(table, lines):
    with subprocess.Popen([*PSQL, "-c", f"COPY {table} FROM STDIN"], stdin=subprocess.PIPE) as process:
        for line in lines:
            process.stdin.write(line)
        process.stdin.close()
        if process.wait() != 0:
            sys.exit(f"bench/run: cannot load {table}")


def load_raw(folder, data, part, table, rows):
    """A table (id, y, x) of the first rows of an array: images as bytea, numbers as real[], words as smallint[]."""
    kind, shape, values = array_of(folder, f"{data}_x_{part}")
    _, _, labels = array_of(folder, f"{data}_y_{part}")
    width = len(values) // shape[0]
    column = {"uint8": "bytea", "float32": "real[]", "int16": "smallint[]"}[kind]
    sql(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (id integer, y smallint, x {column});")
    if rows > shape[0]:
        sys.exit(f"bench/run: {folder} has {shape[0]} rows of {data}, {rows} are wanted; run bench/prepare_data again")

    def text(row):
        one = values[row * width:(row + 1) * width]
        if kind == "uint8":
            return b"\\\\x" + one.hex().encode()
        return b"{" + ",".join(map(repr, memoryview(one).cast("f" if kind == "float32" else "h"))).encode() + b"}"

    copy_rows(table, (b"%d\t%d\t%s\n" % (row, labels[row], text(row)) for row in range(rows)))


def prepare(workload, folder):
    """Everything that a run of the workload reads; returns mst_key -> configuration."""
    name = workload.name
    sql("CREATE SCHEMA IF NOT EXISTS bench; " + " ".join(
        f"DROP TABLE IF EXISTS bench.{name}_{table};" for table in
        ("packed", "packed_summary", "test_packed", "test_packed_summary", "arch", "mst", "mst_summary")))
    load_raw(folder, workload.data, "train", f"bench.{name}_train", workload.train_rows)
    load_raw(folder, workload.data, "test", f"bench.{name}_test", workload.test_rows)
    images = workload.data == "cifar10"
    shape = ", independent_shape => ARRAY[32,32,3]" if images else ", dependent_encoding => 'float'"
    sql(f"SELECT modelhop.training_preprocessor_dl('bench.{name}_train', 'bench.{name}_packed', 'y', 'x', NULL, "
        f"{255 if images else 1}, num_segments => {workload.segments}, seed => 1{shape});"
        f"SELECT modelhop.validation_preprocessor_dl('bench.{name}_test', 'bench.{name}_test_packed', 'y', 'x', "
        f"'bench.{name}_packed'{shape if images else ''});")
    return load_configurations(workload)


def load_configurations(workload):
    name = workload.name
    for architecture in workload.architectures:
        sql(f"SELECT modelhop.load_keras_model('bench.{name}_arch', $json${architecture}$json$::json);")

    def texts(items):
        return "ARRAY[" + ", ".join("$m$" + item + "$m$" for item in items) + "]"

    ids = ",".join(str(place + 1) for place in range(len(workload.architectures)))
    sql(f"SELECT modelhop.load_model_selection_table('bench.{name}_arch', 'bench.{name}_mst', ARRAY[{ids}], "
        f"{texts([workload.compile_params(optimizer) for optimizer in workload.optimizers])}, "
        f"{texts([workload.fit_params(batch) for batch in workload.batches])});")
    keys = {}
    for line in sql(f"SELECT mst_key, model_id, compile_params, fit_params FROM bench.{name}_mst;").splitlines():
        key, model, compile_params, fit_params = line.split("|")
        keys[int(model), compile_params, fit_params] = int(key)
    return {keys[one["architecture"] + 1, workload.compile_params(one["optimizer"]), workload.fit_params(one["batch"])]: one
            for one in workload.configurations()}
