"""A head fitted to a photo by NumPy and on a device: how far the two are from each other."""

from __future__ import annotations

import numpy as np

from backend.head.fitting import fit_head
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel, load_head_model
from backend.head.shading.albedo_basis import region_albedo
from backend.imaging.colour import linear_to_srgb
from backend.photo.face_detector import Face
from backend.photo.reading import Photo
from backend.photo.view import View
from backend.progress import Progress
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals
from backend.rendering.rasteriser import EmbreeRasteriser
from backend.rendering.shading import lambert_shading

SIZE = 700
# The largest differences that are allowed: of single precision, and of OpenCV's 32 places between two pixels.
LIMITS = {
    "shape_mm": 0.02,
    "camera_mm": 0.05,
    "light": 1e-3,
    "skin_albedo": 1e-3,
    "photometric_error": 1e-4,
    "expected_error_mm": 1e-3,
}


def head_photo(model: HeadModel) -> View:
    """A photo of a person at random, and their landmarks as a detector finds them."""
    rng = np.random.default_rng(4)
    vertices = model.shape(rng.normal(size=len(model.identity_basis)))
    camera = Camera(np.eye(3), np.array([0.0, 0.02, -0.8]), 1800.0, (SIZE / 2, SIZE / 2), SIZE, SIZE)
    triangles = model.triangles("skin")
    fragments = EmbreeRasteriser().rasterise(vertices, triangles, camera)
    normals = fragments.interpolate(triangles, vertex_normals(vertices, triangles))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    light = np.zeros((9, 3))
    light[0], light[1], light[2], light[3] = 2.2, 0.5, 0.8, 0.7
    image = fragments.interpolate(triangles, region_albedo(model).mean) * lambert_shading(normals, light)
    pixels = camera.project(model.landmarks(vertices)) + rng.normal(size=(478, 2))
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    face = Face(pixels, np.zeros(478), (*low, *high), np.zeros(52, np.float32), np.eye(4))
    return View(Photo(np.round(255 * linear_to_srgb(image)).astype(np.uint8), 1800.0), face)


def fitted(device: str) -> HeadFit:
    """The head of `head_photo`."""
    model = load_head_model()
    return fit_head(model, [head_photo(model)], EmbreeRasteriser(), Progress(), device=device)


def differences(reference: HeadFit, found: HeadFit) -> dict[str, float]:
    """The largest of each kind, by name as `LIMITS`."""
    model = load_head_model()
    one, other = reference.view, found.view
    assert reference.confidence is not None
    assert found.confidence is not None
    sure = [np.array(list(fit.confidence.expected_mm.values())) for fit in (reference, found) if fit.confidence]
    pairs = {
        "shape_mm": [1000 * fit.vertices(model) for fit in (reference, found)],
        "camera_mm": [1000 * view.camera.position for view in (one, other)],
        "light": [one.light, other.light],
        "skin_albedo": [one.skin_albedo, other.skin_albedo],
        "photometric_error": [one.photometric_after, other.photometric_after],
        "expected_error_mm": sure,
    }
    return {name: float(np.abs(np.subtract(*pair)).max()) for name, pair in pairs.items()}
