"""The fit of the head model to a photo (paper, section 3.3, eq. 8): landmarks first, then shading.

The scale of a head cannot be seen in one photo; the model's own size (interpupillary distance 63 mm) settles it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from backend.head.albedo_basis import AlbedoBasis, region_albedo
from backend.head.compared_skin import compared_skin
from backend.head.focal_check import fit_with_focal
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.landmark_fit import landmark_errors
from backend.head.model import HeadModel
from backend.head.parameters import HeadFitParameters
from backend.head.photometric import Scene, reduce_photo, refine
from backend.photo.landmark_table import interocular_px
from backend.photo.view import View
from backend.progress import Progress
from backend.rendering.rasteriser import Rasteriser
from backend.rendering.shading import ambient_occlusion
from shared.errors import RelightifyError


def fit_head(
    model: HeadModel,
    views: Sequence[View],
    rasteriser: Rasteriser,
    progress: Progress,
    albedo_prior: AlbedoBasis | None = None,
    skin: np.ndarray | None = None,
    settings: HeadFitParameters = HeadFitParameters(),
) -> HeadFit:
    """Fit identity, and by view expression, camera and light, to the photos.

    Args:
        model: the head model.
        views: upright photos of the person with landmarks and expression scores; today one.
        rasteriser: either engine.
        progress: told about the steps; raises `shared.errors.JobCancelled`.
        albedo_prior: a learned coarse albedo at the vertices; None takes `coarse_albedo.region_albedo`.
        skin: float [H, W], 1 on skin, where a mask is known already; None takes what the view knows to be bare where
            something covers the face, and relies on the robust loss alone elsewhere.
        settings: the stage's chosen numbers.

    Raises:
        RelightifyError: `no_pose`, the landmarks do not form a face seen from outside; `too_many_photos`.
    """
    if len(views) != 1:
        raise RelightifyError(
            "too_many_photos",
            f"A head is made from one photo, not from {len(views)}.",
            "Choose the photo that shows most of the face.",
        )
    photo, face = views[0].photo, views[0].face
    progress.report(0.0)
    width, height = photo.width, photo.height
    start, problem, focal_known = fit_with_focal(
        model,
        face.landmarks_px,
        face.expression,
        width,
        height,
        photo.focal_px,
        progress.part(0.0, 0.3),
        settings=settings.landmarks,
    )
    progress.report(0.3)
    region = compared_skin(model, settings.photometric)
    albedo = albedo_prior or region_albedo(model)
    skin = views[0].bare_skin if skin is None else skin
    reduced = reduce_photo(photo.image_linear, face.landmarks_px, skin, settings.photometric)
    fitted = model.shape(start.identity, start.expression)
    occlusion = ambient_occlusion(fitted, region.triangles, settings.photometric.occlusion_rays)
    progress.report(0.4)
    refined = refine(
        Scene(problem, region, albedo, occlusion, reduced, rasteriser, settings.photometric),
        start,
        progress=progress.part(0.4, 0.9),
    )
    progress.report(0.9)
    parameters = refined.parameters
    camera = parameters.camera(problem.centre_px, width, height)
    errors = landmark_errors(model, parameters, camera, face.landmarks_px)
    fitted_view = ViewFit(
        expression=parameters.expression.astype(np.float32),
        camera=camera,
        light=refined.lighting.light.astype(np.float32),
        skin_albedo=mean_skin_albedo(albedo, refined.lighting.albedo, region.weight),
        iod_px=interocular_px(face.landmarks_px),
        landmark_error=float(errors.mean()),
        landmark_errors=errors.astype(np.float32),
        photometric_before=refined.error_before,
        photometric_after=refined.error_after,
        focal_known=focal_known,
    )
    return HeadFit(parameters.identity.astype(np.float32), (fitted_view,))


def mean_skin_albedo(albedo: AlbedoBasis, coefficients: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """Mean albedo float32 [3], linear RGB, of the vertices with weights [V] for coefficients [K]."""
    at_vertices = albedo.mean + np.tensordot(coefficients, albedo.basis, 1)
    return np.average(np.maximum(at_vertices, 0.0), axis=0, weights=weight).astype(np.float32)
