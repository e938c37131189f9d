"""A first guess of the camera: pose by PnP on stable landmarks."""

from __future__ import annotations

import cv2
import numpy as np

from backend.head.landmarks.landmark_solve import FitParameters
from backend.head.parameters import LandmarkFitSettings
from backend.photo.landmark_table import STABLE
from shared.errors import RelightifyError


def initial_parameters(
    landmarks: np.ndarray,
    landmarks_px: np.ndarray,
    focal_px: float,
    centre_px: tuple[float, float],
    expression: np.ndarray,
    modes: int,
    settings: LandmarkFitSettings = LandmarkFitSettings(),
) -> FitParameters:
    """Pose of the mean head by SQPnP (Terzakis & Lourakis 2020) on the stable landmarks.

    Args:
        landmarks: float [478, 3], the model's mean landmarks, metres.
        landmarks_px: float [478, 2], where the photo shows them.
        focal_px: assumed focal length.
        centre_px: principal point.
        expression: float [52], first guess of p_e.
        modes: number of identity modes.

    Raises:
        RelightifyError: `no_pose`, the landmarks do not look like a face from outside.
    """
    stable = list(STABLE)
    if np.ptp(landmarks_px[stable], axis=0).min() < settings.thinnest_px:
        raise _no_pose()
    intrinsics = np.array([[focal_px, 0, centre_px[0]], [0, focal_px, centre_px[1]], [0, 0, 1]], np.float64)
    found, rotation, translation = cv2.solvePnP(
        landmarks[stable].astype(np.float64),
        landmarks_px[stable].astype(np.float64),
        intrinsics,
        None,
        flags=cv2.SOLVEPNP_SQPNP,
    )
    from_opencv = np.diag([1.0, -1.0, -1.0])  # OpenCV's camera looks down +z with y down
    translation = from_opencv @ translation.reshape(3)
    if not found or translation[2] >= 0:
        raise _no_pose()
    return FitParameters(
        rotation=from_opencv @ cv2.Rodrigues(rotation)[0],
        shift=translation[:2],
        log_scale=float(np.log(focal_px / -translation[2])),
        log_focal=float(np.log(focal_px)),
        identity=np.zeros(modes),
        expression=np.asarray(expression, np.float64),
    )


def _no_pose() -> RelightifyError:
    return RelightifyError(
        "no_pose",
        "The pose of the head could not be found from the face in this photo.",
        "Use a photo in which the whole face is seen from the front or from the side by less than 90 degrees.",
    )
