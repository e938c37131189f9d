"""Whether the focal length that a photo's file gives is that of the picture in it.

Who crops a photo mostly keeps its EXIF data: the face then seems to be much nearer than it was, and no face fits the
perspective that follows.
"""

from __future__ import annotations

import logging
from dataclasses import replace

import numpy as np

from backend.head.landmarks.landmark_fit import LandmarkProblem, fit_landmarks, focal_is_plausible
from backend.head.landmarks.landmark_solve import FitParameters, landmark_terms, prior_terms
from backend.head.model import HeadModel
from backend.head.parameters import LandmarkFitSettings
from backend.progress import Progress

_log = logging.getLogger(__name__)


def fit_with_focal(
    model: HeadModel,
    landmarks_px: np.ndarray,
    expression_scores: np.ndarray,
    width: int,
    height: int,
    focal_px: float | None,
    progress: Progress = Progress(),
    settings: LandmarkFitSettings = LandmarkFitSettings(),
) -> tuple[FitParameters, LandmarkProblem, bool]:
    """`fit_landmarks`, by the file's focal length where the landmarks allow it; whether it was used comes third.

    Two fits are compared by what they ask of landmarks, identity and expression, in nats: by the file's focal length
    and by an estimated one. Where the file's costs much more than chance, it is of another picture.

    Args:
        model: the head model.
        landmarks_px: float [478, 2].
        expression_scores: float [52], the detector's.
        width, height: of the photo, pixels.
        focal_px: focal length in pixels, None where the file gives none.
        progress: told about each step; raises when the user cancels.
        settings: the fit's chosen numbers.
    """
    given = (model, landmarks_px, expression_scores, width, height)
    if focal_px is None or not focal_is_plausible(focal_px, landmarks_px, settings):
        if focal_px is not None:
            _log.info("The photo's focal length puts the face where nobody takes photos, so it is estimated.")
        return *fit_landmarks(*given, None, progress, settings), False
    estimated = fit_landmarks(*given, None, progress.part(0.0, 0.5), settings)
    told = fit_landmarks(*given, focal_px, progress.part(0.5, 1.0), settings)
    doubt = misfit(*told) - misfit(*estimated)
    if doubt > settings.focal_doubt:
        _log.info(
            "The photo's focal length puts the face %.2f m away, which does not fit its perspective (by %.0f nats); "
            "was the photo cropped? It is estimated instead, %.2f m.",
            told[0].depth,
            doubt,
            estimated[0].depth,
        )
        return *estimated, False
    return *told, True


def misfit(parameters: FitParameters, problem: LandmarkProblem) -> float:
    """What a fit asks of landmarks, identity and expression, nats; its focal length is not counted."""
    priors = replace(problem.priors, log_focal_sigma=0.0)
    landmarks = landmark_terms(problem.basis, problem.targets, parameters, problem.centre_px)
    return landmarks.cost + prior_terms(parameters, priors).cost
