"""The noise of a photo, its camera's and its file's, and the photo without it.

Noise is known by frequency: of sliding blocks of 8 x 8 pixels in the cosine transform. What a JPEG file rounds is in
its tables; what the camera adds shows on the quietest skin. Each frequency is kept as far as its energy about the place
exceeds the noise (Wiener's gain). Sources: Yu and Sapiro, "DCT image denoising", 2011;
Nosratinia, "Enhancement of JPEG-compressed images by re-application of JPEG", 2001.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.filters import MAD_TO_STD, smooth_step
from backend.photo.blocks import BLOCK, block_means, block_transforms, picture_of
from backend.photo.files.jpeg_steps import JpegSteps
from backend.photo.found_steps import found_steps
from backend.photo.parameters import NoiseSettings
from backend.side_by_side import each

# JPEG's luminance and two colours of red, green and blue (ITU-T T.871).
_TO_YCC = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]], np.float32)
_FROM_YCC = np.linalg.inv(_TO_YCC)
# Of noise that is alike and independent in red, green and blue, against that of the luminance.
_OF_SENSOR = np.square(_TO_YCC).sum(axis=1) / np.square(_TO_YCC[0]).sum()


@dataclass(frozen=True)
class Denoised:
    """A picture without its noise.

    Args:
        levels: float32 [H, W, 3], sRGB-encoded, 0 to 255.
        sharpness: share of the resolution that its pixels could show which the skin in it still has, in (0, 1].
    """

    levels: np.ndarray
    sharpness: float = 1.0


def denoised(
    levels: np.ndarray,  # float32 [H, W, 3], sRGB-encoded, 0 to 255: a face with its surroundings
    skin: np.ndarray,  # float32 [H, W], 1 on skin
    steps: JpegSteps | None,
    pixels_per_mm: float,
    settings: NoiseSettings = NoiseSettings(),
) -> Denoised:
    """A picture without the noise that its skin shows.

    Args:
        levels, skin: see above.
        steps: of the JPEG file that it is from, None for another file or a reduced picture. Where it was rounded to
            larger ones ahead of that, those are found.
        pixels_per_mm: size of the skin.
        settings: what counts as noise.
    """
    if min(levels.shape[:2]) < 4 * BLOCK:
        return Denoised(levels)
    ycc = levels @ _TO_YCC.T
    once = found_steps(ycc[..., 0], settings.found_steps)
    if once is not None and (steps is None or once.luminance[0, 1] > 1.3 * steps.luminance[0, 1]):
        steps = once
    sensor = sensor_noise(ycc[..., 0], skin, pixels_per_mm, settings)
    variance = sensor * _OF_SENSOR[:, None, None] + (0 if steps is None else _rounding_noise(steps))
    variance = np.maximum(variance - settings.negligible, 0)
    if not variance[0].any():
        return Denoised(levels)
    stride = settings.stride * (1 if levels.shape[0] * levels.shape[1] < settings.many_pixels else 2)
    # The luminance takes longest.
    luminance, *colours = each(
        lambda channel: _wiener(ycc[..., channel], variance[channel], stride, settings, skin if channel == 0 else None),
        range(3),
    )
    clean = np.stack([luminance[0], *(colour for colour, _ in colours)], axis=-1)
    return Denoised((clean @ _FROM_YCC.T).astype(np.float32), _sharpness(luminance[1]))


def sensor_noise(
    luminance: np.ndarray, skin: np.ndarray, pixels_per_mm: float, settings: NoiseSettings = NoiseSettings()
) -> float:
    """Variance of the noise that a camera added to skin, squared levels a frequency.

    What skin and its shading show falls steeply with frequency, noise does not: where skin is quietest, its energy at
    middle frequencies is a fixed share of that at low ones, and the rest is noise. That holds where pixels are larger
    than pores. In larger photos pores are as flat; but noise is the same everywhere, and skin is not.

    Args:
        luminance: float32 [H, W], levels.
        skin: float32 [H, W], 1 on skin.
        pixels_per_mm: size of the skin.
        settings: what is known of skin and noise.
    """
    frequency = np.add.outer(np.arange(BLOCK), np.arange(BLOCK))
    low, middle, high = ((frequency >= lowest) & (frequency <= highest) for lowest, highest in settings.bands)
    energies, inside = [], []
    for y in (0, BLOCK // 2):
        for x in (0, BLOCK // 2):
            energy = _energy(block_transforms(luminance[y:, x:]))
            energies.append(np.stack([energy[..., band].mean(axis=-1).ravel() for band in (low, middle, high)]))
            inside.append(block_means(skin[y:, x:]).ravel())
    energy, share = np.concatenate(energies, axis=1), np.concatenate(inside)
    if np.count_nonzero(share > settings.skin_share) >= settings.fewest_blocks:
        energy = energy[:, share > settings.skin_share]
    quiet = energy[:, energy[1] <= np.quantile(energy[1], settings.quiet)]
    excess = (quiet[1] - settings.fall * quiet[0]) / (1 - settings.fall)
    middle_excess = float(np.median(excess))
    # Its standard error: few places of a small face are plain skin. Blocks overlap, and energies are means of nine.
    spread = MAD_TO_STD * float(np.median(np.abs(excess - middle_excess)))
    certain = middle_excess - spread / math.sqrt(max(excess.size / 8, 1))
    floor, usual = np.quantile(energy[2], (settings.floor, 0.5))
    coarse = smooth_step(pixels_per_mm, *settings.coarse_per_mm)
    even = smooth_step(float(usual / max(floor, 1e-6)), *settings.even)
    return float(np.clip(certain, 0, settings.rise * np.quantile(energy[2], settings.quiet / 2)) * max(coarse, even))


def _rounding_noise(steps: JpegSteps) -> np.ndarray:
    """Variances float [3, 8, 8] of values that are rounded to whole steps: a twelfth of their square."""
    colour = np.square(steps.colour) / 12
    if steps.halved:
        # A frequency of the full size is twice as high at half the size; beyond that there is nothing but blur.
        spread = np.full((BLOCK, BLOCK), 4 * float(colour.max()))
        spread[: BLOCK // 2, : BLOCK // 2] = 4 * colour[::2, ::2]
        colour = spread
    return np.stack([np.square(steps.luminance) / 12, colour, colour])


def _energy(blocks: np.ndarray) -> np.ndarray:
    """Mean squares [h, w, 8, 8] over a block and its neighbours, in memory as the blocks are."""
    height, width = blocks.shape[:2]
    border = cv2.BORDER_REFLECT_101
    squares = np.square(blocks).transpose(0, 2, 1, 3).reshape(height, -1)
    over_rows = np.asarray(cv2.blur(squares, (1, 3), borderType=border)).reshape(height * BLOCK, width, BLOCK)
    over_both = np.asarray(cv2.blur(over_rows, (3, 1), borderType=border))
    return over_both.reshape(height, BLOCK, width, BLOCK).transpose(0, 2, 1, 3)


def _wiener(
    image: np.ndarray, variance: np.ndarray, stride: int, settings: NoiseSettings, skin: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """A picture [H, W] without noise of these variances [8, 8], and the mean gain [8, 8] on its skin, where given."""
    height, width = image.shape
    # Wide enough that every pixel of the picture lies in a block of each of the shifted grids.
    margin = ((BLOCK, 2 * BLOCK), (BLOCK, 2 * BLOCK))
    padded, where = np.pad(image, margin, mode="reflect"), None if skin is None else np.pad(skin, margin)
    total = np.zeros_like(padded)
    gains, weight = np.zeros((BLOCK, BLOCK)), 1e-6
    noise = (settings.caution * variance).astype(np.float32)
    for y in range(0, BLOCK, stride):
        for x in range(0, BLOCK, stride):
            blocks = block_transforms(padded[y:, x:])
            gain = _energy(blocks)
            np.maximum(gain, 1e-6, out=gain)
            np.divide(noise, gain, out=gain)
            np.subtract(1, gain, out=gain)
            np.maximum(gain, 0, out=gain)
            gain[..., 0, 0] = 1
            blocks *= gain
            if where is not None:
                on_skin = block_means(where[y:, x:]) > settings.skin_share
                gains += gain[on_skin].sum(axis=0)
                weight += np.count_nonzero(on_skin)
            part = picture_of(blocks)
            total[y : y + part.shape[0], x : x + part.shape[1]] += part
    inside = (slice(BLOCK, BLOCK + height), slice(BLOCK, BLOCK + width))
    grids = (BLOCK // stride) ** 2
    return total[inside] / grids, gains / weight if weight > 1 else np.ones((BLOCK, BLOCK))


def _sharpness(gain: np.ndarray) -> float:
    """Up to which share of the frequencies along rows and columns at least half of the picture was kept."""
    along = (gain[0] + gain[:, 0]) / 2
    lost = np.flatnonzero(along < 0.5)
    if not len(lost):
        return 1.0
    above, below = along[lost[0] - 1], along[lost[0]]
    return float((lost[0] - 1 + (above - 0.5) / max(above - below, 1e-6)) / (BLOCK - 1))
