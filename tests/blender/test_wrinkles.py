"""Wrinkles that come with the shapes: nothing at rest, more with each shape, exported with their rule."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from tests.blender import finished_job
from tests.blender.conftest import empty_scene
from tests.blender.test_export import module
from tests.blender.test_export_round_trip import pixels

SIDE = 48
BROWS_UP = ("browInnerUp", "browOuterUpLeft", "browOuterUpRight")


@pytest.fixture(scope="module")
def saved(installed: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a head at rest that has wrinkles; made once, since that takes a while."""
    empty_scene()
    made = installed.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(0.0), finished_job.maps(64)
    )
    for key in made.head.data.shape_keys.key_blocks:
        key.value = 0.0
    bpy.context.view_layer.objects.active = made.head
    assert bpy.ops.relightify.add_wrinkles() == {"FINISHED"}
    path = tmp_path_factory.mktemp("wrinkles") / "ada.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path))
    return path


@pytest.fixture
def head(addon: SimpleNamespace, saved: Path) -> Iterator[bpy.types.Object]:
    bpy.ops.wm.open_mainfile(filepath=str(saved))
    yield bpy.data.objects["Ada"]
    empty_scene()


def rendered(head: bpy.types.Object, tmp_path: Path) -> np.ndarray:
    """The forehead in Cycles, small and coarse."""
    scene = bpy.context.scene
    if scene.camera is None or scene.camera.name != "Close":
        camera = bpy.data.objects.new("Close", bpy.data.cameras.new("Close"))
        camera.location, camera.rotation_euler = (0, -0.6, 0.05), (np.pi / 2, 0, 0)
        camera.data.lens = 150
        scene.collection.objects.link(camera)
        scene.camera = camera
    head.modifiers.clear()
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 1, False
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.render.resolution_percentage = 100
    scene.render.image_settings.file_format = "PNG"
    scene.render.filepath = str(tmp_path / "forehead.png")
    bpy.ops.render.render(write_still=True)
    return pixels(bpy.data.images.load(scene.render.filepath))[..., :3].copy()


def mixing(head: bpy.types.Object) -> list[bpy.types.Node]:
    return [
        n for n in head.data.materials[0].node_tree.nodes if str(n.get("relightify_map", "")).startswith("wrinkles")
    ]


def driven(head: bpy.types.Object, group: str) -> list[float]:
    """What the shapes say a group's mask is multiplied by: red, green, blue, alpha."""
    return list(head.evaluated_get(bpy.context.evaluated_depsgraph_get())[f"relightify_wrinkles_{group}"])


def test_at_rest_nothing_changes_and_raised_brows_fold_the_forehead(head: bpy.types.Object, tmp_path: Path) -> None:
    with_maps = rendered(head, tmp_path)
    keys = head.data.shape_keys.key_blocks
    for name in BROWS_UP:
        keys[name].value = 1.0
    folded = rendered(head, tmp_path)
    bpy.ops.relightify.remove_wrinkles()
    assert not mixing(head)
    smooth = rendered(head, tmp_path)
    for name in BROWS_UP:
        keys[name].value = 0.0
    without = rendered(head, tmp_path)
    np.testing.assert_array_equal(with_maps, without)
    assert np.abs(folded - smooth).max() > 0.05


def test_shapes_drive_the_channels_of_their_group(head: bpy.types.Object) -> None:
    assert len(mixing(head)) > 10
    keys = head.data.shape_keys.key_blocks
    keys["browDownLeft"].value, keys["eyeSquintRight"].value, keys["cheekSquintRight"].value = 0.5, 0.6, 0.7
    keys["browOuterUpLeft"].value = 0.25
    assert driven(head, "brows_down") == pytest.approx([0.5, 0, 0, 1.0], abs=1e-5)
    assert driven(head, "brows_up") == pytest.approx([0, 0.25, 0, 0], abs=1e-5)
    assert driven(head, "smile") == pytest.approx([0, 0, 0, 0], abs=1e-5)


def test_masks_lie_where_the_shapes_fold(head: bpy.types.Object) -> None:
    images = {n["relightify_map"]: n.image for n in mixing(head) if n.type == "TEX_IMAGE"}
    assert len(images) == 6
    brows = pixels(images["wrinkles_brows_up_mask"])
    side = len(brows)
    forehead, chin = np.s_[side // 8 : side // 4, side // 3 : 2 * side // 3], np.s_[3 * side // 4 :, :]
    assert brows[forehead][..., 0].mean() > 0.5
    assert brows[chin][..., :3].max() == 0
    frown = pixels(images["wrinkles_brows_down_mask"])
    # The subject's left lies at u > 0.5.
    assert frown[:, side // 2 :, 0].mean() > 5 * frown[:, : side // 2, 0].mean()


def test_making_them_again_replaces_them(head: bpy.types.Object) -> None:
    before, images = len(mixing(head)), len(bpy.data.images)
    drivers = len(head.animation_data.drivers)
    bpy.ops.relightify.add_wrinkles(seed=1, strength=0.5)
    assert len(mixing(head)) == before
    assert len(bpy.data.images) == images
    assert len(head.animation_data.drivers) == drivers


def test_a_duplicate_folds_by_its_own_shapes(head: bpy.types.Object) -> None:
    bpy.context.view_layer.objects.active = head
    bpy.ops.relightify.duplicate_head()
    twin = bpy.context.view_layer.objects.active
    assert twin != head
    twin.data.shape_keys.key_blocks["browOuterUpRight"].value = 0.75
    assert driven(twin, "brows_up")[2] == pytest.approx(0.75)
    assert driven(head, "brows_up")[2] == 0
    images = [{n.image.name for n in mixing(thing) if n.type == "TEX_IMAGE"} for thing in (head, twin)]
    assert not images[0] & images[1]


def test_copies_that_blender_makes_fold_by_their_own_shapes_and_lose_wrinkles_alone(
    head: bpy.types.Object, tmp_path: Path
) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    head.select_set(True)
    bpy.context.view_layer.objects.active = head
    bpy.ops.object.duplicate()
    twin = bpy.context.view_layer.objects.active
    assert twin != head
    assert list(twin.data.materials) == list(head.data.materials), "Blender's copies share materials"
    head.hide_render = True
    flat = rendered(twin, tmp_path)
    keys = twin.data.shape_keys.key_blocks
    for name in BROWS_UP:
        keys[name].value = 1.0
    assert driven(twin, "brows_up")[:3] == pytest.approx([1, 1, 1])
    assert driven(head, "brows_up") == [0, 0, 0, 0]
    folded = rendered(twin, tmp_path)
    head.hide_render, twin.hide_render = False, True
    np.testing.assert_allclose(rendered(head, tmp_path), flat, atol=0.02)
    bpy.ops.relightify.remove_wrinkles()
    assert not mixing(twin)
    assert len(mixing(head)) > 10
    head.hide_render, twin.hide_render = True, False
    assert np.abs(rendered(twin, tmp_path) - folded).max() > 0.05


def test_a_head_that_gets_another_mesh_folds_by_the_shapes_of_that(
    addon: SimpleNamespace, head: bpy.types.Object
) -> None:
    made = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), parts="SKIN"
    )
    before = len(head.data.polygons)
    addon.scene.replacing.replace_head(bpy.context.scene, head, made)
    assert len(head.data.polygons) < before
    head.data.shape_keys.key_blocks["browOuterUpLeft"].value = 0.5
    assert driven(head, "brows_up")[1] == pytest.approx(0.5)


def test_deleting_the_head_takes_its_wrinkles_along(head: bpy.types.Object) -> None:
    bpy.ops.relightify.delete_head()
    assert not [image.name for image in bpy.data.images if "wrinkles" in image.name or "mask" in image.name]


@pytest.mark.parametrize(
    ("preset", "file", "stem"), [("UNREAL", "Ada.fbx", "T_Ada_Head_{}_N"), ("GLB", "Ada.glb", "Ada_Head_{}_normal")]
)
def test_exports_have_the_maps_and_their_rule(
    head: bpy.types.Object, tmp_path: Path, preset: str, file: str, stem: str
) -> None:
    bpy.ops.relightify.export(
        filepath=str(tmp_path / file), preset=preset, use_wrinkles=True, shape_names="VRM", texture_size="256"
    )
    folder = tmp_path / "Ada_textures"
    document = json.loads((folder / "Ada_wrinkles.json").read_text())
    assert document["green_points"] == ("down" if preset == "UNREAL" else "up")
    assert [group["name"] for group in document["groups"]] == ["brows_down", "brows_up", "smile"]
    for group in document["groups"]:
        assert (folder / group["normal"]).is_file()
        assert (folder / group["mask"]).is_file()
    up = document["groups"][1]
    assert up["normal"] == stem.format("WrinklesBrowsUp") + ".png"
    assert up["channels"] == {
        "red": ["BrowInnerUp"],
        "green": ["BrowOuterUpLeft"],
        "blue": ["BrowOuterUpRight"],
    }
    picture = bpy.data.images.load(str(folder / up["normal"]))
    assert tuple(picture.size) == (256, 256)


def test_the_normal_map_at_rest_is_what_exports_have(head: bpy.types.Object) -> None:
    surface = module("export.surfaces").surface_of(head.data.materials[0], "skin")
    (base,) = [n.image for n in head.data.materials[0].node_tree.nodes if n.get("relightify_map") == "normal"]
    np.testing.assert_allclose(surface.normal, module("export.surfaces").stored_pixels(base)[..., :3])


def test_a_head_without_shapes_is_told_so(addon: SimpleNamespace) -> None:
    made = addon.scene.importer.import_head(bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64))
    made.head.shape_key_clear()
    with pytest.raises(RuntimeError, match="has no shape keys"):
        bpy.ops.relightify.add_wrinkles()
    assert not bpy.ops.relightify.remove_wrinkles.poll()
