"""Small pictures by Cycles: something must be seen, lit from where the light is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np

from tests.blender import finished_job

SIDE = 96


def render(path: Path) -> np.ndarray:
    """Linear-ish pixels [H, W, 3] of the scene, row 0 at the top."""
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = 4
    scene.cycles.use_denoising = False
    scene.render.resolution_percentage = round(100 * SIDE / max(finished_job.IMAGE_SIZE))
    scene.render.filepath = str(path)
    scene.render.film_transparent = True
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(str(path))
    pixels = np.zeros(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(*reversed(image.size), 4)[::-1]


def test_head_is_seen_where_the_camera_puts_it_and_is_skin_coloured(imported: SimpleNamespace, tmp_path: Path) -> None:
    picture = render(tmp_path / "head.png")
    covered = picture[..., 3] > 0.5
    assert 0.1 < covered.mean() < 0.8
    skin = np.median(picture[covered][:, :3], axis=0)
    assert skin.min() > 0.02
    assert skin[0] > skin[1] > skin[2]


def test_light_of_the_photo_comes_from_its_side(addon: SimpleNamespace, tmp_path: Path) -> None:
    """A lamp on the subject's left (+x, u = 0.5 in the layout) must light that side of the face."""
    mesh = finished_job.head_mesh(turn_degrees=0.0)
    sides = {}
    addon.scene.importer.import_head(bpy.context.scene, "lit", mesh, finished_job.maps(64))
    for name, column in (("left", 32), ("right", 0)):
        radiance = np.full((32, 64, 3), 0.05, np.float32)
        radiance[10:18, max(0, column - 3) : column + 4] = 30.0
        bpy.context.scene.world = addon.scene.world.environment_world(name, radiance)
        picture = render(tmp_path / f"{name}.png")
        columns = np.flatnonzero((picture[..., 3] > 0.5).any(axis=0))
        middle = (columns[0] + columns[-1]) // 2
        face = picture[..., :3].mean(-1) * (picture[..., 3] > 0.5)
        sides[name] = face[:, middle:].sum() / face[:, :middle].sum()
    # The subject's left is on the right of the picture; u = 0.5 looks along +x, u = 0 and 1 along -x.
    assert sides["left"] > 1.3
    assert sides["right"] < 0.8
