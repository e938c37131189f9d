"""How light the skin is: the split of what was seen into light and albedo, which one photo leaves open."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import SkinToneSettings
from backend.imaging.colour import LUMINANCE, lab_to_linear, linear_to_lab
from backend.photo.white_cue import WhiteCue
from backend.rendering.skin_model import SKIN, lab_on_curve, without_surface_reflection

RED_BLUE = [0, 2]  # what colours are told by; green follows from the luminance


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
    score += _light_kinds(seen, albedos, white, settings)[0]
    probability = np.exp(score - score.max())
    level = float(np.exp(probability @ albedo / probability.sum()))
    return _tone_colour(seen, float(np.clip(level * 2**stops, albedos[0], albedos[-1])), white, settings)


def turned(albedo: np.ndarray, hue: float, settings: SkinToneSettings = SkinToneSettings()) -> np.ndarray:
    """A skin's albedo float64 [3], linear, of the same luminance but redder, or yellower if `hue` is negative.

    Args:
        albedo: float64 [3].
        hue: -1 to 1.
    """
    colour = albedo * np.exp(hue * np.array(settings.reddest))
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


def _light_kinds(
    seen: np.ndarray, levels: np.ndarray, white: WhiteCue | None, settings: SkinToneSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Log probability [n] of the colours of skin, eyes and teeth for luminances [n] of the albedo, and how far [n, 2]
    the skin's log ratios are off the locus then.

    Usual light is nearly white, coloured light of many a colour, and light of neon or of strong filters of any; what
    eyes and teeth show tells of all, and of which it is. All is of red and blue.
    """
    cues = []
    if white and white.confidence > 0:
        cues.append((log_ratios(white.level)[RED_BLUE], white.confidence))
    if white and white.teeth is not None:
        cues.append((log_ratios(white.teeth)[RED_BLUE], settings.teeth_trust))
    usual = log_ratios(locus_colour(levels + SKIN.surface.of_skin))[:, RED_BLUE]
    of_skin, of_cue = np.square(settings.skin_colour_spread), settings.white_colour_spread**2
    logs, strayed = [], []
    for share, spread in (
        (1 - settings.coloured_share - settings.neon_share, settings.light_colour_spread),
        (settings.coloured_share, settings.coloured_spread),
        (settings.neon_share, settings.neon_spread),
    ):
        light, variance, log = np.zeros(2), np.square(spread) * np.ones(2), np.log(share)
        for shown, trust in cues:
            total = variance + of_cue / trust
            log += _log_normal(shown - light, total)
            light, variance = light + variance / total * (shown - light), variance * (1 - variance / total)
        apart = seen[RED_BLUE] - light - usual
        logs.append(log + _log_normal(apart, of_skin + variance))
        strayed.append(of_skin / (of_skin + variance) * apart)
    most = np.max(logs, axis=0)
    weights = np.exp(np.stack(logs) - most)
    total = weights.sum(axis=0)
    return most + np.log(total), np.einsum("kn,knc->nc", weights, np.stack(strayed)) / total[:, None]


def _log_normal(apart: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Log density [...], without its constant, of independent normal deviates [..., 2]."""
    return -0.5 * (np.square(apart) / variance + np.log(variance)).sum(axis=-1)


def _tone_colour(seen: np.ndarray, level: float, white: WhiteCue | None, settings: SkinToneSettings) -> np.ndarray:
    """The albedo [3] of a luminance: its log ratios between what was seen and the locus, by their variances."""
    usual = log_ratios(locus_colour(level + SKIN.surface.of_skin))[RED_BLUE]
    (strayed,) = _light_kinds(seen, np.array([level]), white, settings)[1]
    ratios = usual + np.clip(strayed, -settings.most_strayed, settings.most_strayed)
    colour = np.exp([ratios[0], _green_ratio(ratios), ratios[1]])
    return without_surface_reflection(colour * (level + SKIN.surface.of_skin))


def _green_ratio(red_blue: np.ndarray) -> float:
    """Log ratio of green to the luminance, by those of red and blue [2]."""
    rest = 1 - float(np.exp(red_blue) @ LUMINANCE[RED_BLUE])
    return float(np.log(max(rest, 1e-3) / LUMINANCE[1]))


def log_ratios(colour: np.ndarray) -> np.ndarray:
    """Log of a colour's channels relative to its luminance, float64 [..., 3]."""
    return np.log(np.maximum(colour, 1e-5) / np.maximum(colour @ LUMINANCE, 1e-5)[..., None])


def locus_colour(luminance: float | np.ndarray) -> np.ndarray:
    """Linear RGB [..., 3] on the skin locus at a luminance, or at several [...]."""
    lightness = linear_to_lab(np.repeat(np.asarray(luminance)[..., None], 3, axis=-1))[..., 0]
    return np.maximum(lab_to_linear(lab_on_curve(SKIN.colour.of_photos, lightness)), 1e-3)
