"""Levels of detail: coarser heads with every shape, weight, texture coordinate and material, in each format."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from mathutils.kdtree import KDTree

from tests.blender import finished_job, gltf_validator
from tests.blender.conftest import empty_scene
from tests.blender.test_export import snapshot
from tests.blender.test_export_round_trip import coordinates, furthest, glb_document, open_again, read

FACES = {0: 7068, 1: 3500, 2: 1700, 3: 700}


@pytest.fixture
def head(addon: SimpleNamespace) -> bpy.types.Object:
    made = addon.scene.importer.import_head(bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64))
    bpy.context.view_layer.objects.active = made.head
    return made.head


def meshes() -> dict[str, bpy.types.Object]:
    found = [o for o in bpy.context.scene.objects if o.type == "MESH" and not o.name.startswith("Icosphere")]
    return {o.name: o for o in found}


def uv_at_vertices(thing: bpy.types.Object) -> list[set[tuple[float, ...]]]:
    """The texture coordinates that each vertex has at its corners."""
    found: list[set[tuple[float, ...]]] = [set() for _ in thing.data.vertices]
    for loop, corner in zip(thing.data.loops, thing.data.uv_layers[0].data, strict=True):
        found[loop.vertex_index].add(tuple(round(value, 3) for value in corner.uv))
    return found


@pytest.mark.parametrize("level", [1, 2, 3])
def test_a_level_has_all_that_the_head_has(head: bpy.types.Object, tmp_path: Path, level: int) -> None:
    bpy.ops.relightify.add_skeleton()
    wanted, points, uv = read(head), coordinates(head.data.vertices), uv_at_vertices(head)
    groups = {group.name for group in head.vertex_groups}
    path = tmp_path / "Ada.fbx"
    bpy.ops.relightify.export(filepath=str(path), preset="UNITY", levels="FILES", bone_names="AS_IN_SCENE")
    assert {p.name for p in tmp_path.glob("*.fbx")} == {"Ada.fbx", *(f"Ada_LOD{n}.fbx" for n in (1, 2, 3))}
    found = open_again(tmp_path / f"Ada_LOD{level}.fbx")
    assert 0.95 * FACES[level] <= len(found.data.polygons) <= FACES[level]
    values = read(found)
    assert list(values.shapes) == list(wanted.shapes)
    assert values.weights == pytest.approx(wanted.weights, abs=1e-4)
    assert furthest(values.points, points) < 1e-5
    jaw = np.abs(wanted.shapes["jawOpen"]).max()
    assert np.abs(values.shapes["jawOpen"]).max() == pytest.approx(jaw, rel=0.05)
    assert {group.name for group in found.vertex_groups} <= groups
    assert all(vertex.groups for vertex in found.data.vertices)
    assert any(modifier.type == "ARMATURE" for modifier in found.modifiers)
    lashes = {"Ada_Lashes"} if level < 3 else set()
    parts = {"Ada_Head", "Ada_Mouth", "Ada_EyeLeft", "Ada_EyeRight", "Ada_Teeth", "Ada_Tongue"}
    assert set(values.materials) == parts | lashes
    tree = KDTree(len(points))
    for index, point in enumerate(points):
        tree.insert(point, index)
    tree.balance()
    for point, at in zip(values.points, uv_at_vertices(found), strict=True):
        assert at <= set().union(*(uv[index] for _, index, _ in tree.find_range(point, 1e-5)))


def test_gltf_has_levels_in_one_file(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.add_skeleton()
    path = tmp_path / "Ada.glb"
    bpy.ops.relightify.export(filepath=str(path), levels="TOGETHER")
    document = glb_document(path)
    (finest,) = [node for node in document["nodes"] if "MSFT_lod" in node.get("extensions", {})]
    assert finest["name"] == "Ada_LOD0"
    others = [document["nodes"][number] for number in finest["extensions"]["MSFT_lod"]["ids"]]
    assert [node["name"] for node in others] == ["Ada_LOD1", "Ada_LOD2", "Ada_LOD3"]
    assert all(len(document["meshes"][node["mesh"]]["extras"]["targetNames"]) == 52 for node in others)
    assert len(document["materials"]) == 7
    if not gltf_validator.missing():
        assert not gltf_validator.issues(path)[0]


@pytest.mark.parametrize("boned", [True, False])
def test_fbx_has_levels_in_a_group(head: bpy.types.Object, tmp_path: Path, boned: bool) -> None:
    if boned:
        bpy.ops.relightify.add_skeleton()
    path = tmp_path / "Ada.fbx"
    bpy.ops.relightify.export(filepath=str(path), preset="UNREAL", levels="TOGETHER")
    assert b"LodGroup" in path.read_bytes()
    points = coordinates(head.data.vertices)
    empty_scene()
    bpy.ops.import_scene.fbx(filepath=str(path))
    found = meshes()
    assert set(found) == {f"SK_Ada_LOD{level}" for level in FACES}
    for level, count in FACES.items():
        thing = found[f"SK_Ada_LOD{level}"]
        assert 0.95 * count <= len(thing.data.polygons) <= count
        assert len(thing.data.shape_keys.key_blocks) == 53
        assert furthest(read(thing).points, points) < 1e-5
        assert any(modifier.type == "ARMATURE" for modifier in thing.modifiers) == boned


def test_usd_has_levels_as_variants(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.usdc"), preset="USD", levels="TOGETHER")
    index = tmp_path / "Ada_LODs.usda"
    for level, count in FACES.items():
        chosen = tmp_path / f"chosen_{level}.usda"
        chosen.write_text(index.read_text().replace('string LOD = "LOD0"', f'string LOD = "LOD{level}"'))
        empty_scene()
        bpy.ops.wm.usd_import(filepath=str(chosen))
        (thing,) = meshes().values()
        assert 0.95 * count <= len(thing.data.polygons) <= count
        assert len(thing.data.shape_keys.key_blocks) == 53


def test_levels_share_textures_and_leave_the_scene_as_it_was(head: bpy.types.Object, tmp_path: Path) -> None:
    before = snapshot(head)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", levels="FILES", use_eyes=False)
    assert snapshot(head) == before
    names = sorted(p.name for p in (tmp_path / "Ada_textures").iterdir())
    assert "Ada_Head_Albedo.png" in names
    assert not [name for name in names if "LOD" in name or "Eye" in name]


def test_a_head_of_the_skin_alone_has_levels(addon: SimpleNamespace, tmp_path: Path) -> None:
    addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), parts="SKIN"
    )
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", levels="FILES")
    counts = [len(open_again(tmp_path / f"Ada_LOD{level}.fbx").data.polygons) for level in (1, 2, 3)]
    assert 2000 < counts[0] < 3348
    assert counts == sorted(counts, reverse=True)


def test_an_edited_mesh_is_an_error_that_says_so(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    bpy.ops.mesh.select_all(action="SELECT")
    bpy.ops.mesh.subdivide()
    bpy.ops.object.mode_set(mode="OBJECT")
    with pytest.raises(RuntimeError, match="was edited"):
        bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", levels="FILES")
    assert not list(tmp_path.iterdir())


def test_animation_moves_every_level(head: bpy.types.Object, tmp_path: Path) -> None:
    key = head.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.0), (10, 0.8)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"), levels="TOGETHER")
    document = glb_document(tmp_path / "Ada.glb")
    moved = {
        document["nodes"][channel["target"]["node"]]["name"]
        for animation in document["animations"]
        for channel in animation["channels"]
        if channel["target"]["path"] == "weights"
    }
    assert moved == {f"Ada_LOD{level}" for level in range(4)}
