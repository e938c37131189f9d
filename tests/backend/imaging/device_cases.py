"""The image arithmetic on tensors beside the same names on NumPy's arrays; any device."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import cv2
import numpy as np

from backend.imaging import filters, octaves, sampling
from backend.imaging.arrays import Array, gather, is_tensor, namespace, to_device, to_host
from backend.imaging.colour import linear_to_srgb, luminance, srgb_to_linear
from backend.imaging.membrane import extend
from backend.imaging.parts import largest_in_parts, parts, texels_of_parts
from backend.imaging.rows import Enlarged, blurred_in_bands
from backend.imaging.sampling import Footprint
from backend.imaging.solid_noise import solid_noise
from backend.imaging.sparse_rows import sparse_rows
from backend.texture.uv_space import dilate

SIDE = 96
# The largest difference that is allowed, of values in [0, 1]; of distances, of the distance.
LIMITS = {
    "masked_blur": 2e-5,
    "wide_masked_blur": 2e-5,
    "odd_masked_blur": 2e-5,
    "blurred_in_bands": 2e-5,
    "gaussian_blur": 2e-6,
    "gaussian_blur_nothing_beyond": 2e-6,
    "gaussian_blur_repeated": 2e-6,
    "masked_reduce": 2e-6,
    "masked_reduce_by_a_fraction": 2e-6,
    "enlarge": 1e-5,
    "rows_enlarged": 1e-5,
    "reduce_to": 1e-6,
    "reduce_to_larger": 2e-6,
    "halved": 1e-6,
    "doubled": 1e-6,
    "split_and_joined": 2e-6,
    "central_difference": 1e-6,
    "smoothed_difference": 1e-6,
    "filtered": 1e-5,
    "grown": 0,
    "shrunk": 0,
    "grown_square": 0,
    "without_holes": 0,
    "counts_before": 0,
    "bicubic": 0.04,  # OpenCV knows 32 places between two pixels
    "sample_image": 0.04,
    "sample_linear": 0.04,
    "bilinear": 0.04,
    "part_resized": 0.04,
    "part_resized_nothing_beyond": 0.04,
    "gathered": 1e-6,
    "gathered_rows": 1e-6,
    "turned_parts": 0.04,
    "warped": 0.04,
    "solid_noise": 2e-4,  # places of single precision
    "inner_distance": 1e-5,
    "extended": 0.02,  # texels whose nearest two are as far, in an image that is smooth
    "extend": 2e-3,  # both stop at 3e-4 of the largest value
    "parts": 0,
    "measures_of_parts": 0,
    "srgb": 1e-6,
    "luminance": 1e-6,
}


def differences(device: str) -> dict[str, float]:
    """How far each is on a device from its reference, by name as `LIMITS`."""
    rng = np.random.default_rng(3)
    noise = rng.random((SIDE, SIDE, 3), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    mask = (np.hypot(x, 1.4 * y) < 0.4 * SIDE) & ~((np.abs(x) < 5) & (y < 0))
    ring = mask & (np.hypot(x - 15, y - 5) > 6)
    weight = (mask * rng.random((SIDE, SIDE))).astype(np.float32)
    plain = np.ascontiguousarray(noise[..., 0])
    pixels = rng.uniform(-2, SIDE + 2, (500, 2)).astype(np.float32)
    wide = rng.normal(0, 1.5, (500, 2, 2))
    vertices, corners = rng.random((40, 4), np.float32), rng.integers(0, 40, (300, 3))
    share = rng.dirichlet(np.ones(3), 300).astype(np.float32)
    held = (weight > 0.7).astype(np.float32)
    kernel = rng.random((9, 7), np.float32) / 63
    deep = filters.inner_distance(mask) > 2
    # Far from any weight there is nothing, and what little rounding leaves is divided by nothing.
    near = {s: filters.masked_blur(mask.astype(np.float32), np.ones_like(weight), s) > 1e-2 for s in (2.0, 17.0)}

    def apart(step: Callable[..., Array], *given: Array, where: np.ndarray | None = None, quantile: float = 1) -> float:
        there = [to_device(value, device) if isinstance(value, np.ndarray) else value for value in given]
        made = step(*there)
        assert is_tensor(made)
        assert made.device.type == device.split(":")[0]
        wanted, found = step(*given), to_host(made)
        assert found.shape == wanted.shape
        apart = np.abs(found.astype(np.float32) - wanted)[where if where is not None else ...]
        return float(np.quantile(apart, quantile))

    def of_distance(image: Array) -> Array:
        found = filters.inner_distance(image)
        return found / float(to_host(found).max())

    def blurred(image: Array, weight: Array) -> Array:
        rows = slice(0, SIDE)
        return blurred_in_bands(lambda rows: image[rows], lambda rows: weight[rows], SIDE, 17.0, weight)[rows]

    def sampled(image: Array, pixels: Array, jacobian: Array) -> Array:
        return sampling.sample_image(image, pixels, Footprint(jacobian))

    def joined(image: Array) -> Array:
        return octaves.join(octaves.split(image, octaves.finest_octave(64) + 2)[0])

    def by_rows(corners: Array, weights: Array, values: Array) -> Array:
        return (sparse_rows(corners, weights, len(values)) @ values)[3:]

    def turned(image: Array, border: str) -> Array:
        maps = [np.array([[0.8, 0.5, 70.3], [-0.5, 0.8, -4.1]]), np.array([[0.3, -1.0, 20], [1.0, 0.3, 40]])]
        return namespace(image).stack(list(sampling.turned_parts(image, maps, 40, border)))

    def by_size(mask: Array) -> Array:
        """How many texels the part has that each texel is of: the numbers of parts are in any order."""
        labels, count = parts(mask)
        return gather(texels_of_parts(labels, count), labels)

    def measured(mask: Array, values: Array) -> Array:
        labels, count = parts(mask)
        return gather(largest_in_parts(labels, count, values), labels)

    # A spiral, which takes many turns to be followed to its end, and scattered texels that meet at corners.
    angle = np.arctan2(y, x) + 0.35 * np.hypot(x, y)
    scattered = np.where(np.hypot(x, y) < 30, np.sin(angle) > 0.4, noise[..., 1] > 0.55)
    wandering = np.dstack([17 * (smooth[..., 0] - 0.5), 9 * (smooth[..., 1] - 0.5)]).astype(np.float32)
    side64 = np.ascontiguousarray(noise[:64, :64])
    return {
        "masked_blur": apart(filters.masked_blur, noise, weight, 2.0, where=near[2.0]),
        "wide_masked_blur": apart(filters.masked_blur, noise, weight, 17.0, where=near[17.0]),
        "odd_masked_blur": apart(
            filters.masked_blur, *(np.ascontiguousarray(image[:91, :89]) for image in (noise, weight + 1)), 17.0
        ),
        "blurred_in_bands": apart(blurred, plain, weight, where=near[17.0]),
        "gaussian_blur": apart(filters.gaussian_blur, noise, 3.3),
        "gaussian_blur_nothing_beyond": apart(partial(filters.gaussian_blur, border="zero"), plain, 1.3),
        "gaussian_blur_repeated": apart(partial(filters.gaussian_blur, border="repeat"), plain, 30.0),
        "masked_reduce": apart(lambda *given: filters.masked_reduce(*given)[0], noise, weight + 1, 24),
        "masked_reduce_by_a_fraction": apart(lambda *given: filters.masked_reduce(*given)[0], noise, weight + 1, 36),
        "enlarge": apart(filters.enlarge, noise, 3 * SIDE),
        "rows_enlarged": apart(lambda image: Enlarged(image, 2 * SIDE, (0.1, 0.9))[slice(20, 90)], noise),
        "reduce_to": apart(octaves.reduce_to, noise, 32),
        "reduce_to_larger": apart(octaves.reduce_to, plain, 2 * SIDE),
        "halved": apart(octaves.halved, noise),
        "doubled": apart(octaves.doubled, noise, 2 * SIDE),
        "split_and_joined": apart(joined, side64),
        "central_difference": max(apart(octaves.central_difference, plain, axis) for axis in (0, 1)),
        "smoothed_difference": max(
            apart(octaves.smoothed_difference, plain, *order) for order in ((2, 0), (0, 1), (1, 1))
        ),
        "filtered": apart(partial(filters.filtered, kernel=kernel), plain),
        "grown": max(apart(filters.grown, plain, 7), apart(filters.grown, mask.astype(np.float32), 3)),
        "shrunk": apart(filters.shrunk, plain, 4),
        "grown_square": apart(lambda image: filters.grown(image, 2, square=True), plain),
        "without_holes": apart(filters.without_holes, ring),
        "counts_before": apart(filters.counts_before, mask),
        "bicubic": apart(sampling.bicubic, noise, pixels),
        "sample_image": apart(sampled, noise, pixels, wide),
        "sample_linear": apart(sampling.sample_linear, plain, pixels),
        "bilinear": apart(sampling.bilinear, noise, pixels),
        "part_resized": apart(partial(sampling.part_resized, repeat=True), noise, (-3.0, 11.0), 0.7, (60, 70)),
        "part_resized_nothing_beyond": apart(
            partial(sampling.part_resized, repeat=False), plain, (-3.0, 11.0), 0.7, (60, 70)
        ),
        "gathered": apart(sampling.gathered, vertices, corners, share),
        "gathered_rows": apart(by_rows, corners, share, vertices),
        "warped": apart(sampling.warped, noise, wandering),
        "turned_parts": max(apart(partial(turned, border=border), plain) for border in ("mirror", "wrap")),
        "solid_noise": apart(solid_noise, 150 * vertices[:, :3], 0.5, 1),
        "inner_distance": apart(of_distance, mask, where=deep),
        "extended": apart(dilate, smooth, mask, 9.0, quantile=0.99),
        "extend": apart(extend, smooth, held, mask, 20.0),
        "parts": apart(by_size, scattered),
        "measures_of_parts": apart(measured, scattered, plain),
        "srgb": max(apart(linear_to_srgb, noise), apart(srgb_to_linear, noise)),
        "luminance": apart(luminance, noise),
    }
