"""A hand at work on one head's fit: what is held, what was corrected so far, and the way back.

No operator in here: what the modal operator does with the mouse, scripts and tests do by calling these methods.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

import bpy
import numpy as np

from .._shared import Correction, Corrections, FitState, Refit, Refitted, RelightifyError, new_job_id
from ..scene.heads import CAMERA, belonging, require_own
from ..scene.likeness import likeness_keys, reset_likeness
from ..scene.photos.photo_pixels import PhotoCamera, pick
from ..scene.renewing import refitting
from ..scene.renewing.head_fit import keep_corrections, kept_corrections, kept_fit

ATTRIBUTE = "relightify_fit_editing"
# Of the photo over the head.
PHOTO_ALPHA = 0.6
Send = Callable[[Refit], None]


@dataclass(frozen=True)
class Handle:
    """A point that a hand may take hold of.

    Args:
        correction: that names the point; its pixel is where the head is now.
        name: for people.
        corrected: whether it was put somewhere.
        pin: whether it is a point that the artist has added.
    """

    correction: Correction
    name: str
    corrected: bool
    pin: bool

    @property
    def pixel(self) -> tuple[float, float]:
        """Where the photo shows it."""
        return self.correction.pixel


class FitEditing:
    """Correcting one head; meanwhile its likeness sliders rest, since the photo shows the face without them.

    Args:
        head: one that knows its fit.
        send: asks the backend for a corrected head; what comes goes to `take`.

    Raises:
        RelightifyError: ``no_fit``; ``linked_head``.
    """

    def __init__(self, head: bpy.types.Object, send: Send) -> None:
        require_own(head)
        self.head = head
        self.fit: FitState = kept_fit(head)
        self.corrections: Corrections = kept_corrections(head)
        self.latest: Refitted | None = None
        self.wish = ""
        self._send = send
        self._at_start = self.corrections
        self._undone: list[Corrections] = []
        self._kept = refitting.keep_shape(head)
        self._offsets: np.ndarray | None = None
        self._triangles: np.ndarray | None = None
        # How each background of the camera was shown, while the photo is over the head.
        self._photos: list[tuple[bpy.types.CameraBackgroundImage, str, float]] = []
        self._over = self._followed = False
        reset_likeness(head)
        self._ask()

    @property
    def camera(self) -> bpy.types.Object | None:
        """The photo's camera."""
        return belonging(self.head, CAMERA)

    @property
    def changed(self) -> bool:
        """Whether anything was corrected that was not before."""
        return self.corrections != self._at_start

    @property
    def can_undo(self) -> bool:
        """Whether there is a drag to take back."""
        return bool(self._undone)

    # --- what comes from the backend ----------------------------------------------------------------------------

    def take(self, refitted: Refitted) -> None:
        """Have the head follow what the backend made of the corrections."""
        if refitted is self.latest:
            return
        if self._offsets is None:
            self._offsets = refitting.expression_offsets(self.head, self._kept, refitted)
        if self.latest is not None or self.corrections:
            refitting.follow(self.head, self._kept, refitted)
            self._followed = True
        self.latest = refitted

    def photo_camera(self) -> PhotoCamera | None:
        """The camera by which the head is seen now; None until the backend has answered."""
        return refitting.photo_camera(self.fit, self.latest) if self.latest is not None else None

    def points(self) -> np.ndarray | None:
        """The head model's vertices in head space, with the photo's expression, [V, 3]; None until an answer came."""
        if self.latest is None or self._offsets is None:
            return None
        return refitting.posed_points(self.latest, self._offsets)

    def handles(self) -> list[Handle]:
        """All points that can be taken hold of, with where they are now; none until the backend has answered."""
        camera, points, latest = self.photo_camera(), self.points(), self.latest
        if camera is None or points is None or latest is None:
            return []
        given = {point.point for point in self.corrections.points}
        there = camera.pixels(np.einsum("hk,hkd->hd", latest.handle_weights, points[latest.handle_vertices]))
        found = []
        for name, seen, pixel in zip(latest.handle_names.tolist(), latest.handle_seen, there, strict=True):
            correction = Correction((float(pixel[0]), float(pixel[1])), handle=name)
            if seen or correction.point in given:
                found.append(Handle(correction, name, correction.point in given, pin=False))
        for point in self.corrections.points:
            if point.vertices is not None:
                x, y = camera.pixels(np.asarray(point.weights) @ points[list(point.vertices)])
                moved = Correction((float(x), float(y)), vertices=point.vertices, weights=point.weights)
                found.append(Handle(moved, "pin", corrected=True, pin=True))
        return found

    # --- what the hand does -------------------------------------------------------------------------------------

    def begin_drag(self) -> None:
        """Remember what is so now: a drag is one step that can be undone."""
        self._undone.append(self.corrections)

    def drag(self, handle: Handle, pixel: tuple[float, float]) -> None:
        """Put a point to a pixel; part of the drag that was begun."""
        self._set(self.corrections.with_point(_moved(handle.correction, pixel)))

    def end_drag(self) -> None:
        """The point stays where it is; a click that moved nothing is no step."""
        if self._undone and self._undone[-1] == self.corrections:
            self._undone.pop()

    def drop_drag(self) -> None:
        """End a drag as if it had not been."""
        self.undo()

    def add_pin(self, pixel: tuple[float, float]) -> Handle | None:
        """Hold the point of the mesh that a pixel shows where it is; None where there is no head."""
        camera, points, latest = self.photo_camera(), self.points(), self.latest
        if camera is None or points is None or latest is None:
            return None
        if self._triangles is None:
            self._triangles = refitting.model_triangles(self.head, latest)
        found = pick(points, self._triangles, camera, np.array(pixel))
        if found is None:
            return None
        pin = Correction(pixel, vertices=found.triangle, weights=found.weights)
        self.begin_drag()
        self._set(self.corrections.with_point(pin))
        return Handle(pin, "pin", corrected=True, pin=True)

    def reset(self, handle: Handle) -> None:
        """Let go of one point."""
        if any(point.point == handle.correction.point for point in self.corrections.points):
            self.begin_drag()
            self._set(self.corrections.without(handle.correction))

    def reset_all(self) -> None:
        """Let go of all points."""
        if self.corrections:
            self.begin_drag()
            self._set(Corrections())

    def undo(self) -> None:
        """Take back the last drag, pin or reset."""
        if self._undone:
            self._set(self._undone.pop())

    # --- what is seen of it -------------------------------------------------------------------------------------

    def show_photo_over(self) -> None:
        """Have the photo shine through the head, which would hide it."""
        self.put_photo_back()
        for background in self.camera.data.background_images if self.camera is not None else ():
            self._photos.append((background, background.display_depth, background.alpha))
            background.display_depth, background.alpha = "FRONT", PHOTO_ALPHA

    def put_photo_back(self) -> None:
        """Show the photo as it was shown."""
        with suppress(ReferenceError):  # the camera may be gone, with its head
            for background, depth, alpha in self._photos:
                background.display_depth, background.alpha = depth, alpha
        self._photos = []

    def lay_aside(self) -> None:
        """Make the file what it was, since it is about to be saved: what is saved was not applied."""
        self._over = bool(self._photos)
        self.put_photo_back()
        refitting.restore_shape(self.head, self._kept)

    def take_up(self) -> None:
        """Go on with what was laid aside."""
        if self._over:
            self.show_photo_over()
        reset_likeness(self.head)
        if self.latest is not None and self._followed:
            refitting.follow(self.head, self._kept, self.latest)

    # --- the end ------------------------------------------------------------------------------------------------

    def apply(self) -> None:
        """Keep the corrections with the head, which stays as it is now, and gets its likeness back."""
        keep_corrections(self.head, self.corrections)
        for key in likeness_keys(self.head):
            key.value = self._kept.values[key.name]

    def cancel(self) -> None:
        """Leave everything as it was."""
        refitting.restore_shape(self.head, self._kept)

    def _set(self, corrections: Corrections) -> None:
        self.corrections = corrections
        self._ask()

    def _ask(self) -> None:
        self._send(Refit(new_job_id(), self.fit, self.corrections))


def _moved(correction: Correction, pixel: tuple[float, float]) -> Correction:
    return Correction(pixel, correction.handle, correction.landmark, correction.vertices, correction.weights)


def editing() -> FitEditing | None:
    """The head that is being corrected, if any."""
    found: FitEditing | None = getattr(bpy.types.WindowManager, ATTRIBUTE, None)
    if found is None:
        return None
    try:
        alive = bool(found.head.name) and found.head.data.shape_keys is not None
    except ReferenceError:  # it was deleted, or another file was opened
        alive = False
    if not alive:
        set_editing(None)
        return None
    return found


def set_editing(now: FitEditing | None) -> None:
    """Begin or end correcting a head."""
    setattr(bpy.types.WindowManager, ATTRIBUTE, now)


@bpy.app.handlers.persistent
def before_saving(*_: object) -> None:
    """Handler of Blender's: a file is about to be saved, and must not hold half a correction."""
    now = editing()
    if now is not None:
        now.lay_aside()


@bpy.app.handlers.persistent
def after_saving(*_: object) -> None:
    """Handler of Blender's: a file has been saved, or could not be."""
    now = editing()
    if now is not None:
        now.take_up()


# The lists of Blender's handlers with those that belong there.
HANDLERS = {"save_pre": before_saving, "save_post": after_saving, "save_post_fail": after_saving}


def is_corrected(head: bpy.types.Object | None) -> bool:
    """Whether a head is being corrected just now."""
    now = editing()
    return now is not None and now.head == head


def require_free() -> None:
    """Make sure that no head is being corrected.

    Raises:
        RelightifyError: ``busy``.
    """
    if editing() is not None:
        raise RelightifyError("busy", "A head is being corrected.", "Apply or cancel that first.")
