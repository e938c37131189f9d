"""How many training quadruples a second a machine makes: `python -m backend.training skin-benchmark`."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import torch

from backend.head.model import load_head_model
from backend.training.skin.pack import load_pack
from backend.training.stream.skin_stream import SkinStream


@dataclass(frozen=True)
class Rate:
    """Quadruples a second on the clock, and seconds of processor time that one took (machines may be shared)."""

    per_second: float
    processor_seconds: float


def benchmark(pack: Path, device: str, batch: int, batches: int, threads: int = 1, resolution: int = 512) -> Rate:
    """Measure at `resolution`, after one batch to warm up.

    One thread a process is the most that pays on a CPU: the maps are small, and threads mostly wait for each other.
    """
    torch.set_num_threads(threads)
    stream = SkinStream(load_pack(pack), load_head_model(), device, resolution=resolution, heads=8)
    stream.batch(range(batch))
    _wait(device)
    start, processor = time.perf_counter(), time.process_time()
    for index in range(1, batches + 1):
        stream.batch(range(index * batch, (index + 1) * batch))
    _wait(device)
    count = batch * batches
    return Rate(count / (time.perf_counter() - start), (time.process_time() - processor) / count)


def _wait(device: str) -> None:
    if device.startswith("cuda"):
        torch.cuda.synchronize()
