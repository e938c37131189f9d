"""Small photos enlarged on the device that the networks run on; what is done, in `backend.texture.super_resolution`."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.arrays import to_device
from backend.imaging.colour import linear_to_srgb, luminance, srgb_to_linear
from backend.imaging.filters import gaussian_blur
from backend.texture.parameters import EnlargingSettings
from backend.texture.super_resolution import REACH, SPREAD, TAPS, Enlarger, block_weights, enlarger_for

COMPARED_AT_ONCE = 1 << 26  # windows times kinds, some 12 bytes each


def enlarged(
    linear: Tensor,  # [H, W, 3], linear light
    enlargers: tuple[Enlarger, ...],  # by rising factor
    pixels_per_texel: float,
    settings: EnlargingSettings = EnlargingSettings(),
) -> tuple[Tensor, int]:
    """The image enlarged as far as its texels need, linear light, and the factor, 1 where it is large enough."""
    chosen = enlarger_for(linear.shape[0] * linear.shape[1], enlargers, pixels_per_texel, settings)
    if chosen is None:
        return linear, 1
    encoded = linear_to_srgb(linear)
    size = [side * chosen.factor for side in encoded.shape[:2]]
    large = functional.interpolate(encoded.movedim(-1, 0)[None], size, mode="bicubic", align_corners=False)
    large = large[0].movedim(0, -1)
    large = large + (enlarged_luminance(luminance(encoded), chosen, settings) - luminance(large))[..., None]
    return srgb_to_linear(large.clamp(0, 1)).contiguous(), chosen.factor


def enlarged_luminance(image: Tensor, enlarger: Enlarger, settings: EnlargingSettings = EnlargingSettings()) -> Tensor:
    """An image [H, W], sRGB-encoded, f times larger."""
    device, factor, (height, width) = str(image.device), enlarger.factor, image.shape
    kinds, share = to_device(enlarger.kinds, device), to_device(block_weights(factor).reshape(-1), device)
    guesses = to_device(enlarger.guesses, device) * share
    reach = 4 * (REACH + SPREAD // 2,)
    around = functional.pad(image[None, None], reach, mode="replicate")
    windows = functional.unfold(around, TAPS)[0].T  # [n, TAPS * TAPS]
    mean = windows.mean(1, keepdim=True)
    windows = windows - mean
    kind = torch.cat([_kinds(some, kinds, enlarger.flat) for some in windows.split(COMPARED_AT_ONCE // len(kinds))])
    order, blocks = kind.argsort(), mean * share
    counts = torch.zeros(len(kinds), device=image.device, dtype=torch.int32)
    counts.scatter_add_(0, kind, torch.ones_like(kind, dtype=torch.int32))
    for number, members in enumerate(order.split(counts.cpu().tolist())):
        if len(members):
            blocks[members] += windows[members] @ guesses[number]
    rows, columns = height + 2 * (SPREAD // 2), width + 2 * (SPREAD // 2)
    whole = (rows + SPREAD - 1) * factor, (columns + SPREAD - 1) * factor
    total = functional.fold(blocks.T[None], whole, SPREAD * factor, stride=factor)[0, 0]
    edge = (SPREAD - 1) * factor
    large = total[edge : edge + height * factor, edge : edge + width * factor]
    return large + settings.boldness * (large - gaussian_blur(large, settings.bold_sigma * factor))


def _kinds(windows: Tensor, kinds: Tensor, flat: float) -> Tensor:
    """The nearest kind of each window [n, TAPS * TAPS] without its mean, int [n]."""
    shapes = windows / (windows.square().sum(1, keepdim=True) + flat**2).sqrt()
    return (shapes @ kinds.T - 0.5 * kinds.square().sum(1)).argmax(1)
