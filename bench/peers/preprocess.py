#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What a Python script does to pack images: reads the rows by binary COPY, shuffles and packs them with NumPy, and writes the packed
rows back by binary COPY, both in one transaction. No value is ever a Python object.

usage: preprocess.py CONNECTION SOURCE_TABLE TARGET_TABLE CLASSES SEGMENTS ROWS_PER_BUFFER
Writes buffers like modelhop's: images as bytea of uint8, labels one-hot as bytea of int16, their shapes, a number.
Prints one JSON line: seconds from connection to commit, rows and buffers.
"""
import json
import resource
import struct
import sys
import time

import numpy as np
import psycopg

HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!II", 0, 0)


def read(connection, table):
    """All rows of (id integer, y smallint, x bytea) as an array of records: of equal images all rows are equally long."""
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} (id, y, x) TO STDOUT (FORMAT BINARY)") as copy:
        data = b"".join(copy)
    fixed = 2 + 4 + 4 + 4 + 2
    (length,) = struct.unpack_from("!I", data, len(HEADER) + fixed)
    record = np.dtype([("fields", ">i2"), ("id_length", ">i4"), ("id", ">i4"), ("y_length", ">i4"), ("y", ">i2"),
                       ("x_length", ">i4"), ("x", np.uint8, length)])
    rows = np.frombuffer(data, record, (len(data) - len(HEADER) - 2) // record.itemsize, len(HEADER))
    assert (rows["fields"] == 3).all() and (rows["x_length"] == length).all(), "images differ in size"
    return rows


def array_field(values):
    """An integer[] as COPY has it."""
    body = struct.pack("!IIIII", 1, 0, 23, len(values), 1) + b"".join(struct.pack("!Ii", 4, value) for value in values)
    return struct.pack("!I", len(body)) + body


def write(connection, table, rows, classes, segments, per_buffer):
    order = np.random.default_rng(1).permutation(len(rows))
    one_hot = np.eye(classes, dtype=np.int16)
    shape = (32, 32, 3)
    buffers = -(-len(rows) // per_buffer)
    buffers = -(-buffers // segments) * segments  # each segment gets as many
    with connection.cursor() as cursor:
        cursor.execute(f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} (x bytea, y bytea, x_shape integer[], "
                       "y_shape integer[], buffer_id integer); "
                       f"ALTER TABLE {table} ALTER x SET STORAGE EXTERNAL")
        with cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as copy:
            copy.write(HEADER)
            for number, part in enumerate(np.array_split(order, buffers)):
                chosen = rows[part]
                x, y = np.ascontiguousarray(chosen["x"]), one_hot[chosen["y"]]
                copy.write(struct.pack("!hI", 5, x.nbytes))
                copy.write(x.data.cast("B"))
                copy.write(struct.pack("!I", y.nbytes) + y.tobytes() + array_field((len(part), *shape)) +
                           array_field((len(part), classes)) + struct.pack("!Ii", 4, number))
            copy.write(struct.pack("!h", -1))
    return buffers


def main():
    if len(sys.argv) != 7:
        sys.exit(__doc__)
    address, source, target = sys.argv[1:4]
    classes, segments, per_buffer = map(int, sys.argv[4:])
    began = time.monotonic()
    with psycopg.connect(address) as connection:
        rows = read(connection, source)
        buffers = write(connection, target, rows, classes, segments, per_buffer)
        connection.commit()
    print(json.dumps({"seconds": time.monotonic() - began, "rows": len(rows), "buffers": buffers,
                      "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}))


if __name__ == "__main__":
    main()
