"""What a camera makes of shaded skin: exposure, white balance, contrast, blur, noise, clipping, sRGB."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from backend.imaging.tensors import linear_to_srgb
from backend.training.stream.augment.skin import blur


def develop(
    shaded: Tensor,  # [3, R, R], linear
    metered: Tensor,  # [], the light's level where the camera meters; 1 is right for a face
    rng: np.random.Generator,
) -> Tensor:
    """A photograph's sRGB values [3, R, R] in [0, 1] of linear radiance, every setting at random."""
    exposure = float(np.exp(rng.normal(0.0, 0.22))) / metered.clamp_min(1e-3)
    balance = np.exp(rng.normal(0, (0.05, 0.015, 0.07))).astype(np.float32)
    image = shaded * (exposure * shaded.new_tensor(balance))[:, None, None]
    if rng.random() < 0.4:
        image = blur(image, float(rng.uniform(0.3, 1.4)))
    # Shot noise grows with the signal, read noise does not; denoisers leave it coarser than a pixel.
    level = float(rng.exponential(0.006))
    grain = torch.from_numpy(rng.standard_normal(tuple(image.shape), dtype=np.float32)).to(image.device)
    image = image + level * torch.sqrt(image.clamp_min(0) + 0.02) * grain
    encoded = linear_to_srgb(shoulder(image))
    contrast, pivot = float(rng.normal(1.0, 0.06)), 0.5
    return (pivot + (encoded - pivot) * contrast).clamp(0, 1)


def shoulder(linear: Tensor, knee: float = 0.8) -> Tensor:
    """Linear values with a soft shoulder above the knee, as cameras compress highlights; 1 is reached at infinity."""
    over = (linear - knee).clamp_min(0)
    return torch.where(linear > knee, knee + (1 - knee) * (1 - torch.exp(-over / (1 - knee))), linear)
