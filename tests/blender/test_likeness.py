"""Sliders that change who a head is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender.fake_backend import FakeBackend


def positions(points: Any) -> np.ndarray:
    found = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", found)
    return found.reshape(-1, 3)


@pytest.fixture
def head(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> bpy.types.Object:
    assert bpy.ops.relightify.reconstruct(filepath=str(photo_file), resolution="512") == {"FINISHED"}
    head = addon.link.session.session_of(bpy.context).imported.head
    assert bpy.ops.relightify.add_likeness() == {"FINISHED"}
    return head


def test_sliders_read_nothing_on_the_reconstructed_head(head: bpy.types.Object, addon: SimpleNamespace) -> None:
    keys = addon.scene.likeness.likeness_keys(head)
    assert len(keys) >= 12
    assert all(key.value == 0 for key in keys)
    assert all(key.slider_min == -key.slider_max < 0 for key in keys)
    bpy.ops.relightify.add_likeness()
    assert len(addon.scene.likeness.likeness_keys(head)) == len(keys), "none twice"


def test_a_slider_keeps_eyeballs_round_and_the_head_symmetric(head: bpy.types.Object) -> None:
    keys = head.data.shape_keys.key_blocks
    basis = positions(keys[0].data)
    parts = head["relightify_parts"].split(",")
    for name in ("Likeness Eye Distance", "Likeness Eye Size", "Likeness Face Width"):
        shape = positions(keys[name].data)
        for eye in ("eye_left", "eye_right"):
            faces = [p for p in head.data.polygons if p.material_index == parts.index(eye)]
            ball = np.unique([v for p in faces for v in p.vertices])
            radius = np.linalg.norm(shape[ball] - shape[ball].mean(axis=0), axis=1)
            was = np.linalg.norm(basis[ball] - basis[ball].mean(axis=0), axis=1)
            assert np.ptp(radius / was) < 0.01
        moved = shape - basis
        assert abs(moved[:, 0].sum()) < 0.01 * np.abs(moved[:, 0]).sum() + 1e-6


def test_expressions_leave_the_likeness_alone_and_redo_keeps_it(head: bpy.types.Object) -> None:
    keys = head.data.shape_keys.key_blocks
    keys["Likeness Jaw Width"].value = 4.0
    bpy.ops.relightify.set_expression(expression="NEUTRAL")
    assert keys["Likeness Jaw Width"].value == pytest.approx(4.0)
    assert keys["mouthSmileLeft"].value == 0
    bpy.ops.relightify.set_expression(expression="PHOTO")
    assert keys["mouthSmileLeft"].value > 0
    added = positions(keys["Likeness Jaw Width"].data) - positions(keys[0].data)
    assert bpy.ops.relightify.reconstruct_again(resolution="512") == {"FINISHED"}
    keys = head.data.shape_keys.key_blocks
    assert keys["Likeness Jaw Width"].value == pytest.approx(4.0)
    np.testing.assert_allclose(positions(keys["Likeness Jaw Width"].data) - positions(keys[0].data), added, atol=1e-6)
    bpy.ops.relightify.reset_likeness()
    assert keys["Likeness Jaw Width"].value == 0


def test_export_bakes_the_likeness_into_the_head_and_has_no_sliders(
    head: bpy.types.Object, addon: SimpleNamespace, tmp_path: Path
) -> None:
    keys = head.data.shape_keys.key_blocks
    keys["Likeness Jaw Width"].value = 8.0
    path = tmp_path / "head.glb"
    assert bpy.ops.relightify.export(filepath=str(path)) == {"FINISHED"}
    known = set(bpy.data.objects)
    bpy.ops.import_scene.gltf(filepath=str(path))
    mesh = next(o for o in set(bpy.data.objects) - known if o.type == "MESH" and o.data.shape_keys)
    names = [key.name for key in mesh.data.shape_keys.key_blocks]
    assert not [name for name in names if name.startswith("Likeness")]
    assert "jawOpen" in names
    basis = positions(keys[0].data)
    moved = 8 * (positions(keys["Likeness Jaw Width"].data) - basis)
    most = int(np.argmax(np.linalg.norm(moved, axis=1)))
    assert np.linalg.norm(moved[most]) > 0.002
    there = positions(mesh.data.shape_keys.key_blocks[0].data)
    off = np.linalg.norm(there - (basis[most] + moved[most]), axis=1)
    assert float(off.min()) < 0.0005
