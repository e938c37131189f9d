"""`python -m tests.soak`: many jobs through one real server, and whether anything grows, gets lost or is slow.

Loopback only; ends by itself after the jobs, or after the minutes given. Linux only: it reads /proc.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from backend.service.client import Client
from shared.connection import Connection, client_socket, read_connection, receive
from shared.errors import RelightifyError
from shared.messages import Hello, JobProgress, Ping, Result, Welcome
from shared.paths import CACHE_VARIABLE
from shared.protocol import encode
from tests.backend.service.running import FAKES

ROOT = Path(__file__).resolve().parents[1]
SLOPE_MB_A_JOB, HELLO_SECONDS = 0.1, 0.020
# What the fake pipeline is asked for, over and over; every tenth job is cancelled.
FAKE_JOBS = (b"sleep 0.3", b"large", b"echo", b"error", b"raise")


@dataclass
class Figures:
    """What was seen; memory in MB."""

    ended: dict[str, int] = field(default_factory=dict)
    worker_mb: list[float] = field(default_factory=list)
    server_mb: list[float] = field(default_factory=list)
    descriptors: list[int] = field(default_factory=list)
    threads: list[int] = field(default_factory=list)
    hello_seconds: list[float] = field(default_factory=list)

    def faults(self, jobs: int) -> list[str]:
        """Sentences about what is not as it should be."""
        found = []
        if sum(self.ended.values()) != jobs:
            found.append(f"{sum(self.ended.values())} of {jobs} jobs ended")
        for name, values in (("worker", self.worker_mb), ("server", self.server_mb)):
            if slope(values) > SLOPE_MB_A_JOB:
                found.append(f"the {name} grows by {slope(values):.3f} MB a job")
        for name, counts in (("descriptors", self.descriptors), ("threads", self.threads)):
            early = max(counts[len(counts) // 4 : len(counts) // 2], default=0)
            if max(counts[-len(counts) // 4 :], default=0) > early + 3:
                found.append(f"{name} grow from {early} to {max(counts[-len(counts) // 4 :])}")
        if self.hello_seconds and float(np.percentile(self.hello_seconds, 99)) > HELLO_SECONDS:
            found.append(f"hello takes {1000 * float(np.percentile(self.hello_seconds, 99)):.1f} ms")
        return found


def slope(values: list[float]) -> float:
    """MB a job, over the last three quarters."""
    late = np.array(values[len(values) // 4 :])
    return float(np.polyfit(np.arange(len(late)), late, 1)[0]) if len(late) > 8 else 0.0


def memory_mb(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def children_of(pid: int) -> list[int]:
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state = path.read_text(errors="replace").rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(state[1]) == pid:
            found.append(int(path.parent.name))
    return found


def measure_hello(connection: Connection, figures: Figures, stop: threading.Event) -> None:
    """Say hello on an open line, five times a second."""
    import zmq

    with zmq.Context() as context, client_socket(context, connection) as socket:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(connection.endpoint)
        while not stop.wait(0.2):
            began = time.monotonic()
            socket.send_multipart(encode(Hello("soak")))  # type: ignore[arg-type]
            while socket.poll(5000) and not isinstance(receive(socket, "server"), Welcome):
                continue
            figures.hello_seconds.append(time.monotonic() - began)
            socket.send_multipart(encode(Ping()))  # type: ignore[arg-type]


def do_job(client: Client, photo: bytes, cancel: bool) -> str:
    """Do one job; returns how it ended."""
    job_id = client.submit(photo)
    try:
        for message in client.messages(job_id):
            if cancel and isinstance(message, JobProgress):
                client.cancel(job_id)
                cancel = False
            if isinstance(message, Result):
                return "result"
    except RelightifyError as error:
        return error.code
    return "nothing"


def soak(jobs: int, minutes: float, photo: Path | None) -> tuple[Figures, int]:
    """Run the jobs, with the fake pipeline where there is no photo; returns what was seen, and how many were run."""
    figures, stop = Figures(), threading.Event()
    deadline = time.monotonic() + 60 * minutes
    with tempfile.TemporaryDirectory(prefix="relightify-soak-") as folder:
        path = Path(folder) / "connection.json"
        command = [sys.executable, "-P", "-m", "backend.service.cli", "--connection-file", str(path)]
        command += ["--parent-pid", str(os.getpid()), "--device", "cpu"]
        command += [] if photo else ["--pipeline", f"{FAKES}:create"]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        if photo is None:
            environment[CACHE_VARIABLE] = str(Path(folder) / "cache")
        with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            server.stdout.readline()
            connection = read_connection(path)
            listener = threading.Thread(target=measure_hello, args=(connection, figures, stop), daemon=True)
            done = 0
            try:
                with Client(connection) as client:
                    client.wait_until_ready()
                    listener.start()
                    while done < jobs and time.monotonic() < deadline:
                        data = photo.read_bytes() if photo else FAKE_JOBS[done % len(FAKE_JOBS)]
                        how = do_job(client, data, cancel=done % 10 == 0)
                        figures.ended[how] = figures.ended.get(how, 0) + 1
                        done += 1
                        (worker,) = children_of(server.pid)
                        figures.worker_mb.append(memory_mb(worker))
                        figures.server_mb.append(memory_mb(server.pid))
                        figures.descriptors.append(len(list(Path(f"/proc/{server.pid}/fd").iterdir())))
                        figures.threads.append(len(list(Path(f"/proc/{worker}/task").iterdir())))
            finally:
                stop.set()
                if listener.ident:
                    listener.join(10)
                server.terminate()
    return figures, done


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--jobs", type=int, default=200)
    parser.add_argument("--minutes", type=float, default=60.0, help="stop after this long")
    parser.add_argument("--photo", type=Path, help="reconstruct this one; without, a pipeline without models is used")
    chosen = parser.parse_args(arguments)
    figures, done = soak(chosen.jobs, chosen.minutes, chosen.photo)
    hello = np.array(figures.hello_seconds or [0.0]) * 1000
    print(f"{done} jobs ended as {figures.ended}")
    print(f"worker {figures.worker_mb[-1]:.0f} MB, slope {slope(figures.worker_mb):+.3f} MB a job", end="; ")
    print(f"server {figures.server_mb[-1]:.0f} MB, slope {slope(figures.server_mb):+.3f} MB a job")
    print(f"descriptors {figures.descriptors[0]} to {figures.descriptors[-1]}", end=", ")
    print(f"worker's threads {figures.threads[0]} to {figures.threads[-1]}")
    print(
        f"hello {np.median(hello):.1f} ms in the middle, {np.percentile(hello, 99):.1f} ms at 99 %, {len(hello)} times"
    )
    faults = figures.faults(done)
    print(*(f"FAULT: {fault}" for fault in faults), sep="\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
