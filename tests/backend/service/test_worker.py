"""What the worker does around the pipeline: reports, previews, errors."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from backend.service.pace import Pace
from backend.service.worker import Line, Reporter, is_out_of_memory, shrink
from shared.messages import Buffer, JobProgress
from shared.protocol import decode


class CollectingLine:
    """Stands for a `Line`; keeps what is sent."""

    def __init__(self) -> None:
        self.messages: list[JobProgress] = []

    def send(self, frames: list[Buffer]) -> None:
        message = decode(frames)
        assert isinstance(message, JobProgress)
        self.messages.append(message)


@pytest.mark.parametrize("size", [(100, 50), (512, 512), (513, 400), (3000, 10), (1, 2000), (2048, 2048)])
def test_a_preview_shrinks_to_its_limit_and_keeps_its_shape(size: tuple[int, int]) -> None:
    image = np.full((*size, 3), 77, np.uint8)
    small = shrink(image, 512)
    assert small.dtype == np.uint8
    assert (small == 77).all()
    assert max(small.shape) <= 512
    assert min(small.shape[:2]) >= 1
    assert small.shape[0] / small.shape[1] == pytest.approx(size[0] / size[1], rel=0.05) or min(size) < 20


def test_shrinking_averages_whole_blocks() -> None:
    image = np.zeros((4, 4, 3), np.uint8)
    image[:2, :2] = [[[0] * 3, [100] * 3], [[100] * 3, [200] * 3]]
    assert shrink(image, 2)[:, :, 0].tolist() == [[100, 0], [0, 0]]


def test_the_preview_sent_does_not_change_with_the_image_afterwards() -> None:
    line = CollectingLine()
    image = np.zeros((4, 4, 3), np.uint8)
    Reporter(cast(Line, line), "job", Pace())("fit", 0.1, image)
    image[:] = 9
    assert line.messages[0].preview is not None
    assert not line.messages[0].preview.any()


def test_reports_that_nobody_could_see_are_left_out_but_no_stage_is() -> None:
    line = CollectingLine()
    reporter = Reporter(cast(Line, line), "job", Pace())
    for stage in ("photo", "fit", "unwrap"):
        for step in range(1000):
            reporter(stage, step / 1000, None)
    assert [message.stage for message in line.messages[:1]] == ["photo"]
    assert {message.stage for message in line.messages} == {"photo", "fit", "unwrap"}
    assert len(line.messages) < 30


class OutOfMemoryError(RuntimeError):
    """Named as torch's."""


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (MemoryError(), True),
        (OutOfMemoryError("CUDA"), True),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"), True),
        (RuntimeError("MPS backend out of memory (MPS allocated: 9 GB)"), True),
        (RuntimeError("OpenCV(4.9) error: (-4:Insufficient memory) Failed to allocate 9 bytes"), True),
        (RuntimeError("shapes differ"), False),
        (ValueError("memory of an elephant"), False),
    ],
    ids=str,
)
def test_all_libraries_ways_to_run_out_of_memory_are_known(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) == expected
