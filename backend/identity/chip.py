"""The aligned face that the network looks at: 150 x 150 pixels, turned and scaled by five landmarks.

Source: dlib's `get_face_chip_details` for five landmarks, whose mean places these are, with the padding of 0.25 that
the network was trained with.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from backend.imaging.sampling import Footprint, sample_image
from backend.photo.landmark_table import INNER_EYE_CORNERS, NOSE_BASE, OUTER_EYE_CORNERS

SIDE = 150
# Outer and inner corner of the subject's left eye, of the right eye, base of the nose: numbers of landmarks.
FIVE = (OUTER_EYE_CORNERS[1], INNER_EYE_CORNERS[1], OUTER_EYE_CORNERS[0], INNER_EYE_CORNERS[0], NOSE_BASE)


@dataclass(frozen=True)
class ChipSettings:
    """Where the five landmarks come to lie.

    Args:
        padding: border around the square that `places` is given in, over that square's side (dlib's).
        places: x and y of the five, in that square, y down (dlib's mean shape).
    """

    padding: float = 0.25
    places: tuple[tuple[float, float], ...] = (
        (0.8595674595992, 0.2134981538014),
        (0.6460604764104, 0.2289674387677),
        (0.1205750620789, 0.2137274526848),
        (0.3340850613712, 0.2290642403242),
        (0.4901123135679, 0.6277975316475),
    )

    @property
    def places_px(self) -> np.ndarray:
        """float64 [5, 2], pixels of the chip."""
        return SIDE * (np.array(self.places) + self.padding) / (1 + 2 * self.padding)


def chip_to_photo(landmarks_px: np.ndarray, settings: ChipSettings = ChipSettings()) -> np.ndarray:
    """The similarity float64 [2, 3] that takes the chip's pixels to the photo's (centres at .5), least squares.

    Args:
        landmarks_px: [478, 2], of the photo.
        settings: of the chip.

    Source: Umeyama, "Least-squares estimation of transformation parameters", 1991, in the plane.
    """
    source, target = settings.places_px, np.asarray(landmarks_px, np.float64)[list(FIVE)]
    # A turn and a scale are one complex factor.
    place, wanted = (points[:, 0] + 1j * points[:, 1] for points in (source, target))
    centred = place - place.mean()
    factor = (centred.conj() @ (wanted - wanted.mean())) / (centred.conj() @ centred).real
    shift = wanted.mean() - factor * place.mean()
    return np.array([[factor.real, -factor.imag, shift.real], [factor.imag, factor.real, shift.imag]])


def aligned_chip(
    photo_srgb: np.ndarray,  # uint8 [H, W, 3], or float in [0, 1], sRGB-encoded
    landmarks_px: np.ndarray,  # [478, 2], x and y in the photo's pixels
    settings: ChipSettings = ChipSettings(),
) -> Tensor:
    """The aligned face, float32 [1, 3, 150, 150], sRGB-encoded in [0, 1]; beyond the photo its border is repeated."""
    warp = chip_to_photo(landmarks_px, settings)
    corners = np.array([[0, 0], [SIDE, 0], [0, SIDE], [SIDE, SIDE]]) @ warp[:, :2].T + warp[:, 2]
    size = np.array(photo_srgb.shape[1::-1])
    first = np.clip(np.floor(corners.min(0)).astype(int) - 8, 0, size - 1)
    last = np.maximum(np.clip(np.ceil(corners.max(0)).astype(int) + 8, 0, size), first + 1)
    part = np.ascontiguousarray(photo_srgb[first[1] : last[1], first[0] : last[0]], np.float32)
    if photo_srgb.dtype == np.uint8:
        part = part / 255
    pixels = chip_pixels() @ warp[:, :2].T + warp[:, 2] - first
    footprint = Footprint(np.broadcast_to(warp[:, :2], (len(pixels), 2, 2)))
    chip = np.clip(sample_image(part, pixels, footprint), 0, 1).reshape(SIDE, SIDE, 3)
    return torch.from_numpy(chip).permute(2, 0, 1)[None].contiguous()


def chip_pixels() -> np.ndarray:
    """The centres of the chip's pixels, float64 [150 * 150, 2], x and y, row by row."""
    x, y = np.meshgrid(np.arange(SIDE) + 0.5, np.arange(SIDE) + 0.5)
    return np.stack([x.ravel(), y.ravel()], axis=1)


def sampled_chip(
    image_srgb: Tensor,  # [B, 3, H, W], sRGB-encoded in [0, 1]
    landmarks_px: np.ndarray,  # [478, 2], x and y in the image's pixels
    settings: ChipSettings = ChipSettings(),
) -> Tensor:
    """The aligned faces [B, 3, 150, 150] of images with the same landmarks, with gradients to the images.

    Bilinear, so for images whose face is not much larger than the chip; others are to be reduced first.
    """
    pixels = chip_pixels() @ (warp := chip_to_photo(landmarks_px, settings))[:, :2].T + warp[:, 2]
    height, width = image_srgb.shape[-2:]
    grid = torch.as_tensor(2 * pixels / (width, height) - 1, dtype=image_srgb.dtype, device=image_srgb.device)
    grid = grid.view(1, SIDE, SIDE, 2).expand(len(image_srgb), -1, -1, -1)
    return functional.grid_sample(image_srgb, grid, mode="bilinear", padding_mode="border", align_corners=False)
