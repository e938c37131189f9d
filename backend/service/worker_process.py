"""The worker as the server sees it: a child process with a line of its own."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import zmq

import backend
from backend.service.gatekeeper import Gatekeeper
from backend.service.logs import log_path
from backend.threads import calm
from shared.connection import send_frames
from shared.errors import RelightifyError
from shared.messages import Buffer
from shared.private_files import open_private
from shared.processes import kill_group

_log = logging.getLogger(__name__)

WORKER_DOMAIN = "worker"


@dataclass(frozen=True)
class WorkerSettings:
    """What a worker is told at its start.

    Args:
        factory: dotted path `module:function` of what makes its pipeline, see `backend.service.worker.JobPipeline`.
        device: handed to the factory.
        log_name: name of the service's log files.
    """

    factory: str = "backend.service.job_pipeline:create"
    device: str = "auto"
    log_name: str = "connection"


class WorkerProcess:
    """A started worker. Its standard input is the leash: when that closes, with the server, the worker ends itself.

    Args:
        context: the server's ZeroMQ context.
        gatekeeper: told the worker's key.
        settings: what to start.

    Raises:
        RelightifyError: `worker_start`, the process cannot be started.
    """

    def __init__(self, context: zmq.Context, gatekeeper: Gatekeeper, settings: WorkerSettings) -> None:
        self.settings = settings
        self.ready = False
        self.started = time.monotonic()
        server_public, server_secret = zmq.curve_keypair()
        worker_public, worker_secret = zmq.curve_keypair()
        gatekeeper.allow(WORKER_DOMAIN, {worker_public.decode()})
        self.socket: zmq.Socket = context.socket(zmq.DEALER)
        self.socket.setsockopt(zmq.LINGER, 0)
        self.socket.setsockopt(zmq.ZAP_DOMAIN, WORKER_DOMAIN.encode())
        self.socket.curve_server = True
        self.socket.curve_publickey = server_public
        self.socket.curve_secretkey = server_secret
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        self._output = log_path(settings.log_name, "worker-output")
        setup = {
            "endpoint": f"tcp://127.0.0.1:{port}",
            "server_public_key": server_public.decode(),
            "public_key": worker_public.decode(),
            "secret_key": worker_secret.decode(),
            "factory": settings.factory,
            "device": settings.device,
            "log": str(log_path(settings.log_name, "worker")),
        }
        try:
            self.process = _start(setup, self._output)
        except OSError as error:
            self.socket.close()
            raise RelightifyError(
                "worker_start",
                f"The reconstruction process cannot be started: {error.strerror}.",
                "Free some memory and disk space, or install the backend again.",
            ) from error
        _log.info("Started worker %d.", self.process.pid)

    def send(self, frames: Sequence[Buffer]) -> None:
        """Send without waiting. A worker that takes nothing is done for and is killed; `exited` tells then."""
        try:
            send_frames(self.socket, frames)
        except (zmq.ZMQError, MemoryError) as error:
            _log.warning("Worker %d takes no messages (%s).", self.process.pid, error or "out of memory")
            self.kill()

    def kill(self) -> None:
        """End the process, and what it may have started."""
        kill_group(self.process)

    def exited(self) -> bool:
        """Whether the process has ended. It is not reaped before `stop`: until then nobody else gets its number."""
        if self.process.returncode is None and hasattr(os, "waitid"):
            return os.waitid(os.P_PID, self.process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None
        return self.process.poll() is not None

    def stop(self) -> None:
        """Kill the process if it still runs, and close the line. Returns when it is gone."""
        self.kill()
        self.process.wait()
        if self.process.stdin is not None:
            self.process.stdin.close()
        self.socket.close()

    def death(self) -> RelightifyError:
        """What to tell the user of a worker that ended by itself; its last output goes to the log."""
        code = self.process.returncode
        last_words = self._output.read_text(errors="replace")[-4000:].strip() if self._output.exists() else ""
        _log.error("Worker %d ended with exit status %s. Its output:\n%s", self.process.pid, code, last_words)
        log = log_path(self.settings.log_name, "server")
        if os.name == "posix" and code == -signal.SIGKILL:
            return RelightifyError(
                "worker_died",
                "The reconstruction process was killed, most likely because the machine ran out of memory.",
                f"Close other programs or choose a smaller resolution, then try again. Log: {log}",
            )
        # Libraries that are written in C do not look whether they were given the memory they asked for.
        if os.name == "posix" and -code in (signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS):
            return RelightifyError(
                "worker_died",
                f"The reconstruction process crashed ({signal.Signals(-code).name}), which may mean that the machine "
                "ran out of memory.",
                "Close other programs or choose a smaller resolution, then try again; it has been started anew. If it "
                f"happens with memory to spare, report it with the log {log}",
            )
        return RelightifyError(
            "worker_died",
            f"The reconstruction process ended unexpectedly (exit status {code}).",
            f"Try again; it has been started anew. If it happens again, report it with the log {log}",
        )


def _start(setup: dict[str, str], output: Path) -> subprocess.Popen[bytes]:
    """Start a worker and hand it its set-up; what it prints goes to the file `output`."""
    with open(open_private(output), "wb") as file:
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "backend.service.worker"],
            stdin=subprocess.PIPE,
            stdout=file,
            stderr=file,
            env=_environment(),
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
            # A group of its own, so that what libraries may start for it ends with it.
            process_group=0 if os.name == "posix" else None,
        )
    assert process.stdin is not None
    process.stdin.write(json.dumps(setup).encode() + b"\n")
    process.stdin.flush()
    return process


def _environment() -> dict[str, str]:
    """The worker's environment: this one, and the folder that holds `backend` on the module path."""
    root = str(Path(backend.__file__).resolve().parent.parent)
    paths = [root, *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}
    calm(environment)
    return environment
