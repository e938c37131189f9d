"""Exporting: what the operator promises whatever the format, above all that nothing of the scene changes."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import ModuleType, SimpleNamespace

import addon_utils
import bpy
import numpy as np
import pytest

from tests.blender import finished_job
from tests.blender.conftest import MODULE


def module(name: str) -> ModuleType:
    return importlib.import_module(f"{MODULE}.{name}")


@pytest.fixture
def head(addon: SimpleNamespace) -> bpy.types.Object:
    """A head in a scene with something else selected, at a frame of its own."""
    imported = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64)
    )
    bpy.context.scene.frame_set(7, subframe=0.25)
    imported.root.select_set(True)
    bpy.context.view_layer.objects.active = imported.head
    return imported.head


def snapshot(head: bpy.types.Object) -> dict[str, object]:
    """Everything that an artist would notice if it changed."""
    window = bpy.context.window
    scene = bpy.context.scene
    kinds = [k for k in dir(bpy.data) if isinstance(getattr(bpy.data, k), bpy.types.bpy_prop_collection)]
    return {
        "data": {k: sorted(b.name for b in getattr(bpy.data, k)) for k in kinds},
        "scene": (window.scene.name, window.view_layer.name, scene.camera, scene.world, scene.frame_current_final),
        "selected": sorted(o.name for o in bpy.context.selected_objects),
        "active": bpy.context.view_layer.objects.active,
        "mode": head.mode,
        "shapes": [(k.name, k.value) for k in head.data.shape_keys.key_blocks],
        "materials": [m.name for m in head.data.materials],
        "links": [[(n.from_node.name, n.to_socket.name) for n in m.node_tree.links] for m in head.data.materials],
        "users": [(m.name, m.users) for m in bpy.data.materials],
        "modifiers": [m.name for m in head.modifiers],
        "custom": {k: dict(o.items()).keys() for k, o in (("scene", scene), ("head", head))},
        "matrix": [list(row) for row in head.matrix_world],
        "slot": head.active_shape_key_index,
    }


@pytest.mark.parametrize("preset", ["GLB", "UNREAL", "USD"])
def test_scene_is_exactly_as_before_an_export(head: bpy.types.Object, tmp_path: Path, preset: str) -> None:
    before = snapshot(head)
    assert bpy.ops.relightify.export(filepath=str(tmp_path / "Ada"), preset=preset, texture_size="256") == {"FINISHED"}
    assert snapshot(head) == before


def test_scene_is_exactly_as_before_an_export_from_edit_mode(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.object.mode_set(mode="EDIT")
    before = snapshot(head)
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY")
    assert snapshot(head) == before
    assert head.mode == "EDIT"
    bpy.ops.object.mode_set(mode="OBJECT")


def test_failed_export_leaves_scene_and_folder_as_they_were(
    head: bpy.types.Object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "Ada.glb").write_bytes(b"an earlier export")
    before = snapshot(head)

    def fail(preset: object, path: Path, *_: object, **__: object) -> None:
        path.write_bytes(b"half")
        raise RuntimeError("Error: out of luck")

    monkeypatch.setattr(module("export.formats"), "write", fail)
    with pytest.raises(RuntimeError, match=r"could not write Ada.glb: out of luck"):
        bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"), preset="GLB")
    assert snapshot(head) == before
    assert [p.name for p in tmp_path.iterdir()] == ["Ada.glb"]
    assert (tmp_path / "Ada.glb").read_bytes() == b"an earlier export"


def test_truncated_file_is_an_error_not_a_success(
    head: bpy.types.Object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        module("export.formats"), "write", lambda preset, path, *_, **__: path.write_bytes(b"glTF" + bytes(20))
    )
    with pytest.raises(RuntimeError, match="the file is not complete"):
        bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"), preset="GLB")
    assert not list(tmp_path.iterdir())


def test_folder_without_rights_is_an_error_that_says_so(
    head: bpy.types.Object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> str:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module("export.files").tempfile, "mkdtemp", refuse)
    with pytest.raises(RuntimeError, match="may not write to"):
        bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"))


def test_full_disk_is_an_error_that_says_so(
    head: bpy.types.Object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> bytes:
        raise OSError(28, "No space left on device")

    before = snapshot(head)
    monkeypatch.setattr(module("export.textures"), "encode_png", refuse)
    with pytest.raises(RuntimeError, match="no room left on the disk"):
        bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.glb"))
    assert snapshot(head) == before
    assert not list(tmp_path.iterdir())


def test_blender_without_the_exporter_is_an_error_that_says_how_to_get_it(
    head: bpy.types.Object, tmp_path: Path
) -> None:
    addon_utils.disable("io_scene_fbx")
    try:
        with pytest.raises(RuntimeError, match=r"no FBX exporter. Switch on FBX format"):
            bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY")
    finally:
        addon_utils.enable("io_scene_fbx")
    assert not list(tmp_path.iterdir())


def test_heads_without_shape_keys_or_materials_are_exported_all_the_same(
    head: bpy.types.Object, tmp_path: Path
) -> None:
    head.shape_key_clear()
    head.data.materials.clear()
    head.hide_viewport = True
    assert bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", expression="APPLIED")
    assert (tmp_path / "Ada.fbx").is_file()


def test_export_without_a_head_is_not_offered(addon: SimpleNamespace, tmp_path: Path) -> None:
    assert not bpy.ops.relightify.export.poll()


def test_missing_folder_is_made_and_a_missing_name_is_an_error(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "new" / "takes" / "Ada.glb"), texture_size="256")
    assert (tmp_path / "new" / "takes" / "Ada.glb").is_file()
    with pytest.raises(RuntimeError, match="no name for the exported file"):
        bpy.ops.relightify.export()


def test_suffix_follows_the_preset(head: bpy.types.Object, tmp_path: Path) -> None:
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada v1.2.glb"), preset="UNREAL", texture_size="256")
    names = {p.relative_to(tmp_path).as_posix() for p in tmp_path.rglob("*") if p.is_file()}
    assert "Ada v1.2.fbx" in names
    assert "Ada_v1_2_textures/T_Ada_v1_2_Head_D.png" in names


def test_painted_changes_and_other_images_are_exported(head: bpy.types.Object, tmp_path: Path) -> None:
    """What counts is the material as the artist left it, also when it was painted on and not saved."""
    shader = next(n for n in head.data.materials[0].node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    image = shader.inputs["Base Color"].links[0].from_node.image
    image.pixels.foreach_set(np.tile(np.array([0.0, 1.0, 0.0, 1.0], np.float32), image.size[0] * image.size[1]))
    bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY")
    (path,) = tmp_path.rglob("Ada_Head_Albedo.png")
    picture = bpy.data.images.load(str(path))
    assert tuple(round(v) for v in picture.pixels[:3]) == (0, 1, 0)


def test_two_exports_of_the_same_head_have_the_same_names(head: bpy.types.Object, tmp_path: Path) -> None:
    for _ in range(2):
        bpy.ops.relightify.export(filepath=str(tmp_path / "Ada.fbx"), preset="UNITY", texture_size="256")
    files = sorted(p.name for p in (tmp_path / "Ada_textures").iterdir())
    assert "Ada_Head_Albedo.png" in files
    assert not [name for name in files if ".001" in name]
    assert sorted(os.listdir(tmp_path)) == ["Ada.fbx", "Ada_textures"]
