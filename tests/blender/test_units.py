"""Scenes that do not count in metres: everything of a head has its true size all the same."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

from tests.blender import finished_job

UNITS = [("METRIC", 1.0), ("METRIC", 0.01), ("METRIC", 0.001), ("IMPERIAL", 0.3048), ("NONE", 0.01)]


@pytest.fixture(params=UNITS, ids=lambda unit: f"{unit[0].lower()}-{unit[1]}")
def unit(request: pytest.FixtureRequest, addon: SimpleNamespace) -> float:
    """What a unit of the scene is, metres."""
    del addon
    system, scale = request.param
    settings = bpy.context.scene.unit_settings
    settings.system, settings.scale_length = system, scale
    return 1.0 if system == "NONE" else scale


def import_ada(addon: SimpleNamespace) -> Any:
    done = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), finished_job.photo()
    )
    bpy.context.view_layer.objects.active = done.head
    bpy.context.view_layer.update()
    return done


def size(head: bpy.types.Object) -> np.ndarray:
    return np.array(head.dimensions)


def test_head_camera_and_spacing_are_true(addon: SimpleNamespace, unit: float) -> None:
    first = import_ada(addon)
    # The mean head with its bust.
    assert 0.2 < size(first.head)[2] * unit < 0.4
    nose = first.head.matrix_world @ Vector((0.0, -0.1, -0.04))
    distance = (first.camera.matrix_world.translation - first.head.matrix_world.translation).length * unit
    wanted = np.linalg.norm(finished_job.head_mesh().camera_translation)
    assert distance == pytest.approx(wanted, rel=1e-3)
    seen = np.array(world_to_camera_view(bpy.context.scene, first.camera, nose))[:2]
    np.testing.assert_allclose(seen, (0.6388, 0.4187), atol=1e-3)
    data = first.camera.data
    np.testing.assert_allclose(np.array([data.clip_start, data.clip_end, data.display_size]) * unit, (0.01, 100, 0.1))
    second = import_ada(addon)
    apart = second.head.matrix_world.translation - first.head.matrix_world.translation
    assert apart.x * unit == pytest.approx(0.35, rel=1e-4)
    bpy.ops.relightify.duplicate_head()
    bpy.context.view_layer.update()
    third = bpy.context.view_layer.objects.active
    assert third.matrix_world.translation.x * unit == pytest.approx(0.70, rel=1e-4)


def test_skin_scatters_over_true_distances(addon: SimpleNamespace, unit: float) -> None:
    ada = import_ada(addon)
    shader = next(n for n in ada.head.data.materials[0].node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Subsurface Scale"].default_value * unit == pytest.approx(0.0025)


def test_studio_lights_have_their_size_and_brightness(addon: SimpleNamespace, unit: float) -> None:
    ada = import_ada(addon)
    bpy.ops.relightify.add_light_rig()
    bpy.context.view_layer.update()
    rig = addon.light.rigs.find_rig(ada.head)
    key = next(lamp for lamp in rig.children if lamp["relightify_lamp"] == "Key")
    distance = (key.matrix_world.translation - ada.head.matrix_world.translation).length
    shape = addon.light.rigs.lamps(addon.light.rigs.RigShape(), addon.light.rigs.head_extent(ada.head)[1])["Key"]
    assert distance * unit == pytest.approx(np.linalg.norm(shape.position), rel=0.1)
    assert key.data.size * key.matrix_world.to_scale().x * unit == pytest.approx(shape.size[0], rel=1e-3)
    # Watts are spread over an area in the scene's units.
    assert key.data.energy * unit**2 == pytest.approx(shape.power, rel=1e-3)


def test_exported_head_is_in_metres(addon: SimpleNamespace, unit: float, tmp_path: Path) -> None:
    ada = import_ada(addon)
    wanted = size(ada.head) * unit
    assert bpy.ops.relightify.export(filepath=str(tmp_path / "ada.glb"), expression="NEUTRAL") == {"FINISHED"}
    data = (tmp_path / "ada.glb").read_bytes()
    (length,) = struct.unpack("<I", data[12:16])
    document = json.loads(data[20 : 20 + length])
    positions = [document["accessors"][p["attributes"]["POSITION"]] for p in document["meshes"][0]["primitives"]]
    height = max(a["max"][1] for a in positions) - min(a["min"][1] for a in positions)
    assert height == pytest.approx(wanted[2], rel=0.02)


def test_render_settings_think_of_a_face(addon: SimpleNamespace, unit: float) -> None:
    del addon
    bpy.ops.relightify.set_up_render(engine="EEVEE")
    thickness = bpy.context.scene.eevee.ray_tracing_options.screen_trace_thickness
    assert thickness * unit == pytest.approx(0.02, rel=1e-3)
