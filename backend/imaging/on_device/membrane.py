"""Screened membranes on tensors; what they are, and the reference, in `backend.imaging.membrane`."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.membrane import SMALLEST_SIDE


@dataclass(frozen=True)
class _Grid:
    """(A u)_i = d_i u_i - sum_j c_ij u_j on an h x w grid: couplings `right` [h, w - 1] and `down` [h - 1, w], and the
    `diagonal` [h, w], never 0."""

    right: Tensor
    down: Tensor
    diagonal: Tensor

    def apply(self, u: Tensor) -> Tensor:
        """A u for u [C, h, w]."""
        total = self.diagonal * u
        total[..., :-1] -= self.right * u[..., 1:]
        total[..., 1:] -= self.right * u[..., :-1]
        total[..., :-1, :] -= self.down * u[..., 1:, :]
        total[..., 1:, :] -= self.down * u[..., :-1, :]
        return total

    def smooth(self, b: Tensor, u: Tensor) -> Tensor:
        """A step of damped Jacobi towards A u = b."""
        return u + 0.8 / self.diagonal * (b - self.apply(u))


def extend(
    values: Tensor,  # [H, W, C]
    weight: Tensor,  # [H, W]
    domain: Tensor,  # bool [H, W]
    decay_texels: float | Tensor,
    tolerance: float = 3e-4,
    iterations: int = 100,
) -> Tensor:
    """The same operator, cycles and end as the reference's."""
    inside = domain.float()
    held = weight * inside
    if isinstance(decay_texels, Tensor):
        fading = 1 / decay_texels.clamp_min(1).square()
    else:
        fading = torch.full_like(inside, 1 / max(decay_texels, 1.0) ** 2)
    screening = torch.where(domain, fading, 1.0).clamp_min(1e-7)
    levels = _pyramid(inside[:, 1:] * inside[:, :-1], inside[1:] * inside[:-1], held + screening)
    b = torch.where(domain, values.movedim(-1, 0), 0) * held
    u, residual = torch.zeros_like(b), b.clone()
    size = float((b / levels[0].diagonal).abs().max().clamp_min(1e-30))
    z = _v_cycle(levels, residual)
    direction, energy = z, _dot(residual, z)
    for _ in range(iterations):
        mapped = levels[0].apply(direction)
        step = energy / _dot(direction, mapped).clamp_min(1e-30)
        u, residual = u + step * direction, residual - step * mapped
        z = _v_cycle(levels, residual)
        if float(z.abs().max()) <= tolerance * size:
            break
        before, energy = energy, _dot(residual, z)
        direction = z + energy / before.clamp_min(1e-30) * direction
    return (u * inside).movedim(0, -1).contiguous()


def _pyramid(right: Tensor, down: Tensor, own: Tensor) -> list[_Grid]:
    """The operator and its aggregates of 2 x 2 texels."""
    levels = []
    while True:
        diagonal = own.clone()
        diagonal[:, :-1] += right
        diagonal[:, 1:] += right
        diagonal[:-1] += down
        diagonal[1:] += down
        levels.append(_Grid(right, down, diagonal.clamp_min(1e-12)))
        if min(own.shape) <= SMALLEST_SIDE:
            return levels
        right, down = 0.5 * _sums(right[:, 1::2], 2, 1), 0.5 * _sums(down[1::2], 1, 2)
        own = _sums(own, 2, 2)


def _sums(x: Tensor, rows: int, columns: int) -> Tensor:
    """Sums of neighbours [..., h, w], so many rows and columns together; an odd one out stays alone."""
    height, width = x.shape[-2:]
    x = functional.pad(x, (0, -width % columns, 0, -height % rows))
    return x.unflatten(-1, (-1, columns)).sum(-1).unflatten(-2, (-1, rows)).sum(-2)


def _v_cycle(levels: list[_Grid], b: Tensor, depth: int = 0) -> Tensor:
    """One symmetric multigrid cycle for A u = b from u = 0."""
    level = levels[depth]
    u = 0.8 / level.diagonal * b
    if depth == len(levels) - 1:
        for _ in range(8):
            u = level.smooth(b, u)
        return u
    u = level.smooth(b, u)
    coarse = _v_cycle(levels, _sums(b - level.apply(u), 2, 2), depth + 1)
    height, width = b.shape[-2:]
    u = u + coarse.repeat_interleave(2, -2).repeat_interleave(2, -1)[..., :height, :width]
    for _ in range(2):
        u = level.smooth(b, u)
    return u


def _dot(a: Tensor, b: Tensor) -> Tensor:
    """Scalar products [C, 1, 1]."""
    return (a * b).sum((-2, -1), keepdim=True)
