"""What is wrong with a photo's light: colours, a side without any, a negative."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.delight.parameters import LightFaultSettings
from backend.delight.skin_tone import locus_colour, log_ratios
from backend.imaging.arrays import (
    Array,
    as_float32,
    count,
    largest_of,
    like,
    median,
    medians,
    namespace,
    quantile,
)
from backend.imaging.colour import SMALLEST_LINEAR
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import grown, masked_blur, shrunk, smooth_step
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

    lit: Array
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
    texture: Array,  # float32 [H, W, 3], linear
    visibility: Array,  # float32 [H, W]
    regions: FaceRegions,
    white: WhiteCue | None = None,
    settings: LightFaultSettings = LightFaultSettings(),
) -> LightFaults:
    """What is wrong with the light on the skin that was seen."""
    xp, luminance = namespace(texture), luminance_of(texture)
    plain = plain_skin(regions) * visibility
    none = LightFaults(xp.ones_like(visibility), 0.0, False, np.zeros(3), False, False)
    if count(plain > 0.5) < settings.fewest_texels:
        return none
    broad = masked_blur(luminance, visibility, settings.broad_mm * regions.texels_per_mm)
    bright = quantile(broad[plain > 0.5], 0.9)
    lit = smooth_step(broad / max(bright, 1e-6), *settings.unlit)
    log_colour = xp.log(xp.maximum(texture, SMALLEST_LINEAR))
    hue = log_colour[..., :2] - log_colour[..., 1:]
    half = (np.arange(plain.shape[1]) < plain.shape[1] / 2)[None]
    sides = [(plain > 0.5) & like(side, plain) for side in (half, ~half)]
    told = [side & (lit > 0.5) for side in sides]
    unlit = any(
        count(side) > settings.fewest_texels and float(lit[side].mean()) < settings.unlit_share for side in sides
    )
    coloured = 0.0
    if min(count(side) for side in told) > settings.fewest_texels:
        # A mark on one side leaves some of it as the other side is; light does not.
        first, second = (hue[side] for side in told)
        axis = medians(second) - medians(first)
        whole = max(float(np.linalg.norm(axis)), 1e-6)
        axis /= whole
        rest = settings.side_rest
        along = like(axis, hue)
        apart = quantile(second @ along, rest) - quantile(first @ along, 1 - rest)
        coloured = float(smooth_step(apart, *settings.sides_apart))
        if coloured > 0:
            border = _border_mm(hue @ along, settings.border_step * whole, visibility, regions, settings)
            coloured *= 1 - float(smooth_step(border, *settings.border_mm))
    all_told = told[0] | told[1]
    usual = medians(hue[all_told]) if all_told.any() else np.mean(settings.skin_hues, axis=1)
    low, high = np.array(settings.skin_hues).T
    strange = bool(((usual < low) | (usual > high)).any())
    negative = _is_negative(log_colour, visibility, regions, settings)
    if white is not None and white.iris_lighter is not None:
        # Where there is no colour, none is strange.
        negative |= (strange or white.colourless) and white.iris_lighter > settings.negative_iris
    paint = np.zeros(3)
    in_white_light = white is not None and white.white_share > settings.white_things
    if strange and coloured < 0.5 and not negative and in_white_light:
        paint = log_ratios(np.exp(medians(log_colour[all_told]))) - log_ratios(locus_colour(settings.usual))
    return LightFaults(lit, coloured, strange, paint, unlit, negative)


def _border_mm(hue: Array, step: float, visibility: Array, regions: FaceRegions, settings: LightFaultSettings) -> float:
    """Length in mm along which a hue [H, W] changes by a step at once: lights blend over a face, paint ends."""
    scale = regions.texels_per_mm
    smooth = masked_blur(as_float32(hue), visibility, settings.border_grain_mm * scale)
    reach = round(settings.border_grain_mm * scale) + 1
    seen = as_float32((visibility > 0.5) & (regions.face > 0.5))
    features = largest_of(regions.lips, regions.eyes, regions.brows)
    inside = (shrunk(seen, reach, square=True) > 0) & (features < 0.3)
    at_once = inside & (grown(smooth, reach, square=True) - shrunk(smooth, reach, square=True) > step)
    return float(count(at_once)) / ((2 * reach + 1) * scale)


def _is_negative(log_colour: Array, visibility: Array, regions: FaceRegions, settings: LightFaultSettings) -> bool:
    """Whether brows and lips are both lighter than plain skin, and skin is not of skin's hue."""
    luminance = luminance_of(log_colour)
    parts = [part * visibility > 0.5 for part in (regions.brows**2, regions.lips, plain_skin(regions))]
    if min(count(part) for part in parts) < settings.fewest_texels / 4:
        return False
    brows, lips, skin = (median(luminance[part]) for part in parts)
    red_over_blue = median((log_colour[..., 0] - log_colour[..., 2])[parts[2]])
    return min(brows, lips) - skin > settings.negative_lighter and red_over_blue < settings.negative_bluest
