"""TIFF files of depths that Pillow does not open: 16-bit and floating point colour."""

from __future__ import annotations

import io
import struct

import cv2
import numpy as np
from PIL import TiffImagePlugin

from backend.photo.files.colour_profile import linear_matrix
from backend.photo.files.file_errors import truncated, unreadable
from backend.photo.files.sizes import check_size, reduced
from backend.photo.files.srgb_pixels import converted_pixels, encode_linear, in_bands
from backend.photo.files.stated_colour import StatedColour
from backend.photo.files.tiff_rewriting import halves_as_whole_numbers, is_deep_in_planes, planes


def decode_deep_tiff(data: bytes) -> tuple[np.ndarray, tuple[str, ...]]:
    """16-bit and floating point RGB(A) TIFF, which Pillow does not open, by OpenCV.

    Returns:
        uint8 [H, W, 3] sRGB, upright, and warnings of colours that could not be converted.

    Raises:
        RelightifyError: ``photo_unreadable``, ``photo_truncated``, ``photo_too_large``.
    """
    width, height, texel_bytes, profile = _tiff_layout(data)
    # OpenCV holds the image, and a strip or tile of it, which may be all of it again; colours apart need their file.
    copies = 3 if is_deep_in_planes(data) else 2
    check_size(width, height, copies * width * height * texel_bytes)
    values = _values(data)
    if values.dtype.kind == "f":
        for row in values:  # one that is no number would spoil its neighbours
            np.nan_to_num(row, copy=False, nan=0.0, posinf=0.0, neginf=0.0)
    values = reduced(values)
    values = values.reshape(*values.shape[:2], -1)
    if values.dtype.kind == "f":
        matrix = linear_matrix(profile) if profile and values.shape[2] >= 3 else None
        if matrix is not None:
            for row in values:
                row[:, 2::-1] = row[:, 2::-1] @ matrix.T
        colour, alpha = encode_linear(values[..., :3]), values[..., 3:4]
    else:
        top = np.iinfo(values.dtype).max
        colour = in_bands(lambda part: np.round(np.clip(part / top, 0, 1) * 255), values[..., :3])
        alpha = values[..., 3:4].astype(np.float32) / top
    if colour.shape[2] < 3:
        colour = np.repeat(colour[..., :1], 3, axis=2)
    grey = values.shape[2] < 3
    colour = colour[..., ::-1]
    warnings: tuple[str, ...] = ()
    if values.dtype.kind != "f":
        colour, warnings = converted_pixels(colour, StatedColour(profile), "L" if grey else "RGB")
    if alpha.shape[2]:
        for row, cover in zip(colour, np.clip(alpha, 0, 1), strict=True):
            row[:] = np.round(row * cover + 255 * (1 - cover)).astype(np.uint8)
    return colour, warnings


def _values(data: bytes) -> np.ndarray:
    """The values of a TIFF as they are, [H, W] or [H, W, n] in OpenCV's order of colours.

    OpenCV mixes up colours that are stored one after the other, and does not know floating point of 16 bits.

    Raises:
        RelightifyError: ``photo_unreadable``.
    """
    try:
        if is_deep_in_planes(data):
            colours = [_values(plane) for plane in planes(data)]
            return np.dstack([*colours[2::-1], *colours[3:4]])
        halves = halves_as_whole_numbers(data)
        values = cv2.imdecode(np.frombuffer(data if halves is None else halves, np.uint8), cv2.IMREAD_UNCHANGED)
    except (cv2.error, ValueError, KeyError, struct.error) as error:
        raise unreadable() from error
    if values is None:
        raise unreadable()
    return values if halves is None else values.view(np.float16).astype(np.float32)


def _tiff_layout(data: bytes) -> tuple[int, int, int, bytes | None]:
    """Width and height in pixels, bytes a pixel, and the ICC profile, as the first directory of a TIFF says.

    Raises:
        RelightifyError: ``photo_truncated``, it breaks off before.
    """
    try:
        head = data[:16] if data[2:4] in (b"+\x00", b"\x00+") else data[:8]
        directory = TiffImagePlugin.ImageFileDirectory_v2(head)
        stream = io.BytesIO(data)
        stream.seek(directory.next)
        directory.load(stream)
        bits = directory.get(258) or (1,)
        samples = max(int(directory.get(277) or 1), len(bits))
        profile = directory.get(34675)
        texel_bytes = max(1, samples * int(max(bits)) // 8)
        return int(directory[256]), int(directory[257]), texel_bytes, profile if isinstance(profile, bytes) else None
    except Exception as error:
        raise truncated() from error
