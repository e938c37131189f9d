"""Heads that training renders skin on: random shapes and expressions with their shadows, in texture space."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import distance_transform_edt

from backend.head.model import HeadModel
from backend.rendering.normals import corner_angles, sum_by_index, unit, vertex_normals
from backend.rendering.occlusion import direction_visibility, sphere_directions
from backend.rendering.skin_shading import Heads, TexelMesh
from backend.texture.uv_space import UVSpace, uv_space

DIRECTIONS = 256
# Identities a little tamer than the model's N(0, I): the extremes of a linear model fold at lids and lips.
IDENTITY_SPREAD = 0.8
# Chance that a head is neutral, and how many expression shapes act otherwise.
NEUTRAL_SHARE = 0.4


def texel_mesh(model: HeadModel, resolution: int, texels_per_mm_512: float) -> TexelMesh:
    """The skin's texels at a resolution, over compact UV vertices (see `uv_vertices`)."""
    space = uv_space(model, resolution)
    used = np.unique(space.uv_triangles)
    compact = np.zeros(len(model.uv), np.int64)
    compact[used] = np.arange(len(used))
    rows, columns = nearest_texels(space.mask)
    corners = compact[space.uv_triangles][space.triangle[rows, columns]]
    weights = space.barycentric[rows, columns]
    return TexelMesh(torch.from_numpy(corners), torch.from_numpy(weights), texels_per_mm_512 * resolution / 512)


def nearest_texels(mask: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Row and column, int [R, R] each, of the texel of a mask [R, R] that is nearest to each texel."""
    nearest = np.asarray(distance_transform_edt(~mask, return_distances=False, return_indices=True))
    return nearest[0], nearest[1]


def uv_vertices(model: HeadModel) -> np.ndarray:
    """The mesh vertex of each UV vertex that the skin uses, int64 [U], in the order that `texel_mesh` counts them."""
    uv_triangles, triangles = model.uv_triangles("skin"), model.triangles("skin")
    _, first = np.unique(uv_triangles, return_index=True)
    return triangles.reshape(-1)[first].astype(np.int64)


def heads_of_shapes(model: HeadModel, shapes: np.ndarray, directions: np.ndarray) -> Heads:
    """Frames and visibility of shapes [S, V, 3] (metres), on the CPU; about a second a shape."""
    space = uv_space(model, 64)
    vertex_of = uv_vertices(model)
    occluders = model.solid_triangles()
    rows = []
    for shape in shapes:
        normals = vertex_normals(shape, model.triangles())
        tangents = _uv_vertex_tangents(space, shape, normals)
        vertices, inverse = np.unique(vertex_of, return_inverse=True)
        visibility = direction_visibility(shape[vertices], normals[vertices], shape, occluders, directions)
        rows.append((shape[vertex_of], normals[vertex_of], tangents, visibility[inverse]))
    position, normal, tangent, visibility = (np.stack(column) for column in zip(*rows, strict=True))
    return Heads(
        torch.from_numpy(position.astype(np.float32)),
        torch.from_numpy(normal.astype(np.float32)),
        torch.from_numpy(tangent.astype(np.float32)),
        torch.from_numpy(visibility),
    )


def random_shapes(model: HeadModel, count: int, rng: np.random.Generator) -> np.ndarray:
    """Shapes float32 [count, V, 3] with random identities and, for most, a random expression."""
    shapes = []
    for _ in range(count):
        identity = rng.standard_normal(len(model.identity_basis)).astype(np.float32) * IDENTITY_SPREAD
        shapes.append(model.shape(identity, random_expression(model, rng)))
    return np.stack(shapes)


def random_expression(model: HeadModel, rng: np.random.Generator) -> np.ndarray:
    """Expression weights float32 [52], as photos show people: mostly neutral or smiling, mostly symmetric."""
    names = model.expression_names
    weights = np.zeros(len(names), np.float32)
    if rng.random() < NEUTRAL_SHARE:
        return weights
    stems = sorted({name.removesuffix("Left").removesuffix("Right") for name in names})
    chosen = list(rng.choice(stems, size=int(rng.integers(1, 5)), replace=False))
    if rng.random() < 0.6:
        chosen += ["mouthSmile", "cheekSquint"]
    for stem in chosen:
        # Shapes that pull the whole jaw or mouth to a side are rare in portraits.
        amount = rng.beta(1.3, 2.5) * (0.35 if stem.startswith(("jaw", "tongue")) else 0.9)
        for index, name in enumerate(names):
            if name == stem or name.removesuffix("Left").removesuffix("Right") == stem:
                weights[index] = amount * rng.uniform(0.8, 1.0)
    return weights


def head_pool(model: HeadModel, count: int, seed: int) -> Heads:
    """`count` random heads, the same for the same seed."""
    shapes = random_shapes(model, count, np.random.default_rng([seed, 11]))
    return heads_of_shapes(model, shapes, sphere_directions(DIRECTIONS))


def _uv_vertex_tangents(space: UVSpace, vertices: np.ndarray, normals: np.ndarray) -> np.ndarray:
    """Tangents per used UV vertex [U, 3]; the same averages as `UVSpace.tangents`, which gives them per texel."""
    corners = vertices.astype(np.float64)[space.triangles]
    uv = space.uv.astype(np.float64)[space.uv_triangles]
    edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    uv1, uv2 = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
    orientation = np.sign(uv1[:, 0] * uv2[:, 1] - uv2[:, 0] * uv1[:, 1])[:, None]
    along_u = (uv2[:, 1:] * edge1 - uv1[:, 1:] * edge2) * orientation
    at_corner = normals.astype(np.float64)[space.triangles]
    in_plane = along_u[:, None] - at_corner * np.einsum("nd,nkd->nk", along_u, at_corner)[..., None]
    weighted = unit(in_plane) * corner_angles(corners)[..., None]
    total = sum_by_index(weighted.reshape(-1, 3), space.uv_triangles.ravel(), len(space.uv))
    return unit(total)[np.unique(space.uv_triangles)]
