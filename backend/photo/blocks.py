"""The cosine transform of blocks of 8 x 8 pixels, as in JPEG files."""

from __future__ import annotations

import numpy as np

BLOCK = 8


def block_transforms(image: np.ndarray) -> np.ndarray:
    """Orthonormal cosine transforms [h, w, 8, 8] of the whole blocks of a picture [H, W]."""
    height, width = image.shape[0] // BLOCK, image.shape[1] // BLOCK
    blocks = image[: height * BLOCK, : width * BLOCK].reshape(height, BLOCK, width, BLOCK).transpose(0, 2, 1, 3)
    basis = cosine_basis()
    return basis @ blocks @ basis.T


def cosine_basis() -> np.ndarray:
    """The orthonormal cosine transform [8, 8], rows by frequency."""
    turns = np.outer(np.arange(BLOCK), np.arange(BLOCK) + 0.5) * np.pi / BLOCK
    scale = np.where(np.arange(BLOCK) == 0, np.sqrt(1 / BLOCK), np.sqrt(2 / BLOCK))
    return (np.cos(turns) * scale[:, None]).astype(np.float32)
