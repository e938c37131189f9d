"""Photos smaller than the maps: enlarged by what skin usually looks like at full size before they are unwrapped."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from backend.asset_files import ASSETS, verified
from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.texture.parameters import EnlargingSettings

ASSET = ASSETS / "photo_enlarging.npz"
TAPS = 5  # pixels a side of the window that is looked at
REACH = TAPS // 2
SPREAD = 3  # pixels a side of the block that a window's guess covers: guesses of neighbours overlap
SPREAD_SIGMA = 0.45  # of the guesses' weights, in halves of the block
STORED_RANK = 32


@dataclass(frozen=True)
class Enlarger:
    """Linear guesses of fine pixels from a window of coarse ones, one for every kind of window.

    Args:
        factor: how many times larger, f.
        flat: length of a window [TAPS * TAPS] without its mean below which it counts as flat.
        kinds: float32 [K, TAPS * TAPS], middles of the kinds; windows are compared by `shapes`.
        guesses: float32 [K, TAPS * TAPS, (SPREAD * f)**2], from a window without its mean to the block around its
            middle.
    """

    factor: int
    flat: float
    kinds: np.ndarray
    guesses: np.ndarray

    def kind(self, windows: np.ndarray) -> np.ndarray:
        """The nearest kind of each window, int [n]; windows float32 [n, TAPS * TAPS] without their means."""
        alike = shapes(windows, self.flat) @ self.kinds.T
        return np.argmax(alike - 0.5 * np.square(self.kinds).sum(1), axis=1)


def shapes(windows: np.ndarray, flat: float) -> np.ndarray:
    """Windows [n, TAPS * TAPS] scaled to length 1 where they are much longer than `flat`, near 0 where shorter."""
    return windows / np.sqrt(np.square(windows).sum(1, keepdims=True) + flat**2)


def enlarged(
    linear: np.ndarray,  # float32 [H, W, 3], linear light
    enlargers: tuple[Enlarger, ...],  # by rising factor
    pixels_per_texel: float,
    settings: EnlargingSettings = EnlargingSettings(),
) -> tuple[np.ndarray, int]:
    """The image enlarged as far as its texels need, linear light, and the factor, 1 where it is large enough.

    Luminance by `enlarged_luminance`, colour bicubically: it hardly varies finely, and cameras blur it.
    """
    chosen = enlarger_for(linear.shape[0] * linear.shape[1], enlargers, pixels_per_texel, settings)
    if chosen is None:
        return linear, 1
    factor = chosen.factor
    # In the encoding the noise and the eye are about even over the tones.
    encoded = linear_to_srgb(linear).astype(np.float32)
    large = cv2.resize(encoded, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    large += (enlarged_luminance(encoded @ LUMINANCE, chosen, settings) - large @ LUMINANCE)[..., None]
    return srgb_to_linear(np.clip(large, 0, 1, out=large)).astype(np.float32), factor


def enlarger_for(
    pixels: int, enlargers: tuple[Enlarger, ...], pixels_per_texel: float, settings: EnlargingSettings
) -> Enlarger | None:
    """By which an image of so many pixels is enlarged as far as its texels need, None where it is large enough."""
    factor, chosen = 1, None
    for enlarger in enlargers:
        fits = pixels * enlarger.factor**2 <= settings.largest
        if pixels_per_texel * factor >= settings.enough_pixels or not fits:
            break
        chosen, factor = enlarger, enlarger.factor
    return chosen


def enlarged_luminance(
    image: np.ndarray, enlarger: Enlarger, settings: EnlargingSettings = EnlargingSettings()
) -> np.ndarray:
    """An image float32 [H, W], sRGB-encoded, f times larger, [f H, f W].

    Each window of 5 x 5 pixels is given to the linear guess of its kind, the overlapping guesses of neighbours are
    averaged, and the finest of it made a little bolder. Source: Timofte et al., "A+: Adjusted anchored neighborhood
    regression", 2014; Romano et al., "RAISR", 2016 (one linear guess for each kind of window, by least squares).
    """
    factor, (height, width) = enlarger.factor, image.shape
    padded = cv2.copyMakeBorder(image, *(4 * [REACH + SPREAD // 2]), borderType=cv2.BORDER_REPLICATE)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (TAPS, TAPS))  # [H + 2, W + 2, TAPS, TAPS]
    share = block_weights(factor).reshape(SPREAD, factor, SPREAD, factor)
    guesses = enlarger.guesses * share.reshape(-1)
    rows, columns = windows.shape[:2]
    total = np.zeros(((rows + SPREAD - 1) * factor, (columns + SPREAD - 1) * factor), np.float32)
    step = max(1, settings.windows_at_once // columns)
    for top in range(0, rows, step):
        here = windows[top : top + step].reshape(-1, TAPS * TAPS)
        mean = here.mean(1, keepdims=True)
        here = here - mean
        kind = enlarger.kind(here)
        blocks = mean * share.reshape(1, -1)
        for number in np.unique(kind):
            members = kind == number
            blocks[members] += here[members] @ guesses[number]
        blocks = blocks.reshape(-1, columns, SPREAD, factor, SPREAD, factor)
        for i in range(SPREAD):
            for j in range(SPREAD):
                part = blocks[:, :, i, :, j, :].transpose(0, 2, 1, 3).reshape(-1, columns * factor)
                start = (top + i) * factor
                total[start : start + len(part), j * factor : j * factor + part.shape[1]] += part
    edge = (SPREAD - 1) * factor
    large = total[edge : edge + height * factor, edge : edge + width * factor]
    return large + settings.boldness * (large - cv2.GaussianBlur(large, (0, 0), settings.bold_sigma * factor))


@lru_cache(maxsize=4)
def block_weights(factor: int) -> np.ndarray:
    """How much the guesses count over their block, float32 [SPREAD * f, SPREAD * f]; overlapping weights add up to
    1."""
    place = (np.arange(SPREAD * factor) + 0.5) / (SPREAD * factor) * 2 - 1
    line = np.exp(-np.square(place / SPREAD_SIGMA) / 2)
    line /= np.tile(line.reshape(SPREAD, factor).sum(0), SPREAD)
    return np.outer(line, line).astype(np.float32)


def save_enlargers(enlargers: tuple[Enlarger, ...], metadata: dict, path: Path = ASSET) -> None:
    """Write enlargers as half floats, their guesses as products of rank `STORED_RANK`."""
    arrays: dict[str, Any] = {"metadata": np.array(json.dumps(metadata))}
    for enlarger in enlargers:
        flat = enlarger.guesses.reshape(-1, enlarger.guesses.shape[-1])
        left, size, right = np.linalg.svd(flat, full_matrices=False)
        rank = min(len(size), STORED_RANK)
        name = f"times_{enlarger.factor}"
        arrays[f"{name}_flat"] = np.array(enlarger.flat, np.float32)
        arrays[f"{name}_kinds"] = enlarger.kinds.astype(np.float16)
        arrays[f"{name}_left"] = (left[:, :rank] * np.sqrt(size[:rank])).astype(np.float16)
        arrays[f"{name}_right"] = (np.sqrt(size[:rank])[:, None] * right[:rank]).astype(np.float16)
    np.savez_compressed(path, **arrays)


@lru_cache(maxsize=1)
def load_enlargers(path: Path = ASSET) -> tuple[Enlarger, ...]:
    """The enlargers that ship, by rising factor."""
    with np.load(verified(path), allow_pickle=False) as data:
        found = []
        for factor in sorted(int(name.split("_")[1]) for name in data.files if name.endswith("_kinds")):
            flat, kinds, left, right = (
                data[f"times_{factor}_{part}"].astype(np.float32) for part in ("flat", "kinds", "left", "right")
            )
            guesses = (left @ right).reshape(len(kinds), TAPS * TAPS, -1)
            found.append(Enlarger(factor, float(flat), kinds, guesses))
    return tuple(found)
