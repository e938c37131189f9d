"""A small rendered portrait of a head, for the asset browser."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from mathutils import Vector

from .colour import plain_view, set_view
from .heads import WORLD, place_of, units_per_metre

SIDE_PX, SAMPLES = 256, 16
# How much of the picture's height the head fills, and from where it is seen.
LENS_MM, FILLED = 85.0, 0.85
DIRECTION = Vector((-0.35, -1.0, 0.1)).normalized()


def set_thumbnail(scene: bpy.types.Scene, head: bpy.types.Object) -> None:
    """Render a portrait of the head and have the asset browser show it."""
    with portrait(scene, head) as path:
        image = bpy.data.images.load(str(path))
        try:
            pixels = np.empty(len(image.pixels), np.float32)
            image.pixels.foreach_get(pixels)
            preview = head.preview_ensure()
            preview.image_size = tuple(image.size)
            preview.image_pixels_float.foreach_set(pixels)
        finally:
            bpy.data.images.remove(image)


@contextmanager
def portrait(scene: bpy.types.Scene, head: bpy.types.Object) -> Iterator[Path]:
    """Render a head alone, in its photo's light, to a PNG that is gone after the block; the scene stays as it is.

    Cycles renders it, the one engine that every Blender has with and without a window.
    """
    aside = bpy.data.scenes.new("relightify portrait")
    data = bpy.data.cameras.new("relightify portrait")
    camera = bpy.data.objects.new("relightify portrait", data)
    try:
        aside.unit_settings.system = scene.unit_settings.system
        aside.unit_settings.scale_length = scene.unit_settings.scale_length
        aside.collection.objects.link(head)
        aside.collection.objects.link(camera)
        aside.camera, aside.world = camera, head.get(WORLD) or scene.world
        set_view(aside, plain_view(aside) or aside.view_settings.view_transform)
        corners = np.array([place_of(head) @ Vector(corner) for corner in head.bound_box])
        middle, size = Vector(corners.mean(axis=0)), float(np.ptp(corners, axis=0).max())
        data.lens, data.sensor_width = LENS_MM, 36.0
        data.clip_start = 0.01 * units_per_metre(scene)
        camera.location = middle + DIRECTION * (size / FILLED * LENS_MM / 36.0)
        camera.rotation_euler = (middle - camera.location).to_track_quat("-Z", "Y").to_euler()
        render = aside.render
        render.engine, render.film_transparent = "CYCLES", True
        render.resolution_x = render.resolution_y = SIDE_PX
        render.resolution_percentage = 100
        render.image_settings.file_format, render.image_settings.color_mode = "PNG", "RGBA"
        aside.cycles.samples, aside.cycles.use_denoising = SAMPLES, False
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "portrait.png"
            render.filepath = str(path)
            bpy.ops.render.render(write_still=True, scene=aside.name)
            yield path
    finally:
        bpy.data.objects.remove(camera)
        bpy.data.cameras.remove(data)
        bpy.data.scenes.remove(aside)
