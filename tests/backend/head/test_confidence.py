from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from backend.head.confidence import (
    CAUSES,
    CLOSED_EYES,
    DOWN,
    OPEN_MOUTH,
    UNKNOWN_LENS,
    UP,
    amounts,
    part_errors_mm,
    posterior_covariance,
    systematic_variance,
)
from backend.head.confidence_words import confidence_warnings, described_confidence, unsure_parts
from backend.head.face_parts import PARTS, FaceParts, face_parts
from backend.head.head_fit import FitConfidence, HeadFit, ViewFit
from backend.head.landmarks.landmark_solve import POSE, FitParameters, Terms
from backend.head.model import HeadModel, load_head_model
from backend.head.parameters import ConfidenceSettings
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals

NOTHING = np.zeros(0, np.float32)
SETTINGS = ConfidenceSettings()


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def parts(model: HeadModel) -> FaceParts:
    return face_parts(model)


def seen_from(model: HeadModel, above: float, weights: dict[str, float] | None = None, told: bool = False) -> ViewFit:
    """A photo of a head by a camera that stands so many degrees above its level."""
    angle = np.radians(above)
    away = np.array([0, np.sin(angle), np.cos(angle)])
    rotation = np.stack([[1.0, 0, 0], np.cross(away, [1.0, 0, 0]), away])
    expression = np.array([(weights or {}).get(name, 0.0) for name in model.expression_names], np.float32)
    camera = Camera(rotation, np.array([0, 0, -0.6]), 900.0, (256.0, 256.0), 512, 512)
    return ViewFit(expression, camera, NOTHING, NOTHING, 100.0, 0.01, NOTHING, 0.0, 0.0, told)


def fit_of(view: ViewFit, causes: dict[str, float], misfit: float = 1.0) -> HeadFit:
    """A fit whose expected errors are the usual ones and what its causes add."""
    usual = dict.fromkeys(CAUSES, 0.0) | {UNKNOWN_LENS: 1.0}
    more = systematic_variance(dict.fromkeys(CAUSES, 0.0) | causes, SETTINGS)
    expected = np.sqrt(np.square(SETTINGS.usual_mm) + more)
    by_part: dict[str, float] = dict(zip(PARTS, expected.tolist(), strict=True))
    return HeadFit(np.zeros(100), (view,), confidence=FitConfidence(by_part, by_part, usual | causes, misfit))


@pytest.mark.parametrize("photos", [1, 3])
def test_the_covariance_is_that_of_the_whole_system(photos: int) -> None:
    rng = np.random.default_rng(0)
    modes, unknowns = 4, POSE + 4 + 52
    at = FitParameters(np.eye(3), np.zeros(2), 7.0, 7.0, np.zeros(modes), np.full(52, 0.5))
    roots = rng.normal(size=(photos, unknowns + 9, unknowns))
    terms = [Terms.of(1.0, np.zeros(unknowns), root.T @ root) for root in roots]
    shared = np.arange(POSE, POSE + modes)
    own = np.setdiff1d(np.arange(unknowns), shared)
    size = modes + photos * len(own)
    system = np.zeros((size, size))
    for number, one in enumerate(terms):
        index = np.empty(unknowns, int)
        index[shared], index[own] = np.arange(modes), modes + number * len(own) + np.arange(len(own))
        system[np.ix_(index, index)] += one.hessian
    whole = np.linalg.inv(system)[:modes, :modes]
    np.testing.assert_allclose(posterior_covariance(terms, [at] * photos, [False] * photos), whole, rtol=1e-7)


def test_expected_errors_are_those_of_heads_drawn_from_the_covariance(model: HeadModel, parts: FaceParts) -> None:
    rng = np.random.default_rng(1)
    root = 0.3 * rng.normal(size=(100, 100)) / 10
    expected = part_errors_mm(model, parts, np.zeros(100), root @ root.T)
    normals = vertex_normals(model.mean, model.triangles("skin"))[parts.vertices].astype(float)
    points = model.mean[parts.vertices].astype(float)
    arm = points - points.mean(0)
    moved = np.column_stack([np.cross(arm, normals), normals, np.sum(arm * normals, axis=1)]) * 1e3
    weight = np.sqrt(parts.area)[:, None]
    found = []
    for _ in range(300):
        shift = model.shape(root @ rng.normal(size=100))[parts.vertices] - model.mean[parts.vertices]
        off = np.sum(shift * normals, axis=1)
        off -= moved @ np.linalg.lstsq(weight * moved, weight[:, 0] * off, rcond=None)[0]
        found.append([np.average(np.abs(off[parts.part == i]), weights=parts.area[parts.part == i]) for i in range(7)])
    np.testing.assert_allclose(expected, 1000 * np.mean(found, axis=0), rtol=0.12)


def test_what_moves_the_whole_face_is_no_error(model: HeadModel, parts: FaceParts) -> None:
    basis = np.zeros_like(model.identity_basis)
    basis[0] = [0.01, 0.02, 0.03]
    basis[1] = np.cross([0.1, 0.2, 0.0], model.mean)
    basis[2] = 0.1 * model.mean
    moving = replace(model, identity_basis=basis)
    assert part_errors_mm(moving, parts, np.zeros(100), np.eye(100)).max() < 1e-3


def test_every_part_has_skin_and_both_cheeks_are_alike(parts: FaceParts) -> None:
    area = dict(zip(PARTS, np.bincount(parts.part, parts.area, len(PARTS)), strict=True))
    assert min(area.values()) > 1e-3
    assert area["left cheek"] == pytest.approx(area["right cheek"], rel=0.05)


def test_a_camera_below_the_face_sees_a_head_that_looks_up(model: HeadModel) -> None:
    below, above = (amounts(model, seen_from(model, degrees)) for degrees in (-30, 30))
    assert (below[UP], below[DOWN]) == (pytest.approx(1.0), 0.0)
    assert (above[UP], above[DOWN]) == (0.0, pytest.approx(1.0))


def test_a_calm_face_from_the_front_is_not_warned_of(model: HeadModel) -> None:
    assert confidence_warnings(fit_of(seen_from(model, 0), {})) == ()


def test_a_head_that_looks_down_is_told_with_what_is_guessed_and_what_helps(model: HeadModel) -> None:
    (said,) = confidence_warnings(fit_of(seen_from(model, 29), {DOWN: 29 / 30}))
    assert said.startswith("The head looks down by about 29 degrees, so the shape of the")
    assert "nose" in said
    assert "second photo" in said


def test_a_yawn_makes_the_jaw_a_guess(model: HeadModel) -> None:
    fit = fit_of(seen_from(model, 0), {OPEN_MOUTH: 0.9})
    assert fit.confidence is not None
    assert "jaw" in unsure_parts(fit.confidence)
    assert confidence_warnings(fit)[0].startswith("The mouth is wide open, so the shape of")


def test_closed_eyes_are_told(model: HeadModel) -> None:
    (said,) = confidence_warnings(fit_of(seen_from(model, 0), {CLOSED_EYES: 0.5}))
    assert said.startswith("The eyes are closed")


def test_features_that_no_face_has_are_told(model: HeadModel) -> None:
    assert len(confidence_warnings(fit_of(seen_from(model, 0), {}, misfit=3.0))) == 1


def test_a_fit_that_nobody_asked_says_nothing(model: HeadModel) -> None:
    fit = replace(fit_of(seen_from(model, 0), {}), confidence=None)
    assert confidence_warnings(fit) == ()
    assert described_confidence(fit) is None
