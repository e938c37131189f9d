"""Which of the texels that the photo shows are trusted to be the person's skin."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import TrustSettings
from backend.delight.robust import border_distance, robust_tone
from backend.imaging.arrays import Array, as_float32, gather, largest_of, like, median, namespace, to_host
from backend.imaging.channels import largest
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import grown, inner_distance, masked_blur, shrunk, smooth_step
from backend.imaging.parts import largest_in_parts, parts, texels_of_parts
from backend.texture.regions import FaceRegions, plain_skin


def trusted(
    log_albedo: Array,  # float32 [H, W, 3], provisional albedo where seen
    visibility: Array,  # float32 [H, W]
    regions: FaceRegions,
    settings: TrustSettings = TrustSettings(),
) -> Array:
    """Visibility float32 [H, W] without hair, cloth and background that the mask let through.

    Judged by the difference from the person's tone, over a few millimetres: darker where no brow or beard grows,
    brighter, of another colour; or rough as strands of hair are. Slivers apart from the face are left out.
    """
    weight = visibility * plain_skin(regions)
    xp, (tone, _) = namespace(log_albedo), robust_tone(log_albedo, weight)
    smooth = masked_blur(log_albedo, visibility, 1.5 * regions.texels_per_mm) - like(tone, log_albedo)
    luminance = luminance_of(smooth)
    colour = largest(xp.abs(smooth - luminance[..., None]))
    # Hair and cloth come in from the border: the nearer to it, the less may a texel differ.
    border = border_distance(visibility, regions)
    depth = smooth_step(border, 0, settings.doubtful_mm * regions.texels_per_mm)
    # What is next to the border beside a brow is the hair of the temple, or the background.
    inside = smooth_step(border / regions.texels_per_mm, *settings.lashes_inside_mm)
    lashes = inside * _grown(xp.maximum(regions.brows, regions.eyes), settings.lashes_mm * regions.texels_per_mm)
    haired = largest_of(lashes, regions.brows, regions.beard, regions.lips, regions.eyes, regions.nose)
    dark_places = haired * (1 - regions.beard * (1 - regions.lips))
    unlit = dark_places * _unlit(luminance, weight, visibility * dark_places, regions, settings)
    dark = smooth_step(-luminance - 0.35 * depth, 0.28, 0.5) * xp.maximum(1 - haired, unlit)
    bright = smooth_step(luminance - 0.35 * depth, 0.35, 0.6)
    rough = _roughness(luminance_of(log_albedo), visibility, weight, regions)
    # Beards are of another colour than skin, and grey ones brighter; they are rough, or dark as no skin is.
    bearded = xp.maximum(smooth_step(rough, *settings.beard_rough), smooth_step(-luminance, *settings.beard_dark))
    bearded = inside * regions.beard * regions.face * _grown(bearded, settings.lashes_mm * regions.texels_per_mm)
    foreign = xp.maximum(smooth_step(colour - 0.2 * depth, 0.12, 0.25), bright)
    # A brow that goes on under a fringe is hair up to the border; what is bright there is not.
    browed = regions.brows * smooth_step(-luminance, *settings.brow_dark)
    own_colour = largest_of(regions.lips, regions.eyes, lashes, browed, bearded)
    foreign = foreign * (1 - own_colour) * (1 - 0.5 * depth * regions.face)
    hairy = settings.roughness * smooth_step(rough, *settings.rough) * (1 - depth**2) * (1 - haired)
    doubt = largest_of(dark, foreign, hairy)
    if settings.hairline:
        brows = xp.maximum(lashes, regions.brows)
        doubt = xp.maximum(doubt, _hairline(rough, luminance, visibility, brows, regions, settings))
    kept = visibility * (1 - _grown(doubt, 2.0 * regions.texels_per_mm))
    if settings.slivers:
        kept = without_slivers(kept, regions, settings)
    feather = smooth_step(border_distance(kept, regions), 0, settings.feather_mm * regions.texels_per_mm)
    return as_float32(kept * feather)


def _unlit(luminance: Array, plain: Array, places: Array, regions: FaceRegions, settings: TrustSettings) -> Array:
    """1 where brows and lips are dark for want of light, as the `plain` skin around is; all [H, W].

    Skin is so dark next to deep-set brows, too, but over a centimetre and more only where a face has no light.
    """
    near, broad = (masked_blur(luminance, plain, mm * regions.texels_per_mm) for mm in settings.around_mm)
    seen = broad[places > 0.5]
    darkest = -float(seen.min()) if len(seen) else 0.0
    return smooth_step(-near, *settings.unlit_near) * float(smooth_step(darkest, *settings.unlit))


def _grown(area: Array, texels: float) -> Array:
    """An area [H, W] and what is up to so many texels from it."""
    return grown(area, max(1, round(texels)))


def _roughness(luminance: Array, visibility: Array, plain: Array, regions: FaceRegions) -> Array:
    """How much log luminance varies over a millimetre, 1 as on most of the `plain` skin; all [H, W]."""
    xp = namespace(luminance)
    fine = xp.square(luminance - masked_blur(luminance, visibility, 1.0 * regions.texels_per_mm))
    rough = xp.sqrt(xp.maximum(masked_blur(fine, visibility, 2.0 * regions.texels_per_mm), 0))
    inside = plain > 0.5
    usual = median(rough[inside]) if inside.any() else 0.0
    return rough / max(usual, 0.015)


def _hairline(
    rough: Array,
    luminance: Array,
    visibility: Array,
    brows: Array,
    regions: FaceRegions,
    settings: TrustSettings,
) -> Array:
    """1 on hair that grows from the border of what was seen into forehead and temples, however deep; all [H, W].

    Strands are rough, shorn hair is dark and a little rough. Wrinkles and shade that do not come from the border stay,
    and so does what lies on or beside the `brows`.
    """
    reach = round(settings.hairline_reach_mm * regions.texels_per_mm)
    free = (1 - brows) * (1 - regions.eyes) * (1 - regions.beard) * (1 - regions.nose)
    zone = grown(regions.forehead, reach) * free
    shorn = smooth_step(-luminance, *settings.shorn_dark) * smooth_step(rough, 0.9, 1.3)
    # Sheen shows every pore of a forehead, but it is bright.
    strands = smooth_step(rough, *settings.hairline_rough) * (1 - smooth_step(luminance, *settings.sheen))
    hair = namespace(rough).maximum(strands, shorn) * zone * (visibility > 0)
    labels, number = parts(hair > 0.3)
    at_border = border_distance(visibility, regions) < settings.hairline_start_mm * regions.texels_per_mm
    growing = largest_in_parts(labels, number, as_float32(at_border)) > 0
    hair = as_float32(hair * gather(growing, labels))
    # The skin between strands is too little to tell the albedo by.
    gap = max(1, round(settings.hairline_gap_mm * regions.texels_per_mm))
    return shrunk(grown(hair, gap, square=True), gap, square=True)


def without_slivers(weight: Array, regions: FaceRegions, settings: TrustSettings = TrustSettings()) -> Array:
    """Weight [H, W] without narrow parts that touch the face nowhere: strips of neck over collars, rims of ears.

    What is known of them is little, and it would be spread over all that is unseen around them.
    """
    seen = (weight > 0.3) | ((regions.eyes > 0.2) | (regions.lips > 0.2) | (regions.nose > 0.2))
    labels, number = parts(seen)
    if number <= 1:
        return weight
    texels = to_host(texels_of_parts(labels, number))[1:]
    half = to_host(largest_in_parts(labels, number, inner_distance(seen)))[1:].astype(np.float64)
    length = texels / (2 * half)
    narrowest = np.where(length > settings.strip_length * 2 * half, settings.strip_mm, settings.sliver_mm)
    kept = half > narrowest * regions.texels_per_mm
    kept[texels.argmax()] = True
    # The soft border of what is kept stays.
    shown = gather(like(np.append(False, kept), labels), labels)
    return weight * grown(as_float32(shown), 2, square=True)
