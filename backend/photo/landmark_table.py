"""The 478 MediaPipe face landmarks by facial part, and how far each part's landmarks are trusted.

The numbers are those of MediaPipe's face mesh; `right` and `left` are the subject's.
"""

from __future__ import annotations

import numpy as np

LANDMARK_COUNT = 478

OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
# The upper edge from the temple to the nose, five landmarks, then the lower edge back.
BROW_RIGHT = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
BROW_LEFT = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
NOSE = (
    *(1, 2, 3, 4, 5, 6, 19, 20, 44, 45, 48, 49, 51, 59, 60, 64, 75, 79, 94, 97, 98, 99, 102, 115, 122, 125, 129),
    *(131, 134, 141, 166, 168, 174, 193, 195, 196, 197, 198, 209, 217, 218, 219, 220, 235, 236, 237, 238, 239, 240),
    *(241, 242, 248, 250, 274, 275, 278, 279, 281, 289, 290, 294, 305, 309, 326, 327, 328, 331, 344, 351, 354, 358),
    *(360, 363, 370, 392, 399, 417, 419, 420, 429, 437, 438, 439, 440, 455, 456, 457, 458, 459, 460, 461, 462),
)
IRIS_RIGHT = (468, 469, 470, 471, 472)
IRIS_LEFT = (473, 474, 475, 476, 477)

# Points that move little with expression: eye corners, nose bridge, tip, base and wings, brows' ends, cheekbones.
STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358, 48, 278, 9, 151, 116, 345, 234, 454)

OUTER_EYE_CORNERS = (33, 263)

# Weights of squared residuals. The eyes, nose and lips have edges in the image which the detector follows; on cheeks
# and forehead it interpolates; the hairline end of the oval is a guess.
_WEIGHTS = (
    (OVAL, 0.8),
    (NOSE, 1.0),
    (BROW_RIGHT + BROW_LEFT, 0.8),
    (LIPS_OUTER + LIPS_INNER, 1.6),
    (EYE_RIGHT + EYE_LEFT, 2.0),
    (IRIS_RIGHT + IRIS_LEFT, 2.5),
    ((10, 338, 297, 332, 284, 109, 67, 103, 54), 0.3),
)


def landmark_weights() -> np.ndarray:
    """Weight of each landmark's squared residual, float64 [478]; the cheeks' interior points have 0.4."""
    weights = np.full(LANDMARK_COUNT, 0.4)
    for indices, weight in _WEIGHTS:
        weights[list(indices)] = weight
    return weights


def interocular_px(landmarks_px: np.ndarray) -> float:
    """Distance between the outer eye corners of landmarks [478, 2], pixels."""
    right, left = OUTER_EYE_CORNERS
    return float(np.linalg.norm(landmarks_px[right] - landmarks_px[left]))
