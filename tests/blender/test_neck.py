"""The neck of a head closed by a cap, and opened again."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender import base_human, finished_job
from tests.blender.fake_backend import FakeBackend


@pytest.fixture
def ada(addon: SimpleNamespace) -> Any:
    return addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), finished_job.photo()
    )


def shapes(head: bpy.types.Object) -> dict[str, np.ndarray]:
    found = {}
    for key in head.data.shape_keys.key_blocks:
        points = np.empty(3 * len(key.data), np.float32)
        key.data.foreach_get("co", points)
        found[key.name] = points.reshape(-1, 3)
    return found


def open_edges(head: bpy.types.Object) -> np.ndarray:
    """Vertices of the edges of the skin with one face."""
    faces = [face.vertices[:] for face in head.data.polygons if face.material_index == 0]
    edges = np.array([sorted((f[k - 1], f[k])) for f in faces for k in range(len(f))])
    keys, count = np.unique(edges, axis=0, return_counts=True)
    return np.unique(keys[count == 1])


def test_cap_closes_the_neck_and_follows_every_shape(addon: SimpleNamespace, ada: Any) -> None:
    border = addon.scene.neck.border_of_neck(ada.head, shapes(ada.head)["Basis"])
    before, values = shapes(ada.head), {k.name: k.value for k in ada.head.data.shape_keys.key_blocks}
    assert np.isin(border, open_edges(ada.head)).all()
    assert bpy.ops.relightify.close_neck() == {"FINISHED"}
    assert not np.isin(border, open_edges(ada.head)).any()
    after, cap = shapes(ada.head), addon.scene.neck.cap_vertices(ada.head)
    assert values == {k.name: k.value for k in ada.head.data.shape_keys.key_blocks}
    assert len(cap) == 4 * len(border) + 1
    for name, points in before.items():
        assert np.allclose(after[name][: len(points)], points, atol=1e-7), name
        low, high = points[border].min(0) - 1e-6, points[border].max(0) + 1e-6
        assert ((after[name][cap] >= low) & (after[name][cap] <= high)).all(), name
    assert np.array_equal(addon.scene.neck.border_of_neck(ada.head, after["Basis"]), border)
    normals = np.array([ada.head.data.polygons[f].normal[:] for f in addon.scene.neck.cap_faces(ada.head)])
    assert (normals[:, 2] < 0.1).all(), "outside is below"


def test_cap_wears_the_skin_of_the_neck(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.relightify.close_neck()
    mesh = ada.head.data
    uv = np.empty(2 * len(mesh.loops), np.float32)
    mesh.uv_layers["UVMap"].data.foreach_get("uv", uv)
    uv = uv.reshape(-1, 2)
    cap = set(addon.scene.neck.cap_faces(ada.head).tolist())
    of_cap = np.concatenate(
        [np.arange(f.loop_start, f.loop_start + f.loop_total) for f in mesh.polygons if f.index in cap]
    )
    skin = [f for f in mesh.polygons if f.material_index == 0 and f.index not in cap]
    of_skin = np.concatenate([np.arange(f.loop_start, f.loop_start + f.loop_total) for f in skin])
    corners = {tuple(row) for row in np.round(uv[of_skin], 5).tolist()}
    shared = np.mean([tuple(row) in corners for row in np.round(uv[of_cap], 5).tolist()])
    assert shared > 0.9, "but for the middle"
    for face in cap:
        polygon = mesh.polygons[face]
        a, b, c = uv[polygon.loop_start : polygon.loop_start + 3]
        assert abs((b - a)[0] * (c - a)[1] - (b - a)[1] * (c - a)[0]) > 1e-9, "normal maps need an area"


def test_opened_neck_is_as_it_was(addon: SimpleNamespace, ada: Any) -> None:
    before, count = shapes(ada.head), len(ada.head.data.polygons)
    ids = addon.scene.reshaping.vertex_ids(ada.head.data)
    groups = [[(e.group, e.weight) for e in vertex.groups] for vertex in ada.head.data.vertices]
    bpy.ops.relightify.close_neck()
    assert not bpy.ops.relightify.close_neck.poll()
    assert bpy.ops.relightify.open_neck() == {"FINISHED"}
    assert not bpy.ops.relightify.open_neck.poll()
    assert len(ada.head.data.polygons) == count
    assert np.array_equal(addon.scene.reshaping.vertex_ids(ada.head.data), ids)
    assert groups == [[(e.group, e.weight) for e in vertex.groups] for vertex in ada.head.data.vertices]
    after = shapes(ada.head)
    assert all(np.allclose(after[name], points, atol=1e-7) for name, points in before.items())


def test_cap_stays_with_the_border_when_bones_turn_the_head(addon: SimpleNamespace, ada: Any) -> None:
    armature = addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    bpy.ops.relightify.close_neck()
    cap = addon.scene.neck.cap_vertices(ada.head)
    ada.head.modifiers["Subdivision"].show_viewport = False

    def shown() -> np.ndarray:
        bpy.context.view_layer.update()
        mesh = ada.head.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
        return np.array([v.co[:] for v in mesh.vertices])

    rest = shown()
    armature.pose.bones["head"].rotation_euler.y = 0.5
    assert np.abs(shown()[cap] - rest[cap]).max() < 1e-4
    assert addon.skeleton.following.jaw_by(armature) == "SHAPES"


def test_redone_head_keeps_its_cap(addon: SimpleNamespace, connected: FakeBackend, photo_file: Path) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    (head,) = addon.scene.heads.heads_of(bpy.context.scene)
    bpy.ops.relightify.close_neck()
    count = len(head.data.vertices)
    bpy.ops.relightify.reconstruct_again()
    assert len(head.data.vertices) == count
    bpy.ops.relightify.reconstruct_again(parts="SKIN")
    assert addon.scene.neck.is_closed(head)


def test_exports_carry_the_cap(addon: SimpleNamespace, ada: Any, tmp_path: Path) -> None:
    bpy.ops.relightify.close_neck()
    faces = len(ada.head.data.polygons)
    bpy.ops.relightify.export(filepath=str(tmp_path / "ada.usdc"), preset="USD", texture_size="512")
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.usd_import(filepath=str(tmp_path / "ada.usdc"))
    meshes = [thing for thing in bpy.data.objects if thing.type == "MESH"]
    assert sum(len(thing.data.polygons) for thing in meshes) == faces
    assert any(thing.data.shape_keys and "jawOpen" in thing.data.shape_keys.key_blocks for thing in meshes)


def test_head_with_a_cap_goes_on_a_human_without_it(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.relightify.close_neck()
    human = base_human.build_human()
    bpy.context.view_layer.objects.active = ada.head
    assert bpy.ops.relightify.attach_to_human(use_skin=False) == {"FINISHED"}
    parts = human.mesh["relightify_body_parts"]
    assert not addon.scene.neck.is_closed(parts)
    assert np.array([v.co.z for v in parts.data.vertices]).min() > -0.14
