"""Carrying maps over from one layout of a surface to another, by drawing its triangles; in numpy alone."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# Texels that are filled around what is drawn, so that filtering at its border finds skin.
MARGIN_PX = 8


@dataclass(frozen=True)
class Texels:
    """The texels of a square image that triangles cover, in no order; row 0 is the top.

    Args:
        rows: int [n].
        columns: int [n].
        triangles: int [n], which triangle covers it.
        weights: float32 [n, 3], barycentric coordinates of its centre there.
    """

    rows: np.ndarray
    columns: np.ndarray
    triangles: np.ndarray
    weights: np.ndarray

    def values(self, of_corner: np.ndarray) -> np.ndarray:
        """What the corners of triangles have, [T, 3, C], at the texels, [n, C]."""
        return np.einsum("nk,nkc->nc", self.weights, of_corner[self.triangles])


def covered_texels(uv: np.ndarray, size: int) -> Texels:
    """The texels whose centres lie in triangles, or less than half a texel beside them.

    Args:
        uv: float [T, 3, 2], (0, 0) bottom-left; what lies outside of the unit square is left out.
        size: texels a side.
    """
    corners = np.stack([uv[..., 0] * size, (1 - uv[..., 1]) * size], axis=-1).astype(np.float64)
    rows, columns, triangles, weights = [], [], [], []
    low = np.maximum(np.floor(corners.min(axis=1) - 0.5), 0).astype(int)
    high = np.minimum(np.ceil(corners.max(axis=1) + 0.5), size).astype(int)
    edges = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)
    areas = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    for triangle in np.flatnonzero((np.abs(areas) > 1e-9) & (high > low).all(axis=1)):
        x, y = (np.arange(low[triangle, axis], high[triangle, axis]) + 0.5 for axis in (0, 1))
        # Of each corner the distance from the edge across, as a share of the corner's own.
        across, begin = edges[triangle], np.roll(corners[triangle], -1, axis=0)
        share = [
            (across[k, 0] * (y[:, None] - begin[k, 1]) - across[k, 1] * (x[None] - begin[k, 0])) / areas[triangle]
            for k in range(3)
        ]
        found = np.stack(share, axis=-1)
        half = 0.5 * np.linalg.norm(across, axis=1) / abs(areas[triangle])
        at = np.nonzero((found > -half).all(axis=-1))
        rows.append(at[0] + low[triangle, 1])
        columns.append(at[1] + low[triangle, 0])
        triangles.append(np.full(len(at[0]), triangle))
        weights.append(found[at])
    if not rows:
        none = np.zeros(0, int)
        return Texels(none, none, none, np.zeros((0, 3), np.float32))
    row, column, triangle, weight = (np.concatenate(parts) for parts in (rows, columns, triangles, weights))
    # Of the triangles at a texel the one that it lies deepest in.
    deepest = np.argsort(-weight.min(axis=1), kind="stable")
    place = (row * size + column)[deepest]
    keep = deepest[np.unique(place, return_index=True)[1]]
    inside = np.clip(weight[keep], 0, None)
    inside /= inside.sum(axis=1, keepdims=True)
    return Texels(row[keep], column[keep], triangle[keep], inside.astype(np.float32))


def levels_of(image: np.ndarray) -> list[np.ndarray]:
    """An image [H, W, C] and it halved again and again by averages, until a side is one texel or odd."""
    levels = [np.asarray(image, np.float32)]
    while min(levels[-1].shape[:2]) > 1 and not (levels[-1].shape[0] % 2 or levels[-1].shape[1] % 2):
        height, width, channels = levels[-1].shape
        levels.append(levels[-1].reshape(height // 2, 2, width // 2, 2, channels).mean(axis=(1, 3)))
    return levels


def sampled(levels: list[np.ndarray], uv: np.ndarray, texels_across: np.ndarray) -> np.ndarray:
    """An image at places, filtered so that nothing finer than what is asked for is left (trilinear).

    Args:
        levels: from `levels_of`.
        uv: float [n, 2].
        texels_across: float [n], how many texels of the image one of the target spans.

    Returns:
        float32 [n, C].
    """
    level = np.clip(np.log2(np.maximum(texels_across, 1.0)), 0, len(levels) - 1)
    below = np.minimum(level.astype(int), max(len(levels) - 2, 0))
    part = (level - below)[:, None].astype(np.float32)
    found = np.empty((len(uv), levels[0].shape[2]), np.float32)
    for index in np.unique(below):
        at = np.flatnonzero(below == index)
        fine = bilinear(levels[index], uv[at])
        coarse = bilinear(levels[min(index + 1, len(levels) - 1)], uv[at])
        found[at] = fine + part[at] * (coarse - fine)
    return found


def bilinear(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """An image [H, W, C], row 0 at the top, at places float [n, 2], [n, C]; its border goes on outside."""
    height, width = image.shape[:2]
    x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1)
    y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1)
    column, row = np.minimum(x.astype(int), max(width - 2, 0)), np.minimum(y.astype(int), max(height - 2, 0))
    right, under = np.minimum(column + 1, width - 1), np.minimum(row + 1, height - 1)
    across, down = (x - column)[:, None].astype(np.float32), (y - row)[:, None].astype(np.float32)
    above = image[row, column] * (1 - across) + image[row, right] * across
    below = image[under, column] * (1 - across) + image[under, right] * across
    return above * (1 - down) + below * down


def texels_across(triangles_from: np.ndarray, triangles_to: np.ndarray, size_from: int, size_to: int) -> np.ndarray:
    """How many texels of one layout a texel of another spans in each triangle, by their areas, float [T].

    Args:
        triangles_from: float [T, 3, 2], texture coordinates in the first.
        triangles_to: float [T, 3, 2], in the other.
        size_from: texels a side.
        size_to: texels a side.
    """

    def area(uv: np.ndarray) -> np.ndarray:
        a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        return np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])

    return np.sqrt(area(triangles_from) / np.maximum(area(triangles_to), 1e-12)) * size_from / size_to


def with_margin(image: np.ndarray, known: np.ndarray, steps: int = MARGIN_PX) -> np.ndarray:
    """An image [H, W, C] continued around its known texels bool [H, W] by the mean of the known ones beside."""
    image, known = image.copy(), known.copy()
    for _ in range(steps):
        # Only texels beside the known ones are looked at: an image has many more.
        beside = np.zeros_like(known)
        beside[1:] |= known[:-1]
        beside[:-1] |= known[1:]
        beside[:, 1:] |= known[:, :-1]
        beside[:, :-1] |= known[:, 1:]
        rows, columns = np.nonzero(beside & ~known)
        total, count = np.zeros((len(rows), image.shape[2]), np.float32), np.zeros((len(rows), 1), np.float32)
        for down, across in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            row = np.clip(rows + down, 0, known.shape[0] - 1)
            column = np.clip(columns + across, 0, known.shape[1] - 1)
            there = known[row, column][:, None]
            total += np.where(there, image[row, column], 0)
            count += there
        image[rows, columns] = total / np.maximum(count, 1)
        known[rows, columns] = True
    return image
