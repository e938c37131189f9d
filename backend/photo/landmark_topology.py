"""Numbering of the 478 MediaPipe face landmarks: mirror partners and outlines. `left` is the subject's left."""

from __future__ import annotations

import numpy as np

LANDMARK_COUNT = 478
# fmt: off
_MIDLINE = (0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 94, 151, 152, 164, 168, 175, 195, 197,
            199, 200)

# Closed outlines, in order around each shape.
FACE_OVAL = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176,
             149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)
LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
BROW_RIGHT = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
BROW_LEFT = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
# fmt: on
IRIS_RIGHT, IRIS_LEFT = 468, 473  # centres
CHIN, FOREHEAD, NOSE_MIDDLE, NOSE_BASE = 152, 10, 197, 2


def _mirror() -> np.ndarray:
    """The mesh numbers the subject's right side in order and then, from 248 on, the left side in the same order."""
    mirror = np.arange(LANDMARK_COUNT)
    right = np.setdiff1d(np.arange(248), _MIDLINE)
    mirror[right] = 248 + np.arange(len(right))
    mirror[248:468] = right
    iris_right, iris_left = np.arange(468, 473), np.array([473, 476, 475, 474, 477])
    mirror[iris_right], mirror[iris_left] = iris_left, iris_right
    mirror.setflags(write=False)
    return mirror


MIRROR: np.ndarray = _mirror()
"""int64 [478], the landmark at the mirrored place of the face."""
