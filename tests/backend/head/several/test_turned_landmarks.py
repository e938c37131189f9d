"""What turning adds to the landmarks' places, and its taking off."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.head.several.turned_landmarks import TurnedLandmarks, load_turned_landmarks
from backend.photo.landmark_table import CHEEK_LEFT, CHEEK_RIGHT, LANDMARK_COUNT, MIRROR

PX_PER_M = 2000.0


def seen_from(yaw: float) -> np.ndarray:
    """Head space to the space of a camera so far towards the subject's left."""
    return Rotation.from_euler("y", -yaw, degrees=True).as_matrix()


@pytest.fixture(scope="module")
def learnt() -> TurnedLandmarks:
    return load_turned_landmarks()


def test_from_the_front_landmarks_stay(learnt: TurnedLandmarks) -> None:
    pixels = np.random.default_rng(0).random((LANDMARK_COUNT, 2)) * 500
    assert np.allclose(learnt.straightened(pixels, seen_from(0), PX_PER_M), pixels)


def test_what_was_added_is_taken_off(learnt: TurnedLandmarks) -> None:
    pixels = np.random.default_rng(0).random((LANDMARK_COUNT, 2)) * 500
    added = pixels + PX_PER_M * learnt.offsets_m
    assert np.allclose(learnt.straightened(added, seen_from(45), PX_PER_M), pixels)


def test_the_other_side_is_mirrored(learnt: TurnedLandmarks) -> None:
    pixels = np.random.default_rng(0).random((LANDMARK_COUNT, 2)) * 500
    mirrored = (pixels * (-1, 1))[MIRROR]
    left = learnt.straightened(pixels, seen_from(30), PX_PER_M)
    right = learnt.straightened(mirrored, seen_from(-30), PX_PER_M)
    assert np.allclose(right, (left * (-1, 1))[MIRROR])


def test_the_near_cheek_is_marked_too_far_back(learnt: TurnedLandmarks) -> None:
    near, far = learnt.offsets_m[list(CHEEK_LEFT), 0].mean(), learnt.offsets_m[list(CHEEK_RIGHT), 0].mean()
    assert 0.003 < near < 0.01
    assert abs(far) < 0.004
