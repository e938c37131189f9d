"""`python -m backend.training studio-lights FOLDER`: shrinks Blender's studio lights to what training draws from."""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
import OpenEXR

from backend.training.stream.lights import ASSET
from shared.errors import RelightifyError

HEIGHT, WIDTH = 32, 64
SOURCE = "Blender studio lights by Greg Zaal, polyhaven.com, CC0; lat-long, row 0 is up, linear Rec.709"


def add_studio_lights_command(commands: argparse._SubParsersAction) -> None:
    """`studio-lights`."""
    parser = commands.add_parser("studio-lights", help="shrink Blender's studio lights to training's environments")
    parser.add_argument("folder", type=Path, help="Blender's datafiles/studiolights/world")
    parser.add_argument("--out", type=Path, default=ASSET, metavar="FILE")
    parser.set_defaults(run=lambda chosen: convert(chosen.folder, chosen.out))


def convert(folder: Path, target: Path) -> None:
    """Shrink every EXR file of a folder, lat-long with sides that are multiples of 32 x 64, into one npz file.

    Raises:
        RelightifyError: `no_lights`.
    """
    files = sorted(folder.glob("*.exr"))
    if not files:
        raise RelightifyError(
            "no_lights",
            f"There are no EXR files in {folder}.",
            "Name the folder datafiles/studiolights/world of a Blender installation.",
        )
    maps = np.stack([shrunk(load_linear(file)) for file in files])
    # Half precision holds what the block averages reach (the sun of `city` included).
    np.savez_compressed(
        target,
        names=np.array([file.stem for file in files]),
        radiance=maps.astype(np.float16),
        source=np.array(SOURCE),
    )


def load_linear(path: Path) -> np.ndarray:
    """An HDR image as linear RGB float32 [H, W, 3], row 0 at the top."""
    with OpenEXR.File(str(path)) as file:
        channels = file.channels()
        return np.asarray(channels["RGB" if "RGB" in channels else "RGBA"].pixels, np.float32)[..., :3]


def shrunk(image: np.ndarray) -> np.ndarray:
    """Block averages [HEIGHT, WIDTH, 3], weighted by solid angle so that no light is lost near the poles."""
    height, width = image.shape[:2]
    solid = np.sin((np.arange(height) + 0.5) / height * np.pi)[:, None, None]
    blocks = (image * solid).reshape(HEIGHT, height // HEIGHT, WIDTH, width // WIDTH, 3).sum((1, 3))
    return blocks / (solid.reshape(HEIGHT, -1).sum(1) * (width // WIDTH))[:, None, None]
