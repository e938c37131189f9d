"""Run by the backend's Python: writes the normal map of a known relief on the mean head, for `test_normal_map`."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

SIDE = 1024
# Crests every 4 mm or so on the cheeks, 0.2 mm high; the same in both directions of the texture, at an odd phase.
WAVES_PER_UNIT, HEIGHT_MM = 80.0, 0.1


def height_mm(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The relief at texture coordinates, mm."""
    turn = 2 * np.pi * WAVES_PER_UNIT
    return HEIGHT_MM * np.sin(turn * u + 0.7) * np.sin(turn * v - 0.4)


def main(path: Path) -> None:
    from backend.detail.surface import normals_of_slopes
    from backend.head.model import load_head_model
    from backend.texture.maps import encode_map
    from backend.texture.uv_space import uv_space
    from shared.maps import NORMAL

    model = load_head_model()
    space = uv_space(model, SIDE)
    u = (np.arange(SIDE) + 0.5) / SIDE
    height = height_mm(u[None, :], 1 - u[:, None]).astype(np.float32)
    normal = normals_of_slopes(*space.surface_gradient(model.mean).slopes(height))
    path.write_bytes(encode_map(normal, NORMAL))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
