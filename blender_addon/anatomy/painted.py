"""The painted images of eyes, teeth and lashes as files: numpy alone, so any thread may make them ahead of Blender."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from . import paint
from .geometry import Eyeball
from .png import encode_png

# Half the angle that the iris spans where no eyeball could be fitted, radians.
USUAL_IRIS_ANGLE = 0.5


@dataclass(frozen=True)
class PartsLook:
    """What of a person's eyes and teeth the photo tells.

    Args:
        iris_colours_srgb: [2, 3], left and right iris, sRGB-encoded.
        teeth_colour_srgb: [3], the upper front teeth, sRGB-encoded.
        pupil_share: the pupils' radius over the irises'.
    """

    iris_colours_srgb: np.ndarray
    teeth_colour_srgb: np.ndarray
    pupil_share: float = paint.PUPIL


@dataclass(frozen=True)
class EyeFiles:
    """PNG bytes of one eye.

    Args:
        colour: sRGB-encoded.
        iris_normal: tangent-space normals of the bowl-shaped iris, 16 bits.
        cornea_normal: those of the cornea over it, 16 bits.
    """

    colour: bytes
    iris_normal: bytes
    cornea_normal: bytes


@dataclass(frozen=True)
class PaintedParts:
    """PNG bytes of all that is painted.

    Args:
        eyes: by part, `eye_left` and `eye_right`.
        teeth: colour, sRGB-encoded.
        lashes: opacity.
    """

    eyes: Mapping[str, EyeFiles]
    teeth: bytes
    lashes: bytes


def paint_parts(look: PartsLook, eyes: Mapping[str, Eyeball], seed: int = 0) -> PaintedParts:
    """Paint eyes, teeth and lashes.

    Args:
        look: the person's colours, and how wide the pupils are.
        eyes: fitted eyeballs by part.
        seed: of the painted details.
    """
    files = {}
    for number, (part, colour) in enumerate(
        zip(("eye_left", "eye_right"), np.asarray(look.iris_colours_srgb), strict=True)
    ):
        angle = eyes[part].iris_angle if part in eyes else USUAL_IRIS_ANGLE
        files[part] = EyeFiles(
            encode_png(paint.paint_eye(colour, angle, seed=seed + number, pupil=look.pupil_share)),
            encode_png(paint.paint_iris_normal(angle, seed=seed + number, pupil=look.pupil_share), bits=16),
            encode_png(paint.paint_cornea_normal(angle), bits=16),
        )
    teeth = paint.paint_teeth(look.teeth_colour_srgb, seed=seed)
    return PaintedParts(files, encode_png(teeth), encode_png(paint.paint_lashes(seed=seed)))
