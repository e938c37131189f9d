"""To which steps a JPEG file rounds what it stores."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image


@dataclass(frozen=True)
class JpegSteps:
    """The steps to which a JPEG file rounds.

    Args:
        luminance, colour: float [8, 8], levels of the orthonormal cosine transform, rows by vertical frequency.
        halved: whether colours are stored at half the size.
    """

    luminance: np.ndarray
    colour: np.ndarray
    halved: bool

    def turned(self) -> JpegSteps:
        """Of a picture that lies on its side."""
        return JpegSteps(self.luminance.T, self.colour.T, self.halved)


def jpeg_steps(image: Image.Image) -> JpegSteps | None:
    """The steps of an opened JPEG in grey or colour, None for anything else."""
    tables, layers = getattr(image, "quantization", None), getattr(image, "layer", ())
    if image.format not in ("JPEG", "MPO") or image.mode not in ("L", "RGB") or not tables or not layers:
        return None
    used = [np.array(tables[table], np.float64).reshape(8, 8) for *_, table in layers if table in tables]
    if not used:
        return None
    return JpegSteps(used[0], used[-1], halved=layers[0][1] * layers[0][2] > layers[-1][1] * layers[-1][2])
