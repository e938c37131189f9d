"""Photos in full profile, which show no face that a detector finds, put beside those that have one."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backend.head.landmarks.contour import contour_region
from backend.head.landmarks.landmark_fit import LandmarkProblem
from backend.head.landmarks.landmark_solve import PointBasis, Priors, Targets
from backend.head.model import HeadModel
from backend.head.parameters import LandmarkFitSettings, ProfileFitSettings
from backend.head.several.profile import OutlinedPhoto, ProfileTools, outline_problem, place
from backend.head.several.profile_turn import turned_by_skin
from backend.head.several.shared_fit import LandmarkStart
from backend.photo.face_detector import Face
from backend.photo.landmark_table import OUTER_EYE_CORNERS
from backend.photo.profile_outline import Profile
from backend.photo.reading import Photo
from backend.photo.skin.segmentation import FACE_SKIN
from backend.photo.view import View
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import Rasteriser

_log = logging.getLogger(__name__)


def profile_tools(
    model: HeadModel, rasteriser: Rasteriser, landmarks: LandmarkFitSettings, settings: ProfileFitSettings
) -> ProfileTools:
    """What the fits of all profiles share."""
    region = contour_region(model, replace(landmarks.contour, region_m=settings.region_m))
    return ProfileTools(model, region, model.triangles("skin"), rasteriser, settings)


def placed(
    tools: ProfileTools,
    profile: Profile,
    faces: Sequence[LandmarkStart],
    photos: Sequence[Photo],
    landmarks: LandmarkFitSettings,
) -> LandmarkStart | None:
    """A profile beside photos of the person's face, with the head that they have; None where its outline is not it.

    Args:
        tools: what all profiles share.
        profile: the photo and its outline.
        faces, photos: fits of photos of the face, together, and these.
        landmarks: the chosen numbers of these.
    """
    photo, settings = profile.photo, tools.settings
    centre = photo.width / 2, photo.height / 2
    outlined = OutlinedPhoto(profile.outline, centre, photo.width, photo.height)
    expression = np.mean([start.parameters.expression for start in faces], axis=0)
    priors, known = _priors(profile, faces, expression, landmarks, settings)
    start = replace(faces[0].parameters, expression=expression)
    at, priors, found = place(tools, outlined, start, priors)
    px_per_m = float(np.exp(at.log_scale))
    _log.info(
        "The outline of a profile is %.1f mm from the head's where there is one, which is on %.0f %% of it.",
        1000 * found.off_px / px_per_m,
        100 * found.found,
    )
    turned = float(np.degrees(np.arccos(np.clip(at.rotation[2] @ priors.towards_camera, -1, 1))))
    if (
        found.found < settings.least_found
        or found.off_px > settings.most_off * px_per_m
        or turned > settings.most_turned_degrees
    ):
        return None
    at, priors = turned_by_skin(tools, photo, outlined, at, priors, faces, photos)
    none = PointBasis(np.zeros((0, 3)), np.zeros((0, 0, 3)), np.zeros((0, 0, 3)))
    problem = LandmarkProblem(none, Targets(np.zeros((0, 2)), np.zeros((0, 2, 2))), priors, centre)
    problem = outline_problem(tools, problem, outlined, at)
    return LandmarkStart(at, problem, known, photo.width, photo.height, profile.outline)


def _priors(
    profile: Profile,
    faces: Sequence[LandmarkStart],
    expression: np.ndarray,
    landmarks: LandmarkFitSettings,
    settings: ProfileFitSettings,
) -> tuple[Priors, bool]:
    """What is assumed of a profile's photo, and whether its focal length is known.

    Where no file tells the lens, it is taken to be that of the other photos, from about the same distance.
    """
    photo = profile.photo
    extent_m = float(np.sqrt(settings.sizes_m[0] * settings.sizes_m[1]))
    known = False
    if photo.focal_px is not None:
        distance = photo.focal_px * extent_m / profile.outline.extent_px
        known = landmarks.plausible_m[0] < distance < landmarks.plausible_m[1]
    diagonals = [math.hypot(start.width, start.height) for start in faces]
    shares = [start.parameters.log_focal - np.log(d) for start, d in zip(faces, diagonals, strict=True)]
    alike = float(np.mean(shares)) + math.log(math.hypot(photo.width, photo.height))
    priors = replace(
        faces[0].problem.priors,
        identity_sigma=1.0,
        expression_mean=expression,
        log_focal_mean=math.log(photo.focal_px) if known and photo.focal_px else alike,
        log_focal_sigma=landmarks.known_log_focal_sigma if known else settings.log_focal_sigma,
        log_distance_mean=float(np.mean([np.log(start.parameters.depth) for start in faces])),
        log_distance_sigma=settings.log_distance_sigma,
    )
    return priors, known


def profile_view(
    model: HeadModel, profile: Profile, vertices: np.ndarray, expression: np.ndarray, camera: Camera
) -> View:
    """The photo with the face where the fitted head has it, since no detector finds one.

    Args:
        model: the head model.
        profile: the photo.
        vertices: float [V, 3], the head as the photo shows it.
        expression: float [52].
        camera: the photo's.
    """
    points = model.landmarks(vertices).astype(np.float64)
    pixels, depth = camera.project(points), -camera.to_camera(points)[:, 2]
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = camera.rotation, camera.translation
    face = Face(
        landmarks_px=pixels,
        depth=(depth - depth.mean()) * camera.focal_px / float(depth.mean()),
        box=(float(low[0]), float(low[1]), float(high[0]), float(high[1])),
        expression=np.asarray(expression, np.float32),
        head_pose=pose,
        warnings=profile.photo.warnings,
    )
    bare = profile.segmentation.in_photo(FACE_SKIN, profile.photo.width, profile.photo.height)
    return View(profile.photo, face, profile.segmentation, bare)


def eye_distance_px(model: HeadModel, vertices: np.ndarray, px_per_m: float) -> float:
    """Distance of the outer eye corners, as they would be from the front, pixels."""
    right, left = model.landmarks(vertices)[list(OUTER_EYE_CORNERS)]
    return float(np.linalg.norm(right - left)) * px_per_m
