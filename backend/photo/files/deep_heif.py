"""HEIF files of more than eight bits, whose steps would be seen once their colours are spread to sRGB's."""

from __future__ import annotations

import numpy as np
import pillow_heif

from backend.photo.files.colour_encoding import ColourEncoding
from backend.photo.files.sizes import reduced
from backend.photo.files.srgb_pixels import in_bands, thinned


def decode_deep_heif(data: bytes, encoding: ColourEncoding) -> np.ndarray:
    """An HEIF file at its full depth: uint8 [H, W, 3] sRGB, upright.

    Args:
        data: the file's bytes.
        encoding: what its values mean.
    """
    image = pillow_heif.open_heif(data, convert_hdr_to_8bit=False, hdr_to_16bit=True)
    values = np.asarray(image)
    values = reduced(values.reshape(*values.shape[:2], -1)[..., :3])
    top = np.float32(np.iinfo(values.dtype).max)
    peak = encoding.brightest(thinned(values).reshape(-1, values.shape[-1]) / top)
    return in_bands(lambda part: encoding.to_srgb(part / top, peak), values)
