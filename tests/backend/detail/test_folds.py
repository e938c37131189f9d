"""Folds leave half of their darkness in the albedo, as fine relief does; moles and marks keep all of theirs."""

from __future__ import annotations

import numpy as np
import pytest

from backend.delight.marks import spots
from backend.detail.folds import light_in_folds
from backend.detail.separation import creases
from backend.imaging.colour import LUMINANCE

SIDE, PER_MM = 256, 1.7
Y, X = np.indices((SIDE, SIDE), np.float32)
EVERYWHERE = np.ones((SIDE, SIDE), np.float32)
FOLD = np.exp(-np.square((X - 80) / (0.8 * PER_MM)) / 2)
MOLE = np.exp(-(np.square(X - 190) + np.square(Y - 128)) / (2 * (0.9 * PER_MM) ** 2))
PART = (np.abs(X - 80) < 4) & (np.abs(Y - 128) < 7)
HUE = np.array([0.8, 1.0, 1.2], np.float32)
ALONG = slice(30, -30)


def evened(skin: np.ndarray, marks: np.ndarray | None = None, in_albedo: float = 0.5) -> np.ndarray:
    """Log luminance of the albedo [SIDE, SIDE] without folds' light, of that of skin and its marks."""
    marks = np.zeros_like(skin) if marks is None else marks
    grain = 0.02 * np.random.default_rng(0).normal(size=(SIDE, SIDE))
    whole = ((skin + marks + grain)[..., None] * HUE).astype(np.float32)
    luminance = (whole @ LUMINANCE).astype(np.float32)
    without_pale = ((skin + np.minimum(marks, 0) + grain)[..., None] * HUE @ LUMINANCE).astype(np.float32)
    lines = creases(without_pale, EVERYWHERE, 0 * EVERYWHERE, PER_MM)
    log_marks = (marks[..., None] * HUE).astype(np.float32)
    moles = spots(luminance, EVERYWHERE, PER_MM)
    light = light_in_folds(whole, log_marks, lines, moles, EVERYWHERE > 0, PER_MM, in_albedo)
    return (whole - light) / HUE @ (LUMINANCE / LUMINANCE.sum())


def test_half_of_a_folds_darkness_stays_and_all_of_a_moles() -> None:
    left = evened(-1.4 * FOLD - 0.9 * MOLE)
    assert left[ALONG, 80].mean() == pytest.approx(-0.7, abs=0.08)
    assert left[127:130, 189:192].mean() < -0.9 * 0.9 * MOLE[127:130, 189:192].mean()
    assert np.abs(left[ALONG, [72, 73, 87, 88]].mean()) < 0.06


def test_where_relief_leaves_all_of_its_darkness_nothing_changes() -> None:
    assert evened(-1.4 * FOLD, in_albedo=1.0)[ALONG, 80].mean() == pytest.approx(-1.4, abs=0.03)


def test_a_part_of_a_fold_that_was_taken_for_a_mark_is_lit_like_the_rest() -> None:
    left = evened(-1.4 * FOLD * ~PART, -1.4 * FOLD * PART)
    assert left[124:133, 80].mean() == pytest.approx(-0.7, abs=0.12)


def test_a_line_that_is_all_mark_stays() -> None:
    line = -1.0 * FOLD * (np.abs(Y - 128) < 40)
    assert evened(0 * line, line)[100:156, 80].mean() == pytest.approx(-1.0, abs=0.05)


def test_the_lit_lip_of_a_fold_is_no_pale_mark_and_a_pale_patch_is_one() -> None:
    lip = 0.6 * ((np.abs(X - 85) < 2) & (np.abs(Y - 128) < 25))
    patch = 0.6 * (np.hypot(X - 180, Y - 60) < 8)
    left = evened(-1.4 * FOLD, lip + patch)
    assert np.abs(left[110:146, 85].mean()) < 0.15
    assert left[57:63, 177:183].mean() == pytest.approx(0.6, abs=0.05)
