"""How many training quadruples a second a machine makes: `python -m backend.training skin-benchmark`."""

from __future__ import annotations

import time
from pathlib import Path

import torch

from backend.head.model import load_head_model
from backend.training.skin_dataset import SkinStream
from backend.training.skin_pack import load_pack


def benchmark(pack: Path, device: str, batch: int, batches: int, resolution: int = 512) -> float:
    """Quadruples a second at `resolution`, after one batch to warm up."""
    stream = SkinStream(load_pack(pack), load_head_model(), device, resolution=resolution, heads=8)
    stream.batch(range(batch))
    _wait(device)
    start = time.perf_counter()
    for index in range(1, batches + 1):
        stream.batch(range(index * batch, (index + 1) * batch))
    _wait(device)
    return batch * batches / (time.perf_counter() - start)


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
