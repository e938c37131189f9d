"""What happens when other photos are chosen: their faces are looked for, if the backend is set up."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path

import bpy

from .._shared import Detect, RelightifyError, new_job_id
from ..link.choice import backend_choice, backend_ready, preferences_of
from ..link.session import session_of
from ..scene.photos.photo_source import IMAGE, PEOPLE, PERSON, PhotoSource, chosen_photo, photo_key
from .viewport import redraw_panels

log = logging.getLogger(__name__)

# Of the photos that Blender and the backend read.
EXTENSIONS = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".webp", ".bmp", ".heic", ".heif", ".avif")
IMAGE_FILTER = ";".join(f"*{ending}" for ending in EXTENSIONS)


def listed_photo(settings: bpy.types.PropertyGroup) -> bpy.types.PropertyGroup | None:
    """The photo that is chosen in the list of photos of one person, or None."""
    index, photos = settings.photo_index, settings.photos
    return photos[index] if 0 <= index < len(photos) else None


def face_owner(settings: bpy.types.PropertyGroup) -> bpy.types.PropertyGroup:
    """What keeps the chosen face of the photo that the panel shows: the settings, or the photo of the list."""
    return (listed_photo(settings) if settings.source == PERSON else None) or settings


def settings_photo(settings: bpy.types.PropertyGroup) -> PhotoSource:
    """The photo that the panel shows.

    Raises:
        RelightifyError: ``no_photo``.
    """
    if settings.source == PERSON:
        listed = listed_photo(settings)
        return chosen_photo(listed.path if listed is not None else "", None)
    if settings.source == IMAGE and settings.image is None:
        raise RelightifyError("no_photo", "No image was chosen.", "Choose an image first.")
    return chosen_photo(settings.photo, settings.image if settings.source == IMAGE else None)


def settings_key(settings: bpy.types.PropertyGroup) -> str:
    """A text that changes with the one photo that the panel shows; empty where there is none. Reads no file."""
    if settings.source == PEOPLE:
        return ""
    if settings.source == PERSON:
        listed = listed_photo(settings)
        return photo_key(listed.path, None) if listed is not None else ""
    if settings.source == IMAGE:
        return photo_key("", settings.image) if settings.image is not None else ""
    return photo_key(settings.photo, None)


def photo_changed(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Update callback of the photo: forget face and outcome of the last, look for faces where a window shows them."""
    if settings.face != -1:
        settings.face = -1
    session_of(context).forget_outcome()
    if settings_key(settings) and search_wanted(context):
        try:
            find_faces(settings, context)
        except RelightifyError as error:
            # The photo may be half typed; the button tells in full when it is pressed.
            log.info("No search for faces: %s", error)


def listed_photo_chosen(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Update callback of the list of photos of one person: the faces of the chosen one are looked for."""
    listed = listed_photo(settings)
    if listed is not None:
        look_through([listed.path], context)


def look_through(paths: Sequence[str], context: bpy.types.Context) -> None:
    """Look for faces in photos that nobody has looked in yet, one after the other, where a window shows them."""
    session = session_of(context)
    if not search_wanted(context):
        return
    for path in paths:
        known = session.searches.of(photo_key(path, None))
        if known is None or known.in_vain:
            try:
                photo = chosen_photo(path, None)
                request = Detect(new_job_id(), photo.data, photo.file_name)
                session.find_faces(backend_choice(context), request, photo.name, photo.key, beside=True)
            except RelightifyError as error:
                # The list says which files cannot be read.
                log.info("No search for faces in %s: %s", Path(path).name, error)
    session.watch()


def search_wanted(context: bpy.types.Context) -> bool:
    """Whether faces are looked for unasked: where a window shows them, a backend is there, and the artist wants it."""
    preferences = preferences_of(context)
    wanted = preferences is not None and preferences.find_faces and not bpy.app.background
    return wanted and backend_ready(context)


def find_faces(settings: bpy.types.PropertyGroup, context: bpy.types.Context) -> None:
    """Begin to look for the faces in the panel's photo.

    Raises:
        RelightifyError: the photo cannot be read or is too large.
    """
    session = session_of(context)
    choice, photo = backend_choice(context), settings_photo(settings)
    request = Detect(new_job_id(), photo.data, photo.file_name)
    session.find_faces(choice, request, photo.name, photo.key, beside=settings.source == PERSON)
    session.watch()
    redraw_panels()
