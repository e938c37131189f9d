"""Camera, identity and expression from the 478 landmarks: a first pose, the solve, and contours that slide."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from backend.head.landmarks.contour import ContourRegion, associate_contour, contour_region
from backend.head.landmarks.initial_pose import initial_parameters
from backend.head.landmarks.landmark_solve import (
    FitParameters,
    PointBasis,
    Priors,
    Targets,
    point_basis,
    solve_landmarks,
)
from backend.head.model import HeadModel
from backend.head.parameters import LandmarkFitSettings
from backend.photo.files.exif_tags import FILM_DIAGONAL_MM
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    IRIS_LEFT,
    IRIS_RIGHT,
    LANDMARK_COUNT,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE,
    OVAL_SIDES,
    interocular_px,
)
from backend.progress import Progress
from backend.rendering.camera import Camera

WEIGHTS = (
    (FACE_OVAL, 0.8),
    (NOSE, 1.0),
    # Brows grow where they like: on training heads they lie 3.4 mm from where the rest of the face says.
    (BROW_RIGHT + BROW_LEFT, 0.2),
    (LIPS_OUTER + LIPS_INNER, 1.6),
    (EYE_RIGHT + EYE_LEFT, 2.0),
    (IRIS_RIGHT + IRIS_LEFT, 2.5),
    ((10, 338, 297, 332, 284, 109, 67, 103, 54), 0.3),
)


def fit_landmarks(
    model: HeadModel,
    landmarks_px: np.ndarray,
    expression_scores: np.ndarray,
    width: int,
    height: int,
    focal_px: float | None,
    progress: Progress | None = None,
    settings: LandmarkFitSettings = LandmarkFitSettings(),
) -> tuple[FitParameters, LandmarkProblem]:
    """Pose, focal length, identity and expression that explain 478 landmarks, and the problem that they solve.

    Args:
        model: the head model.
        landmarks_px: float [478, 2].
        expression_scores: float [52], the detector's, in the model's order.
        width, height: of the photo, pixels.
        focal_px: focal length in pixels, None where unknown: it is estimated then.
        progress: told about each step of the solve; raises when the user cancels.
    """
    progress = progress or Progress()
    centre = (width / 2, height / 2)
    known = focal_px is not None and focal_is_plausible(focal_px, landmarks_px, settings)
    focal = focal_px if focal_px and known else settings.typical_focal_mm / FILM_DIAGONAL_MM * math.hypot(width, height)
    basis = point_basis(model, model.landmark_triangles, model.landmark_barycentric)
    priors = Priors(
        identity_sigma=1.0,
        expression_mean=np.asarray(expression_scores, np.float64),
        expression_sigma=np.full(len(expression_scores), settings.expression_sigma),
        log_focal_mean=float(np.log(focal)),
        log_focal_sigma=settings.known_log_focal_sigma if known else settings.log_focal_sigma,
        log_distance_mean=float(np.log(settings.typical_distance_m)),
        log_distance_sigma=settings.log_distance_sigma,
    )
    modes = len(basis.identity)
    parameters = initial_parameters(basis.mean, landmarks_px, focal, centre, expression_scores, modes, settings)
    targets = landmark_targets(landmarks_px, float(np.exp(parameters.log_scale)), settings)
    first = progress.part(0.0, 0.4)
    on_step = first.report
    parameters = solve_landmarks(basis, targets, parameters, priors, centre, iterations=12, on_step=on_step)
    region = contour_region(model, settings.contour)
    problem = LandmarkProblem(basis, targets, priors, centre)
    sliding = problem
    rounds = settings.contour.rounds
    for turn in range(rounds):
        part = progress.part(0.4 + 0.6 * turn / rounds, 0.4 + 0.6 * (turn + 1) / rounds)
        on_step = part.report
        sliding = slide_contour(model, problem, region, parameters, width, height, settings)
        basis, targets = sliding.basis, sliding.targets
        parameters = solve_landmarks(basis, targets, parameters, priors, centre, iterations=6, on_step=on_step)
    return parameters, sliding


@dataclass(frozen=True)
class LandmarkProblem:
    """What the landmarks ask of the parameters, for solvers that add more terms.

    Args:
        basis: the surface points of the landmarks.
        targets: their pixels and precisions.
        priors: on all unknowns.
        centre_px: principal point.
    """

    basis: PointBasis
    targets: Targets
    priors: Priors
    centre_px: tuple[float, float]


def slide_contour(
    model: HeadModel,
    problem: LandmarkProblem,
    region: ContourRegion,
    parameters: FitParameters,
    width: int,
    height: int,
    settings: LandmarkFitSettings = LandmarkFitSettings(),
) -> LandmarkProblem:
    """The problem with contour landmarks moved to the silhouette of the current shape and pose."""
    pixels = problem.targets.pixels
    camera = parameters.camera(problem.centre_px, width, height)
    vertices = model.shape(parameters.identity, parameters.expression)
    contour = associate_contour(model, vertices, region, camera, pixels, interocular_px(pixels), settings.contour)
    rows = contour.landmarks
    basis = problem.basis.with_rows(rows, point_basis(model, contour.triangles, contour.barycentric))
    across = np.einsum("ni,nj->nij", contour.normals_px, contour.normals_px)
    precision = problem.targets.precision.copy()
    weights, points = landmark_weights(settings, sliding=True), landmark_weights(settings)
    strength = (precision[rows, 0, 0] * weights[rows] / points[rows])[:, None, None]
    precision[rows] = strength * (across + settings.contour.along * (np.eye(2) - across))
    return replace(problem, basis=basis, targets=Targets(pixels, precision))


def focal_is_plausible(
    focal_px: float, landmarks_px: np.ndarray, settings: LandmarkFitSettings = LandmarkFitSettings()
) -> bool:
    """Whether a focal length puts a face with these landmarks [478, 2] at a distance where people take photographs.

    Files keep the focal length of the whole picture when they are cropped or scaled by programs that do not know it.
    """
    outer_corners_m = 0.09
    distance = focal_px * outer_corners_m / max(interocular_px(landmarks_px), 1e-6)
    return settings.plausible_m[0] < distance < settings.plausible_m[1]


def landmark_weights(settings: LandmarkFitSettings = LandmarkFitSettings(), sliding: bool = False) -> np.ndarray:
    """Weight of each landmark's squared residual, float64 [478]; of the oval's where it slides along the outline."""
    weights = np.full(LANDMARK_COUNT, settings.ordinary_weight)
    for indices, weight in WEIGHTS:
        weights[list(indices)] = weight
    if not sliding:
        weights[list(OVAL_SIDES)] = settings.sides_weight
    return weights


def landmark_targets(
    landmarks_px: np.ndarray, px_per_m: float, settings: LandmarkFitSettings = LandmarkFitSettings()
) -> Targets:
    """The landmarks with their precisions.

    Args:
        landmarks_px: float [478, 2].
        px_per_m: pixels that a metre at the head's distance has; unlike the distance of the eyes in the photo it does
            not shrink as the head turns.
        settings: the fit's chosen numbers.
    """
    precision = landmark_weights(settings) / (settings.sigma_m * px_per_m) ** 2
    return Targets(np.asarray(landmarks_px, np.float64), precision[:, None, None] * np.eye(2))


def landmark_errors(
    model: HeadModel, parameters: FitParameters, camera: Camera, landmarks_px: np.ndarray
) -> np.ndarray:
    """Distances [478] between projected and detected landmarks, divided by the interocular distance."""
    points = model.landmarks(model.shape(parameters.identity, parameters.expression))
    return np.linalg.norm(camera.project(points) - landmarks_px, axis=1) / interocular_px(landmarks_px)
