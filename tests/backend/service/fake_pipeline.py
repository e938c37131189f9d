"""Pipelines for tests of the service: they do what the photo's bytes say, instead of reconstructing a head."""

from __future__ import annotations

import gc
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.progress import Progress
from shared.corrections import Corrections
from shared.errors import RelightifyError
from shared.head_mesh import HeadMesh
from shared.messages import Error
from shared.options import JobOptions
from shared.paths import cache_folder
from shared.protocol import encode
from shared.refit_messages import Refit, Refitted
from tests.shared.example_fit import example_refitted
from tests.shared.example_mesh import example_mesh


@dataclass(frozen=True)
class FakeMaps:
    files: Mapping[str, bytes]

    def encode(self) -> Mapping[str, bytes]:
        return self.files


@dataclass(frozen=True)
class FakeResult:
    mesh: HeadMesh
    maps: FakeMaps
    info: Mapping[str, Any]
    warnings: tuple[str, ...] = ("This head is not real.",)
    further_lights: Mapping[str, np.ndarray] = field(default_factory=dict)


@dataclass(frozen=True)
class FakeFaces:
    boxes: np.ndarray
    thumbnails: np.ndarray
    photo: np.ndarray
    problems: tuple[str, ...]


class FakePipeline:
    """Does what the photo says: `sleep 3`, `hang 3`, `exit`, `abort`, `segfault`, `kill`, `memory`, `raise`, `error`,
    `large`, `nonsense` (bytes that are no message), `stranger` (the outcome of another job), `child FILE` (starts a
    process that would live on, writes its number).

    Anything else is done at once.
    """

    devices = ("cpu",)
    qualities = ("baseline",)

    def __init__(self, device: str) -> None:
        self.device = device
        self.refits = 0

    def detect(self, data: bytes, progress: Progress) -> FakeFaces:
        if data == b"empty":
            raise RelightifyError("no_face", "There is no face in this photo.", "Choose another photo.")
        progress.named("photo").report(0.3)
        boxes = np.array([[0.1, 0.1, 0.5, 0.6], [0.6, 0.2, 0.8, 0.4]], np.float32)
        grey = np.full((2, 16, 16, 3), 99, np.uint8)
        return FakeFaces(boxes, grey, grey[0], ("", "Too small."))

    def refit(self, request: Refit) -> Refitted:
        self.refits += 1
        return replace(example_refitted(request.job_id), expression=np.array([self.refits], np.float32))

    def reconstruct(
        self,
        photos: Sequence[bytes],
        options: JobOptions,
        progress: Progress,
        further_faces: Sequence[int | None] = (),
        corrections: Corrections = Corrections(),
    ) -> FakeResult:
        data = photos[0]
        word, _, argument = data.decode(errors="replace").partition(" ")
        progress.named("Starting").report(0.0)
        if word == "sleep":
            self._sleep(float(argument), progress)
        elif word == "hang":  # busy in Python, deaf to a cancel
            end = time.monotonic() + float(argument)
            while time.monotonic() < end:
                pass
        elif word == "exit":
            os._exit(7)
        elif word == "abort":
            os.abort()
        elif word == "segfault":
            os.kill(os.getpid(), signal.SIGSEGV)
        elif word == "nonsense":
            line_of_this_worker().send([b"half a message", b"and the half of another"])
            time.sleep(30)
        elif word == "stranger":
            line_of_this_worker().send(encode(Error("no_face", "There is none.", job_id="somebody-elses")))
            time.sleep(30)
        elif word == "child":
            child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
            Path(argument).write_text(str(child.pid))
            time.sleep(600)
        elif word == "kill":
            os.kill(os.getpid(), signal.SIGKILL)
        elif word == "memory":
            limit = resource.getrlimit(resource.RLIMIT_AS)
            used = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + 2**28, limit[1]))
            try:
                np.ones(2**30)
            finally:
                resource.setrlimit(resource.RLIMIT_AS, limit)
        elif word == "raise":
            raise ZeroDivisionError("secret details")
        elif word == "error":
            raise RelightifyError("no_face", "There is no face in this photo.", "Choose another photo.")
        size = 4 * 2**20 if word == "large" else 64
        info: dict[str, Any] = {"pid": os.getpid(), "seed": options.seed, "device": self.device, "bytes": len(data)}
        info |= {"photos": [photo.decode(errors="replace") for photo in photos], "further_faces": list(further_faces)}
        info["corrections"] = corrections.plain()
        maps = {"diffuse_albedo": bytes(size), "normal": bytes(size)}
        return FakeResult(example_mesh(vertices=4000 if word == "large" else 20), FakeMaps(maps), info)

    @staticmethod
    def _sleep(seconds: float, progress: Progress) -> None:
        start = time.monotonic()
        while (passed := time.monotonic() - start) < seconds:
            progress.named("Sleeping").report(
                passed / seconds, np.full((40, 60, 3), int(255 * passed / seconds), np.uint8)
            )
            time.sleep(0.02)


def line_of_this_worker() -> Any:
    """The line that the worker's main function holds."""
    return next(thing for thing in gc.get_objects() if type(thing).__name__ == "Line")


def create(device: str) -> FakePipeline:
    return FakePipeline(device)


def create_slowly(device: str) -> FakePipeline:
    time.sleep(0.8)
    return FakePipeline(device)


def create_never(device: str) -> FakePipeline:
    raise RelightifyError("model_unavailable", f"There is no model for {device}.", "Go online.")


def create_dead(device: str) -> FakePipeline:
    print(f"last words on {device}", file=sys.stderr, flush=True)
    os._exit(3)


def create_hanging_once(device: str) -> FakePipeline:
    """Hangs at its first start in a cache folder, as a driver or a download might."""
    marker = cache_folder() / "hung-once"
    if not marker.exists():
        marker.touch()
        time.sleep(600)
    return FakePipeline(device)
