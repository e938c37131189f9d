"""The fitted head as both sides exchange it."""

from __future__ import annotations

import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.photo.iris import iris_colours
from backend.photo.parameters import IrisSettings
from backend.photo.view import View
from backend.rendering.spherical_harmonics import environment_map, irradiance
from shared.head_mesh import HeadMesh

ENVIRONMENT_HEIGHT = 64


def head_mesh(model: HeadModel, fit: HeadFit, view: View, iris: IrisSettings = IrisSettings()) -> HeadMesh:
    """The head as both sides exchange it, with the camera and the light of one view, the fit's first.

    Args:
        model: the head model.
        fit: its parameters.
        view: the photo that the fit's first view is of.
        iris: how the irises' colours are found.
    """
    photo, face = view.photo, view.face
    # What a white, unshadowed surface that faces straight ahead, as the eyes do, shows in the photo's light.
    exposure = irradiance(np.array([0.0, 0.0, 1.0]), fit.light) / np.pi
    return HeadMesh(
        vertices=fit.neutral_vertices(model),
        quads=model.quads,
        uv=model.uv,
        uv_quads=model.uv_quads,
        face_part=model.face_part,
        part_names=np.array(model.part_names),
        expression_names=np.array(model.expression_names),
        expression_offsets=model.expression_basis,
        expression_weights=fit.expression,
        hm08_vertex_ids=model.hm08_vertex_ids,
        iris_colour_srgb=iris_colours(photo, face.landmarks_px, exposure, fit.view.skin_albedo, iris),
        camera_rotation=np.asarray(fit.camera.rotation, np.float64),
        camera_translation=np.asarray(fit.camera.translation, np.float64),
        camera_focal_px=np.array(fit.camera.focal_px, np.float64),
        camera_centre_px=np.array(fit.camera.centre_px, np.float64),
        image_size=np.array([photo.width, photo.height], np.int32),
        environment=environment_map(fit.light, ENVIRONMENT_HEIGHT),
    )
