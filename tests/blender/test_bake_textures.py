"""Textures that are made on request: occlusion, tiles, other depths, and maps baked to other texture coordinates."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import bpy
import numpy as np
import pytest
from mathutils.bvhtree import BVHTree

from blender_addon.anatomy.png import encode_png
from tests.blender import finished_job, gltf_validator
from tests.blender.conftest import MODULE
from tests.blender.test_export import snapshot
from tests.blender.test_export_round_trip import glb_document, open_again, pixels

SIZE = 128


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{MODULE}.{name}")


def smooth_maps() -> dict[str, bytes]:
    """Maps that are smooth, so that baking changes them little: a colour that says where it is, leaning normals."""
    rows, columns = (np.mgrid[0:SIZE, 0:SIZE] + 0.5) / SIZE
    normal = np.stack([0.4 * np.sin(5 * columns), 0.3 * np.cos(4 * rows), np.ones_like(rows)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    return {
        **finished_job.maps(SIZE),
        "diffuse_albedo": encode_png(np.stack([0.2 + 0.6 * columns, 0.2 + 0.6 * rows, np.full_like(rows, 0.5)], -1)),
        "normal": encode_png(0.5 + 0.5 * normal, bits=16),
        "roughness": encode_png(np.full((SIZE, SIZE, 1), 0.4)),
    }


@pytest.fixture
def head(addon: SimpleNamespace) -> bpy.types.Object:
    made = addon.scene.importer.import_head(bpy.context.scene, "Ada", finished_job.head_mesh(), smooth_maps())
    bpy.context.view_layer.objects.active = made.head
    return made.head


def add_uv(thing: bpy.types.Object, name: str, move: Callable[[np.ndarray], np.ndarray]) -> None:
    """A UV map [L, 2] made of the first one."""
    uv = np.empty(len(thing.data.loops) * 2, np.float32)
    thing.data.uv_layers[0].data.foreach_get("uv", uv)
    layer = thing.data.uv_layers.new(name=name)
    layer.data.foreach_set("uv", move(uv.reshape(-1, 2)).astype(np.float32).ravel())


def quarter_turn(uv: np.ndarray) -> np.ndarray:
    """Counter-clockwise."""
    return np.stack([1 - uv[:, 1], uv[:, 0]], axis=-1)


def stored(path: Path) -> np.ndarray:
    image = bpy.data.images.load(str(path))
    image.colorspace_settings.is_data = True
    return pixels(image)


def turned(image: np.ndarray) -> np.ndarray:
    """What an image looks like after `quarter_turn` of what is under it."""
    return np.rot90(image)


def covered_texels(head: bpy.types.Object) -> np.ndarray:
    """Texels well inside of the island of the face, in the first UV map."""
    inside = np.zeros((SIZE, SIZE), bool)
    inside[SIZE // 4 : SIZE // 2, SIZE // 4 : 3 * SIZE // 4] = True
    # Not where the eyes have holes.
    inside[SIZE * 35 // 100 : SIZE * 44 // 100] = False
    return inside


@pytest.mark.parametrize("onto", ["the head's other UV map", "another mesh"])
def test_maps_are_baked_to_other_texture_coordinates(head: bpy.types.Object, tmp_path: Path, onto: str) -> None:
    target = ""
    if onto == "another mesh":
        head.modifiers.clear()
        for key in head.data.shape_keys.key_blocks:
            key.value = 0.0
        other = bpy.data.objects.new("Body", head.data.copy())
        other.shape_key_clear()
        other.matrix_world = head.matrix_world
        bpy.context.scene.collection.objects.link(other)
        add_uv(other, "Turned", quarter_turn)
        target = "Body"
    else:
        add_uv(head, "Turned", quarter_turn)
    bpy.ops.relightify.bake_textures(directory=str(tmp_path), target=target, uv_map="Turned", texture_depth="16")
    stem = target or "Ada"
    where = turned(covered_texels(head))
    source = {name: stored_bytes(data) for name, data in smooth_maps().items()}
    colour = stored(tmp_path / f"{stem}_Head_baseColor.png")[..., :3]
    np.testing.assert_allclose(colour[where], turned(source["diffuse_albedo"])[..., :3][where], atol=0.02)
    # What leaned along u leans along v in turned coordinates, but for the shear between maps and skin: MikkTSpace has
    # right angles.
    x, y, z, _ = np.moveaxis(2 * turned(source["normal"]) - 1, -1, 0)
    wanted = np.stack([-y, x, z], axis=-1)
    normal = 2 * stored(tmp_path / f"{stem}_Head_normal.png")[..., :3] - 1
    off = np.abs(normal[where] - wanted[where])
    assert off.mean() < 0.02
    assert off.max() < 0.15


def stored_bytes(data: bytes) -> np.ndarray:
    image = module("scene.images").image_from_bytes("source", data, srgb=False)
    return pixels(image)


def test_each_tile_of_a_uv_map_has_files_of_its_own(head: bpy.types.Object, tmp_path: Path) -> None:
    add_uv(head, "Four tiles", lambda uv: 2 * uv)
    bpy.ops.relightify.bake_textures(
        directory=str(tmp_path), uv_map="Four tiles", preset="UNREAL", use_udim=True, texture_size="256"
    )
    names = {p.name for p in tmp_path.iterdir()}
    assert {f"T_Ada_Head_D.{tile}.png" for tile in (1001, 1002, 1011, 1012)} <= names
    lower, upper = (stored(tmp_path / f"T_Ada_Head_D.{tile}.png") for tile in (1001, 1011))
    # Colours say where they are: red grows to the right, green falls to the top.
    assert lower[..., 1].mean() > upper[..., 1].mean() + 0.2


def test_baking_leaves_the_scene_as_it_was(head: bpy.types.Object, tmp_path: Path) -> None:
    add_uv(head, "Turned", quarter_turn)
    before = snapshot(head)
    bpy.ops.relightify.bake_textures(directory=str(tmp_path), uv_map="Turned", use_occlusion=True, use_subsurface=True)
    assert snapshot(head) == before
    assert {"Ada_Head_occlusionRoughnessMetallic.png", "Ada_Head_subsurface.png"} <= {
        p.name for p in tmp_path.iterdir()
    }


def test_what_cannot_be_baked_to_is_told(head: bpy.types.Object, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="has no UV map 'Nope'"):
        bpy.ops.relightify.bake_textures(directory=str(tmp_path), uv_map="Nope")
    with pytest.raises(RuntimeError, match="There is no mesh 'Nobody'"):
        bpy.ops.relightify.bake_textures(directory=str(tmp_path), target="Nobody")
    bpy.ops.mesh.primitive_cube_add(location=(5, 5, 5))
    bpy.context.view_layer.objects.active = head
    with pytest.raises(RuntimeError, match="lies on the skin"):
        bpy.ops.relightify.bake_textures(directory=str(tmp_path), target="Cube")
    assert not list(tmp_path.iterdir())


def test_under_a_wall_half_of_the_sky_is_open(addon: SimpleNamespace) -> None:
    openness = module("export.skin_light").openness
    floor = [(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0)]
    wall = [(0, -1, 0), (0, 1, 0), (0, 1, 1), (0, -1, 1)]
    point, up = np.array([[0.001, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0]])
    free = BVHTree.FromPolygons(floor, [(0, 1, 2, 3)])
    assert openness(free, point, up)[0] == 1
    corner = BVHTree.FromPolygons(floor + wall, [(0, 1, 2, 3), (4, 5, 6, 7)])
    assert openness(corner, point, up)[0] == pytest.approx(0.5, abs=0.03)


def test_gltf_has_occlusion_and_roughness_in_one_texture(head: bpy.types.Object, tmp_path: Path) -> None:
    path = tmp_path / "Ada.glb"
    bpy.ops.relightify.export(filepath=str(path), use_occlusion=True)
    document = glb_document(path)
    (skin,) = [m for m in document["materials"] if m["name"] == "Ada_Head"]
    assert skin["occlusionTexture"]["index"] == skin["pbrMetallicRoughness"]["metallicRoughnessTexture"]["index"]
    if not gltf_validator.missing():
        assert not gltf_validator.issues(path)[0]


def test_nostrils_and_lips_are_darker_than_the_forehead(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNREAL", use_occlusion=True)
    (path,) = tmp_path.rglob("T_Ada_Head_AO.png")
    open_part = stored(path)[..., 0]
    assert open_part.min() < 0.2
    assert open_part[SIZE // 8 : SIZE // 4, SIZE // 2 - 8 : SIZE // 2 + 8].min() > 0.95


def test_parts_have_tiles_of_their_own_and_look_the_same(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNREAL", use_udim=True)
    names = {p.name for p in (tmp_path / "Ada_textures").iterdir()}
    assert {"T_Ada_D.1001.png", "T_Ada_D.1003.png", "T_Ada_N.1001.png"} <= names
    found = open_again(tmp_path / "Ada.fbx")
    uv = np.array([tuple(c.uv) for c in found.data.uv_layers[0].data])
    for polygon in list(found.data.polygons)[::97]:
        tile = 1001 + np.floor(uv[list(polygon.loop_indices)].mean(axis=0)).astype(int) @ [1, 10]
        material = found.data.materials[polygon.material_index].name
        assert tile == {"Head": 1001, "Mouth": 1002, "EyeLeft": 1003, "EyeRight": 1004, "Teeth": 1005}.get(
            material.split("_")[-1], tile
        )


def test_openexr_comes_back_in_linear_light_with_all_its_steps(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.usdc"), preset="USD", texture_depth="EXR")
    (path,) = tmp_path.rglob("Ada_Head_diffuse.exr")
    image = bpy.data.images.load(str(path))
    assert image.is_float
    source = stored_bytes(smooth_maps()["diffuse_albedo"])[..., :3]
    linear = module("anatomy.paint").linear_from_srgb(source)
    np.testing.assert_allclose(pixels(image)[..., :3], linear, atol=1e-3)
    (path,) = tmp_path.rglob("Ada_Head_normal.exr")
    normal = bpy.data.images.load(str(path))
    normal.colorspace_settings.is_data = True
    np.testing.assert_allclose(pixels(normal)[..., :3], stored_bytes(smooth_maps()["normal"])[..., :3], atol=1e-3)
