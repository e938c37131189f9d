"""Photos in full profile: their camera by the outline, and what they tell of the shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.head.fitting import fit_head, fitted_views
from backend.head.landmarks.landmark_fit import fit_landmarks
from backend.head.model import HeadModel, load_head_model
from backend.head.parameters import LandmarkFitSettings, ProfileFitSettings, SharedFitSettings
from backend.head.several.profile import ProfileTools
from backend.head.several.profile_fit import placed, profile_tools, profile_view
from backend.head.several.shared_fit import LandmarkStart, landmarks_together
from backend.head.several.turned_landmarks import load_turned_landmarks
from backend.photo.face_detector import Face
from backend.photo.profile_outline import Profile, face_outline
from backend.photo.reading import Photo
from backend.photo.skin.segmentation import BACKGROUND, FACE_SKIN, Segmentation
from backend.photo.view import View
from backend.progress import Progress
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import EmbreeRasteriser

SIZE = 512
LANDMARKS = LandmarkFitSettings()
GREY = Photo(np.full((SIZE, SIZE, 3), 128, np.uint8), None)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def tools(model: HeadModel) -> ProfileTools:
    return profile_tools(model, EmbreeRasteriser(), LANDMARKS, ProfileFitSettings())


def camera(yaw: float, roll: float = 0.0, away: float = 0.8) -> Camera:
    turn = Rotation.from_euler("z", roll, degrees=True) * Rotation.from_euler("y", -yaw, degrees=True)
    rotation = turn.as_matrix()
    # The middle of the head is in the middle of the picture.
    return Camera(
        rotation, np.array([0, 0, -away]) - rotation @ [0, -0.03, 0], 1000.0, (SIZE / 2, SIZE / 2), SIZE, SIZE
    )


def profile_of(model: HeadModel, identity: np.ndarray, at: Camera) -> Profile:
    """A photo that is skin of the face wherever the head is."""
    head = EmbreeRasteriser().rasterise(model.shape(identity), model.triangles("skin"), at).mask
    probabilities = np.zeros((SIZE, SIZE, 6), np.float32)
    probabilities[..., FACE_SKIN], probabilities[..., BACKGROUND] = head, ~head
    photo = Photo(np.repeat(np.where(head, 180, 40).astype(np.uint8)[..., None], 3, axis=2), 1000.0)
    segmentation = Segmentation(probabilities, np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    outline = face_outline(photo, segmentation)
    assert outline is not None
    return Profile(photo, segmentation, outline)


def disc() -> Profile:
    """A photo of something round that is taken for skin of a face."""
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    inside = np.hypot(x - SIZE / 2, y - SIZE / 2) < 120
    probabilities = np.zeros((SIZE, SIZE, 6), np.float32)
    probabilities[..., FACE_SKIN], probabilities[..., BACKGROUND] = inside, ~inside
    photo = Photo(np.repeat(np.where(inside, 180, 40).astype(np.uint8)[..., None], 3, axis=2), None)
    segmentation = Segmentation(probabilities, np.array([[1.0, 0, 0], [0, 1.0, 0]]))
    outline = face_outline(photo, segmentation)
    assert outline is not None
    return Profile(photo, segmentation, outline)


def front(model: HeadModel, identity: np.ndarray) -> LandmarkStart:
    """A photo from the front, fitted for itself."""
    pixels = camera(0).project(model.landmarks(model.shape(identity)))
    pixels = pixels + np.random.default_rng(0).normal(size=pixels.shape)
    parameters, problem = fit_landmarks(model, pixels, np.zeros(52), SIZE, SIZE, focal_px=1000.0)
    return LandmarkStart(parameters, problem, True, SIZE, SIZE)


def known(model: HeadModel, identity: np.ndarray) -> LandmarkStart:
    """The same, whose shape is found as it is."""
    start = front(model, identity)
    return replace(start, parameters=replace(start.parameters, identity=identity))


@pytest.mark.parametrize(("yaw", "roll"), [(90.0, 0.0), (-86.0, 12.0)])
def test_the_camera_of_a_profile_is_found_from_its_outline(
    model: HeadModel, tools: ProfileTools, yaw: float, roll: float
) -> None:
    identity, true = np.random.default_rng(1).normal(size=len(model.identity_basis)), camera(yaw, roll)
    start = placed(tools, profile_of(model, identity, true), [known(model, identity)], [GREY], LANDMARKS)
    assert start is not None
    found = start.parameters.camera(start.problem.centre_px, SIZE, SIZE)
    off = Rotation.from_matrix(found.rotation @ true.rotation.T).magnitude()
    assert np.degrees(off) < 6
    points = model.landmarks(model.shape(identity))
    assert np.linalg.norm(found.project(points) - true.project(points), axis=1).mean() < 4


def test_a_profile_tells_what_the_front_does_not(model: HeadModel, tools: ProfileTools) -> None:
    identity = np.random.default_rng(2).normal(size=len(model.identity_basis))
    faces = [front(model, identity)]
    start = placed(tools, profile_of(model, identity, camera(90)), faces, [GREY], LANDMARKS)
    assert start is not None
    joined = landmarks_together(model, [*faces, start], Progress(), LANDMARKS, SharedFitSettings(), tools)
    assert np.array_equal(joined[0].parameters.identity, joined[1].parameters.identity)

    def off_mm(found: np.ndarray) -> float:
        """Of the middle of the face, forwards."""
        line = np.array([10, 168, 6, 197, 4, 1, 2, 0, 17, 18, 200, 152])
        there, wanted = model.landmarks(model.shape(found))[line], model.landmarks(model.shape(identity))[line]
        off = there - wanted
        return 1000 * float(np.std(off[:, 2]))

    assert off_mm(joined[0].parameters.identity) < 0.7 * off_mm(faces[0].parameters.identity)


def test_a_fit_takes_a_profile_with_the_face_and_leaves_another_things_outline_out(model: HeadModel) -> None:
    identity = np.random.default_rng(2).normal(size=len(model.identity_basis))
    beside = profile_of(model, identity, camera(90))
    pixels = camera(0).project(model.landmarks(model.shape(identity)))
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    face = Face(pixels, np.zeros(478), (*low, *high), np.zeros(52, np.float32), np.eye(4))
    seen = EmbreeRasteriser().rasterise(model.shape(identity), model.triangles("skin"), camera(0)).mask
    view = View(Photo(np.repeat(np.where(seen, 180, 40).astype(np.uint8)[..., None], 3, axis=2), 1000.0), face)
    views = [view, disc(), beside]
    fit = fit_head(model, views, EmbreeRasteriser(), Progress(), turned=load_turned_landmarks())
    assert fit.numbers == (0, 2)
    assert len(fit.views) == 2
    x, _, z = fit.views[1].camera.position
    assert np.degrees(np.arctan2(x, z)) == pytest.approx(90, abs=12)
    shown = fitted_views(model, views, fit)
    assert shown[0] is view
    assert shown[1].photo is beside.photo
    assert fit.views[1].iod_px == pytest.approx(fit.views[0].iod_px, rel=0.2)


def test_an_outline_that_is_no_heads_is_left_out(model: HeadModel, tools: ProfileTools) -> None:
    identity = np.zeros(len(model.identity_basis))
    assert placed(tools, disc(), [known(model, identity)], [GREY], LANDMARKS) is None


def test_a_profile_has_its_face_where_the_fitted_head_has_it(model: HeadModel) -> None:
    identity, at = np.zeros(len(model.identity_basis)), camera(90)
    view = profile_view(model, profile_of(model, identity, at), model.shape(identity), np.zeros(52), at)
    assert np.allclose(view.face.landmarks_px, at.project(model.landmarks(model.shape(identity))), atol=1e-3)
    assert view.face.yaw_degrees == pytest.approx(-90, abs=0.1)
    assert view.bare_skin is not None
    assert view.bare_skin.shape == (SIZE, SIZE)
