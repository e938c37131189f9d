"""Seen skin, delit: which texels are trusted, highlights taken out, light evened out."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import CorrectionSettings
from backend.delight.robust import beardedness, border_distance, robust_level, robust_tone
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import masked_blur, smooth_step
from backend.texture.regions import FaceRegions, plain_skin
from backend.texture.uv_space import mirror


def soften_bright(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    regions: FaceRegions,
    settings: CorrectionSettings = CorrectionSettings(),
) -> np.ndarray:
    """Log albedo in which broad patches brighter than the skin around them, leftovers of highlights, are halved."""
    luminance = log_albedo @ LUMINANCE
    level = robust_level(luminance, weight * (1 - regions.lips), settings.bright_around_mm * regions.texels_per_mm)
    patch = masked_blur(luminance, weight, settings.bright_patch_mm * regions.texels_per_mm) - level
    correction = -settings.bright_lowered * np.maximum(patch - settings.bright_left, 0) * (1 - regions.eyes * 0.5)
    return log_albedo + (correction * weight)[..., None]


def soften_dark(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    regions: FaceRegions,
    settings: CorrectionSettings = CorrectionSettings(),
) -> np.ndarray:
    """Log albedo in which broad patches darker than the skin around them are made fainter.

    They are the shade in folds that the fitted head does not have: beside a smiling mouth and the nose, under a lip.
    Brows, lids, lips, nostrils and beards are dark by themselves, and moles are smaller.
    """
    luminance = log_albedo @ LUMINANCE
    tone, _ = robust_tone(log_albedo, weight * plain_skin(regions))
    bearded = beardedness(luminance - float(tone @ LUMINANCE), weight, regions)
    hairless = (1 - regions.lips) * (1 - regions.brows) * (1 - regions.eyes) * (1 - regions.nose)
    level = robust_level(luminance, weight * hairless, settings.fold_surroundings_mm * regions.texels_per_mm)
    patch = level - masked_blur(luminance, weight, settings.fold_mm * regions.texels_per_mm)
    free = weight * hairless * (1 - bearded * regions.beard)
    return log_albedo + (settings.fold_lift * np.maximum(patch - settings.fold_left, 0) * free)[..., None]


def limit_bright(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    regions: FaceRegions,
    settings: CorrectionSettings = CorrectionSettings(),
) -> np.ndarray:
    """Log albedo whose luminance ends softly a little above the person's tone, and on the lips above the lips' own.

    What is brighter was not lit as the coarse geometry thinks (folds, nose wings, the lips' inner rim), or shines.
    """
    luminance = log_albedo @ LUMINANCE
    skin_tone, _ = robust_tone(log_albedo, weight * plain_skin(regions))
    limit = np.full(luminance.shape, skin_tone @ LUMINANCE + settings.brightest_skin, np.float32)
    on_lips = (regions.lips * weight) > 0.6
    if np.count_nonzero(on_lips) > 50:
        lips = float(np.median(luminance[on_lips])) + settings.brightest_lips
        limit += regions.lips * (np.minimum(lips, limit) - limit)
    over = np.maximum(luminance - (limit - settings.bright_knee), 0)
    pressed = settings.bright_knee * (1 - np.exp(-over / settings.bright_knee))
    return log_albedo - (over - pressed)[..., None]


def even_out(
    log_albedo: np.ndarray,
    weight: np.ndarray,
    regions: FaceRegions,
    settings: CorrectionSettings = CorrectionSettings(),
) -> np.ndarray:
    """Log albedo float32 [H, W, 3] without the broad shading that order-2 light cannot explain.

    The face's broad variation is made the same on both sides, drawn towards the person's tone, and put in place of
    the old one; all the more towards the border of what was seen, where the view grazes the skin and sheen and the
    fit's errors show. Lips, brows and beards do not take part in measuring it, so they stay as they are.
    """
    tone, _ = robust_tone(log_albedo, weight * plain_skin(regions))
    deviation = log_albedo - tone.astype(np.float32)
    bearded = beardedness(deviation @ LUMINANCE, weight, regions)
    level = weight * (1 - regions.lips) * (1 - regions.brows) * (1 - 0.7 * regions.eyes)
    usual, broadly = settings.level.usual_scale, settings.level.broad_scale
    scale = broadly + bearded * regions.beard * (usual - broadly)
    inner = smooth_step(border_distance(weight, regions), 0, settings.border_mm * regions.texels_per_mm)
    inner = np.maximum(inner, bearded * regions.beard)[..., None]

    sigma = settings.even_mm * regions.texels_per_mm
    broad = robust_level(deviation, level, sigma, scale)
    support = masked_blur(level, np.ones_like(level), sigma)[..., None]
    both = (broad * support + mirror(broad * support)) / np.maximum(support + mirror(support), 1e-4)
    wanted = _scaled(both, settings.luminance_kept * (0.2 + 0.8 * inner), settings.colour_kept * (0.2 + 0.8 * inner))
    corrected = deviation + np.where(support > 1e-3, wanted - broad, 0)
    # Inside, finer variation is the face's own; at the border it is not. Where little plain skin is near, next to eyes
    # and brows, the finer level says nothing.
    fine = robust_level(corrected, level, sigma / 3, scale)
    near = smooth_step(masked_blur(level, weight, sigma / 3), 0.2, 0.6)[..., None]
    corrected = corrected - near * (1 - inner) * _scaled(fine, 0.8 * np.ones_like(inner), np.ones_like(inner))
    return (corrected + tone).astype(np.float32)


def _scaled(log_values: np.ndarray, luminance_gain: np.ndarray, colour_gain: np.ndarray) -> np.ndarray:
    """Log values [H, W, 3] with their luminance and their colour scaled by gains [H, W, 1]."""
    luminance = (log_values @ LUMINANCE)[..., None]
    return luminance_gain * luminance + colour_gain * (log_values - luminance)
