"""The fitted head as both sides exchange it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.photo.eye_sizes import eye_sizes
from backend.photo.iris import iris_colours
from backend.photo.parameters import PhotoParameters
from backend.photo.teeth import LitFace, teeth_colour
from backend.photo.view import View
from backend.rendering.spherical_harmonics import environment_map, irradiance
from shared.head_mesh import HeadMesh

ENVIRONMENT_HEIGHT = 64


def head_mesh(
    model: HeadModel,
    fit: HeadFit,
    view: View,
    settings: PhotoParameters = PhotoParameters(),
    further: Sequence[View] = (),
) -> HeadMesh:
    """The head as both sides exchange it, with the camera and the light of one view, the fit's first.

    Args:
        model: the head model.
        fit: its parameters.
        view: the photo that the fit's first view is of.
        settings: how colours and sizes of irises and teeth are found.
        further: the photos that the fit's further views are of; a smile in any of them shows the teeth.
    """
    photo, face = view.photo, view.face
    exposure = _exposure(fit.light)
    lit = [
        LitFace(seen.photo, seen.face.landmarks_px, _exposure(fitted.light))
        for seen, fitted in zip((view, *further), fit.views, strict=False)
    ]
    neutral = fit.neutral_vertices(model)
    sizes = eye_sizes(photo, face.landmarks_px, _px_per_m_of_eyes(model, neutral, fit), settings.eye_sizes)
    return HeadMesh(
        vertices=neutral,
        quads=model.quads,
        uv=model.uv,
        uv_quads=model.uv_quads,
        face_part=model.face_part,
        part_names=np.array(model.part_names),
        expression_names=np.array(model.expression_names),
        expression_offsets=model.expression_basis,
        expression_weights=fit.expression,
        hm08_vertex_ids=model.hm08_vertex_ids,
        iris_colour_srgb=iris_colours(photo, face.landmarks_px, exposure, fit.view.skin_albedo, settings.iris),
        iris_radius_m=np.array(sizes.iris_radius_m, np.float32),
        pupil_share=np.array(sizes.pupil_share, np.float32),
        teeth_colour_srgb=teeth_colour(lit, settings.teeth),
        camera_rotation=np.asarray(fit.camera.rotation, np.float64),
        camera_translation=np.asarray(fit.camera.translation, np.float64),
        camera_focal_px=np.array(fit.camera.focal_px, np.float64),
        camera_centre_px=np.array(fit.camera.centre_px, np.float64),
        image_size=np.array([photo.width, photo.height], np.int32),
        environment=environment_map(fit.light, ENVIRONMENT_HEIGHT),
    )


def _exposure(light: np.ndarray) -> np.ndarray:
    """What a white, unshadowed surface that faces straight ahead, as the eyes do, shows in a light, linear [3]."""
    return irradiance(np.array([0.0, 0.0, 1.0]), light) / np.pi


def _px_per_m_of_eyes(model: HeadModel, neutral: np.ndarray, fit: HeadFit) -> np.ndarray:
    """Pixels a metre at the front of the left and the right eyeball, float64 [2]."""
    scales = []
    for part in ("eye_left", "eye_right"):
        eyeball = neutral[np.unique(model.triangles(part))]
        depth = -fit.camera.to_camera(eyeball[np.argmax(eyeball[:, 2])])[2]
        scales.append(fit.camera.focal_px / depth)
    return np.array(scales)
