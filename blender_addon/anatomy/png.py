"""PNG files from arrays; Blender's Python has no image library, and 8 bits band in mirror-like corneas."""

from __future__ import annotations

import struct
import zlib

import numpy as np

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}


def encode_png(values: np.ndarray, bits: int = 8) -> bytes:
    """PNG bytes of an image.

    Args:
        values: float [H, W, C] in [0, 1] with C of 1, 3 or 4; row 0 is the top. Stored as it is, without any transfer
            curve.
        bits: 8 or 16 bits a channel.
    """
    height, width, channels = values.shape
    scaled = np.rint(np.clip(values, 0, 1) * (2**bits - 1)).astype(">u2" if bits == 16 else np.uint8)
    rows = np.ascontiguousarray(scaled).view(np.uint8).reshape(height, -1)
    # Filter type 1 ("sub") in front of each row: the difference to the pixel on the left packs far better.
    step = channels * bits // 8
    filtered = rows.copy()
    filtered[:, step:] -= rows[:, :-step]
    lines = np.concatenate([np.ones((height, 1), np.uint8), filtered], axis=1)
    header = struct.pack(">IIBBBBB", width, height, bits, _COLOUR_TYPES[channels], 0, 0, 0)
    body = zlib.compress(lines.tobytes(), 6)
    chunks = [(b"IHDR", header), (b"IDAT", body), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    )
