"""What the fit of the head model to a photo gives to the later stages."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.head.model import HeadModel
from backend.rendering.camera import Camera


@dataclass(frozen=True)
class HeadFit:
    """The head model's parameters that explain a photo (eq. 8: p_s, p_e, p_c), its light and its mean skin colour.

    Args:
        identity: float32 [100], p_s; the prior is N(0, I).
        expression: float32 [52], p_e in [0, 1], in the order of `HeadModel.expression_names`.
        camera: maps head space (metres, moved by the identity and expression but not by the pose) to the photo's
            pixels; for a photo resized by s use `camera.scaled(s)`.
        light: float32 [9, 3], radiance of the photo's light in real order-2 spherical harmonics, linear RGB, in head
            space, basis and order of `backend.rendering.spherical_harmonics`. A white Lambertian surface with normal n
            shows irradiance(n) / pi in the photo's linear values.
        skin_albedo: float32 [3], mean diffuse albedo of the skin, linear RGB in [0, 1].
        iod_px: distance between the outer eye corners in the photo, pixels.
        landmark_error: mean distance between projected and detected landmarks, divided by `iod_px`.
        landmark_errors: float32 [478], the same for each landmark; contour landmarks count across the contour only.
        photometric_before: robust mean difference of rendering and photo on the skin before the photometric
            refinement, sRGB values in [0, 1].
        photometric_after: the same after the refinement.
        focal_known: True where the focal length came from the photo's EXIF data, False where it was estimated.
    """

    identity: np.ndarray
    expression: np.ndarray
    camera: Camera
    light: np.ndarray
    skin_albedo: np.ndarray
    iod_px: float
    landmark_error: float
    landmark_errors: np.ndarray
    photometric_before: float
    photometric_after: float
    focal_known: bool

    def vertices(self, model: HeadModel) -> np.ndarray:
        """The head as the photo shows it, expression included: float32 [V, 3], head space, metres."""
        return model.shape(self.identity, self.expression)

    def neutral_vertices(self, model: HeadModel) -> np.ndarray:
        """The person's head without expression: float32 [V, 3], head space, metres."""
        return model.shape(self.identity)

    @property
    def distance(self) -> float:
        """Distance from the camera to the origin of head space (midway between the eyes), metres."""
        return float(np.linalg.norm(self.camera.translation))
