"""The switch between the photos of a head that was made from several. (No postponed annotations here.)"""
# Blender wants names such as RELIGHTIFY_OT_show_photo, and reads class attributes as they are.
# ruff: noqa: N801, RUF012
# pyright: reportInvalidTypeForm=false

import bpy

from ..._shared import RelightifyError
from ...light.relight import PHOTO
from ...scene import mesh, stage
from ...scene.heads import EXPRESSION
from ...scene.photos.head_photos import HeadPhoto, camera_of, first_number, kept_photos, world_of
from ..fit_editing import editing
from ..properties.light import choose, relight
from ..viewport import look_through_camera
from .expression import set_weights
from .head import HeadOperator, head_of


def photo_weights(head: bpy.types.Object, photo: HeadPhoto) -> dict[str, float]:
    """The weights of all shapes of a head for the expression of one of its photos."""
    first = photo.number == first_number(kept_photos(head))
    said = dict(head.get(EXPRESSION, {})) if first else photo.expression
    return {key.name: float(said.get(key.name, 0.0)) for key in mesh.expression_keys(head)}


class RELIGHTIFY_OT_show_photo(HeadOperator):
    """Look at the head as one of its photos does"""

    bl_idname = "relightify.show_photo"
    bl_label = "Show Photo"
    bl_options = {"REGISTER", "UNDO"}

    NO_HEAD = "There is no head here that was made from several photos"

    number: bpy.props.IntProperty(name="Photo", description="Which one, from 1", default=1, min=1)
    use_camera: bpy.props.BoolProperty(
        name="Camera", description="Look through the photo's camera, with the photo behind the head", default=True
    )
    use_light: bpy.props.BoolProperty(name="Light", description="Light the head as this photo was lit", default=False)
    use_expression: bpy.props.BoolProperty(
        name="Expression", description="Give the head the expression of this photo", default=False
    )

    @classmethod
    def has_head(cls, context: bpy.types.Context) -> bool:
        return bool(kept_photos(head_of(context)))

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if editing() is not None:
            cls.poll_message_set("Apply or cancel the correction of the fit first")
            return False
        return super().poll(context)

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        if properties.use_camera:
            return "Look at the head as this photo does: through its camera, with the photo behind the head"
        return cls.bl_rna.properties["use_light" if properties.use_light else "use_expression"].description

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        photo = next((photo for photo in kept_photos(head) if photo.number == self.number), None)
        try:
            if photo is None or not photo.used:
                what = f"photo {self.number}" if photo is None else f"{photo.name}, which was left out"
                raise RelightifyError("no_photo", f"{head.name} does not show {what}.", "Choose another of its photos.")
            if self.use_camera:
                self._look(context, head, photo)
            if self.use_light:
                if world_of(head, photo.number) is None:
                    raise RelightifyError(
                        "no_photo", f"The light of {photo.name} has been deleted.", "Redo brings it back."
                    )
                choose(
                    context.scene.relightify_light,
                    source=PHOTO,
                    photo=photo.number,
                    rotation=0.0,
                    strength=1.0,
                    error="",
                )
                relight(context.scene.relightify_light, context)
            if self.use_expression:
                self._pull_face(context, head, photo)
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        return {"FINISHED"}

    @staticmethod
    def _look(context: bpy.types.Context, head: bpy.types.Object, photo: HeadPhoto) -> None:
        camera = camera_of(head, photo.number)
        if camera is None or camera.name not in context.scene.objects:
            raise RelightifyError("no_photo", f"The camera of {photo.name} is not there.", "Redo brings it back.")
        stage.show_camera(context.scene, camera)
        look_through_camera(context.scene)

    def _pull_face(self, context: bpy.types.Context, head: bpy.types.Object, photo: HeadPhoto) -> None:
        if not mesh.expression_keys(head) or head.data.shape_keys.library is not None:
            raise RelightifyError(
                "no_head", f"{head.name} has no shape keys that can be set here.", "Reconstruct it in this file."
            )
        text = set_weights(context, head, photo_weights(head, photo))
        if text:
            self.report({"WARNING"}, text)


CLASSES = (RELIGHTIFY_OT_show_photo,)
