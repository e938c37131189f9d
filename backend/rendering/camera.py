"""The pinhole camera (DESIGN section 3): looks down -z in camera space, y is down in images, pixel centres at .5."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.imaging.arrays import Array, like, namespace


@dataclass(frozen=True)
class Camera:
    """A pinhole camera that maps head space (metres) to pixels.

    Args:
        rotation: float64 [3, 3], head space to camera space.
        translation: float64 [3], metres; x_camera = rotation @ x_head + translation.
        focal_px: focal length in pixels (square pixels).
        centre_px: principal point (x, y) in pixels.
        width, height: image size in pixels.
    """

    rotation: np.ndarray
    translation: np.ndarray
    focal_px: float
    centre_px: tuple[float, float]
    width: int
    height: int

    def to_camera(self, points: Array) -> Array:
        """Head space [..., 3] to camera space [..., 3], metres."""
        return points @ like(self.rotation.T, points) + like(self.translation, points)

    def project(self, points: Array) -> Array:
        """Head space [..., 3] to pixels [..., 2]; points behind the camera come out mirrored."""
        p = self.to_camera(points)
        depth = -p[..., 2]
        x = self.centre_px[0] + self.focal_px * p[..., 0] / depth
        y = self.centre_px[1] - self.focal_px * p[..., 1] / depth
        return namespace(points).stack([x, y], axis=-1)

    @property
    def position(self) -> np.ndarray:
        """Camera centre in head space [3], metres."""
        return -self.rotation.T @ self.translation

    def window(self, left: int, top: int, width: int, height: int) -> Camera:
        """The same camera for a part of the image whose upper left pixel is (left, top)."""
        x, y = self.centre_px
        return Camera(self.rotation, self.translation, self.focal_px, (x - left, y - top), width, height)

    def scaled(self, factor: float) -> Camera:
        """The same camera for an image resized by `factor`."""
        return Camera(
            self.rotation,
            self.translation,
            self.focal_px * factor,
            (self.centre_px[0] * factor, self.centre_px[1] * factor),
            round(self.width * factor),
            round(self.height * factor),
        )
