"""The handles over the photo, drawn by the graphics card, and the way from the mouse to the photo's pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import blf
import bpy
import gpu
import numpy as np
from bpy_extras.view3d_utils import location_3d_to_region_2d
from gpu_extras.batch import batch_for_shader
from mathutils import Vector

from .._shared import FitState
from .fit_editing import Handle

# RGBA: as found, corrected, added by the artist, under the mouse, behind all of them.
PLAIN, CORRECTED, PIN, HOVERED = (1, 1, 1, 0.9), (1, 0.55, 0.1, 1), (0.25, 0.75, 1, 1), (1, 0.95, 0.3, 1)
OUTLINE = (0, 0, 0, 0.75)
# Screen pixels at a scale of 1.
RADIUS, RIM, REACH, TEXT, LINE = 4.0, 1.5, 14.0, 12.0, 18.0
# Of lines of text, from the region's lower left corner.
LEFT, BOTTOM = 70.0, 24.0
CORNERS = 20
# Part of the region that the handles fill, and an offset of the camera's view that is large enough to be measured.
FILLED, PROBE = 0.6, 0.01


@dataclass(frozen=True)
class PhotoInRegion:
    """Where a region that looks through the photo's camera shows the photo: an affine map.

    Args:
        origin: float64 [2], where the photo's upper left corner is.
        axes: float64 [2, 2], columns: one pixel to the right, one pixel down.
    """

    origin: np.ndarray
    axes: np.ndarray

    def to_region(self, pixel: Iterable[float]) -> np.ndarray:
        """Region coordinates of a pixel of the photo."""
        return self.origin + self.axes @ np.array(list(pixel))

    def to_photo(self, point: Iterable[float]) -> tuple[float, float]:
        """The pixel of the photo at region coordinates."""
        x, y = np.linalg.solve(self.axes, np.array(list(point)) - self.origin)
        return float(x), float(y)


def photo_in_region(
    region: bpy.types.Region, view: bpy.types.RegionView3D, camera: bpy.types.Object, fit: FitState
) -> PhotoInRegion | None:
    """Where the photo is in a region, None where it does not look through the camera."""
    if view.view_perspective != "CAMERA":
        return None
    focal, centre = float(fit.camera_focal_px), fit.camera_centre_px
    width, height = (int(side) for side in fit.image_size)
    seen = []
    for x, y in ((0, 0), (width, 0), (0, height)):
        ray = Vector(((x - centre[0]) / focal, (centre[1] - y) / focal, -1.0))
        found = location_3d_to_region_2d(region, view, camera.matrix_world @ ray)
        if found is None:
            return None
        seen.append(np.array(found))
    axes = np.column_stack([(seen[1] - seen[0]) / width, (seen[2] - seen[0]) / height])
    return PhotoInRegion(seen[0], axes) if abs(np.linalg.det(axes)) > 1e-12 else None


def zoom_to_handles(
    region: bpy.types.Region,
    view: bpy.types.RegionView3D,
    camera: bpy.types.Object,
    fit: FitState,
    handles: list[Handle],
) -> None:
    """Zoom and move the camera's view, not the camera, until the handles fill the middle of the region."""
    pixels = np.array([handle.pixel for handle in handles])
    low, high = pixels.min(axis=0), pixels.max(axis=0)

    def seen() -> tuple[np.ndarray, np.ndarray] | None:
        """Middle and size of the handles in the region."""
        view.update()
        place = photo_in_region(region, view, camera, fit)
        return None if place is None else (place.to_region((low + high) / 2), np.abs(place.axes @ (high - low)))

    now = seen()
    if now is None:
        return
    wanted = FILLED * np.array([region.width, region.height])
    # Blender's factor of a zoom z is ((z / 50 + sqrt 2) / 2)^2.
    factor = ((view.view_camera_zoom / 50 + np.sqrt(2)) / 2) ** 2 * float(np.min(wanted / now[1]))
    view.view_camera_zoom = float(np.clip(50 * (2 * np.sqrt(factor) - np.sqrt(2)), -30, 600))
    # How far an offset moves the picture depends on frame and zoom, so it is tried.
    for axis in (0, 1):
        before = seen()
        offset = list(view.view_camera_offset)
        offset[axis] += PROBE
        view.view_camera_offset = offset
        after = seen()
        if before is None or after is None:
            return
        slope = (after[0][axis] - before[0][axis]) / PROBE
        middle = (region.width, region.height)[axis] / 2
        if abs(slope) > 1e-6:
            offset[axis] += (middle - after[0][axis]) / slope
            view.view_camera_offset = offset
    view.update()


def handle_at(handles: list[Handle], place: PhotoInRegion, mouse: tuple[float, float], scale: float) -> Handle | None:
    """The handle nearest to the mouse, if one is within reach."""
    if not handles:
        return None
    distance = [float(np.linalg.norm(place.to_region(handle.pixel) - np.array(mouse))) for handle in handles]
    nearest = int(np.argmin(distance))
    return handles[nearest] if distance[nearest] < REACH * scale else None


def draw_handles(handles: list[Handle], place: PhotoInRegion, hovered: Handle | None, scale: float) -> None:
    """Draw the handles over the region that is being drawn."""
    gpu.state.blend_set("ALPHA")
    for handle in handles:
        x, y = place.to_region(handle.pixel)
        under = hovered is not None and hovered.correction.point == handle.correction.point
        colour = HOVERED if under else PIN if handle.pin else CORRECTED if handle.corrected else PLAIN
        radius = RADIUS * scale * (1.4 if under or handle.corrected else 1.0)
        _disc(x, y, radius + RIM * scale, OUTLINE)
        _disc(x, y, radius, colour)
        if under:
            _text(x + 2 * radius, y + radius, handle.name, TEXT * scale)
    gpu.state.blend_set("NONE")


def draw_lines(lines: Iterable[str], scale: float, below: float = 0.0) -> None:
    """Lines of text in the lower left corner, the last one lowest, above what takes `below` pixels there."""
    for number, line in enumerate(reversed(list(lines))):
        _text(LEFT * scale, max(BOTTOM * scale, below + LINE / 2 * scale) + number * LINE * scale, line, TEXT * scale)


def _disc(x: float, y: float, radius: float, colour: tuple[float, ...]) -> None:
    angles = np.linspace(0, 2 * np.pi, CORNERS, endpoint=False)
    rim = [(float(x + radius * np.cos(a)), float(y + radius * np.sin(a))) for a in angles]
    fan = [point for k in range(CORNERS) for point in ((float(x), float(y)), rim[k], rim[(k + 1) % CORNERS])]
    shader = gpu.shader.from_builtin("UNIFORM_COLOR")
    batch = batch_for_shader(shader, "TRIS", {"pos": fan})
    shader.bind()
    shader.uniform_float("color", colour)
    batch.draw(shader)


def _text(x: float, y: float, text: str, size: float) -> None:
    for colour, shift in ((OUTLINE, 1), (PLAIN, 0)):
        blf.size(0, size)
        blf.position(0, x + shift, y - shift, 0)
        blf.color(0, *colour)
        blf.draw(0, text)
