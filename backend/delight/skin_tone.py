"""How light the skin is: the split of what was seen into light and albedo, which one photo leaves open."""

from __future__ import annotations

import numpy as np

from backend.imaging.colour import LUMINANCE, lab_to_linear, linear_to_lab
from backend.photo.white_cue import WhiteCue
from backend.rendering.skin_model import SKIN, lab_on_curve, without_surface_reflection

# All tones between these luminances are about equally likely: a narrow prior would pull everybody to the middle.
DARKEST, LIGHTEST = 0.05, 0.44
DARK_END, LIGHT_END = 0.25, 0.12  # spread of the log luminance beyond the ends
LIKELY_ALBEDO, ALBEDO_SPREAD = 0.25, 2.0
# Light on the face (irradiance / pi where white is 1) of photos that are exposed well, with the spread of its logarithm
# below and above (flash, sun), and of those that are not.
TYPICAL_EXPOSURE, EXPOSURE_SPREAD, BRIGHT_SPREAD = 0.78, 0.32, 0.4
DIM_SHARE, DIM_SHIFT, DIM_SPREAD = 0.12, -0.9, 0.7
# The brightest parts of most photos are white things in the face's light; of the others, anything down to the face
# itself before a dark wall, which says little of the light.
WHITE_THINGS, WHITE_THING, WHITE_THING_SPREAD = 0.5, 0.9, 0.35
OTHER_BRIGHTEST = 0.3  # density of the log of the brightest parts' reflectance where they are no white things
SATURATED = 0.93  # brighter parts are only a lower bound
# What eyes and teeth show of the light, as logarithms: a + b log(luminance of the skin), because lids and lips reflect
# light on them; and how far the light may be below that and above. From the 178 photos of the training portraits; what
# eyes show and all scales were then tuned on 80 pictures, 39 Cycles pictures of ten training heads among them.
EYES_SHOW, EYES_BY_SKIN, EYES_BELOW, EYES_ABOVE = 0.4, 0.25, 0.25, 0.2
TEETH_SHOW, TEETH_BY_SKIN, TEETH_BELOW, TEETH_ABOVE, TEETH_TRUST = 0.37, 0.15, 0.17, 0.35, 0.8
# Log ratios of channels: skin about its usual colour, light about white, and the eyes' white.
SKIN_COLOUR_SPREAD, LIGHT_COLOUR_SPREAD, WHITE_COLOUR_SPREAD = 0.12, 0.13, 0.18
MOST_STRAYED = 0.3
_ALBEDOS = np.exp(np.linspace(np.log(0.035), np.log(0.47), 160))


def plausible_tone(observed: np.ndarray, white: WhiteCue | None = None, stops: float = 0.0) -> np.ndarray:
    """The skin's mean albedo float64 [3], linear, given light x albedo, float64 [3].

    One photo of skin cannot tell a bright light on dark skin from a dim light on fair skin. The posterior mean over
    log albedo, from how widely albedos and exposures spread, what the whites of eyes and teeth show of the light, how
    bright the photo is as a whole, and the colour, which is stronger in medium skin than in fair skin. Who knows better
    shifts it by `stops`, as far as skin goes.
    """
    luminance = max(float(observed @ LUMINANCE), 1e-4)
    seen = _log_ratios(observed)
    albedo = np.log(_ALBEDOS)
    exposure = np.log(luminance) - np.log(_ALBEDOS + SKIN.surface.of_skin)
    score = _albedo_score(albedo) + _exposure_score(exposure)
    if white:
        score += _brightest_score(exposure, white.brightest)
    if white and white.confidence > 0:
        eyes = np.log(max(float(white.level @ LUMINANCE), 1e-4)) - EYES_SHOW - EYES_BY_SKIN * albedo
        score += white.confidence * _cue_score(exposure - eyes, EYES_BELOW, EYES_ABOVE)
    if white and white.teeth is not None:
        teeth = np.log(max(float(white.teeth @ LUMINANCE), 1e-4)) - TEETH_SHOW - TEETH_BY_SKIN * albedo
        score += TEETH_TRUST * _cue_score(exposure - teeth, TEETH_BELOW, TEETH_ABOVE)
    light, light_variance = _light_colour(white)
    typical = np.stack([_log_ratios(_locus_colour(a + SKIN.surface.of_skin)) for a in _ALBEDOS])
    # Red and blue; green follows from the luminance.
    strayed = (seen - light - typical)[:, [0, 2]] ** 2 / (SKIN_COLOUR_SPREAD**2 + light_variance)
    score -= 4.0 * np.log1p(strayed.sum(1) / 6)  # Student's distribution: strange light must not decide alone
    probability = np.exp(score - score.max())
    level = float(np.exp(probability @ albedo / probability.sum()))
    return _tone_colour(seen, float(np.clip(level * 2**stops, _ALBEDOS[0], _ALBEDOS[-1])), white)


def _albedo_score(albedo: np.ndarray) -> np.ndarray:
    """Log probability of log luminances of albedo: nearly flat, with soft ends."""
    above = np.maximum(albedo - np.log(LIGHTEST), 0) / LIGHT_END
    below = np.maximum(np.log(DARKEST) - albedo, 0) / DARK_END
    middle = (albedo - np.log(LIKELY_ALBEDO)) / ALBEDO_SPREAD
    return -0.5 * (above**2 + below**2 + middle**2)


def _exposure_score(exposure: np.ndarray) -> np.ndarray:
    """Log probability of log light on the face."""
    typical = np.log(TYPICAL_EXPOSURE)
    spread = np.where(exposure < typical, EXPOSURE_SPREAD, BRIGHT_SPREAD)
    well = (1 - DIM_SHARE) / EXPOSURE_SPREAD * np.exp(-0.5 * np.square((exposure - typical) / spread))
    dim = DIM_SHARE / DIM_SPREAD * np.exp(-0.5 * np.square((exposure - typical - DIM_SHIFT) / DIM_SPREAD))
    return np.log(well + np.where(exposure < typical, dim, 0.0) + 1e-12)


def _brightest_score(exposure: np.ndarray, brightest: float) -> np.ndarray:
    """Log probability of the luminance of a photo's brightest parts where the face is in this log light."""
    reflectance = np.log(max(brightest, 1e-3)) - exposure
    strayed = (reflectance - np.log(WHITE_THING)) / WHITE_THING_SPREAD
    if brightest > SATURATED:
        strayed = np.maximum(strayed, 0)
    white = np.exp(-0.5 * np.square(strayed)) / (np.sqrt(2 * np.pi) * WHITE_THING_SPREAD)
    return np.log(WHITE_THINGS * white + (1 - WHITE_THINGS) * OTHER_BRIGHTEST)


def _cue_score(residual: np.ndarray, below: float, above: float) -> np.ndarray:
    """Log probability of (log light - what a cue shows), Student's t with 3 degrees of freedom, scales by side."""
    return -2.0 * np.log1p(np.square(residual / np.where(residual < 0, below, above)) / 3)


def _light_colour(white: WhiteCue | None) -> tuple[np.ndarray, float]:
    """Log ratios of the light's channels, float64 [3], about white and by eyes and teeth, and their variance."""
    cues = [(np.zeros(3), 1 / LIGHT_COLOUR_SPREAD**2)]
    if white and white.confidence > 0:
        cues.append((_log_ratios(white.level), white.confidence / WHITE_COLOUR_SPREAD**2))
    if white and white.teeth is not None:
        cues.append((_log_ratios(white.teeth), TEETH_TRUST / WHITE_COLOUR_SPREAD**2))
    precision = sum(weight for _, weight in cues)
    return np.sum([weight * ratios for ratios, weight in cues], axis=0) / precision, 1 / precision


def _tone_colour(seen: np.ndarray, level: float, white: WhiteCue | None) -> np.ndarray:
    """The albedo [3] of a luminance: its log ratios between what was seen and the locus, by their variances."""
    usual = _locus_colour(level + SKIN.surface.of_skin)
    light, variance = _light_colour(white)
    share = SKIN_COLOUR_SPREAD**2 / (SKIN_COLOUR_SPREAD**2 + variance)
    strayed = np.clip(share * (seen - light - _log_ratios(usual)), -MOST_STRAYED, MOST_STRAYED)
    colour = usual * np.exp(strayed)
    return without_surface_reflection(colour * (level + SKIN.surface.of_skin) / float(colour @ LUMINANCE))


def _log_ratios(colour: np.ndarray) -> np.ndarray:
    """Log of a colour's channels relative to its luminance, float64 [3]."""
    return np.log(np.maximum(colour, 1e-5) / max(float(colour @ LUMINANCE), 1e-5))


def _locus_colour(luminance: float) -> np.ndarray:
    """Linear RGB [3] on the skin locus at a luminance."""
    lightness = float(linear_to_lab(np.full(3, luminance))[0])
    return np.maximum(lab_to_linear(lab_on_curve(SKIN.colour.of_photos, lightness)), 1e-3)
