# SPDX-License-Identifier: Apache-2.0
"""The private server: SQL through psql, timed inside the session; its trainer's process and memory."""
import dataclasses
import os
import subprocess
import sys

ROOT = os.path.realpath(os.path.join(os.path.dirname(__file__), "..", ".."))
SERVER = os.path.join(ROOT, "tools", "server")
PSQL = [SERVER, "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1"]


def sql(text):
    done = subprocess.run([*PSQL, "-At"], input=text, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        sys.exit(f"bench/run: {done.stderr}\nin: {text[:500]}")
    return done.stdout.strip()


@dataclasses.dataclass
class Timed:
    seconds: float
    backend_mb: float  # peaks of resident memory, for a backend with what it touched of shared buffers
    trainer_mb: float  # 0 where no trainer runs


def timed_sql(call, before=""):
    """One statement by the server's clock, without psql's start."""
    forget_peak()
    answer = sql(f"{before}SELECT clock_timestamp() AS began \\gset\n{call}\n"
                 "SELECT 'bench:' || extract(epoch FROM clock_timestamp() - :'began'::timestamptz) || ':' || "
                 "substring(pg_read_file('/proc/self/status') FROM 'VmHWM:\\s+(\\d+)');")
    line = next(line for line in reversed(answer.splitlines()) if line.startswith("bench:"))
    _, seconds, kilobytes = line.split(":")
    return Timed(float(seconds), int(kilobytes) / 1024, resident_megabytes("VmHWM"))


def start():
    subprocess.run([SERVER, "start"], check=True, stdout=subprocess.DEVNULL)


def restart():
    subprocess.run([SERVER, "stop"], check=True, stdout=subprocess.DEVNULL)
    start()


def connection_string():
    done = subprocess.run([SERVER, "status"], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def data_directory():
    return os.path.realpath(sql("SHOW data_directory;"))


def trainer_process():
    """Process id of the private server's trainer, None where none runs."""
    folder = data_directory()
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if (os.readlink(f"/proc/{pid}/exe").endswith("/modelhop-trainer")
                    and os.path.realpath(f"/proc/{pid}/cwd") == folder):
                return pid
        except OSError:
            continue
    return None


def forget_peak():
    """Makes VmHWM begin anew (Linux), so that it tells of the next run alone."""
    pid = trainer_process()
    if pid is not None:
        with open(f"/proc/{pid}/clear_refs", "w", encoding="ascii") as file:
            file.write("5")


def trainer_cpu_seconds():
    """What the trainer has computed so far; 0 where none runs."""
    pid = trainer_process()
    if pid is None:
        return 0.0
    with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def resident_megabytes(field):
    pid = trainer_process()
    if pid is None:
        return 0.0
    with open(f"/proc/{pid}/status", encoding="utf-8") as status:
        fields = dict(line.split(":", 1) for line in status)
    return int(fields[field].split()[0]) / 1024


def peer(program, *arguments, tuned=False, threads=1):
    """Runs a program of bench/peers in the bench's environment; returns what its last line says."""
    place = os.environ.get("MODELHOP_BENCH_ENV", os.path.join(ROOT, "build", "bench-env"))
    environment = dict(os.environ, OMP_NUM_THREADS=str(threads), PYTHONDONTWRITEBYTECODE="1")
    if tuned:
        # The C library keeps freed pages, and MKL takes the kernels that this processor has, whoever made it.
        environment.update(MALLOC_TRIM_THRESHOLD_="4000000000", MALLOC_MMAP_THRESHOLD_="4000000000",
                           MALLOC_TOP_PAD_="67108864")
        library = os.path.join(place, "mkl_processor.so")
        if os.path.exists(library):
            environment["LD_PRELOAD"] = library
    command = [os.path.join(place, "bin", "python"), os.path.join(ROOT, "bench", "peers", program), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        sys.exit(f"bench/run: the peer {program} failed: {done.stderr[-3000:]}")
    return done.stdout.strip().splitlines()[-1]
