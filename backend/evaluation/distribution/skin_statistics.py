"""What is counted on maps of skin, the same on real ones and on drawn ones: bands, light, highlights, edges, colour.

All is measured on plain skin of the face that was seen (`plain_texels`); lengths are widths of Gaussians at half of
their height, in mm, so that a blotch of that width is about halved by the blur.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from backend.evaluation.parameters import SkinStatisticsSettings
from backend.imaging.colour import LUMINANCE, linear_to_lab, srgb_to_linear
from backend.imaging.filters import masked_blur
from backend.rendering.spherical_harmonics import basis
from backend.texture.maps import SkinMaps
from backend.texture.regions import FaceRegions, plain_skin

MAP_NAMES = ("T", "A_d", "A_s", "N")


@dataclass(frozen=True)
class Ground:
    """Where something is measured.

    Args:
        seen: float32 [R, R], 1 where the map is known, on the face.
        plain: bool [R, R], plain skin among that, away from its border.
        brows: bool [R, R], the middle of the brows among what is known.
        texels_per_mm: density.
    """

    seen: np.ndarray
    plain: np.ndarray
    brows: np.ndarray
    texels_per_mm: float

    def blurred(self, image: np.ndarray, width_mm: float) -> np.ndarray:
        """Blur of an image [R, R] or [R, R, C] that knows only what was seen."""
        return masked_blur(image.astype(np.float32), self.seen, sigma_of_width(width_mm) * self.texels_per_mm)


def sigma_of_width(width: float) -> float:
    """Standard deviation of a Gaussian of that width at half of its height."""
    return width / math.sqrt(8 * math.log(2))


def ground(
    visibility: np.ndarray, regions: FaceRegions, settings: SkinStatisticsSettings = SkinStatisticsSettings()
) -> Ground:
    """The ground of a map of which `visibility` [R, R] is known."""
    known = (visibility > settings.known) & (regions.face > 0.5)
    size = 2 * max(1, round(settings.border_mm * regions.texels_per_mm)) + 1
    inner = cv2.erode(known.astype(np.uint8), np.ones((size, size), np.uint8)) > 0
    plain = inner & (plain_skin(regions) > 0.9)
    return Ground(known.astype(np.float32), plain, known & (regions.brows > 0.9), regions.texels_per_mm)


def log_luminance(encoded: np.ndarray, settings: SkinStatisticsSettings = SkinStatisticsSettings()) -> np.ndarray:
    """Natural logarithm of the luminance [R, R] of an sRGB-encoded image [R, R, 3]."""
    return np.log(np.maximum(srgb_to_linear(encoded) @ LUMINANCE, settings.darkest)).astype(np.float32)


def log_colour(encoded: np.ndarray, settings: SkinStatisticsSettings = SkinStatisticsSettings()) -> np.ndarray:
    """Natural logarithm of the linear colour [R, R, 3] of an sRGB-encoded image."""
    return np.log(np.maximum(srgb_to_linear(encoded), settings.darkest)).astype(np.float32)


def band_energies(
    maps: SkinMaps, where: Ground, settings: SkinStatisticsSettings = SkinStatisticsSettings()
) -> dict[str, tuple[float, float]]:
    """By map of `MAP_NAMES`: square of the band of blotches, and of what is finer, at the usual texel; of log colours.

    The median over plain skin: blotches are everywhere, and folds, noses and highlights, which real skin has, are not.
    """
    images = {
        "T": log_colour(maps.texture_srgb, settings),
        "A_d": log_colour(maps.diffuse_albedo_srgb, settings),
        "A_s": maps.specular_albedo,
        "N": maps.normal[..., :2],
    }
    fine_mm, broad_mm = settings.blotch_mm
    result = {}
    for name, image in images.items():
        smooth = where.blurred(image, fine_mm)
        band, fine = smooth - where.blurred(image, broad_mm), image - smooth
        result[name] = (
            _usual_energy(band[where.plain]),
            _usual_energy(fine[where.plain]),
        )
    return result


def _usual_energy(values: np.ndarray) -> float:
    """Median over texels of the square of values [n] or [n, C], channels summed."""
    return float(np.median(np.square(values).reshape(len(values), -1).sum(1)))


def energy_index(samples: list[float], real: list[float]) -> float:
    """Energy of samples over that of real maps: the ratio of their geometric means, which one outlier cannot move.

    1 is right, more is blotched, less too smooth; NaN where one of them has none.
    """
    if not samples or not real:
        return float("nan")
    return float(np.exp(np.mean(np.log(np.maximum(samples, 1e-12))) - np.mean(np.log(np.maximum(real, 1e-12)))))


def light_share(texture_srgb: np.ndarray, albedo_srgb: np.ndarray, normals: np.ndarray, where: Ground) -> float:
    """Share of the variance of log T - log A_d on plain skin that an order-2 field over normals [R, R, 3] explains.

    Near 1, the albedo is the texture's own, seen under a light; 0, they have nothing to do with each other.
    """
    difference = (log_luminance(texture_srgb) - log_luminance(albedo_srgb))[where.plain].astype(np.float64)
    harmonics = basis(normals[where.plain].astype(np.float64))
    rest = difference - harmonics @ np.linalg.lstsq(harmonics, difference, rcond=None)[0]
    return float(1 - rest.var() / max(difference.var(), 1e-12))


def photo_figures(
    texture_srgb: np.ndarray, where: Ground, settings: SkinStatisticsSettings = SkinStatisticsSettings()
) -> dict[str, float]:
    """What tells pictures from photographs, of a texture sRGB [R, R, 3], by name.

    highlights: share of plain skin clearly brighter than what is around it. burnt: share with a channel near 1.
    shading: deviation of the broad log luminance. edges: a high quantile of its slope, per mm. chroma: median C*ab.
    hue blotches: deviation of a* and b* in the band of blotches. brows: their mean log luminance less the skin's.
    """
    light = log_luminance(texture_srgb)
    plain = where.plain
    local, broad = (where.blurred(light, mm) for mm in (settings.edge_mm, settings.broad_mm))
    surroundings = where.blurred(light, settings.around_mm)
    slope = np.hypot(*(cv2.Sobel(local, cv2.CV_32F, x, y, ksize=3) / 8 for x, y in ((1, 0), (0, 1))))
    lab = linear_to_lab(srgb_to_linear(texture_srgb)).astype(np.float32)
    fine_mm, broad_mm = settings.blotch_mm
    hues = where.blurred(lab[..., 1:], fine_mm) - where.blurred(lab[..., 1:], broad_mm)
    brows = light[where.brows].mean() - light[plain].mean() if where.brows.any() else np.nan
    return {
        "highlights": float((light - surroundings > settings.highlight)[plain].mean()),
        "burnt": float((texture_srgb.max(-1) > settings.burnt)[plain].mean()),
        "shading": float(broad[plain].std()),
        "edges": float(np.quantile(slope[plain], settings.edge_quantile) * where.texels_per_mm),
        "chroma": float(np.median(np.hypot(lab[..., 1], lab[..., 2])[plain])),
        "hue blotches": float(np.sqrt(np.square(hues[plain]).mean())),
        "brows": float(brows),
    }


def small_log(srgb: np.ndarray, side: int, settings: SkinStatisticsSettings = SkinStatisticsSettings()) -> np.ndarray:
    """Natural logarithm of linear colour, float32 [side, side, 3], of an sRGB image [R, R, 3]; R a multiple of side."""
    reduced = cv2.resize(srgb.astype(np.float32), (side, side), interpolation=cv2.INTER_AREA)
    return log_colour(reduced, settings)


def skin_differences(skin: np.ndarray, others: np.ndarray, known: np.ndarray) -> np.ndarray:
    """How unlike a skin is to each of several, whatever their tones and whichever way round, float64 [N].

    Root mean square of the difference of log colours less its mean; of a skin and its mirror image the nearer counts.

    Args:
        skin: log colours [h, h, 3].
        others: the same [N, h, h, 3].
        known: bool [h, h], where the skin is known.
    """
    nearest = np.full(len(others), np.inf)
    for turned, where in ((skin, known), (skin[:, ::-1], known[:, ::-1])):
        difference = (others[:, where] - turned[where]).astype(np.float64)
        difference -= difference.mean(1, keepdims=True)
        nearest = np.minimum(nearest, np.sqrt(np.square(difference).mean((1, 2))))
    return nearest
