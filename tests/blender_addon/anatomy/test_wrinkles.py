"""Where skin folds, and the maps of it, in numpy alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from blender_addon.anatomy.furrows import Folding, FurrowStyle, furrow_lines, relief
from blender_addon.anatomy.strain import SkinSheet, chart_of, squeeze
from blender_addon.anatomy.wrinkles import WrinkleMaps, WrinkleParameters, blurred, wrinkle_maps

SIDE = 17
SIZE_M = 0.1


def sheet(offsets: dict[str, np.ndarray]) -> SkinSheet:
    """A flat square of skin, 0.1 m wide, that fills texture space, upright as a forehead is."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    uv = np.stack([columns.ravel(), rows.ravel()], axis=-1) / (SIDE - 1)
    first = (rows[:-1, :-1] * SIDE + columns[:-1, :-1]).ravel()
    quads = np.stack([first, first + 1, first + SIDE + 1, first + SIDE], axis=-1)
    triangles = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    points = SIZE_M * np.stack([uv[:, 0], np.zeros(len(uv)), uv[:, 1]], axis=-1)
    return SkinSheet(points, triangles, uv[triangles], offsets)


def pushed_up(by: float) -> np.ndarray:
    """Everything is nearer to the upper edge by a part of its distance: squeezed along v, alike all over."""
    z = sheet({}).points[:, 2]
    return np.stack([0 * z, 0 * z, by * (SIZE_M - z)], axis=-1)


def small(**shapes: np.ndarray) -> dict[str, WrinkleMaps]:
    still = np.zeros(SIDE**2)
    return wrinkle_maps(sheet(shapes), still, None, parameters=WrinkleParameters(size=128, coarse=32))


def test_skin_that_is_pushed_together_is_shorter_by_as_much_and_folds_across() -> None:
    skin = sheet({"browInnerUp": pushed_up(0.2)})
    chart = chart_of(skin, 32)
    np.testing.assert_allclose(chart.metres, SIZE_M, rtol=1e-6)
    found = squeeze(skin, chart, "browInnerUp")
    np.testing.assert_allclose(found.amount, 0.2, atol=1e-6)
    _, axes = np.linalg.eigh(found.lines)
    np.testing.assert_allclose(np.abs(axes[:, :, 1]), [[1, 0]] * len(axes), atol=1e-6)


def test_turning_and_stretching_squeeze_nothing() -> None:
    points = sheet({}).points
    turn = np.array([[0.8, -0.6, 0], [0.6, 0.8, 0], [0, 0, 1]])
    skin = sheet({"turned": points @ turn.T - points, "wider": 0.3 * points})
    chart = chart_of(skin, 32)
    for shape in ("turned", "wider"):
        np.testing.assert_allclose(squeeze(skin, chart, shape).amount, 0, atol=1e-9)


def folding(amount: float, size: int = 96) -> Folding:
    full = np.full((size, size), amount)
    across = np.broadcast_to([1.0, 0.0], (size, size, 2))
    return Folding(full, across, np.full((size, size), 1.0), np.full((size, size), 9.0), np.zeros((size, size)))


def test_furrows_run_along_the_folds_and_keep_their_distance() -> None:
    strength = np.ones((96, 96))
    style = replace(FurrowStyle(), wander=0.0)
    lines = furrow_lines(folding(0.2), np.full((96, 96), 9.0), strength, np.random.default_rng(0), style)
    assert 5 <= len(lines) <= 14
    rows = np.sort([line[:, 1].mean() for line in lines])
    assert all(np.ptp(line[:, 1]) < 1e-6 for line in lines)
    assert np.diff(rows).min() > 0.7 * 9


def test_more_squeezing_presses_deeper_and_none_presses_nothing() -> None:
    deepest = [relief(folding(amount), np.random.default_rng(0)).min() for amount in (0.0, 0.05, 0.15)]
    assert deepest[0] == 0
    assert deepest[2] < deepest[1] < 0
    assert deepest[2] > -2.0


def test_maps_lean_across_the_folds_and_are_flat_where_nothing_is_squeezed() -> None:
    half = pushed_up(0.2)
    # Only the upper half is squeezed; the lower one moves as a whole.
    z = sheet({}).points[:, 2]
    half[:, 2] = 0.25 * np.minimum(SIZE_M - z, SIZE_M / 2)
    (maps,) = small(browInnerUp=half).values()
    leaning = np.abs(2 * maps.normal - 1)
    assert leaning[16:48, :, 1].mean() > 3 * leaning[16:48, :, 0].mean()
    assert leaning[88:120, :, :2].max() < 0.02
    assert maps.mask[32, 64, 0] > 0.9
    assert maps.mask[110, 64].max() == 0
    assert maps.mask[..., 1:].max() == 0


def test_lips_and_lids_do_not_fold() -> None:
    skin = sheet({"browInnerUp": pushed_up(0.2)})
    (maps,) = wrinkle_maps(skin, np.ones(SIDE**2), None, parameters=WrinkleParameters(size=64, coarse=32)).values()
    np.testing.assert_allclose(maps.normal, [[[0.5, 0.5, 1.0]]] * np.ones((64, 64, 1)), atol=1e-6)
    assert maps.mask.max() == 0


def test_own_creases_get_deeper_where_skin_is_squeezed() -> None:
    rows = (np.mgrid[0:128, 0:128][0] + 0.5) / 128 * SIZE_M * 1000
    slope = 0.2 * np.sin(2 * np.pi * rows / 5.0)
    vectors = np.stack([0 * slope, slope, np.sqrt(1 - slope**2)], axis=-1)
    skin, still = sheet({"browInnerUp": pushed_up(0.2)}), np.zeros(SIDE**2)
    parameters = WrinkleParameters(size=128, coarse=32)
    (own,) = wrinkle_maps(skin, still, (0.5 + 0.5 * vectors).astype(np.float32), parameters=parameters).values()
    added = (2 * own.normal - 1)[8:-8, 8:-8, 1].ravel()
    assert np.corrcoef(added, slope[8:-8, 8:-8].ravel())[0, 1] > 0.3


def test_the_same_seed_makes_the_same_wrinkles() -> None:
    first, second = (small(browInnerUp=pushed_up(0.2))["brows_up"].normal for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_boxes_blur_as_wide_as_a_gaussian_and_keep_the_mean() -> None:
    image = np.zeros((65, 65, 1))
    image[32, 32] = 1
    found = blurred(image, 4.0)[..., 0]
    offsets = np.arange(65) - 32
    assert found.sum() == np.float64(1) or abs(found.sum() - 1) < 1e-9
    spread = np.sqrt((found.sum(axis=1) * offsets**2).sum())
    assert abs(spread - 4.0) < 0.5
    assert abs((found.sum(axis=0) * offsets).sum()) < 1e-9
