"""Contrasts of skin: measured on one person, and expected from people."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from backend.detail.regions import SKIN_PARTS
from backend.detail.statistics import fit_statistics, load_statistics, measured_contrast
from backend.imaging.octaves import OCTAVES, split

PARTS = len(SKIN_PARTS)


def people(count: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Contrasts [count, parts, OCTAVES] that are strong or weak as a whole, stronger with age; ages [count]."""
    rng = np.random.default_rng(0)
    age = rng.uniform(20, 70, count)
    level = 0.02 * (age - 45) + rng.normal(0, 0.3, count)
    noise = rng.normal(0, 0.05, (count, PARTS, OCTAVES))
    return 0.02 * np.exp(level[:, None, None] + noise), age


def test_with_nothing_seen_the_average_person_is_expected() -> None:
    observed, age = people()
    statistics = fit_statistics(observed, age, 2, {})
    expected = statistics.expected(np.full((PARTS, OCTAVES), np.nan))
    np.testing.assert_allclose(expected[:, 2:], np.exp(np.log(observed[:, :, 2:]).mean(0)), rtol=1e-6)
    assert (expected[:, 1] < expected[:, 2]).all()
    assert (expected[:, 0] < expected[:, 1]).all()


def test_what_is_seen_of_one_part_tells_of_the_others() -> None:
    observed, age = people()
    statistics = fit_statistics(observed, age, 2, {})
    rough = np.full((PARTS, OCTAVES), np.nan)
    rough[0, 4] = 0.06
    expected = statistics.expected(rough)
    usual = statistics.expected(np.full((PARTS, OCTAVES), np.nan))
    assert (expected[:, 2:] > 1.5 * usual[:, 2:]).all()


def test_older_people_have_more_contrast() -> None:
    observed, age = people()
    statistics = fit_statistics(observed, age, 2, {})
    nothing = np.full((PARTS, OCTAVES), np.nan)
    assert (statistics.expected(nothing, age=65)[:, 2:] > 1.2 * statistics.expected(nothing, age=25)[:, 2:]).all()


def test_a_person_measured_in_fine_octaves_is_followed_there() -> None:
    observed, age = people()
    statistics = fit_statistics(observed, age, 2, {})
    seen = np.full((PARTS, OCTAVES), np.nan)
    seen[:, 1] = 0.05
    np.testing.assert_allclose(statistics.expected(seen)[:, 1], 0.05, rtol=1e-6)


def test_contrast_is_the_deviation_of_each_part_where_it_was_seen() -> None:
    rng = np.random.default_rng(0)
    left = (np.arange(512) < 256)[None].repeat(512, 0)
    image = rng.normal(0, 1, (512, 512)).astype(np.float32) * np.where(left, 0.02, 0.05)
    bands, _ = split(image.astype(np.float32))
    parts = np.zeros((PARTS, 512, 512), np.float32)
    parts[0], parts[1] = left, ~left
    seen = np.ones((512, 512), np.float32)
    seen[:, 500:] = 0
    contrast = measured_contrast(bands, parts, dict.fromkeys(bands, seen))
    np.testing.assert_allclose(contrast[1, 3:] / contrast[0, 3:], 2.5, rtol=0.2)
    np.testing.assert_allclose(contrast[0, 3], bands[3][:, :250].std(), rtol=0.1)
    assert np.isnan(contrast[2]).all()
    assert np.isnan(contrast[:, :3]).all()  # finer than the image


def test_the_shipped_statistics_are_skins_and_survive_being_saved(tmp_path: Path) -> None:
    statistics = load_statistics()
    expected = statistics.expected(np.full((PARTS, OCTAVES), np.nan))
    assert ((expected > 0.005) & (expected < 0.15)).all()
    assert statistics.metadata["people"] > 90
    statistics.save(tmp_path / "copy.npz")
    again = load_statistics(tmp_path / "copy.npz")
    np.testing.assert_allclose(again.mean, statistics.mean)
    assert (tmp_path / "copy.npz").stat().st_size < 50_000
