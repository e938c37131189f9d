"""The cosine transform of blocks of 8 x 8 pixels, as in JPEG files."""

from __future__ import annotations

import cv2
import numpy as np

BLOCK = 8


def block_transforms(image: np.ndarray) -> np.ndarray:
    """Orthonormal cosine transforms [h, w, 8, 8] of the whole blocks of a picture [H, W].

    They lie in memory as the picture's rows do, [h, 8, w, 8]: two products of large matrices make them.
    """
    height, width = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    whole = image[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width * BLOCK)
    basis = cosine_basis()
    both = (basis @ whole).reshape(-1, BLOCK) @ basis.T
    return both.reshape(height, BLOCK, width, BLOCK).transpose(0, 2, 1, 3)


def picture_of(transforms: np.ndarray) -> np.ndarray:
    """The picture [8 h, 8 w] whose blocks have the transforms [h, w, 8, 8]; undoes `block_transforms`."""
    height, width = transforms.shape[:2]
    basis = cosine_basis()
    rows = transforms.transpose(0, 2, 1, 3).reshape(-1, BLOCK) @ basis
    return (basis.T @ rows.reshape(height, BLOCK, width * BLOCK)).reshape(height * BLOCK, width * BLOCK)


def block_means(image: np.ndarray) -> np.ndarray:
    """Means [h, w] of the whole blocks of a picture [H, W]."""
    height, width = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    whole = image[: height * BLOCK, : width * BLOCK]
    return cv2.resize(whole, (width, height), interpolation=cv2.INTER_AREA)


def cosine_basis() -> np.ndarray:
    """The orthonormal cosine transform [8, 8], rows by frequency."""
    turns = np.outer(np.arange(BLOCK), np.arange(BLOCK) + 0.5) * np.pi / BLOCK
    scale = np.where(np.arange(BLOCK) == 0, np.sqrt(1 / BLOCK), np.sqrt(2 / BLOCK))
    return (np.cos(turns) * scale[:, None]).astype(np.float32)
