"""Seen skin, delit: which texels are trusted, highlights taken out, light evened out."""

from __future__ import annotations

import cv2
import numpy as np

from backend.texture.light import LUMINANCE
from backend.texture.regions import FaceRegions, plain_skin
from backend.texture.scale_space import MAD_TO_STD, inner_distance, masked_blur, smooth_step
from backend.texture.uv_space import mirror

EVEN_SIGMA_MM = 13.0
LUMINANCE_KEPT, COLOUR_KEPT = 0.25, 0.55  # of the broad differences between parts of a face that even light leaves
RESIDUAL_SCALE, BROAD_SCALE = 0.12, 0.45
# Log luminance above the median; the knee is where pressing sets in.
BRIGHTEST_SKIN, BRIGHTEST_LIPS, BRIGHT_KNEE = 0.32, 0.22, 0.15
BORDER_MM, FEATHER_MM, DOUBTFUL_MM = 16.0, 7.0, 15.0
# Around brows and eyes skin may be dark, rough and of another colour (hair, lashes, creases), so far from the border.
LASHES_MM, LASHES_INSIDE_MM = 4.0, (4.0, 8.0)
ROUGH, ROUGHEST = 1.7, 2.7  # how many times rougher than most of the skin hair is
BEARD_ROUGH, BEARD_DARK = (1.6, 2.2), (0.5, 0.8)  # a beard's roughness, likewise, and darkness (log luminance)
# Hair on forehead and temples: how rough, how dark where shorn (log luminance), how far beyond the landmarks' forehead
# it is looked for, how near to the border it must come, and half the width of the gaps in it that count as hair.
HAIRLINE_ROUGH, SHORN_DARK, SHEEN = (1.35, 1.9), (0.25, 0.45), (0.15, 0.35)
HAIRLINE_REACH_MM, HAIRLINE_START_MM, HAIRLINE_GAP_MM = 20.0, 4.0, 3.0
# Half the width of what is left out where it is apart from the face: of anything, and of what is many times as long.
SLIVER_MM, STRIP_MM, STRIP_LENGTH = 4.0, 14.0, 4.0
# Shade in folds: how broad, against what surroundings, what is left of it (log luminance), and the share lifted.
FOLD_MM, FOLD_SURROUNDINGS_MM, FOLD_LEFT, FOLD_LIFT = 0.8, 10.0, 0.06, 0.65
BURNT, BURNT_OUT = 0.5, 0.7  # linear level of the darkest channel from where on highlights leave nothing of the skin
BURNT_REACH_MM = 6.0


def trusted(
    log_albedo: np.ndarray,  # float32 [H, W, 3], provisional albedo where seen
    visibility: np.ndarray,  # float32 [H, W]
    regions: FaceRegions,
) -> np.ndarray:
    """Visibility float32 [H, W] without hair, cloth and background that the mask let through.

    Judged by the difference from the person's tone, over a few millimetres: darker where no brow or beard grows,
    brighter, of another colour; or rough as strands of hair are. Slivers apart from the face are left out.
    """
    weight = visibility * plain_skin(regions)
    tone, _ = robust_tone(log_albedo, weight)
    smooth = masked_blur(log_albedo, visibility, 1.5 * regions.texels_per_mm) - tone
    luminance = smooth @ LUMINANCE
    colour = np.abs(smooth - luminance[..., None]).max(-1)
    # Hair and cloth come in from the border: the nearer to it, the less may a texel differ.
    border = border_distance(visibility, regions)
    depth = smooth_step(border, 0, DOUBTFUL_MM * regions.texels_per_mm)
    # What is next to the border beside a brow is the hair of the temple, or the background.
    inside = smooth_step(border / regions.texels_per_mm, *LASHES_INSIDE_MM)
    lashes = inside * _grown(np.maximum(regions.brows, regions.eyes), LASHES_MM * regions.texels_per_mm)
    haired = np.maximum.reduce([lashes, regions.brows, regions.beard, regions.lips, regions.eyes, regions.nose])
    dark = smooth_step(-luminance - 0.35 * depth, 0.28, 0.5) * (1 - haired)
    bright = smooth_step(luminance - 0.35 * depth, 0.35, 0.6)
    rough = _roughness(log_albedo @ LUMINANCE, visibility, weight, regions)
    # Beards are of another colour than skin, and grey ones brighter; they are rough, or dark as no skin is.
    bearded = np.maximum(smooth_step(rough, *BEARD_ROUGH), smooth_step(-luminance, *BEARD_DARK))
    bearded = inside * regions.beard * regions.face * _grown(bearded, LASHES_MM * regions.texels_per_mm)
    foreign = np.maximum(smooth_step(colour - 0.2 * depth, 0.12, 0.25), bright)
    own_colour = np.maximum.reduce([regions.lips, regions.eyes, lashes, bearded])
    foreign = foreign * (1 - own_colour) * (1 - 0.5 * depth * regions.face)
    hairy = smooth_step(rough, ROUGH, ROUGHEST) * (1 - depth**2) * (1 - haired)
    hairline = _hairline(rough, luminance, visibility, np.maximum(lashes, regions.brows), regions)
    doubt = np.maximum.reduce([dark, foreign, hairy, hairline])
    kept = without_slivers(visibility * (1 - _grown(doubt, 2.0 * regions.texels_per_mm)), regions)
    feather = smooth_step(border_distance(kept, regions), 0, FEATHER_MM * regions.texels_per_mm)
    return (kept * feather).astype(np.float32)


def _grown(area: np.ndarray, texels: float) -> np.ndarray:
    """An area [H, W] and what is up to so many texels from it."""
    reach = max(1, round(texels))
    return cv2.dilate(area, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1)))


def _roughness(luminance: np.ndarray, visibility: np.ndarray, plain: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """How much log luminance varies over a millimetre, 1 as on most of the `plain` skin; all [H, W]."""
    fine = np.square(luminance - masked_blur(luminance, visibility, 1.0 * regions.texels_per_mm))
    rough = np.sqrt(np.maximum(masked_blur(fine, visibility, 2.0 * regions.texels_per_mm), 0))
    inside = plain > 0.5
    usual = float(np.median(rough[inside])) if inside.any() else 0.0
    return rough / max(usual, 0.015)


def _hairline(
    rough: np.ndarray, luminance: np.ndarray, visibility: np.ndarray, brows: np.ndarray, regions: FaceRegions
) -> np.ndarray:
    """1 on hair that grows from the border of what was seen into forehead and temples, however deep; all [H, W].

    Strands are rough, shorn hair is dark and a little rough. Wrinkles and shade that do not come from the border stay,
    and so does what lies on or beside the `brows`.
    """
    reach = round(HAIRLINE_REACH_MM * regions.texels_per_mm)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    free = (1 - brows) * (1 - regions.eyes) * (1 - regions.beard) * (1 - regions.nose)
    zone = cv2.dilate(regions.forehead, kernel) * free
    shorn = smooth_step(-luminance, *SHORN_DARK) * smooth_step(rough, 0.9, 1.3)
    # Sheen shows every pore of a forehead, but it is bright.
    strands = smooth_step(rough, *HAIRLINE_ROUGH) * (1 - smooth_step(luminance, *SHEEN))
    hair = np.maximum(strands, shorn) * zone * (visibility > 0)
    _, labels = cv2.connectedComponents((hair > 0.3).astype(np.uint8), connectivity=8)
    at_border = border_distance(visibility, regions) < HAIRLINE_START_MM * regions.texels_per_mm
    growing = np.setdiff1d(np.unique(np.asarray(labels)[at_border]), [0])
    hair = (hair * np.isin(labels, growing)).astype(np.float32)
    # The skin between strands is too little to tell the albedo by.
    gap = max(1, round(HAIRLINE_GAP_MM * regions.texels_per_mm))
    return cv2.morphologyEx(hair, cv2.MORPH_CLOSE, np.ones((2 * gap + 1, 2 * gap + 1), np.uint8))


def without_slivers(weight: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """Weight [H, W] without narrow parts that touch the face nowhere: strips of neck over collars, rims of ears.

    What is known of them is little, and it would be spread over all that is unseen around them.
    """
    seen = (weight > 0.3) | ((regions.eyes > 0.2) | (regions.lips > 0.2) | (regions.nose > 0.2))
    count, labels, areas, _ = cv2.connectedComponentsWithStats(seen.astype(np.uint8), connectivity=8)
    if count <= 2:
        return weight
    depth = inner_distance(seen)
    largest = 1 + int(areas[1:, cv2.CC_STAT_AREA].argmax())
    kept_parts = [largest]
    for part in range(1, count):
        half = float(depth[labels == part].max())
        length = areas[part, cv2.CC_STAT_AREA] / (2 * half)
        narrowest = STRIP_MM if length > STRIP_LENGTH * 2 * half else SLIVER_MM
        if half > narrowest * regions.texels_per_mm:
            kept_parts.append(part)
    kept = np.isin(labels, kept_parts).astype(np.uint8)
    # The soft border of what is kept stays.
    return weight * cv2.dilate(kept, np.ones((5, 5), np.uint8))


def border_distance(weight: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """Distance float32 [H, W] in texels to the outer border of what has weight: hairline, jaw, collar.

    The holes of eyes, nostrils and mouth are no border: skin is sharp up to them.
    """
    # Straggling hair and single texels do not make a border either.
    holes = np.maximum.reduce([regions.eyes, regions.lips, regions.nose]) > 0.2
    return inner_distance((weight > 0.3) | holes)


def robust_tone(log_albedo: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, float]:
    """Median log albedo float64 [3] of texels of some weight, and the spread of their luminance."""
    inside = weight > 0.5 * max(float(weight.max(initial=0)), 1e-6)
    values = log_albedo[inside]
    tone = np.median(values, axis=0)
    spread = MAD_TO_STD * float(np.median(np.abs((values - tone) @ LUMINANCE)))
    return tone, spread


def highlights(
    texture: np.ndarray,  # float32 [H, W, 3], linear
    predicted: np.ndarray,  # float32 [H, W, 3], skin of even tone under the estimated light
    weight: np.ndarray,  # float32 [H, W], seen
    regions: FaceRegions,
) -> np.ndarray:
    """Specular light float32 [H, W] to subtract from all channels (the light is nearly white).

    Dichromatic separation (Shafer 1985): skin's own colour has a local ratio of blue to red, white light moves it
    towards 1. Only what is also brighter than the surrounding diffuse skin counts, so that pale spots stay.
    """
    red, blue = texture[..., 0], texture[..., 2]
    ratio = np.clip(blue / np.maximum(red, 1e-4), 0.02, 0.98)
    luminance = texture @ LUMINANCE
    expected = np.maximum(predicted @ LUMINANCE, 1e-4)
    excess_log = np.log(np.maximum(luminance, 1e-4)) - np.log(expected)
    dull = weight / (1 + np.square(np.maximum(excess_log, 0) / 0.08)) ** 2 * (1 - regions.lips)
    sigma = 10 * regions.texels_per_mm
    skin_ratio = np.clip(masked_blur(ratio, dull + 1e-4 * weight, sigma), 0.05, 0.9)
    by_colour = np.maximum(blue - skin_ratio * red, 0) / (1 - skin_ratio)
    level = masked_blur(excess_log, dull + 1e-4 * weight, sigma)
    excess = np.maximum(luminance - expected * np.exp(level), 0)
    # Nothing more where the camera saturates: steps at the border of what is clipped show longer than a highlight.
    specular = np.minimum(excess, by_colour)
    return masked_blur(specular, weight, max(0.4 * regions.texels_per_mm, 0.5)) * smooth_step(weight, 0, 0.5)


def even_colour(
    log_albedo: np.ndarray,  # float32 [H, W, 3]
    shine: np.ndarray,  # float32 [H, W] in [0, 1], share of the seen light that was specular
    weight: np.ndarray,
    regions: FaceRegions,
) -> np.ndarray:
    """Log albedo without casts of colour over a few millimetres and more: leftovers of highlights and coloured light.

    Skin's own colour varies broadly and mildly; what strays further, towards grey above all, is drawn back, and where
    the light was specular its colour is the surroundings'. Lips, eyes and brows keep theirs.
    """
    luminance = log_albedo @ LUMINANCE
    colour = log_albedo - luminance[..., None]
    plain = weight * np.square(1 - shine) * (1 - regions.lips) * (1 - regions.brows) * (1 - 0.7 * regions.eyes)
    broad = _robust_level(colour, plain + 1e-4 * weight, 12 * regions.texels_per_mm)
    local = masked_blur(colour, weight, 1.5 * regions.texels_per_mm)
    free = (1 - regions.lips) * (1 - 0.8 * regions.brows) * (1 - 0.5 * regions.eyes) * weight
    stray = local - broad
    # Redness (noses, cheeks, blemishes) is skin; grey and blue casts are not: red falling against the rest.
    cast = smooth_step(-stray[..., 0], 0.0, 0.06)
    strength = np.maximum(0.25 + 0.6 * cast, smooth_step(shine, 0.1, 0.4)) * free
    own = colour - local
    calmed = own * (smooth_step(shine, 0.1, 0.4) * free * -0.8 + 1)[..., None]
    mended = local - strength[..., None] * stray + calmed
    return log_albedo + (mended - colour) * smooth_step(weight, 0, 0.3)[..., None]


def soften_bright(log_albedo: np.ndarray, weight: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """Log albedo in which broad patches brighter than the skin around them, leftovers of highlights, are halved."""
    luminance = log_albedo @ LUMINANCE
    level = _robust_level(luminance, weight * (1 - regions.lips), 12 * regions.texels_per_mm)
    patch = masked_blur(luminance, weight, 1.2 * regions.texels_per_mm) - level
    correction = -0.6 * np.maximum(patch - 0.04, 0) * (1 - regions.eyes * 0.5)
    return log_albedo + (correction * weight)[..., None]


def soften_dark(log_albedo: np.ndarray, weight: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """Log albedo in which broad patches darker than the skin around them are made fainter.

    They are the shade in folds that the fitted head does not have: beside a smiling mouth and the nose, under a lip.
    Brows, lids, lips, nostrils and beards are dark by themselves, and moles are smaller.
    """
    luminance = log_albedo @ LUMINANCE
    tone, _ = robust_tone(log_albedo, weight * plain_skin(regions))
    bearded = beardedness(luminance - float(tone @ LUMINANCE), weight, regions)
    hairless = (1 - regions.lips) * (1 - regions.brows) * (1 - regions.eyes) * (1 - regions.nose)
    level = _robust_level(luminance, weight * hairless, FOLD_SURROUNDINGS_MM * regions.texels_per_mm)
    patch = level - masked_blur(luminance, weight, FOLD_MM * regions.texels_per_mm)
    free = weight * hairless * (1 - bearded * regions.beard)
    return log_albedo + (FOLD_LIFT * np.maximum(patch - FOLD_LEFT, 0) * free)[..., None]


def limit_bright(log_albedo: np.ndarray, weight: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """Log albedo whose luminance ends softly a little above the person's tone, and on the lips above the lips' own.

    What is brighter was not lit as the coarse geometry thinks (folds, nose wings, the lips' inner rim), or shines.
    """
    luminance = log_albedo @ LUMINANCE
    skin_tone, _ = robust_tone(log_albedo, weight * plain_skin(regions))
    limit = np.full(luminance.shape, skin_tone @ LUMINANCE + BRIGHTEST_SKIN, np.float32)
    on_lips = (regions.lips * weight) > 0.6
    if np.count_nonzero(on_lips) > 50:
        lips = float(np.median(luminance[on_lips])) + BRIGHTEST_LIPS
        limit += regions.lips * (np.minimum(lips, limit) - limit)
    over = np.maximum(luminance - (limit - BRIGHT_KNEE), 0)
    pressed = BRIGHT_KNEE * (1 - np.exp(-over / BRIGHT_KNEE))
    return log_albedo - (over - pressed)[..., None]


def over_burnt(
    log_albedo: np.ndarray,  # float32 [H, W, 3]
    texture: np.ndarray,  # float32 [H, W, 3], linear
    weight: np.ndarray,
    regions: FaceRegions,
) -> np.ndarray:
    """Log albedo in which burnt-out highlights, flat and white, take the colour of the skin around them."""
    level = masked_blur(texture.min(-1), weight, 0.7 * regions.texels_per_mm)
    burnt = smooth_step(level, BURNT, BURNT_OUT) * (1 - regions.eyes)
    if not burnt.any():
        return log_albedo
    around = masked_blur(log_albedo, weight * (1 - burnt) + 1e-5 * weight, BURNT_REACH_MM * regions.texels_per_mm)
    return log_albedo + burnt[..., None] * (around - log_albedo)


def even_out(log_albedo: np.ndarray, weight: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """Log albedo float32 [H, W, 3] without the broad shading that order-2 light cannot explain.

    The face's broad variation is made the same on both sides, drawn towards the person's tone, and put in place of
    the old one; all the more towards the border of what was seen, where the view grazes the skin and sheen and the
    fit's errors show. Lips, brows and beards do not take part in measuring it, so they stay as they are.
    """
    tone, _ = robust_tone(log_albedo, weight * plain_skin(regions))
    deviation = log_albedo - tone.astype(np.float32)
    bearded = beardedness(deviation @ LUMINANCE, weight, regions)
    level = weight * (1 - regions.lips) * (1 - regions.brows) * (1 - 0.7 * regions.eyes)
    scale = BROAD_SCALE + bearded * regions.beard * (RESIDUAL_SCALE - BROAD_SCALE)
    inner = smooth_step(border_distance(weight, regions), 0, BORDER_MM * regions.texels_per_mm)
    inner = np.maximum(inner, bearded * regions.beard)[..., None]

    sigma = EVEN_SIGMA_MM * regions.texels_per_mm
    broad = _robust_level(deviation, level, sigma, scale)
    support = masked_blur(level, np.ones_like(level), sigma)[..., None]
    both = (broad * support + mirror(broad * support)) / np.maximum(support + mirror(support), 1e-4)
    wanted = _scaled(both, LUMINANCE_KEPT * (0.2 + 0.8 * inner), COLOUR_KEPT * (0.2 + 0.8 * inner))
    corrected = deviation + np.where(support > 1e-3, wanted - broad, 0)
    # Inside, finer variation is the face's own; at the border it is not. Where little plain skin is near, next to eyes
    # and brows, the finer level says nothing.
    fine = _robust_level(corrected, level, sigma / 3, scale)
    near = smooth_step(masked_blur(level, weight, sigma / 3), 0.2, 0.6)[..., None]
    corrected = corrected - near * (1 - inner) * _scaled(fine, 0.8 * np.ones_like(inner), np.ones_like(inner))
    return (corrected + tone).astype(np.float32)


def _scaled(log_values: np.ndarray, luminance_gain: np.ndarray, colour_gain: np.ndarray) -> np.ndarray:
    """Log values [H, W, 3] with their luminance and their colour scaled by gains [H, W, 1]."""
    luminance = (log_values @ LUMINANCE)[..., None]
    return luminance_gain * luminance + colour_gain * (log_values - luminance)


def beardedness(deviation: np.ndarray, weight: np.ndarray, regions: FaceRegions) -> float:
    """0 shaven to 1 bearded: skin around the mouth darker than the tone (log luminance), and rougher than the cheeks.

    Dark alone is not enough, because the light often fails there and some skins are darker around the mouth, unless it
    is as dark as no skin would be.
    """
    # Around the mouth only: jaws also turn dark for want of light.
    near_mouth = cv2.dilate(regions.lips, np.ones((3, 3), np.uint8), iterations=round(14 * regions.texels_per_mm))
    core = (regions.beard * near_mouth * (1 - regions.lips) * weight) > 0.6
    cheeks = (plain_skin(regions) * (1 - regions.beard) * (1 - regions.forehead) * (1 - regions.nose) * weight) > 0.6
    if min(np.count_nonzero(core), np.count_nonzero(cheeks)) < 50:
        return 0.0
    darkness = -float(np.quantile(deviation[core], 0.4) - np.median(deviation[cheeks]))
    fine = np.abs(deviation - masked_blur(deviation, weight, 1.0 * regions.texels_per_mm))
    roughness = float(np.median(fine[core]) / max(np.median(fine[cheeks]), 1e-4))
    rough_and_dark = smooth_step(darkness, 0.08, 0.2) * smooth_step(roughness, 1.3, 1.9)
    return float(max(rough_and_dark, smooth_step(darkness, 0.45, 0.7)))


def _robust_level(
    values: np.ndarray, weight: np.ndarray, sigma: float, scale: float | np.ndarray = RESIDUAL_SCALE
) -> np.ndarray:
    """Blur that leaves out what differs by more than `scale` from its surroundings: hair, cores of shadows, moles."""
    level = masked_blur(values, weight, sigma)
    for _ in range(3):
        residual = values - level if values.ndim == 2 else np.abs(values - level).max(-1)
        robust = weight / np.square(1 + np.square(residual / scale))
        level = masked_blur(values, robust + 1e-4 * weight, sigma)
    return level


def interior(weight: np.ndarray, texels: float) -> np.ndarray:
    """Weight [H, W] that rises over `texels` inside the border of what was seen."""
    return weight * smooth_step(inner_distance(weight > 0.3), 0, max(texels, 1.5))
