"""`relightify fetch`: get every file that the first job would download, so that it needs no network."""

from __future__ import annotations

import argparse
import sys

from backend.photo.model_file import FACE_LANDMARKER, SEGMENTER, fetched_model
from shared.errors import RelightifyError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: it has none."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Fetch and verify the models, and print their paths; the segmentation model may be missing, with a word.

    Raises:
        RelightifyError: the face landmark model cannot be had; see `backend.photo.model_file.fetched_model`.
    """
    del options
    print(f"Face landmark model: {fetched_model(FACE_LANDMARKER)}")
    try:
        print(f"Segmentation model: {fetched_model(SEGMENTER)}")
    except RelightifyError as error:
        print(f"Segmentation model: not there; skin is told by colour alone. {error}", file=sys.stderr)
    return 0
