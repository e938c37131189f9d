"""The photo's camera and the worlds."""

from __future__ import annotations

from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from tests.blender import finished_job


def seen_by_blender(imported: SimpleNamespace, points: np.ndarray) -> np.ndarray:
    """Pixels [n, 2] of points of the head mesh, in Blender's own projection."""
    bpy.context.view_layer.update()
    scene = bpy.context.scene
    width, height = scene.render.resolution_x, scene.render.resolution_y
    to_world = imported.head.matrix_world
    views = [world_to_camera_view(scene, imported.camera, to_world @ Vector(p)) for p in points.tolist()]
    return np.array([[v.x * width, (1 - v.y) * height] for v in views])


def seen_in_photo(vertices: np.ndarray) -> np.ndarray:
    """Pixels [n, 2] by the pinhole of the head mesh (DESIGN section 3)."""
    mesh = finished_job.head_mesh()
    camera = vertices @ mesh.camera_rotation.T + mesh.camera_translation
    flat = camera[:, :2] / -camera[:, 2:] * float(mesh.camera_focal_px)
    return mesh.camera_centre_px + flat * [1, -1]


def test_head_lines_up_with_the_photo_to_a_fraction_of_a_pixel(imported: SimpleNamespace) -> None:
    vertices = finished_job.head_mesh().vertices[::40].astype(np.float64)
    blender = np.stack([vertices[:, 0], -vertices[:, 2], vertices[:, 1]], axis=1)
    error = np.linalg.norm(seen_by_blender(imported, blender) - seen_in_photo(vertices), axis=1)
    assert error.max() < 0.05


def test_camera_shows_the_photo_and_the_scene_has_its_frame(imported: SimpleNamespace) -> None:
    scene = bpy.context.scene
    (background,) = imported.camera.data.background_images
    assert imported.camera.data.show_background_images
    assert tuple(background.image.size) == finished_job.IMAGE_SIZE
    assert (scene.render.resolution_x, scene.render.resolution_y) == finished_job.IMAGE_SIZE
    assert scene.camera is imported.camera


def test_photo_light_keeps_its_radiance(imported: SimpleNamespace) -> None:
    world = bpy.context.scene.world
    assert world is imported.world
    texture = next(n for n in world.node_tree.nodes if n.type == "TEX_ENVIRONMENT")
    pixels = np.zeros(len(texture.image.pixels), np.float32)
    texture.image.pixels.foreach_get(pixels)
    environment = finished_job.environment()
    found = pixels.reshape(*environment.shape[:2], 4)[::-1, :, :3]
    np.testing.assert_allclose(found, environment, rtol=0.01)
    assert getattr(world, "sun_threshold", 0.0) == 0.0


def test_every_studio_light_relights_and_photo_light_comes_back(
    installed: SimpleNamespace, imported: SimpleNamespace
) -> None:
    scene = bpy.context.scene
    for name in installed.light.worlds.STUDIO_LIGHTS:
        assert bpy.ops.relightify.relight(light=name, rotation=1.0, strength=2.0) == {"FINISHED"}
        nodes = scene.world.node_tree.nodes
        assert nodes["Rotation"].inputs["Rotation"].default_value[2] == pytest.approx(1.0)
        assert nodes["Strength"].inputs["Strength"].default_value == pytest.approx(2.0)
        # What EEVEE takes for a sun must not draw hard shadows.
        assert scene.world.sun_angle > 0.3
        assert scene.world.use_sun_shadow_jitter
    assert bpy.ops.relightify.relight(light="photo") == {"FINISHED"}
    assert scene.world is imported.world
    assert scene.view_settings.view_transform == "Standard"


def test_panel_settings_relight_at_once(installed: SimpleNamespace, imported: SimpleNamespace) -> None:
    scene = bpy.context.scene
    scene.relightify_light.studio_light = "forest"
    scene.relightify_light.source = "HDRI"
    scene.relightify_light.rotation = 0.5
    assert scene.world.name == "Relightify forest"
    assert scene.world.node_tree.nodes["Rotation"].inputs["Rotation"].default_value[2] == pytest.approx(0.5)


def test_unknown_studio_light_is_an_error(installed: SimpleNamespace) -> None:
    with pytest.raises(installed._shared.RelightifyError) as caught:
        installed.light.worlds.studio_world("moon")
    assert caught.value.code == "no_studio_light"
