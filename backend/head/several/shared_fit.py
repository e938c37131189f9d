"""Photos of one person fitted together (eq. 8 with one p_s): landmarks, whether they agree at all, then shading."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.head.landmarks.contour import ContourRegion, contour_region
from backend.head.landmarks.landmark_fit import LandmarkProblem, landmark_targets, slide_contour
from backend.head.landmarks.landmark_solve import FitParameters, Terms, landmark_terms, prior_terms
from backend.head.model import HeadModel
from backend.head.parameters import LandmarkFitSettings, SharedFitSettings
from backend.head.several.profile import OutlinedPhoto, ProfileTools, outline_problem
from backend.head.several.shared_solve import Linearise, minimise_together
from backend.head.shading.lighting import Lighting
from backend.head.shading.photometric import Refined, Scene, SeenSkin, light_of, photometric_error, see, shading_terms
from backend.photo.profile_outline import FaceOutline
from backend.progress import Progress
from backend.rendering.normals import vertex_normals

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class LandmarkStart:
    """A photo fitted to its landmarks.

    Args:
        parameters: of the fit.
        problem: what the landmarks ask, contours slid to the silhouette.
        focal_known: whether the focal length is the file's.
        width, height: of the photo, pixels.
        outline: of a head in full profile, which stands for its landmarks; None where a face was found.
    """

    parameters: FitParameters
    problem: LandmarkProblem
    focal_known: bool
    width: int
    height: int
    outline: FaceOutline | None = None


def agreeing(
    model: HeadModel,
    starts: Sequence[LandmarkStart],
    progress: Progress,
    landmarks: LandmarkFitSettings,
    settings: SharedFitSettings,
) -> tuple[tuple[int, ...], list[LandmarkStart]]:
    """The photos that one head explains, by number, and their fits of one identity.

    As long as some photo fits badly, or sharing the identity costs one much more than it does photos of one person, the
    worst of them is left out; the first photo stays.

    Args:
        model: the head model.
        starts: every photo fitted for itself.
        progress: told about the steps; raises when the user cancels.
        landmarks, settings: the chosen numbers.
    """
    numbers = list(range(len(starts)))
    region = contour_region(model, landmarks.contour)
    alone = []
    for start in starts:
        problem = _shared_problem(model, start, len(starts), landmarks, settings)
        alone.append(_misfit(start.parameters, _slid(model, problem, region, start, start.parameters, landmarks)))
    while True:
        together = landmarks_together(model, [starts[n] for n in numbers], progress, landmarks, settings)
        own = dict(zip(numbers, (_misfit(start.parameters, start.problem) for start in together), strict=True))
        rise = {n: misfit - alone[n] for n, misfit in own.items()}
        _log.info("One identity costs the photos %s nats.", {n + 1: round(r, 1) for n, r in rise.items()})
        bad = [n for n in numbers[1:] if own[n] > settings.most_misfit]
        if not bad and max(rise.values()) > settings.most_rise:
            bad = numbers[1:]
        if not bad:
            return tuple(numbers), together
        numbers.remove(max(bad, key=lambda n: rise[n]))
        if len(numbers) == 1:
            return tuple(numbers), [starts[0]]


def landmarks_together(
    model: HeadModel,
    starts: Sequence[LandmarkStart],
    progress: Progress,
    landmarks: LandmarkFitSettings,
    settings: SharedFitSettings,
    profiles: ProfileTools | None = None,
) -> list[LandmarkStart]:
    """Landmarks and outlines of all photos explained by one identity, from fits of each for itself.

    Args:
        model: the head model.
        starts: every photo fitted for itself.
        progress: told about the steps; raises when the user cancels.
        landmarks, settings: the chosen numbers.
        profiles: follows outlines, where some photo has one.
    """
    identity = np.mean([start.parameters.identity for start in starts], axis=0)
    current = [replace(start.parameters, identity=identity) for start in starts]
    region = contour_region(model, landmarks.contour)
    problems = [_shared_problem(model, start, len(starts), landmarks, settings) for start in starts]
    fixed = [problem.priors.log_focal_sigma <= 0 for problem in problems]
    sliding = problems
    for turn in range(settings.rounds):
        part = progress.part(turn / settings.rounds, (turn + 1) / settings.rounds)
        sliding = [
            _slid(model, problem, region, start, at, landmarks, profiles)
            for problem, start, at in zip(problems, starts, current, strict=True)
        ]
        costs = [_landmark_cost(problem) for problem in sliding]
        current = minimise_together(costs, current, settings.iterations, fixed, part.report).parameters
    return [
        replace(start, parameters=at, problem=problem)
        for start, at, problem in zip(starts, current, sliding, strict=True)
    ]


def refine_together(scenes: Sequence[Scene], parameters: Sequence[FitParameters], progress: Progress) -> list[Refined]:
    """`photometric.refine` for photos of one identity.

    Args:
        scenes: of each photo; the priors on p_s in their problems add up to one.
        parameters: of each photo, all of one identity.
        progress: told about each step; raises when the user cancels.
    """
    rounds, damping = scenes[0].settings.rounds, scenes[0].settings.first_damping
    current = list(parameters)
    seen = [see(scene, at) for scene, at in zip(scenes, current, strict=True)]
    lights = [light_of(scene, s, at, None) for scene, s, at in zip(scenes, seen, current, strict=True)]
    before = _errors(scenes, seen, current, lights)
    best, best_errors = (current, lights), before
    fixed = [scene.problem.priors.log_focal_sigma <= 0 for scene in scenes]
    for turn in range(rounds):
        part = progress.part(turn / rounds, (turn + 1) / rounds)
        costs = [_shaded_cost(*one) for one in zip(scenes, seen, lights, strict=True)]
        # Two steps may both be rejected: the next round goes on with the damping that they ended with.
        found = minimise_together(costs, current, 2, fixed, part.report, damping)
        current, damping = found.parameters, found.damping
        part.report(0.9)
        seen = [see(scene, at) for scene, at in zip(scenes, current, strict=True)]
        lights = [light_of(*one) for one in zip(scenes, seen, current, lights, strict=True)]
        errors = _errors(scenes, seen, current, lights)
        if sum(errors) < sum(best_errors):
            best, best_errors = (current, lights), errors
    return [Refined(*one) for one in zip(*best, before, best_errors, strict=True)]


def _shared_problem(
    model: HeadModel, start: LandmarkStart, count: int, landmarks: LandmarkFitSettings, settings: SharedFitSettings
) -> LandmarkProblem:
    """What a photo's landmarks ask where others share the identity.

    The prior on p_s is split among the photos, and landmarks on the far side of the head, which the detector guesses,
    count less.
    """
    problem, at = start.problem, start.parameters
    priors = replace(problem.priors, identity_sigma=problem.priors.identity_sigma * np.sqrt(count))
    if start.outline is not None:
        return replace(problem, priors=priors)
    points = problem.basis.points(at)
    targets = landmark_targets(problem.targets.pixels, float(np.exp(at.log_scale)), landmarks)
    vertices = model.shape(at.identity, at.expression)
    normals = vertex_normals(vertices, model.triangles("skin"))
    normal = np.einsum("lk,lkd->ld", model.landmark_barycentric, normals[model.landmark_triangles])
    sight = at.camera(problem.centre_px, start.width, start.height).position - points
    facing = np.sum(normal * sight, axis=1)
    targets = replace(
        targets, precision=np.where(facing < 0, settings.hidden_weight, 1.0)[:, None, None] * targets.precision
    )
    return replace(problem, targets=targets, priors=priors)


def _slid(
    model: HeadModel,
    problem: LandmarkProblem,
    region: ContourRegion,
    start: LandmarkStart,
    at: FitParameters,
    landmarks: LandmarkFitSettings,
    profiles: ProfileTools | None = None,
) -> LandmarkProblem:
    if start.outline is not None and profiles is not None:
        photo = OutlinedPhoto(start.outline, problem.centre_px, start.width, start.height)
        return outline_problem(profiles, problem, photo, at)
    return slide_contour(model, problem, region, at, start.width, start.height, landmarks)


def _landmark_cost(problem: LandmarkProblem) -> Linearise:
    def linearise(at: FitParameters) -> Terms:
        landmarks = landmark_terms(problem.basis, problem.targets, at, problem.centre_px)
        return landmarks.plus(prior_terms(at, problem.priors))

    return linearise


def _shaded_cost(scene: Scene, seen: SeenSkin, lighting: Lighting) -> Linearise:
    landmarks = _landmark_cost(scene.problem)

    def linearise(at: FitParameters) -> Terms:
        return shading_terms(scene, seen, at, lighting).plus(landmarks(at))

    return linearise


def _errors(
    scenes: Sequence[Scene], seen: Sequence[SeenSkin], parameters: Sequence[FitParameters], lights: Sequence[Lighting]
) -> list[float]:
    return [photometric_error(*one) for one in zip(scenes, seen, parameters, lights, strict=True)]


def _misfit(parameters: FitParameters, problem: LandmarkProblem) -> float:
    """What a fit asks of landmarks and expression, nats; identity and focal length are not counted."""
    priors = replace(problem.priors, log_focal_sigma=0.0, identity_sigma=np.inf)
    landmarks = landmark_terms(problem.basis, problem.targets, parameters, problem.centre_px)
    return landmarks.cost + prior_terms(parameters, priors).cost
