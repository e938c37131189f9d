"""Where detail is a function of the place in space: at the texture's seam, both sides of which fit together so, and
where texels are much longer than wide, which would draw any texture out to streaks."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.detail.parameters import SeamSettings
from backend.imaging.arrays import Array, as_float32, empty, filled_with, gather, like, mask_of, namespace, places
from backend.imaging.filters import enlarge, inner_distance, masked_blur, smooth_step
from backend.imaging.rows import pieces
from backend.imaging.sampling import gathered
from backend.imaging.solid_noise import solid_noise
from backend.texture.uv_space import UVSpace, coarser


def seam_share(uv_space: UVSpace, texels_per_mm: float, side: int, settings: SeamSettings = SeamSettings()) -> Array:
    """1 at the seam, 0 away from it, float32 [side, side]; `texels_per_mm` at that size."""
    lines = np.full((side, side), 255, np.uint8)
    for first, second in seam_edges(uv_space):
        ends = np.stack([uv_space.uv[[first, second], 0], 1 - uv_space.uv[[first, second], 1]], axis=1) * side - 0.5
        a, b = (tuple(round(16 * x) for x in end) for end in ends.tolist())
        cv2.line(lines, a, b, 0, 1, cv2.LINE_8, 4)
    drawn = np.flatnonzero(lines == 0)
    if len(drawn) == 0:
        return filled_with(0, (side, side), uv_space.triangle)
    distance = inner_distance(~mask_of(drawn, (side, side), uv_space.triangle))
    far, near = settings.from_seam_mm
    return smooth_step(distance, far * texels_per_mm, near * texels_per_mm)


def stretched_share(
    uv_space: UVSpace, mean_vertices: np.ndarray, side: int, settings: SeamSettings = SeamSettings()
) -> Array:
    """1 where texels are much longer than wide on the surface, 0 where they are about square, float32 [side, side]."""
    small = coarser(uv_space, min(512, side))
    # The larger eigenvalue of a symmetric matrix of determinant 1 follows from its trace.
    stretch = small.anisotropy(mean_vertices)
    xp = namespace(stretch)
    half = xp.maximum((stretch[..., 0, 0] + stretch[..., 1, 1]) / 2, 1)
    ratio = xp.square(half + xp.sqrt(xp.square(half) - 1))
    smooth = masked_blur(ratio, as_float32(small.mask), settings.smooth_texels)
    return xp.clip(enlarge(smooth_step(smooth, *settings.stretched), side), 0, 1)


def seam_edges(uv_space: UVSpace) -> np.ndarray:
    """Pairs of UV vertices, int [n, 2], whose edge is one on the mesh and two in the texture."""
    corners = [0, 1, 1, 2, 2, 0]
    uv_edges = np.sort(uv_space.uv_triangles[:, corners].reshape(-1, 2), axis=1)
    edges = np.sort(uv_space.triangles[:, corners].reshape(-1, 2), axis=1)
    _, index, count = np.unique(uv_edges, axis=0, return_index=True, return_counts=True)
    border = index[count == 1]
    _, inverse, times = np.unique(edges[border], axis=0, return_inverse=True, return_counts=True)
    return uv_edges[border[times[inverse.reshape(-1)] == 2]]


@dataclass(frozen=True)
class SolidNoise:
    """Solid noise where a texture gives way to it.

    Args:
        texels: int [n], flat indices.
        share: float32 [n], in [0, 1].
        values: float32 [n], of standard deviation 1.
    """

    texels: Array
    share: Array
    values: Array

    def mix_into(self, band: Array) -> None:
        """Replace a band float32 [h, h] of unit variance by the share by noise of the same variance, in place."""
        xp, flat = namespace(band), band.reshape(-1)
        flat[self.texels] = xp.sqrt(1 - xp.square(self.share)) * flat[self.texels] + self.share * self.values


def noise_in_space(
    share: Array,  # float32 [h, h] in [0, 1]
    uv_space: UVSpace,  # h x h texels
    mean_vertices: np.ndarray,  # [V, 3], metres
    wavelength: float,  # mm
    seed: int,
) -> SolidNoise:
    """Solid noise of a wavelength where it has a share."""
    where = places((share > 0.01) & uv_space.mask)
    points, vertices = empty((len(where), 3), share), like(mean_vertices, share)
    corners, barycentric = like(uv_space.triangles, share), uv_space.barycentric.reshape(-1, 3)
    for part in pieces(len(where), like=share):
        texels = where[part]
        triangle = gather(uv_space.triangle.reshape(-1), texels)
        points[part] = gathered(vertices, gather(corners, triangle), gather(barycentric, texels)) * 1000
    return SolidNoise(where, share.reshape(-1)[where], solid_noise(points, wavelength, seed))
