"""How light the skin is: the split of what was seen into light and albedo, which one photo leaves open."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import SkinToneSettings
from backend.imaging.colour import LUMINANCE, lab_to_linear, linear_to_lab
from backend.photo.white_cue import WhiteCue
from backend.rendering.skin_model import SKIN, lab_on_curve, without_surface_reflection


def plausible_tone(
    observed: np.ndarray,
    white: WhiteCue | None = None,
    stops: float = 0.0,
    settings: SkinToneSettings = SkinToneSettings(),
) -> np.ndarray:
    """The skin's mean albedo float64 [3], linear, given light x albedo, float64 [3].

    One photo of skin cannot tell a bright light on dark skin from a dim light on fair skin. The posterior mean over
    log albedo, from how widely albedos and exposures spread, what the whites of eyes and teeth show of the light, how
    bright the photo is as a whole, and the colour, which is stronger in medium skin than in fair skin. Who knows better
    shifts it by `stops`, as far as skin goes.
    """
    luminance = max(float(observed @ LUMINANCE), 1e-4)
    seen = log_ratios(observed)
    darkest, lightest = settings.albedos
    albedos = np.exp(np.linspace(np.log(darkest), np.log(lightest), settings.albedo_steps))
    albedo = np.log(albedos)
    exposure = np.log(luminance) - np.log(albedos + SKIN.surface.of_skin)
    score = _albedo_score(albedo, settings) + _exposure_score(exposure, settings)
    if white:
        score += _brightest_score(exposure, white.brightest, settings)
    if white and white.confidence > 0:
        eyes = np.log(max(float(white.level @ LUMINANCE), 1e-4)) - settings.eyes_show - settings.eyes_by_skin * albedo
        score += white.confidence * _cue_score(exposure - eyes, settings.eyes_below, settings.eyes_above)
    if white and white.teeth is not None:
        teeth = (
            np.log(max(float(white.teeth @ LUMINANCE), 1e-4)) - settings.teeth_show - settings.teeth_by_skin * albedo
        )
        score += settings.teeth_trust * _cue_score(exposure - teeth, settings.teeth_below, settings.teeth_above)
    light, light_variance = _light_colour(white, settings)
    typical = np.stack([log_ratios(locus_colour(a + SKIN.surface.of_skin)) for a in albedos])
    # Red and blue; green follows from the luminance.
    strayed = (seen - light - typical)[:, [0, 2]] ** 2 / (settings.skin_colour_spread**2 + light_variance)
    # Student's distribution: strange light must not decide alone.
    degrees = settings.colour_degrees
    score -= (degrees + 2) / 2 * np.log1p(strayed.sum(1) / degrees)
    probability = np.exp(score - score.max())
    level = float(np.exp(probability @ albedo / probability.sum()))
    return _tone_colour(seen, float(np.clip(level * 2**stops, albedos[0], albedos[-1])), white, settings)


def turned(albedo: np.ndarray, hue: float, settings: SkinToneSettings = SkinToneSettings()) -> np.ndarray:
    """A skin's albedo float64 [3], linear, of the same luminance but redder, or yellower if `hue` is negative.

    Args:
        albedo: float64 [3].
        hue: -1 to 1.
    """
    colour = albedo * np.exp(hue * settings.reddest * np.array([0.5, -0.5, 0.5]))
    return colour * float(albedo @ LUMINANCE) / float(colour @ LUMINANCE)


def _albedo_score(albedo: np.ndarray, settings: SkinToneSettings) -> np.ndarray:
    """Log probability of log luminances of albedo: nearly flat, with soft ends."""
    above = np.maximum(albedo - np.log(settings.likely[1]), 0) / settings.above
    below = np.maximum(np.log(settings.likely[0]) - albedo, 0) / settings.below
    middle = (albedo - np.log(settings.middle)) / settings.middle_spread
    return -0.5 * (above**2 + below**2 + middle**2)


def _exposure_score(exposure: np.ndarray, settings: SkinToneSettings) -> np.ndarray:
    """Log probability of log light on the face."""
    typical = np.log(settings.exposure)
    spread = np.where(exposure < typical, settings.darker_spread, settings.brighter_spread)
    well = (1 - settings.dim_share) / settings.darker_spread * np.exp(-0.5 * np.square((exposure - typical) / spread))
    dim = (
        settings.dim_share
        / settings.dim_spread
        * np.exp(-0.5 * np.square((exposure - typical - settings.dim_shift) / settings.dim_spread))
    )
    return np.log(well + np.where(exposure < typical, dim, 0.0) + 1e-12)


def _brightest_score(exposure: np.ndarray, brightest: float, settings: SkinToneSettings) -> np.ndarray:
    """Log probability of the luminance of a photo's brightest parts where the face is in this log light."""
    reflectance = np.log(max(brightest, 1e-3)) - exposure
    strayed = (reflectance - np.log(settings.white_thing)) / settings.white_thing_spread
    if brightest > settings.saturated:
        strayed = np.maximum(strayed, 0)
    white = np.exp(-0.5 * np.square(strayed)) / (np.sqrt(2 * np.pi) * settings.white_thing_spread)
    return np.log(settings.white_things * white + (1 - settings.white_things) * settings.other_brightest)


def _cue_score(residual: np.ndarray, below: float, above: float) -> np.ndarray:
    """Log probability of (log light - what a cue shows), Student's t with 3 degrees of freedom, scales by side."""
    return -2.0 * np.log1p(np.square(residual / np.where(residual < 0, below, above)) / 3)


def _light_colour(white: WhiteCue | None, settings: SkinToneSettings) -> tuple[np.ndarray, float]:
    """Log ratios of the light's channels, float64 [3], about white and by eyes and teeth, and their variance."""
    cues = [(np.zeros(3), 1 / settings.light_colour_spread**2)]
    if white and white.confidence > 0:
        cues.append((log_ratios(white.level), white.confidence / settings.white_colour_spread**2))
    if white and white.teeth is not None:
        cues.append((log_ratios(white.teeth), settings.teeth_trust / settings.white_colour_spread**2))
    precision = sum(weight for _, weight in cues)
    return np.sum([weight * ratios for ratios, weight in cues], axis=0) / precision, 1 / precision


def _tone_colour(seen: np.ndarray, level: float, white: WhiteCue | None, settings: SkinToneSettings) -> np.ndarray:
    """The albedo [3] of a luminance: its log ratios between what was seen and the locus, by their variances."""
    usual = locus_colour(level + SKIN.surface.of_skin)
    light, variance = _light_colour(white, settings)
    apart = seen - light - log_ratios(usual)
    # Beyond what skins and usual lights differ by, the light is coloured: a mixture of both kinds of light.
    shares, weights = [], []
    kinds = ((1 - settings.coloured_share, variance), (settings.coloured_share, settings.coloured_spread**2))
    for share, spread in kinds:
        total = settings.skin_colour_spread**2 + spread
        shares.append(settings.skin_colour_spread**2 / total)
        weights.append(share / total * np.exp(-0.5 * float(np.square(apart[[0, 2]]).sum()) / total))
    share = float(np.dot(shares, weights) / max(np.sum(weights), 1e-300))
    strayed = np.clip(share * apart, -settings.most_strayed, settings.most_strayed)
    colour = usual * np.exp(strayed)
    return without_surface_reflection(colour * (level + SKIN.surface.of_skin) / float(colour @ LUMINANCE))


def log_ratios(colour: np.ndarray) -> np.ndarray:
    """Log of a colour's channels relative to its luminance, float64 [3]."""
    return np.log(np.maximum(colour, 1e-5) / max(float(colour @ LUMINANCE), 1e-5))


def locus_colour(luminance: float) -> np.ndarray:
    """Linear RGB [3] on the skin locus at a luminance."""
    lightness = float(linear_to_lab(np.full(3, luminance))[0])
    return np.maximum(lab_to_linear(lab_on_curve(SKIN.colour.of_photos, lightness)), 1e-3)
