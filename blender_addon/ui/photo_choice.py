"""What happens when another photo is chosen: its faces are looked for, if the backend is set up."""

from __future__ import annotations

import logging

import bpy

from .._shared import Detect, RelightifyError, new_job_id
from ..link.choice import backend_choice, backend_ready, preferences_of
from ..link.session import session_of
from ..scene.photo_source import IMAGE, PEOPLE, PhotoSource, chosen_photo, photo_key
from .viewport import redraw_panels

log = logging.getLogger(__name__)

# Of the photos that Blender and the backend read.
EXTENSIONS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".heic", ".heif", ".avif")
IMAGE_FILTER = ";".join(f"*{ending}" for ending in EXTENSIONS)


def settings_photo(settings: bpy.types.PropertyGroup) -> PhotoSource:
    """The photo that the panel shows.

    Raises:
        RelightifyError: ``no_photo``.
    """
    if settings.source == IMAGE and settings.image is None:
        raise RelightifyError("no_photo", "No image was chosen.", "Choose an image first.")
    return chosen_photo(settings.photo, settings.image if settings.source == IMAGE else None)


def settings_key(settings: bpy.types.PropertyGroup) -> str:
    """A text that changes with the one photo that the panel shows; empty where there is none. Reads no file."""
    if settings.source == PEOPLE:
        return ""
    if settings.source == IMAGE:
        return photo_key("", settings.image) if settings.image is not None else ""
    return photo_key(settings.photo, None)


def photo_changed(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Update callback of the photo: forget face and outcome of the last, look for faces where a window shows them."""
    if settings.face != -1:
        settings.face = -1
    session_of(context).forget_outcome()
    preferences = preferences_of(context)
    wanted = preferences is not None and preferences.find_faces and not bpy.app.background
    if wanted and settings_key(settings) and backend_ready(context):
        try:
            find_faces(settings, context)
        except RelightifyError as error:
            # The photo may be half typed; the button tells in full when it is pressed.
            log.info("No search for faces: %s", error)


def find_faces(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Begin to look for the faces in the panel's photo.

    Raises:
        RelightifyError: the photo cannot be read or is too large.
    """
    session = session_of(context)
    choice, photo = backend_choice(context), settings_photo(settings)
    session.find_faces(choice, Detect(new_job_id(), photo.data, photo.file_name), photo.name, photo.key)
    session.watch()
    redraw_panels()
