"""Texels and the triangles that cover them: rasterising in texture space, margins, looking maps up. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

# How far colours go on beyond the islands, texels for each 1024 of a side: what filters and mip maps reach into.
MARGIN_PER_1024 = 8


@dataclass(frozen=True)
class Coverage:
    """Which texels of a square image triangles cover.

    Args:
        size: side of the image, texels.
        rows, columns: int32 [N], row 0 at the top.
        triangles: int32 [N], which triangle.
        weights: float32 [N, 3], barycentric.
    """

    size: int
    rows: np.ndarray
    columns: np.ndarray
    triangles: np.ndarray
    weights: np.ndarray

    def mix(self, values: np.ndarray) -> np.ndarray:
        """Values [T, 3, ...] at the corners of the triangles, at the texels [N, ...]."""
        picked = values[self.triangles]
        weights = self.weights.reshape(len(self.weights), 3, *(1,) * (picked.ndim - 2))
        return (picked * weights).sum(axis=1)


def covered(uv: np.ndarray, size: int) -> Coverage:
    """The texels of the unit square whose centres lie in triangles; where several do, in the last one.

    Args:
        uv: float [T, 3, 2], (0, 0) bottom-left.
        size: side of the image, texels.
    """
    # Pixels with y down, centres at whole numbers.
    points = np.stack([uv[..., 0] * size - 0.5, (1 - uv[..., 1]) * size - 0.5], axis=-1).astype(np.float64)
    low = np.clip(np.ceil(points.min(axis=1) - 1e-9), 0, size).astype(int)
    high = np.clip(np.floor(points.max(axis=1) + 1e-9) + 1, 0, size).astype(int)
    edges = points[:, [1, 2]] - points[:, [0]]
    area = edges[:, 0, 0] * edges[:, 1, 1] - edges[:, 0, 1] * edges[:, 1, 0]
    owner = np.full((size, size), -1, np.int32)
    found = np.zeros((size, size, 3), np.float32)
    for index in np.flatnonzero((np.abs(area) > 1e-12) & (high > low).all(axis=1)):
        (left, top), (right, bottom) = low[index], high[index]
        x = np.arange(left, right) - points[index, 0, 0]
        y = (np.arange(top, bottom) - points[index, 0, 1])[:, None]
        (ax, ay), (bx, by) = edges[index]
        second, third = (x * by - y * bx) / area[index], (y * ax - x * ay) / area[index]
        first = 1 - second - third
        inside = (first >= -1e-6) & (second >= -1e-6) & (third >= -1e-6)
        owner[top:bottom, left:right][inside] = index
        found[top:bottom, left:right][inside] = np.stack([first, second, third], axis=-1)[inside]
    rows, columns = np.nonzero(owner >= 0)
    return Coverage(size, rows.astype(np.int32), columns.astype(np.int32), owner[rows, columns], found[rows, columns])


def painted(coverage: Coverage, values: np.ndarray, background: np.ndarray | float) -> np.ndarray:
    """An image [size, size, C] of values [N, C] at the covered texels, with a margin around them.

    Args:
        coverage: the texels.
        values: what they hold.
        background: what is stored where there is neither texel nor margin, [C] or one number.
    """
    size = coverage.size
    image = np.zeros((size, size, values.shape[-1]), np.float32)
    known = np.zeros((size, size), bool)
    image[coverage.rows, coverage.columns] = values
    known[coverage.rows, coverage.columns] = True
    for _ in range(max(2, round(MARGIN_PER_1024 * size / 1024))):
        total, count = np.zeros_like(image), np.zeros((size, size), np.float32)
        for axis, step in ((0, 1), (0, -1), (1, 1), (1, -1)):
            beside = _moved(known, axis, step)
            total += _moved(image, axis, step) * beside[..., None]
            count += beside
        grown = ~known & (count > 0)
        image[grown] = total[grown] / count[grown][:, None]
        known |= grown
    image[~known] = background
    return image


def look_up(image: np.ndarray, uv: np.ndarray) -> np.ndarray:
    """Bilinear values [N, C] of an image [H, W, C] at texture coordinates [N, 2]; the border goes on outside."""
    height, width = image.shape[:2]
    x = np.clip(uv[:, 0] * width - 0.5, 0, width - 1)
    y = np.clip((1 - uv[:, 1]) * height - 0.5, 0, height - 1)
    left, top = np.floor(x).astype(int), np.floor(y).astype(int)
    right, bottom = np.minimum(left + 1, width - 1), np.minimum(top + 1, height - 1)
    across, down = (x - left)[:, None], (y - top)[:, None]
    upper = image[top, left] * (1 - across) + image[top, right] * across
    lower = image[bottom, left] * (1 - across) + image[bottom, right] * across
    return (upper * (1 - down) + lower * down).astype(np.float32)


def resized(image: np.ndarray, height: int, width: int) -> np.ndarray:
    """An image [H, W, C] at another size by bilinear interpolation; meant for smooth maps."""
    if image.shape[:2] == (height, width):
        return image
    u, v = (np.arange(width) + 0.5) / width, 1 - (np.arange(height) + 0.5) / height
    uv = np.stack(np.meshgrid(u, v), axis=-1).reshape(-1, 2)
    return look_up(image, uv).reshape(height, width, -1)


def _moved(image: np.ndarray, axis: int, step: int) -> np.ndarray:
    """An image moved by one texel, with zeros where nothing comes from."""
    moved = np.zeros_like(image)
    target, source = [slice(None)] * 2, [slice(None)] * 2
    target[axis], source[axis] = (slice(1, None), slice(None, -1)) if step > 0 else (slice(None, -1), slice(1, None))
    moved[tuple(target)] = image[tuple(source)]
    return moved
