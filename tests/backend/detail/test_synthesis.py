"""Texture without end, and drawn skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.detail.microrelief import microrelief_tile
from backend.detail.seam import noise_in_space, seam_edges, seam_share, stretched_share
from backend.detail.synthesis import Sample, bring_to_unit_variance, good_places, patchwork, periodic_sample
from backend.head.model import load_head_model
from backend.texture.uv_space import uv_space

SIDE, PER_MM = 384, 2.0


def sample_of(image: np.ndarray) -> Sample:
    allowed = np.ones(image.shape, bool)
    allowed[:, 200:] = False
    places = good_places(allowed, 15.0, np.random.default_rng(0))
    return Sample(image, np.full(image.shape, PER_MM, np.float32), (places, places[:0]))


@pytest.fixture(scope="module")
def grain() -> np.ndarray:
    noise = np.random.default_rng(1).normal(size=(SIDE, SIDE))
    image = cv2.GaussianBlur(noise, (0, 0), 1.2)
    return (image / image.std()).astype(np.float32)


def patched(image: np.ndarray, seed: int = 0) -> np.ndarray:
    everywhere, flat = np.ones((SIDE, SIDE), bool), np.full((SIDE, SIDE), PER_MM, np.float32)
    sort = np.ones((SIDE, SIDE), int)  # a sort without places takes those of the other
    return patchwork(sample_of(image), everywhere, sort, flat, PER_MM, np.random.default_rng(seed)).painted()


def test_patches_keep_variance_and_grain(grain: np.ndarray) -> None:
    made = patched(grain)
    assert 0.85 < made.std() < 1.15
    variance = cv2.GaussianBlur(np.square(made), (0, 0), 8)
    assert variance.min() > 0.4  # also where patches meet
    wanted, found = (np.abs(np.diff(x, axis=1)).mean() for x in (grain, made))
    assert abs(found / wanted - 1) < 0.15


def test_the_sample_is_not_seen_again(grain: np.ndarray) -> None:
    made = patched(grain)
    around = cv2.matchTemplate(grain, made[100:140, 100:140], cv2.TM_CCOEFF_NORMED)
    assert around.max() < 0.6
    shifted = [np.corrcoef(made[:, :-d].ravel(), made[:, d:].ravel())[0, 1] for d in range(12, 120)]
    assert np.abs(shifted).max() < 0.1
    assert abs(np.corrcoef(made.ravel(), made[:, ::-1].ravel())[0, 1]) < 0.1


def test_seeds_give_the_same_and_others_other_texture(grain: np.ndarray) -> None:
    np.testing.assert_array_equal(patched(grain, 3), patched(grain, 3))
    assert np.abs(patched(grain, 3) - patched(grain, 4)).max() > 0.5


def test_places_keep_their_distance_to_the_border() -> None:
    allowed = np.zeros((100, 100), bool)
    allowed[20:80, 20:80] = True
    places = good_places(allowed, 12.0, np.random.default_rng(0))
    assert len(places) > 500
    assert places.min() >= 30
    assert places.max() <= 69


def test_a_band_is_brought_to_unit_variance_everywhere(grain: np.ndarray) -> None:
    ramp = np.linspace(0.1, 3, SIDE, dtype=np.float32)[None]
    even = grain * ramp
    bring_to_unit_variance(even, np.ones((SIDE, SIDE), np.float32), PER_MM)
    halves = even[:, : SIDE // 2].std(), even[:, SIDE // 2 :].std()
    np.testing.assert_allclose(halves, 1, atol=0.1)


def test_drawn_skin_is_periodic_dark_in_furrows_and_of_unit_contrast() -> None:
    tile = microrelief_tile(128, np.random.default_rng(0))
    assert abs(tile.mean()) < 1e-5
    np.testing.assert_allclose(tile.std(), 1, atol=1e-4)
    assert (tile**3).mean() < -0.1  # dark and narrow
    across, inside = np.abs(tile[:, 0] - tile[:, -1]).mean(), np.abs(np.diff(tile, axis=1)).mean()
    assert across < 1.3 * inside
    flat = np.full((SIDE, SIDE), 128 / 40, np.float32)
    sample = periodic_sample(tile, 128 / 40)
    everywhere = np.ones((SIDE, SIDE), bool)
    made = patchwork(sample, everywhere, 0 * flat.astype(int), flat, 128 / 40, np.random.default_rng(0)).painted()
    assert 0.8 < made.std() < 1.2


def test_both_sides_of_the_seam_show_the_same_noise() -> None:
    model = load_head_model()
    space = uv_space(model, 512)
    scale = 512 / 318
    share = seam_share(space, scale, 512)
    assert 0.01 < share.mean() < 0.3
    rng = np.random.default_rng(0)
    band = rng.normal(size=(512, 512)).astype(np.float32)
    noise_in_space(share, space, model.mean, 12.0, 1).mix_into(band)
    edges = seam_edges(space)
    assert len(edges) > 20
    # The two uses of a vertex on the seam.
    uses: dict[int, set[int]] = {}
    for vertex, uv in zip(space.triangles.ravel().tolist(), space.uv_triangles.ravel().tolist(), strict=True):
        uses.setdefault(vertex, set()).add(uv)
    on_seam = set(edges.ravel().tolist())
    pairs = np.array([sorted(u)[:2] for u in uses.values() if len(u) == 2 and u <= on_seam])
    at = np.clip(space.uv * [512, -512] + [0, 512] - 0.5, 0, 511).round().astype(int)
    inside = space.mask[at[pairs][..., 1], at[pairs][..., 0]].all(1)
    first, second = (band[at[pairs[inside, k], 1], at[pairs[inside, k], 0]] for k in (0, 1))
    assert inside.sum() > 10
    assert np.corrcoef(first, second)[0, 1] > 0.8


def test_detail_is_solid_noise_where_texels_are_long_and_thin() -> None:
    model = load_head_model()
    space = uv_space(model, 256)
    share = stretched_share(space, model.mean, 256)
    height = space.positions(model.mean)[..., 1]
    front = space.positions(model.mean)[..., 2] > 0.03
    cheeks, crown = front & (np.abs(height + 0.02) < 0.02), height > 0.1
    assert share[cheeks & space.mask].mean() < 0.3
    assert share[crown & space.mask].mean() > 0.9
