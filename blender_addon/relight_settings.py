"""What the panel *Relight* edits; saved with the scene. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import zlib
from functools import lru_cache

import bpy

from . import scene_heads
from ._shared import RelightifyError
from .light import STUDIO_LIGHTS, StudioLight, studio_lights
from .relight import HDRI, IMAGE, PHOTO, PLAIN, LightChoice, light_scene

SOURCE_ITEMS = [
    (PHOTO, "Photo", "The light of the photo, as far as the face shows it", "CAMERA_DATA", 0),
    (HDRI, "HDRI", "A studio HDRI of Blender, or one that you installed in Preferences > Lights", "WORLD", 1),
    (IMAGE, "Image", "Any equirectangular image", "IMAGE_DATA", 2),
    (PLAIN, "Plain", "A dim grey that leaves the lighting to lamps", "LIGHT_AREA", 3),
]
DEFAULT_LIGHT = STUDIO_LIGHTS.index("studio")


# Blender keeps no copy of an enum's words, so somebody has to hold them as long as they are drawn.
@lru_cache(maxsize=256)
def studio_light_item(light: StudioLight) -> tuple[str, str, str, int, int]:
    """Enum item of a studio light; its number stays the same whatever else is installed."""
    if light.name in STUDIO_LIGHTS:
        return (
            light.name,
            light.name.capitalize(),
            "Studio light of Blender",
            light.icon,
            STUDIO_LIGHTS.index(light.name),
        )
    number = 1000 + zlib.crc32(light.name.encode()) % 2**30
    return light.name, light.name, "Studio light of yours", light.icon, number


def studio_light_items(_self: object, context: bpy.types.Context | None) -> list[tuple[str, str, str, int, int]]:
    """Enum items of all studio lights; without preferences (while Blender registers us), of Blender's own."""
    lights = studio_lights(context.preferences) if context is not None else ()
    return [studio_light_item(light) for light in lights or [StudioLight(name, "", 0) for name in STUDIO_LIGHTS]]


def relight(settings: "RelightSettings", context: bpy.types.Context) -> None:
    """Light the scene as the settings say.

    Raises:
        RelightifyError: see `relight.light_scene`.
    """
    choice = LightChoice(
        source=settings.source,
        studio_light=settings.studio_light,
        image=settings.image,
        rotation=settings.rotation,
        strength=settings.strength,
        show_backdrop=settings.show_backdrop,
    )
    light_scene(context.scene, scene_heads.active_head(context.scene, context.active_object), choice)


def on_change(settings: "RelightSettings", context: bpy.types.Context) -> None:
    """Update callback: what goes wrong is said in the panel, since a callback cannot report."""
    try:
        relight(settings, context)
    except RelightifyError as error:
        # Before a first image is opened there is nothing wrong yet.
        settings.error = "" if error.code == "no_light_image" else str(error)
    else:
        settings.error = ""


class RelightSettings(bpy.types.PropertyGroup):
    """The scene's light."""

    source: bpy.props.EnumProperty(
        name="Light", description="What lights the scene", items=SOURCE_ITEMS, default=PHOTO, update=on_change
    )
    studio_light: bpy.props.EnumProperty(
        name="HDRI",
        description="HDRI that lights the scene",
        items=studio_light_items,
        default=DEFAULT_LIGHT,
        update=on_change,
    )
    image: bpy.props.PointerProperty(
        name="Image", description="Equirectangular image that lights the scene", type=bpy.types.Image, update=on_change
    )
    rotation: bpy.props.FloatProperty(
        name="Rotation", description="Turn the light about the vertical axis", subtype="ANGLE", update=on_change
    )
    strength: bpy.props.FloatProperty(
        name="Strength", description="Brightness of the light", default=1.0, min=0.0, soft_max=5.0, update=on_change
    )
    show_backdrop: bpy.props.BoolProperty(
        name="Show Behind Head",
        description="Show the HDRI behind the head; without it the head stands before a dark grey",
        default=True,
        update=on_change,
    )
    error: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})


CLASSES = (RelightSettings,)
