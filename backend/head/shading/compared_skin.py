"""The skin that the photometric refinement looks at, and how its points and normals depend on the parameters."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from backend.head.model import HeadModel
from backend.head.parameters import PhotometricSettings
from backend.head.shading.albedo_basis import AlbedoBasis, inside_ring, near_landmarks
from backend.imaging.arrays import Array, as_float32, like, namespace, on_device, widened
from backend.imaging.channels import length
from backend.imaging.sparse_rows import gathered_rows, sparse_rows
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
        adjacency: sparse rows [r, f], 1 where a triangle touches a vertex.
        mean: float32 [r, 3].
        basis: float32 [r, 3, M], identity modes, then expressions.
        skin_triangle: bool [n], which of `triangles` are skin of the region.
    """

    model: HeadModel
    triangles: np.ndarray
    local: Array
    weight: Array
    faces: Array
    adjacency: Any
    mean: Array
    basis: Array
    skin_triangle: np.ndarray

    def on_device(self, device: str) -> ComparedSkin:
        """The same on a device, but for what the rasteriser takes, `triangles` and `skin_triangle`; `cpu` is the
        host."""
        if device == "cpu":
            return self
        moved = on_device(self, device, "local", "weight", "faces", "mean", "basis")
        return replace(moved, adjacency=gathered_rows(self.adjacency, device))


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

    positions: Array
    normals: Array
    raw: Array


def normal_field(region: ComparedSkin, coefficients: np.ndarray) -> NormalField:
    """Positions and area-weighted smooth normals for coefficients [M] of eq. 8."""
    xp = namespace(region.mean)
    positions = region.mean + region.basis @ like(coefficients.astype(np.float32), region.mean)
    a, b, c = (positions[region.faces[:, i]] for i in range(3))
    raw = region.adjacency @ xp.cross(b - a, c - a)
    return NormalField(positions, raw / _size(raw)[:, None], raw)


def _size(raw: Array) -> Array:
    """Lengths [r] of vectors [r, 3], never 0."""
    return namespace(raw).maximum(length(raw), 1e-20)


def normal_derivative(region: ComparedSkin, field: NormalField) -> Array:
    """Derivative of the unit normals by the coefficients: float32 [r, 3, M]."""
    xp = namespace(field.raw)
    a, b, c = (field.positions[region.faces[:, i]] for i in range(3))
    # Of (b - a) x (c - a) each corner's part is the opposite edge, as a cross product's matrix: (c - b) x da + ...
    x, y, z = xp.moveaxis(xp.stack([c - b, a - c, b - a], axis=1), -1, 0)  # [f, corner] each
    rows = [[-z, y], [z, -x], [-y, x]]  # without the diagonal, which is 0
    entries = xp.stack([xp.stack(row, axis=-1) for row in rows], axis=1)  # [f, 3, corner, 2]
    others = like(np.array([[1, 2], [0, 2], [0, 1]]), region.faces)
    columns = 3 * region.faces[:, None, :, None] + others[:, None, :]
    width, modes = 3 * len(region.mean), region.basis.shape[-1]
    cross = sparse_rows(columns.reshape(-1, 6), entries.reshape(-1, 6), width)
    change = cross @ region.basis.reshape(width, modes)
    raw = (region.adjacency @ change.reshape(len(region.faces), -1)).reshape(-1, 3, modes)
    raw /= _size(field.raw)[:, None, None]
    raw -= field.normals[:, :, None] * xp.einsum("ri,rim->rm", field.normals, raw)[:, None, :]
    return raw


def interpolate(region: ComparedSkin, corners: Array, barycentric: Array) -> Any:
    """Sparse rows [P, r] that take values at the region's vertices to points on its triangles.

    Args:
        region: the region.
        corners: int [P, 3], head vertex numbers.
        barycentric: float [P, 3].
    """
    return sparse_rows(region.local[corners], as_float32(barycentric), len(region.mean), in_order=True)


def region_albedo_at(albedo: AlbedoBasis, corners: Array, barycentric: Array) -> tuple[Array, Array]:
    """Albedo mean [P, 3] and basis [P, 3, K] at surface points given by head vertices [P, 3] and weights [P, 3]."""
    operator = sparse_rows(corners, as_float32(barycentric), len(albedo.mean), in_order=True)
    basis = (operator @ albedo.by_vertex).reshape(len(corners), 3, -1)
    return widened(operator @ albedo.mean), widened(basis)
