"""What the panel edits; saved with the scene. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import bpy

from ._shared import QUALITIES, RESOLUTIONS

FACE_TEXT = "Which face of the photo, in order of size from 0; -1 takes the largest"
QUALITY_ITEMS = [
    (name, name.capitalize(), text)
    for name, text in zip(
        QUALITIES,
        (
            "Mirrors and fills what the photo does not show; needs no trained model",
            "Completes the skin by learned statistics, in seconds",
            "Completes the skin by diffusion in a few steps",
            "Completes the skin by diffusion in many steps",
        ),
        strict=True,
    )
]
RESOLUTION_ITEMS = [(str(side), f"{side} px", f"Texture maps of {side} by {side} pixels") for side in RESOLUTIONS]


class SceneSettings(bpy.types.PropertyGroup):
    """Choices of the panel."""

    photo: bpy.props.StringProperty(
        name="Photo", description="Photograph of the face to reconstruct", subtype="FILE_PATH"
    )
    face: bpy.props.IntProperty(name="Face", description=FACE_TEXT, default=-1, min=-1)
    quality: bpy.props.EnumProperty(
        name="Quality", description="How unseen skin is completed", items=QUALITY_ITEMS, default="draft"
    )
    resolution: bpy.props.EnumProperty(
        name="Maps", description="Size of the texture maps", items=RESOLUTION_ITEMS, default="1024"
    )
    seed: bpy.props.IntProperty(
        name="Seed", description="The same seed gives the same head; another one other details in unseen skin", min=0
    )
    use_camera: bpy.props.BoolProperty(
        name="Photo Camera", description="Look through the photo's camera and take over its frame", default=True
    )
    use_light: bpy.props.BoolProperty(
        name="Photo Light", description="Light the scene as the photo is lit", default=True
    )
