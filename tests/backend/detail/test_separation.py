"""Pigment, relief and gloss are told apart."""

from __future__ import annotations

import cv2
import numpy as np

from backend.delight.marks import spots
from backend.detail.separation import (
    creases,
    hairline,
    matte_share,
    pigment_share,
)
from backend.head.model import load_head_model
from backend.imaging.arrays import as_float32
from backend.texture.regions import face_regions
from backend.texture.uv_space import uv_space

SIDE, PER_MM = 512, 3.2


def skin(seed: int = 0) -> np.ndarray:
    return cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 0.05, (SIDE, SIDE)), (0, 0), 1.0).astype(np.float32)


def test_a_mole_is_a_spot_and_a_wrinkle_is_not() -> None:
    y, x = np.indices((SIDE, SIDE), np.float32)
    mole = -0.5 * np.exp(-(np.square(x - 150) + np.square(y - 200)) / (2 * (0.9 * PER_MM) ** 2))
    wrinkle = -0.35 * np.exp(-np.square(x - 350) / (2 * (0.5 * PER_MM) ** 2))
    found = spots(skin() + mole + wrinkle, np.ones((SIDE, SIDE), np.float32), PER_MM)
    assert found[200, 150] > 0.9
    assert found[198:202, 140:160].mean() > 0.3
    assert found[60:450, 340:360].mean() < 0.1
    assert found.mean() < 0.02


def test_pores_are_no_spots() -> None:
    image = skin()
    for row, column in np.random.default_rng(1).integers(20, SIDE - 20, (300, 2)):
        image[row, column] -= 0.25
    assert spots(cv2.GaussianBlur(image, (0, 0), 0.6), np.ones((SIDE, SIDE), np.float32), PER_MM).mean() < 0.03


def test_nothing_seen_has_no_spots() -> None:
    assert not spots(skin(), np.zeros((SIDE, SIDE), np.float32), PER_MM).any()


def test_white_sparkle_goes_and_red_and_dark_detail_stays() -> None:
    base = np.tile(np.log(np.array([0.45, 0.25, 0.18], np.float32)), (64, 64, 1))
    colour = np.exp(base)
    white, red, dark = colour.copy(), colour.copy(), colour.copy()
    disc = np.hypot(*(np.indices((64, 64)) - 32)) < 4
    white[disc] += 0.12
    red[disc] *= (1.25, 1.05, 1.05)
    dark[disc] *= 0.7
    shine = np.zeros((64, 64), np.float32)
    for changed, low, high in ((white, -1, 0.45), (red, 0.6, 1.01), (dark, 0.95, 1.01)):
        detail = (np.log(changed) - base).astype(np.float32)
        assert low < matte_share(detail, base, shine, PER_MM)[32, 32] < high


def test_detail_in_a_highlight_is_not_kept() -> None:
    base = np.full((32, 32, 3), -1.5, np.float32)
    detail = np.full((32, 32, 3), 0.1, np.float32)
    ones = np.ones((32, 32), np.float32)
    assert np.abs(matte_share(detail, base, ones, PER_MM)).max() < 0.2
    assert np.abs(matte_share(-detail, base, ones, PER_MM)).max() < 0.5


def test_spots_lashes_and_hair_over_the_temples_are_colour() -> None:
    model = load_head_model()
    regions = face_regions(model, uv_space(model, 256))
    nothing = np.zeros((256, 256), np.float32)
    parts = regions.eyes, regions.lips
    plain = pigment_share(nothing, nothing, *parts)
    assert plain[(regions.beard > 0.9) & (regions.lips < 0.05)].max() < 0.05
    assert plain[regions.eyes > 0.99].min() > 0.9
    for hairy in (pigment_share(nothing, nothing + 1, *parts), pigment_share(nothing + 1, nothing, *parts)):
        assert hairy.min() == 1


def test_a_wrinkle_is_a_crease_and_grain_and_moles_are_none() -> None:
    y, x = np.indices((SIDE, SIDE), np.float32)
    mole = -0.3 * np.exp(-(np.square(x - 150) + np.square(y - 200)) / (2 * (0.9 * PER_MM) ** 2))
    away = (y - 0.4 * x - 150) / np.hypot(1, 0.4)
    wrinkle = -0.15 * np.exp(-np.square(away / (0.7 * PER_MM)) / 2) * (x > 300)
    everywhere = np.ones((SIDE, SIDE), np.float32)
    found = creases(skin() + mole + wrinkle, everywhere, 0 * everywhere, PER_MM)
    along = (np.abs(away) < 2) & (x > 330) & (x < SIDE - 40) & (y < SIDE - 40)
    assert found[along].mean() > 0.8
    far = (np.abs(away) > 25) & (np.hypot(x - 150, y - 200) > 30)
    assert found[far].mean() < 0.02
    assert not creases(skin(), 0 * everywhere, 0 * everywhere, PER_MM).any()


def test_a_fold_in_a_beard_is_a_crease_and_the_strands_are_none() -> None:
    y, x = np.indices((SIDE, SIDE), np.float32)
    everywhere = np.ones((SIDE, SIDE), np.float32)
    beard = as_float32(x > SIDE - 170)
    strands, rng = np.zeros((SIDE, SIDE), np.float32), np.random.default_rng(3)
    for column, row in zip(rng.integers(SIDE - 160, SIDE - 10, 600), rng.integers(0, SIDE, 600), strict=True):
        lean = int(rng.integers(-8, 8))
        cv2.line(strands, (int(column), int(row)), (int(column) + lean, int(row) + 24), -0.4, 2, cv2.LINE_AA)
    middle = SIDE - 85
    fold = -1.5 * np.exp(-np.square((x - middle) / (0.7 * PER_MM)) / 2)
    along = (np.abs(x - middle) < 2) & (np.abs(y - 256) < 200)
    among = (np.abs(x - middle) > 25) & (np.abs(x - middle) < 60) & (np.abs(y - 256) < 200)
    found = creases(skin() + strands + fold, everywhere, beard, PER_MM)
    assert found[along].mean() > 0.9
    assert found[among].mean() < 0.1
    # Lines where no hair grows are all the skin's own.
    assert creases(skin() + strands + fold, everywhere, 0 * beard, PER_MM)[among].mean() > 0.3


def test_hair_in_the_temples_is_hair_and_crows_feet_are_not() -> None:
    model = load_head_model()
    regions = face_regions(model, uv_space(model, 512))
    seen = (regions.face > 0.5).astype(np.float32)
    rows, columns = np.nonzero(seen)
    y, x = np.indices(seen.shape)
    eyes = np.flatnonzero((regions.eyes > 0.5).any(1)).mean()
    edge = columns[rows == round(eyes - 18 * regions.texels_per_mm)].min() + 4 * regions.texels_per_mm
    temple = (np.hypot(x - edge, y - eyes + 18 * regions.texels_per_mm) < 4 * regions.texels_per_mm) & (seen > 0)
    beside = (np.abs(y - eyes) < 2 * regions.texels_per_mm) & (seen > 0) & (regions.eyes < 0.01)
    rng = np.random.default_rng(0)
    grain = cv2.GaussianBlur(rng.normal(0, 0.05, seen.shape), (0, 0), 0.7).astype(np.float32)
    found = hairline(grain * (1 + 4 * temple + 4 * beside), seen, regions)
    assert found[temple].mean() > 0.5
    assert found[beside].max() < 0.1
    assert found[~temple & (regions.brows < 0.5)].mean() < 0.02
