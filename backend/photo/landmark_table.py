"""The 478 MediaPipe face landmarks: outlines, patches of skin, named points and mirror partners.

The numbers are those of MediaPipe's face mesh; `right` and `left` are the subject's.
"""

from __future__ import annotations

import numpy as np

LANDMARK_COUNT = 478
# Closed outlines, in order around each shape: they may be filled as they stand.
FACE_OVAL = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
# Of the oval what lies between forehead and chin: the sides of the face as they show from the front.
OVAL_SIDES = (*(251, 389, 356, 454, 323, 361, 288, 397), *(172, 58, 132, 93, 234, 127, 162, 21))
LIPS_OUTER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185)
LIPS_INNER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 415, 310, 311, 312, 13, 82, 81, 80, 191)
# From the outer corner along the lower lid to the inner corner (the ninth), and back.
EYE_RIGHT = (33, 7, 163, 144, 145, 153, 154, 155, 133, 173, 157, 158, 159, 160, 161, 246)
EYE_LEFT = (263, 249, 390, 373, 374, 380, 381, 382, 362, 398, 384, 385, 386, 387, 388, 466)
# The upper edge from the temple to the nose, five landmarks, then the lower edge back.
BROW_RIGHT = (70, 63, 105, 66, 107, 55, 65, 52, 53, 46)
BROW_LEFT = (300, 293, 334, 296, 336, 285, 295, 282, 283, 276)
UNDER_EYE_RIGHT = (226, 31, 228, 229, 230, 231, 232, 121, 120, 119, 118, 117, 111)
UNDER_EYE_LEFT = (446, 261, 448, 449, 450, 451, 452, 350, 349, 348, 347, 346, 340)
MOUSTACHE = (98, 97, 2, 326, 327, 410, 291, 409, 270, 269, 267, 0, 37, 39, 40, 185, 61, 186)
# What a mask of cloth covers: from the nose's bridge over the cheeks and round the jaw.
MASK_OUTLINE = (
    *(227, 123, 50, 195, 280, 352, 447, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234),
)

# Patches: landmarks in no order, whose convex hull is meant.
NOSE = (
    *(1, 2, 3, 4, 5, 6, 19, 20, 44, 45, 48, 49, 51, 59, 60, 64, 75, 79, 94, 97, 98, 99, 102, 115, 122, 125, 129),
    *(131, 134, 141, 166, 168, 174, 193, 195, 196, 197, 198, 209, 217, 218, 219, 220, 235, 236, 237, 238, 239, 240),
    *(241, 242, 248, 250, 274, 275, 278, 279, 281, 289, 290, 294, 305, 309, 326, 327, 328, 331, 344, 351, 354, 358),
    *(360, 363, 370, 392, 399, 417, 419, 420, 429, 437, 438, 439, 440, 455, 456, 457, 458, 459, 460, 461, 462),
)
NOSE_TIP = (1, 4, 5, 44, 274, 45, 275, 51, 281)
CHEEK_RIGHT = (117, 118, 101, 36, 205, 187, 123, 50)
CHEEK_LEFT = (346, 347, 330, 266, 425, 411, 352, 280)
CHIN = (17, 314, 405, 321, 335, 406, 418, 262, 369, 396, 175, 171, 140, 32, 194, 182, 106, 91, 181, 84)
# The upper lid and the socket up to the brow.
LID_RIGHT = (*(33, 246, 161, 160, 159, 158, 157, 173, 133), *(55, 65, 52, 53, 46))
LID_LEFT = (*(263, 466, 388, 387, 386, 385, 384, 398, 362), *(285, 295, 282, 283, 276))

# The centre, then four points of the rim.
IRIS_RIGHT = (468, 469, 470, 471, 472)
IRIS_LEFT = (473, 474, 475, 476, 477)

# Single points, and pairs (right, left).
FOREHEAD_TOP, CHIN_MIDDLE, CHIN_TIP = 10, 199, 152
NOSE_ROOT, NOSE_MIDDLE, NOSE_BASE = 168, 197, 2
OUTER_EYE_CORNERS, INNER_EYE_CORNERS = (33, 263), (133, 362)
MOUTH_CORNERS = (61, 291)
EAR_FRONTS = (234, 454)
# On bare skin below the eyes, whatever the glasses or the beard.
CHEEK_POINTS = (50, 280, 205, 425)
# Points that move little with expression: eye corners, nose bridge, tip, base and wings, brows' ends, cheekbones.
STABLE = (33, 133, 362, 263, 168, 6, 197, 195, 5, 4, 1, 2, 98, 327, 129, 358, 48, 278, 9, 151, 116, 345, 234, 454)

_MIDLINE = (
    *(0, 1, 2, 4, 5, 6, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 94, 151, 152, 164, 168, 175, 195, 197),
    *(199, 200),
)


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


def interocular_px(landmarks_px: np.ndarray) -> float:
    """Distance between the outer eye corners of landmarks [478, 2], pixels."""
    right, left = OUTER_EYE_CORNERS
    return float(np.linalg.norm(landmarks_px[right] - landmarks_px[left]))
