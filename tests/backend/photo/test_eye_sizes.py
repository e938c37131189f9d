"""Sizes of irises and pupils from synthetic eyes."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.photo.eye_sizes import eye_sizes
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT
from backend.photo.parameters import EyeSizeSettings
from backend.photo.reading import Photo

USUAL = EyeSizeSettings()
PX_PER_M = np.full(2, 4000.0)
WHITE, BLUE, DARK = (225, 220, 214), (95, 125, 155), (14, 12, 11)


def eyes(
    radius: float, pupil: float, iris: tuple[int, int, int] = BLUE, said: float | None = None, opening: float = 19
) -> tuple[Photo, np.ndarray]:
    """A picture of two eyes with catch-lights, and landmarks whose irises have the radius `said`."""
    image = np.full((140, 400, 3), (200, 160, 140), np.float32)
    landmarks = np.zeros((478, 2))
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    for centre, circle, lids in (((280.0, 70.0), IRIS_LEFT, EYE_LEFT), ((120.0, 70.0), IRIS_RIGHT, EYE_RIGHT)):
        angle = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        outline = np.stack([centre[0] + 52 * np.cos(angle), centre[1] + opening * np.sin(angle)], axis=1)
        away = np.hypot(x - centre[0], y - centre[1])
        eye = np.where((away < radius)[..., None], iris, WHITE).astype(np.float32)
        eye[away < pupil * radius] = 8
        eye[np.hypot(x - centre[0] - 4, y - centre[1] + 5) < 3] = 255
        inside = np.zeros(image.shape[:2], np.uint8)
        cv2.fillPoly(inside, [np.round(outline).astype(np.int32)], 1)
        image[inside > 0] = eye[inside > 0]
        landmarks[list(lids)] = outline
        ring = np.array([[0, 0], [1, 0], [0, -1], [-1, 0], [0, 1]]) * (said or radius)
        landmarks[list(circle)] = np.array(centre) + ring
    return Photo(np.round(cv2.GaussianBlur(image, (0, 0), 0.8)).astype(np.uint8)), landmarks


@pytest.mark.parametrize("radius", [22.0, 25.5])
@pytest.mark.parametrize("said", [0.88, 1.0, 1.12])
def test_iris_is_as_large_as_the_photo_shows_whatever_the_landmarks_say(radius: float, said: float) -> None:
    found = eye_sizes(*eyes(radius, 0.4, said=said * radius), PX_PER_M)
    # Weighed against what people have, it lies between that and what is seen, nearer to what is seen.
    usual, seen = USUAL.iris_radius_m[0], radius / PX_PER_M[0]
    assert abs(found.iris_radius_m - seen) < 0.25 * abs(seen - usual) + 5e-5
    assert (found.iris_radius_m - usual) * (seen - usual) > 0


@pytest.mark.parametrize("pupil", [0.28, 0.42, 0.55])
def test_pupil_is_as_wide_as_the_photo_shows_beside_catch_lights(pupil: float) -> None:
    found = eye_sizes(*eyes(24, pupil), PX_PER_M)
    assert found.pupil_share == pytest.approx(pupil, abs=0.3 * abs(pupil - USUAL.pupil_share[0]) + 0.02)


def test_pupil_in_a_nearly_black_iris_is_peoples_mean() -> None:
    assert eye_sizes(*eyes(24, 0.55, DARK), PX_PER_M).pupil_share == pytest.approx(USUAL.pupil_share[0])


def test_sizes_are_peoples_mean_where_eyes_are_shut_or_small() -> None:
    for photo, landmarks in (eyes(24, 0.3, opening=3), eyes(4, 0.3)):
        found = eye_sizes(photo, landmarks, PX_PER_M)
        assert (found.iris_radius_m, found.pupil_share) == pytest.approx((USUAL.iris_radius_m[0], USUAL.pupil_share[0]))


def test_what_no_eye_has_counts_for_nothing() -> None:
    found = eye_sizes(*eyes(24, 0.4), PX_PER_M / 2)
    assert found.iris_radius_m == pytest.approx(USUAL.iris_radius_m[0])


def test_an_eye_at_the_photos_edge_is_left_out() -> None:
    photo, landmarks = eyes(24, 0.4)
    landmarks[list(IRIS_LEFT), 0] += 110
    assert np.isfinite(eye_sizes(photo, landmarks, PX_PER_M).iris_radius_m)
