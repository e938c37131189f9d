"""The worker: a process that holds the models warm and does one job after the other.

Started by `backend.service.worker_process`; talks to the server in the messages that clients see, so that the server
passes them on as they are. It has no thread for its line: `Progress` sends, and looks for a cancel, from the job.
"""

from __future__ import annotations

import faulthandler
import gc
import importlib
import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import zmq

from backend.progress import Progress
from backend.service.logs import log_to_file
from backend.service.pace import Pace
from shared.connection import receive, send_frames
from shared.corrections import Corrections
from shared.errors import RelightifyError
from shared.head_mesh import HeadMesh
from shared.messages import (
    Buffer,
    Cancel,
    Detect,
    Error,
    Faces,
    JobProgress,
    Reconstruct,
    Refit,
    Refitted,
    Request,
    Result,
    Welcome,
)
from shared.options import JobOptions
from shared.protocol import encode

_log = logging.getLogger(__name__)

PREVIEW_SIDE = 512
SECONDS_BETWEEN_REPORTS = 0.1
SECONDS_BETWEEN_PREVIEWS = 0.25
# Fraction of the whole job at which the maps are made and become PNG files.
ENCODING_STARTS = 0.97


class EncodableMaps(Protocol):
    def encode(self) -> Mapping[str, bytes]:
        """PNG files by map name."""
        ...


class JobResult(Protocol):
    """What a pipeline returns; `backend.reconstruction.Reconstruction` is one."""

    @property
    def mesh(self) -> HeadMesh: ...
    @property
    def maps(self) -> EncodableMaps: ...
    @property
    def info(self) -> Mapping[str, Any]: ...
    @property
    def warnings(self) -> tuple[str, ...]: ...
    @property
    def further_lights(self) -> Mapping[str, np.ndarray]: ...


class FacesInPhoto(Protocol):
    """What a pipeline finds in a photo, see `shared.messages.Faces`; `backend.photo.face_choice.FoundFaces` is one."""

    @property
    def boxes(self) -> np.ndarray: ...
    @property
    def thumbnails(self) -> np.ndarray: ...
    @property
    def photo(self) -> np.ndarray: ...
    @property
    def problems(self) -> tuple[str, ...]: ...


class JobPipeline(Protocol):
    """What a worker's factory makes, called with the device as its only argument."""

    @property
    def device(self) -> str: ...
    @property
    def devices(self) -> tuple[str, ...]: ...
    @property
    def qualities(self) -> tuple[str, ...]: ...
    def reconstruct(
        self,
        photos: Sequence[bytes],
        options: JobOptions,
        progress: Progress,
        further_faces: Sequence[int | None],
        corrections: Corrections,
    ) -> JobResult: ...
    def detect(self, data: bytes, progress: Progress) -> FacesInPhoto: ...
    def refit(self, request: Refit) -> Refitted: ...


class Line:
    """The worker's line to the server. A lock lets threads of the pipeline report as well."""

    def __init__(self, setup: Mapping[str, str]) -> None:
        self._lock = threading.Lock()
        self._cancelled: set[str] = set()
        self._socket: zmq.Socket = zmq.Context.instance().socket(zmq.DEALER)
        self._socket.curve_serverkey = setup["server_public_key"].encode()
        self._socket.curve_publickey = setup["public_key"].encode()
        self._socket.curve_secretkey = setup["secret_key"].encode()
        self._socket.connect(setup["endpoint"])

    def send(self, frames: Sequence[Buffer]) -> None:
        """Send to the server, whose queue is deep enough for a job's messages; raises what `send_frames` does."""
        with self._lock:
            send_frames(self._socket, frames)

    def next_job(self) -> Request:
        """Wait for a job."""
        while True:
            self._socket.poll()
            message = receive(self._socket, "client")
            if isinstance(message, Request):
                self._cancelled.clear()
                return message

    def cancelled(self, job_id: str) -> bool:
        """Whether the server has asked to stop this job."""
        with self._lock:
            while self._socket.poll(0):
                message = receive(self._socket, "client")
                if isinstance(message, Cancel):
                    self._cancelled.add(message.job_id)
        return job_id in self._cancelled


class Reporter:
    """Sends the progress of one job, not more often than a user can see."""

    def __init__(self, line: Line, job_id: str, pace: Pace) -> None:
        self._line = line
        self._job_id = job_id
        self._pace = pace
        self._started = time.monotonic()
        self._stage = ""
        self._sent = self._previewed = float("-inf")

    def __call__(self, stage: str, fraction: float, preview: np.ndarray | None) -> None:
        now = time.monotonic()
        new_stage = stage != self._stage
        if preview is not None and not new_stage and now - self._previewed < SECONDS_BETWEEN_PREVIEWS:
            preview = None
        if preview is None and not new_stage and now - self._sent < SECONDS_BETWEEN_REPORTS:
            return
        self._stage, self._sent = stage, now
        if preview is not None:
            self._previewed = now
            preview = shrink(preview, PREVIEW_SIDE)
        left = self._pace.seconds_left(now - self._started, fraction)
        self._line.send(encode(JobProgress(self._job_id, stage, fraction, left, preview)))


def shrink(image: np.ndarray, side: int) -> np.ndarray:
    """A copy of an image, uint8 [H, W, 3], at most `side` texels long: means of whole blocks."""
    factor = -(-max(image.shape[:2]) // side)
    if factor == 1:
        return image.copy()
    # A border thinner than a block is cut off, unless there is nothing else in that direction.
    blocks = [max(1, n // factor) for n in image.shape[:2]]
    rows, columns = (min(factor, n) for n in image.shape[:2])
    cut = image[: blocks[0] * rows, : blocks[1] * columns]
    means = cut.reshape(blocks[0], rows, blocks[1], columns, 3).mean(axis=(1, 3), dtype=np.float32)
    return np.round(means).astype(np.uint8)


def do_job(pipeline: JobPipeline, job: Request, line: Line, pace: Pace, log: Path) -> list[Buffer]:
    """Do one job; every way in which it can fail becomes an `Error` for the user. Returns the frames of the outcome."""
    if isinstance(job, Reconstruct | Detect):
        pace.begin(_kind(job))
    progress = Progress(Reporter(line, job.job_id, pace), lambda: line.cancelled(job.job_id))
    try:
        if isinstance(job, Detect):
            found = pipeline.detect(bytes(job.photo), progress)
            return encode(Faces(job.job_id, found.boxes, found.thumbnails, found.photo, found.problems))
        if isinstance(job, Refit):
            return encode(pipeline.refit(job))
        return _reconstruct(pipeline, job, progress, pace)
    except RelightifyError as error:
        _log.info("Job %s: %s", job.job_id, error)
        outcome = Error.of(error, job.job_id)
    except Exception as error:
        _log.exception("Job %s failed", job.job_id)
        outcome = Error.of(explain(error, log), job.job_id)
    free_memory()  # only now that no traceback holds on to the job's arrays
    return encode(outcome)


def _kind(job: Reconstruct | Detect) -> tuple[str, int, int]:
    """Jobs that take about as long."""
    if isinstance(job, Detect):
        return "detect", 0, 1
    return job.options.quality, job.options.resolution, len(job.photos)


def _reconstruct(pipeline: JobPipeline, job: Reconstruct, progress: Progress, pace: Pace) -> list[Buffer]:
    """The frames of a reconstruction's result."""
    started = time.monotonic()
    photos, report = [bytes(photo) for photo in job.photos], progress.part(0.0, ENCODING_STARTS)
    done = pipeline.reconstruct(photos, job.options, report, job.further_faces, job.corrections)
    reconstructed = time.monotonic()
    progress.named("encoding").report(ENCODING_STARTS)
    made = done.mesh, done.maps.encode(), done.info, tuple(done.warnings), done.further_lights
    frames = encode(Result(job.job_id, *made))
    ended = time.monotonic()
    pace.finish(ended - started)
    encoding = ended - reconstructed
    _log.info("Job %s took %.2f s and %.2f s to encode.", job.job_id, reconstructed - started, encoding)
    return frames


def explain(error: Exception, log: Path) -> RelightifyError:
    """What to tell the user of an error that nobody foresaw."""
    if is_out_of_memory(error):
        return RelightifyError(
            "out_of_memory",
            "There was not enough memory for this job.",
            "Close other programs, or choose a smaller resolution or a lower quality.",
        )
    return RelightifyError(
        "internal",
        f"Something went wrong inside the backend ({type(error).__name__}).",
        f"Please report it with the log {log}",
    )


def is_out_of_memory(error: BaseException) -> bool:
    """Whether Python, torch (CPU or GPU) or OpenCV ran out of memory; needs none of these libraries."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    told = ("can't allocate memory", "CUDA out of memory", "MPS backend out of memory", "Insufficient memory")
    return any(words in text for words in told)


def free_memory() -> None:
    """Give back what a failed job held."""
    gc.collect()
    torch = sys.modules.get("torch")
    if torch is None:
        return
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    if torch.backends.mps.is_available():
        torch.mps.empty_cache()


def load(factory: str, device: str) -> JobPipeline:
    """Make the pipeline by its factory's dotted path, `module:function`."""
    module, _, function = factory.partition(":")
    return getattr(importlib.import_module(module), function)(device)


def _die_first() -> None:
    """Where memory runs out, Linux shall end this process, and not Blender with somebody's unsaved work."""
    if sys.platform == "linux":
        try:
            Path("/proc/self/oom_score_adj").write_text("500")
        except OSError as error:  # a sandbox without a writable /proc
            _log.info("The worker cannot ask to be ended first: %s", error)


def _end_with_server() -> None:
    """The server holds the other end of standard input and never writes again: its end means the server's."""
    while os.read(0, 1):
        continue
    if os.name == "posix" and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)  # with whatever libraries have started
    os._exit(0)


def main() -> None:
    """Read the set-up from standard input, load the models, then work until the server is gone."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl+C in the server's terminal is the server's business
    setup = json.loads(sys.stdin.buffer.readline())
    threading.Thread(target=_end_with_server, name="leash", daemon=True).start()
    log = Path(setup["log"])
    log_to_file(log)
    _die_first()
    line = Line(setup)
    started = time.monotonic()
    try:
        pipeline = load(setup["factory"], setup["device"])
    except Exception as error:
        _log.exception("The worker cannot start")
        line.send(encode(Error.of(error if isinstance(error, RelightifyError) else explain(error, log))))
        zmq.Context.instance().destroy(linger=2000)
        sys.exit(1)
    _log.info("Ready on %s after %.1f s.", pipeline.device, time.monotonic() - started)
    line.send(encode(Welcome("worker", "ready", pipeline.qualities, pipeline.devices, pipeline.device)))
    pace = Pace()
    while True:
        line.send(do_job(pipeline, line.next_job(), line, pace, log))


if __name__ == "__main__":
    main()
