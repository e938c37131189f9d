"""What is known of the latents without any network: their mean, spread and covariance, and the best linear denoiser.

Latents are whitened before they are diffused: the three channels of each map are rotated to be uncorrelated, and every
cell is brought to zero mean and unit variance, so that eyes and cheeks are drowned in noise at the same step.
Of the whitened latents' cosine coefficients the low ones are a factor model (they hold light, tone, and the shape of
everything broad), the others are taken as independent. For such a Gaussian the expectation of the clean latents given
the noisy ones is closed form (Wiener's filter); the network learns what it misses.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import Tensor

from backend.asset_files import verified
from backend.prior.diffusion.precision import as_stored
from backend.prior.diffusion.schedule import NoiseSchedule
from backend.prior.eight_bits import from_bytes, to_bytes


@dataclass(frozen=True)
class LatentStatistics:
    """Statistics of the latents z [C, h, h], C = 3 channels for each of the maps.

    Args:
        rotation: float32 [C/3, 3, 3], rows are the directions of each map's channels.
        mean: float32 [C, h, h] of the rotated latents.
        scale: float32 [C, h, h], their standard deviation.
        factors: float32 [K, C, L, L], W of the low cosine coefficients y = W z + e of the whitened latents; 0 where no
            factor reaches.
        variance: float32 [C, h, h], variance of e, and of all other coefficients.
    """

    rotation: Tensor
    mean: Tensor
    scale: Tensor
    factors: Tensor
    variance: Tensor

    def to(self, device: torch.device | str) -> LatentStatistics:
        """The same on another device."""
        return LatentStatistics(*(getattr(self, name).to(device) for name in self.__dataclass_fields__))

    def whitened(self, latents: Tensor) -> Tensor:
        """Latents [B, C, h, h] as the diffusion knows them."""
        return (self._rotated(latents, self.rotation) - self.mean) / self.scale

    def coloured(self, whitened: Tensor) -> Tensor:
        """The inverse of `whitened`."""
        return self._rotated(whitened * self.scale + self.mean, self.rotation.transpose(1, 2))

    def _rotated(self, latents: Tensor, rotation: Tensor) -> Tensor:
        by_map = latents.unflatten(1, (len(rotation), 3))
        return torch.einsum("mij,bmjhw->bmihw", rotation, by_map).flatten(1, 2)

    def save(self, path: Path) -> None:
        """Write in half precision, factors in eight bits."""
        codes, peaks = to_bytes(self.factors.flatten(2).numpy())
        size = self.factors.shape[-1]
        tensors = {
            name: as_stored(getattr(self, name)).contiguous() for name in self.__dataclass_fields__ if name != "factors"
        }
        tensors["factors"] = torch.from_numpy(codes).unflatten(2, (size, size))
        tensors["factor_peaks"] = torch.from_numpy(peaks)
        save_file(tensors, path)

    @staticmethod
    def load(path: Path) -> LatentStatistics:
        """What `save` wrote.

        Raises:
            OSError: there is no such file.
        """
        with safe_open(verified(path), "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118  (no mapping)
        codes, peaks = tensors["factors"].numpy(), tensors["factor_peaks"].numpy()
        factors = torch.from_numpy(from_bytes(codes, peaks[..., None]))
        others = {name: tensors[name].float() for name in LatentStatistics.__dataclass_fields__ if name != "factors"}
        return LatentStatistics(**others, factors=factors)


@dataclass(frozen=True)
class _Step:
    """What the linear denoiser needs of one step alone.

    Args:
        triangle: Cholesky's of 1 + alpha_bar W A^-1 W^T with A the diagonal alpha_bar noise + 1 - alpha_bar, [K, K].
        left: root mean square error of the expectation over all coefficients.
    """

    triangle: Tensor
    left: Tensor


class LinearDenoiser:
    """E[y_0 | y_t] of the Gaussian with these statistics, y_t = sqrt(alpha_bar) y_0 + sqrt(1 - alpha_bar) noise."""

    def __init__(self, statistics: LatentStatistics, schedule: NoiseSchedule) -> None:
        size, self._low = statistics.variance.shape[-1], statistics.factors.shape[-1]
        self._device = statistics.variance.device
        self._cosines = cosine_matrix(size).to(self._device)
        self._variance = statistics.variance
        factors = statistics.factors.flatten(1)
        # Coefficients that no factor reaches are filtered each by itself.
        self._reached = factors.abs().amax(0).nonzero()[:, 0]
        self._factors = factors[:, self._reached].contiguous()
        self._noise = statistics.variance[:, : self._low, : self._low].reshape(-1)[self._reached]
        self._alpha_bar = schedule.alpha_bar.float()
        self._steps: dict[int, _Step] = {}

    def __call__(self, noisy: Tensor, t: Tensor) -> Tensor:
        """The expectation [B, C, h, h] of the clean latents; float32, differentiable.

        Args:
            noisy: y_t, float32 [B, C, h, h].
            t: int64 [B], as `schedule` counts.
        """
        coefficients = self._cosines @ noisy @ self._cosines.T
        power = self._power(t)[:, None, None]
        filtered = power.sqrt() * self._variance / (power * self._variance + 1 - power) * coefficients
        low = coefficients[..., : self._low, : self._low]
        corner = filtered[..., : self._low, : self._low].flatten(1)
        corner = corner.index_copy(1, self._reached, self._low_part(low.flatten(1)[:, self._reached], t))
        return self._cosines.T @ _with_corner(filtered, corner.reshape(low.shape)) @ self._cosines

    def left(self, t: Tensor) -> Tensor:
        """Root mean square error of the expectation at steps t, were the latents such a Gaussian; float32 [B]."""
        return torch.stack([self._step(int(k)).left for k in t])

    def _power(self, t: Tensor) -> Tensor:
        return self._alpha_bar.to(self._device)[t].reshape(-1, 1)

    def _low_part(self, y: Tensor, t: Tensor) -> Tensor:
        """a S (a^2 S + s^2 I)^-1 y with S = W^T W + diag(noise), by the matrix inversion lemma."""
        power = self._power(t)
        weight = 1 / (power * self._noise + 1 - power)  # [B, n]
        triangle = torch.stack([self._step(int(k)).triangle for k in t])
        right = ((weight * y) @ self._factors.T)[:, :, None]
        loadings = torch.cholesky_solve(right, triangle)[:, :, 0]
        solved = weight * (y - power * (loadings @ self._factors))
        return power.sqrt() * ((solved @ self._factors.T) @ self._factors + self._noise * solved)

    def _step(self, t: int) -> _Step:
        if t not in self._steps:
            # What is kept must serve later calls with gradients as well.
            with torch.inference_mode(False), torch.no_grad():
                self._steps[t] = self._made_step(float(self._alpha_bar[t]))
        return self._steps[t]

    def _made_step(self, power: float) -> _Step:
        """With S = W^T W + diag(noise): the mean over all coefficients of the diagonal of s^2 S (a^2 S + s^2 I)^-1."""
        weight = 1 / (power * self._noise + 1 - power)
        gram = (self._factors * weight) @ self._factors.T
        identity = torch.eye(len(gram), device=self._device)
        triangle = torch.linalg.cholesky(identity + power * gram)
        spread = (self._factors * (weight.square() * self._noise)) @ self._factors.T
        by_factors = torch.cholesky_solve(gram - power * spread, triangle).diagonal().sum()
        alone = self._variance / (power * self._variance + 1 - power)
        # For the coefficients that factors reach, `alone` is noise times weight.
        left = (1 - power) * (by_factors + alone.sum()) / self._variance.numel()
        # A network's answers are measured in it, so that it must not vanish.
        return _Step(triangle, left.sqrt().clamp_min(1e-4))


def cosine_matrix(size: int) -> Tensor:
    """The orthonormal DCT-II, float32 [size, size], rows are frequencies."""
    frequency, position = torch.meshgrid(torch.arange(size), torch.arange(size), indexing="ij")
    matrix = torch.cos(math.pi * frequency * (2 * position + 1) / (2 * size)) * math.sqrt(2 / size)
    matrix[0] /= math.sqrt(2)
    return matrix


def _with_corner(coefficients: Tensor, corner: Tensor) -> Tensor:
    """Coefficients whose low ones are replaced."""
    low = corner.shape[-1]
    upper = torch.cat([corner, coefficients[..., :low, low:]], dim=-1)
    return torch.cat([upper, coefficients[..., low:, :]], dim=-2)
