"""The texture space of a head: which surface point each texel shows, and its tangent frame."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import cv2
import numpy as np

from backend.head.model import HeadModel
from backend.imaging.arrays import Array, also_on_device, contiguous, copied, gather, is_tensor, like, namespace
from backend.imaging.octaves import central_difference
from backend.imaging.rows import bands
from backend.rendering.normals import corner_angles, sum_by_index, unit, vertex_normals
from backend.side_by_side import each
from backend.texture.uv_raster import rasterise_uv

# Texels this many times denser than usual are taken for degenerate.
MOST_SQUEEZED = 3.0


@dataclass(frozen=True)
class TangentFrames:
    """A frame per texel, float32 [R, R, 3] each, head space; 0 outside the island.

    As in Blender's Normal Map node and glTF, tangent and normal are interpolated from the vertices and the bitangent
    is their cross product: near orthonormal, not exactly. A normal baked with `to_tangent` comes out as it was meant.
    """

    tangent: np.ndarray
    bitangent: np.ndarray
    normal: np.ndarray

    def to_head(self, tangent_space: np.ndarray) -> np.ndarray:
        """Unit normals in head space [R, R, 3] of tangent-space normals [R, R, 3] (+Y up); 0 outside."""
        t, b, n = (tangent_space[..., k : k + 1] for k in range(3))
        return unit(t * self.tangent + b * self.bitangent + n * self.normal)

    def to_tangent(self, head_space: np.ndarray) -> np.ndarray:
        """Unit tangent-space normals [R, R, 3] of head-space normals [R, R, 3]; (0, 0, 1) outside. Undoes `to_head`."""
        # The columns of the inverse of a 3 x 3 matrix are cross products of its rows, up to the determinant.
        t, b, n = self.tangent, self.bitangent, self.normal
        determinant = np.einsum("hwk,hwk->hw", t, np.cross(b, n))
        inverse = (np.cross(b, n), np.cross(n, t), np.cross(t, b))
        local = np.stack([np.einsum("hwk,hwk->hw", row, head_space) for row in inverse], axis=-1)
        local = unit(local * np.sign(determinant)[..., None])
        local[determinant == 0] = (0, 0, 1)
        return local


@dataclass(frozen=True)
class SurfaceGradient:
    """How slopes on the surface follow from differences between texels, for heights in millimetres.

    Args:
        uv_space: R x R texels of the surface.
        corners: float32 [n, 3, 4], at the corners of its triangles row by row the 2 x 2 matrix from (dh/d texel right,
            dh/d texel up) to the slopes (along the tangent, along the bitangent).
    """

    uv_space: UVSpace
    corners: np.ndarray

    def slopes(self, height_mm: Array, rows: slice | None = None) -> tuple[Array, Array]:
        """Slopes along tangent and bitangent, float32 [r, R] each, of a height [R, R] over the surface, mm; of some
        rows or of all."""
        rows = rows or slice(0, len(height_mm))
        first, last = max(rows.start - 1, 0), min(rows.stop + 1, len(height_mm))
        around, inner = height_mm[first:last], slice(rows.start - first, rows.stop - first)
        right, up = central_difference(around, 1)[inner], 0 - central_difference(around, 0)[inner]  # rows run down
        m = self.uv_space.gathered(self.corners, rows)
        return m[..., 0] * right + m[..., 1] * up, m[..., 2] * right + m[..., 3] * up


@dataclass(frozen=True)
class UVSpace:
    """Texels of one part of a head. Row 0 of every image is v = 1.

    Args:
        resolution: R, texels along a side.
        triangle: int32 [R, R], index into `triangles`, -1 outside.
        barycentric: float32 [R, R, 3], 0 outside.
        triangles: int32 [n, 3], `model.triangles(part)`.
        uv_triangles: int32 [n, 3], `model.uv_triangles(part)`.
        uv: float32 [W, 2], (0, 0) bottom-left.
        mesh_triangles: int32 [m, 3], all parts; normals are smoothed over them.
    """

    resolution: int
    triangle: Array
    barycentric: Array
    triangles: np.ndarray
    uv_triangles: np.ndarray
    uv: np.ndarray
    mesh_triangles: np.ndarray

    @cached_property
    def mask(self) -> Array:
        """bool [R, R], True on the part."""
        return self.triangle >= 0

    @cached_property
    def edges(self) -> np.ndarray:
        """int32 [e, 2], the ends of each edge of the part's triangles, once."""
        sides = self.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2)
        return np.unique(np.sort(sides, axis=1), axis=0)

    def interpolate(self, per_vertex: np.ndarray) -> Array:
        """A per-vertex attribute [V, C] over the texels, float32 [R, R, C]; 0 outside."""
        return self.gathered(np.asarray(per_vertex, np.float32)[self.triangles])

    def positions(self, vertices: np.ndarray) -> np.ndarray:
        """Surface points float32 [R, R, 3], in the space of `vertices` [V, 3]; 0 outside."""
        return self.interpolate(vertices)

    def normals(self, vertices: np.ndarray) -> np.ndarray:
        """Smooth unit normals float32 [R, R, 3] of `vertices` [V, 3]; 0 outside."""
        return unit(self.interpolate(vertex_normals(vertices, self.mesh_triangles)))

    def tangents(self, vertices: np.ndarray) -> TangentFrames:
        """Tangent frames of `vertices` [V, 3], averaged per UV vertex as MikkTSpace does.

        Each corner's dP/du is projected into the plane of the vertex normal and weighted by the corner's angle; the
        average breaks where the UVs do: at the seam. The bitangent's sign is + everywhere: no part of our island is
        mirrored.
        Source: Mikkelsen, "Simulation of wrinkled surfaces revisited", 2008.
        """
        tangent, _ = self._vertex_frames(vertices)
        at_corner = vertex_normals(vertices, self.mesh_triangles)[self.triangles]
        tangent_map = self.gathered(tangent[self.uv_triangles].astype(np.float32))
        normal_map = self.gathered(at_corner.astype(np.float32))
        return TangentFrames(tangent_map, np.cross(normal_map, tangent_map), normal_map)

    def _vertex_frames(self, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Unit tangents and bitangents per UV vertex, float64 [W, 3] each; 0 where no triangle is."""
        normal = vertex_normals(vertices, self.mesh_triangles).astype(np.float64)
        corners = np.asarray(vertices, np.float64)[self.triangles]
        uv = self.uv.astype(np.float64)[self.uv_triangles]
        edge1, edge2 = corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
        uv1, uv2 = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        orientation = np.sign(uv1[:, 0] * uv2[:, 1] - uv2[:, 0] * uv1[:, 1])[:, None]
        along_u = (uv2[:, 1:] * edge1 - uv1[:, 1:] * edge2) * orientation

        at_corner = normal[self.triangles]
        in_plane = along_u[:, None] - at_corner * np.einsum("nd,nkd->nk", along_u, at_corner)[..., None]
        weighted = unit(in_plane) * corner_angles(corners)[..., None]
        tangent = unit(sum_by_index(weighted.reshape(-1, 3), self.uv_triangles.ravel(), len(self.uv)))
        normals = np.zeros_like(tangent)
        normals[self.uv_triangles] = at_corner
        return tangent, np.cross(normals, tangent)

    def surface_gradient(self, vertices: np.ndarray) -> SurfaceGradient:
        """The gradient of `vertices` [V, 3] in the frames of `tangents`: exact for stretched and sheared texels.

        Per corner dP/du and dP/dv are written in the tangent plane (t, b); heights h have h_u = dP/du . grad h and
        h_v = dP/dv . grad h, solved for grad h and averaged over the corners of each UV vertex.
        """
        tangent, bitangent = self._vertex_frames(vertices)
        corners = np.asarray(vertices, np.float64)[self.triangles] * 1000
        uv = self.uv.astype(np.float64)[self.uv_triangles] * self.resolution
        edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=1)  # [n, 2, 3]
        steps = np.stack([uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]], axis=1)  # [n, 2, 2]
        usable = np.abs(np.linalg.det(steps)) > 1e-9
        per_texel = np.linalg.solve(np.where(usable[:, None, None], steps, np.eye(2)), edges)  # rows: dP/du, dP/dv
        frame = np.stack([tangent[self.uv_triangles], bitangent[self.uv_triangles]], axis=2)  # [n, 3, 2, 3]
        jacobian = np.einsum("nid,nkjd->nkij", per_texel, frame)
        usable = usable[:, None] & (np.abs(np.linalg.det(jacobian)) > 1e-9)
        inverse = np.linalg.inv(np.where(usable[..., None, None], jacobian, np.eye(2))) * usable[..., None, None]
        weight = (corner_angles(corners) * usable)[..., None]
        total = sum_by_index(
            (inverse.reshape(-1, 3, 4) * weight).reshape(-1, 4), self.uv_triangles.ravel(), len(self.uv)
        )
        count = sum_by_index(weight.reshape(-1, 1), self.uv_triangles.ravel(), len(self.uv))
        mean = (total / np.maximum(count, 1e-9)).astype(np.float32)
        # Where the texture is squeezed to next to nothing (rims of lids and lips), a texel's step means no slope.
        size = np.linalg.norm(mean, axis=1, keepdims=True)
        mean *= np.minimum(1, MOST_SQUEEZED * np.median(size[size > 0]) / np.maximum(size, 1e-9))
        return SurfaceGradient(self, mean[self.uv_triangles])

    def texels_per_metre(self, vertices: np.ndarray) -> Array:
        """Texture density float32 [R, R]: the square root of texels per square metre of surface; 0 outside."""
        surface = np.asarray(vertices, np.float64)[self.triangles]
        surface_area = np.linalg.norm(np.cross(surface[:, 1] - surface[:, 0], surface[:, 2] - surface[:, 0]), axis=1)
        uv = self.uv.astype(np.float64)[self.uv_triangles]
        a, b = uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]
        uv_area = np.abs(a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0])
        density = self.resolution * np.sqrt(uv_area / np.maximum(surface_area, 1e-12))
        return self.of_triangles(density)

    def anisotropy(self, vertices: np.ndarray) -> Array:
        """How texels are stretched on the surface, float32 [R, R, 2, 2], identity outside.

        Maps steps (column, row) of texels to steps on the surface in units of the texels' mean length, up to a
        rotation: symmetric, determinant 1, the root of the first fundamental form without its size.
        """
        corners = np.asarray(vertices, np.float64)[self.triangles]
        uv = self.uv.astype(np.float64)[self.uv_triangles] * (1, -1)  # rows run against v
        edges = np.stack([corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]], axis=1)
        steps = np.stack([uv[:, 1] - uv[:, 0], uv[:, 2] - uv[:, 0]], axis=1)
        usable = np.abs(np.linalg.det(steps)) > 1e-14
        along = np.linalg.solve(np.where(usable[:, None, None], steps, np.eye(2)), edges)
        form = along @ along.transpose(0, 2, 1)
        size = np.sqrt(np.maximum(np.linalg.det(form), 0))
        usable &= size > 1e-12
        form = np.where(usable[:, None, None], form / np.where(usable, size, 1)[:, None, None], np.eye(2))
        # Of a symmetric matrix of determinant 1: (A + I) / sqrt(tr A + 2) is its root.
        root = (form + np.eye(2)) / np.sqrt(np.trace(form, axis1=1, axis2=2) + 2)[:, None, None]
        return self.of_triangles(root, np.eye(2, dtype=np.float32))

    def of_triangles(self, values: np.ndarray, outside: np.ndarray = np.zeros((), np.float32)) -> Array:
        """Values of triangles [n, ...] over the texels, float32 [R, R, ...]; `outside` [...] outside."""
        xp, inside = namespace(self.triangle), self.mask[(..., *(None,) * outside.ndim)]
        found = gather(like(values.astype(np.float32), self.triangle), xp.maximum(self.triangle, 0))
        return xp.where(inside, found, like(outside, self.triangle))

    def gathered(self, corner_values: np.ndarray, rows: slice = slice(None)) -> Array:
        """Interpolate values per triangle corner, float32 [n, 3, C], over the texels of some rows; 0 outside."""
        index, barycentric = namespace(self.triangle).maximum(self.triangle[rows], 0), self.barycentric[rows]
        table = like(corner_values, self.triangle)
        result = barycentric[..., :1] * gather(table[:, 0], index)
        for k in (1, 2):
            result += barycentric[..., k : k + 1] * gather(table[:, k], index)
        return result


def uv_space(model: HeadModel, resolution: int, part: str = "skin") -> UVSpace:
    """Rasterise a part's UV layout at `resolution` x `resolution` texels (1024: well under a second)."""
    uv_triangles = model.uv_triangles(part)
    triangle, barycentric = rasterise_uv(model.uv[uv_triangles], resolution)
    return UVSpace(resolution, triangle, barycentric, model.triangles(part), uv_triangles, model.uv, model.triangles())


def coarser(uv_space: UVSpace, side: int) -> UVSpace:
    """The same texture space on side x side texels, by taking every n-th texel (R a multiple of side)."""
    step = uv_space.resolution // side
    if step <= 1:
        return uv_space
    pick = slice(step // 2, None, step)
    return replace(
        uv_space,
        resolution=side,
        triangle=contiguous(uv_space.triangle[pick, pick]),
        barycentric=contiguous(uv_space.barycentric[pick, pick]),
    )


def coarser_mask(uv_space: UVSpace, side: int) -> Array:
    """The mask of `coarser`, bool [side, side]."""
    step = uv_space.resolution // side
    return contiguous(uv_space.mask[step // 2 :: step, step // 2 :: step]) if step > 1 else uv_space.mask


def mirror(image: Array) -> Array:
    """The other half of the face: a map [R, R, ...] flipped about u = 0.5, which the skin layout is symmetric about."""
    return image.flip(1) if is_tensor(image) else np.ascontiguousarray(image[:, ::-1])


def mirror_normals(normals: np.ndarray) -> np.ndarray:
    """A normal map [R, R, 3] (tangent or head space) flipped about u = 0.5: texels move, and x changes its sign."""
    return mirror(normals) * np.array([-1, 1, 1], normals.dtype)


def dilate(
    image: Array,  # [H, W] or [H, W, C]
    mask: Array,  # bool [H, W]
    pixels: float,
) -> Array:
    """Copy of an image in which texels up to `pixels` outside the mask take the value of the nearest texel inside.

    Keeps filtering and mip-maps from pulling the background over the island's border. An empty mask changes nothing.
    """
    return filled(image, *nearest_inside(mask, pixels))


@also_on_device("distance")
def nearest_inside(mask: Array, pixels: float) -> tuple[Array, Array]:
    """Flat indices of the texels up to `pixels` outside a bool mask [H, W], and of the nearest texel inside of each."""
    height, width = mask.shape
    reach = min(int(np.ceil(pixels)) + 2, height)

    def of(rows: slice) -> tuple[np.ndarray, np.ndarray]:
        first = max(rows.start - reach, 0)
        around = mask[first : rows.stop + reach]
        if not around.any() or mask[rows].all():
            return np.zeros(0, np.int64), np.zeros(0, np.int64)
        distance, labels = cv2.distanceTransformWithLabels(
            (~around).astype(np.uint8), cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
        )
        label = np.asarray(labels, np.int32).reshape(-1)
        inside = np.flatnonzero(around)
        source = np.zeros(int(label.max()) + 1, np.int64)
        source[label[inside]] = inside
        near = ~around & (distance <= pixels)
        near[: rows.start - first], near[rows.stop - first :] = False, False
        outside = np.flatnonzero(near)
        return outside + first * width, source[label[outside]] + first * width

    # Where all the image is looked at for every row, there is nothing to be had by bands.
    found = each(of, bands(height) if 4 * reach < height else [slice(0, height)])
    outside, sources = (np.concatenate(part) for part in zip(*found, strict=True))
    return outside, sources


def filled(image: Array, texels: Array, sources: Array) -> Array:
    """Copy of an image [H, W] or [H, W, C] whose `texels` take the values of `sources`, flat indices."""
    result = copied(image)
    fill(result, texels, sources)
    return result


def fill(image: Array, texels: Array, sources: Array) -> None:
    """Give the `texels` of an image [H, W] or [H, W, C] the values of `sources`, flat indices, in place."""
    flat = image.reshape(-1, *image.shape[2:])
    flat[texels] = flat[sources]
