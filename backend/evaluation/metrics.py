"""What the tables measure: PSNR, SSIM and colour differences on masked texels, and skin tone."""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.colour import linear_to_lab, srgb_to_linear

SSIM_SIGMA, SSIM_RADIUS = 1.5, 5


def psnr(
    image: np.ndarray,  # float [H, W] or [H, W, C] in [0, 1]
    reference: np.ndarray,  # the same
    mask: np.ndarray,  # bool [H, W]
) -> float:
    """Peak signal-to-noise ratio in dB over the masked pixels; NaN where there are none, at most 99."""
    if not mask.any():
        return float("nan")
    error = float(np.mean(np.square(image[mask].astype(np.float64) - reference[mask])))
    return float(min(99.0, -10 * np.log10(max(error, 1e-12))))


def ssim(
    image: np.ndarray,  # float [H, W] or [H, W, C] in [0, 1]
    reference: np.ndarray,  # the same
    mask: np.ndarray,  # bool [H, W], where it is averaged
    known: np.ndarray | None = None,  # bool [H, W], where both images mean something; None: everywhere
) -> float:
    """Mean structural similarity over the masked pixels, channels averaged; NaN where there are none.

    Source: Wang et al., "Image quality assessment: from error visibility to structural similarity", 2004: Gaussian
    windows of 11 pixels, K1 = 0.01, K2 = 0.03. Windows count only what is `known`.
    """
    if not mask.any():
        return float("nan")
    x, y = (np.atleast_3d(v).astype(np.float32) for v in (image, reference))
    weight = np.ones(mask.shape, np.float32) if known is None else known.astype(np.float32)
    total = np.maximum(_window(weight), 1e-6)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.atleast_3d(_window(values * weight[..., None])) / total[..., None]

    mx, my = mean(x), mean(y)
    # Second moments about the local means, shifted by a constant, lose no precision in float32.
    vx, vy, vxy = mean(x * x) - mx * mx, mean(y * y) - my * my, mean(x * y) - mx * my
    c1, c2 = 0.01**2, 0.03**2
    values = (2 * mx * my + c1) * (2 * vxy + c2) / ((mx * mx + my * my + c1) * (vx + vy + c2))
    return float(values[mask].mean())


def _window(values: np.ndarray) -> np.ndarray:
    size = 2 * SSIM_RADIUS + 1
    return cv2.GaussianBlur(values, (size, size), SSIM_SIGMA, borderType=cv2.BORDER_REFLECT_101)


def lab(srgb: np.ndarray) -> np.ndarray:
    """CIE Lab (D65) float64 [..., 3] of sRGB-encoded colours [..., 3]."""
    return linear_to_lab(srgb_to_linear(np.asarray(srgb, np.float64)))


def colour_difference(image_srgb: np.ndarray, reference_srgb: np.ndarray, mask: np.ndarray) -> float:
    """Mean CIE76 difference of masked pixels of sRGB images [H, W, 3]; NaN where there are none."""
    if not mask.any():
        return float("nan")
    return float(np.linalg.norm(lab(image_srgb[mask]) - lab(reference_srgb[mask]), axis=-1).mean())


def typology_angle(srgb: np.ndarray) -> float:
    """Individual typology angle in degrees of a skin tone, sRGB [3]: above 55 very light, below -30 dark.

    Source: Chardon, Cretois and Hourseau, "Skin colour typology and suntanning pathways", 1991.
    """
    lightness, _, b = lab(srgb)
    return float(np.degrees(np.arctan2(lightness - 50, b)))


def rmse(image: np.ndarray, reference: np.ndarray, mask: np.ndarray) -> float:
    """Root mean square difference over the masked pixels; NaN where there are none."""
    if not mask.any():
        return float("nan")
    return float(np.sqrt(np.mean(np.square(image[mask].astype(np.float64) - reference[mask]))))
