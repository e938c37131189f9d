"""How sure a fit is of the shape: the surface error to expect, part by part of the face, and what it comes from.

Two things add up, as variances. Where the cost is least, its Gauss-Newton Hessian is the inverse covariance of what
could as well have been (the Laplace approximation; MacKay 1992): pose, focal length, expression and whatever else
explains the same photo are marginalised, and what is left of p_s moves the surface along its normals, less what a rigid
motion and a scale of the whole face do, which no error is. What that cannot know is where the detector and the model
are wrong alike on everybody, which grows with a tilted head or a strong expression: `SystematicErrors`, learnt on
renders of heads whose shape is known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from backend.head.face_parts import PARTS, FaceParts
from backend.head.head_fit import FitConfidence, ViewFit
from backend.head.landmarks.landmark_solve import POSE, FitParameters, Terms, free_unknowns, landmark_terms, prior_terms
from backend.head.model import HeadModel
from backend.head.parameters import ConfidenceSettings
from backend.head.shading.photometric import Refined, Scene, see, shading_terms
from backend.rendering.normals import vertex_normals

# What makes fits unsure, in the order of `ConfidenceSettings.systematic_mm`.
UP, DOWN, TURNED, OPEN_MOUTH, SMILE, CLOSED_EYES, UNKNOWN_LENS = CAUSES = (
    *("looks up", "looks down", "turned", "mouth open", "smile", "eyes closed", "lens unknown"),
)


def fit_confidence(
    model: HeadModel,
    parts: FaceParts,
    scenes: Sequence[Scene],
    refined: Sequence[Refined],
    views: Sequence[ViewFit],
    settings: ConfidenceSettings = ConfidenceSettings(),
) -> FitConfidence:
    """How sure the fit of one or several photos is.

    Args:
        model: the head model.
        parts: of the face.
        scenes, refined, views: of each photo, what was compared and what came out.
        settings: the learnt numbers.
    """
    terms = [_terms(scene, one) for scene, one in zip(scenes, refined, strict=True)]
    at = [one.parameters for one in refined]
    fixed = [scene.problem.priors.log_focal_sigma <= 0 for scene in scenes]
    chance = part_errors_mm(model, parts, at[0].identity, posterior_covariance([t.all for t in terms], at, fixed))
    found = [amounts(model, view) for view in views]
    # Of several photos that agree, the one that shows a part best decides.
    common = np.min([systematic_variance(each, settings) for each in found], axis=0)
    misfits = [max(1.0, one.landmarks.cost / settings.usual_nats) for one in terms]
    expected = np.sqrt(min(misfits) * (settings.chance * chance) ** 2 + common)
    return FitConfidence(_by_part(expected), _by_part(chance), found[0], misfits[0])


def _by_part(values: np.ndarray) -> dict[str, float]:
    return dict(zip(PARTS, values.tolist(), strict=True))


@dataclass(frozen=True)
class _LeastTerms:
    """A photo's cost where it is least: of the landmarks, and with shading and priors."""

    landmarks: Terms
    all: Terms


def _terms(scene: Scene, refined: Refined) -> _LeastTerms:
    problem, at = scene.problem, refined.parameters
    landmarks = landmark_terms(problem.basis, problem.targets, at, problem.centre_px)
    shading = shading_terms(scene, see(scene, at), at, refined.lighting)
    return _LeastTerms(landmarks, shading.plus(landmarks).plus(prior_terms(at, problem.priors)))


def posterior_covariance(
    terms: Sequence[Terms], parameters: Sequence[FitParameters], fixed_focal: Sequence[bool]
) -> np.ndarray:
    """Covariance [K, K] of p_s, all else marginalised.

    Args:
        terms: of each photo where its cost is least; their identity priors add up to one.
        parameters: of each photo, all of one identity.
        fixed_focal: by photo, whether its focal length is known.
    """
    modes = len(parameters[0].identity)
    shared = slice(POSE, POSE + modes)
    information = np.zeros((modes, modes))
    for one, at, fixed in zip(terms, parameters, fixed_focal, strict=True):
        own = free_unknowns(one, at, fixed)
        own[shared] = False
        coupling = one.hessian[own, shared]
        information += one.hessian[shared, shared]
        information -= coupling.T @ np.linalg.solve(one.hessian[np.ix_(own, own)], coupling)
    return np.linalg.inv(information)


def part_errors_mm(model: HeadModel, parts: FaceParts, identity: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    """Mean distance to expect between the true surface and the fitted one, mm, float [len(PARTS)].

    Args:
        model: the head model.
        parts: of the face.
        identity: float [K], p_s.
        covariance: float [K, K] of it.
    """
    vertices = model.shape(identity)
    points = vertices[parts.vertices].astype(np.float64)
    normals = vertex_normals(vertices, model.triangles("skin"))[parts.vertices].astype(np.float64)
    modes = model.identity_basis[: len(identity), parts.vertices].astype(np.float64)
    along = np.einsum("mnd,nd->nm", modes, normals)
    arm = points - np.average(points, axis=0, weights=parts.area)
    moved = np.column_stack([np.cross(arm, normals), normals, np.sum(arm * normals, axis=1)])
    weighted = parts.area[:, None] * moved
    along -= moved @ np.linalg.solve(weighted.T @ moved, weighted.T @ along)
    variance = np.sum((along @ covariance) * along, axis=1)
    distance = 1000 * np.sqrt(2 / np.pi * np.maximum(variance, 0.0))  # the mean of |x| for a Gaussian x
    area = np.bincount(parts.part, parts.area, len(PARTS))
    return np.bincount(parts.part, parts.area * distance, len(PARTS)) / area


def amounts(model: HeadModel, view: ViewFit) -> dict[str, float]:
    """How strongly each of `CAUSES` is there; 1 is 30 degrees up or down, 60 to the side, a full expression."""
    weight = dict(zip(model.expression_names, view.expression.astype(float).tolist(), strict=True))
    pitch, yaw = view_angles(view)
    return {
        UP: max(0.0, -pitch / 30),
        DOWN: max(0.0, pitch / 30),
        TURNED: abs(yaw) / 60,
        OPEN_MOUTH: weight["jawOpen"],
        SMILE: (weight["mouthSmileLeft"] + weight["mouthSmileRight"]) / 2,
        CLOSED_EYES: min(weight["eyeBlinkLeft"], weight["eyeBlinkRight"]),
        UNKNOWN_LENS: 0.0 if view.focal_known else 1.0,
    }


def view_angles(view: ViewFit) -> tuple[float, float]:
    """From where the camera sees the head, degrees: above the face's level, and to the subject's left of its front."""
    x, y, z = view.camera.position
    return float(np.degrees(np.arctan2(y, np.hypot(x, z)))), float(np.degrees(np.arctan2(x, z)))


def systematic_variance(found: Mapping[str, float], settings: ConfidenceSettings) -> np.ndarray:
    """Square of what is wrong alike on everybody, mm^2, float [len(PARTS)]."""
    amount = np.array([found[name] for name in CAUSES])
    return np.square(amount) @ np.square(np.array(settings.systematic_mm))


def part_shares(found: FitConfidence, settings: ConfidenceSettings = ConfidenceSettings()) -> dict[str, np.ndarray]:
    """Which part of each part's expected variance comes from each cause of the first photo: float [len(PARTS)]."""
    whole = np.square(list(found.expected_mm.values()))
    return {
        cause: (found.causes[cause] * np.array(mm)) ** 2 / whole
        for cause, mm in zip(CAUSES, settings.systematic_mm, strict=True)
    }
