"""Skin seen in two photos brought onto each other in texture space, so that brows, moles and lids do not double.

The fit puts a photo's texels to within a few pixels; what is left is a small, smooth flow.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.arrays import Array, as_bytes, as_float32, filled_with, like, namespace, to_host
from backend.imaging.channels import norm
from backend.imaging.filters import gaussian_blur, masked_blur, smooth_step
from backend.imaging.octaves import reduce_to, smoothed_difference
from backend.imaging.sampling import warped


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
    still: Array,  # float32 [B, B], log luminance of the albedo
    moving: Array,  # float32 [B, B], the same of another photo
    still_weight: Array,  # float32 [B, B] in [0, 1], trust
    moving_weight: Array,  # float32 [B, B]
    texels_per_mm: float,
    settings: RegistrationSettings = RegistrationSettings(),
) -> Array:
    """The flow float32 [B, B, 2], x and y in texels: `moving` at x + flow(x) shows the skin of `still` at x.

    Dense inverse search (Kroeger et al., "Fast optical flow using dense inverse search", 2016) on what is finer than
    the light, averaged where there is something to hold on to. The search is OpenCV's: where the images are on a
    device, two of 8 bits come to the host for it, and the flow goes back.
    """
    xp, both = namespace(still), namespace(still).minimum(still_weight, moving_weight)
    common = as_float32(both > settings.common)
    if common.sum() < 100:
        return filled_with(0, (*still.shape, 2), still)
    first, second = (
        _fine(image, weight, texels_per_mm, settings)
        for image, weight in ((still, still_weight), (moving, moving_weight))
    )
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    one, other = (to_host(_levels(image * both, settings)) for image in (first, second))
    raw = like(np.asarray(search.calc(one, other, np.empty(0))), still)
    largest = settings.largest_mm * texels_per_mm
    believed = common * (1 - smooth_step(norm(raw)[..., 0], 0.7 * largest, largest))
    slope = 4 * xp.hypot(smoothed_difference(first, 1, 0), smoothed_difference(first, 0, 1))
    held = believed * (slope + 1e-3)
    flow = masked_blur(raw, held, settings.smooth_mm * texels_per_mm)
    # Far from what both show the flow fades: there is nothing to double.
    near = gaussian_blur(believed, settings.smooth_mm * texels_per_mm)
    known = smooth_step(near, 0.0, 0.3)
    beyond = masked_blur(flow, known * believed, settings.reach_mm * texels_per_mm)
    fade = smooth_step(gaussian_blur(believed, settings.reach_mm * texels_per_mm), 0.0, 0.1)
    return as_float32(known[..., None] * flow + ((1 - known) * fade)[..., None] * beyond)


def flowed(image: Array, flow: Array) -> Array:
    """An image [R, R, ...] looked up at x + flow(x), with a flow [B, B, 2] in texels of B x B; its border repeats."""
    side = image.shape[0]
    scale = side / flow.shape[0]
    return warped(image, reduce_to(flow, side) * scale if scale != 1 else flow)


def _fine(image: Array, weight: Array, texels_per_mm: float, settings: RegistrationSettings) -> Array:
    return image - masked_blur(image, weight, settings.broad_mm * texels_per_mm)


def _levels(image: Array, settings: RegistrationSettings) -> Array:
    xp = namespace(image)
    return as_bytes(xp.round(xp.clip(0.5 + image / settings.contrast / 2, 0, 1) * 255))
