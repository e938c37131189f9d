"""Maps as sums of cosines: the coarse prior stores its mean and factors so, small and at any resolution.

A map on the unit square is sum_rc a_rc f_r(y) f_c(x) with f_0 = 1 and f_k(t) = sqrt(2) cos(pi k t), sampled at pixel
centres (the discrete cosine transform, Ahmed, Natarajan and Rao 1974). f_c is even about x = 1/2 for even c and odd
for odd c, so maps of mirrored faces are those with the odd columns negated, and symmetric maps need half the numbers.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from backend.imaging.arrays import Array, filled_with, like

ORDER = 128  # frequencies r + c below this are kept: on 256 x 256 texels, the wavelengths above 4 texels and diagonals


@lru_cache(maxsize=8)
def samples(side: int, order: int = ORDER) -> np.ndarray:
    """The cosines at the centres of `side` pixels, float32 [side, order]."""
    angle = np.pi * (np.arange(side)[:, None] + 0.5) / side * np.arange(order)
    values = np.cos(angle) * np.where(np.arange(order) == 0, 1.0, np.sqrt(2.0))
    return values.astype(np.float32)


@lru_cache(maxsize=8)
def places(parity: int, order: int = ORDER) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns, int64 [n] each, of the kept coefficients with even (0) or odd (1) column, in their order."""
    row, column = np.nonzero(np.add.outer(np.arange(order), np.arange(order)) < order)
    chosen = column % 2 == parity
    return row[chosen], column[chosen]


def count(parity: int, order: int = ORDER) -> int:
    """How many coefficients `places` lists."""
    return len(places(parity, order)[0])


def analyse(maps: np.ndarray, order: int = ORDER) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients float32 [..., n] of maps [..., S, S], S >= order: those of even columns, those of odd columns.

    Raises:
        ValueError: the maps have fewer pixels than there are frequencies.
    """
    side = maps.shape[-1]
    if side < order:
        raise ValueError(f"{order} frequencies need as many pixels, not {side}")
    base = samples(side, order)
    full = base.T @ np.asarray(maps, np.float32) @ base / np.float32(side * side)
    even, odd = (np.ascontiguousarray(full[(..., *places(parity, order))]) for parity in (0, 1))
    return even, odd


def synthesise(coefficients: Array, parity: int, side: int, order: int = ORDER) -> Array:
    """Maps float32 [..., side, side] of coefficients [..., n] with even (0) or odd (1) columns."""
    usable = min(order, side)
    grid = filled_with(0, (*coefficients.shape[:-1], order, order), coefficients)
    grid[(..., *places(parity, order))] = coefficients
    base = like(samples(side, order)[:, :usable], coefficients)
    return base @ grid[..., :usable, :usable] @ base.T
