"""Options that the tables of CG heads share, and the heads that they choose."""

from __future__ import annotations

import argparse
from pathlib import Path

from backend.asset_files import SOURCES
from backend.evaluation.cg_heads import check_heads
from backend.evaluation.subjects import heldout_records, training_records


def add_heads_arguments(parser: argparse.ArgumentParser) -> None:
    """What the tables of CG heads share."""
    parser.add_argument("--heads", type=Path, default=None, metavar="DIR", help="CG heads: a folder with index.json")
    parser.add_argument(
        "--blender-python", type=Path, default=None, metavar="FILE", help="a Python with Blender's module, to render"
    )
    parser.add_argument("--people", choices=("train", "heldout"), default="heldout", help="train: to choose numbers by")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where tables and figures go")
    parser.add_argument("--limit", type=int, default=None, metavar="N", help="at most so many heads")
    parser.add_argument("--only", default=None, metavar="NAMES", help="these heads alone, parted by commas")


def chosen_records(options: argparse.Namespace) -> tuple[Path, list[dict]]:
    """The folder of heads and the records of those asked for.

    Raises:
        RelightifyError: `no_heads`.
    """
    folder = options.heads or SOURCES / "valid_heads"
    check_heads(folder)
    records = heldout_records(folder) if options.people == "heldout" else training_records(folder)
    if options.only is not None:
        wanted = options.only.split(",")
        records = [r for r in records if r["name"] in wanted]
    return folder, records[: options.limit]
