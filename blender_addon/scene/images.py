"""Blender images from bytes in memory, packed into the .blend file."""

from __future__ import annotations

from collections.abc import Iterable

import bpy
import numpy as np

from .._shared import RelightifyError
from .colour import scene_linear, set_space


def image_from_bytes(name: str, data: bytes, *, srgb: bool) -> bpy.types.Image:
    """A packed image from the bytes of an image file.

    Args:
        name: name of the new image.
        data: bytes of a PNG, JPEG or any other file that Blender reads.
        srgb: whether the values are sRGB-encoded colours; else they are data.

    Raises:
        RelightifyError: ``bad_image`` where Blender cannot read the bytes.
    """
    image = bpy.data.images.new(name, 1, 1)
    image.pack(data=data, data_len=len(data))
    image.source = "FILE"
    set_space(image, srgb=srgb)
    if min(image.size) == 0:
        bpy.data.images.remove(image)
        raise RelightifyError(
            "bad_image", f"Blender cannot read the image {name}.", "Update the backend and try again."
        )
    return image


def stored_file(name: str, data: bytes) -> bpy.types.Image:
    """An image that keeps the bytes of a file in the .blend, whether or not Blender can show it."""
    image = bpy.data.images.new(name, 1, 1)
    image.pack(data=data, data_len=len(data))
    image.source = "FILE"
    return image


def radiance_image(name: str, radiance: np.ndarray) -> bpy.types.Image:
    """A packed 32-bit image from radiance float [H, W, 3] in linear Rec. 709, row 0 at the top."""
    height, width, _ = radiance.shape
    image = bpy.data.images.new(name, width, height, float_buffer=True)
    rgba = np.ones((height, width, 4), np.float32)
    rgba[..., :3] = scene_linear(radiance)[::-1]
    image.pixels.foreach_set(rgba.ravel())
    image.update()
    image.pack()
    return image


def remove_unused(images: Iterable[bpy.types.Image | None]) -> None:
    """Remove images that nothing uses."""
    for image in dict.fromkeys(image for image in images if image is not None):
        if image.users == 0:
            bpy.data.images.remove(image)
