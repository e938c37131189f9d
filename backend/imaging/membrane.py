"""Screened membranes on masked images, by multigrid-preconditioned conjugate gradients."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import cv2
import numpy as np

from backend.imaging.arrays import Array, also_on_device

SMALLEST_SIDE = 4


@dataclass(frozen=True)
class _Level:
    """One level of the operator (A u)_i = d_i u_i - sum_j c_ij u_j on an h x w grid.

    `right` float32 [h, w - 1] and `down` [h - 1, w] are the couplings c, `diagonal` [h, w] is d, never 0.
    Sums of products are taken one by one without anything in between (`cv2.accumulateProduct`).
    """

    right: np.ndarray
    down: np.ndarray
    diagonal: np.ndarray

    def apply(self, u: np.ndarray) -> np.ndarray:
        """A u for u [C, h, w]."""
        return -self.residual(np.zeros_like(u), u)

    def residual(self, b: np.ndarray, u: np.ndarray) -> np.ndarray:
        """b - A u for u and b [C, h, w]."""
        left = b.copy()
        for channel, values in zip(left, u, strict=True):
            cv2.accumulateProduct(values[:, 1:], self.right, channel[:, :-1])
            cv2.accumulateProduct(values[:, :-1], self.right, channel[:, 1:])
            cv2.accumulateProduct(values[1:], self.down, channel[:-1])
            cv2.accumulateProduct(values[:-1], self.down, channel[1:])
            cv2.accumulateProduct(values, self._less, channel)
        return left

    def smooth(self, b: np.ndarray, u: np.ndarray) -> None:
        """One step of damped Jacobi towards A u = b, in place; u and b [C, h, w]."""
        left = self.residual(b, u)
        for channel, values in zip(left, u, strict=True):
            cv2.accumulateProduct(channel, self.step, values)

    @cached_property
    def step(self) -> np.ndarray:
        """Of damped Jacobi, float32 [h, w]."""
        return np.float32(0.8) / self.diagonal

    @cached_property
    def _less(self) -> np.ndarray:
        return -self.diagonal


@also_on_device("membrane")
def extend(
    values: Array,  # float32 [H, W, C]
    weight: Array,  # float32 [H, W], >= 0; how firmly `values` holds; 0 where unknown
    domain: Array,  # bool [H, W]; nothing flows over its border
    decay_texels: float | Array,  # distance over which the extension fades to 0, inf: does not fade
    tolerance: float = 3e-4,
    iterations: int = 100,
) -> Array:
    """Continue known values smoothly into the unknown: the membrane u float32 [H, W, C] that minimises

        sum_i w_i (u_i - values_i)^2 + sum_i u_i^2 / decay^2 + sum_ij (u_i - u_j)^2

    over the domain, 0 outside. Cloning by it (guess + extend(known - guess)) is Poisson image editing (Perez,
    Gangnet and Blake 2003, eq. 7-9: only the membrane of the boundary difference has to be solved for), with screening
    that lets the guess win far away from what is known. Stops when the error is
    about `tolerance` of the largest value.
    """
    inside = domain.astype(np.float32)
    w = np.where(domain, weight, 0).astype(np.float32)
    screening = np.where(domain, 1.0 / np.square(np.maximum(decay_texels, 1.0)), 1.0).astype(np.float32)
    # Far from any datum an endless decay would leave the constant undetermined.
    screening = np.maximum(screening, 1e-7)
    right = inside[:, 1:] * inside[:, :-1]
    down = inside[1:] * inside[:-1]
    levels = _pyramid(right, down, w + screening)
    b = np.moveaxis(np.where(domain[..., None], values, 0).astype(np.float32) * w[..., None], -1, 0)
    u = _conjugate_gradients(levels, np.ascontiguousarray(b), tolerance, iterations)
    return np.ascontiguousarray(np.moveaxis(u, 0, -1)) * inside[..., None]


def _pyramid(right: np.ndarray, down: np.ndarray, own: np.ndarray) -> list[_Level]:
    """The operator and its aggregates of 2 x 2 texels; `own` float32 [h, w] is the diagonal without couplings."""
    levels = []
    while True:
        diagonal = own.copy()
        diagonal[:, :-1] += right
        diagonal[:, 1:] += right
        diagonal[:-1] += down
        diagonal[1:] += down
        levels.append(_Level(right, down, np.maximum(diagonal, 1e-12)))
        if min(own.shape) <= SMALLEST_SIDE:
            return levels
        # Two fine couplings cross a coarse border; halved, they approximate the same membrane at twice the spacing.
        right = _sum_pairs(right[:, 1::2], 0) * 0.5
        down = _sum_pairs(down[1::2], 1) * 0.5
        own = _sum_pairs(_sum_pairs(own, 0), 1)


def _sum_pairs(x: np.ndarray, axis: int) -> np.ndarray:
    """Sums of neighbours along an axis (of the last two); an odd one out stays alone."""
    axis = x.ndim - 2 + axis
    if x.shape[axis] % 2:
        padding = [(0, 0)] * x.ndim
        padding[axis] = (0, 1)
        x = np.pad(x, padding)
    first, second = [slice(None)] * x.ndim, [slice(None)] * x.ndim
    first[axis], second[axis] = slice(0, None, 2), slice(1, None, 2)
    return x[tuple(first)] + x[tuple(second)]


def _conjugate_gradients(levels: list[_Level], b: np.ndarray, tolerance: float, iterations: int) -> np.ndarray:
    """Solve A u = b [C, h, w], every channel on its own, one V-cycle a step as preconditioner."""
    operator = levels[0]
    u = np.zeros_like(b)
    residual = b.copy()
    size = max(float(np.abs(b / operator.diagonal).max()), 1e-30)
    z = _v_cycle(levels, residual)
    direction = z.copy()
    energy = _dot(residual, z)
    for _ in range(iterations):
        mapped = operator.apply(direction)
        step = energy / np.maximum(_dot(direction, mapped), 1e-30)
        u += _per_channel(step) * direction
        residual -= _per_channel(step) * mapped
        z = _v_cycle(levels, residual)
        # One cycle nearly solves, so what it would change is about the error that is left, in the values' own units.
        if float(np.abs(z).max()) <= tolerance * size:
            break
        new_energy = _dot(residual, z)
        direction = z + _per_channel(new_energy / np.maximum(energy, 1e-30)) * direction
        energy = new_energy
    return u


def _v_cycle(levels: list[_Level], b: np.ndarray, depth: int = 0) -> np.ndarray:
    """One symmetric multigrid cycle for A u = b from u = 0, with damped Jacobi smoothing."""
    level = levels[depth]
    u = level.step * b
    if depth == len(levels) - 1:
        for _ in range(8):
            level.smooth(b, u)
        return u
    level.smooth(b, u)
    coarse = _v_cycle(levels, _sum_pairs(_sum_pairs(level.residual(b, u), 0), 1), depth + 1)
    height, width = b.shape[-2:]
    u += coarse.repeat(2, axis=-2).repeat(2, axis=-1)[..., :height, :width]
    for _ in range(2):
        level.smooth(b, u)
    return u


def _dot(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.einsum("chw,chw->c", a, b, dtype=np.float64)


def _per_channel(x: np.ndarray) -> np.ndarray:
    return x.astype(np.float32)[:, None, None]
