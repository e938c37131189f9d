"""How good the pseudo-ground truth is: numbers that would show light, highlights or misfits left in the albedo."""

from __future__ import annotations

from dataclasses import asdict, dataclass

import numpy as np

from backend.imaging.colour import linear_to_lab, linear_to_srgb
from backend.imaging.filters import masked_blur
from backend.training.skin.parameters import MeasureSettings
from backend.training.skin.set_delighting import DelitSkin
from backend.training.stream.region_masks import RegionMasks


@dataclass(frozen=True)
class SkinReport:
    """The measures over all people; PSNR in dB over sRGB values in [0, 1], lightness in L*."""

    people: int
    photos: int
    pairs: int
    neutral_smiling_psnr_mean: float
    neutral_smiling_psnr_min: float
    neutral_smiling_psnr_std: float
    cheek_difference_mean: float
    cheek_difference_max: float
    highlight_share: float
    saturated_share: float
    lightness_min: float
    lightness_max: float
    landmark_error_mean: float
    seen_share_of_face: float

    def as_dict(self) -> dict[str, float]:
        return {k: round(float(v), 4) for k, v in asdict(self).items()}


def agreement_psnr(
    first: DelitSkin, second: DelitSkin, gain: np.ndarray, settings: MeasureSettings = MeasureSettings()
) -> float:
    """PSNR in dB of two albedos of a person over the texels that both photos show; `gain` [3] calibrates both."""
    both = (first.weight > settings.seen) & (second.weight > settings.seen)
    a, b = (linear_to_srgb(np.clip(np.exp(s.log_albedo[both] + gain), 0, 1)) for s in (first, second))
    return float(-10 * np.log10(max(float(np.mean(np.square(a - b))), 1e-10)))


def cheek_difference(albedo: np.ndarray, masks: RegionMasks, settings: MeasureSettings = MeasureSettings()) -> float:
    """|L* left - L* right| of the low-passed cheeks of a linear albedo [R, R, 3]."""
    lightness = linear_to_lab(np.clip(albedo, 0, 1))[..., 0].astype(np.float32)
    cheeks = masks.cheeks.numpy()
    smooth = masked_blur(lightness, cheeks + 1e-4, settings.cheek_blur_mm * masks.texels_per_mm)
    half = cheeks.shape[1] // 2
    left, right = (float(np.average(smooth[:, s], weights=cheeks[:, s])) for s in (np.s_[:half], np.s_[half:]))
    return abs(left - right)


def highlight_shares(
    albedo: np.ndarray, masks: RegionMasks, settings: MeasureSettings = MeasureSettings()
) -> tuple[float, float]:
    """Share of forehead and nose tip that is a highlight, and share that is saturated, of a linear albedo [R, R, 3]."""
    where = np.maximum(masks.forehead.numpy(), masks.nose_tip.numpy()) > 0.5
    lightness = linear_to_lab(np.clip(albedo, 0, 1))[..., 0]
    usual = np.median(lightness[masks.plain.numpy() > 0.5])
    return float((lightness[where] > usual + settings.highlight_excess).mean()), float(
        (albedo[where].max(-1) > settings.saturated).mean()
    )


def lightness_of(albedo: np.ndarray, masks: RegionMasks) -> float:
    """Median L* of plain skin of a linear albedo [R, R, 3]."""
    plain = albedo[masks.plain.numpy() > 0.5]
    return float(np.median(linear_to_lab(np.clip(plain, 0, 1))[..., 0]))
