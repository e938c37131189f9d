"""A message of every kind, as tests send them."""

from __future__ import annotations

from typing import Any

import numpy as np

from shared.corrections import Correction, Corrections
from shared.head_mesh import HeadMesh
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
    Result,
    Shutdown,
    Welcome,
)
from shared.options import JobOptions
from tests.shared.example_mesh import example_mesh


def result(mesh: HeadMesh | None = None, **fields: Any) -> Result:
    maps = {"diffuse_albedo": b"\x89PNG" + bytes(range(256)), "normal": b"\x89PNG2"}
    return Result("job", mesh or example_mesh(), maps, **fields)


CORRECTIONS = Corrections(
    (Correction((1.5, 2.0), handle="chin"), Correction((3.0, 4.0), vertices=(1, 2, 3), weights=(0.5, 0.25, 0.25)))
)
MESSAGES: list[Message] = [
    Hello("add-on 1"),
    Welcome("relightify 1", "ready", ("baseline",), ("cpu", "cuda:0"), "cpu"),
    Reconstruct("job-1", b"photo", JobOptions(face=1, resolution=512, seed=2**32 - 1, samples=3), "Ünï.jpg"),
    Reconstruct("job-3", b"front", JobOptions(), "x.jpg", {"2": b"left", "3": b"right"}, (None, 2)),
    Detect("job-2", b"photo", "Ünï.jpg"),
    Reconstruct("job-3", b"photo", corrections=CORRECTIONS),
    Queued("job", 2, "busy"),
    JobProgress("job", "Fitting", 0.5, 3.25),
    Error("no_face", "There is no face.", "Take another photo.", "job"),
    Error("protocol", "Malformed."),
    Cancel("job"),
    Ping(),
    Pong("warming_up"),
    Goodbye(),
    Shutdown(),
]


def faces(count: int = 2, **fields: Any) -> Faces:
    random = np.random.default_rng(0)
    made = {
        "boxes": random.random((count, 4), np.float32),
        "thumbnails": random.integers(0, 256, (count, 8, 8, 3), np.uint8),
        "photo": random.integers(0, 256, (9, 12, 3), np.uint8),
        "problems": ("", "Too small.")[:count],
        **fields,
    }
    return Faces("job", **made)
