"""Marks of the skin taken apart from its light: stains, vitiligo, tattoos, scars, paint.

Light makes skin brighter or darker along few lines: shade keeps the skin's hue but for what the surroundings add,
highlights draw it softly towards white, and both turn with the surface. What strays from those lines is pigment, all
the surer where it does so along an edge. It is told by areas, so that an area is a mark or none.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.delight.mark_parameters import MarkSettings
from backend.delight.marks import spots
from backend.delight.robust import border_distance, robust_tone
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR
from backend.imaging.filters import masked_blur, smooth_step
from backend.imaging.membrane import extend
from backend.texture.regions import FaceRegions, plain_skin


def mark_layer(
    log_albedo: np.ndarray,
    texture: np.ndarray,
    shaded: np.ndarray,
    visibility: np.ndarray,
    regions: FaceRegions,
    settings: MarkSettings = MarkSettings(),
    least: float = 0.0,
) -> np.ndarray:
    """Log colour of the marks against the skin around them; the albedo less this is skin without marks.

    Source of the idea that edges of hue are pigment's: Grosse et al., "Ground truth dataset and baseline evaluations
    for intrinsic image algorithms", 2009 (colour Retinex).

    Args:
        log_albedo: float32 [H, W, 3], provisional, where seen.
        texture: float32 [H, W, 3], linear colour of what was seen.
        shaded: float32 [H, W, 3], linear, skin of even tone under the light.
        visibility: float32 [H, W].
        regions: of the face.
        settings: chosen numbers.
        least: how far every texel counts as a mark at least, 0 to 1: 1 takes all that differs from the usual tone.

    Returns:
        float32 [H, W, 3], 0 where there is no mark.
    """
    told = visibility * smooth_step(texture.max(-1), *settings.told)
    plain = told * plain_skin(regions)
    if not settings.found or np.count_nonzero(plain > 0.3) < settings.fewest_texels:
        return np.zeros_like(log_albedo)
    scale = regions.texels_per_mm
    skin = told * (1 - regions.lips) * (1 - regions.brows) * (1 - 0.7 * regions.eyes)
    tone = _usual_tone(log_albedo, texture, plain, settings).astype(np.float32)
    around, share, known = np.broadcast_to(tone, log_albedo.shape), np.zeros_like(told), skin * (told > 0.5)
    for number in range(settings.rounds):
        seen = _Seen(log_albedo - around, np.exp(around) * shaded, texture, told, regions)
        # What is paler is told only when colour no longer misleads about what is usual.
        share = _pigment(seen, number > 0, settings)
        known = skin * (told > 0.5) * (cv2.dilate(share, _disc(settings.rim_mm * scale)) < 0.05)
        if np.count_nonzero(plain * known > 0.3) > settings.fewest_texels:
            tone = _usual_tone(log_albedo, texture, plain * known, settings).astype(np.float32)
        # What is far from the usual tone is no surroundings, though it is no mark yet.
        usual = known / np.square(1 + np.square(np.abs(log_albedo - tone).max(-1) / settings.unusual))
        level = masked_blur(log_albedo - tone, usual, settings.around_mm * scale)
        support = smooth_step(masked_blur(known, np.ones_like(known), settings.around_mm * scale), 0.02, 0.2)
        around = tone + support[..., None] * level
    hairless = (1 - regions.lips) * (1 - regions.brows) * (1 - regions.eyes) * (1 - regions.beard)
    spot = spots((log_albedo @ LUMINANCE).astype(np.float32), told, scale, settings.spots) * hairless
    # Moles are brown, small shadows are not.
    brown = _hue(masked_blur(log_albedo - around, told, settings.grain_mm * scale)).sum(-1)
    spot *= smooth_step(brown, *settings.spot_hue)
    share = np.maximum.reduce([share, spot, least * visibility])
    known = known * (1 - least) * (cv2.dilate(spot, np.ones((3, 3), np.uint8)) < 0.05)
    # Within a mark its surroundings are continued from its rim.
    filled = tone + extend(log_albedo - tone, known, visibility > 0.05, settings.fading_mm * scale)
    return (share[..., None] * (log_albedo - filled)).astype(np.float32)


def _usual_tone(log_albedo: np.ndarray, texture: np.ndarray, plain: np.ndarray, settings: MarkSettings) -> np.ndarray:
    """Median log albedo [3] of plain skin; of what has a hue of skin, where the rest may be paint."""
    hue = _hue(np.log(np.maximum(texture, SMALLEST_LINEAR)))
    low, high = np.array(settings.plausible).T
    plausible = plain * ((hue > low) & (hue < high)).all(-1)
    enough = plausible.sum() > settings.fewest_plausible * plain.sum()
    return robust_tone(log_albedo, plausible if enough else plain)[0]


@dataclass(frozen=True)
class _Seen:
    """What marks are told by.

    Args:
        difference: float32 [H, W, 3], log colour against the skin around.
        skin_colour: float32 [H, W, 3], linear, that skin's colour under its light; white in the light is about 1.
        texture: float32 [H, W, 3], linear, what was seen.
        told: float32 [H, W], where colour is told.
        regions: of the face.
    """

    difference: np.ndarray
    skin_colour: np.ndarray
    texture: np.ndarray
    told: np.ndarray
    regions: FaceRegions


@dataclass(frozen=True)
class _Areas:
    """Areas of texels that stray from the skin around them.

    Args:
        labels: int [H, W], 0 is none.
        strength: float [count], how far most of an area strays, in what skin strays usually.
        depth_mm: float [count], radius of the largest circle inside.
        mean: float [count, 5], log luminance and hues against the skin around, and the hues themselves.
        face: float [count], share within the face's outline.
        border: float [count], share within the strip where hair and cloth come in.
        nearest_mm: float [count], distance to the border.
    """

    labels: np.ndarray
    strength: np.ndarray
    depth_mm: np.ndarray
    mean: np.ndarray
    face: np.ndarray
    border: np.ndarray
    nearest_mm: np.ndarray


def _pigment(seen: _Seen, pale_too: bool, settings: MarkSettings) -> np.ndarray:
    """How surely each texel is a mark, float32 [H, W] in [0, 1]: of another hue than skin in light, or much paler."""
    told, regions = seen.told, seen.regions
    smooth = masked_blur(seen.difference, told, settings.grain_mm * regions.texels_per_mm)
    luminance, hue = smooth @ LUMINANCE, _hue(smooth)
    usual = _usual_stray(luminance, regions, settings)
    brightness = seen.skin_colour @ LUMINANCE
    gained = brightness * np.expm1(np.maximum(luminance, 0))
    coloured = _off_light(hue, seen.skin_colour, np.maximum(gained, settings.sheen)) / usual
    coloured *= 1 - _hair(luminance, hue, regions, settings)
    pale = gained / settings.gained * settings.strayed / usual
    own_hue = _hue(np.log(np.maximum(seen.texture, SMALLEST_LINEAR)))
    values = np.dstack([luminance, hue, own_hue])
    share = np.zeros_like(told)
    for strayed, sure in ((coloured, _sure_of_colour), (pale, _sure_of_pale))[: 1 + pale_too]:
        areas = _areas(strayed * (told > 0.1), values, told, regions, settings)
        certain = sure(areas, settings)
        certain[0] = 0
        near = cv2.dilate(certain[areas.labels].astype(np.float32), _disc(settings.grown_mm * regions.texels_per_mm))
        size = np.maximum(strayed, np.linalg.norm(hue, axis=-1) / usual)
        share = np.maximum(share, near * smooth_step(size, *settings.share))
    return share.astype(np.float32)


def _sure_of_colour(areas: _Areas, settings: MarkSettings) -> np.ndarray:
    """How surely areas of a hue that light does not make are marks, float [count]: strong ones, or broad ones."""
    luminance, red, yellow = areas.mean[:, :3].T
    dark = luminance < settings.hair_dark
    neutral = dark & (red < 0) & (yellow < 0) & (areas.mean[:, 3:] > settings.bluest).all(-1)
    hair = neutral & (areas.nearest_mm < settings.hair_from_mm)
    # Creases are dark and of a stronger colour, but narrow.
    brown = dark & (red > 0) & (yellow > 0.25 * red)
    # Warmer and brighter is where a light reaches that the surroundings do not see.
    lit = (luminance > settings.lit) & (red > 0) & (yellow > 0)
    thin = np.where(brown | lit, np.inf, np.where(neutral, settings.ink_needs, settings.thin_needs))
    # A flush is red and broad as well, but weaker than a stain.
    flush = (red > 0) & ~brown & (areas.depth_mm > settings.flush_mm)
    thin = np.where(flush & ~lit, settings.flush_needs, thin)
    broad = np.where(brown, settings.brown_needs, np.where(lit | flush, np.inf, settings.broad_needs))
    depth = areas.depth_mm * np.where(brown, -luminance, 1)
    sure = np.maximum(
        smooth_step(areas.strength / thin, 1, settings.certain),
        smooth_step(areas.strength * depth / broad, 1, settings.certain),
    )
    strange = smooth_step(areas.strength, *settings.strange) * areas.face
    beside = smooth_step(areas.border, *settings.in_border)
    beside += strange * (smooth_step(areas.border, *settings.strange_in_border) - beside)
    return sure * ~hair * (1 - beside)


def _sure_of_pale(areas: _Areas, settings: MarkSettings) -> np.ndarray:
    """How surely areas paler than the skin around are marks, float [count]: highlights are narrow."""
    whiter = areas.mean[:, 1:3].sum(-1) < -settings.paler
    sure = smooth_step(areas.strength * areas.depth_mm / settings.pale_needs, 1, settings.certain)
    return sure * whiter * (1 - smooth_step(areas.border, *settings.pale_in_border))


def _areas(
    strayed: np.ndarray, values: np.ndarray, told: np.ndarray, regions: FaceRegions, settings: MarkSettings
) -> _Areas:
    """Connected texels that stray."""
    scale = regions.texels_per_mm
    inside = (strayed > settings.area).astype(np.uint8)
    count, labels = cv2.connectedComponents(inside, connectivity=8)
    labels = np.asarray(labels, np.int64)
    flat = labels.reshape(-1)
    area = np.maximum(np.bincount(flat, minlength=count), 1)
    border = border_distance(told, regions) / scale
    depth, nearest = np.zeros(count), np.full(count, np.inf)
    np.maximum.at(depth, flat, cv2.distanceTransform(inside, cv2.DIST_L2, 3).reshape(-1) / scale)
    np.minimum.at(nearest, flat, border.reshape(-1))

    def mean(image: np.ndarray) -> np.ndarray:
        return np.bincount(flat, image.reshape(-1).astype(np.float64), count) / area

    means = np.stack([mean(image) for image in np.moveaxis(values, -1, 0)], axis=-1)
    strength = _quantile(strayed, labels, count, 0.8)
    return _Areas(labels, strength, depth, means, mean(regions.face), mean(border < settings.border_mm), nearest)


def _usual_stray(luminance: np.ndarray, regions: FaceRegions, settings: MarkSettings) -> np.ndarray:
    """How far the hue of skin strays without a mark, float32 [H, W]."""
    usual = settings.strayed + settings.in_shade * np.maximum(-luminance, 0)
    return usual * (1 + (settings.on_eyes - 1) * regions.eyes) * (1 + (settings.on_lips - 1) * regions.lips)


def _off_light(hue: np.ndarray, skin_colour: np.ndarray, white: np.ndarray) -> np.ndarray:
    """How far hues [H, W, 2] lie from those of skin with up to so much white light on it, float32 [H, W].

    Dichromatic reflection (Shafer 1985): what skin reflects at its surface has the light's colour, not the skin's.
    """
    line = _hue(np.log(skin_colour + white[..., None])) - _hue(np.log(skin_colour))
    along = np.clip((hue * line).sum(-1) / np.maximum((line**2).sum(-1), 1e-6), 0, 1.3)
    return np.linalg.norm(hue - along[..., None] * line, axis=-1)


def _hair(luminance: np.ndarray, hue: np.ndarray, regions: FaceRegions, settings: MarkSettings) -> np.ndarray:
    """1 where brows, lashes or a beard grow and the colour is hair's, dark and less colourful; float32 [H, W]."""
    dark = smooth_step(-luminance, -0.5 * settings.hair_dark, -settings.hair_dark)
    neutral = 1 - smooth_step(hue.max(-1), 0, settings.hair_hue)
    return dark * neutral * np.clip(np.maximum.reduce([regions.brows, regions.eyes]), 0, 1)


def _quantile(values: np.ndarray, labels: np.ndarray, count: int, quantile: float) -> np.ndarray:
    """A quantile of the values of each label, float [count]; 0 where a label has none."""
    flat, of = values.reshape(-1), labels.reshape(-1)
    chosen = np.flatnonzero((of > 0) & np.isfinite(flat))
    order = chosen[np.lexsort((flat[chosen], of[chosen]))]
    sizes = np.bincount(of[order], minlength=count)
    ends = np.cumsum(sizes)
    at = ends - sizes + (quantile * np.maximum(sizes - 1, 0)).astype(int)
    return np.where(sizes > 0, flat[order[np.minimum(at, max(len(order) - 1, 0))]] if len(order) else 0.0, 0.0)


def _hue(log_colour: np.ndarray) -> np.ndarray:
    """log(red / green) and log(green / blue), [..., 2]."""
    return log_colour[..., :2] - log_colour[..., 1:]


def _disc(radius: float) -> np.ndarray:
    """A round structuring element, radius in texels."""
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
