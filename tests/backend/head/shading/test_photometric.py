from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest

from backend.head.landmarks.landmark_fit import LandmarkProblem, fit_landmarks, landmark_errors
from backend.head.landmarks.landmark_solve import FitParameters, Terms
from backend.head.model import HeadModel, load_head_model
from backend.head.shading import photometric
from backend.head.shading.albedo_basis import region_albedo
from backend.head.shading.compared_skin import ComparedSkin, compared_skin, normal_derivative, normal_field
from backend.head.shading.reduced_photo import reduce_photo
from backend.rendering.normals import vertex_normals
from backend.rendering.rasteriser import EmbreeRasteriser
from backend.rendering.shading import lambert_shading

pytestmark = pytest.mark.slow

SIZE = 220
FLATTENED = 0.2  # of the shading's curvature: Gauss-Newton steps so long that the first two are rejected


@dataclass(frozen=True)
class Case:
    """A synthetic photo of a known head, its landmark fit and all that the refinement needs."""

    model: HeadModel
    truth: FitParameters
    start: FitParameters
    scene: photometric.Scene


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def region(model: HeadModel) -> ComparedSkin:
    return compared_skin(model)


@pytest.fixture(scope="module")
def case(model: HeadModel, region: ComparedSkin) -> Case:
    return photographed(model, region, 4)


def photographed(model: HeadModel, region: ComparedSkin, seed: int) -> Case:
    """The case of a person at random."""
    rng = np.random.default_rng(seed)
    identity = rng.normal(size=len(model.identity_basis))
    truth = FitParameters(np.eye(3), np.zeros(2), np.log(700 / 0.8), np.log(700), identity, np.zeros(52))
    camera = truth.camera((SIZE / 2, SIZE / 2), SIZE, SIZE)
    vertices = model.shape(identity)
    light = np.zeros((9, 3))
    light[0], light[1], light[2], light[3] = 2.2, 0.5, 0.8, 0.7
    albedo = region_albedo(model)
    fragments = EmbreeRasteriser().rasterise(vertices, region.triangles, camera)
    normals = fragments.interpolate(region.triangles, vertex_normals(vertices, region.triangles))
    normals /= np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    image = fragments.interpolate(region.triangles, albedo.mean) * lambert_shading(normals, light)
    pixels = camera.project(model.landmarks(vertices)) + rng.normal(size=(478, 2)) * 0.6
    start, problem = fit_landmarks(model, pixels, np.zeros(52), SIZE, SIZE, focal_px=700.0)
    photo = reduce_photo(image.astype(np.float32), pixels, None)
    occlusion = np.ones(len(model.mean), np.float32)
    scene = photometric.Scene(problem, region, albedo, occlusion, photo, EmbreeRasteriser())
    return Case(model, truth, start, scene)


def test_normals_of_the_region_are_those_of_the_whole_skin(model: HeadModel, region: ComparedSkin) -> None:
    field = normal_field(region, np.zeros(region.basis.shape[-1]))
    whole = vertex_normals(model.mean, model.triangles("skin"))
    compared = (region.weight > 0.5) & (region.local >= 0)
    cosine = np.sum(field.normals[region.local[compared]] * whole[compared], axis=1)
    assert np.median(cosine) > 0.999


def test_normal_derivative_agrees_with_finite_differences(region: ComparedSkin) -> None:
    rng = np.random.default_rng(0)
    coefficients = np.concatenate([rng.normal(size=100), rng.uniform(0, 0.5, 52)])
    direction = rng.normal(size=len(coefficients))
    exact = normal_derivative(region, normal_field(region, coefficients)) @ direction.astype(np.float32)
    ahead = normal_field(region, coefficients + 5e-3 * direction).normals
    behind = normal_field(region, coefficients - 5e-3 * direction).normals
    numeric = (ahead - behind) / 1e-2
    assert np.linalg.norm(exact - numeric) < 0.05 * np.linalg.norm(numeric)


def test_shading_gradient_points_where_the_cost_rises(case: Case) -> None:
    scene, at = case.scene, case.start
    seen = photometric.see(scene, at)
    lighting = photometric.light_of(scene, seen, at, None)
    terms = photometric.shading_terms(scene, seen, at, lighting)
    rng = np.random.default_rng(1)
    exact, numeric = [], []
    for _ in range(6):
        direction = rng.normal(size=len(terms.gradient)) * 1e-3
        direction[-52:] = 0  # expressions lie at their bounds
        direction[:7] *= 0.3
        ahead = photometric.shading_terms(scene, seen, at.stepped(direction), lighting).cost
        behind = photometric.shading_terms(scene, seen, at.stepped(-direction), lighting).cost
        exact.append(terms.gradient @ direction)
        numeric.append((ahead - behind) / 2)
    assert np.corrcoef(exact, numeric)[0, 1] > 0.95


def test_refinement_lowers_the_photometric_error_and_keeps_the_landmarks(case: Case) -> None:
    refined = photometric.refine(case.scene, case.start)
    assert refined.error_after < 0.95 * refined.error_before
    assert refined.error_after < 0.03
    pixels = case.scene.problem.targets.pixels
    before, after = (
        landmark_errors(case.model, p, p.camera((SIZE / 2, SIZE / 2), SIZE, SIZE), pixels).mean()
        for p in (case.start, refined.parameters)
    )
    assert after < before + 0.005


def test_rounds_whose_steps_are_all_rejected_do_not_end_the_refinement(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    exact = photometric.shading_terms

    def too_flat(*arguments: object) -> Terms:
        terms = exact(*arguments)  # pyright: ignore[reportArgumentType]
        return Terms.of(terms.cost, terms.gradient, terms.hessian * FLATTENED)

    monkeypatch.setattr(photometric, "shading_terms", too_flat)
    settings = replace(case.scene.settings, effective_samples=2500.0)
    stuck = photometric.refine(replace(case.scene, settings=replace(settings, rounds=1)), case.start)
    assert np.array_equal(stuck.parameters.identity, case.start.identity)
    moved = photometric.refine(replace(case.scene, settings=settings), case.start)
    assert moved.error_after < 0.9 * stuck.error_after


def test_refinement_brings_shapes_nearer_to_the_truth(model: HeadModel, region: ComparedSkin, case: Case) -> None:
    errors = []
    for one in (case, photographed(model, region, 5), photographed(model, region, 6)):
        truth = model.landmarks(model.shape(one.truth.identity))
        for parameters in (one.start, photometric.refine(one.scene, one.start).parameters):
            offset = model.landmarks(model.shape(parameters.identity, parameters.expression)) - truth
            errors.append(float(np.linalg.norm(offset - offset.mean(axis=0), axis=1).mean()))
    before, after = np.reshape(errors, (-1, 2)).mean(axis=0)
    assert after < 0.99 * before


def test_skin_outside_the_mask_is_not_compared(case: Case) -> None:
    photo = case.scene.photo
    mask = photo.mask.copy()
    mask[: mask.shape[0] // 2] = 0
    everything = photometric.see(case.scene, case.start)
    lower_half = photometric.see(replace(case.scene, photo=replace(photo, mask=mask)), case.start)
    assert 0.2 < lower_half.weights.sum() / everything.weights.sum() < 0.8


def test_the_problem_is_handed_on_with_the_contour_where_it_slid_to(case: Case) -> None:
    assert isinstance(case.scene.problem, LandmarkProblem)
    assert case.scene.problem.basis.mean.shape == (478, 3)
