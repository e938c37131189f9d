"""Pipelines for tests of the service: they do what the photo's bytes say, instead of reconstructing a head."""

from __future__ import annotations

import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from backend.progress import Progress
from shared.errors import RelightifyError
from shared.head_mesh import HeadMesh
from shared.options import JobOptions
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


@dataclass(frozen=True)
class FakeFaces:
    boxes: np.ndarray
    thumbnails: np.ndarray
    photo: np.ndarray
    problems: tuple[str, ...]


class FakePipeline:
    """Does what the photo says: `sleep 3`, `hang 3`, `exit`, `abort`, `kill`, `memory`, `raise`, `error`, `large`.

    Anything else is done at once.
    """

    devices = ("cpu",)
    qualities = ("baseline",)

    def __init__(self, device: str) -> None:
        self.device = device

    def detect(self, data: bytes, progress: Progress) -> FakeFaces:
        if data == b"empty":
            raise RelightifyError("no_face", "There is no face in this photo.", "Choose another photo.")
        progress.named("photo").report(0.3)
        boxes = np.array([[0.1, 0.1, 0.5, 0.6], [0.6, 0.2, 0.8, 0.4]], np.float32)
        grey = np.full((2, 16, 16, 3), 99, np.uint8)
        return FakeFaces(boxes, grey, grey[0], ("", "Too small."))

    def reconstruct(self, data: bytes, options: JobOptions, progress: Progress) -> FakeResult:
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
        info = {"pid": os.getpid(), "seed": options.seed, "device": self.device, "bytes": len(data)}
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
