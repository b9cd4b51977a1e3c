# SPDX-License-Identifier: Apache-2.0
"""Rows of waiting: from the call to the first unit, cold and warm, and from cancel to the client's error."""
import datetime
import os
import re
import subprocess
import time

from measure import report, server
from measure.server import PSQL, sql
from measure.tables import prepare


def fit_parts(name, output):
    """Times (seconds since the epoch) of one fit in a session of its own: call, begin of the run's record, first unit's start;
    and the seconds that feeding took."""
    sql(f"DROP TABLE IF EXISTS {output}, {output}_info, {output}_summary;")
    lines = sql(
        "SET timezone = 'UTC'; SELECT extract(epoch FROM clock_timestamp()) AS began \\gset\n"
        f"SELECT modelhop.fit_multiple_model('bench.{name}_packed', '{output}', 'bench.{name}_mst', 1, FALSE, seed => 1);\n"
        f"SELECT :began, extract(epoch FROM start_training_time), feed_seconds, (SELECT min(start_seconds) "
        f"FROM modelhop.unit_timeline('{output}')) FROM {output}_summary;")
    called, record, feed, first = map(float, lines.splitlines()[-1].split("|"))
    return called, record, feed, record + first


def _trainer_ready(after):
    """When the trainer logged that it serves: libtorch is loaded and the slots are there."""
    with open(server.data_directory() + ".log", encoding="utf-8", errors="replace") as log:
        lines = [line for line in log if "modelhop-trainer[" in line and "serves" in line]
    for line in reversed(lines):
        found = re.match(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}) ", line)
        at = datetime.datetime.strptime(found.group(1), "%Y-%m-%d %H:%M:%S.%f").astimezone().timestamp()
        return at if at >= after - 0.01 else None
    return None


def _process_start(pid):
    """When a process began, to 10 ms."""
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        ticks = int(file.read().rsplit(")", 1)[1].split()[19])
    with open("/proc/uptime", encoding="ascii") as file:
        up = float(file.read().split()[0])
    return time.time() - up + ticks / os.sysconf("SC_CLK_TCK")


def cold_rows(workload, folder, repeat):
    """The first call in a server that has just started, in parts."""
    prepare(workload, folder)
    parts = {"call to trainer's process": [], "trainer's process to ready (libtorch, slots)": [], "ready to run's begin": [],
             "run's begin to data fed": [], "data fed to first unit": [], "call to first unit": []}
    for _ in range(repeat):
        server.restart()
        called, record, feed, first = fit_parts(workload.name, "bench.cold_out")
        process, ready = _process_start(server.trainer_process()), _trainer_ready(called)
        fed = first if record + feed > first else record + feed
        times = [called, process, ready or record, record, fed, first]
        for name, begin, end in zip(parts, times, times[1:]):
            parts[name].append(end - begin)
        parts["call to first unit"].append(first - called)
    for name, values in parts.items():
        report.report(f"cold: {name}, s", values, at_most=1.5 if name == "call to first unit" else None)


def warm_rows(workload, folder, repeat):
    """The same with a trainer that runs, in a fresh session each; the median of at least five."""
    prepare(workload, folder)
    begin, waiting = [], []
    fit_parts(workload.name, "bench.warm_out")
    for _ in range(max(5, repeat)):
        called, record, feed, first = fit_parts(workload.name, "bench.warm_out")
        begin.append(1000 * (record - called))
        waiting.append(1000 * (first - called))
    report.report("warm: call to run's begin (checks, plan), ms", begin)
    report.report("warm: call to first unit, ms", waiting, at_most=20)


def cancel_rows(workload, folder, repeat):
    """From pg_cancel_backend to the error in the client, a long unit being in work."""
    prepare(workload, folder)
    command = [*PSQL, "-c", "SET application_name = 'bench_cancel'; SELECT modelhop.fit_multiple_model('bench.w1_packed', "
               "'bench.cancelled', 'bench.w1_mst', 50, FALSE)"]
    waited = []
    for _ in range(repeat):
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as process:
            while sql("SELECT count(*) FROM modelhop.progress WHERE running > 0;") == "0":
                time.sleep(0.05)
            began = time.monotonic()
            sql("SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE application_name = 'bench_cancel';")
            process.wait()
            waited.append(time.monotonic() - began)
    report.report("cancel until the client has its error, s", waited, at_most=0.5)
