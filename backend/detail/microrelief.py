"""Skin that no photo shows: a tile of furrows and pores, drawn, for detail that a small photo cannot hold."""

from __future__ import annotations

import numpy as np
from scipy.spatial import KDTree

TILE_MM = 40.0
# Primary and secondary furrows: distance of the cells' middles, mm; how deep; width of a furrow as share of the cell.
# Sizes as in Igarashi, Nishino and Nayar, "The appearance of human skin", 2007, section 3.
FURROWS = ((0.95, 0.6, 0.16), (0.5, 1.0, 0.2), (0.26, 0.5, 0.22))
PORE_DISTANCE_MM, PORE_RADIUS_MM, PORE_DEPTH = 1.3, 0.13, 1.6


def microrelief_tile(side: int, rng: np.random.Generator) -> np.ndarray:
    """A tile of skin `TILE_MM` wide, float32 [side, side], periodic: log luminance, mean 0, standard deviation 1.

    Furrows are the borders between the cells of jittered points, pores are dark spots on some of their corners: both
    are darker than the skin between.
    """
    step = TILE_MM / side
    row, column = np.indices((side, side))
    places = np.stack([(column.ravel() + 0.5) * step, (row.ravel() + 0.5) * step], axis=1)
    total = np.zeros(side * side)
    for spacing, depth, width in FURROWS:
        if spacing < 3 * step:
            continue  # too fine for these texels
        points = _jittered(TILE_MM, spacing, rng)
        distance, nearest = (np.asarray(x) for x in KDTree(points, boxsize=TILE_MM).query(places, k=2))
        # Cells differ in height a little, furrows in depth.
        level = rng.normal(0, 0.15, len(points))[nearest[:, 0]]
        strength = rng.uniform(0.5, 1.5, len(points))
        furrow = np.exp(-np.square((distance[:, 1] - distance[:, 0]) / (width * spacing)))
        total += depth * (level - furrow * 0.5 * (strength[nearest[:, 0]] + strength[nearest[:, 1]]))
    pores = _jittered(TILE_MM, PORE_DISTANCE_MM, rng)
    distance, nearest = KDTree(pores, boxsize=TILE_MM).query(places)
    radius = PORE_RADIUS_MM * rng.uniform(0.6, 1.5, len(pores))[nearest]
    radius = np.maximum(radius, 0.6 * step)
    total -= PORE_DEPTH * rng.uniform(0.3, 1.2, len(pores))[nearest] * np.exp(-np.square(distance / radius) / 2)
    total -= total.mean()
    return (total / total.std()).reshape(side, side).astype(np.float32)


def _jittered(extent: float, spacing: float, rng: np.random.Generator) -> np.ndarray:
    """Points [n, 2] of a square grid, each moved at random by up to 0.45 of the spacing, in [0, extent)."""
    count = max(2, round(extent / spacing))
    grid = np.stack(np.meshgrid(np.arange(count), np.arange(count)), axis=-1).reshape(-1, 2) + 0.5
    return ((grid + rng.uniform(-0.45, 0.45, grid.shape)) * (extent / count)) % extent
