"""`relightify fetch`: get every file that the first job would download, so that it needs no network."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from backend.photo.networks.model_file import FACE_LANDMARKER, SEGMENTER, ModelFile, fetched_model
from backend.photo.networks.model_sources import Folder, Source
from shared.errors import RelightifyError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments."""
    parser.add_argument(
        "--from", dest="folder", type=Path, metavar="FOLDER", help="take the files from a folder, not from the network"
    )


def run(options: argparse.Namespace) -> int:
    """Fetch and verify the models, and print their paths; the segmentation model may be missing, with a word.

    Raises:
        RelightifyError: the face landmark model cannot be had; see `backend.photo.networks.model_file.fetched_model`.
    """

    def sources(model: ModelFile) -> tuple[Source, ...] | None:
        return None if options.folder is None else (Folder(options.folder / model.name),)

    print(f"Face landmark model: {fetched_model(FACE_LANDMARKER, sources(FACE_LANDMARKER))}")
    try:
        print(f"Segmentation model: {fetched_model(SEGMENTER, sources(SEGMENTER))}")
    except RelightifyError as error:
        print(f"Segmentation model: not there; skin is told by colour alone. {error}", file=sys.stderr)
    return 0
