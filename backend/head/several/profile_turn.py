"""How far a head in profile is turned, by its skin: an outline hardly changes with that, but what lies inside it does.

The skin that photos of the face show is compared with what the profile shows at the same places of the head, for turns
about the likeliest one. Light and tone differ between photos, so what is broad is taken off both, and what is left is
correlated.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from scipy import sparse
from scipy.spatial.transform import Rotation

from backend.head.landmarks.landmark_solve import FitParameters, Priors
from backend.head.several.profile import OutlinedPhoto, ProfileTools, approached
from backend.head.several.shared_fit import LandmarkStart
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR
from backend.imaging.sampling import sample_linear
from backend.photo.reading import Photo
from backend.rendering.normals import vertex_normals

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _SkinSeen:
    """Log luminance float [V] that a photo shows at the head's vertices, and how well each is seen, in [0, 1]."""

    luminance: np.ndarray
    weight: np.ndarray


def turned_by_skin(
    tools: ProfileTools,
    photo: Photo,
    outlined: OutlinedPhoto,
    at: FitParameters,
    priors: Priors,
    faces: Sequence[LandmarkStart],
    photos: Sequence[Photo],
) -> tuple[FitParameters, Priors]:
    """The camera of a profile and its priors, the turn being the one that agrees best with other photos.

    Args:
        tools: of the fits of profiles.
        photo, outlined: the profile.
        at: its camera by the outline, and the head.
        priors: of it.
        faces, photos: fits of photos of the face, and these.
    """
    settings = tools.settings
    smooth = _smoothing(tools)
    shown = [
        _see(tools, other, face.parameters, face.problem.centre_px) for other, face in zip(photos, faces, strict=True)
    ]
    vertices = tools.model.shape(at.identity, at.expression)
    turns = np.arange(-settings.most_turn_degrees, settings.most_turn_degrees + 1e-9, settings.turn_step_degrees)
    found: list[tuple[float, FitParameters]] = []
    for turn in np.radians(turns):
        rotation = at.rotation @ Rotation.from_euler("y", -turn).as_matrix()
        held = replace(
            priors, towards_camera=rotation[2], towards_sigma=np.radians(np.full(3, settings.held_sigma_degrees))
        )
        start = replace(at, rotation=rotation)
        placed = approached(tools, vertices, outlined, start, held, settings.turn_rounds)
        seen = _see(tools, photo, placed, outlined.centre_px)
        likelihood = sum(_nats(other, seen, smooth, settings.vertices_alike) for other in shown)
        off = (placed.rotation[2] - priors.towards_camera) / priors.towards_sigma
        found.append((likelihood - 0.5 * float(off @ off), placed))
    best = max(range(len(found)), key=lambda n: found[n][0])
    chosen = found[best][1]
    _log.info(
        "By its skin a profile is turned by %.0f degrees.",
        np.degrees(np.arctan2(chosen.rotation[2, 0], chosen.rotation[2, 2])),
    )
    sigma = np.radians([settings.turn_step_degrees, settings.lean_sigma_degrees, settings.turn_step_degrees])
    return chosen, replace(priors, towards_camera=chosen.rotation[2], towards_sigma=sigma)


def _see(tools: ProfileTools, photo: Photo, at: FitParameters, centre_px: tuple[float, float]) -> _SkinSeen:
    """The skin as a photo shows it; what is behind hair or hands is not known."""
    settings = tools.settings
    vertices = tools.model.shape(at.identity, at.expression)
    camera = at.camera(centre_px, photo.width, photo.height)
    sight = camera.position - vertices
    normals = vertex_normals(vertices, tools.triangles)
    facing = np.sum(normals * sight, axis=1) / np.linalg.norm(sight, axis=1)
    pixels = camera.project(vertices)
    inside = (pixels > 1).all(axis=1) & (pixels < np.array([photo.width, photo.height]) - 1).all(axis=1)
    blur = max(settings.blur_m * float(np.exp(at.log_scale)), 0.5)
    luminance = cv2.GaussianBlur(np.ascontiguousarray(photo.image_linear @ LUMINANCE, np.float32), (0, 0), blur)
    seen = np.log(np.maximum(sample_linear(luminance, pixels), SMALLEST_LINEAR))
    in_front = tools.model.mean[:, 2] > settings.behind_m
    weight = np.clip((facing - settings.least_facing) / settings.least_facing, 0, 1) * inside * in_front
    return _SkinSeen(seen, weight)


def _smoothing(tools: ProfileTools) -> sparse.csr_matrix:
    """Takes values at vertices [V] to means over them and their neighbours."""
    triangles, count = tools.triangles, len(tools.model.mean)
    first, second = triangles[:, [0, 1, 2]].ravel(), triangles[:, [1, 2, 0]].ravel()
    near = sparse.csr_matrix((np.ones(2 * len(first)), (np.r_[first, second], np.r_[second, first])), (count, count))
    near.data[:] = 1.0
    near = near + sparse.eye(count)
    return sparse.diags(1 / np.asarray(near.sum(axis=1)).ravel()) @ near


def _nats(first: _SkinSeen, second: _SkinSeen, smooth: sparse.csr_matrix, alike: float) -> float:
    """By how much correlated skin is likelier than skin that has nothing to do with each other.

    Of two Gaussian signals of n independent values that is -n / 2 log(1 - r^2), r being their correlation.
    """
    weight = first.weight * second.weight
    a, b = (_fine(one.luminance, weight, smooth) for one in (first, second))
    spread = float(np.sqrt((weight @ a**2) * (weight @ b**2)))
    if spread <= 0:
        return 0.0
    correlation = np.clip(float(weight @ (a * b)) / spread, 0.0, 0.99)
    return -0.5 * float(weight.sum()) / alike * float(np.log(1 - correlation**2))


def _fine(values: np.ndarray, weight: np.ndarray, smooth: sparse.csr_matrix, rounds: int = 15) -> np.ndarray:
    """Values [V] without what is broad over the places of weight."""
    broad = np.stack([weight * values, weight], axis=1)
    for _ in range(rounds):
        broad = smooth @ broad
    return values - broad[:, 0] / np.maximum(broad[:, 1], 1e-6)
