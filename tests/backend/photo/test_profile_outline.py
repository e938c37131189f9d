"""The outline of a head in which no face is found, on segmentations that are drawn."""

from __future__ import annotations

import numpy as np

from backend.photo.profile_outline import face_outline
from backend.photo.reading import Photo
from backend.photo.skin.segmentation import BACKGROUND, CLOTHES, FACE_SKIN, HAIR, Segmentation

SIDE, RADIUS = 256, 70.0
MIDDLE = np.array([120.0, 130.0])
# The photo is twice as large as the segmentation, and shifted.
TO_CROP = np.array([[0.5, 0.0, -10.0], [0.0, 0.5, -20.0]])


def drawn(kind: np.ndarray) -> tuple[Photo, Segmentation]:
    """A photo whose brightness is where there is no background, and its segmentation; int [S, S] of classes."""
    probabilities = np.zeros((SIDE, SIDE, 6), np.float32)
    np.put_along_axis(probabilities, kind[..., None], 1.0, axis=2)
    level = np.where(kind == BACKGROUND, 40, 180).astype(np.uint8)
    photo = np.full((2 * SIDE + 80, 2 * SIDE + 80, 3), 40, np.uint8)
    photo[40 : 40 + 2 * SIDE, 20 : 20 + 2 * SIDE] = np.kron(level, np.ones((2, 2), np.uint8))[..., None]
    return Photo(photo, None), Segmentation(probabilities, TO_CROP)


def disc() -> np.ndarray:
    y, x = np.mgrid[:SIDE, :SIDE] + 0.5
    return np.where(np.hypot(x - MIDDLE[0], y - MIDDLE[1]) < RADIUS, FACE_SKIN, BACKGROUND)


def test_the_outline_lies_on_the_border_and_points_outwards() -> None:
    outline = face_outline(*drawn(disc()))
    assert outline is not None
    middle = (MIDDLE - TO_CROP[:, 2]) / 0.5
    arm = outline.points_px - middle
    distance = np.linalg.norm(arm, axis=1)
    assert np.abs(distance - 2 * RADIUS).max() < 2.0
    assert abs(distance.mean() - 2 * RADIUS) < 0.5
    assert (np.sum(arm / distance[:, None] * outline.normals_px, axis=1) > 0.97).all()
    assert abs(outline.extent_px - 4 * RADIUS) < 6


def test_hair_and_clothes_end_it() -> None:
    kind = disc()
    inside = kind == FACE_SKIN
    kind[:100][inside[:100]] = HAIR
    kind[190:] = CLOTHES
    outline = face_outline(*drawn(kind))
    assert outline is not None
    rows = outline.points_px[:, 1] * TO_CROP[1, 1] + TO_CROP[1, 2]
    assert rows.min() > 95
    assert rows.max() < 192


def test_without_skin_of_a_face_there_is_none() -> None:
    kind = np.where(disc() == FACE_SKIN, HAIR, BACKGROUND)
    assert face_outline(*drawn(kind)) is None


def test_a_face_that_is_too_small_has_none() -> None:
    kind = np.full((SIDE, SIDE), BACKGROUND)
    kind[100:120, 100:120] = FACE_SKIN
    assert face_outline(*drawn(kind)) is None
