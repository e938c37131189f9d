"""Skin that no photo shows: a tile of furrows and pores, drawn, for detail that a small photo cannot hold."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

from backend.detail.parameters import MicroreliefSettings


def microrelief_tile(
    side: int, rng: np.random.Generator, settings: MicroreliefSettings = MicroreliefSettings()
) -> np.ndarray:
    """A tile of skin `tile_mm` wide, float32 [side, side], periodic: log luminance, mean 0, standard deviation 1.

    Furrows are the borders between the cells of jittered points, pores are dark spots on some of their corners: both
    are darker than the skin between.
    """
    step = settings.tile_mm / side
    row, column = np.indices((side, side))
    places = np.stack([(column.ravel() + 0.5) * step, (row.ravel() + 0.5) * step], axis=1)
    total = np.zeros(side * side)
    for spacing, depth, width in settings.furrows:
        if spacing < 3 * step:
            continue  # too fine for these texels
        points = _jittered(settings.tile_mm, spacing, rng)
        distance, nearest = (np.asarray(x) for x in KDTree(points, boxsize=settings.tile_mm).query(places, k=2))
        # Cells differ in height a little, furrows in depth.
        level = rng.normal(0, 0.15, len(points))[nearest[:, 0]]
        strength = rng.uniform(0.5, 1.5, len(points))
        furrow = np.exp(-np.square((distance[:, 1] - distance[:, 0]) / (width * spacing)))
        total += depth * (level - furrow * 0.5 * (strength[nearest[:, 0]] + strength[nearest[:, 1]]))
    pores = _jittered(settings.tile_mm, settings.pore_distance_mm, rng)
    distance, nearest = KDTree(pores, boxsize=settings.tile_mm).query(places)
    radius = settings.pore_radius_mm * rng.uniform(0.6, 1.5, len(pores))[nearest]
    radius = np.maximum(radius, 0.6 * step)
    total -= (
        settings.pore_depth * rng.uniform(0.3, 1.2, len(pores))[nearest] * np.exp(-np.square(distance / radius) / 2)
    )
    total -= total.mean()
    return (total / total.std()).reshape(side, side).astype(np.float32)


def _jittered(extent: float, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Points [n, 2] of a square grid, each moved at random by up to 0.45 of the spacing, in [0, extent)."""
    count = max(2, round(extent / spacing))
    grid = np.stack(np.meshgrid(np.arange(count), np.arange(count)), axis=-1).reshape(-1, 2) + 0.5
    return ((grid + rng.uniform(-0.45, 0.45, grid.shape)) * (extent / count)) % extent
