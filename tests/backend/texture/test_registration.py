from __future__ import annotations

import cv2
import numpy as np

from backend.texture.registration import flowed, skin_flow

SIDE, TEXELS_PER_MM = 256, 1.6


def skin(seed: int = 0) -> np.ndarray:
    """Log luminance with moles and pores."""
    rng = np.random.default_rng(seed)
    image = cv2.GaussianBlur(rng.normal(0, 0.4, (SIDE, SIDE)), (0, 0), 1.5)
    for x, y in rng.integers(20, SIDE - 20, (30, 2)):
        cv2.circle(image, (int(x), int(y)), 3, -0.6, -1)
    return image.astype(np.float32)


def test_skin_that_lies_a_little_off_is_brought_back() -> None:
    still = skin()
    y, x = np.indices((SIDE, SIDE)).astype(np.float32)
    off = np.stack([2 + 0.8 * np.sin(y / 60), -1.5 + 0.5 * np.cos(x / 50)], axis=-1).astype(np.float32)
    moving = flowed(still, -off)
    ones = np.ones((SIDE, SIDE), np.float32)
    flow = skin_flow(still, moving, ones, ones, TEXELS_PER_MM)
    inside = np.s_[20:-20, 20:-20]
    assert np.linalg.norm(flow - off, axis=-1)[inside].mean() < 0.5
    before, after = (np.abs(image - still)[inside].mean() for image in (moving, flowed(moving, flow)))
    assert after < 0.3 * before


def test_what_both_do_not_show_stays_where_it_is() -> None:
    left, right = np.zeros((2, SIDE, SIDE), np.float32)
    left[:, : SIDE // 2], right[:, SIDE // 2 :] = 1, 1
    assert not skin_flow(skin(), skin(1), left, right, TEXELS_PER_MM).any()


def test_a_flow_of_a_small_map_moves_a_large_one_as_far() -> None:
    large = np.zeros((4 * 64, 4 * 64), np.float32)
    large[100, 120] = 1
    flow = np.tile(np.array([2.0, -1.0], np.float32), (64, 64, 1))
    row, column = np.argwhere(flowed(large, flow) > 0.5)[0]
    assert (row, column) == (100 + 4, 120 - 8)
