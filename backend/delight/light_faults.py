"""What is wrong with a photo's light: colours, a side without any, a negative."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.delight.parameters import LightFaultSettings
from backend.delight.skin_tone import locus_colour, log_ratios
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR
from backend.imaging.filters import masked_blur, smooth_step
from backend.photo.white_cue import WhiteCue
from backend.texture.regions import FaceRegions, plain_skin


@dataclass(frozen=True)
class LightFaults:
    """What is wrong with the light on a face.

    Args:
        lit: float32 [H, W] in [0, 1], 0 where next to no light fell and nothing is told of the skin.
        two_coloured: 0 to 1, whether both sides are lit in other colours.
        strange_hue: whether the face as a whole has a hue that skin has in no usual light.
        paint: float64 [3], log colour by which it is painted, 0 where it is not.
        unlit_side: whether a side of the face has no light.
        negative: whether irises are lighter than the white around them, or brows and lips than the skin.
    """

    lit: np.ndarray
    two_coloured: float
    strange_hue: bool
    paint: np.ndarray
    unlit_side: bool
    negative: bool

    @property
    def warnings(self) -> tuple[str, ...]:
        """Sentences for the user."""
        if self.negative:
            return ("This looks like a negative; invert it first, or its skin will be a guess.",)
        found = []
        if self.unlit_side:
            found.append("One side of the face has no light; it will be guessed from the other.")
        if self.two_coloured > 0.5:
            found.append("The light is coloured: both sides of the face are lit in other colours; its skin is a guess.")
        elif self.paint.any():
            found.append("The face has a hue that no skin has, and is taken for painted. Keep Marks 0 makes it skin.")
        elif self.strange_hue:
            found.append("The light is coloured, so the colour of the skin is a guess. Skin Hue corrects it.")
        return tuple(found)


def light_faults(
    texture: np.ndarray,  # float32 [H, W, 3], linear
    visibility: np.ndarray,  # float32 [H, W]
    regions: FaceRegions,
    white: WhiteCue | None = None,
    settings: LightFaultSettings = LightFaultSettings(),
) -> LightFaults:
    """What is wrong with the light on the skin that was seen."""
    luminance = texture @ LUMINANCE
    plain = plain_skin(regions) * visibility
    none = LightFaults(np.ones_like(visibility), 0.0, False, np.zeros(3), False, False)
    if np.count_nonzero(plain > 0.5) < settings.fewest_texels:
        return none
    broad = masked_blur(luminance, visibility, settings.broad_mm * regions.texels_per_mm)
    bright = float(np.quantile(broad[plain > 0.5], 0.9))
    lit = smooth_step(broad / max(bright, 1e-6), *settings.unlit)
    log_colour = np.log(np.maximum(texture, SMALLEST_LINEAR))
    hue = log_colour[..., :2] - log_colour[..., 1:]
    half = np.arange(plain.shape[1]) < plain.shape[1] / 2
    sides = [(plain > 0.5) & side for side in (half[None], ~half[None])]
    told = [side & (lit > 0.5) for side in sides]
    unlit = any(
        side.sum() > settings.fewest_texels and float(lit[side].mean()) < settings.unlit_share for side in sides
    )
    coloured = 0.0
    if min(side.sum() for side in told) > settings.fewest_texels:
        # A mark on one side leaves some of it as the other side is; light does not.
        first, second = (hue[side] for side in told)
        axis = np.median(second, axis=0) - np.median(first, axis=0)
        whole = max(float(np.linalg.norm(axis)), 1e-6)
        axis /= whole
        rest = settings.side_rest
        apart = float(np.quantile(second @ axis, rest) - np.quantile(first @ axis, 1 - rest))
        coloured = float(smooth_step(apart, *settings.sides_apart))
        if coloured > 0:
            border = _border_mm(hue @ axis, settings.border_step * whole, visibility, regions, settings)
            coloured *= 1 - float(smooth_step(border, *settings.border_mm))
    all_told = told[0] | told[1]
    usual = np.median(hue[all_told], axis=0) if all_told.any() else np.mean(settings.skin_hues, axis=1)
    low, high = np.array(settings.skin_hues).T
    strange = bool(((usual < low) | (usual > high)).any())
    negative = _is_negative(log_colour, visibility, regions, settings)
    if white is not None and white.iris_lighter is not None:
        # Where there is no colour, none is strange.
        negative |= (strange or white.colourless) and white.iris_lighter > settings.negative_iris
    paint = np.zeros(3)
    in_white_light = white is not None and white.white_share > settings.white_things
    if strange and coloured < 0.5 and not negative and in_white_light:
        paint = log_ratios(np.exp(np.median(log_colour[all_told], axis=0))) - log_ratios(locus_colour(settings.usual))
    return LightFaults(lit, coloured, strange, paint, unlit, negative)


def _border_mm(
    hue: np.ndarray, step: float, visibility: np.ndarray, regions: FaceRegions, settings: LightFaultSettings
) -> float:
    """Length in mm along which a hue [H, W] changes by a step at once: lights blend over a face, paint ends."""
    scale = regions.texels_per_mm
    smooth = masked_blur(hue.astype(np.float32), visibility, settings.border_grain_mm * scale)
    reach = np.ones((2 * round(settings.border_grain_mm * scale) + 3,) * 2, np.uint8)
    seen = ((visibility > 0.5) & (regions.face > 0.5)).astype(np.uint8)
    inside = (cv2.erode(seen, reach) > 0) & (np.maximum(regions.lips, regions.eyes) < 0.3) & (regions.brows < 0.3)
    at_once = inside & (cv2.dilate(smooth, reach) - cv2.erode(smooth, reach) > step)
    return float(np.count_nonzero(at_once)) / (reach.shape[0] * scale)


def _is_negative(
    log_colour: np.ndarray, visibility: np.ndarray, regions: FaceRegions, settings: LightFaultSettings
) -> bool:
    """Whether brows and lips are both lighter than plain skin, and skin is not of skin's hue."""
    luminance = log_colour @ LUMINANCE
    parts = [part * visibility > 0.5 for part in (regions.brows**2, regions.lips, plain_skin(regions))]
    if min(np.count_nonzero(part) for part in parts) < settings.fewest_texels / 4:
        return False
    brows, lips, skin = (float(np.median(luminance[part])) for part in parts)
    red_over_blue = float(np.median((log_colour[..., 0] - log_colour[..., 2])[parts[2]]))
    return min(brows, lips) - skin > settings.negative_lighter and red_over_blue < settings.negative_bluest
