"""What other programs get: exported files are read back and compared with the head that they came from."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest
from mathutils.kdtree import KDTree

from tests.blender import finished_job
from tests.blender.conftest import empty_scene

MICROMETRE = 1e-6


@dataclass(frozen=True)
class Head:
    """Plain values of a head.

    Args:
        points: [V, 3] in the world, metres.
        shapes: offsets [V, 3] by name.
        weights: values of the shape keys by name.
        materials: names of the materials.
    """

    points: np.ndarray
    shapes: dict[str, np.ndarray]
    weights: dict[str, float]
    materials: list[str]


def coordinates(data: bpy.types.bpy_prop_collection) -> np.ndarray:
    values = np.zeros(len(data) * 3, np.float32)
    data.foreach_get("co", values)
    return values.reshape(-1, 3).astype(np.float64)


def read(head: bpy.types.Object) -> Head:
    turn = np.array(head.matrix_world.to_3x3())
    place = np.array(head.matrix_world.translation)
    rest = coordinates(head.data.vertices)
    blocks = head.data.shape_keys.key_blocks if head.data.shape_keys else []
    shapes = {k.name: (coordinates(k.data) - rest) @ turn.T for k in list(blocks)[1:]}
    weights = {k.name: k.value for k in list(blocks)[1:]}
    return Head(rest @ turn.T + place, shapes, weights, [m.name for m in head.data.materials])


def new_head(addon: SimpleNamespace) -> bpy.types.Object:
    empty_scene()
    scene = bpy.context.scene
    made = addon.scene.importer.import_head(scene, "Ada", finished_job.head_mesh(), finished_job.maps(64))
    # Exports go to the origin wherever the head stands.
    made.root.location = (0.7, 0.1, 1.6)
    bpy.context.view_layer.update()
    return made.head


def open_again(path: Path) -> bpy.types.Object:
    empty_scene()
    importers: dict[str, Callable[..., object]] = {
        ".glb": bpy.ops.import_scene.gltf,
        ".gltf": bpy.ops.import_scene.gltf,
        ".fbx": bpy.ops.import_scene.fbx,
        ".usdc": bpy.ops.wm.usd_import,
        ".usdz": bpy.ops.wm.usd_import,
    }
    importers[path.suffix](filepath=str(path))
    bpy.context.view_layer.update()
    # The glTF importer shows bones as spheres.
    (head,) = [o for o in bpy.context.scene.objects if o.type == "MESH" and not o.name.startswith("Icosphere")]
    return head


def furthest(points: np.ndarray, others: np.ndarray) -> float:
    """Largest distance from any point [n, 3] to the nearest of others [m, 3]."""
    tree = KDTree(len(others))
    for index, other in enumerate(others):
        tree.insert(other, index)
    tree.balance()
    return max(tree.find(point)[2] for point in points)


def images(head: bpy.types.Object) -> dict[str, bpy.types.Image]:
    """Images of all materials by the stem of their file's name."""
    nodes = [n for m in head.data.materials for n in m.node_tree.nodes if n.type == "TEX_IMAGE" and n.image]
    return {Path(bpy.path.abspath(n.image.filepath) or n.image.name).stem: n.image for n in nodes}


def pixels(image: bpy.types.Image) -> np.ndarray:
    values = np.zeros(len(image.pixels), np.float32)
    image.pixels.foreach_get(values)
    return values.reshape(image.size[1], image.size[0], -1)[::-1]


def glb_document(path: Path) -> dict:
    data = path.read_bytes()
    return json.loads(data[20 : 20 + struct.unpack("<I", data[12:16])[0]])


@pytest.mark.parametrize("preset", ["GLB", "UNITY", "UNREAL", "USD", "USDZ"])
def test_head_comes_back_in_true_size_at_the_origin_with_its_shapes(
    addon: SimpleNamespace, tmp_path: Path, preset: str
) -> None:
    source = new_head(addon)
    wanted = read(source)
    local = coordinates(source.data.vertices)
    suffix = {"GLB": "glb", "UNITY": "fbx", "UNREAL": "fbx", "USD": "usdc", "USDZ": "usdz"}[preset]
    path = tmp_path / f"Ada.{suffix}"
    bpy.ops.relightify.export(filepath=str(path), preset=preset)
    found = read(open_again(path))

    assert len(found.points) >= len(local)
    if preset != "GLB":
        # glTF splits vertices at the seams of textures; the others keep them.
        assert len(found.points) == len(local)
    assert furthest(local[::23], found.points) < 10 * MICROMETRE
    assert furthest(found.points[::23], local) < 10 * MICROMETRE
    assert list(found.shapes) == list(wanted.shapes)
    assert len(found.shapes) == 52
    for name in ("jawOpen", "mouthSmileLeft", "eyeBlinkRight"):
        largest = np.abs(wanted.shapes[name]).max(axis=0)
        np.testing.assert_allclose(np.abs(found.shapes[name]).max(axis=0), largest, atol=20 * MICROMETRE)
    if preset in ("GLB", "UNITY", "UNREAL"):
        assert found.weights == pytest.approx(wanted.weights, abs=1e-4)


@pytest.mark.parametrize(
    ("preset", "stem", "up"),
    [("UNITY", "Ada_Head_Normal", 1.0), ("UNREAL", "T_Ada_Head_N", -1.0)],
)
def test_green_of_normal_maps_points_as_the_engine_wants(
    addon: SimpleNamespace, tmp_path: Path, preset: str, stem: str, up: float
) -> None:
    shader = next(n for n in new_head(addon).data.materials[0].node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    source = pixels(shader.inputs["Normal"].links[0].from_node.inputs["Color"].links[0].from_node.image)[..., :3]
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset=preset)
    back = images(open_again(tmp_path / "Ada.fbx"))
    found = pixels(back[stem])[..., :3]
    np.testing.assert_allclose(found[..., 0], source[..., 0], atol=0.003)
    np.testing.assert_allclose(2 * found[..., 1] - 1, up * (2 * source[..., 1] - 1), atol=0.006)


@pytest.mark.parametrize(
    ("preset", "file", "names"),
    [
        ("GLB", "Ada.glb", {"Ada_Head_baseColor", "Ada_Head_normal", "Ada_Head_specular", "Ada_Lashes_baseColor"}),
        ("UNITY", "Ada.fbx", {"Ada_Head_Albedo", "Ada_Head_Normal", "Ada_Head_SpecularSmoothness", "Ada_Teeth_Albedo"}),
        ("UNREAL", "Ada.fbx", {"T_Ada_Head_D", "T_Ada_Head_N", "T_Ada_Head_S", "T_Ada_EyeLeft_D"}),
        ("USD", "Ada.usdc", {"Ada_Head_diffuse", "Ada_Head_normal", "Ada_EyeRight_diffuse"}),
        ("USDZ", "Ada.usdz", {"Ada_Head_diffuse", "Ada_Head_normal", "Ada_Lashes_diffuse"}),
    ],
)
def test_textures_come_back_with_their_names_and_pixels(
    addon: SimpleNamespace, tmp_path: Path, preset: str, file: str, names: set[str]
) -> None:
    new_head(addon)
    bpy.ops.relightify.export(filepath=str(tmp_path / file), preset=preset)
    # An engine reads them from wherever the files were copied to.
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for item in [p for p in tmp_path.iterdir() if p != moved]:
        item.rename(moved / item.name)
    back = images(open_again(moved / file))
    # Importers number what they unpack and may add suffixes.
    missing = {n for n in names if not any(key.startswith(n) for key in back)}
    assert not missing, f"only {sorted(back)}"
    assert all(min(image.size) > 0 for image in back.values())


def test_gltf_has_specular_as_the_principled_shader_means_it(addon: SimpleNamespace, tmp_path: Path) -> None:
    """Maps of 0.35 everywhere: F0 = 0.08 x 0.35, which KHR_materials_specular writes as 0.04 x 0.7."""
    new_head(addon)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"), preset="GLB")
    document = glb_document(tmp_path / "Ada.glb")
    skin = next(m for m in document["materials"] if m["name"] == "Ada_Head")
    specular = skin["extensions"]["KHR_materials_specular"]
    assert specular.get("specularFactor", 1.0) == pytest.approx(1.0)
    image = document["textures"][specular["specularTexture"]["index"]]["source"]
    assert document["images"][image]["name"] == "Ada_Head_specular"
    shader = next(
        n
        for n in open_again(tmp_path / "Ada.glb").data.materials["Ada_Head"].node_tree.nodes
        if n.type == "TEX_IMAGE" and n.image and n.image.name.startswith("Ada_Head_specular")
    )
    # The strength is in the alpha channel.
    np.testing.assert_allclose(pixels(shader.image)[..., 3], 0.70, atol=0.005)


def test_gltf_takes_a_roughness_map_that_the_artist_has_wired(addon: SimpleNamespace, tmp_path: Path) -> None:
    material = new_head(addon).data.materials[0]
    nodes = material.node_tree.nodes
    texture = nodes.new("ShaderNodeTexImage")
    texture.image = bpy.data.images.new("rough", 16, 16)
    texture.image.colorspace_settings.name = "Non-Color"
    texture.image.pixels.foreach_set(np.tile(np.array([0.4, 0.4, 0.4, 1], np.float32), 256))
    shader = next(n for n in nodes if n.type == "BSDF_PRINCIPLED")
    material.node_tree.links.new(texture.outputs["Color"], shader.inputs["Roughness"])
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"), preset="GLB", texture_size="256")
    skin = next(m for m in glb_document(tmp_path / "Ada.glb")["materials"] if m["name"] == "Ada_Head")
    assert "metallicRoughnessTexture" in skin["pbrMetallicRoughness"]


def test_gltf_names_morph_targets_and_says_the_expression(addon: SimpleNamespace, tmp_path: Path) -> None:
    new_head(addon)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.gltf"), preset="GLTF", texture_size="256")
    document = json.loads((tmp_path / "Ada.gltf").read_text())
    (mesh,) = document["meshes"]
    names = mesh["extras"]["targetNames"]
    assert names == [str(n) for n in finished_job.head_mesh().expression_names]
    assert mesh["weights"][names.index("mouthSmileLeft")] == pytest.approx(0.35)
    (lashes,) = [m for m in document["materials"] if m["name"] == "Ada_Lashes"]
    assert lashes["alphaMode"] == "BLEND"
    assert lashes["doubleSided"]
    assert all((tmp_path / image["uri"]).is_file() for image in document["images"])
    assert all(image["uri"].startswith("Ada_textures/") for image in document["images"])


def test_neutral_and_applied_expressions(addon: SimpleNamespace, tmp_path: Path) -> None:
    source = new_head(addon)
    rest = coordinates(source.data.vertices)
    wanted = read(source)
    smile = rest + 0.35 * (wanted.shapes["mouthSmileLeft"] + wanted.shapes["mouthSmileRight"])
    bpy.ops.relightify.export(filepath=str(tmp_path / "n.fbx"), preset="UNITY", expression="NEUTRAL")
    bpy.ops.relightify.export(filepath=str(tmp_path / "a.fbx"), preset="UNITY", expression="APPLIED")
    neutral = read(open_again(tmp_path / "n.fbx"))
    assert set(neutral.weights.values()) == {0.0}
    applied = read(open_again(tmp_path / "a.fbx"))
    assert not applied.shapes
    np.testing.assert_allclose(applied.points, smile, atol=10 * MICROMETRE)


def test_parts_can_be_left_out(addon: SimpleNamespace, tmp_path: Path) -> None:
    new_head(addon)
    bpy.ops.relightify.export(
        filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", use_eyes=False, use_mouth=False, use_lashes=False
    )
    found = open_again(tmp_path / "Ada.fbx")
    assert sorted(read(found).materials) == ["Ada_Head", "Ada_Mouth"]
    assert {p.material_index for p in found.data.polygons} == {0, 1}
    assert len(found.data.shape_keys.key_blocks) == 53
    assert not [p for p in (tmp_path / "Ada_textures").iterdir() if "Eye" in p.name]


def test_textures_are_shrunk_on_request(addon: SimpleNamespace, tmp_path: Path) -> None:
    empty_scene()
    addon.scene.importer.import_head(bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(512))
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", texture_size="256")
    sizes = [bpy.data.images.load(str(p)).size[:] for p in (tmp_path / "Ada_textures").iterdir()]
    assert max(max(s) for s in sizes) == 256


def test_subdivided_export_is_finer_and_keeps_its_shapes(addon: SimpleNamespace, tmp_path: Path) -> None:
    source = new_head(addon)
    wanted = read(source)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", subdivisions=1, texture_size="256")
    found = open_again(tmp_path / "Ada.fbx")
    assert len(found.data.polygons) == 4 * len(wanted_faces(addon))
    values = read(found)
    assert list(values.shapes) == list(wanted.shapes)
    largest = np.abs(wanted.shapes["jawOpen"]).max()
    assert np.abs(values.shapes["jawOpen"]).max() == pytest.approx(largest, rel=0.1)
    assert values.weights["mouthSmileLeft"] == pytest.approx(0.35, abs=1e-4)


def wanted_faces(addon: SimpleNamespace) -> np.ndarray:
    return addon.anatomy.geometry.head_geometry(finished_job.head_mesh()).quads


def test_keyframes_of_the_expression_are_exported(addon: SimpleNamespace, tmp_path: Path) -> None:
    key = new_head(addon).data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.0), (10, 0.8)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    bpy.context.scene.frame_end = 10
    actions = len(bpy.data.actions)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"), preset="GLB", texture_size="256")
    assert len(bpy.data.actions) == actions
    (animation,) = glb_document(tmp_path / "Ada.glb")["animations"]
    assert [c["target"]["path"] for c in animation["channels"]] == ["weights"]
    bpy.ops.relightify.export(
        filepath=str(tmp_path / "Still.glb"), preset="GLB", use_animation=False, texture_size="256"
    )
    assert "animations" not in glb_document(tmp_path / "Still.glb")


def test_shapes_are_spelled_as_asked_and_visemes_are_added(addon: SimpleNamespace, tmp_path: Path) -> None:
    head = new_head(addon)
    key = head.data.shape_keys.key_blocks["jawOpen"]
    for frame, value in ((1, 0.0), (10, 0.8)):
        key.value = value
        key.keyframe_insert("value", frame=frame)
    before = [k.name for k in head.data.shape_keys.key_blocks]
    offsets = read(head).shapes
    path = tmp_path / "ada.glb"
    bpy.ops.relightify.export(filepath=str(path), texture_size="256", shape_names="VRM", use_visemes=True)
    assert [k.name for k in head.data.shape_keys.key_blocks] == before
    assert all("jawOpen" in curve.data_path for curve in addon.compat.existing_curves(head.data.shape_keys))
    found = open_again(path)
    names = {k.name for k in found.data.shape_keys.key_blocks[1:]}
    assert {"JawOpen", "MouthSmileLeft", "viseme_aa", "viseme_sil"} <= names
    assert len(names) == 52 + 15
    curves = addon.compat.existing_curves(found.data.shape_keys)
    assert any("JawOpen" in curve.data_path and len(curve.keyframe_points) > 1 for curve in curves)
    aa = read(found).shapes["viseme_aa"]
    wanted = 0.55 * offsets["jawOpen"] + 0.1 * (offsets["mouthLowerDownLeft"] + offsets["mouthLowerDownRight"])
    assert np.abs(aa).max() == pytest.approx(np.abs(wanted).max(), abs=1e-5)
