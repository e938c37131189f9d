"""Small pictures in the panel: the chosen photo, and what the backend is looking at."""

from __future__ import annotations

import bpy
import bpy.utils.previews
import numpy as np

LIVE_SIDE = 256


class Previews:
    """Icons that Blender draws in the panel; without a window there are none."""

    def __init__(self) -> None:
        self._collection = None if bpy.app.background else bpy.utils.previews.new()
        self._live = 0

    def photo_icon(self, path: str) -> int:
        """Icon number of a photo's thumbnail; 0 where there is none."""
        if self._collection is None or not path:
            return 0
        if path not in self._collection:
            self._collection.load(path, path, "IMAGE")
        return self._collection[path].icon_id

    def show_live(self, image: np.ndarray | None) -> None:
        """Show an image uint8 [H, W, 3], sRGB, row 0 at the top; None takes it away."""
        if self._collection is None:
            return
        if f"live {self._live}" in self._collection:
            del self._collection[f"live {self._live}"]
        self._live += 1
        if image is None:
            return
        rgba = square_icon(image, LIVE_SIDE)
        preview = self._collection.new(f"live {self._live}")
        preview.image_size = (LIVE_SIDE, LIVE_SIDE)
        preview.image_pixels_float.foreach_set(rgba[::-1].ravel())

    def live_icon(self) -> int:
        """Icon number of the live preview; 0 where there is none."""
        name = f"live {self._live}"
        if self._collection is None or name not in self._collection:
            return 0
        return self._collection[name].icon_id

    def close(self) -> None:
        """Give the icons back to Blender."""
        if self._collection is not None:
            bpy.utils.previews.remove(self._collection)
            self._collection = None


def square_icon(image: np.ndarray, side: int) -> np.ndarray:
    """An image uint8 [H, W, 3] fitted into a transparent square, float32 RGBA [side, side, 4] in [0, 1]."""
    height, width, _ = image.shape
    scale = side / max(height, width)
    rows, columns = max(1, round(height * scale)), max(1, round(width * scale))
    row_of = np.minimum(((np.arange(rows) + 0.5) / scale).astype(int), height - 1)
    column_of = np.minimum(((np.arange(columns) + 0.5) / scale).astype(int), width - 1)
    square = np.zeros((side, side, 4), np.float32)
    top, left = (side - rows) // 2, (side - columns) // 2
    square[top : top + rows, left : left + columns, :3] = image[row_of[:, None], column_of[None]] / 255.0
    square[top : top + rows, left : left + columns, 3] = 1.0
    return square
