from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.head.model import HeadModel, load_head_model
from backend.photo.face_detector import Face
from backend.photo.landmark_table import MIRROR
from backend.rendering.camera import Camera

pytestmark = pytest.mark.slow

calibration = pytest.importorskip(
    "backend.training.head.landmarks.landmark_calibration", reason="the training extra is not installed"
)
SIZE, PEOPLE = 1000, 6


def misplaced(model: HeadModel) -> HeadModel:
    """The model with its landmarks some 3 mm off, on both sides alike."""
    points = model.landmarks(model.mean).astype(np.float64)
    error = np.random.default_rng(5).normal(size=points.shape) * 0.0025
    points += (error + error[np.asarray(MIRROR)] * [-1, 1, 1]) / np.sqrt(2)
    corners, barycentric = calibration._closest(
        model.mean.astype(np.float64), calibration.landmark_surfaces(model), points
    )
    return replace(model, landmark_triangles=corners.astype(np.int32), landmark_barycentric=barycentric)


def portraits(model: HeadModel) -> list:
    rng = np.random.default_rng(3)
    found = []
    for _ in range(PEOPLE):
        expression = np.zeros(52)
        expression[model.expression_names.index("jawOpen")] = rng.uniform(0, 0.3)
        rotation = Rotation.from_euler("yx", rng.uniform(-6, 6, 2), degrees=True).as_matrix()
        camera = Camera(rotation, np.array([0, 0, -0.8]), 1800, (SIZE / 2, SIZE / 2), SIZE, SIZE)
        pixels = camera.project(model.landmarks(model.shape(rng.normal(size=100) * 0.5, expression)))
        box = (0.0, 0.0, float(SIZE), float(SIZE))
        face = Face(pixels, np.zeros(478), box, expression.astype(np.float32), np.eye(4))
        found.append(calibration.DetectedPortrait(face, SIZE, SIZE, 1800.0))
    return found


def test_misplaced_landmarks_move_back_to_where_faces_show_them() -> None:
    model = load_head_model()
    wrong = misplaced(model)
    truth = model.landmarks(model.mean)
    mended = calibration.calibrate_landmarks(wrong, portraits(model), rounds=2)
    # The whole face may shift, which pose absorbs; what counts is how landmarks lie to one another.
    before, after = (m.landmarks(m.mean) - truth for m in (wrong, mended))
    before, after = (np.linalg.norm(d - np.median(d, axis=0), axis=1).mean() for d in (before, after))
    assert after < 0.6 * before


def test_calibrated_landmarks_are_mirror_symmetric() -> None:
    model = load_head_model()
    points = calibration.calibrate_landmarks(misplaced(model), portraits(model)[:2], rounds=1)
    at = points.landmarks(points.mean)
    off = np.linalg.norm(at[np.asarray(MIRROR)] * [-1, 1, 1] - at, axis=1)
    assert np.median(off) < 1e-3
