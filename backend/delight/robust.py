"""What most of a person's skin is like: its tone, its level around a place, whether a beard grows on it."""

from __future__ import annotations

import numpy as np

from backend.delight.parameters import BeardSettings, LevelSettings
from backend.imaging.arrays import Array, count, like, median, medians, namespace, quantile
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import MAD_TO_STD, grown, inner_distance, masked_blur, smooth_step
from backend.texture.regions import FaceRegions, plain_skin


def border_distance(weight: Array, regions: FaceRegions) -> Array:
    """Distance float32 [H, W] in texels to the outer border of what has weight: hairline, jaw, collar.

    The holes of eyes, nostrils and mouth are no border: skin is sharp up to them.
    """
    # Straggling hair and single texels do not make a border either.
    maximum = namespace(weight).maximum
    holes = maximum(maximum(regions.eyes, regions.lips), regions.nose) > 0.2
    return inner_distance((weight > 0.3) | holes)


def robust_tone(log_albedo: Array, weight: Array) -> tuple[np.ndarray, float]:
    """Median log albedo float64 [3] of texels of some weight, and the spread of their luminance."""
    inside = weight > 0.5 * max(float(weight.max()) if len(weight) else 0.0, 1e-6)
    values = log_albedo[inside]
    tone = medians(values)
    spread = MAD_TO_STD * median(namespace(values).abs(luminance_of(values - like(tone, values))))
    return tone, spread


def beardedness(deviation: Array, weight: Array, regions: FaceRegions) -> float:
    """0 shaven to 1 bearded: skin around the mouth darker than the tone (log luminance), and rougher than the cheeks.

    Dark alone is not enough, because the light often fails there and some skins are darker around the mouth, unless it
    is as dark as no skin would be.
    """
    # Around the mouth only: jaws also turn dark for want of light.
    core, cheeks = _around_mouth(regions) * weight > 0.6, _cheeks(regions) * weight > 0.6
    if min(count(core), count(cheeks)) < 50:
        return 0.0
    darkness = -float(np.float32(quantile(deviation[core], 0.4)) - np.float32(median(deviation[cheeks])))
    fine = _fine(deviation, weight, regions)
    roughness = float(np.float32(median(fine[core])) / np.float32(max(median(fine[cheeks]), 1e-4)))
    rough_and_dark = smooth_step(darkness, 0.08, 0.2) * smooth_step(roughness, 1.3, 1.9)
    return float(max(rough_and_dark, smooth_step(darkness, 0.45, 0.7)))


def hair_in_beard(
    luminance: Array, weight: Array, regions: FaceRegions, settings: BeardSettings = BeardSettings()
) -> float:
    """0 where skin is as fine around the mouth and along the jaw as on the cheeks, to 1 where hair makes it rough.

    Of no use to it is how dark the skin is: folds, shade and marks make it so as well, but none makes most of it rough.

    Args:
        luminance: float32 [H, W], log, of the albedo where seen.
        weight: float32 [H, W].
        regions: of the face.
        settings: chosen numbers.
    """
    around_mouth, cheeks = _around_mouth(regions), _cheeks(regions) * weight > 0.6
    jaw = regions.beard * regions.face * (1 - around_mouth) * (1 - regions.lips)
    parts = [part for part in (around_mouth * weight > 0.6, jaw * weight > 0.6) if count(part) >= 50]
    if not parts or count(cheeks) < 50:
        return 1.0
    fine = _fine(luminance, weight, regions)
    roughest = max(median(fine[part]) for part in parts)
    return float(smooth_step(roughest / max(median(fine[cheeks]), 1e-4), *settings.rough))


def _around_mouth(regions: FaceRegions) -> Array:
    """Where a beard grows within 14 mm of the lips, float32 [H, W]."""
    near_mouth = grown(regions.lips, round(14 * regions.texels_per_mm), square=True)
    return regions.beard * near_mouth * (1 - regions.lips)


def _cheeks(regions: FaceRegions) -> Array:
    """Plain skin without hair, float32 [H, W]."""
    return plain_skin(regions) * (1 - regions.beard) * (1 - regions.forehead) * (1 - regions.nose)


def _fine(luminance: Array, weight: Array, regions: FaceRegions) -> Array:
    """How far log luminance [H, W] differs from that within a millimetre, float32 [H, W]."""
    return namespace(luminance).abs(luminance - masked_blur(luminance, weight, 1.0 * regions.texels_per_mm))


def robust_level(values: Array, weight: Array, sigma: float, settings: LevelSettings = LevelSettings()) -> Array:
    """Blur [H, W] that leaves out what differs by more than usual from its surroundings: hair, cores of shadows,
    moles."""
    xp, level = namespace(values), masked_blur(values, weight, sigma)
    for _ in range(3):
        robust = weight / xp.square(1 + xp.square((values - level) / settings.usual_scale))
        level = masked_blur(values, robust + 1e-4 * weight, sigma)
    return level


def interior(weight: Array, texels: float) -> Array:
    """Weight [H, W] that rises over `texels` inside the border of what was seen."""
    return weight * smooth_step(inner_distance(weight > 0.3), 0, max(texels, 1.5))
