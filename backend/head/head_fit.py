"""What the fit of the head model to photos gives to the later stages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backend.head.model import HeadModel
from backend.rendering.camera import Camera


@dataclass(frozen=True)
class ViewFit:
    """What belongs to one photo of the person (p_e of eq. 8, and p_c), and how well it fits.

    Args:
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


@dataclass(frozen=True)
class FitConfidence:
    """How sure a fit is of the shape; see `backend.head.confidence`.

    Args:
        expected_mm: by part of the face (`backend.head.face_parts.PARTS`), the mean distance to expect between true and
            fitted surface, the face being aligned as a whole, scale included.
        chance_mm: the same as Laplace's approximation alone has it.
        causes: by name, how strongly what makes fits unsure is there in the first photo: 0 not at all, 1 in full.
        misfit: what the landmarks ask of the fit over what they do at most on usual photos, at least 1; the first
            photo's.
    """

    expected_mm: Mapping[str, float]
    chance_mm: Mapping[str, float]
    causes: Mapping[str, float]
    misfit: float


@dataclass(frozen=True)
class HeadFit:
    """The head model's parameters that explain one or several photos of one person (eq. 8).

    What is asked of the fit without naming a view is that of the first one.

    Args:
        identity: float32 [100], p_s; the prior is N(0, I).
        views: what belongs to each photo, at least one.
        numbers: which of the photos that were given each view is of, from 0 on; those that fit badly are left out.
        offsets: float32 [V, 3], metres: displacements of the vertices that corrections by hand ask for and the linear
            model does not have; None where there are none.
        uncorrected: what the photos gave by themselves, where a hand has corrected it.
        confidence: how sure the photos make it, None where nobody asked; corrections by hand do not change it.
    """

    identity: np.ndarray
    views: tuple[ViewFit, ...]
    numbers: tuple[int, ...] = (0,)
    offsets: np.ndarray | None = None
    uncorrected: HeadFit | None = None
    confidence: FitConfidence | None = None

    @property
    def view(self) -> ViewFit:
        """The first photo's."""
        return self.views[0]

    @property
    def expression(self) -> np.ndarray:
        """float32 [52], see `ViewFit`."""
        return self.view.expression

    @property
    def camera(self) -> Camera:
        """See `ViewFit`."""
        return self.view.camera

    @property
    def light(self) -> np.ndarray:
        """float32 [9, 3], see `ViewFit`."""
        return self.view.light

    @property
    def skin_albedo(self) -> np.ndarray:
        """float32 [3], see `ViewFit`."""
        return self.view.skin_albedo

    @property
    def iod_px(self) -> float:
        """See `ViewFit`."""
        return self.view.iod_px

    def seen_in(self, number: int) -> HeadFit:
        """The fit as its view `number` alone has it.

        Raises:
            IndexError: there is no such view.
        """
        return replace(self, views=(self.views[number],), numbers=(self.numbers[number],))

    def with_view(self, **changes: Any) -> HeadFit:
        """The fit with fields of its first view changed."""
        return replace(self, views=(replace(self.view, **changes), *self.views[1:]))

    def vertices(self, model: HeadModel) -> np.ndarray:
        """The head as the first photo shows it, expression included: float32 [V, 3], head space, metres."""
        return self._displaced(model.shape(self.identity, self.expression))

    def neutral_vertices(self, model: HeadModel) -> np.ndarray:
        """The person's head without expression: float32 [V, 3], head space, metres."""
        return self._displaced(model.shape(self.identity))

    def _displaced(self, vertices: np.ndarray) -> np.ndarray:
        return vertices if self.offsets is None else vertices + self.offsets

    @property
    def distance(self) -> float:
        """Distance from the camera to the origin of head space (midway between the eyes), metres."""
        return float(np.linalg.norm(self.camera.translation))
