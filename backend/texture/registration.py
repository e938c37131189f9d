"""Skin seen in two photos brought onto each other in texture space, so that brows, moles and lids do not double.

The fit puts a photo's texels to within a few pixels; what is left is a small, smooth flow.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.filters import masked_blur, smooth_step


@dataclass(frozen=True)
class RegistrationSettings:
    """The flow between two photos' skin; lengths in mm on the cheeks, all assumed.

    Args:
        broad_mm: Gaussian beyond which differences are of light and not of marks.
        contrast: log luminance that fills the range in which images are compared.
        smooth_mm: Gaussian over which neighbours flow alike.
        reach_mm: Gaussian by which the flow goes on where the photos do not both show the skin.
        largest_mm: flow beyond which nothing is believed.
        common: trust from which on both show a texel.
    """

    broad_mm: float = 5.0
    contrast: float = 0.5
    smooth_mm: float = 5.0
    reach_mm: float = 15.0
    largest_mm: float = 4.0
    common: float = 0.5


def skin_flow(
    still: np.ndarray,  # float32 [B, B], log luminance of the albedo
    moving: np.ndarray,  # float32 [B, B], the same of another photo
    still_weight: np.ndarray,  # float32 [B, B] in [0, 1], trust
    moving_weight: np.ndarray,  # float32 [B, B]
    texels_per_mm: float,
    settings: RegistrationSettings = RegistrationSettings(),
) -> np.ndarray:
    """The flow float32 [B, B, 2], x and y in texels: `moving` at x + flow(x) shows the skin of `still` at x.

    Dense inverse search (Kroeger et al., "Fast optical flow using dense inverse search", 2016) on what is finer than
    the light, averaged where there is something to hold on to.
    """
    both = np.minimum(still_weight, moving_weight)
    common = (both > settings.common).astype(np.float32)
    if common.sum() < 100:
        return np.zeros((*still.shape, 2), np.float32)
    first, second = (
        _fine(image, weight, texels_per_mm, settings)
        for image, weight in ((still, still_weight), (moving, moving_weight))
    )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    raw = np.asarray(search.calc(_levels(first * both, settings), _levels(second * both, settings), np.empty(0)))
    largest = settings.largest_mm * texels_per_mm
    believed = common * (1 - smooth_step(np.linalg.norm(raw, axis=-1), 0.7 * largest, largest))
    slope = np.hypot(cv2.Sobel(first, cv2.CV_32F, 1, 0), cv2.Sobel(first, cv2.CV_32F, 0, 1))
    held = believed * (slope + 1e-3)
    flow = masked_blur(raw, held, settings.smooth_mm * texels_per_mm)
    # Far from what both show the flow fades: there is nothing to double.
    near = cv2.GaussianBlur(believed, (0, 0), settings.smooth_mm * texels_per_mm)
    known = smooth_step(near, 0.0, 0.3)
    beyond = masked_blur(flow, known * believed, settings.reach_mm * texels_per_mm)
    fade = smooth_step(cv2.GaussianBlur(believed, (0, 0), settings.reach_mm * texels_per_mm), 0.0, 0.1)
    return (known[..., None] * flow + ((1 - known) * fade)[..., None] * beyond).astype(np.float32)


def flowed(image: np.ndarray, flow: np.ndarray) -> np.ndarray:
    """An image [R, R, ...] looked up at x + flow(x), with a flow [B, B, 2] in texels of B x B; its border repeats."""
    side = image.shape[0]
    scale = side / flow.shape[0]
    wide = cv2.resize(flow, (side, side), interpolation=cv2.INTER_LINEAR) * scale if scale != 1 else flow
    x, y = np.meshgrid(np.arange(side, dtype=np.float32), np.arange(side, dtype=np.float32))
    return cv2.remap(image, x + wide[..., 0], y + wide[..., 1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _fine(image: np.ndarray, weight: np.ndarray, texels_per_mm: float, settings: RegistrationSettings) -> np.ndarray:
    return image - masked_blur(image, weight, settings.broad_mm * texels_per_mm)


def _levels(image: np.ndarray, settings: RegistrationSettings) -> np.ndarray:
    return np.round(np.clip(0.5 + image / settings.contrast / 2, 0, 1) * 255).astype(np.uint8)
