"""Hair of a drawn face: a beard stays, a lock that hangs over an eye does not become one."""

from __future__ import annotations

import numpy as np
import pytest

from backend.photo.skin.beard import beard

SIDE = 100
Y, X = np.mgrid[0:SIDE, 0:SIDE]
BELOW_NOSE, ABOVE_EYES, MIDDLE = Y > 60, Y < 35, np.abs(X - 50) < 8
INSIDE = (np.hypot((X - 50) / 30, (Y - 50) / 42) < 1) & (Y > 10)
FULL_BEARD = BELOW_NOSE & (np.hypot((X - 50) / 42, (Y - 50) / 50) < 1) & (Y < 95)
SIDEBURNS = (np.abs(np.abs(X - 50) - 38) < 4) & (Y > 10) & (Y < 75)
CHEEKS = (Y > 48) & (Y < 75) & (np.abs(np.abs(X - 50) - 30) < 8)
LOCK = (X > 52) & (X < 72) & (Y < 90)
BESIDE = (X > 85) & (Y > 5)


def found(hair: np.ndarray) -> np.ndarray:
    return beard(hair, BELOW_NOSE, ABOVE_EYES, INSIDE, MIDDLE)


@pytest.mark.parametrize("more", [np.zeros_like(LOCK), SIDEBURNS, SIDEBURNS | CHEEKS | BESIDE])
def test_a_beard_is_one_with_sideburns_and_hair_beside_the_face(more: np.ndarray) -> None:
    assert found(FULL_BEARD | more)[FULL_BEARD].all()


def test_a_lock_over_an_eye_is_no_beard() -> None:
    assert not found(LOCK).any()
    assert not found(BESIDE).any()
