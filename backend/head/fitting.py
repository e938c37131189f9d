"""The fit of the head model to a photo (paper, section 3.3, eq. 8): landmarks first, then shading.

The scale of a head cannot be seen in one photo; the model's own size (interpupillary distance 63 mm) settles it.
"""

from __future__ import annotations

import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.landmark_fit import fit_landmarks, focal_is_plausible, landmark_errors
from backend.head.landmark_groups import interocular_px
from backend.head.model import HeadModel
from backend.photo.landmarks import Face
from backend.photo.reading import Photo
from backend.progress import Progress
from backend.rendering.rasteriser import Rasteriser

__all__ = ["HeadFit", "fit_head"]


def fit_head(model: HeadModel, photo: Photo, face: Face, rasteriser: Rasteriser, progress: Progress) -> HeadFit:
    """Fit identity, expression, camera and light to the photo.

    Args:
        model: the head model.
        photo: the photo, upright.
        face: its landmarks and expression scores.
        rasteriser: either engine.
        progress: reports stage ``fit`` and raises `shared.errors.JobCancelled`.

    Raises:
        RelightifyError: `no_pose`, the landmarks do not form a face seen from outside.
    """
    height, width = photo.height, photo.width
    progress.report("fit", 0.0)
    parameters, _ = fit_landmarks(model, face.landmarks_px, face.expression, width, height, photo.focal_px)
    progress.report("fit", 0.4)
    camera = parameters.camera((width / 2, height / 2), width, height)
    errors = landmark_errors(model, parameters, camera, face.landmarks_px)
    return HeadFit(
        identity=parameters.identity.astype(np.float32),
        expression=parameters.expression.astype(np.float32),
        camera=camera,
        light=np.zeros((9, 3), np.float32),
        skin_albedo=np.full(3, 0.5, np.float32),
        iod_px=interocular_px(face.landmarks_px),
        landmark_error=float(errors.mean()),
        landmark_errors=errors.astype(np.float32),
        photometric_before=0.0,
        photometric_after=0.0,
        focal_known=photo.focal_px is not None and focal_is_plausible(photo.focal_px, face.landmarks_px),
    )
