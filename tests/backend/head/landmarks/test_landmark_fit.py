from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.head.landmarks.contour import associate_contour, contour_region, silhouette
from backend.head.landmarks.landmark_fit import fit_landmarks, landmark_errors
from backend.head.model import HeadModel, load_head_model
from backend.photo.landmark_table import NOSE_BASE, OVAL_SIDES, interocular_px
from backend.progress import Progress
from backend.rendering.camera import Camera
from shared.errors import JobCancelled, RelightifyError

SIZE = 1000


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def camera_at(yaw: float, pitch: float, distance: float, focal: float) -> Camera:
    rotation = Rotation.from_euler("yxz", [yaw, pitch, 3], degrees=True).as_matrix()
    return Camera(rotation, np.array([0.01, 0.02, -distance]), focal, (SIZE / 2, SIZE / 2), SIZE, SIZE)


def person(model: HeadModel, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    identity = rng.normal(size=len(model.identity_basis))
    expression = np.zeros(52)
    for name in ("mouthSmileLeft", "mouthSmileRight", "browInnerUp", "jawOpen"):
        expression[model.expression_names.index(name)] = rng.uniform(0.2, 0.6)
    return identity, expression


@pytest.mark.parametrize("yaw", [0, 20])
def test_noisy_landmarks_give_back_the_shape_within_a_few_millimetres(model: HeadModel, yaw: float) -> None:
    identity, expression = person(model, 1)
    camera = camera_at(yaw, 5, 0.6, 1500)
    vertices = model.shape(identity, expression)
    landmarks = model.landmarks(vertices)
    pixels = camera.project(landmarks)
    iod = interocular_px(pixels)
    noisy = pixels + np.random.default_rng(2).normal(size=pixels.shape) * 0.01 * iod
    found, _ = fit_landmarks(model, noisy, expression, SIZE, SIZE, focal_px=1500.0)
    errors = landmark_errors(model, found, found.camera(camera.centre_px, SIZE, SIZE), noisy)
    assert errors.mean() < 0.02
    there = model.landmarks(model.shape(found.identity, found.expression)) - landmarks
    before = model.landmarks(model.mean) - landmarks
    there_mm = 1000 * np.linalg.norm(there - there.mean(axis=0), axis=1).mean()
    before_mm = 1000 * np.linalg.norm(before - before.mean(axis=0), axis=1).mean()
    assert there_mm < 0.5 * before_mm
    assert there_mm < 2.5
    assert np.abs(found.identity).max() < 4


def test_fit_reports_each_step_and_stops_at_the_next_when_cancelled(model: HeadModel) -> None:
    pixels = camera_at(5, 5, 0.6, 1500).project(model.landmarks(model.mean))
    seen: list[float] = []
    progress = Progress(lambda stage, fraction, preview: seen.append(fraction), lambda: len(seen) >= 5, 0.2, 0.4)
    with pytest.raises(JobCancelled):
        fit_landmarks(model, pixels, np.zeros(52), SIZE, SIZE, 1500.0, progress)
    assert len(seen) == 5
    assert seen == sorted(seen)
    assert 0.2 <= seen[0] <= seen[-1] <= 0.4


def test_landmarks_weigh_the_same_however_far_the_head_is_turned(model: HeadModel) -> None:
    points = model.landmarks(model.mean)
    facing, turned = (
        fit_landmarks(model, camera_at(yaw, 0, 0.6, 1500).project(points), np.zeros(52), SIZE, SIZE, 1500.0)[1]
        for yaw in (0, 60)
    )
    there = turned.targets.precision[NOSE_BASE, 0, 0]
    assert there == pytest.approx(facing.targets.precision[NOSE_BASE, 0, 0], rel=0.1)


def test_sides_of_the_face_that_are_marked_further_out_do_not_bend_the_rest(model: HeadModel) -> None:
    points, sides = model.landmarks(model.mean).astype(np.float64), list(OVAL_SIDES)
    marked = points.copy()
    marked[sides, 0] += 0.008 * np.sign(points[sides, 0])
    found, _ = fit_landmarks(model, camera_at(0, 0, 0.6, 1500).project(marked), np.zeros(52), SIZE, SIZE, 1500.0)
    moved = model.landmarks(model.shape(found.identity)) - points
    rest = np.setdiff1d(np.arange(468), sides)
    assert 1000 * np.linalg.norm(moved - moved.mean(0), axis=1)[rest].mean() < 0.5


def test_the_outline_of_a_turned_face_weighs_as_contour_where_it_slides(model: HeadModel) -> None:
    pixels = camera_at(40, 0, 0.8, 1500).project(model.landmarks(model.mean))
    _, problem = fit_landmarks(model, pixels, np.zeros(52), SIZE, SIZE, 1500.0)
    strength = np.linalg.eigvalsh(problem.targets.precision[list(OVAL_SIDES)])[:, 1]
    assert strength.max() > 10 * strength.min()


def test_near_and_far_photographs_come_out_in_the_right_order(model: HeadModel) -> None:
    identity, expression = person(model, 3)
    landmarks = model.landmarks(model.shape(identity, expression))
    depths = [
        fit_landmarks(model, camera_at(2, 3, d, 1200).project(landmarks), expression, SIZE, SIZE, None)[0].depth
        for d in (0.25, 0.5, 1.0)
    ]
    assert depths == sorted(depths)


def test_landmarks_inside_out_are_an_error_that_says_what_to_do(model: HeadModel) -> None:
    pixels = camera_at(0, 0, 0.6, 1200).project(model.landmarks(model.mean))
    collapsed = np.zeros_like(pixels) + pixels.mean(axis=0)
    with pytest.raises(RelightifyError) as error:
        fit_landmarks(model, collapsed, np.zeros(52), SIZE, SIZE, None)
    assert error.value.code == "no_pose"
    assert error.value.hint


def test_silhouette_points_face_sideways(model: HeadModel) -> None:
    camera = camera_at(35, 0, 0.8, 1500)
    outline = silhouette(model.mean, contour_region(model), camera)
    assert len(outline.pixels) > 20
    np.testing.assert_allclose(np.linalg.norm(outline.normals_px, axis=1), 1, atol=1e-6)


def test_contour_landmarks_of_a_turned_face_leave_their_skin_points_on_the_far_side_only(model: HeadModel) -> None:
    camera = camera_at(40, 0, 0.8, 1500)  # the subject's left comes forward
    pixels = camera.project(model.landmarks(model.mean))
    found = associate_contour(model, model.mean, contour_region(model), camera, pixels, interocular_px(pixels))
    assert len(found.landmarks) >= 4
    sides = model.landmarks(model.mean)[found.landmarks, 0]
    assert (sides < 0.01).all() or (sides > -0.01).all()
