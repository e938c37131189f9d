"""`relightify fetch`: get every file that the first job would download, so that it needs no network."""

from __future__ import annotations

import argparse

from backend.photo.model_file import face_landmarker_path


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the command's arguments: it has none."""
    del parser


def run(options: argparse.Namespace) -> int:
    """Fetch and verify the face landmark model; prints its path.

    Raises:
        RelightifyError: see `backend.photo.model_file.face_landmarker_path`.
    """
    del options
    print(f"Face landmark model: {face_landmarker_path()}")
    return 0
