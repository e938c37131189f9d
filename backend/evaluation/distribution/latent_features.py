"""Features of maps for two-sample tests: what the priors' own auto-encoders make of them.

The seen part of a real map is all that is known of it. So that both are alike, what a sample has where a real person
has nothing is taken out, and the same filling is put there, before either is encoded.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.evaluation.parameters import DrawSettings
from backend.prior.diffusion.autoencoder import DOWN, MapAutoencoder
from backend.prior.diffusion.drawing import as_tensor
from backend.prior.diffusion.weights import MAPS
from backend.texture.maps import SkinMaps
from backend.texture.uv_space import dilate


def images_of(maps: SkinMaps) -> dict[str, np.ndarray]:
    """The maps as the auto-encoders take them, float32 [R, R, C] in [-1, 1], by the names of `MAPS`."""
    values = (
        2 * maps.texture_srgb - 1,
        2 * maps.diffuse_albedo_srgb - 1,
        2 * maps.specular_albedo[..., None] - 1,
        maps.normal,
    )
    return dict(zip(MAPS, values, strict=True))


def blocks_known(visibilities: Sequence[np.ndarray], settings: DrawSettings = DrawSettings()) -> Tensor:
    """Which blocks of latent cells count, bool [b, b]: those that are known in the usual person."""
    usual = torch.from_numpy(np.median([v > 0.5 for v in visibilities], axis=0).astype(np.float32))
    return functional.avg_pool2d(usual[None, None], DOWN * settings.blocks)[0, 0] >= settings.covered


@torch.inference_mode()
def features(
    image: np.ndarray,  # float32 [R, R, C] in [-1, 1]
    known: np.ndarray,  # bool [R, R]
    encoder: MapAutoencoder,
    blocks: Tensor,  # bool [b, b], `blocks_known`
    settings: DrawSettings = DrawSettings(),
) -> np.ndarray:
    """Mean and log deviation of the latents in each block, float64 [D]: what is where, and how rough it is."""
    filled = dilate(image, known, len(image))
    latent, _ = encoder.encode(as_tensor(filled))
    mean = functional.avg_pool2d(latent, settings.blocks)
    square = functional.avg_pool2d(latent.square(), settings.blocks)
    deviation = (square - mean.square()).clamp_min(1e-8).sqrt().log()
    both = torch.cat([mean, deviation], dim=1)[0]
    return both[:, blocks].double().flatten().numpy()


def without_tone(images: Mapping[str, np.ndarray], known: np.ndarray) -> dict[str, np.ndarray]:
    """The maps with the mean of each channel over what is known [R, R] taken to 0: whose skin is dark is a matter of
    whom one photographed."""
    return {name: np.clip(image - image[known].mean(0), -1, 1) for name, image in images.items()}
