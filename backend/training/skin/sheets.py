"""Contact sheets of the training data, for people to look at."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np

from backend.imaging.colour import linear_to_srgb
from backend.training.head.landmarks.painted_mesh import contact_sheet
from backend.training.skin.set_delighting import DelitSkin

TILE = 256


def albedo_sheet(albedos_srgb: list[np.ndarray], labels: list[str], columns: int = 10) -> np.ndarray:
    """All albedos uint8 [R, R, 3] in rows, their middle with the face."""
    return contact_sheet([_tile(a) for a in albedos_srgb], labels, columns)


def stage_sheet(
    photos: dict[tuple[str, str], tuple[np.ndarray, np.ndarray]],
    delit: dict[tuple[str, str], DelitSkin],
    albedos: dict[str, np.ndarray],
) -> np.ndarray:
    """For some photos: unwrapped, delit (what is trusted), and the person's completed albedo."""
    tiles, labels = [], []
    for key, (linear, visibility) in photos.items():
        skin = delit[key]
        tiles += [
            _tile(_encoded(linear * (visibility > 0.05)[..., None])),
            _tile(_encoded(np.exp(skin.log_albedo) * skin.weight[..., None])),
            _tile(_encoded(albedos[key[0]])),
        ]
        labels += [f"{key[0]} {key[1]}", "delit", "completed"]
    return contact_sheet(tiles, labels, 9)


def write_jpeg(path: Path, image: np.ndarray, quality: int = 88) -> None:
    """Write an RGB image uint8 [H, W, 3]."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.ascontiguousarray(image[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])


def _tile(image: np.ndarray) -> np.ndarray:
    """The middle of the texture, where the face is, at the size of a tile."""
    side = image.shape[0]
    low, high = round(0.1 * side), round(0.9 * side)
    return cv2.resize(image[low:high, low:high], (TILE, TILE), interpolation=cv2.INTER_AREA)


def _encoded(linear: np.ndarray) -> np.ndarray:
    return np.round(255 * linear_to_srgb(np.clip(linear, 0, 1))).astype(np.uint8)
