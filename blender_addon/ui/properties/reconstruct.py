"""What the panel edits; saved with the scene. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

from functools import lru_cache
from typing import Any

import bpy

from ..._shared import JOB_OPTIONS
from ...anatomy import parts
from ...link.session import session_of
from ...scene.photos.photo_source import FILE, IMAGE, PEOPLE, PERSON, photo_key
from ..photo_choice import listed_photo_chosen, photo_changed, settings_key
from ..previews import addon_previews
from .job import given_properties, option_properties, panel_value

SOURCE_ITEMS = [
    (FILE, "File", "A photo on the disk", "FILE_IMAGE", 0),
    (IMAGE, "Image", "One of the images in this blend-file, saved or not", "IMAGE_DATA", 1),
    (PERSON, "Several Photos", "Two to eight photos of one person: a better head than from one", "RENDERLAYERS", 3),
    (PEOPLE, "Several People", "Photos of different people: a head for each", "COMMUNITY", 2),
]
PARTS_ITEMS = [
    (parts.FULL, "Full Head", "Skin, eyes, teeth, tongue and lashes"),
    (parts.SKIN, "Skin Only", "The head without eyes, mouth and lashes"),
]


class JobChoices:
    """Every option of a job, for scripts and buttons."""

    __annotations__ = option_properties()


class PanelChoices:
    """The options of a job as the panel has them, with a checkbox for each number that may be left out."""

    __annotations__ = {**option_properties(offered_only=True), **given_properties()}


class ImportChoices:
    """What to do with a head that has come: part of no job."""

    parts: bpy.props.EnumProperty(name="Import", description="What to import", items=PARTS_ITEMS, default=parts.FULL)
    use_skeleton: bpy.props.BoolProperty(
        name="Skeleton",
        description="Give the head bones for neck, head, jaw and eyes, with skin weights",
        default=True,
    )
    use_camera: bpy.props.BoolProperty(
        name="Photo Camera",
        description="Add the photo's camera with the photo behind the head",
        default=True,
    )
    use_light: bpy.props.BoolProperty(
        name="Photo Light", description="Light the scene as the photo is lit", default=True
    )
    use_stage: bpy.props.BoolProperty(
        name="Also for Later Heads",
        description="Set the scene's camera, frame, light and film look for this head even if there are heads already; "
        "otherwise only the first head does",
        default=False,
    )


IMPORT_NAMES = tuple(ImportChoices.__annotations__)


# Blender keeps no copy of an enum's words, so somebody has to hold them as long as they are drawn.
@lru_cache(maxsize=64)
def face_item(index: int, icon: int) -> tuple[str, str, str, int, int]:
    """Enum item of a face that was found."""
    return str(index), str(index + 1), f"Reconstruct face {index + 1} of the photo", icon, index


def face_items(
    owner: bpy.types.PropertyGroup, context: bpy.types.Context | None
) -> list[tuple[str, str, str, int, int]]:
    """Enum items of the faces that were found in a photo, the panel's or one of its list, with their pictures."""
    key = photo_key(owner.path, None) if isinstance(owner, ListedPhoto) else settings_key(owner)
    search = session_of(context).searches.of(key) if context is not None else None
    faces = search.job.faces if search is not None else None
    if faces is None:
        return [face_item(0, 0)]
    return [face_item(index, addon_previews().face_icon(faces, index)) for index in range(len(faces.problems))]


def panel_choices(settings: bpy.types.PropertyGroup) -> dict[str, Any]:
    """What the panel says, as the parameters of an operator."""
    job = {name: panel_value(settings, name) for name in JOB_OPTIONS}
    return job | {name: getattr(settings, name) for name in IMPORT_NAMES}


def fill_choices(button: bpy.types.OperatorProperties, settings: bpy.types.PropertyGroup) -> None:
    """Give a button what the panel says."""
    for name, value in panel_choices(settings).items():
        setattr(button, name, value)


class PersonPhoto(bpy.types.PropertyGroup):
    """A photo on the list of photos of different people."""

    path: bpy.props.StringProperty(name="Photo", description="File of the photo")


def forget_note(item: "ListedPhoto", _context: bpy.types.Context) -> None:
    """Update callback of a listed photo's face: what was said of another one says nothing of this."""
    item.left_out, item.note = False, ""


class ListedPhoto(bpy.types.PropertyGroup):
    """A photo on the list of photos of one person."""

    path: bpy.props.StringProperty(name="Photo", description="File of the photo")
    face: bpy.props.IntProperty(
        name="Face",
        description="Which face, in order of size from 0; -1 takes the largest",
        default=-1,
        min=-1,
        update=forget_note,
    )
    face_picture: bpy.props.EnumProperty(
        name="Face",
        description="Which face of the photo",
        items=face_items,
        get=lambda item: max(item.face, 0),
        set=lambda item, index: setattr(item, "face", index),
    )
    note: bpy.props.StringProperty(name="Note", description="What the last head says about this photo")
    left_out: bpy.props.BoolProperty(name="Left Out", description="Whether the last head was made without this photo")


class SceneSettings(PanelChoices, ImportChoices, bpy.types.PropertyGroup):
    """Choices of the panel."""

    source: bpy.props.EnumProperty(
        name="Photo From", description="Where the photo comes from", items=SOURCE_ITEMS, update=photo_changed
    )
    photo: bpy.props.StringProperty(
        name="Photo",
        description="File of the photo of a face; an image file dropped onto the viewport comes here",
        update=photo_changed,
    )
    people: bpy.props.CollectionProperty(
        name="Several People", description="Photos of different people, a head for each", type=PersonPhoto
    )
    photos: bpy.props.CollectionProperty(name="Several Photos", description="Photos of one person", type=ListedPhoto)
    photo_index: bpy.props.IntProperty(
        name="Photo",
        description="Photos of one person. The first gives the head its camera, light and expression: best one from "
        "the front. The order of the others does not matter",
        update=listed_photo_chosen,
    )
    face_picture: bpy.props.EnumProperty(
        name="Face",
        description="Which face of the photo",
        items=face_items,
        get=lambda settings: max(settings.face, 0),
        set=lambda settings, index: setattr(settings, "face", index),
    )
    image: bpy.props.PointerProperty(
        name="Image",
        description="Image of the face to reconstruct; need not be saved",
        type=bpy.types.Image,
        update=photo_changed,
    )


CLASSES = (PersonPhoto, ListedPhoto, SceneSettings)
