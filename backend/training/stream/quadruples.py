"""`python -m backend.training quadruples`: makes the quadruples that auto-encoders and diffusion learn from, once.

Making a quadruple costs more than a training step on it, so they are kept: 10 bytes a texel in one file that is mapped
into memory. Several processes may fill one file, each its share of the numbers, and an interrupted run goes on.
"""

from __future__ import annotations

import argparse
import logging
import shutil
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from backend.asset_files import ROOT
from backend.head.model import load_head_model
from backend.prior.channels import QUADRUPLE
from backend.training.skin.pack import PACK, load_pack
from backend.training.stream.skin_stream import SkinStream
from shared.errors import RelightifyError

_log = logging.getLogger(__name__)
FOLDER = ROOT / "out" / "quadruples"
RESOLUTION = 512
SPARE_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Quadruples:
    """A file of quadruples, uint8 [N, 10, R, R], [-1, 1] as 0 ... 255, and which of them are there, uint8 [N]."""

    values: np.ndarray
    made: np.ndarray

    @staticmethod
    def open(folder: Path) -> Quadruples:
        """Map a folder's files into memory.

        Raises:
            RelightifyError: ``no_quadruples``, nothing was made there yet.
        """
        if not (folder / "made.npy").is_file():
            raise RelightifyError(
                "no_quadruples",
                f"There are no training samples in {folder}.",
                "Make some first: python -m backend.training quadruples --out FOLDER.",
            )
        return Quadruples(np.load(folder / "values.npy", "r+"), np.load(folder / "made.npy", "r+"))

    @staticmethod
    def create(folder: Path, count: int, resolution: int = RESOLUTION) -> Quadruples:
        """New files with room for `count`, or those that are there with that room.

        Raises:
            RelightifyError: ``disk_full``, or ``bad_option`` where the files there have another size.
        """
        shape = (count, QUADRUPLE.total, resolution, resolution)
        if (folder / "made.npy").is_file():
            there = Quadruples.open(folder)
            if there.values.shape != shape:
                raise RelightifyError(
                    "bad_option",
                    f"{folder} has room for {len(there.values)} quadruples, not {count}.",
                    "Delete the folder or name another one.",
                )
            return there
        folder.mkdir(parents=True, exist_ok=True)
        need, free = int(np.prod(shape)), shutil.disk_usage(folder).free
        if need + SPARE_BYTES > free:
            raise RelightifyError(
                "disk_full",
                f"{need / 2**30:.1f} GiB are needed in {folder} and {free / 2**30:.1f} GiB are free.",
                "Ask for fewer with --count or name another folder with --out.",
            )
        np.lib.format.open_memmap(folder / "values.npy", "w+", np.uint8, shape)
        np.lib.format.open_memmap(folder / "made.npy", "w+", np.uint8, (count,))
        return Quadruples.open(folder)

    def numbers(self) -> np.ndarray:
        """The numbers of those that are there."""
        return np.flatnonzero(self.made)

    def put(self, number: int, quadruple: Tensor) -> None:
        """Keep one, float [10, R, R] in [-1, 1]."""
        self.values[number] = ((quadruple.clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8).cpu().numpy()
        self.made[number] = 1


def as_float(values: np.ndarray | Tensor, device: torch.device | str = "cpu") -> Tensor:
    """Bytes as float32 in [-1, 1]."""
    bytes_ = values if isinstance(values, Tensor) else torch.from_numpy(np.ascontiguousarray(values))
    return bytes_.to(device).to(torch.float32) / 127.5 - 1


def add_quadruples_command(commands: argparse._SubParsersAction) -> None:
    """`quadruples`."""
    parser = commands.add_parser("quadruples", help="make the samples that auto-encoders and diffusion learn from")
    parser.add_argument("--pack", type=Path, default=PACK)
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--count", type=int, default=3200)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--share", default="0/1", help="which share of the numbers to make, as 0/2 and 1/2")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.set_defaults(run=_run)


def _run(chosen: argparse.Namespace) -> None:
    part, parts = (int(n) for n in chosen.share.split("/"))
    made = make(chosen.pack, chosen.out, chosen.count, chosen.seed, range(part, chosen.count, parts), chosen.device)
    print(f"{len(made.numbers())} of {chosen.count} quadruples are in {chosen.out}")


def make(pack: Path, out: Path, count: int, seed: int, numbers: range, device: str) -> Quadruples:
    """Make those of `numbers` that are missing from the folder `out`."""
    kept = Quadruples.create(out, count)
    missing = [n for n in numbers if not kept.made[n]]
    if not missing:
        return kept
    stream = SkinStream(load_pack(pack), load_head_model(), device, seed, RESOLUTION)
    started, batch = time.perf_counter(), 1 if device == "cpu" else 8
    with torch.inference_mode():
        for first in range(0, len(missing), batch):
            chosen = missing[first : first + batch]
            for number, quadruple in zip(chosen, stream.batch(chosen), strict=True):
                kept.put(number, quadruple)
            if first // batch % 100 == 99:
                rate = (first + batch) / (time.perf_counter() - started)
                _log.info("%d of %d, %.1f a second", first + batch, len(missing), rate)
    return kept
