from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.head.landmarks.landmark_solve import (
    POSE,
    FitParameters,
    PointBasis,
    Priors,
    Targets,
    Terms,
    minimise,
    prior_terms,
    projection_jacobian,
    solve_landmarks,
)

CENTRE = (320.0, 240.0)
POINTS, MODES, EXPRESSIONS = 60, 5, 4


@pytest.fixture
def basis() -> PointBasis:
    rng = np.random.default_rng(7)
    mean = rng.normal(size=(POINTS, 3)) * [0.05, 0.06, 0.03]
    return PointBasis(
        mean, rng.normal(size=(MODES, POINTS, 3)) * 0.003, rng.normal(size=(EXPRESSIONS, POINTS, 3)) * 0.006
    )


@pytest.fixture
def truth() -> FitParameters:
    return FitParameters(
        rotation=Rotation.from_euler("xyz", [8, -25, 4], degrees=True).as_matrix(),
        shift=np.array([0.02, -0.01]),
        log_scale=float(np.log(900 / 0.5)),
        log_focal=float(np.log(900)),
        identity=np.array([0.8, -1.2, 0.3, 0.5, -0.4]),
        expression=np.array([0.0, 0.6, 1.0, 0.2]),
    )


def weak_priors(focal_sigma: float) -> Priors:
    return Priors(30.0, np.full(EXPRESSIONS, 0.3), np.full(EXPRESSIONS, 30.0), np.log(600), focal_sigma, 0.0, 30.0)


def start_from(truth: FitParameters) -> FitParameters:
    turned = Rotation.from_euler("y", 12, degrees=True).as_matrix() @ truth.rotation
    return FitParameters(
        turned, truth.shift + 0.01, truth.log_scale + 0.1, np.log(600), np.zeros(MODES), np.full(4, 0.3)
    )


def test_jacobian_agrees_with_finite_differences(basis: PointBasis, truth: FitParameters) -> None:
    inside = FitParameters(**{**truth.__dict__, "expression": np.array([0.3, 0.6, 0.5, 0.2])})
    _, jacobian = projection_jacobian(basis, inside, CENTRE)
    for column in range(jacobian.shape[-1]):
        step = np.zeros(jacobian.shape[-1])
        step[column] = 1e-5
        ahead, _ = projection_jacobian(basis, inside.stepped(step), CENTRE)
        behind, _ = projection_jacobian(basis, inside.stepped(-step), CENTRE)
        np.testing.assert_allclose(jacobian[..., column], (ahead - behind) / 2e-5, atol=1e-3, rtol=1e-4)


def test_prior_gradient_agrees_with_finite_differences(truth: FitParameters) -> None:
    inside = FitParameters(**{**truth.__dict__, "expression": np.array([0.3, 0.6, 0.5, 0.2])})
    priors = Priors(1.5, np.full(4, 0.3), np.full(4, 0.2), np.log(600), 0.4, np.log(0.7), 0.6)
    terms = prior_terms(inside, priors)
    for column in range(len(terms.gradient)):
        step = np.zeros(len(terms.gradient))
        step[column] = 1e-5
        ahead, behind = prior_terms(inside.stepped(step), priors), prior_terms(inside.stepped(-step), priors)
        assert terms.gradient[column] == pytest.approx((ahead.cost - behind.cost) / 2e-5, abs=1e-4)
        np.testing.assert_allclose(terms.hessian[column], (ahead.gradient - behind.gradient) / 2e-5, atol=1e-3)


def test_exact_projections_give_back_every_unknown(basis: PointBasis, truth: FitParameters) -> None:
    pixels, _ = projection_jacobian(basis, truth, CENTRE)
    targets = Targets(pixels, np.tile(np.eye(2), (POINTS, 1, 1)))
    found = solve_landmarks(basis, targets, start_from(truth), weak_priors(30.0), CENTRE, iterations=60)
    assert np.exp(found.log_focal) == pytest.approx(900, rel=0.02)
    assert np.degrees((Rotation.from_matrix(found.rotation @ truth.rotation.T)).magnitude()) < 0.3
    np.testing.assert_allclose(found.identity, truth.identity, atol=0.05)
    np.testing.assert_allclose(found.expression, truth.expression, atol=0.03)


def test_a_known_focal_length_is_kept(basis: PointBasis, truth: FitParameters) -> None:
    pixels, _ = projection_jacobian(basis, truth, CENTRE)
    targets = Targets(pixels, np.tile(np.eye(2), (POINTS, 1, 1)))
    found = solve_landmarks(basis, targets, start_from(truth), weak_priors(0.0), CENTRE, iterations=40)
    assert found.log_focal == np.log(600)


def test_expressions_stay_between_0_and_1_when_the_data_pull_them_out(basis: PointBasis, truth: FitParameters) -> None:
    beyond = FitParameters(**{**truth.__dict__, "expression": np.array([-0.8, 1.7, 0.5, 0.5])})
    pixels, _ = projection_jacobian(basis, beyond, CENTRE)
    targets = Targets(pixels, np.tile(np.eye(2), (POINTS, 1, 1)))
    found = solve_landmarks(basis, targets, start_from(truth), weak_priors(30.0), CENTRE, iterations=60)
    assert found.expression.min() >= 0
    assert found.expression.max() <= 1
    assert found.expression[0] < 0.05
    assert found.expression[1] > 0.95


def test_gross_outliers_do_not_move_the_solution(basis: PointBasis, truth: FitParameters) -> None:
    pixels, _ = projection_jacobian(basis, truth, CENTRE)
    pixels[:4] += 150
    targets = Targets(pixels, np.tile(np.eye(2), (POINTS, 1, 1)))
    found = solve_landmarks(basis, targets, start_from(truth), weak_priors(30.0), CENTRE, iterations=60)
    np.testing.assert_allclose(found.identity, truth.identity, atol=0.1)


def test_a_point_slides_freely_along_a_direction_without_precision(basis: PointBasis, truth: FitParameters) -> None:
    pixels, _ = projection_jacobian(basis, truth, CENTRE)
    pixels[:20, 1] += 40  # wrong along y, which these points are told to ignore
    precision = np.tile(np.eye(2), (POINTS, 1, 1))
    precision[:20, 1, 1] = 0
    found = solve_landmarks(basis, Targets(pixels, precision), start_from(truth), weak_priors(30.0), CENTRE, 60)
    np.testing.assert_allclose(found.identity, truth.identity, atol=0.1)


def test_a_minimisation_gone_on_with_keeps_the_damping_of_rejected_steps(truth: FitParameters) -> None:
    wanted = truth.identity + 1.0

    def overshooting(at: FitParameters) -> Terms:
        off = at.identity - wanted
        size = POSE + MODES + EXPRESSIONS
        gradient, hessian = np.zeros(size), 1e-9 * np.eye(size)
        gradient[POSE : POSE + MODES] = off
        hessian[POSE : POSE + MODES, POSE : POSE + MODES] = 0.2 * np.eye(MODES)  # steps five times too long
        return Terms.of(0.5 * float(off @ off), gradient, hessian)

    first = minimise(overshooting, truth, 2, fixed_focal=True)
    assert np.array_equal(first.parameters.identity, truth.identity)  # both steps rejected
    again = minimise(overshooting, first.parameters, 2, fixed_focal=True)
    assert np.array_equal(again.parameters.identity, truth.identity)
    found = first
    for _ in range(4):
        found = minimise(overshooting, found.parameters, 2, fixed_focal=True, damping=found.damping)
    assert np.abs(found.parameters.identity - wanted).max() < 0.5


def test_derivatives_are_made_only_where_a_step_starts(truth: FitParameters) -> None:
    size, derived = POSE + MODES + EXPRESSIONS, []

    def rising(at: FitParameters) -> Terms:
        def derive() -> tuple[np.ndarray, np.ndarray]:
            derived.append(at)
            gradient = np.zeros(size)
            gradient[POSE] = 1.0
            return gradient, np.eye(size)

        return Terms(1.0 + float(np.abs(at.identity - truth.identity).sum()), derive)

    minimise(rising, truth, 5, fixed_focal=True)  # every step is rejected
    assert len(derived) == 1
