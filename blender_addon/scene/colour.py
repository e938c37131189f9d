"""Colour management by what the configuration's parts are for and do, never by what they are called.

A studio's OpenColorIO configuration has other names than Blender's own, and other primaries: what is computed here in
Rec. 709 is converted to the space that the scene is rendered in.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path

import bpy
import numpy as np
from mathutils import Color

from ..anatomy.paint import srgb_from_linear

# Scene-linear colours that a film look moves, and how far, encoded, a view may move them that shows them as they are.
PATCHES = np.array([[0.02] * 3, [0.18] * 3, [0.5] * 3, [0.9] * 3, [0.5, 0.2, 0.1]], np.float32)
PLAIN_ERROR, EXACT_ERROR = 0.06, 0.006


def set_space(image: bpy.types.Image, *, srgb: bool) -> None:
    """Say that an image holds sRGB-encoded colours, or data that is no colour."""
    if srgb:
        image.colorspace_settings.name = picture_space()
    else:
        image.colorspace_settings.is_data = True


def picture_space() -> str:
    """The configuration's space of ordinary pictures, its role ``default_byte``."""
    probe = bpy.data.images.new("relightify probe", 1, 1)
    try:
        return probe.colorspace_settings.name
    finally:
        bpy.data.images.remove(probe)


def scene_linear(rgb: np.ndarray) -> np.ndarray:
    """Linear Rec. 709 colours [..., 3] in the space that the scene is rendered in."""
    return _converted(rgb, [Color(axis).from_rec709_linear_to_scene_linear() for axis in np.eye(3).tolist()])


def rec709(rgb: np.ndarray) -> np.ndarray:
    """Colours [..., 3] of the space that the scene is rendered in, in linear Rec. 709."""
    return _converted(rgb, [Color(axis).from_scene_linear_to_rec709_linear() for axis in np.eye(3).tolist()])


def _converted(rgb: np.ndarray, axes: list[Color]) -> np.ndarray:
    rgb = np.asarray(rgb)
    matrix = np.array([tuple(axis) for axis in axes])
    # With Blender's own configuration both spaces are one, and values stay as they are to the last bit.
    return rgb if np.allclose(matrix, np.eye(3), atol=1e-5) else (rgb @ matrix).astype(rgb.dtype)


def plain_view(scene: bpy.types.Scene) -> str | None:
    """The view of a scene's display that shows colours as they are, without a film look; None where there is none.

    Found by looking at some colours through each: the configuration does not say, and the names differ.
    """
    probe = bpy.data.images.new("relightify probe", len(PATCHES), 1, float_buffer=True)
    aside = bpy.data.scenes.new("relightify probe")
    try:
        probe.pixels.foreach_set(np.c_[scene_linear(PATCHES), np.ones(len(PATCHES))].astype(np.float32).ravel())
        probe.update()
        aside.display_settings.display_device = scene.display_settings.display_device
        best: tuple[float, str | None] = (PLAIN_ERROR, None)
        for view in views(aside):
            if best[0] < EXACT_ERROR:
                break
            aside.view_settings.view_transform = view
            best = min(best, (_look_error(probe, aside), view), key=lambda found: found[0])
        return best[1]
    finally:
        bpy.data.scenes.remove(aside)
        bpy.data.images.remove(probe)


def views(scene: bpy.types.Scene) -> list[str]:
    """The views that a scene's display has, in the configuration's order."""
    try:
        # Blender lists the values of this property only where one of them was missed.
        scene.view_settings.view_transform = "\n"
    except TypeError as error:
        return re.findall(r"'((?:[^'\\]|\\.)*)'", str(error).partition(" not found in ")[2])
    return []


def set_view(scene: bpy.types.Scene, name: str) -> bool:
    """Choose a view; False where the configuration has it no more."""
    try:
        scene.view_settings.view_transform = name
    except TypeError:
        return False
    return True


def _look_error(probe: bpy.types.Image, scene: bpy.types.Scene) -> float:
    """How far a scene's view moves the patches at most, sRGB-encoded."""
    settings = scene.render.image_settings
    settings.file_format, settings.color_mode, settings.color_depth = "PNG", "RGB", "16"
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "probe.png"
        probe.save_render(str(path), scene=scene)
        shown = bpy.data.images.load(str(path))
        try:
            shown.colorspace_settings.is_data = True
            pixels = np.array(shown.pixels[:], np.float32).reshape(-1, shown.channels)[:, :3]
        finally:
            bpy.data.images.remove(shown)
    return float(np.abs(pixels - srgb_from_linear(PATCHES)).max())
