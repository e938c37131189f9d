"""Figures of a fit: the photo, the mesh over it, landmarks, the shaded head from the photo's view and from the side."""

from __future__ import annotations

import cv2
import numpy as np

from backend.evaluation.parameters import FigureSettings
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.photo.face_detector import Face
from backend.photo.reading import Photo
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals
from backend.rendering.rasteriser import EmbreeRasteriser

_COLOURS = {"skin": (200, 172, 152), "mouth": (150, 80, 80), "teeth": (236, 234, 222), "tongue": (190, 95, 95)}
_EYE = (225, 228, 232)
_WIRE, _DETECTED, _FITTED = (0, 220, 80), (255, 60, 40), (60, 130, 255)


def fit_figure(
    model: HeadModel, photo: Photo, face: Face, fit: HeadFit, settings: FigureSettings = FigureSettings()
) -> tuple[np.ndarray, np.ndarray]:
    """Panels side by side, uint8 [S, 6 S, 3] sRGB, and the two that go on the contact sheet.

    Photo; wire over it; shaded head half-transparent with detected (red) and fitted (blue) landmarks; shaded head;
    the same from 45 and from 90 degrees.
    """
    vertices = fit.vertices(model)
    image, camera, to_panel = _cut_out(photo, face, fit.camera, settings)
    head, covered = shaded_head(model, vertices, camera)
    blended = np.where(covered[..., None], image // 2 + head // 2, image)
    for points, colour in (
        (face.landmarks_px @ to_panel[:, :2].T + to_panel[:, 2], _DETECTED),
        (camera.project(model.landmarks(vertices)), _FITTED),
    ):
        for x, y in points - 0.5:
            cv2.circle(blended, (round(x * 8), round(y * 8)), 10, colour, -1, cv2.LINE_AA, shift=3)
    panels = [image, _wire(model, vertices, camera, image), blended, head]
    panels += [shaded_head(model, vertices, _turned_camera(angle, settings))[0] for angle in (45.0, 90.0)]
    return np.concatenate(panels, axis=1), np.concatenate([image, panels[1], head], axis=1)


def contact_sheet(thumbnails: list[np.ndarray], columns: int = 4, width: int = 480) -> np.ndarray:
    """Pictures of one shape in a grid, uint8."""
    height = round(width * thumbnails[0].shape[0] / thumbnails[0].shape[1])
    small = [cv2.resize(t, (width, height), interpolation=cv2.INTER_AREA) for t in thumbnails]
    small += [np.zeros_like(small[0])] * (-len(small) % columns)
    rows = [np.concatenate(small[i : i + columns], axis=1) for i in range(0, len(small), columns)]
    return np.concatenate(rows, axis=0)


def shaded_head(model: HeadModel, vertices: np.ndarray, camera: Camera) -> tuple[np.ndarray, np.ndarray]:
    """A clay rendering uint8 [h, w, 3] and what it covers, bool [h, w]."""
    names = [name for name in model.part_names if name != "lashes"]
    parts = [model.triangles(name) for name in names]
    triangles = np.concatenate(parts)
    colours = np.concatenate(
        [np.tile(_COLOURS.get(name, _EYE), (len(part), 1)) for name, part in zip(names, parts, strict=True)]
    )
    fragments = EmbreeRasteriser().rasterise(vertices, triangles, camera)
    normals = fragments.interpolate(triangles, vertex_normals(vertices, triangles)) @ camera.rotation.T
    light = np.array([0.3, 0.45, 0.84])
    shading = 0.25 + 0.75 * np.clip(normals @ light, 0, 1)
    image = colours[np.maximum(fragments.triangle, 0)] * shading[..., None] * fragments.mask[..., None]
    return image.astype(np.uint8), fragments.mask


def _cut_out(
    photo: Photo, face: Face, camera: Camera, settings: FigureSettings
) -> tuple[np.ndarray, Camera, np.ndarray]:
    """The face on a square panel, its camera, and the affine map [2, 3] from the photo's pixels to the panel's."""
    points = face.landmarks_px
    centre = (points.min(axis=0) + points.max(axis=0)) / 2
    scale = settings.side_px / (settings.margin * face.size_px)
    shift = settings.side_px / 2 - centre * scale
    warp = np.array([[scale, 0, shift[0] + 0.5 * scale - 0.5], [0, scale, shift[1] + 0.5 * scale - 0.5]])
    source = np.ascontiguousarray(photo.image_srgb)
    if scale < 0.5:
        source = cv2.GaussianBlur(source, (0, 0), 0.4 / scale)
    image = cv2.warpAffine(source, warp, (settings.side_px, settings.side_px), flags=cv2.INTER_CUBIC)
    x, y = camera.centre_px[0] * scale + shift[0], camera.centre_px[1] * scale + shift[1]
    panel = Camera(
        camera.rotation, camera.translation, camera.focal_px * scale, (x, y), settings.side_px, settings.side_px
    )
    return image, panel, np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])


def _turned_camera(degrees: float, settings: FigureSettings) -> Camera:
    """A camera 1.5 m from the head, turned about the vertical axis, that sees all of it."""
    a = np.radians(degrees)
    rotation = np.array([[np.cos(a), 0, -np.sin(a)], [0, 1, 0], [np.sin(a), 0, np.cos(a)]])
    translation = np.array([0, 0.02, -1.5]) - rotation @ np.array([0, 0, -0.04])
    return Camera(
        rotation,
        translation,
        settings.side_px * 1.5 / 0.34,
        (settings.side_px / 2, settings.side_px / 2),
        settings.side_px,
        settings.side_px,
    )


def _wire(model: HeadModel, vertices: np.ndarray, camera: Camera, image: np.ndarray) -> np.ndarray:
    """The skin's quads that face the camera, drawn over the image."""
    quads = model.quads[model.part_faces("skin")]
    normals = vertex_normals(vertices, model.triangles("skin"))
    seen = np.einsum("vd,vd->v", normals, camera.position - vertices) > 0
    pixels = np.round((camera.project(vertices) - 0.5) * 8).astype(np.int32)
    outlines = [pixels[corners[corners >= 0]] for corners in quads if seen[corners[corners >= 0]].all()]
    drawn = image.copy()
    cv2.polylines(drawn, outlines, True, _WIRE, 1, cv2.LINE_AA, shift=3)
    return cv2.addWeighted(drawn, 0.6, image, 0.4, 0)
