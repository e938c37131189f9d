"""What the diffusion prior does around its samplers."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
import torch

from backend.prior.diffusion.drawing import with_fallback
from backend.prior.diffusion.prior import log_colour


@dataclass
class Weights:
    """Says where it is and where it has been."""

    device: torch.device
    moves: list[str] = field(default_factory=list)

    def to(self, device: str) -> Weights:
        self.moves.append(device)
        return Weights(torch.device(device), self.moves)


def drawer(weights: Weights, seeds: Sequence[int], most: int) -> list[dict[str, np.ndarray]]:
    """Fails on a GPU for more samples than `most`."""
    if weights.device.type == "cuda" and len(seeds) > most:
        raise torch.OutOfMemoryError("out of memory")
    return [{"seed": np.array(seed)} for seed in seeds]


@pytest.mark.parametrize(("most", "moves"), [(4, []), (1, []), (0, ["cpu", "cuda"])])
def test_too_little_gpu_memory_means_smaller_batches_then_the_cpu(
    most: int, moves: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    weights = Weights(torch.device("cuda"))
    logger = logging.getLogger("backend.prior.diffusion.prior")
    caplog.set_level(logging.WARNING, logger.name)
    logger.addHandler(caplog.handler)  # the command line's own logging may keep records from the root
    drawn = with_fallback(weights, lambda w, s: drawer(w, s, most), (5, 6, 7))  # pyright: ignore
    logger.removeHandler(caplog.handler)
    assert [int(one["seed"]) for one in drawn] == [5, 6, 7]
    assert weights.moves == moves
    assert bool(caplog.records) == (most < 3)


def test_colours_beyond_what_can_be_shown_stay_finite() -> None:
    values = log_colour(np.array([-2.0, -1.0, 0.0, 1.0, 3.0], np.float32))
    assert np.isfinite(values).all()
    assert values[3] == values[4] == 0
