"""What the panel edits; saved with the scene. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import bpy

from . import scene_heads
from ._shared import QUALITIES, RESOLUTIONS, RelightifyError
from .light import STUDIO_LIGHTS

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
LIGHT_ITEMS = [
    (scene_heads.PHOTO_LIGHT, "Photo", "The light of the photo, as far as the face shows it"),
    *[(name, name.capitalize(), f"Blender's studio light {name!r}") for name in STUDIO_LIGHTS],
]


def apply_light(settings: "SceneSettings", context: bpy.types.Context) -> None:
    """Update callback of the light's settings."""
    collection = scene_heads.active_head(context.scene, context.active_object)
    try:
        scene_heads.relight(context.scene, collection, settings.light, settings.light_rotation, settings.light_strength)
    except RelightifyError as error:
        settings.light_error = str(error)
    else:
        settings.light_error = ""


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
    light: bpy.props.EnumProperty(name="Light", description="Light of the scene", items=LIGHT_ITEMS, update=apply_light)
    light_rotation: bpy.props.FloatProperty(
        name="Rotation", description="Turn the light about the vertical axis", subtype="ANGLE", update=apply_light
    )
    light_strength: bpy.props.FloatProperty(
        name="Strength", description="Brightness of the light", default=1.0, min=0.0, soft_max=5.0, update=apply_light
    )
    light_error: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})
