"""What the panel *Relight* edits; saved with the scene. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import math
import zlib
from functools import lru_cache

import bpy

from ..._shared import RelightifyError
from ...light import rigs
from ...light.relight import HDRI, IMAGE, PHOTO, PLAIN, LightChoice, light_scene
from ...light.worlds import STUDIO_LIGHTS, StudioLight, studio_lights
from ...scene import heads
from ...scene.photos.head_photos import HeadPhoto, kept_photos

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


@lru_cache(maxsize=64)
def photo_item(number: int, name: str) -> tuple[str, str, str, str, int]:
    """Enum item of one of a head's photos."""
    return str(number), name, f"The light of {name}", "IMAGE_DATA", number


def lit_photos(context: bpy.types.Context | None) -> list[HeadPhoto]:
    """The photos of the active head whose light there is, where it was made from several."""
    head = heads.active_head(context.view_layer, context.active_object) if context is not None else None
    return [photo for photo in kept_photos(head) if photo.used]


def photo_items(_self: object, context: bpy.types.Context | None) -> list[tuple[str, str, str, str, int]]:
    """Enum items of the photos of the active head."""
    return [photo_item(photo.number, photo.name) for photo in lit_photos(context)] or [photo_item(1, "Photo")]


def shown_photo(settings: "RelightSettings") -> int:
    """The number of the photo whose light is meant: the chosen one, else the first."""
    numbers = [photo.number for photo in lit_photos(bpy.context)] or [1]
    return settings.photo if settings.photo in numbers else numbers[0]


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
        photo=settings.photo,
        show_backdrop=settings.show_backdrop,
    )
    light_scene(context.scene, heads.active_head(context.view_layer, context.active_object), choice)


def choose(settings: "RelightSettings", **values: object) -> None:
    """Set several settings without lighting the scene after each."""
    settings.is_quiet = True
    try:
        for name, value in values.items():
            setattr(settings, name, value)
    finally:
        settings.is_quiet = False


def adopt_photo_light(scene: bpy.types.Scene) -> None:
    """Have the panel say that a scene has a photo's light, after an import gave it that."""
    choose(scene.relightify_light, source=PHOTO, photo=0, rotation=0.0, strength=1.0, error="")


def on_change(settings: "RelightSettings", context: bpy.types.Context) -> None:
    """Update callback: what goes wrong is said in the panel, since a callback cannot report."""
    if settings.is_quiet:
        return
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
    photo: bpy.props.IntProperty(
        name="Photo",
        description="Which of the head's photos lights the scene, where it was made from several; 0 is the first",
        min=0,
        update=on_change,
    )
    photo_name: bpy.props.EnumProperty(
        name="Photo",
        description="Which of the head's photos lights the scene",
        items=photo_items,
        get=shown_photo,
        set=lambda settings, number: setattr(settings, "photo", number),
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
    is_quiet: bpy.props.BoolProperty(options={"HIDDEN", "SKIP_SAVE"})


def on_rig_change(settings: "RigSettings", context: bpy.types.Context) -> None:
    """Update callback of a rig's settings; they live on the rig's own empty."""
    for head in heads.heads_of(context.scene):
        if rigs.find_rig(head) == settings.id_data:
            rigs.shape_rig(head, settings.shape())


# Not animatable: lamps are placed when a slider moves, so keyframes on it would do nothing. The lamps can be keyed.
RIG = {"options": set(), "update": on_rig_change}


class RigSettings(bpy.types.PropertyGroup):
    """A head's studio lights."""

    angle: bpy.props.FloatProperty(
        name="Key Angle",
        description="From the nose to the key light, positive to the left of whoever faces the head",
        default=math.radians(40),
        min=math.radians(-180),
        max=math.radians(180),
        subtype="ANGLE",
        **RIG,
    )
    height: bpy.props.FloatProperty(
        name="Key Height",
        description="From the eyes up to the key light",
        default=math.radians(30),
        min=math.radians(-60),
        max=math.radians(85),
        subtype="ANGLE",
        **RIG,
    )
    brightness: bpy.props.FloatProperty(
        name="Brightness",
        description="Brightness of all lights; at 1 the key light shows a white card as white",
        default=1.0,
        min=0.0,
        soft_max=5.0,
        **RIG,
    )
    ratio: bpy.props.FloatProperty(
        name="Key to Fill",
        description="How many times brighter the key light is than the fill light: 2 is flattering, 8 dramatic",
        default=4.0,
        min=1.0,
        soft_max=16.0,
        **RIG,
    )
    rim: bpy.props.FloatProperty(
        name="Rim", description="Rim light, in brightness of the key light", default=1.5, min=0.0, soft_max=5.0, **RIG
    )
    softness: bpy.props.FloatProperty(
        name="Softness", description="Size of the lights", default=1.0, min=0.05, soft_max=3.0, **RIG
    )
    warmth: bpy.props.FloatProperty(
        name="Warmth",
        description="Key light warm and fill light cool; below 0 the other way round",
        default=0.15,
        min=-1.0,
        max=1.0,
        subtype="FACTOR",
        **RIG,
    )

    def shape(self) -> rigs.RigShape:
        """The settings as a value."""
        names = ("angle", "height", "brightness", "ratio", "rim", "softness", "warmth")
        return rigs.RigShape(**{name: getattr(self, name) for name in names})


class TurntableSettings(bpy.types.PropertyGroup):
    """The scene's turntable."""

    turns: bpy.props.EnumProperty(
        name="Turn",
        description="What goes round",
        items=[
            ("CAMERA", "Camera", "A new camera goes round the head"),
            ("LIGHT", "Light", "The HDRI goes round the head; the camera stays"),
        ],
    )
    frames: bpy.props.IntProperty(
        name="Frames", description="Length of one full turn", default=120, min=2, soft_max=1000
    )
    start: bpy.props.IntProperty(name="Start", description="First frame of the turn", default=1)
    lens: bpy.props.FloatProperty(
        name="Lens", description="Focal length of the camera", default=85.0, min=10.0, max=500.0, unit="CAMERA"
    )
    elevation: bpy.props.FloatProperty(
        name="Elevation",
        description="How far above the head the camera goes round",
        default=0.0,
        min=math.radians(-60),
        max=math.radians(80),
        subtype="ANGLE",
    )
    clockwise: bpy.props.BoolProperty(name="Clockwise", description="Turn clockwise as seen from above")
    set_range: bpy.props.BoolProperty(
        name="Set Frame Range", description="Make the scene one turn long, so that it loops", default=True
    )


CLASSES = (RelightSettings, RigSettings, TurntableSettings)
