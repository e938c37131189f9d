"""What a worker does: photos in, files of a head out. The same on this machine and on others."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np

from backend.batch.outcome import HeadOutcome, failed
from backend.output import packed
from backend.pipeline import Pipeline
from backend.progress import Progress
from backend.reconstruction import Reconstruction
from shared.errors import RelightifyError
from shared.options import JobOptions

_log = logging.getLogger(__name__)
TILE_PX = 224
# Relief of skin is too shallow to be seen in a small picture: the steepest hundredth is shown at this slant.
STEEP_SHOWN, MOST_STEEPENED = 0.7, 40.0


@cache
def kept_pipeline(device: str) -> Pipeline:
    """The pipeline of this process: its models are loaded once.

    Raises:
        RelightifyError: as `Pipeline`.
    """
    return Pipeline(device)


def work(photos: Sequence[bytes], options: JobOptions, device: str) -> HeadOutcome:
    """Make a head; every error becomes an outcome, so that it costs no other head.

    Args:
        photos: bytes of image files, of one person.
        options: what the user chose.
        device: see `Pipeline`.
    """
    began = time.monotonic()
    try:
        pipeline = kept_pipeline(device)
        given = photos[0] if len(photos) == 1 else list(photos)
        result = pipeline.reconstruct(given, options, Progress())
        files, strip = packed(result, pipeline.model), picture_strip(result, photos[0])
        return HeadOutcome(files, strip, "", "", tuple(result.warnings), time.monotonic() - began)
    except RelightifyError as error:
        return failed(error.code, str(error), time.monotonic() - began)
    except MemoryError:
        return failed("out_of_memory", "The machine has too little memory for this head.", time.monotonic() - began)
    except Exception as error:
        _log.exception("A head failed")
        return failed("internal", f"Internal error: {type(error).__name__}: {error}", time.monotonic() - began)


def picture_strip(result: Reconstruction, photo: bytes) -> bytes:
    """Photo about the face, diffuse albedo, specular albedo and normals, exaggerated, `TILE_PX` high, as JPEG."""
    from backend.photo.reading import read_photo

    image = read_photo(photo).image_srgb
    x0, y0, x1, y1 = result.face.box
    half = 0.75 * max(x1 - x0, y1 - y0)
    centre_x, centre_y = (x0 + x1) / 2, (y0 + y1) / 2
    left, right = int(max(centre_x - half, 0)), int(min(centre_x + half, image.shape[1]))
    top, bottom = int(max(centre_y - half, 0)), int(min(centre_y + half, image.shape[0]))
    maps = result.maps
    specular = np.repeat(maps.specular_albedo[..., None], 3, -1)
    shown = [image[top:bottom, left:right] / 255, maps.diffuse_albedo_srgb, specular, steepened(maps.normal)]
    tiles = []
    for tile in shown:
        width = max(round(tile.shape[1] * TILE_PX / tile.shape[0]), 1)
        tiles.append(cv2.resize(tile.astype(np.float32), (width, TILE_PX), interpolation=cv2.INTER_AREA))
    strip = np.round(255 * np.clip(np.concatenate(tiles, axis=1), 0, 1)).astype(np.uint8)
    return cv2.imencode(".jpg", strip[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 88])[1].tobytes()


def steepened(normal: np.ndarray) -> np.ndarray:
    """A map of normals float [R, R, 3] as a small picture float32 [t, t, 3] in [0, 1], its relief exaggerated."""
    small = cv2.resize(normal.astype(np.float32), (TILE_PX, TILE_PX), interpolation=cv2.INTER_AREA)
    tilt = small[..., :2]
    steep = float(np.quantile(np.linalg.norm(tilt, axis=-1), 0.99))
    tilt = tilt * min(STEEP_SHOWN / max(steep, 1e-6), MOST_STEEPENED)
    upright = np.sqrt(np.maximum(1 - np.square(tilt).sum(axis=-1, keepdims=True), 0))
    return np.clip(np.concatenate([tilt, upright], axis=-1) * 0.5 + 0.5, 0, 1)
