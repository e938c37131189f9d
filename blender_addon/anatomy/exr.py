"""OpenEXR files from arrays: half floats, scan lines, packed by zip; what film programs want of textures."""

from __future__ import annotations

import struct
import zlib

import numpy as np

_MAGIC, _VERSION = 20000630, 2
_HALF = 1
_ZIP, _ROWS = 3, 16
_NAMES = {1: "Y", 3: "RGB", 4: "RGBA"}


def encode_exr(values: np.ndarray) -> bytes:
    """OpenEXR bytes of an image.

    Args:
        values: float [H, W, C] with C of 1, 3 or 4, colours in linear light; row 0 is the top.

    Source: "OpenEXR File Layout", the Academy Software Foundation's description of the format.
    """
    height, width, channels = values.shape
    # Channels are stored in the order of their names.
    order = sorted(range(channels), key=lambda index: _NAMES[channels][index])
    planes = np.moveaxis(values[..., order], -1, 1).astype("<f2")
    window = struct.pack("<4i", 0, 0, width - 1, height - 1)
    listed = b"".join(
        _NAMES[channels][index].encode() + b"\0" + struct.pack("<iB3xii", _HALF, 0, 1, 1) for index in order
    )
    header = b"".join(
        (
            _attribute("channels", "chlist", listed + b"\0"),
            _attribute("compression", "compression", bytes([_ZIP])),
            _attribute("dataWindow", "box2i", window),
            _attribute("displayWindow", "box2i", window),
            _attribute("lineOrder", "lineOrder", b"\0"),
            _attribute("pixelAspectRatio", "float", struct.pack("<f", 1.0)),
            _attribute("screenWindowCenter", "v2f", struct.pack("<2f", 0.0, 0.0)),
            _attribute("screenWindowWidth", "float", struct.pack("<f", 1.0)),
            b"\0",
        )
    )
    blocks = [_block(planes[row : row + _ROWS], row) for row in range(0, height, _ROWS)]
    start = 8 + len(header) + 8 * len(blocks)
    offsets = start + np.cumsum([0, *(len(block) for block in blocks[:-1])])
    return b"".join((struct.pack("<iI", _MAGIC, _VERSION), header, offsets.astype("<u8").tobytes(), *blocks))


def _attribute(name: str, kind: str, data: bytes) -> bytes:
    return name.encode() + b"\0" + kind.encode() + b"\0" + struct.pack("<i", len(data)) + data


def _block(rows: np.ndarray, first: int) -> bytes:
    """Some rows [n, C, W]: low bytes ahead of high ones, each as the difference to the one before, then zip."""
    raw = np.ascontiguousarray(rows).view(np.uint8).ravel()
    split = np.concatenate([raw[0::2], raw[1::2]])
    steps = split.copy()
    steps[1:] = split[1:] - split[:-1] + np.uint8(128)
    packed = zlib.compress(steps.tobytes(), 6)
    # A block that zip would enlarge is stored as it is.
    data = packed if len(packed) < raw.nbytes else raw.tobytes()
    return struct.pack("<ii", first, len(data)) + data
