"""Folds leave half of their darkness in the albedo, as fine relief does, and moles all of theirs."""

from __future__ import annotations

import numpy as np

from backend.delight.marks import spots
from backend.detail.folds import less_in_creases
from backend.detail.parameters import ReliefSettings
from backend.detail.separation import creases
from backend.imaging.colour import LUMINANCE

SIDE, PER_MM = 256, 1.7
SKIN = np.log(np.array([0.4, 0.25, 0.18], np.float32))
Y, X = np.indices((SIDE, SIDE), np.float32)
FOLD = np.exp(-np.square((X - 80) / (0.8 * PER_MM)) / 2)
MOLE = np.exp(-(np.square(X - 190) + np.square(Y - 128)) / (2 * (0.9 * PER_MM) ** 2))
EVERYWHERE = np.ones((SIDE, SIDE), np.float32)


def evened(depth: float, settings: ReliefSettings = ReliefSettings()) -> np.ndarray:
    grain = 0.02 * np.random.default_rng(0).normal(size=(SIDE, SIDE))
    drawn = SKIN + (grain - depth * FOLD - 0.9 * MOLE)[..., None] * np.array([0.8, 1.0, 1.2])
    log_albedo = drawn.astype(np.float32)
    crease = creases((log_albedo @ LUMINANCE).astype(np.float32), EVERYWHERE, 0 * EVERYWHERE, PER_MM)
    moles = spots((log_albedo @ LUMINANCE).astype(np.float32), EVERYWHERE, PER_MM)
    return less_in_creases(log_albedo, crease, moles, EVERYWHERE > 0, PER_MM, settings) - SKIN


def test_half_of_a_folds_darkness_stays_and_all_of_a_moles() -> None:
    left = evened(1.4)
    fold, mole = left[30:-30, 80].mean(0), left[127:130, 189:192].mean((0, 1))
    np.testing.assert_allclose(fold, -0.7 * np.array([0.8, 1.0, 1.2]), atol=0.08)
    drawn = 0.9 * float(MOLE[127:130, 189:192].mean())
    assert -float(mole @ LUMINANCE) > 0.9 * drawn
    beside = left[30:-30, [72, 73, 87, 88]]
    assert np.abs(beside.mean((0, 1))).max() < 0.06


def test_where_relief_leaves_all_of_its_darkness_nothing_changes() -> None:
    kept = evened(1.4, ReliefSettings(in_albedo=1.0))
    np.testing.assert_allclose(kept[30:-30, 80].mean(0), -1.4 * np.array([0.8, 1.0, 1.2]), atol=0.05)
