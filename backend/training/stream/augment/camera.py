"""What a camera makes of shaded skin: exposure, white balance, contrast, blur, noise, clipping, sRGB."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from backend.imaging.colour import linear_to_srgb
from backend.training.stream.augment.skin import blur
from backend.training.stream.parameters import CameraSettings


def develop(
    shaded: Tensor,  # [3, R, R], linear
    metered: Tensor,  # [], the light's level where the camera meters; 1 is right for a face
    rng: np.random.Generator,
    settings: CameraSettings = CameraSettings(),
) -> Tensor:
    """A photograph's sRGB values [3, R, R] in [0, 1] of linear radiance, every setting at random."""
    exposure = float(np.exp(rng.normal(0.0, settings.exposure))) / metered.clamp_min(1e-3)
    balance = np.exp(rng.normal(0, (0.05, 0.015, 0.07))).astype(np.float32)
    image = shaded * (exposure * shaded.new_tensor(balance))[:, None, None]
    if rng.random() < 0.4:
        image = blur(image, float(rng.uniform(0.3, 1.4)))
    # Shot noise grows with the signal, read noise does not; denoisers leave it coarser than a pixel.
    level = float(rng.exponential(0.006))
    grain = torch.from_numpy(rng.standard_normal(tuple(image.shape), dtype=np.float32)).to(image.device)
    image = image + level * torch.sqrt(image.clamp_min(0) + 0.02) * grain
    encoded = linear_to_srgb(shoulder(image, settings.knee)).clamp(0, 1)
    steepness = float(np.clip(rng.normal(*settings.contrast), 0, settings.most))
    return tone_curve(encoded, steepness, settings.pivot)


def tone_curve(encoded: Tensor, steepness: float, pivot: float) -> Tensor:
    """The S of a camera's tone curve on sRGB values in [0, 1]: more contrast about the pivot, 0 and 1 stay.

    Source: Braun and Fairchild, "Image lightness rescaling using sigmoidal contrast enhancement functions", 1999.

    Args:
        encoded: sRGB values.
        steepness: k; 0 changes nothing, 3 makes the middle a sixth steeper.
        pivot: where it is steepest.
    """
    if steepness < 1e-3:
        return encoded
    low, high = (1 / (1 + math.exp(-steepness * (end - pivot))) for end in (0.0, 1.0))
    return (torch.sigmoid(steepness * (encoded - pivot)) - low) / (high - low)


def shoulder(linear: Tensor, knee: float) -> Tensor:
    """Linear values with a soft shoulder above the knee, as cameras compress highlights; 1 is reached at infinity."""
    over = (linear - knee).clamp_min(0)
    return torch.where(linear > knee, knee + (1 - knee) * (1 - torch.exp(-over / (1 - knee))), linear)
