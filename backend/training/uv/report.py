"""Measures and draws a skin layout: coverage, symmetry, overlap, distortion by region."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import cv2
import numpy as np

from backend.head.head_parts import REGIONS, proportions, region_of
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals
from backend.rendering.rasteriser import EmbreeRasteriser
from backend.texture.uv_raster import rasterise_uv
from backend.training.uv.layout import SkinUV

CORNERS = np.array([[0, 1, 2], [0, 2, 3], [0, 1, 3], [1, 2, 3]])


@dataclass(frozen=True)
class RegionFigures:
    """Distortion in one region, weighted by skin area.

    Args:
        share: fraction of the used map.
        density: 5th, 50th, 95th percentile of map length per skin length, over the median of the face.
        anisotropy: 50th, 95th, 99th percentile of the ratio of greatest to least stretch (1 = shape kept).
        texels_per_metre: median density at 1024 x 1024.
    """

    share: float
    density: tuple[float, float, float]
    anisotropy: tuple[float, float, float]
    texels_per_metre: float


@dataclass(frozen=True)
class SkinUVFigures:
    """What the issue asks of the skin layout.

    Args:
        used: fraction of the unit square that the island covers.
        face_share: fraction of the island in front of the ears, between hairline and chin.
        mirror_error: greatest distance between the uv of a mirrored corner and (1 - u, v).
        flipped: triangles with no or negative area, over both diagonals of every quad.
        overlapping_texels: texels of 2048 x 2048 that more than one triangle covers.
        border: least distance of the island from the edge of the square.
        neighbour_ratio: 50th, 99th, 100th percentile of the density ratio between quads that share an edge.
        regions: figures for each of `REGIONS`.
    """

    used: float
    face_share: float
    mirror_error: float
    flipped: int
    overlapping_texels: int
    border: float
    neighbour_ratio: tuple[float, float, float]
    regions: dict[str, RegionFigures]


def measure_skin_uv(
    vertices: np.ndarray,  # float [V, 3], metres, head space
    skin_quads: np.ndarray,  # int [Fs, 4]
    mirror: np.ndarray,  # int [V]
    layout: SkinUV,
) -> SkinUVFigures:
    """Measure a layout on a head."""
    uv = layout.uv.astype(np.float64)
    signed = _signed_areas(uv[layout.uv_quads][:, CORNERS])
    uv_area = signed[:, :2].sum(axis=1)
    stretch, skin_area = _stretch(vertices, skin_quads, layout)
    region = region_of(vertices[skin_quads].mean(axis=1), proportions(vertices, mirror))
    quad_density = np.sqrt(np.maximum(uv_area, 1e-12) / skin_area)
    face_density = _percentiles(quad_density[region == 0], skin_area[region == 0], (50,))[0]
    regions = {}
    for index, name in enumerate(REGIONS):
        inside = region == index
        ratio = (stretch[inside, :, 0] / stretch[inside, :, 1]).ravel()
        density = _percentiles(quad_density[inside], skin_area[inside], (5, 50, 95))
        regions[name] = RegionFigures(
            share=float(uv_area[inside].sum() / uv_area.sum()),
            density=_triple(density / face_density),
            anisotropy=_triple(_percentiles(ratio, np.repeat(skin_area[inside], 4), (50, 95, 99))),
            texels_per_metre=float(density[1] * 1024),
        )
    left, right = _neighbours(skin_quads)
    jump = np.abs(np.log(quad_density[left] / quad_density[right]))
    return SkinUVFigures(
        used=float(uv_area.sum()),
        face_share=regions["face"].share,
        mirror_error=_mirror_error(skin_quads, mirror, layout),
        flipped=int((signed <= 0).sum()),
        overlapping_texels=_overlapping_texels(uv[layout.uv_quads][:, CORNERS[:2]].reshape(-1, 3, 2), 2048),
        border=float(min(uv.min(), 1 - uv.max())),
        neighbour_ratio=_triple(np.exp(np.percentile(jump, (50, 99, 100)))),
        regions=regions,
    )


def write_skin_uv_report(
    vertices: np.ndarray, skin_quads: np.ndarray, mirror: np.ndarray, layout: SkinUV, folder: Path
) -> SkinUVFigures:
    """Write ``skin_uv.json``, ``skin_uv_layout.png`` (wires over anisotropy) and ``skin_uv_views.png`` (checkers)."""
    figures = measure_skin_uv(vertices, skin_quads, mirror, layout)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "skin_uv.json").write_text(json.dumps(asdict(figures), indent=1) + "\n")
    cv2.imwrite(str(folder / "skin_uv_layout.png"), draw_layout(vertices, skin_quads, layout)[..., ::-1])
    cv2.imwrite(str(folder / "skin_uv_views.png"), draw_views(vertices, skin_quads, layout)[..., ::-1])
    return figures


def draw_layout(vertices: np.ndarray, skin_quads: np.ndarray, layout: SkinUV, size: int = 1024) -> np.ndarray:
    """The quads in the square, uint8 RGB [size, 2 size, 3]: left over anisotropy (white 1, dark 4 and more), right
    over density (white densest)."""
    stretch, skin_area = _stretch(vertices, skin_quads, layout)
    uv_area = _signed_areas(layout.uv.astype(np.float64)[layout.uv_quads][:, CORNERS[:2]]).sum(axis=1)
    density = np.sqrt(uv_area / skin_area)
    anisotropy = (stretch[..., 0] / stretch[..., 1]).mean(axis=1)
    shades = (1 - np.log(anisotropy) / np.log(4), density / np.percentile(density, 98))
    corners = np.stack([layout.uv[:, 0], 1 - layout.uv[:, 1]], axis=1)[layout.uv_quads] * size
    fixed = np.round(corners * 16).astype(np.int32)
    panels = []
    for shade in shades:
        palette = cv2.applyColorMap((np.clip(shade, 0, 1) * 255).astype(np.uint8)[:, None], cv2.COLORMAP_MAGMA)[:, 0]
        panel = np.full((size, size, 3), 128, np.uint8)
        for corner, colour in zip(fixed, palette.tolist(), strict=True):
            cv2.fillConvexPoly(panel, corner, colour[::-1], cv2.LINE_AA, 4)
        cv2.polylines(panel, list(fixed), True, (70, 120, 110), 1, cv2.LINE_AA, 4)
        panels.append(panel)
    return np.concatenate(panels, axis=1)


def draw_views(vertices: np.ndarray, skin_quads: np.ndarray, layout: SkinUV, size: int = 640) -> np.ndarray:
    """The head with a checkered map (48 squares a side, coloured by u and v) from front, 45, 90 and 180 degrees:
    uint8 RGB [2 size, 2 size, 3]."""
    triangles = skin_quads[:, CORNERS[:2]].reshape(-1, 3)
    corner_uv = layout.uv[layout.uv_quads][:, CORNERS[:2]].reshape(-1, 3, 2)
    normals = vertex_normals(vertices, triangles)
    views = []
    for yaw in (0, 45, 90, 180):
        camera = _camera(vertices, np.radians(yaw), size)
        fragments = EmbreeRasteriser().rasterise(vertices, triangles, camera)
        uv = np.einsum("hwk,hwkc->hwc", fragments.barycentric, corner_uv[np.maximum(fragments.triangle, 0)])
        light = np.clip(fragments.interpolate(triangles, normals) @ camera.rotation.T @ [0.35, 0.45, 0.82], 0, 1)
        check = np.floor(uv * 48).astype(int).sum(axis=-1) % 2
        colour = np.stack([0.35 + 0.6 * uv[..., 0], 0.9 - 0.3 * check, 0.35 + 0.6 * uv[..., 1]], axis=-1)
        shaded = colour * (0.35 + 0.65 * light[..., None]) * (1 - 0.25 * check[..., None])
        views.append(np.where(fragments.mask[..., None], shaded * 255, 60).astype(np.uint8))
    return np.concatenate([np.concatenate(views[:2], axis=1), np.concatenate(views[2:], axis=1)])


def _camera(vertices: np.ndarray, yaw: float, size: int) -> Camera:
    centre = np.array([0, *(vertices[:, 1:].min(axis=0) + vertices[:, 1:].max(axis=0)) / 2])
    c, s = np.cos(yaw), np.sin(yaw)
    rotation = np.array([[c, 0, -s], [0, 1, 0], [s, 0, c]])
    return Camera(rotation, np.array([0, 0, -1.2]) - rotation @ centre, 3.2 * size, (size / 2, size / 2), size, size)


def _triple(values: np.ndarray) -> tuple[float, float, float]:
    a, b, c = (float(v) for v in values)
    return a, b, c


def _percentiles(values: np.ndarray, weights: np.ndarray, percents: tuple[int, ...]) -> np.ndarray:
    """Weighted percentiles; NaN where there is nothing to weigh."""
    if not len(values):
        return np.full(len(percents), np.nan)
    order = np.argsort(values)
    at = np.cumsum(weights[order]) - 0.5 * weights[order]
    return np.interp(np.array(percents) / 100 * weights.sum(), at, values[order])


def _signed_areas(corners: np.ndarray) -> np.ndarray:
    """Areas [...] of plane triangles [..., 3, 2], positive where counter-clockwise."""
    a, b = corners[..., 1, :] - corners[..., 0, :], corners[..., 2, :] - corners[..., 0, :]
    return 0.5 * (a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0])


def _stretch(vertices: np.ndarray, quads: np.ndarray, layout: SkinUV) -> tuple[np.ndarray, np.ndarray]:
    """Greatest and least stretch [Fs, 4, 2] of the skin-to-map Jacobian at each quad's corners; skin areas [Fs]."""
    p = vertices[quads][:, CORNERS].astype(np.float64)
    e1, e2 = p[:, :, 1] - p[:, :, 0], p[:, :, 2] - p[:, :, 0]
    area = 0.5 * np.linalg.norm(np.cross(e1, e2), axis=-1)
    length = np.linalg.norm(e1, axis=-1)
    uv = layout.uv.astype(np.float64)[layout.uv_quads][:, CORNERS]
    d1, d2 = uv[:, :, 1] - uv[:, :, 0], uv[:, :, 2] - uv[:, :, 0]
    along, height = np.einsum("fkd,fkd->fk", e1, e2) / length, 2 * area / length
    first = d1 / length[..., None]
    second = (d2 - first * along[..., None]) / np.maximum(height, 1e-9)[..., None]
    return np.linalg.svd(np.stack([first, second], axis=-1), compute_uv=False), area[:, :2].sum(axis=1)


def _neighbours(quads: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pairs of quads that share an edge."""
    edges = np.sort(np.stack([quads, np.roll(quads, -1, axis=1)], axis=-1).reshape(-1, 2), axis=1)
    order = np.lexsort((edges[:, 1], edges[:, 0]))
    same = (edges[order[1:]] == edges[order[:-1]]).all(axis=1)
    return order[:-1][same] // 4, order[1:][same] // 4


def _mirror_error(quads: np.ndarray, mirror: np.ndarray, layout: SkinUV) -> float:
    """Corner by corner, each quad against its mirrored quad."""
    partner = {tuple(sorted(quad)): index for index, quad in enumerate(quads.tolist())}
    other = np.array([partner[tuple(sorted(quad))] for quad in mirror[quads].tolist()])
    corner = (quads[other][:, None, :] == mirror[quads][:, :, None]).argmax(axis=2)
    there = layout.uv[np.take_along_axis(layout.uv_quads[other], corner, axis=1)]
    here = layout.uv[layout.uv_quads]
    return float(np.linalg.norm(there - np.stack([1 - here[..., 0], here[..., 1]], axis=-1), axis=-1).max())


def _overlapping_texels(corners: np.ndarray, resolution: int) -> int:
    """Texels well inside two triangles: rasterising in either order gives different answers there."""
    first, first_weights = rasterise_uv(corners, resolution)
    last, last_weights = rasterise_uv(corners[::-1], resolution)
    differs = first != np.where(last >= 0, len(corners) - 1 - last, -1)
    inside = np.minimum(first_weights.min(axis=-1), last_weights.min(axis=-1)) > 1e-6
    return int((differs & inside).sum())
