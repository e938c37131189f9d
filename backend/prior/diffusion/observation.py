"""Where each map lies in the latents, and what is known of them (paper, eq. 7 and section 3.3)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from backend.prior.channels import LATENT
from backend.prior.diffusion.schedule import NoiseSchedule

LATENT_SIZE = 64
FULLY_SEEN = 0.99


@dataclass(frozen=True)
class Observation:
    """The seen part of the texture's latents.

    Args:
        latent: float [B, C, h, w]; only the texture's channels are looked at, and only where the mask is not 0.
        mask: float [B, 1, h, w], or [B, 3, h, w] for each channel of the texture, in [0, 1], 1 = known. Between 0 and
            1 it is known up to the noise of step (1 - mask) T, so that the coarse of it stays and the fine is free: see
            `held` and `trust`.

    Raises:
        ValueError: the shapes or the values do not fit.
    """

    latent: Tensor
    mask: Tensor

    def __post_init__(self) -> None:
        shape = self.latent.shape
        channels = len(range(*LATENT.texture.indices(shape[1]))) if self.latent.ndim == 4 else 0
        fits = [(shape[0], c, *shape[2:]) for c in (1, channels)]
        if not channels or tuple(self.mask.shape) not in fits:
            raise ValueError(f"a mask {tuple(self.mask.shape)} does not fit latents {tuple(shape)}")
        if not bool(((self.mask >= 0) & (self.mask <= 1)).all()):
            raise ValueError("a mask's values lie in [0, 1]")

    @staticmethod
    def nothing(batch: int, channels: int = LATENT.total, size: int = LATENT_SIZE) -> Observation:
        """Nothing known: samplers then draw from the prior itself."""
        return Observation(torch.zeros(batch, channels, size, size), torch.zeros(batch, 1, size, size))

    @property
    def known(self) -> Tensor:
        """The mask of all channels [B, C, h, w], 0 in those of A_d, A_s and N."""
        full = torch.zeros_like(self.latent)
        full[:, LATENT.texture] = self.mask.to(full.dtype)
        return full

    def held(self, t: int, steps: int) -> Tensor:
        """Which latents are imposed at step t of T, bool [B, C, h, w]: those with a mask of at least 1 - t / T.

        With a mask of 0 and 1 this is the mask, at every step. Blending half-known latents by their mask instead would
        leave too little noise in them. Source: Levin and Fried, "Differential diffusion", 2023, section 3.
        """
        return (self.known > 0) & (self.known >= 1 - t / steps)

    def trust(self, t: int, schedule: NoiseSchedule) -> Tensor:
        """How much each latent counts in eq. 9d at step t, float [B, C, h, w]; with a mask of 0 and 1 this is the mask.

        1 / sqrt(1 + n), n the variance of the observation's noise relative to (1 - alpha_bar) / alpha_bar, the most
        that z_0 can vary given z_t.
        """
        level = schedule.alpha_bar
        relative = (1 - level) / level * (level[t] / (1 - level[t]))
        # Looked up there in single precision: Apple's GPUs have no other.
        trust = (1 + relative).rsqrt().to(self.latent.device, self.latent.dtype)
        known = self.known
        return torch.where(known > 0, trust[((1 - known) * schedule.steps).round().long()], 0)

    @property
    def empty(self) -> bool:
        """Whether nothing at all is known."""
        return not bool(self.mask.any())

    def repeated(self, count: int) -> Observation:
        """Each observation for `count` samples of it, one after the other."""
        return Observation(self.latent.repeat_interleave(count, 0), self.mask.repeat_interleave(count, 0))

    def to(self, device: torch.device | str) -> Observation:
        """The same on another device."""
        return Observation(self.latent.to(device), self.mask.to(device))


def latent_mask(visibility: Tensor, size: int = LATENT_SIZE, least: float = FULLY_SEEN) -> Tensor:
    """Which latent cells are known, float [B, 1, size, size] of 0 and 1, for a visibility m [B, 1, R, R] in [0, 1].

    Cells of the area-downsampled m that are not fully seen (`least`) are dropped, and one more cell along the border:
    the encoder sees some way around each cell, and no hole may leak into latents that are taken as known. What lies
    beyond the map counts as not seen.

    Raises:
        ValueError: R is not a multiple of `size`.
    """
    if visibility.ndim != 4 or visibility.shape[1] != 1 or any(side % size for side in visibility.shape[2:]):
        raise ValueError(f"a visibility [B, 1, R, R] with R a multiple of {size} is needed")
    seen = (functional.adaptive_avg_pool2d(visibility, size) >= least).to(visibility.dtype)
    return 1 - functional.max_pool2d(functional.pad(1 - seen, (1, 1, 1, 1), value=1.0), 3, stride=1)
