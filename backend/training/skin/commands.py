"""The skin's sub-commands of `python -m backend.training`."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from backend.asset_files import ROOT, SOURCES
from backend.training.skin.pack import PACK

OUT = ROOT / "out" / "skin_data"


def add_skin_commands(commands: argparse._SubParsersAction) -> None:
    """`skin-data`, `skin-samples` and `skin-benchmark`."""
    data = commands.add_parser("skin-data", help="make the training albedos, their report and the packed training file")
    data.add_argument("--sources", type=Path, default=SOURCES, help="folder with portraits and valid_heads")
    data.add_argument("--out", type=Path, default=OUT, help="folder of the results and of the cached fits")
    data.set_defaults(run=_skin_data)

    samples = commands.add_parser("skin-samples", help="write sheets of training samples and of every augmentation")
    samples.add_argument("--pack", type=Path, default=PACK, help="a packed training file; without, the one that ships")
    samples.add_argument("--out", type=Path, default=OUT)
    samples.add_argument("--count", type=int, default=24)
    samples.add_argument("--seed", type=int, default=0)
    samples.set_defaults(run=_skin_samples)

    bench = commands.add_parser("skin-benchmark", help="print how many training quadruples a second are made")
    bench.add_argument("--pack", type=Path, default=PACK, help="a packed training file; without, the one that ships")
    bench.add_argument("--device", default="cpu")
    bench.add_argument("--threads", type=int, default=1, help="of the CPU; several processes do better than threads")
    bench.add_argument("--batch", type=int, default=2)
    bench.add_argument("--batches", type=int, default=5)
    bench.set_defaults(run=_skin_benchmark)


def _skin_data(chosen: argparse.Namespace) -> None:
    from backend.training.skin.build import build_skin_data

    print(json.dumps(build_skin_data(chosen.sources, chosen.out).as_dict(), indent=1))


def _skin_samples(chosen: argparse.Namespace) -> None:
    from backend.training.stream.sheets import write_samples

    write_samples(chosen.pack, chosen.out, chosen.count, chosen.seed)


def _skin_benchmark(chosen: argparse.Namespace) -> None:
    from backend.training.stream.benchmark import benchmark

    rate = benchmark(chosen.pack, chosen.device, chosen.batch, chosen.batches, chosen.threads)
    print(f"{rate.per_second:.2f} quadruples a second at 512 x 512 on {chosen.device}")
    print(f"{rate.processor_seconds:.2f} s of processor time each")
