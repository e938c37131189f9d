"""A fit that is corrected by hand, as both sides exchange it."""

from __future__ import annotations

import numpy as np

from backend.head.correction.corrections import CorrectableFit
from backend.head.correction.handles import HANDLES
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel
from backend.rendering.camera import Camera
from shared.corrections import Corrections
from shared.errors import RelightifyError
from shared.refit_messages import FitState, Refitted


def fit_from(state: FitState, model: HeadModel) -> HeadFit:
    """The fit that a client describes; what it does not say of light and errors is nothing.

    Raises:
        RelightifyError: ``bad_corrections``, it is of another head model.
    """
    if len(state.identity) != len(model.identity_basis) or len(state.expression) != len(model.expression_names):
        raise RelightifyError(
            "bad_corrections",
            "This head was made with another head model.",
            "Reconstruct it again, then correct it.",
        )
    width, height = (int(side) for side in state.image_size)
    centre = (float(state.camera_centre_px[0]), float(state.camera_centre_px[1]))
    camera = Camera(
        state.camera_rotation, state.camera_translation, float(state.camera_focal_px), centre, width, height
    )
    nothing = np.zeros(0, np.float32)
    view = ViewFit(
        expression=state.expression,
        camera=camera,
        light=nothing,
        skin_albedo=nothing,
        iod_px=float("nan"),
        landmark_error=float("nan"),
        landmark_errors=nothing,
        photometric_before=float("nan"),
        photometric_after=float("nan"),
        focal_known=False,
    )
    return HeadFit(state.identity, (view,))


def state_of(fit: HeadFit) -> FitState:
    """The description of a fit's first view."""
    camera = fit.camera
    return FitState(
        identity=fit.identity.astype(np.float32),
        expression=fit.expression.astype(np.float32),
        camera_rotation=np.asarray(camera.rotation, np.float64),
        camera_translation=np.asarray(camera.translation, np.float64),
        camera_focal_px=np.array(camera.focal_px, np.float64),
        camera_centre_px=np.array(camera.centre_px, np.float64),
        image_size=np.array([camera.width, camera.height], np.int32),
    )


def same_fit(fit: HeadFit, state: FitState) -> bool:
    """Whether a client describes this fit."""
    own, other = state_of(fit).arrays(), state.arrays()
    return all(np.array_equal(own[name], other[name]) for name in own)


def refitted(job_id: str, begun: CorrectableFit, corrections: Corrections) -> Refitted:
    """The answer to a `Refit`.

    Raises:
        RelightifyError: ``bad_corrections``.
    """
    fit = begun.corrected(corrections)
    return Refitted(
        job_id=job_id,
        vertices=fit.neutral_vertices(begun.corrector.model).astype(np.float32),
        hm08_vertex_ids=begun.corrector.model.hm08_vertex_ids.astype(np.int32),
        expression=fit.expression.astype(np.float32),
        camera_rotation=np.asarray(fit.camera.rotation, np.float64),
        camera_translation=np.asarray(fit.camera.translation, np.float64),
        handle_names=np.array(HANDLES),
        handle_vertices=begun.handles.triangles.astype(np.int32),
        handle_weights=begun.handles.barycentric.astype(np.float32),
        handle_seen=begun.seen.astype(np.uint8),
    )
