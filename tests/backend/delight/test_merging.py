"""Two photos' skin as one: made from known skin, without the photos."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.delight.delighting import DelightedTexture
from backend.delight.merging import merged
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture
from backend.texture.regions import plain_skin
from tests.backend.completing import frontal_skin

RESOLUTION = 256
SKIN = np.log(np.array([0.50, 0.31, 0.22]))


@pytest.fixture(scope="module")
def skin() -> FittedSkin:
    return frontal_skin(RESOLUTION)


def pores(skin: FittedSkin) -> np.ndarray:
    """Log albedo [R, R, 3] with a texture that a shift would double."""
    noise = np.random.default_rng(0).normal(0, 0.6, (RESOLUTION, RESOLUTION))
    return (SKIN + cv2.GaussianBlur(noise, (0, 0), 1.0)[..., None] * skin.working.mask[..., None]).astype(np.float32)


def photo(
    skin: FittedSkin, log_albedo: np.ndarray, log_light: np.ndarray, weight: np.ndarray, gain: float = 0.0
) -> DelightedTexture:
    """What a photo shows of skin in a light [R, R, 3], log; `gain` is what its split of light and skin is wrong by."""
    log_seen = (log_albedo + log_light).astype(np.float32)
    encoded = linear_to_srgb(np.exp(log_seen)).astype(np.float32) * (weight > 0)[..., None]
    zero = np.zeros_like(log_albedo)
    return DelightedTexture(
        skin=skin,
        partial=PartialTexture(encoded, weight.astype(np.float32)),
        log_seen=log_seen,
        log_albedo=(log_albedo - gain).astype(np.float32),
        log_marks=zero,
        log_shading=(log_light + gain).astype(np.float32),
        weight=weight.astype(np.float32),
        shine=zero[..., 0],
        tone=np.median(log_albedo[weight > 0.5] - gain, axis=0),
        mean_albedo=np.exp(SKIN),
    )


def sides(skin: FittedSkin) -> tuple[np.ndarray, np.ndarray]:
    """What photos from the right and from the left show, overlapping in the middle."""
    x = np.indices((RESOLUTION, RESOLUTION))[1] / RESOLUTION
    island = skin.working.mask
    return np.clip((0.6 - x) / 0.1, 0, 1) * island, np.clip((x - 0.4) / 0.1, 0, 1) * island


def lights() -> tuple[np.ndarray, np.ndarray]:
    x = np.indices((RESOLUTION, RESOLUTION))[1][..., None] / RESOLUTION
    return -0.3 - 0.5 * x + np.zeros(3), -0.6 + 0.4 * x + np.array([0.1, 0.0, -0.1])


def test_of_one_photo_the_skin_is_its_own(skin: FittedSkin) -> None:
    one = photo(skin, pores(skin), lights()[0], sides(skin)[0])
    assert merged([one], skin) is one


def test_two_sides_in_two_lights_become_one_skin_in_the_first_ones_light(skin: FittedSkin) -> None:
    albedo, (right, left), (first, second) = pores(skin), sides(skin), lights()
    both = merged([photo(skin, albedo, first, right), photo(skin, albedo, second, left, gain=0.4)], skin)
    seen = (np.maximum(right, left) > 0.9) & (plain_skin(skin.regions) > 0)
    assert np.abs(both.log_albedo - albedo)[seen].mean() < 0.03
    texture = np.log(np.maximum(srgb_to_linear(both.partial.texture_srgb), 1e-4))
    assert np.abs(texture - albedo - first)[seen].mean() < 0.03
    assert both.weight[seen].min() > 0.85
    np.testing.assert_allclose(np.log(both.mean_albedo), SKIN, atol=0.25)
    assert sum(both.shares) == pytest.approx(1, abs=1e-3)
    assert min(both.shares) > 0.3


def test_skin_that_the_second_photo_has_a_little_off_is_not_doubled(skin: FittedSkin) -> None:
    albedo, (first, _) = pores(skin), lights()
    weight = skin.working.mask.astype(np.float64) * skin.regions.face
    moved = cv2.warpAffine(albedo, np.array([[1.0, 0, 2.0], [0, 1, -1.5]]), (RESOLUTION, RESOLUTION))
    both = merged([photo(skin, albedo, first, weight), photo(skin, moved, first, weight)], skin)
    inside = plain_skin(skin.regions) * weight > 0.9
    fine = [image[..., 1] - cv2.GaussianBlur(image[..., 1], (0, 0), 4) for image in (albedo, both.log_albedo)]
    assert np.corrcoef(fine[0][inside], fine[1][inside])[0, 1] > 0.9


def test_a_broad_error_of_one_photos_light_leaves_no_seam(skin: FittedSkin) -> None:
    albedo = np.broadcast_to(SKIN.astype(np.float32), (RESOLUTION, RESOLUTION, 3)).copy()
    right, left = sides(skin)
    light = lights()[0]
    # The second's light was taken off badly: its skin grows darker to its own side.
    error = 0.3 * (np.indices((RESOLUTION, RESOLUTION))[1] / RESOLUTION - 0.5)[..., None]
    second = photo(skin, albedo - error.astype(np.float32), light, left)
    both = merged([photo(skin, albedo, light, right), second], skin)
    steps = np.abs(np.diff(both.log_albedo[..., 1], axis=1))
    middle = (np.minimum(right, left) > 0)[:, 1:] & (plain_skin(skin.regions) > 0.5)[:, 1:]
    assert steps[middle].max() < 0.03


def test_the_sharper_photo_shows_the_skin(skin: FittedSkin) -> None:
    albedo, light = pores(skin), lights()[0]
    weight = skin.working.mask.astype(np.float64) * skin.regions.face
    soft = cv2.GaussianBlur(albedo, (0, 0), 3)
    dull = photo(skin, soft, light, weight)
    dull = replace(dull, partial=replace(dull.partial, sharpness=0.4))
    both = merged([dull, photo(skin, albedo, light, weight)], skin)
    assert both.shares[1] > 0.9
    assert both.partial.pixels is not None


def test_a_mark_that_only_one_photo_has_is_its_lights_and_goes(skin: FittedSkin) -> None:
    albedo, (first, second) = pores(skin), lights()
    weight = skin.working.mask.astype(np.float64) * skin.regions.face
    marks = []
    for place in ((128, 90), (100, 90)):  # the second is in both photos, a little off in one
        spot = np.zeros((RESOLUTION, RESOLUTION), np.float32)
        cv2.circle(spot, place, 6, 0.5, -1)
        marks.append(spot[..., None] * np.ones(3, np.float32))
    alone, common = marks
    moved = np.roll(common, 1, axis=0)

    def marked(mark: np.ndarray, light: np.ndarray) -> DelightedTexture:
        bare = photo(skin, albedo, light, weight)
        encoded = linear_to_srgb(np.exp(albedo + light + mark)).astype(np.float32) * (weight > 0)[..., None]
        return replace(bare, log_marks=mark, partial=replace(bare.partial, texture_srgb=encoded))

    both = merged([marked(alone + common, first), marked(moved, second)], skin)
    assert np.abs(both.log_marks[alone[..., 0] > 0]).max() < 0.1
    assert both.log_marks[common[..., 0] > 0].mean() > 0.35
    seen = (weight > 0.9) & (alone[..., 0] > 0)
    assert np.abs(both.log_albedo - albedo)[seen].mean() < 0.06
