"""Where the detector marks a turned face, against where it marks it from the front.

A landmark detector learns from pictures, and on a turned face most landmarks are no points of the skin but what people
who saw no depth took for them: the near cheek is marked further back, the nose flatter. That is the same on everybody
(docs/research/views.md), so it is taken off where several photos must agree on one head.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.asset_files import ASSETS, verified
from backend.photo.landmark_table import MIRROR

ASSET = ASSETS / "turned_landmarks.npz"


@dataclass(frozen=True)
class TurnedLandmarks:
    """What turning adds to the landmarks' places.

    Args:
        offsets_m: float [478, 2], metres at the head's distance, to the right and down in the picture.
        degrees: of the camera towards the subject's left, where they were learnt.
    """

    offsets_m: np.ndarray
    degrees: float

    def straightened(self, landmarks_px: np.ndarray, rotation: np.ndarray, px_per_m: float) -> np.ndarray:
        """The landmarks where they would be if the detector saw a turned face as it does one from the front.

        What turning adds is taken to grow with the sine of the turn, and to be mirrored to the other side.

        Args:
            landmarks_px: float [478, 2].
            rotation: float [3, 3], head space to camera space.
            px_per_m: pixels of a metre at the head's distance.
        """
        sine = float(rotation[2, 0])
        offsets = self.offsets_m if sine > 0 else self.offsets_m[MIRROR] * (-1, 1)
        return landmarks_px - abs(sine) / np.sin(np.radians(self.degrees)) * px_per_m * offsets


def load_turned_landmarks(path: Path = ASSET) -> TurnedLandmarks:
    """The offsets that ship.

    Raises:
        RelightifyError: ``asset_missing``, ``asset_corrupt``.
    """
    with np.load(verified(path)) as data:
        return TurnedLandmarks(data["offsets_m"].astype(np.float64), float(data["degrees"]))
