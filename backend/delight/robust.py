"""What most of a person's skin is like: its tone, its level around a place, whether a beard grows on it."""

from __future__ import annotations

import cv2
import numpy as np

from backend.delight.parameters import BeardSettings, LevelSettings
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import MAD_TO_STD, inner_distance, masked_blur, smooth_step
from backend.texture.regions import FaceRegions, plain_skin


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


def beardedness(deviation: np.ndarray, weight: np.ndarray, regions: FaceRegions) -> float:
    """0 shaven to 1 bearded: skin around the mouth darker than the tone (log luminance), and rougher than the cheeks.

    Dark alone is not enough, because the light often fails there and some skins are darker around the mouth, unless it
    is as dark as no skin would be.
    """
    # Around the mouth only: jaws also turn dark for want of light.
    core, cheeks = _around_mouth(regions) * weight > 0.6, _cheeks(regions) * weight > 0.6
    if min(np.count_nonzero(core), np.count_nonzero(cheeks)) < 50:
        return 0.0
    darkness = -float(np.quantile(deviation[core], 0.4) - np.median(deviation[cheeks]))
    fine = _fine(deviation, weight, regions)
    roughness = float(np.median(fine[core]) / max(np.median(fine[cheeks]), 1e-4))
    rough_and_dark = smooth_step(darkness, 0.08, 0.2) * smooth_step(roughness, 1.3, 1.9)
    return float(max(rough_and_dark, smooth_step(darkness, 0.45, 0.7)))


def hair_in_beard(
    luminance: np.ndarray, weight: np.ndarray, regions: FaceRegions, settings: BeardSettings = BeardSettings()
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
    parts = [part for part in (around_mouth * weight > 0.6, jaw * weight > 0.6) if np.count_nonzero(part) >= 50]
    if not parts or np.count_nonzero(cheeks) < 50:
        return 1.0
    fine = _fine(luminance, weight, regions)
    roughest = max(float(np.median(fine[part])) for part in parts)
    return float(smooth_step(roughest / max(float(np.median(fine[cheeks])), 1e-4), *settings.rough))


def _around_mouth(regions: FaceRegions) -> np.ndarray:
    """Where a beard grows within 14 mm of the lips, float32 [H, W]."""
    near_mouth = cv2.dilate(regions.lips, np.ones((3, 3), np.uint8), iterations=round(14 * regions.texels_per_mm))
    return regions.beard * near_mouth * (1 - regions.lips)


def _cheeks(regions: FaceRegions) -> np.ndarray:
    """Plain skin without hair, float32 [H, W]."""
    return plain_skin(regions) * (1 - regions.beard) * (1 - regions.forehead) * (1 - regions.nose)


def _fine(luminance: np.ndarray, weight: np.ndarray, regions: FaceRegions) -> np.ndarray:
    """How far log luminance [H, W] differs from that within a millimetre, float32 [H, W]."""
    return np.abs(luminance - masked_blur(luminance, weight, 1.0 * regions.texels_per_mm))


def robust_level(
    values: np.ndarray, weight: np.ndarray, sigma: float, scale: float | np.ndarray = LevelSettings().usual_scale
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
