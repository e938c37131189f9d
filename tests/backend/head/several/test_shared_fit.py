from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.head.landmarks.landmark_fit import fit_landmarks
from backend.head.landmarks.landmark_solve import POSE, FitParameters, Terms
from backend.head.model import HeadModel, load_head_model
from backend.head.parameters import LandmarkFitSettings, SharedFitSettings
from backend.head.several.shared_fit import LandmarkStart, agreeing, landmarks_together
from backend.head.several.shared_solve import minimise_together, shared_step
from backend.progress import Progress
from backend.rendering.camera import Camera

SIZE = 1000


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def identity_of(model: HeadModel, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=len(model.identity_basis))


def start(model: HeadModel, identity: np.ndarray, yaw: float, seed: int, shift: float = 0.0) -> LandmarkStart:
    """A photo of a person from one side, fitted for itself; `shift` moves the landmarks of one half, in pixels."""
    rotation = Rotation.from_euler("yxz", [yaw, 3, 2], degrees=True).as_matrix()
    camera = Camera(rotation, np.array([0.01, 0.02, -0.8]), 1600.0, (SIZE / 2, SIZE / 2), SIZE, SIZE)
    expression = np.zeros(52)
    pixels = camera.project(model.landmarks(model.shape(identity, expression)))
    pixels = pixels + np.random.default_rng(seed).normal(size=pixels.shape)
    pixels[::2, 1] += shift
    parameters, problem = fit_landmarks(model, pixels, expression, SIZE, SIZE, focal_px=1600.0)
    return LandmarkStart(parameters, problem, True, SIZE, SIZE)


def together(model: HeadModel, starts: list[LandmarkStart]) -> np.ndarray:
    fits = landmarks_together(model, starts, Progress(), LandmarkFitSettings(), SharedFitSettings())
    assert all(np.array_equal(fit.parameters.identity, fits[0].parameters.identity) for fit in fits)
    return fits[0].parameters.identity


def shape_error_mm(model: HeadModel, identity: np.ndarray, true: np.ndarray) -> float:
    there, wanted = model.landmarks(model.shape(identity)), model.landmarks(model.shape(true))
    return 1000 * float(np.linalg.norm((there - there.mean(0)) - (wanted - wanted.mean(0)), axis=1).mean())


def test_a_shared_step_is_that_of_the_whole_system() -> None:
    rng = np.random.default_rng(0)
    modes, unknowns, damping = 4, POSE + 4 + 52, 0.1
    parameters = [FitParameters(np.eye(3), np.zeros(2), 7.0, 7.0, np.zeros(modes), np.full(52, 0.5)) for _ in range(3)]
    terms = []
    for _ in parameters:
        root = rng.normal(size=(unknowns + 9, unknowns))
        terms.append(Terms.of(1.0, rng.normal(size=unknowns), root.T @ root))
    shared = np.arange(POSE, POSE + modes)
    own = np.setdiff1d(np.arange(unknowns), shared)
    size = modes + 3 * len(own)
    system, gradient = np.zeros((size, size)), np.zeros(size)
    places = [np.r_[modes + n * len(own) + np.arange(len(own))] for n in range(3)]
    for one, place in zip(terms, places, strict=True):
        index = np.empty(unknowns, int)
        index[shared], index[own] = np.arange(modes), place
        system[np.ix_(index, index)] += one.hessian
        gradient[index] += one.gradient
    system[np.diag_indices_from(system)] *= 1 + damping
    whole = np.linalg.solve(system, -gradient)
    for step, place in zip(shared_step(terms, parameters, damping, [False] * 3), places, strict=True):
        np.testing.assert_allclose(step[shared], whole[:modes], rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(step[own], whole[place], rtol=1e-8, atol=1e-10)


def test_three_sides_tell_a_head_better_than_the_front_alone(model: HeadModel) -> None:
    errors = []
    for seed in (1, 2):
        true = identity_of(model, seed)
        starts = [start(model, true, yaw, 10 * seed + n) for n, yaw in enumerate((0, 40, -40))]
        found = (starts[0].parameters.identity, together(model, starts))
        errors.append([shape_error_mm(model, identity, true) for identity in found])
    alone, three = np.mean(errors, axis=0)
    assert three < 0.8 * alone


def test_the_order_of_photos_does_not_change_the_head(model: HeadModel) -> None:
    true = identity_of(model, 3)
    starts = [start(model, true, yaw, n) for n, yaw in enumerate((0, 35, -30))]
    first, other = together(model, starts), together(model, [starts[i] for i in (2, 0, 1)])
    assert np.abs(model.shape(first) - model.shape(other)).max() < 1e-5


def test_a_photo_that_contradicts_the_others_is_left_out(model: HeadModel) -> None:
    true = identity_of(model, 4)
    good = [start(model, true, yaw, n) for n, yaw in enumerate((0, 35))]
    bad = start(model, true, -35, 5, shift=25.0)
    stranger = start(model, -3 * identity_of(model, 5), 20, 6)
    for wrong in (bad, stranger):
        photos = [good[0], wrong, good[1]]
        numbers, fits = agreeing(model, photos, Progress(), LandmarkFitSettings(), SharedFitSettings())
        assert numbers == (0, 2)
        assert len(fits) == 2


def test_photos_of_one_person_are_all_kept(model: HeadModel) -> None:
    true = identity_of(model, 6)
    starts = [start(model, true, yaw, n) for n, yaw in enumerate((0, 35, -50))]
    numbers, _ = agreeing(model, starts, Progress(), LandmarkFitSettings(), SharedFitSettings())
    assert numbers == (0, 1, 2)


def test_photos_gone_on_with_keep_the_damping_of_rejected_steps() -> None:
    wanted = np.ones(4)

    def overshooting(at: FitParameters) -> Terms:
        off = at.identity - wanted
        gradient, hessian = np.zeros(POSE + 4 + 52), 1e-9 * np.eye(POSE + 4 + 52)
        gradient[POSE : POSE + 4] = off
        hessian[POSE : POSE + 4, POSE : POSE + 4] = 0.2 * np.eye(4)  # steps five times too long
        return Terms.of(0.5 * float(off @ off), gradient, hessian)

    begun = [FitParameters(np.eye(3), np.zeros(2), 7.0, 7.0, np.zeros(4), np.full(52, 0.5)) for _ in range(2)]
    found = minimise_together([overshooting] * 2, begun, 2, [True] * 2)
    assert np.array_equal(found.parameters[0].identity, np.zeros(4)), "both steps are rejected"
    for _ in range(4):
        found = minimise_together([overshooting] * 2, found.parameters, 2, [True] * 2, damping=found.damping)
    assert np.abs(found.parameters[0].identity - wanted).max() < 0.5
    assert np.array_equal(found.parameters[0].identity, found.parameters[1].identity)
