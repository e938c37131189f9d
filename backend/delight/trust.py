"""Which of the texels that the photo shows are trusted to be the person's skin."""

from __future__ import annotations

import cv2
import numpy as np

from backend.delight.parameters import TrustSettings
from backend.delight.robust import border_distance, robust_tone
from backend.imaging.channels import largest
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import inner_distance, masked_blur, smooth_step
from backend.texture.regions import FaceRegions, plain_skin


def trusted(
    log_albedo: np.ndarray,  # float32 [H, W, 3], provisional albedo where seen
    visibility: np.ndarray,  # float32 [H, W]
    regions: FaceRegions,
    settings: TrustSettings = TrustSettings(),
) -> np.ndarray:
    """Visibility float32 [H, W] without hair, cloth and background that the mask let through.

    Judged by the difference from the person's tone, over a few millimetres: darker where no brow or beard grows,
    brighter, of another colour; or rough as strands of hair are. Slivers apart from the face are left out.
    """
    weight = visibility * plain_skin(regions)
    tone, _ = robust_tone(log_albedo, weight)
    smooth = masked_blur(log_albedo, visibility, 1.5 * regions.texels_per_mm) - tone
    luminance = smooth @ LUMINANCE
    colour = largest(np.abs(smooth - luminance[..., None]))
    # Hair and cloth come in from the border: the nearer to it, the less may a texel differ.
    border = border_distance(visibility, regions)
    depth = smooth_step(border, 0, settings.doubtful_mm * regions.texels_per_mm)
    # What is next to the border beside a brow is the hair of the temple, or the background.
    inside = smooth_step(border / regions.texels_per_mm, *settings.lashes_inside_mm)
    lashes = inside * _grown(np.maximum(regions.brows, regions.eyes), settings.lashes_mm * regions.texels_per_mm)
    haired = np.maximum.reduce([lashes, regions.brows, regions.beard, regions.lips, regions.eyes, regions.nose])
    dark_places = haired * (1 - regions.beard * (1 - regions.lips))
    unlit = dark_places * _unlit(luminance, weight, visibility * dark_places, regions, settings)
    dark = smooth_step(-luminance - 0.35 * depth, 0.28, 0.5) * np.maximum(1 - haired, unlit)
    bright = smooth_step(luminance - 0.35 * depth, 0.35, 0.6)
    rough = _roughness(log_albedo @ LUMINANCE, visibility, weight, regions)
    # Beards are of another colour than skin, and grey ones brighter; they are rough, or dark as no skin is.
    bearded = np.maximum(smooth_step(rough, *settings.beard_rough), smooth_step(-luminance, *settings.beard_dark))
    bearded = inside * regions.beard * regions.face * _grown(bearded, settings.lashes_mm * regions.texels_per_mm)
    foreign = np.maximum(smooth_step(colour - 0.2 * depth, 0.12, 0.25), bright)
    # A brow that goes on under a fringe is hair up to the border; what is bright there is not.
    browed = regions.brows * smooth_step(-luminance, *settings.brow_dark)
    own_colour = np.maximum.reduce([regions.lips, regions.eyes, lashes, browed, bearded])
    foreign = foreign * (1 - own_colour) * (1 - 0.5 * depth * regions.face)
    hairy = settings.roughness * smooth_step(rough, *settings.rough) * (1 - depth**2) * (1 - haired)
    doubt = np.maximum.reduce([dark, foreign, hairy])
    if settings.hairline:
        brows = np.maximum(lashes, regions.brows)
        doubt = np.maximum(doubt, _hairline(rough, luminance, visibility, brows, regions, settings))
    kept = visibility * (1 - _grown(doubt, 2.0 * regions.texels_per_mm))
    if settings.slivers:
        kept = without_slivers(kept, regions, settings)
    feather = smooth_step(border_distance(kept, regions), 0, settings.feather_mm * regions.texels_per_mm)
    return (kept * feather).astype(np.float32)


def _unlit(
    luminance: np.ndarray, plain: np.ndarray, places: np.ndarray, regions: FaceRegions, settings: TrustSettings
) -> np.ndarray:
    """1 where brows and lips are dark for want of light, as the `plain` skin around is; all [H, W].

    Skin is so dark next to deep-set brows, too, but over a centimetre and more only where a face has no light.
    """
    near, broad = (masked_blur(luminance, plain, mm * regions.texels_per_mm) for mm in settings.around_mm)
    seen = broad[places > 0.5]
    darkest = -float(seen.min()) if len(seen) else 0.0
    return smooth_step(-near, *settings.unlit_near) * smooth_step(darkest, *settings.unlit)


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
    rough: np.ndarray,
    luminance: np.ndarray,
    visibility: np.ndarray,
    brows: np.ndarray,
    regions: FaceRegions,
    settings: TrustSettings,
) -> np.ndarray:
    """1 on hair that grows from the border of what was seen into forehead and temples, however deep; all [H, W].

    Strands are rough, shorn hair is dark and a little rough. Wrinkles and shade that do not come from the border stay,
    and so does what lies on or beside the `brows`.
    """
    reach = round(settings.hairline_reach_mm * regions.texels_per_mm)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    free = (1 - brows) * (1 - regions.eyes) * (1 - regions.beard) * (1 - regions.nose)
    zone = cv2.dilate(regions.forehead, kernel) * free
    shorn = smooth_step(-luminance, *settings.shorn_dark) * smooth_step(rough, 0.9, 1.3)
    # Sheen shows every pore of a forehead, but it is bright.
    strands = smooth_step(rough, *settings.hairline_rough) * (1 - smooth_step(luminance, *settings.sheen))
    hair = np.maximum(strands, shorn) * zone * (visibility > 0)
    _, labels = cv2.connectedComponents((hair > 0.3).astype(np.uint8), connectivity=8)
    at_border = border_distance(visibility, regions) < settings.hairline_start_mm * regions.texels_per_mm
    growing = np.setdiff1d(np.unique(np.asarray(labels)[at_border]), [0])
    hair = (hair * np.isin(labels, growing)).astype(np.float32)
    # The skin between strands is too little to tell the albedo by.
    gap = max(1, round(settings.hairline_gap_mm * regions.texels_per_mm))
    return cv2.morphologyEx(hair, cv2.MORPH_CLOSE, np.ones((2 * gap + 1, 2 * gap + 1), np.uint8))


def without_slivers(weight: np.ndarray, regions: FaceRegions, settings: TrustSettings = TrustSettings()) -> np.ndarray:
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
        narrowest = settings.strip_mm if length > settings.strip_length * 2 * half else settings.sliver_mm
        if half > narrowest * regions.texels_per_mm:
            kept_parts.append(part)
    kept = np.isin(labels, kept_parts).astype(np.uint8)
    # The soft border of what is kept stays.
    return weight * cv2.dilate(kept, np.ones((5, 5), np.uint8))
