"""What the panel edits; saved with the scene. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import bpy

from ...scene import parts
from ...scene.photo_source import FILE, IMAGE
from ..photo_choice import photo_changed
from .job import given_properties, option_properties

SOURCE_ITEMS = [
    (FILE, "File", "A photo on the disk", "FILE_IMAGE", 0),
    (IMAGE, "Image", "One of the images in this blend-file, saved or not", "IMAGE_DATA", 1),
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
    image: bpy.props.PointerProperty(
        name="Image",
        description="Image of the face to reconstruct; need not be saved",
        type=bpy.types.Image,
        update=photo_changed,
    )


CLASSES = (SceneSettings,)
