"""To which steps a picture was rounded by a JPEG file that it once was: what editors and messengers saved anew.

The cosine transforms of its blocks still lie about whole steps. Source of the idea: Fan and de Queiroz,
"Identification of bitmap compression history: JPEG detection and quantizer estimation", 2003.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.blocks import BLOCK, block_transforms, cosine_basis
from backend.photo.files.jpeg_steps import JpegSteps
from backend.photo.parameters import FoundStepsSettings

# ITU-T T.81, tables K.1 and K.2: what encoders scale by their quality.
_LUMINANCE = np.array(
    [
        [16, 11, 10, 16, 24, 40, 51, 61],
        [12, 12, 14, 19, 26, 58, 60, 55],
        [14, 13, 16, 24, 40, 57, 69, 56],
        [14, 17, 22, 29, 51, 87, 80, 62],
        [18, 22, 37, 56, 68, 109, 103, 77],
        [24, 35, 55, 64, 81, 104, 113, 92],
        [49, 64, 78, 87, 103, 121, 120, 101],
        [72, 92, 95, 98, 112, 100, 103, 99],
    ],
    np.float64,
)
_COLOUR = np.full((BLOCK, BLOCK), 99.0)
_COLOUR[:4, :4] = [[17, 18, 24, 47], [18, 21, 26, 66], [24, 26, 56, 99], [47, 66, 99, 99]]


def found_steps(luminance: np.ndarray, settings: FoundStepsSettings = FoundStepsSettings()) -> JpegSteps | None:
    """The steps that a picture's blocks lie about; None where they lie about none.

    Args:
        luminance: float32 [H, W], levels of 255; not resized since it was rounded.
        settings: what is sure enough.
    """
    top, left = (max(0, (side - settings.side_px) // 2) for side in luminance.shape)
    piece = luminance[top : top + settings.side_px, left : left + settings.side_px]
    if min(piece.shape) < 4 * BLOCK:
        return None
    grids = [(y, x) for y in range(BLOCK) for x in range(BLOCK)]
    waves = _lowest_waves(piece)
    agreements = [_agreement(waves[y::BLOCK, x::BLOCK].ravel(), settings) for y, x in grids]
    y, x = grids[int(np.argmax([agreement.max() for agreement in agreements]))]
    transforms = block_transforms(piece[y:, x:]).reshape(-1, BLOCK, BLOCK)
    scales = []
    for row, column in np.argwhere(np.add.outer(np.arange(BLOCK), np.arange(BLOCK)) <= settings.highest)[1:]:
        agreement = _agreement(transforms[:, row, column], settings)
        sure = np.flatnonzero(agreement > settings.agreeing)
        if len(sure):
            # What lies about whole steps lies about their halves and thirds as well.
            near = np.arange(round(0.8 * sure[-1]), sure[-1] + 1)
            step = settings.smallest + near[agreement[near].argmax()]
            scales.append(step / _LUMINANCE[row, column])
    if len(scales) < settings.fewest:
        return None
    scale = float(np.median(scales))
    return JpegSteps(np.clip(scale * _LUMINANCE, 1, 255), np.clip(scale * _COLOUR, 1, 255), halved=True)


def _lowest_waves(image: np.ndarray) -> np.ndarray:
    """The lowest frequency along the rows of the 8 x 8 block that begins at each pixel, [H - 7, W - 7]."""
    basis = cosine_basis()
    start = (0, 0)
    waves = cv2.sepFilter2D(np.ascontiguousarray(image), cv2.CV_32F, basis[1], basis[0], anchor=start)
    return waves[: image.shape[0] - BLOCK + 1, : image.shape[1] - BLOCK + 1]


def _agreement(values: np.ndarray, settings: FoundStepsSettings) -> np.ndarray:
    """How well values [n] lie about whole multiples of each step tried, float [steps]: 1 exactly, 0 by chance."""
    steps = np.arange(settings.smallest, settings.largest + 1, dtype=np.float32)
    turns = values[:, None] / steps
    counted = np.abs(turns) > 0.5
    enough = counted.sum(axis=0) >= settings.fewest_values
    mean = (np.cos(2 * np.pi * turns) * counted).sum(axis=0) / np.maximum(counted.sum(axis=0), 1)
    return np.where(enough, mean, 0.0)
