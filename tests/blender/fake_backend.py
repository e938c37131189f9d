"""A backend without models, on the real wire format: it does to each job what the test has told it to."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import zmq

from shared.connection import Connection, write_connection
from shared.messages import (
    Cancel,
    Detect,
    Error,
    Faces,
    Goodbye,
    Hello,
    JobProgress,
    Message,
    Ping,
    Pong,
    Queued,
    Reconstruct,
    Refit,
    Result,
    Welcome,
)
from shared.protocol import decode, encode
from tests.blender import finished_job

Reply = Callable[[Message], None]


def finish(request: Reconstruct, reply: Reply) -> None:
    """Do the job at once."""
    preview = np.full((48, 64, 3), 128, np.uint8)
    reply(JobProgress(request.job_id, "fit", 0.4, seconds_left=3.0, preview=preview))
    reply(JobProgress(request.job_id, "completion", 0.9))
    reply(result(request, range(1, 1 + len(request.photos)), ("A hat covers the brow.",)))


def result(request: Reconstruct, used: Sequence[int], warnings: tuple[str, ...] = ()) -> Result:
    """What a job gives whose photos of these numbers can be used."""
    said = {**finished_job.info(used), "corrections": request.corrections.plain()}
    made = finished_job.head_mesh(), finished_job.maps(64), said, warnings, finished_job.further_lights(used)
    return Result(request.job_id, *made)


def stay_busy(request: Reconstruct, reply: Reply) -> None:
    """Report some progress and never finish."""
    reply(JobProgress(request.job_id, "fit", 0.3))


def find_no_face(request: Reconstruct, reply: Reply) -> None:
    """Fail as the real one does on a landscape."""
    reply(Error("no_face", "No face was found in the photo.", "Use a photo with a larger face.", request.job_id))


def two_faces(job_id: str) -> Faces:
    """A large face on the left and one on the right that is too small."""
    boxes = np.array([[0.1, 0.1, 0.4, 0.6], [0.7, 0.2, 0.8, 0.3]], np.float32)
    thumbnails = np.full((2, 32, 32, 3), 90, np.uint8)
    return Faces(job_id, boxes, thumbnails, np.full((60, 80, 3), 70, np.uint8), ("", "The face is too small."))


class FakeBackend:
    """A server on a thread; `behaviour` decides what happens to each job."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.behaviour: Callable[[Reconstruct, Reply], None] = finish
        self.requests: list[Reconstruct] = []
        self.searches: list[Detect] = []
        self.refits: list[Refit] = []
        self.cancelled: list[str] = []
        self.silent = False
        # What the search for faces fails with: code, message and hint.
        self.face_error: tuple[str, str, str] | None = None
        self._stop = threading.Event()
        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.LINGER, 0)
        public, secret = zmq.curve_keypair()
        client_public, client_secret = zmq.curve_keypair()
        self._socket.curve_server = True
        self._socket.curve_secretkey = secret
        port = self._socket.bind_to_random_port("tcp://127.0.0.1")
        keys = [key.decode() for key in (public, client_public, client_secret)]
        now = datetime.now(UTC).isoformat()
        write_connection(Connection("127.0.0.1", port, keys[0], keys[1], keys[2], os.getpid(), now), path)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._stop.set()
        self._thread.join(5)
        self._socket.close()
        self._context.term()

    def _serve(self) -> None:
        while not self._stop.is_set():
            if not self._socket.poll(20):
                continue
            sender, *frames = self._socket.recv_multipart()
            message = decode(frames, "client")
            if not self.silent:
                self._answer(sender, message)

    def _answer(self, sender: bytes, message: Message) -> None:
        def reply(answer: Message) -> None:
            self._socket.send_multipart([sender, *encode(answer)])

        if isinstance(message, Hello):
            reply(Welcome("fake", "ready", ("baseline",), ("cpu",), "cpu"))
        elif isinstance(message, Ping):
            reply(Pong("ready"))
        elif isinstance(message, Reconstruct):
            self.requests.append(message)
            reply(Queued(message.job_id, 0, "ready"))
            self.behaviour(message, reply)
        elif isinstance(message, Refit):
            self.refits.append(message)
            reply(finished_job.refitted(message))
        elif isinstance(message, Detect):
            self.searches.append(message)
            failed = self.face_error
            reply(two_faces(message.job_id) if failed is None else Error(*failed, message.job_id))
        elif isinstance(message, Cancel):
            self.cancelled.append(message.job_id)
            reply(Error("cancelled", "The job was cancelled.", "", message.job_id))
        elif not isinstance(message, Goodbye):
            raise AssertionError(f"the add-on sent {message}")
