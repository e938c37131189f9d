"""The skin that the photometric refinement looks at, and how its points and normals depend on the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from backend.head.model import HeadModel
from backend.head.parameters import PhotometricSettings
from backend.head.shading.albedo_basis import AlbedoBasis, inside_ring, near_landmarks
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, FACE_OVAL, LIPS_INNER


@dataclass(frozen=True)
class ComparedSkin:
    """The front of the face as a mesh of its own, with the bases of eq. 8 at its vertices.

    Args:
        model: the head model.
        triangles: int [n, 3], all triangles of the head model that can be seen, for the rasteriser.
        local: int [V], the region's number of each head vertex, -1 outside.
        weight: float32 [V], 1 on the skin to compare, 0 elsewhere, soft between.
        faces: int [f, 3], the region's skin triangles, in the region's numbers.
        adjacency: sparse [r, f], 1 where a triangle touches a vertex.
        mean: float32 [r, 3].
        basis: float32 [r, 3, M], identity modes, then expressions.
        skin_triangle: bool [n], which of `triangles` are skin of the region.
    """

    model: HeadModel
    triangles: np.ndarray
    local: np.ndarray
    weight: np.ndarray
    faces: np.ndarray
    adjacency: sparse.csr_matrix
    mean: np.ndarray
    basis: np.ndarray
    skin_triangle: np.ndarray


def compared_skin(model: HeadModel, settings: PhotometricSettings = PhotometricSettings()) -> ComparedSkin:
    """Inside the face oval, without eyes and mouth."""
    weight = _region_weight(model, settings)
    parts = [name for name in model.part_names if name != "lashes"]
    triangles = np.concatenate([model.triangles(name) for name in parts])
    skin = model.triangles("skin")
    # One ring more than what is compared, so that the normals at the rim are whole.
    core = np.unique(skin[(weight[skin] > 0).any(axis=1)])
    in_core = np.zeros(len(model.mean), bool)
    in_core[core] = True
    faces = skin[in_core[skin].any(axis=1)]
    vertices = np.unique(faces)
    local = np.full(len(model.mean), -1)
    local[vertices] = np.arange(len(vertices))
    local_faces = local[faces]
    rows, columns = local_faces.ravel(), np.repeat(np.arange(len(faces)), 3)
    adjacency = sparse.csr_matrix((np.ones(len(rows), np.float32), (rows, columns)), shape=(len(vertices), len(faces)))
    basis = np.concatenate([model.identity_basis[:, vertices], model.expression_basis[:, vertices]])
    skin_triangle = np.zeros(len(triangles), bool)
    skin_triangle[: len(skin)] = (weight[skin] > 0.01).all(axis=1)
    return ComparedSkin(
        model,
        triangles,
        local,
        weight.astype(np.float32),
        local_faces,
        adjacency,
        model.mean[vertices].astype(np.float32),
        np.ascontiguousarray(basis.transpose(1, 2, 0), np.float32),
        skin_triangle,
    )


def _region_weight(model: HeadModel, settings: PhotometricSettings) -> np.ndarray:
    points, landmarks = model.mean.astype(np.float64), model.landmarks(model.mean).astype(np.float64)
    weight = inside_ring(points, landmarks[list(FACE_OVAL)], 0.004)
    for eye in (EYE_RIGHT, EYE_LEFT):
        weight = weight * (1 - inside_ring(points, landmarks[list(eye)], 0.002))
        weight = weight * (1 - near_landmarks(points, landmarks[list(eye)], settings.lid_margin_m))
    weight = weight * (1 - inside_ring(points, landmarks[list(LIPS_INNER)], 0.001))
    weight[model.part_of_vertex != model.part_names.index("skin")] = 0
    return np.where(weight > 0.05, weight, 0.0)


@dataclass(frozen=True)
class NormalField:
    """Unit vertex normals of the region and their derivative.

    Args:
        positions: float32 [r, 3].
        normals: float32 [r, 3].
        raw: float32 [r, 3], the sums of the triangles' cross products that `normals` scale to length 1.
    """

    positions: np.ndarray
    normals: np.ndarray
    raw: np.ndarray


def normal_field(region: ComparedSkin, coefficients: np.ndarray) -> NormalField:
    """Positions and area-weighted smooth normals for coefficients [M] of eq. 8."""
    positions = region.mean + region.basis @ coefficients.astype(np.float32)
    a, b, c = (positions[region.faces[:, i]] for i in range(3))
    raw = region.adjacency @ np.cross(b - a, c - a)
    length = np.linalg.norm(raw, axis=1, keepdims=True)
    return NormalField(positions, raw / np.maximum(length, 1e-20), raw)


def normal_derivative(region: ComparedSkin, field: NormalField) -> np.ndarray:
    """Derivative of the unit normals by the coefficients: float32 [r, 3, M]."""
    a, b, c = (field.positions[region.faces[:, i]] for i in range(3))
    # Of (b - a) x (c - a) each corner's part is the opposite edge, as a cross product's matrix: (c - b) x da + ...
    x, y, z = np.stack([c - b, a - c, b - a], axis=1).transpose(2, 0, 1)  # [f, corner] each
    rows = [[-z, y], [z, -x], [-y, x]]  # without the diagonal, which is 0
    entries = np.stack([np.stack(row, axis=-1) for row in rows], axis=1)  # [f, 3, corner, 2]
    columns = 3 * region.faces[:, None, :, None] + np.array([[1, 2], [0, 2], [0, 1]])[:, None, :]
    width, modes = 3 * len(region.mean), region.basis.shape[-1]
    starts = np.arange(0, entries.size + 1, 6)
    cross = sparse.csr_matrix((entries.reshape(-1), columns.reshape(-1), starts), shape=(len(starts) - 1, width))
    change = cross @ region.basis.reshape(width, modes)
    raw = (region.adjacency @ change.reshape(len(region.faces), -1)).reshape(-1, 3, modes)
    raw /= np.maximum(np.linalg.norm(field.raw, axis=1), 1e-20)[:, None, None]
    raw -= field.normals[:, :, None] * np.einsum("ri,rim->rm", field.normals, raw)[:, None, :]
    return raw


def interpolate(region: ComparedSkin, corners: np.ndarray, barycentric: np.ndarray) -> sparse.csr_matrix:
    """Sparse [P, r] that takes values at the region's vertices to points on its triangles.

    Args:
        region: the region.
        corners: int [P, 3], head vertex numbers.
        barycentric: float [P, 3].
    """
    return _weighted_rows(region.local[corners], barycentric, len(region.mean))


def region_albedo_at(
    albedo: AlbedoBasis, corners: np.ndarray, barycentric: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Albedo mean [P, 3] and basis [P, 3, K] at surface points given by head vertices [P, 3] and weights [P, 3]."""
    operator = _weighted_rows(corners, barycentric, len(albedo.mean))
    basis = (operator @ albedo.by_vertex).reshape(len(corners), 3, -1)
    return (operator @ albedo.mean).astype(np.float64), basis.astype(np.float64)


def _weighted_rows(columns: np.ndarray, weights: np.ndarray, width: int) -> sparse.csr_matrix:
    """Sparse float32 [P, width] with the weights [P, 3] of each row in its columns [P, 3]."""
    points = len(columns)
    rows = np.repeat(np.arange(points), 3)
    return sparse.csr_matrix((weights.astype(np.float32).ravel(), (rows, columns.ravel())), shape=(points, width))
