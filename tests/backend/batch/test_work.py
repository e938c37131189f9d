"""What a worker makes for the contact sheet."""

from __future__ import annotations

import numpy as np

from backend.batch.work import TILE_PX, steepened


def test_shallow_relief_can_be_seen_in_the_small_picture() -> None:
    across = np.sin(np.linspace(0, 40, 512)) * 0.02
    normal = np.zeros((512, 512, 3))
    normal[..., 0], normal[..., 2] = across, 1
    small = steepened(normal)
    assert small.shape == (TILE_PX, TILE_PX, 3)
    assert np.ptp(small[..., 0]) > 0.6
    assert np.ptp(small[..., 1]) == 0


def test_a_surface_without_relief_stays_even() -> None:
    small = steepened(np.broadcast_to(np.array([0, 0, 1], np.float32), (512, 512, 3)))
    np.testing.assert_allclose(small, np.broadcast_to([0.5, 0.5, 1.0], small.shape), atol=1e-6)
