"""Heads are objects as others are: deleted, duplicated, renamed, hidden, linked and copied about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend

KINDS = ("objects", "meshes", "materials", "images", "worlds", "cameras", "lights", "collections", "actions")


def counts() -> dict[str, int]:
    return {kind: len(getattr(bpy.data, kind)) for kind in KINDS}


def head_of(addon: SimpleNamespace) -> bpy.types.Object | None:
    context = bpy.context
    return addon.scene.heads.active_head(context.view_layer, context.active_object)


def select(*things: bpy.types.Object) -> None:
    bpy.ops.object.select_all(action="DESELECT")
    for thing in things:
        thing.select_set(True)
    bpy.context.view_layer.objects.active = things[-1] if things else None


def import_person(addon: SimpleNamespace, name: str = "Ada", **options: Any) -> Any:
    photo = finished_job.photo()
    return addon.scene.importer.import_head(
        bpy.context.scene, name, finished_job.head_mesh(), finished_job.maps(64), photo, **options
    )


@pytest.fixture
def ada(addon: SimpleNamespace) -> Any:
    done = import_person(addon)
    select(done.head)
    return done


@pytest.fixture
def again(connected: FakeBackend) -> Callable[[], None]:
    """Reconstructs the active head once more."""
    del connected
    return lambda: bpy.ops.relightify.reconstruct_again()


def diffuse_of(head: bpy.types.Object) -> bpy.types.Image:
    (node,) = (n for n in head.data.materials[0].node_tree.nodes if n.get("relightify_map") == "diffuse_albedo")
    return node.image


def test_deleted_head_is_gone_and_nothing_works_on_it(addon: SimpleNamespace, ada: Any, tmp_path: Path) -> None:
    name = ada.head.name
    bpy.ops.object.delete()
    assert name not in bpy.data.objects
    assert head_of(addon) is None
    for operator in ("reconstruct_again", "random_expression", "set_expression", "export", "delete_head"):
        assert not getattr(bpy.ops.relightify, operator).poll(), operator
    with pytest.raises(RuntimeError):
        bpy.ops.relightify.export(filepath=str(tmp_path / "ghost.glb"))
    assert not list(tmp_path.iterdir())


def test_head_of_a_deleted_collection_is_gone(addon: SimpleNamespace, ada: Any) -> None:
    bpy.data.batch_remove([*ada.collection.objects, ada.collection])
    assert head_of(addon) is None


def test_duplicate_has_a_face_of_its_own(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.object.duplicate()
    copy = bpy.context.active_object
    assert copy != ada.head
    assert head_of(addon) == copy
    bpy.ops.relightify.set_expression(expression="NEUTRAL")
    smile = "mouthSmileLeft"
    assert copy.data.shape_keys.key_blocks[smile].value == 0
    assert ada.head.data.shape_keys.key_blocks[smile].value == pytest.approx(0.35)


def test_redo_of_a_duplicate_leaves_the_original_alone(
    addon: SimpleNamespace, ada: Any, again: Callable[[], None]
) -> None:
    bpy.ops.object.duplicate()
    copy = bpy.context.active_object
    old_image, old_place = diffuse_of(ada.head), ada.camera.matrix_world.copy()
    again()
    assert diffuse_of(ada.head) == old_image
    assert diffuse_of(copy) != old_image
    assert ada.head["relightify_world"] == ada.world != copy["relightify_world"]
    assert ada.head["relightify_camera"] == ada.camera != copy["relightify_camera"]
    assert ada.camera.matrix_world == old_place
    assert ada.head["relightify_photo"].users > 0


def test_studio_lights_of_a_duplicate_are_not_those_of_the_original(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.relightify.add_light_rig()
    bpy.ops.object.duplicate()
    copy = bpy.context.active_object
    assert addon.light.rigs.find_rig(copy) is None
    bpy.ops.relightify.add_light_rig()
    assert addon.light.rigs.find_rig(copy) != addon.light.rigs.find_rig(ada.head) is not None


def test_names_decide_nothing(addon: SimpleNamespace, ada: Any, again: Callable[[], None]) -> None:
    for kind in ("objects", "meshes", "materials", "collections", "worlds"):
        for number, data in enumerate(list(getattr(bpy.data, kind))):
            data.name = f"renamed {number}"
    for material in ada.head.data.materials:
        for node in material.node_tree.nodes:
            node.name = node.label = "artist's"
    for node in ada.world.node_tree.nodes:
        node.name = "artist's"
    material, before = ada.head.data.materials[0], counts()
    again()
    assert ada.head.data.materials[0] == material
    assert bytes(diffuse_of(ada.head).packed_file.data) == finished_job.maps(64)["diffuse_albedo"]
    assert counts() == before
    bpy.ops.relightify.relight(light="photo", rotation=0.5)
    (turned,) = (n for n in ada.world.node_tree.nodes if n.type == "MAPPING")
    assert turned.inputs["Rotation"].default_value[2] == pytest.approx(0.5)
    bpy.ops.relightify.reconstruct_again(parts="SKIN")
    bpy.ops.relightify.reconstruct_again(parts="FULL")
    assert ada.head.data.materials[0] == material
    surfaces = addon.export.surfaces
    assert surfaces.parts_of(ada.head)[:3] == ("skin", "mouth", "eye_left")


def test_material_that_the_artist_put_in_a_slot_stays(addon: SimpleNamespace, ada: Any) -> None:
    own = bpy.data.materials.new("Lacquer")
    ada.head.data.materials[0] = own
    fresh = import_person(addon, "fresh")
    addon.scene.replacing.replace_head(bpy.context.scene, ada.head, fresh)
    assert ada.head.data.materials[0] == own


def test_what_is_on_the_mesh_survives_other_parts(addon: SimpleNamespace, ada: Any, again: Callable[[], None]) -> None:
    del again
    head = ada.head
    head.vertex_groups.new(name="Nose").add([30, 40], 0.5, "REPLACE")
    paint = head.data.color_attributes.new("Paint", "FLOAT_COLOR", "POINT")
    paint.data[30].color = (0.2, 0.4, 0.6, 1.0)
    head.data.uv_layers.new(name="Tattoo").uv[0].vector = (0.25, 0.75)
    own = head.shape_key_add(name="Scar", from_mix=False)
    own.value = 0.6
    own.data[30].co.z += 0.01
    keys = head.data.shape_keys
    keys.key_blocks["jawOpen"].driver_add("value").driver.expression = "0.4"
    keys.key_blocks["mouthPucker"].keyframe_insert("value", frame=7)
    for parts in ("SKIN", "FULL"):
        bpy.ops.relightify.reconstruct_again(parts=parts)
        keys = head.data.shape_keys
        assert head.vertex_groups["Nose"].weight(30) == pytest.approx(0.5)
        np.testing.assert_allclose(head.data.color_attributes["Paint"].data[30].color, (0.2, 0.4, 0.6, 1.0), atol=1e-6)
        np.testing.assert_allclose(head.data.uv_layers["Tattoo"].uv[0].vector, (0.25, 0.75), atol=1e-6)
        moved = keys.key_blocks["Scar"].data[30].co - keys.key_blocks[0].data[30].co
        np.testing.assert_allclose(moved, (0, 0, 0.01), atol=1e-6)
        assert keys.key_blocks["Scar"].value == pytest.approx(0.6)
        assert [d.data_path for d in keys.animation_data.drivers] == ['key_blocks["jawOpen"].value']
        assert keys.animation_data.action is not None


def test_active_object_wins_and_its_belongings_stand_for_it(addon: SimpleNamespace, ada: Any) -> None:
    grace = import_person(addon, "Grace")
    for person in (ada, grace):
        select(person.head)
        bpy.ops.relightify.add_light_rig()
        lamp = addon.light.rigs.find_rig(person.head).children[0]
        hair = bpy.data.objects.new("hair", None)
        bpy.context.scene.collection.objects.link(hair)
        hair.parent = person.head
        for thing in (person.head, person.root, person.camera, lamp, hair):
            bpy.context.view_layer.objects.active = thing
            assert head_of(addon) == person.head, thing.name
    bpy.context.view_layer.objects.active = None
    assert head_of(addon) == grace.head


def test_head_taken_out_of_its_collection_is_still_a_head(addon: SimpleNamespace, ada: Any) -> None:
    grace = import_person(addon, "Grace")
    bpy.context.scene.collection.objects.link(ada.head)
    ada.collection.objects.unlink(ada.head)
    bpy.context.view_layer.layer_collection.children[grace.collection.name].exclude = True
    select(ada.head)
    assert head_of(addon) == ada.head
    bpy.context.view_layer.objects.active = None
    assert head_of(addon) == ada.head, "a head that is excluded from the view layer is not meant"
    bpy.context.view_layer.layer_collection.children[grace.collection.name].exclude = False
    assert head_of(addon) is not None


def test_excluded_head_has_no_features(addon: SimpleNamespace, ada: Any) -> None:
    bpy.context.view_layer.layer_collection.children[ada.collection.name].exclude = True
    assert head_of(addon) is None
    assert not bpy.ops.relightify.random_expression.poll()


def saved(ada: Any, tmp_path: Path) -> str:
    path = str(tmp_path / "library.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    return path


def test_head_that_is_appended_alone_brings_everything(
    addon: SimpleNamespace, ada: Any, again: Callable[[], None], tmp_path: Path
) -> None:
    path = saved(ada, tmp_path)
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.append(filepath=f"{path}/Object/Ada", directory=f"{path}/Object/", filename="Ada")
    head = bpy.data.objects["Ada"]
    select(head)
    bpy.ops.relightify.match_photo_light()
    assert bpy.context.scene.world == head["relightify_world"]
    bpy.ops.relightify.set_expression(expression="PHOTO")
    again()
    assert head_of(addon) == head
    assert bytes(diffuse_of(head).packed_file.data) == finished_job.maps(64)["diffuse_albedo"]


def link(path: str) -> bpy.types.Object:
    bpy.ops.wm.read_homefile(use_empty=True)
    bpy.ops.wm.link(filepath=f"{path}/Object/Ada", directory=f"{path}/Object/", filename="Ada")
    return bpy.data.objects["Ada"]


def test_linked_head_is_found_and_says_what_cannot_be_changed(
    addon: SimpleNamespace, ada: Any, again: Callable[[], None], tmp_path: Path
) -> None:
    head = link(saved(ada, tmp_path))
    bpy.context.view_layer.objects.active = head
    assert head_of(addon) == head
    bpy.ops.relightify.relight(light="photo", rotation=0.3)
    world = bpy.context.scene.world
    assert world.library is None, "what is turned must be saved with this file"
    bpy.ops.relightify.relight(light="photo", rotation=0.4)
    assert bpy.context.scene.world == world
    with pytest.raises(RuntimeError, match="linked from another file"):
        again()
    for operator in ("random_expression", "add_light_rig", "set_up_turntable", "add_skeleton", "add_likeness"):
        assert not getattr(bpy.ops.relightify, operator).poll(), operator
    assert bpy.ops.relightify.export(filepath=str(tmp_path / "linked.glb")) == {"FINISHED"}


def test_library_override_can_be_posed(addon: SimpleNamespace, ada: Any, tmp_path: Path) -> None:
    head = link(saved(ada, tmp_path))
    head.override_create(remap_local_usages=True)
    mine = bpy.context.view_layer.objects[0]
    mine.data.override_create(remap_local_usages=True)
    bpy.context.view_layer.objects.active = mine
    assert mine.library is None
    assert head_of(addon) == mine
    with pytest.raises(RuntimeError, match="linked from another file"):
        bpy.ops.relightify.reconstruct_again()
    assert not bpy.ops.relightify.add_skeleton.poll(), "weights would not be saved"


def test_head_in_another_scene_works_there(addon: SimpleNamespace, ada: Any) -> None:
    head, first = ada.head, bpy.context.scene
    bpy.ops.scene.new(type="EMPTY")
    scene = bpy.context.scene
    assert head_of(addon) is None
    scene.collection.objects.link(head)
    bpy.context.view_layer.objects.active = head
    assert head_of(addon) == head
    bpy.ops.relightify.add_light_rig()
    assert addon.light.rigs.find_rig(head).name in scene.objects
    assert addon.light.rigs.find_rig(head).name not in first.objects
    bpy.data.scenes.remove(scene)


def test_full_copy_of_a_scene_has_a_head_of_its_own(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.scene.new(type="FULL_COPY")
    (copy,) = addon.scene.heads.heads_of(bpy.context.scene)
    assert copy != ada.head
    assert copy["relightify_camera"] != ada.camera
    assert copy["relightify_camera"].name in bpy.context.scene.objects
    bpy.data.scenes.remove(bpy.context.scene)


def test_delete_head_takes_everything_along_and_gives_the_scene_back(addon: SimpleNamespace) -> None:
    scene = bpy.context.scene
    scene.world = bpy.data.worlds.new("Mine")
    scene.render.resolution_x, scene.view_settings.view_transform = 1234, "AgX"
    before = counts()
    ada = import_person(addon)
    select(ada.head)
    bpy.ops.relightify.add_light_rig(dim_world=False)
    bpy.ops.relightify.set_up_turntable()
    ada.head.data.shape_keys.key_blocks[3].keyframe_insert("value")
    hat = bpy.data.objects.new("hat", None)
    scene.collection.objects.link(hat)
    ada.root.location.x = 2.0
    hat.parent, hat.location.z = ada.head, 0.1
    assert bpy.ops.relightify.delete_head() == {"FINISHED"}
    assert counts() == {**before, "objects": 1}
    assert (hat.parent, hat.location.x) == (None, pytest.approx(2.0))
    assert scene.world.name == "Mine"
    assert (scene.render.resolution_x, scene.view_settings.view_transform) == (1234, "AgX")
    assert scene.camera is None


def test_delete_head_leaves_what_a_duplicate_shares(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.object.duplicate()
    copy = bpy.context.active_object
    select(ada.head)
    bpy.ops.relightify.delete_head()
    assert head_of(addon) == copy
    assert copy.parent is not None
    assert diffuse_of(copy).packed_file is not None
    assert copy["relightify_world"] is not None
    assert copy["relightify_photo"].packed_file is not None


def test_duplicate_head_shares_nothing_and_deleting_it_leaves_no_trace(addon: SimpleNamespace, ada: Any) -> None:
    bpy.ops.relightify.add_light_rig()
    ada.head.data.shape_keys.key_blocks["jawOpen"].keyframe_insert("value")
    before = counts()
    assert bpy.ops.relightify.duplicate_head() == {"FINISHED"}
    copy = bpy.context.active_object
    assert copy != ada.head
    bpy.context.view_layer.update()
    assert abs(copy.matrix_world.translation.x - ada.head.matrix_world.translation.x) > 0.2
    for mark in ("relightify_camera", "relightify_world", "relightify_photo", "relightify_light_rig"):
        assert copy[mark] not in (None, ada.head[mark]), mark
    assert copy["relightify_camera"].parent == copy.parent != ada.root
    assert copy["relightify_light_rig"].constraints[0].target == copy
    assert diffuse_of(copy) != diffuse_of(ada.head)
    assert bytes(diffuse_of(copy).packed_file.data) == bytes(diffuse_of(ada.head).packed_file.data)
    assert copy.data.shape_keys.animation_data.action != ada.head.data.shape_keys.animation_data.action
    background = copy["relightify_camera"].data.background_images[0].image
    assert background == copy["relightify_photo"] != ada.head["relightify_photo"]
    bpy.ops.relightify.delete_head()
    assert counts() == before


def test_redo_twice_keeps_the_names(addon: SimpleNamespace, ada: Any, again: Callable[[], None]) -> None:
    names = {kind: sorted(data.name for data in getattr(bpy.data, kind)) for kind in KINDS}
    again()
    again()
    assert {kind: sorted(data.name for data in getattr(bpy.data, kind)) for kind in KINDS} == names
