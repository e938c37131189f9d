"""Cases of the primitives of `backend.imaging.on_device`, each beside its reference; any device."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor

from backend.imaging import filters
from backend.imaging.membrane import extend
from backend.imaging.on_device import filters as on_device
from backend.imaging.on_device.membrane import membrane
from backend.imaging.sampling import Footprint, sample_image
from backend.texture.uv_space import dilate

SIDE = 96
# The largest difference that is allowed, of values in [0, 1]; of distances, of the distance.
LIMITS = {
    "masked_blur": 2e-5,
    "wide_masked_blur": 2e-5,
    "reduced": 1e-6,
    "enlarged": 1e-5,
    "bicubic": 0.04,  # OpenCV knows 32 places between two pixels
    "gathered": 1e-6,
    "inner_distance": 0.03,  # OpenCV's is a sum of steps on the grid
    "extended": 0.02,  # texels whose nearest two are as far, in an image that is smooth
    "membrane": 2e-3,  # both stop at 3e-4 of the largest value
}


def differences(device: str) -> dict[str, float]:
    """How far each primitive on a device is from its reference, by name as `LIMITS`."""
    rng = np.random.default_rng(3)
    noise = rng.random((SIDE, SIDE, 3), np.float32)
    smooth = cv2.GaussianBlur(noise, (0, 0), 6)
    smooth = (smooth - smooth.min()) / (smooth.max() - smooth.min())
    y, x = np.mgrid[:SIDE, :SIDE] - SIDE / 2
    mask = (np.hypot(x, 1.4 * y) < 0.4 * SIDE) & ~((np.abs(x) < 5) & (y < 0))
    weight = (mask * rng.random((SIDE, SIDE))).astype(np.float32)

    def there(array: np.ndarray) -> Tensor:
        return torch.from_numpy(np.ascontiguousarray(array)).to(device)

    def image(array: np.ndarray) -> Tensor:
        return there(np.moveaxis(array, -1, 0))

    def back(tensor: Tensor) -> np.ndarray:
        assert tensor.device.type == device.split(":")[0]
        return tensor.cpu().numpy()

    def picture(tensor: Tensor) -> np.ndarray:
        return np.moveaxis(back(tensor), 0, -1)

    def blurred(sigma: float) -> float:
        found = picture(on_device.masked_blur(image(noise), there(weight), sigma))
        # Far from any weight there is nothing, and what little rounding leaves is divided by nothing.
        near = filters.masked_blur(mask.astype(np.float32), np.ones_like(weight), sigma) > 1e-2
        return largest(found[near], filters.masked_blur(noise, weight, sigma)[near])

    pixels = rng.uniform(-2, SIDE + 2, (500, 2)).astype(np.float32)
    finer = Footprint(np.broadcast_to(0.5 * np.eye(2), (500, 2, 2)))
    vertices, corners = rng.random((40, 4), np.float32), rng.integers(0, 40, (300, 3))
    share = rng.dirichlet(np.ones(3), 300).astype(np.float32)
    distance = filters.inner_distance(mask)
    deep = distance > 2
    found_distance = back(on_device.inner_distance(there(mask)))
    held = (weight > 0.7).astype(np.float32)
    return {
        "masked_blur": blurred(2.0),
        "wide_masked_blur": blurred(17.0),
        "reduced": largest(picture(on_device.reduced(image(noise), 24)), filters.masked_reduce(
            noise, np.ones_like(weight), 24)[0]),
        "enlarged": largest(picture(on_device.enlarged(image(noise), 3 * SIDE)), filters.enlarge(noise, 3 * SIDE)),
        "bicubic": largest(
            np.maximum(back(on_device.bicubic(image(noise), there(pixels))), 0), sample_image(noise, pixels, finer)
        ),
        "gathered": largest(
            back(on_device.gathered(there(vertices), there(corners), there(share))),
            np.einsum("nk,nkc->nc", share, vertices[corners]),
        ),
        "inner_distance": largest(found_distance[deep] / distance[deep], np.ones(int(deep.sum()))),
        "extended": largest(
            picture(on_device.extended(image(smooth), there(mask), 9.0)), dilate(smooth, mask, 9.0), 0.99
        ),
        "membrane": largest(
            picture(membrane(image(smooth), there(held), there(mask), 20.0)), extend(smooth, held, mask, 20.0)
        ),
    }  # fmt: skip


def largest(found: np.ndarray, wanted: np.ndarray, quantile: float = 1.0) -> float:
    return float(np.quantile(np.abs(found - wanted), quantile))
