"""Where photos come from: files, of one person or of several people, or one of Blender's images, saved or not."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import bpy
import numpy as np

from ..._shared import MOST_PHOTOS, RelightifyError, check_photo_size, photo_file_bytes
from ...anatomy.paint import srgb_from_linear
from ...anatomy.png import encode_png
from ..colour import rec709

FILE, IMAGE, PERSON, PEOPLE = "FILE", "IMAGE", "PERSON", "PEOPLE"


@dataclass(frozen=True)
class PhotoSource:
    """A photo, ready to be sent.

    Args:
        name: what to call the head.
        file_name: for messages.
        key: tells this photo from another one, see `photo_key`.
        data: bytes of an image file.
        face: which face of it, None for the largest; that of a job's first photo is among the job's options.
    """

    name: str
    file_name: str
    key: str
    data: bytes
    face: int | None = None


def chosen_photo(filepath: str, image: bpy.types.Image | None) -> PhotoSource:
    """The photo in a file, or, where an image is given, in that image.

    Raises:
        RelightifyError: ``no_photo``.
    """
    if image is not None:
        return PhotoSource(Path(image.name).stem, image.name, photo_key("", image), image_bytes(image))
    if not filepath:
        raise RelightifyError("no_photo", "No photo was chosen.", "Pick a photo first.")
    path = Path(bpy.path.abspath(filepath))
    return PhotoSource(path.stem, path.name, photo_key(filepath, None), read_photo_file(path))


def require_one_person(photos: Sequence[PhotoSource]) -> None:
    """Make sure that photos can be sent together, as those of one person.

    Raises:
        RelightifyError: ``too_many_photos``, ``photo_too_large``, ``same_photo``.
    """
    if len(photos) > MOST_PHOTOS:
        raise RelightifyError(
            "too_many_photos",
            f"A head is made from at most {MOST_PHOTOS} photos, not from {len(photos)}.",
            "Choose those that are sharp and show the face from different sides.",
        )
    check_photo_size(sum(len(photo.data) for photo in photos), len(photos))
    seen: dict[bytes, PhotoSource] = {}
    for photo in photos:
        other = seen.setdefault(photo.data, photo)
        if other is not photo:
            both = other.file_name
            both += "" if photo.file_name == both else f" and {photo.file_name}"
            raise RelightifyError(
                "same_photo",
                f"The same photo is there twice: {both}.",
                "A photo tells nothing new the second time: take one of them off the list.",
            )


def photo_key(filepath: str, image: bpy.types.Image | None) -> str:
    """A text that changes with the photo that is chosen; empty where there is none. Reads no file."""
    if image is not None:
        return f"image {image.name} {tuple(image.size)}"
    return bpy.path.abspath(filepath) if filepath else ""


def read_photo_file(path: Path) -> bytes:
    """The bytes of a photo.

    Raises:
        RelightifyError: ``no_photo`` where the file cannot be read, ``photo_too_large``.
    """
    try:
        return photo_file_bytes(path)
    except OSError as error:
        raise RelightifyError(
            "no_photo", f"The photo {path.name or path} cannot be read: {error.strerror}.", "Choose another photo."
        ) from error


def image_bytes(image: bpy.types.Image) -> bytes:
    """The bytes of an image file that shows what the image shows.

    An untouched image gives the bytes of its own file, packed or not, so that what the camera wrote into it (focal
    length, orientation) comes along; what was painted, generated or rendered becomes a PNG.

    Raises:
        RelightifyError: ``no_photo`` where there is nothing to see.
    """
    if image.source in ("MOVIE", "SEQUENCE", "TILED"):
        raise RelightifyError(
            "no_photo",
            f"The image {image.name} is not a single picture.",
            "Save the frame that you want as an image of its own.",
        )
    if image.source == "FILE" and not image.is_dirty:
        if image.packed_file is not None:
            return bytes(image.packed_file.data)
        path = Path(bpy.path.abspath(image.filepath, library=image.library))
        if path.is_file():
            return read_photo_file(path)
    if image.type == "RENDER_RESULT":
        return render_bytes(image)
    width, height = image.size
    if not width or not height:
        raise RelightifyError("no_photo", f"The image {image.name} is empty.", "Choose another image.")
    pixels = np.empty(width * height * image.channels, np.float32)
    image.pixels.foreach_get(pixels)
    values = pixels.reshape(height, width, image.channels)[::-1]
    colour = values[..., :3] if image.channels >= 3 else np.repeat(values[..., :1], 3, axis=-1)
    # Only images in floating point hold linear light; the others hold what is in their file.
    return encode_png(srgb_from_linear(np.maximum(rec709(colour), 0)) if image.is_float else np.clip(colour, 0, 1))


def render_bytes(image: bpy.types.Image) -> bytes:
    """A render as it is shown, with its view transform; its pixels cannot be read in another way.

    Raises:
        RelightifyError: ``no_photo`` where nothing was rendered yet.
    """
    scene = bpy.context.scene
    settings = scene.render.image_settings
    before = settings.file_format, settings.color_mode, settings.color_depth
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "render.png"
        try:
            settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "8"
            image.save_render(str(path), scene=scene)
        except RuntimeError as error:
            raise RelightifyError("no_photo", "Nothing has been rendered yet.", "Render an image first.") from error
        finally:
            settings.file_format, settings.color_mode, settings.color_depth = before
        return read_photo_file(path)
