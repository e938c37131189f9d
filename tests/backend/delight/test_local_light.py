"""Light that varies over the face is told from skin, on a drawn hemisphere."""

from __future__ import annotations

import numpy as np
import pytest

from backend.delight.local_light import local_light, splines
from backend.delight.parameters import LocalLightSettings
from backend.rendering.spherical_harmonics import basis
from backend.texture.regions import FaceRegions

SIDE = 128


@pytest.fixture
def regions() -> FaceRegions:
    """A face without features, which fills the texture's middle."""
    face = np.zeros((SIDE, SIDE), np.float32)
    face[12:116, 12:116] = 1
    none = np.zeros_like(face)
    return FaceRegions(none, none, none, none, none, none, face, 1.0)


@pytest.fixture
def transfer() -> np.ndarray:
    """Of a hemisphere that looks at us."""
    y, x = (np.mgrid[:SIDE, :SIDE] + 0.5) / SIDE * 2 - 1
    radius = np.minimum(np.hypot(x, y), 0.95)
    scale = radius / np.maximum(np.hypot(x, y), 1e-6)
    normals = np.stack([x * scale, -y * scale, np.sqrt(1 - radius**2)], -1)
    damping = np.repeat([1.0, 2 / 3, 1 / 4], (1, 3, 5))
    return (basis(normals.reshape(-1, 3)).reshape(SIDE, SIDE, 9) * damping).astype(np.float32)


def found(own: np.ndarray, transfer: np.ndarray, regions: FaceRegions, **changes: object) -> np.ndarray:
    level = np.log(np.maximum(transfer[..., :1] + 0.3 * transfer[..., 3:4], 0.05)) + np.zeros(3)
    settings = LocalLightSettings(**changes)  # pyright: ignore[reportArgumentType]
    return local_light(own.astype(np.float32), transfer, level.astype(np.float32), regions.face, regions, 0.0, settings)


def test_a_shade_over_one_side_is_light_and_a_mole_is_not(transfer: np.ndarray, regions: FaceRegions) -> None:
    x = np.arange(SIDE)[None] / SIDE
    shade = np.zeros((SIDE, SIDE, 3))
    shade -= (0.35 / (1 + np.exp(-(x - 0.6) / 0.06)))[..., None]
    own = shade.copy()
    own[60:66, 30:36] -= 1.0
    light = found(own, transfer, regions)
    inside = (slice(24, 104), slice(24, 104))
    left = (shade - light)[inside]
    assert left.std() < 0.45 * shade[inside].std()
    assert abs(light[62, 33].mean() - light[62, 45].mean()) < 0.05  # the mole is no shade


def test_what_both_sides_have_is_skin_more_than_light(transfer: np.ndarray, regions: FaceRegions) -> None:
    y, x = np.mgrid[:SIDE, :SIDE] / SIDE
    cheek = np.exp(-(np.square(x - 0.28) + np.square(y - 0.6)) / 0.02)
    one_side = np.repeat(0.15 * cheek[..., None], 3, -1)
    both = one_side + one_side[:, ::-1]
    of_one, of_both = (found(own, transfer, regions)[cheek > 0.7].mean() for own in (one_side, both))
    assert of_one > 1.04 * of_both


def test_colour_of_the_light_is_found_and_luminance_is_left_alone_by_it(
    transfer: np.ndarray, regions: FaceRegions
) -> None:
    warm = np.zeros((SIDE, SIDE, 3))
    warm[:, SIDE // 2 :] = np.array([0.12, -0.03, -0.12])
    light = found(warm, transfer, regions)
    right, left = light[40:90, 84:108].mean((0, 1)), light[40:90, 20:44].mean((0, 1))
    assert right[0] - right[2] > left[0] - left[2] + 0.05


def test_it_is_bounded_smooth_and_may_be_left_out(transfer: np.ndarray, regions: FaceRegions) -> None:
    own = np.random.default_rng(0).normal(0, 3, (SIDE, SIDE, 3))
    light = found(own, transfer, regions, strongest=0.5)
    assert np.isfinite(light).all()
    assert np.abs(light @ np.array([0.2126, 0.7152, 0.0722])).max() <= 0.51
    assert not found(own, transfer, regions, removed=False).any()
    spline = splines(64, 8)
    np.testing.assert_allclose(spline.sum(1), 1, atol=1e-9)
