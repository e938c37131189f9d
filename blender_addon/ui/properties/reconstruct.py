"""What the panel edits; saved with the scene. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import bpy

from ..._shared import MAX_AGE, MAX_SAMPLES, MAX_STRENGTH, MAX_TONE, QUALITIES, RESOLUTIONS, JobOptions
from ...scene import parts
from ...scene.photo_source import FILE, IMAGE
from ..photo_choice import photo_changed

FACE_TEXT = "Which face of the photo, in order of size from 0; -1 takes the largest"
QUALITY_ITEMS = [
    (name, name.capitalize(), text)
    for name, text in zip(
        QUALITIES,
        (
            "Mirror and fill what the photo does not show; needs no trained model",
            "Complete the skin by learned statistics, in seconds",
            "Complete the skin by diffusion in a few steps",
            "Complete the skin by diffusion in many steps",
        ),
        strict=True,
    )
]
RESOLUTION_ITEMS = [(str(side), f"{side} px", f"Texture maps of {side} by {side} pixels") for side in RESOLUTIONS]
SOURCE_ITEMS = [
    (FILE, "File", "A photo on the disk", "FILE_IMAGE", 0),
    (IMAGE, "Image", "One of the images in this blend-file, saved or not", "IMAGE_DATA", 1),
]
PARTS_ITEMS = [
    (parts.FULL, "Full Head", "Skin, eyes, teeth, tongue and lashes"),
    (parts.SKIN, "Skin Only", "The head without eyes, mouth and lashes"),
]
SEED_TEXT = "The same seed gives the same head; another one other details in unseen skin"
SAMPLES_TEXT = "How many completions of unseen skin to make, to choose from afterwards"
TONE_TEXT = (
    "Makes the skin lighter, or darker if negative, than estimated; 1 doubles its albedo. For photos whose light was "
    "taken for brighter or dimmer than it was. Press Reconstruct Again to see it"
)
DETAIL_TEXT = "Strength of the fine detail that the photo does not show; 1 is as such skin has it"
AGE_TEXT = "Age of the person in years, for the creases of unseen skin; 0 is as the photo looks"
RANDOM_QUALITIES = ("standard", "high")
CAMERA_TEXT = "Add the photo's camera with the photo behind the head, and look through it"
LIGHT_TEXT = "Light the scene as the photo is lit"


class SceneSettings(bpy.types.PropertyGroup):
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
    face: bpy.props.IntProperty(name="Face", description=FACE_TEXT, default=-1, min=-1)
    quality: bpy.props.EnumProperty(
        name="Quality", description="How unseen skin is completed", items=QUALITY_ITEMS, default=JobOptions().quality
    )
    resolution: bpy.props.EnumProperty(
        name="Maps", description="Size of the texture maps", items=RESOLUTION_ITEMS, default="1024"
    )
    seed: bpy.props.IntProperty(name="Seed", description=SEED_TEXT, min=0)
    samples: bpy.props.IntProperty(name="Samples", description=SAMPLES_TEXT, default=1, min=1, max=MAX_SAMPLES)
    skin_tone: bpy.props.FloatProperty(
        name="Skin Tone", description=TONE_TEXT, min=-MAX_TONE, max=MAX_TONE, step=10, precision=1
    )
    detail_strength: bpy.props.FloatProperty(
        name="Detail", description=DETAIL_TEXT, default=1.0, min=0.0, max=MAX_STRENGTH, subtype="FACTOR"
    )
    age: bpy.props.IntProperty(name="Age", description=AGE_TEXT, min=0, max=MAX_AGE)
    parts: bpy.props.EnumProperty(name="Import", description="What to import", items=PARTS_ITEMS)
    use_camera: bpy.props.BoolProperty(name="Photo Camera", description=CAMERA_TEXT, default=True)
    use_light: bpy.props.BoolProperty(name="Photo Light", description=LIGHT_TEXT, default=True)


CLASSES = (SceneSettings,)
