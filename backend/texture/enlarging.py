"""Photos smaller than the maps: enlarged by the best linear guess before they are unwrapped."""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.reading import linear_to_srgb, srgb_to_linear

TAPS = 9
# A photo is doubled until the face has this many pixels a texel, and while it stays below this size.
ENOUGH_PIXELS, LARGEST = 0.75, 4096**2
PHASES = ((0, 0), (0, 1), (1, 0), (1, 1))  # (row, column) of the fine pixel within the coarse one


def enlarged(
    linear: np.ndarray,  # float32 [H, W, 3], linear light
    kernels: np.ndarray,  # float32 [2, 4, 9, 9], of the first doubling and of the second
    pixels_per_texel: float,
) -> tuple[np.ndarray, int]:
    """The image doubled as often as its texels need, linear light, and the factor: 1, 2 or 4."""
    factor = 1
    for kernel in kernels:
        if pixels_per_texel * factor >= ENOUGH_PIXELS or linear.shape[0] * linear.shape[1] * 4 > LARGEST:
            break
        # In the encoding the noise and the eye are about even over the tones.
        linear = srgb_to_linear(np.clip(doubled(linear_to_srgb(linear).astype(np.float32), kernel), 0, 1))
        linear, factor = linear.astype(np.float32), 2 * factor
    return linear, factor


def doubled(
    image: np.ndarray,  # float32 [H, W, C], sRGB-encoded or any other values that are alike in scale
    kernel: np.ndarray,  # float32 [4, 9, 9], by `PHASES`
) -> np.ndarray:
    """Twice the size, [2 H, 2 W, C]: the minimum mean square error guess from 9 x 9 pixels.

    Takes back the blur of the pixels' area that bicubic interpolation leaves. The kernel is the least squares solution
    over portraits and their reduced copies (Wiener 1949; by phase as in Romano et al., "RAISR", 2016, of one class).
    """
    height, width = image.shape[:2]
    mean = cv2.blur(image, (TAPS, TAPS), borderType=cv2.BORDER_REPLICATE)
    result = np.empty((2 * height, 2 * width, *image.shape[2:]), np.float32)
    for (row, column), taps in zip(PHASES, kernel, strict=True):
        filtered = cv2.filter2D(image, cv2.CV_32F, taps, borderType=cv2.BORDER_REPLICATE)
        result[row::2, column::2] = filtered + mean * (1 - float(taps.sum()))
    return result


def fitted_kernel(
    pairs: list[tuple[np.ndarray, np.ndarray]],  # (coarse [h, w], fine [2 h, 2 w]), float, one channel
    noise: float,  # standard deviation of the coarse pixels' noise, in their values
    samples: int,  # pixels of each pair
    rng: np.random.Generator,
    even: bool,
) -> np.ndarray:
    """The kernel float32 [4, 9, 9] that best makes the fine images from the coarse ones.

    `even`: samples count by their own contrast, so that plain skin counts as much as the far stronger edges of lids
    and hair.
    """
    size, reach = TAPS * TAPS, TAPS // 2
    squares, products = np.zeros((len(PHASES), size, size)), np.zeros((len(PHASES), size))
    regular = np.zeros(len(PHASES))
    for coarse, fine in pairs:
        windows = np.lib.stride_tricks.sliding_window_view(coarse.astype(np.float64), (TAPS, TAPS))
        for k, (row, column) in enumerate(PHASES):
            y = rng.integers(0, windows.shape[0], samples)
            x = rng.integers(0, windows.shape[1], samples)
            around = windows[y, x].reshape(samples, size)
            mean = around.mean(1)
            around = around - mean[:, None]
            target = fine[2 * (y + reach) + row, 2 * (x + reach) + column] - mean
            trust = 1 / (around.var(1) + 4 * noise**2) if even else np.ones(samples)
            squares[k] += (around * trust[:, None]).T @ around
            products[k] += (around * trust[:, None]).T @ target
            regular[k] += trust.sum() * noise**2
    solved = [np.linalg.solve(s + r * np.eye(size), p) for s, r, p in zip(squares, regular, products, strict=True)]
    return np.stack(solved).reshape(len(PHASES), TAPS, TAPS).astype(np.float32)
