"""Operators that correct a head's fit by hand. (No postponed annotations here: Blender reads them.)"""
# Blender wants names such as RELIGHTIFY_OT_edit_fit, and reads class attributes as they are.
# ruff: noqa: N801, RUF012

import json

import bpy

from ..._shared import JOB_OPTIONS, Choice, RelightifyError, read_corrections
from ...link.choice import backend_choice
from ...link.session import Session, session_of
from ...scene import stage
from ...scene.heads import OPTIONS, require_own
from ...scene.photos.head_photos import reference_of
from ...scene.renewing.head_fit import can_be_corrected, keep_corrections, kept_corrections, kept_fit
from ..fit_editing import FitEditing, Handle, editing, require_free, set_editing
from ..fit_overlay import draw_handles, draw_lines, handle_at, photo_in_region, zoom_to_handles
from ..viewport import look_through_camera, push_undo, redraw_panels, select_alone, viewport_of
from .head import HeadOperator, head_of

TIMER_SECONDS = 0.02
HELP = (
    "Drag a handle: the head follows      Ctrl-click the head: pin it there      X: let go of a point",
    "Ctrl-Z: undo      Enter: apply      Esc: cancel",
)
# What Blender goes on doing meanwhile: zooming and panning the camera's view.
NAVIGATION = ("MIDDLEMOUSE", "WHEELUPMOUSE", "WHEELDOWNMOUSE", "TRACKPADPAN", "TRACKPADZOOM", "HOME")
# Regions that lie over the view and have buttons of their own.
OVER_THE_VIEW = ("HEADER", "TOOL_HEADER", "TOOLS", "UI")
APPLY, CANCEL = "APPLY", "CANCEL"


def begin_editing(context: bpy.types.Context, head: bpy.types.Object) -> FitEditing:
    """Begin to correct a head; the backend is asked for its handles.

    Raises:
        RelightifyError: ``no_fit``, ``linked_head``, ``busy``; no backend is set up.
    """
    require_free()
    session, choice = session_of(context), backend_choice(context)
    session.refits.forget()
    now = FitEditing(head, lambda request: session.refit(choice, request))
    set_editing(now)
    return now


def follow_backend(session: Session, now: FitEditing) -> bool:
    """Take what came from the backend; returns whether the head has followed."""
    session.pump()
    latest = session.refits.latest
    if latest is None or latest is now.latest:
        return False
    now.take(latest)
    return True


def whose_handles(head: bpy.types.Object) -> tuple[str, ...]:
    """What is said of the photo that is corrected, where a head was made from several."""
    photo = reference_of(head)
    return (f"Over {photo.name}, the reference. Apply fits all photos.",) if photo is not None else ()


class RELIGHTIFY_OT_edit_fit(HeadOperator):
    """Correct where the features of the face are: drag handles over the photo, and the head follows. Of several photos,
    over the first, the reference; Apply fits the others anew"""

    bl_idname = "relightify.edit_fit"
    bl_label = "Edit Fit"
    # No UNDO flag: the head is changed over many events, and one step is pushed at the end.
    bl_options = {"REGISTER"}

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        if not super().poll(context):
            return False
        head = head_of(context)
        if not can_be_corrected(head):
            cls.poll_message_set("This head does not know how it was fitted: reconstruct it again first")
        elif session_of(context).busy or editing() is not None:
            cls.poll_message_set("A photo is being reconstructed, or a head is being corrected")
        elif head is None or head.mode != "OBJECT":
            cls.poll_message_set("Leave the mode of the head first")
        else:
            return True
        return False

    def invoke(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        found = viewport_of(context.scene)
        if found is None:
            self.report({"ERROR"}, "There is no 3D viewport to correct the head in.")
            return {"CANCELLED"}
        try:
            now = begin_editing(context, self.head(context))
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        if now.camera is None:
            set_editing(None)
            self.report({"ERROR"}, "The head has lost its photo's camera. Reconstruct it again.")
            return {"CANCELLED"}
        window, self._area, self._region = found
        self._view = self._area.spaces.active.region_3d
        self._before = self._view.view_perspective, context.scene.camera
        self._zoom = self._view.view_camera_zoom, tuple(self._view.view_camera_offset)
        self._now, self._held, self._hovered = now, None, None
        stage.show_camera(context.scene, now.camera)
        now.show_photo_over()
        look_through_camera(context.scene)
        self._draw = bpy.types.SpaceView3D.draw_handler_add(self._draw_overlay, (), "WINDOW", "POST_PIXEL")
        self._timer = context.window_manager.event_timer_add(TIMER_SECONDS, window=window)
        context.window_manager.modal_handler_add(self)
        session_of(context).watch()
        redraw_panels()
        return {"RUNNING_MODAL"}

    def execute(self, context: bpy.types.Context) -> set[str]:
        """Without a window there is nothing to drag; scripts give corrections to `relightify.correct_fit`."""
        self.report({"ERROR"}, "Edit Fit needs a window. From a script use relightify.correct_fit.")
        return {"CANCELLED"}

    def cancel(self, context: bpy.types.Context) -> None:
        """Blender ends this by itself, for instance since another file is opened."""
        if editing() is self._now:
            self._now.cancel()
        self._leave(context)

    def modal(self, context: bpy.types.Context, event: bpy.types.Event) -> set[str]:
        session, now = session_of(context), self._now
        if editing() is not now:  # its head is gone
            self._put_zoom_back()
            return self._leave(context, "The head is gone.")
        if event.type == "TIMER":
            first = now.latest is None
            if follow_backend(session, now):
                if first:
                    self._zoom_to_face()
                self._area.tag_redraw()
            if session.refits.error is not None:
                now.cancel()
                return self._leave(context, str(session.refits.error))
        wish, now.wish = now.wish, ""
        if wish == APPLY or (event.type in ("RET", "NUMPAD_ENTER") and event.value == "PRESS" and self._over(event)):
            return self._apply(context)
        if wish == CANCEL or (event.type == "ESC" and event.value == "PRESS" and self._held is None):
            now.cancel()
            self._put_view_back(context)
            return self._leave(context)
        if event.type == "TIMER" or event.type in NAVIGATION or not (self._over(event) or self._held):
            return {"PASS_THROUGH"}
        self._mouse(event, now)
        self._area.tag_redraw()
        # Nothing else shall move the head's objects meanwhile.
        return {"RUNNING_MODAL"}

    def _mouse(self, event: bpy.types.Event, now: FitEditing) -> None:
        place = self._place()
        if place is None:
            return
        mouse = event.mouse_x - self._region.x, event.mouse_y - self._region.y
        scale = bpy.context.preferences.system.ui_scale
        if event.type == "LEFTMOUSE" and event.value == "PRESS":
            self._press(event, now, place.to_photo(mouse), handle_at(now.handles(), place, mouse, scale))
        elif event.type == "LEFTMOUSE" and event.value == "RELEASE":
            if self._held is not None:
                now.end_drag()
            self._held = None
        elif event.type == "MOUSEMOVE" and self._held is not None:
            x, y = place.to_photo(mouse)
            grip_x, grip_y = self._grip
            now.drag(self._held, (x + grip_x, y + grip_y))
        elif event.type == "MOUSEMOVE":
            self._hovered = handle_at(now.handles(), place, mouse, scale)
        elif event.type in ("ESC", "RIGHTMOUSE") and event.value == "PRESS" and self._held is not None:
            self._held = None
            now.drop_drag()
        elif event.type == "Z" and event.value == "PRESS" and (event.ctrl or event.oskey):
            now.undo()
        elif event.type in ("X", "DEL") and event.value == "PRESS":
            handle = handle_at(now.handles(), place, mouse, scale)
            if handle is not None:
                now.reset(handle)

    def _press(
        self, event: bpy.types.Event, now: FitEditing, pixel: tuple[float, float], handle: Handle | None
    ) -> None:
        if handle is None and event.ctrl:
            self._held = now.add_pin(pixel)
            self._grip = (0.0, 0.0)
        elif handle is not None:
            now.begin_drag()
            self._held = self._hovered = handle
            # The handle does not jump under the mouse that has taken it by its rim.
            self._grip = (handle.pixel[0] - pixel[0], handle.pixel[1] - pixel[1])

    def _over(self, event: bpy.types.Event) -> bool:
        """Whether the mouse is over the viewport, and not over its sidebar or header."""
        x, y = event.mouse_x, event.mouse_y

        def inside(region: bpy.types.Region) -> bool:
            return 0 <= x - region.x < region.width and 0 <= y - region.y < region.height

        others = [region for region in self._area.regions if region.type in OVER_THE_VIEW and region.width > 1]
        return inside(self._region) and not any(inside(region) for region in others)

    def _place(self):
        camera = self._now.camera
        return photo_in_region(self._region, self._view, camera, self._now.fit) if camera is not None else None

    def _zoom_to_face(self) -> None:
        handles, camera = self._now.handles(), self._now.camera
        if handles and camera is not None:
            zoom_to_handles(self._region, self._view, camera, self._now.fit, handles)

    def _draw_overlay(self) -> None:
        if bpy.context.area != self._area or editing() is not self._now:
            return
        scale = bpy.context.preferences.system.ui_scale
        place = self._place()
        if place is None:
            draw_lines(("Look through the photo's camera to correct the fit (numpad 0)",), scale, self._below())
            return
        handles = self._now.handles()
        draw_handles(handles, place, self._held or self._hovered, scale)
        lines = HELP if handles else ("Asking the backend for the handles ...",)
        draw_lines((*whose_handles(self._now.head), *lines), scale, self._below())

    def _below(self) -> int:
        """How much of the region's height the box of the last operation takes, pixels."""
        boxes = [region for region in self._area.regions if region.type == "HUD" and region.height > 1]
        return max((box.y + box.height - self._region.y for box in boxes), default=0)

    def _apply(self, context: bpy.types.Context) -> set[str]:
        now = self._now
        now.apply()
        self._put_zoom_back()
        self._leave(context)
        select_alone(context.scene, now.head)
        push_undo("Edit Fit")
        problem = reconstruct_corrected(now.head, "INVOKE_DEFAULT")
        if problem:
            self.report({"ERROR"}, problem)
        return {"FINISHED"}

    def _put_zoom_back(self) -> None:
        self._view.view_camera_zoom, self._view.view_camera_offset = self._zoom

    def _put_view_back(self, context: bpy.types.Context) -> None:
        perspective, camera = self._before
        self._put_zoom_back()
        self._view.view_perspective = perspective
        if camera is not None and camera.name in context.scene.objects:
            context.scene.camera = camera

    def _leave(self, context: bpy.types.Context, error: str = "") -> set[str]:
        self._now.put_photo_back()
        context.window_manager.event_timer_remove(self._timer)
        bpy.types.SpaceView3D.draw_handler_remove(self._draw, "WINDOW")
        if editing() is self._now:
            set_editing(None)
        if error:
            self.report({"ERROR"}, error)
        redraw_panels()
        return {"CANCELLED"}


def reconstruct_corrected(head: bpy.types.Object, how: str) -> str:
    """Unwrap and complete anew with the corrected fit, by the options that the head was made with.

    Args:
        head: the active one, with its corrections.
        how: Blender's context of execution: in the background where it invokes, else until it is done.

    Returns:
        What went wrong; empty where nothing did.
    """
    made = head[OPTIONS].to_dict() if OPTIONS in head else {}
    given = {name: made[name] for name in (*JOB_OPTIONS, "parts") if name in made}
    words = {name: str(value) for name, value in given.items() if isinstance(JOB_OPTIONS.get(name), Choice)}
    try:
        done = bpy.ops.relightify.reconstruct_again(how, **{**given, **words})
    except RuntimeError as error:  # how Blender passes on what the other operator has reported
        return str(error).strip().removeprefix("Error: ")
    return "" if done == {"FINISHED"} else "The head could not be made anew."


class RELIGHTIFY_OT_correct_fit(HeadOperator):
    """Put points of the head where the photo shows them, and make its skin anew; for scripts"""

    bl_idname = "relightify.correct_fit"
    bl_label = "Correct Fit"
    bl_options = {"REGISTER"}

    corrections: bpy.props.StringProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="Corrections", description="JSON, as reconstruction.json has them under the same name"
    )

    def execute(self, context: bpy.types.Context) -> set[str]:
        head = self.head(context)
        before = kept_corrections(head)
        try:
            require_free()
            require_own(head)
            kept_fit(head)
            keep_corrections(head, read_corrections(json.loads(self.corrections or "[]")))
        except RelightifyError as error:
            self.report({"ERROR"}, str(error))
            return {"CANCELLED"}
        except ValueError:
            self.report({"ERROR"}, "The corrections are no JSON.")
            return {"CANCELLED"}
        problem = reconstruct_corrected(head, "EXEC_DEFAULT")
        if not problem:
            return {"FINISHED"}
        keep_corrections(head, before)
        self.report({"ERROR"}, problem)
        return {"CANCELLED"}


class RELIGHTIFY_OT_end_edit_fit(bpy.types.Operator):
    """End the correction of the fit"""

    bl_idname = "relightify.end_edit_fit"
    bl_label = "End Edit Fit"
    bl_options = {"INTERNAL"}

    how: bpy.props.EnumProperty(  # pyright: ignore[reportInvalidTypeForm]
        name="How",
        items=[
            (APPLY, "Apply", "Make the skin anew with the corrected fit"),
            (CANCEL, "Cancel", "Leave the head as it was"),
            ("UNDO", "Undo", "Take back the last drag, pin or reset"),
            ("RESET_ALL", "Reset All", "Let go of all corrected points"),
        ],
    )

    @classmethod
    def description(cls, context: bpy.types.Context, properties: bpy.types.OperatorProperties) -> str:
        return cls.bl_rna.properties["how"].enum_items[properties.how].description

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return editing() is not None

    def execute(self, context: bpy.types.Context) -> set[str]:
        now = editing()
        if now is None:
            return {"CANCELLED"}
        if self.how == "UNDO":
            now.undo()
        elif self.how == "RESET_ALL":
            now.reset_all()
        else:
            now.wish = self.how  # the modal operator holds timer and handler, and ends itself
        return {"FINISHED"}


CLASSES = (RELIGHTIFY_OT_edit_fit, RELIGHTIFY_OT_end_edit_fit, RELIGHTIFY_OT_correct_fit)
