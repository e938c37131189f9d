"""Small pictures in the panel: the chosen photo, the faces in it, and what the backend is looking at."""

from __future__ import annotations

import bpy
import bpy.utils.previews
import numpy as np

from .._shared import Faces

ATTRIBUTE = "relightify_previews"
LIVE_SIDE = 256
FACE_SIDE = 96
PHOTO_SIDE = 384
# Of what Blender draws beside a line of text.
ICON_SIDE = 32
# Photos on a list whose icons are kept.
MOST_LISTED = 16
PLAIN_RGB, CHOSEN_RGB = (230, 230, 230), (240, 140, 40)


class Previews:
    """Icons that Blender draws in the panel; without a window there are none."""

    def __init__(self) -> None:
        self._collection = None if bpy.app.background else bpy.utils.previews.new()
        self._count = 0
        self._names: dict[str, str] = {}
        self._live: np.ndarray | None = None
        self._faces: Faces | None = None
        # Which face of which outcome the icon of a photo on a list shows.
        self._listed: dict[str, tuple[Faces, int]] = {}

    def photo_icon(self, path: str) -> int:
        """Icon number of a photo's thumbnail; 0 where there is none."""
        if self._collection is None or not path:
            return 0
        if path not in self._collection:
            self._collection.load(path, path, "IMAGE")
        return self._collection[path].icon_id

    def live_icon(self, image: np.ndarray | None) -> int:
        """Icon number of an image uint8 [H, W, 3], sRGB, row 0 at the top; 0 where there is none."""
        if image is not self._live:
            self._live = image
            self._show("live", image, LIVE_SIDE)
        return self._icon("live")

    def face_icon(self, faces: Faces, index: int) -> int:
        """Icon number of a face; 0 where there is none."""
        self._take(faces)
        return self._icon(f"face {index}")

    def listed_icon(self, key: str, faces: Faces, index: int) -> int:
        """Icon number of a face of one of several photos, which are told apart by keys; 0 where there is none."""
        role = f"listed {key}"
        shown = self._listed.get(role)
        if shown is None or shown[0] is not faces or shown[1] != index:
            self._listed[role] = (faces, index)
            self._show(role, faces.thumbnails[index], FACE_SIDE)
            for oldest in list(self._listed)[:-MOST_LISTED]:
                del self._listed[oldest]
                self._show(oldest, None, 0)
        return self._icon(role)

    def faces_icon(self, faces: Faces, chosen: int) -> int:
        """Icon number of the photo with its faces framed, the chosen one in another colour; 0 where there is none."""
        if self._collection is None:
            return 0
        self._take(faces)
        role = f"faces {chosen}"
        if role not in self._names:
            self._show(role, framed(faces.photo, faces.boxes, chosen), PHOTO_SIDE)
        return self._icon(role)

    def close(self) -> None:
        """Give the icons back to Blender."""
        if self._collection is not None:
            bpy.utils.previews.remove(self._collection)
            self._collection = None

    def _take(self, faces: Faces) -> None:
        """Have the icons of these faces, and of no others."""
        if faces is self._faces:
            return
        for role in [role for role in self._names if role.startswith(("face ", "faces "))]:
            self._show(role, None, 0)
        self._faces = faces
        for index, thumbnail in enumerate(faces.thumbnails):
            self._show(f"face {index}", thumbnail, FACE_SIDE)

    def _icon(self, role: str) -> int:
        name = self._names.get(role)
        return self._collection[name].icon_id if self._collection is not None and name else 0

    def _show(self, role: str, image: np.ndarray | None, side: int) -> None:
        """A new icon each time: Blender does not notice when the pixels of one that it has drawn change."""
        if self._collection is None:
            return
        old = self._names.pop(role, None)
        if old is not None:
            del self._collection[old]
        if image is None:
            return
        self._count += 1
        name = f"{role} {self._count}"
        preview = self._collection.new(name)
        preview.image_size = (side, side)
        preview.image_pixels_float.foreach_set(square_icon(image, side)[::-1].ravel())
        # A list draws this one, and not the picture made smaller.
        preview.icon_size = (ICON_SIDE, ICON_SIDE)
        preview.icon_pixels_float.foreach_set(square_icon(image, ICON_SIDE)[::-1].ravel())
        self._names[role] = name


def addon_previews() -> Previews:
    """The previews of the enabled add-on."""
    return getattr(bpy.types.WindowManager, ATTRIBUTE)


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


def framed(photo: np.ndarray, boxes: np.ndarray, chosen: int) -> np.ndarray:
    """A copy of a photo uint8 [H, W, 3] with a frame around each box [N, 4] (parts of width and height)."""
    image = photo.copy()
    height, width, _ = image.shape
    # Shown at a third of its size.
    line = max(2, round(max(height, width) / 60))
    for index, box in enumerate(boxes):
        x0, y0, x1, y1 = np.clip(np.rint(box * (width, height, width, height)), 0, (width, height) * 2).astype(int)
        colour = CHOSEN_RGB if index == chosen else PLAIN_RGB
        image[y0 : y0 + line, x0:x1] = image[max(y1 - line, 0) : y1, x0:x1] = colour
        image[y0:y1, x0 : x0 + line] = image[y0:y1, max(x1 - line, 0) : x1] = colour
    return image
