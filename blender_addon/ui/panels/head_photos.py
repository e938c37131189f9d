"""The panel *Photos*, for a head that was made from several: a row each, to look at the head as it does. Only draws."""
# Blender wants names such as RELIGHTIFY_PT_photos, and reads class attributes as they are.
# ruff: noqa: N801

from __future__ import annotations

import bpy

from ...scene.photos.head_photos import HeadPhoto, camera_of, kept_photos, original_of, reference_of, world_of
from ..layout import FacePanel
from ..operators.head import head_of
from ..operators.head_photos import RELIGHTIFY_OT_show_photo, photo_weights
from ..operators.people import RELIGHTIFY_OT_show_notes

PICTURE_SCALE = 2.0
SAME_WEIGHT = 1e-3


class RELIGHTIFY_PT_photos(FacePanel, bpy.types.Panel):
    """The photos of the active head"""

    bl_label = "Photos"
    bl_order = 5

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(kept_photos(head_of(context)))

    def draw(self, context: bpy.types.Context) -> None:
        head = head_of(context)
        if head is None:
            return
        column = self.layout.column(align=True)
        reference = reference_of(head)
        for photo in kept_photos(head):
            draw_row(column, context, head, photo, is_first=photo == reference)


def draw_row(
    column: bpy.types.UILayout, context: bpy.types.Context, head: bpy.types.Object, photo: HeadPhoto, *, is_first: bool
) -> None:
    """A photo: its picture, and buttons for its camera, its light and its expression."""
    row = column.row()
    icon = picture_of(head, photo.number)
    if icon:
        row.template_icon(icon_value=icon, scale=PICTURE_SCALE)
    else:
        row.label(text="", icon="IMAGE_DATA")
    row = row.row(align=True)
    row.scale_y = PICTURE_SCALE
    if not photo.used:
        words = row.row()
        words.active = False
        words.label(text=f"{photo.name} (left out)", translate=False)
    else:
        name = f"{photo.name} (reference)" if is_first else photo.name
        camera = camera_of(head, photo.number)
        seen = camera is not None and context.scene.camera == camera
        place = row.row(align=True)
        place.enabled = camera is not None
        _button(place, photo, text=name, icon="CAMERA_DATA", depress=seen, translate=False)
        lit = context.scene.world is not None and context.scene.world == world_of(head, photo.number)
        light = _button(row, photo, text="", icon="LIGHT_SUN", depress=lit)
        light.use_camera, light.use_light = False, True
        face = _button(row, photo, text="", icon="SHAPEKEY_DATA", depress=has_expression(head, photo))
        face.use_camera, face.use_expression = False, True
    if photo.notes:
        sign = "INFO" if photo.used else "ERROR"
        row.operator(RELIGHTIFY_OT_show_notes.bl_idname, text="", icon=sign).problem = "\n".join(photo.notes)


def _button(row: bpy.types.UILayout, photo: HeadPhoto, **style: object) -> bpy.types.OperatorProperties:
    button = row.operator(RELIGHTIFY_OT_show_photo.bl_idname, **style)
    button.number = photo.number
    return button


def has_expression(head: bpy.types.Object, photo: HeadPhoto) -> bool:
    """Whether the head's sliders stand as a photo has them."""
    keys, wanted = head.data.shape_keys, photo_weights(head, photo)
    return bool(wanted) and all(
        abs(keys.key_blocks[name].value - weight) < SAME_WEIGHT for name, weight in wanted.items()
    )


def picture_of(head: bpy.types.Object, number: int) -> int:
    """Icon number of a photo of a head; 0 where Blender has none."""
    camera = camera_of(head, number)
    behind = [background.image for background in camera.data.background_images] if camera is not None else []
    image = next((image for image in behind if image is not None), None) or original_of(head, number)
    preview = image.preview_ensure() if image is not None and not bpy.app.background else None
    return preview.icon_id if preview is not None else 0


CLASSES = (RELIGHTIFY_PT_photos,)
