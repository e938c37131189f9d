"""Where the strips of lashes lie in their texture. Pure numpy, Blender space."""

from __future__ import annotations

import numpy as np

from ..strips import arc_length, connected_parts, grid_of_quads


def lash_uv(vertices: np.ndarray, quads: np.ndarray, corner_uv: np.ndarray, eye_centres: np.ndarray) -> np.ndarray:
    """u runs from the nose outwards, v from the lid to the tips: upper lashes in v > 0.5, lower ones below.

    Args:
        vertices: float [V, 3], metres.
        quads: int [F, 4], faces of the lashes.
        corner_uv: float32 [F, 4, 2], for strips that are no grids.
        eye_centres: float [E, 3].

    Returns:
        float32 [F, 4, 2].
    """
    laid_out = corner_uv.copy()
    for part in connected_parts(quads):
        grid = grid_of_quads(quads[part])
        if grid is None:
            continue
        points = vertices[grid].astype(np.float64)
        eye = eye_centres[np.argmin(np.linalg.norm(eye_centres - points.mean((0, 1)), axis=1))]
        along_rows = np.linalg.norm(np.diff(points, axis=1), axis=-1).sum(1).mean()
        along_columns = np.linalg.norm(np.diff(points, axis=0), axis=-1).sum(0).mean()
        if along_columns > along_rows:
            grid, points = grid.T, points.transpose(1, 0, 2)
        if np.linalg.norm(points[0] - eye, axis=-1).mean() > np.linalg.norm(points[-1] - eye, axis=-1).mean():
            grid, points = grid[::-1], points[::-1]
        if abs(points[:, 0, 0].mean()) > abs(points[:, -1, 0].mean()):
            grid, points = grid[:, ::-1], points[:, ::-1]
        s = arc_length(points)
        t = arc_length(points.transpose(1, 0, 2)).T
        upper = points[..., 2].mean() > eye[2]
        # A hair's width inside the halves, so that filtering does not reach across.
        v = np.where(upper, 0.51 + 0.48 * t, 0.01 + 0.48 * t)
        where = {int(vertex): (s.flat[k], v.flat[k]) for k, vertex in enumerate(grid.flat)}
        for face in part:
            laid_out[face] = [where[int(vertex)] for vertex in quads[face]]
    return laid_out
