"""Operators of the panel *Relight*. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_relight, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import bpy

from ..._shared import RelightifyError
from ...light.relight import HDRI, IMAGE, PHOTO, PLAIN
from ...light.worlds import load_light_image, needs_packing
from ...scene import stage
from ...scene.heads import CAMERA, belonging
from ..properties.light import choose, relight, studio_light_items
from ..viewport import look_through_camera
from .head import HeadOperator, head_of

WORDS = {"photo": PHOTO, "image": IMAGE, "plain": PLAIN}
WORD_ITEMS = (
    ("photo", "Photo", "The light of the photo", 0, 2001),
    ("image", "Image", "An image of this file, or an image file", 0, 2002),
    ("plain", "Plain", "A dim grey that leaves the lighting to lamps", 0, 2003),
)


def light_items(owner: object, context: bpy.types.Context | None) -> list[tuple[str, str, str, int, int]]:
    """What `relightify.relight` takes: photo, image, plain, or the name of an HDRI."""
    return [*WORD_ITEMS, *studio_light_items(owner, context)]


class RELIGHTIFY_OT_relight(bpy.types.Operator):
    """Light the scene with the photo's own light, an HDRI or any image"""

    bl_idname = "relightify.relight"
    bl_label = "Relight"
    bl_options = {"REGISTER", "UNDO"}

    light: bpy.props.EnumProperty(name="Light", items=light_items)
    image: bpy.props.StringProperty(name="Image", description="Name of a loaded image, for the light 'image'")
    filepath: bpy.props.StringProperty(
        name="File", description="Image file to load, for the light 'image'", subtype="FILE_PATH"
    )
    photo: bpy.props.IntProperty(
        name="Photo", description="Which of the head's photos, for the light 'photo'; 0 is the first", min=0
    )
    rotation: bpy.props.FloatProperty(name="Rotation", subtype="ANGLE")
    strength: bpy.props.FloatProperty(name="Strength", default=1.0, min=0.0, soft_max=5.0)
    show_backdrop: bpy.props.BoolProperty(name="Show Behind Head", default=True)

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.relightify_light
        try:
            choice = {"source": WORDS.get(self.light, HDRI), "error": ""}
            for name in ("photo", "rotation", "strength", "show_backdrop"):
                choice[name] = getattr(self, name)
            if self.light == "image" and self.filepath:
                choice["image"] = load_light_image(self.filepath)
            elif self.light == "image" and self.image:
                choice["image"] = bpy.data.images.get(self.image)
            elif choice["source"] == HDRI:
                choice["studio_light"] = self.light
            choose(settings, **choice)
            relight(settings, context)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RELIGHTIFY_OT_match_photo_light(HeadOperator):
    """Light the head as the photo was lit: the estimated environment as it is, without a film look"""

    bl_idname = "relightify.match_photo_light"
    bl_label = "Match Photo Light"
    bl_options = {"REGISTER", "UNDO"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        settings = context.scene.relightify_light
        choose(settings, source=PHOTO, photo=0, rotation=0.0, strength=1.0, error="")
        try:
            relight(settings, context)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}


class RELIGHTIFY_OT_pack_light(bpy.types.Operator):
    """Keep the image that lights the scene in the .blend file, so that the light is the same on every machine"""

    bl_idname = "relightify.pack_light"
    bl_label = "Pack Image"
    bl_options = {"REGISTER", "UNDO"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        image = context.scene.relightify_light.image
        if image is None or not needs_packing(image):
            cls.poll_message_set("The image is in the .blend file already")
            return False
        return True

    def execute(self, context: bpy.types.Context) -> set[str]:
        try:
            context.scene.relightify_light.image.pack()
        except RuntimeError as error:
            self.report({"ERROR"}, f"The image cannot be packed: {str(error).strip().removeprefix('Error: ')}")
            return {"CANCELLED"}
        return {"FINISHED"}


class RELIGHTIFY_OT_match_photo_camera(HeadOperator):
    """Look at the head as the photo does: through its camera, in the photo's frame"""

    bl_idname = "relightify.match_photo_camera"
    bl_label = "Match Photo Camera"
    bl_options = {"REGISTER", "UNDO"}

    NO_HEAD = "There is no head with a photo camera in this scene"

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        camera = belonging(head_of(context), CAMERA)
        return camera is not None and camera.name in context.scene.objects

    def execute(self, context: bpy.types.Context) -> set[str]:
        stage.show_camera(context.scene, self.head(context)[CAMERA])
        look_through_camera(context.scene)
        return {"FINISHED"}


CLASSES = (
    RELIGHTIFY_OT_relight,
    RELIGHTIFY_OT_match_photo_light,
    RELIGHTIFY_OT_pack_light,
    RELIGHTIFY_OT_match_photo_camera,
)
