"""Where texels lie on a head's surface, how a photo shows them, and what hides them: what every unwrapping needs."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from scipy import sparse

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.imaging.arrays import Array
from backend.imaging.channels import length
from backend.imaging.sampling import Footprint
from backend.rendering.camera import Camera
from backend.rendering.occlusion import points_in_view
from backend.texture.uv_space import UVSpace


@dataclass(frozen=True)
class TexelPoints:
    """Listed texels and where they lie on the surface.

    Args:
        texel: int [n], flat index.
        triangle: int [n], triangle of the texture space.
        position: float [n, 3], head space, metres.
        normal: float [n, 3], unit.
    """

    texel: np.ndarray
    triangle: np.ndarray
    position: np.ndarray
    normal: np.ndarray

    def towards(self, eye: np.ndarray) -> np.ndarray:
        """Unit vectors [n, 3] from the points to an eye [3]."""
        offset = eye - self.position
        return offset / length(offset)[:, None]

    def facing(self, eye: np.ndarray) -> np.ndarray:
        """Cosine [n] between the normal and the direction to an eye [3]."""
        return np.einsum("nd,nd->n", self.normal, self.towards(eye))

    def in_view(self, model: HeadModel, vertices: np.ndarray, eye: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """Whether nothing of the head [V, 3] stands between the points of listed rows [m] and the eye: bool [m]."""
        return points_in_view(self.position[rows], self.normal[rows], vertices, model.solid_triangles(), eye)


def texel_points(uv_space: UVSpace, vertices: np.ndarray, normals: np.ndarray, texels: np.ndarray) -> TexelPoints:
    """The surface points of listed texels, flat indices [n], of a head with vertices and normals [V, 3]."""
    triangle = np.take(uv_space.triangle.reshape(-1), texels)
    weights = np.take(uv_space.barycentric.reshape(-1, 3), texels, axis=0)
    corners = np.take(uv_space.triangles, triangle, axis=0)
    starts = np.arange(0, 3 * len(texels) + 1, 3)
    interpolation = sparse.csr_matrix((weights.reshape(-1), corners.reshape(-1), starts), (len(texels), len(vertices)))
    position, normal = np.split(interpolation @ np.hstack([vertices, normals]), [3], axis=1)
    normal = np.ascontiguousarray(normal)
    normal /= np.maximum(length(normal)[:, None], 1e-9)
    return TexelPoints(texels, triangle, position, normal)


def texel_footprints(uv_space: UVSpace, vertices: np.ndarray, camera: Camera) -> Footprint:
    """How the photo's pixels move with the texels, for each triangle of the texture space."""
    uv = uv_space.uv.astype(np.float64)[uv_space.uv_triangles] * uv_space.resolution
    texels = np.stack([uv[..., 0], uv_space.resolution - uv[..., 1]], axis=-1)
    return Footprint.of_triangles(camera.project(vertices[uv_space.triangles]), texels)


def pixels_per_texel(model: HeadModel, fit: HeadFit, uv_space: UVSpace) -> Array:
    """How many pixels of the photo a texel is wide, float32 [R, R]: the root of the area; 0 outside of the island."""
    return uv_space.of_triangles(texel_footprints(uv_space, fit.vertices(model), fit.camera).size)


def softened_visibility(visibility: np.ndarray) -> np.ndarray:
    """Visibility [R, R] without specks, whose border has a ramp of a few texels that stays inside of what was seen."""
    radius = max(1, round(visibility.shape[0] / 512))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1))
    opened = cv2.morphologyEx(visibility, cv2.MORPH_OPEN, kernel)
    return np.minimum(opened, cv2.GaussianBlur(cv2.erode(opened, kernel), (0, 0), radius))
