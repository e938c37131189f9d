"""Shrink Blender's own studio lights (CC0) to the asset that training draws environments from.

Run once, with Blender's Python module: ``python convert_studio_lights.py backend/assets/studio_lights.npz``. Blender's
Python runs it as a script and nothing imports it, so DESIGN.md section 2 holds for all that is imported: `backend`
stays importable without Blender. It imports nothing of this project. Blender is needed because OpenCV's wheel does not
read these EXR files. `tests/test_import_directions.py` allows `bpy` just here.
"""

from __future__ import annotations

import sys
from pathlib import Path

import bpy
import numpy as np

HEIGHT, WIDTH = 32, 64


def load_linear(path: Path) -> np.ndarray:
    """An HDR image as linear RGB float32 [H, W, 3], row 0 at the top."""
    image = bpy.data.images.load(str(path))
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[::-1, :, :3]


def shrink(image: np.ndarray) -> np.ndarray:
    """Average blocks to [HEIGHT, WIDTH, 3], weighted by solid angle so that no light is lost near the poles."""
    height, width = image.shape[:2]
    solid = np.sin((np.arange(height) + 0.5) / height * np.pi)[:, None, None]
    blocks = (image * solid).reshape(HEIGHT, height // HEIGHT, WIDTH, width // WIDTH, 3).sum((1, 3))
    return blocks / (solid.reshape(HEIGHT, -1).sum(1) * (width // WIDTH))[:, None, None]


def main(target: Path) -> None:
    folder = Path(bpy.utils.resource_path("LOCAL")) / "datafiles" / "studiolights" / "world"
    files = sorted(folder.glob("*.exr"))
    maps = np.stack([shrink(load_linear(f)) for f in files])
    # Half precision holds what the block averages reach (the sun of `city` included).
    np.savez_compressed(
        target,
        names=np.array([f.stem for f in files]),
        radiance=maps.astype(np.float16),
        source=np.array("Blender studio lights by Greg Zaal, CC0; lat-long, row 0 is up, linear Rec.709"),
    )


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
