"""A head on a human of MPFB or MakeHuman: shape, neck, bones, what hangs on it, skin, and all of it back again."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import addon_utils
import bpy
import numpy as np
import pytest

from tests.blender import base_human, finished_job

SMALL = "1024"


@pytest.fixture
def ada(addon: SimpleNamespace) -> Any:
    done = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(256), finished_job.photo()
    )
    addon.scene.mesh.set_expression(done.head, {})
    return done


@pytest.fixture
def human(ada: Any) -> SimpleNamespace:
    return base_human.build_human()


def attach(**options: Any) -> None:
    assert bpy.ops.relightify.attach_to_human(**{"resolution": SMALL, "use_skin": False, **options}) == {"FINISHED"}


def shown(thing: bpy.types.Object, *, without: tuple[str, ...] = ("MASK", "SUBSURF")) -> np.ndarray:
    """Where the vertices of an object are shown, without some modifiers, in its own space [V, 3]."""
    for modifier in thing.modifiers:
        modifier.show_viewport = modifier.type not in without
    bpy.context.view_layer.update()
    mesh = thing.evaluated_get(bpy.context.evaluated_depsgraph_get()).data
    values = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", values)
    return values.reshape(-1, 3).astype(np.float64)


def chin_vertex() -> int:
    """The vertex of the head that an opening jaw moves furthest."""
    model = finished_job.head_mesh()
    opened = model.expression_offsets[model.expression_names.tolist().index("jawOpen")]
    return int(np.argmax(np.linalg.norm(opened, axis=1)))


def state(human: SimpleNamespace) -> dict[str, Any]:
    """What must be as before when a head has been taken off."""
    keys = human.mesh.data.shape_keys
    return {
        "points": shown(human.mesh),
        "keys": [key.name for key in keys.key_blocks] if keys else [],
        "slots": [face.material_index for face in human.mesh.data.polygons],
        "materials": list(human.mesh.data.materials),
        "bones": np.array([[*b.head_local, *b.tail_local, *b.z_axis] for b in human.rig.data.bones]),
        "marks": sorted(human.mesh.keys()) + sorted(human.rig.keys()),
        "groups": [group.name for group in human.mesh.vertex_groups],
        "objects": sorted(thing.name for thing in bpy.data.objects),
        "images": sorted(image.name for image in bpy.data.images),
        "hidden": sorted(thing.name for thing in bpy.data.objects if thing.hide_render),
    }


def same(a: dict[str, Any], b: dict[str, Any]) -> bool:
    return all(np.allclose(a[k], b[k], atol=1e-6) if isinstance(a[k], np.ndarray) else a[k] == b[k] for k in a)


def test_human_takes_the_heads_shape_at_its_true_size_and_keeps_its_body(human: SimpleNamespace, ada: Any) -> None:
    before = shown(human.mesh)
    attach()
    after = shown(human.mesh)
    model = finished_job.head_mesh()
    skin = np.unique(model.quads[model.face_part == 0])
    skin = skin[skin >= 0]
    ids, head = model.hm08_vertex_ids[skin], base_human.to_blender(model.vertices[skin]).astype(np.float64)
    far = head[:, 2] > -0.1
    a, b = head[far] - head[far].mean(0), after[ids[far]] - after[ids[far]].mean(0)
    assert np.linalg.norm(b) / np.linalg.norm(a) == pytest.approx(1.0, abs=1e-4), "true scale"
    turn = np.array(
        [[np.cos(base_human.TURN), -np.sin(base_human.TURN), 0], [np.sin(base_human.TURN), np.cos(base_human.TURN), 0]]
    )
    assert np.abs(b[:, :2] - a @ turn.T).max() < 1e-3, "it looks where the human's head looked"
    rest = np.setdiff1d(np.arange(base_human.SKIN), model.hm08_vertex_ids)
    assert np.abs(after[rest] - before[rest]).max() < 1e-6
    assert np.abs(after[human.border] - before[human.border]).max() < 1e-6
    key = human.mesh.data.shape_keys.key_blocks["Ada head"]
    key.value = 0.0
    assert np.abs(shown(human.mesh) - before).max() < 1e-6, "a shape key like any other"


def test_larger_blend_is_smoother_and_scale_can_follow_the_human(human: SimpleNamespace) -> None:
    before = shown(human.mesh)
    steps = []
    for blend in (0.01, 0.08):
        attach(blend=blend)
        moved = shown(human.mesh) - before
        ends = np.array([edge.vertices[:] for edge in human.mesh.data.edges])
        steps.append(np.linalg.norm(moved[ends[:, 0]] - moved[ends[:, 1]], axis=1)[np.isin(ends, human.border).any(1)])
    assert steps[1].max() < 0.5 * steps[0].max()
    attach(use_true_scale=False)
    moved = np.abs(shown(human.mesh) - before)[: base_human.SKIN]
    assert moved.max() < 2e-4, "the human's head is the model's, larger"


def test_bones_and_joints_follow_the_head(addon: SimpleNamespace, human: SimpleNamespace) -> None:
    attach()
    after = shown(human.mesh)
    for joint, bone in (("joint-l-eye", "LeftEye"), ("joint-r-eye", "RightEye"), ("joint-jaw", "Jaw")):
        cube = after[base_human.CUBES[joint] : base_human.CUBES[joint] + 8]
        assert np.ptp(cube, axis=0) == pytest.approx([base_human.CUBE_SIZE] * 3, abs=1e-6), "cubes stay cubes"
        assert np.abs(cube.mean(0) - human.rig.data.bones[bone].head_local).max() < 1e-4, bone
    parts = addon.scene.mesh.part_vertices(human.mesh["relightify_body_parts"])
    eye = shown(human.mesh["relightify_body_parts"])[parts["eye_left"]]
    world = human.mesh["relightify_body_parts"].matrix_world
    centre = np.array(world)[:3, :3] @ ((eye.min(0) + eye.max(0)) / 2) + np.array(world)[:3, 3]
    assert np.abs(np.array(human.rig.data.bones["LeftEye"].head_local) - centre).max() < 2e-3


def test_rig_moves_the_heads_own_eyes_and_teeth(addon: SimpleNamespace, human: SimpleNamespace) -> None:
    attach()
    parts = human.mesh["relightify_body_parts"]
    members = addon.scene.mesh.part_vertices(parts)
    rest = shown(parts)
    human.rig.pose.bones["LeftEye"].rotation_mode = "XYZ"
    human.rig.pose.bones["LeftEye"].rotation_euler.x = 0.3
    human.rig.pose.bones["Jaw"].rotation_mode = "XYZ"
    human.rig.pose.bones["Jaw"].rotation_euler.x = 0.3
    moved = np.linalg.norm(shown(parts) - rest, axis=1)
    assert moved[members["eye_left"]].max() > 3e-3
    assert moved[members["eye_right"]].max() < 1e-6
    teeth = members["teeth"]
    lower, upper = np.quantile(rest[teeth][:, 2], (0.25, 0.75))
    assert moved[teeth[rest[teeth][:, 2] < lower]].min() > 3e-3
    assert moved[teeth[rest[teeth][:, 2] > upper]].max() < 1e-6


def test_heads_sliders_move_the_face_of_the_human(human: SimpleNamespace, ada: Any) -> None:
    attach()
    rest, parts = shown(human.mesh), human.mesh["relightify_body_parts"]
    rest_parts = shown(parts)
    keys = ada.head.data.shape_keys
    keys.key_blocks["jawOpen"].value = 1.0
    keys.update_tag()
    moved, moved_parts = shown(human.mesh) - rest, shown(parts) - rest_parts
    basis = keys.reference_key.data
    model = finished_job.head_mesh()
    chin = chin_vertex()
    wanted = keys.key_blocks["jawOpen"].data[chin].co - basis[chin].co
    assert np.linalg.norm(moved[model.hm08_vertex_ids[chin]]) == pytest.approx(wanted.length, rel=1e-3)
    assert np.linalg.norm(moved_parts, axis=1).max() > 0.01, "the lower teeth go along"
    assert ada.head.hide_render, "one head is enough"


def test_eyes_of_a_head_with_bones_turn_by_its_shapes(addon: SimpleNamespace, human: SimpleNamespace, ada: Any) -> None:
    armature = addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    addon.skeleton.following.set_jaw_by(ada.head, armature, "BONES")
    bpy.context.view_layer.objects.active = ada.head
    attach()
    parts = human.mesh["relightify_body_parts"]
    eye, rest = addon.scene.mesh.part_vertices(parts)["eye_left"], shown(parts)
    ada.head.data.shape_keys.key_blocks["eyeLookDownLeft"].value = 1.0
    ada.head.data.shape_keys.update_tag()
    assert np.linalg.norm(shown(parts) - rest, axis=1)[eye].max() > 4e-3


def test_humans_head_turns_with_the_heads_bone_and_keeps_its_own_pose(
    addon: SimpleNamespace, human: SimpleNamespace, ada: Any
) -> None:
    armature = addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    bpy.context.view_layer.objects.active = ada.head
    attach()
    rest = shown(human.mesh)
    top = human.ids[np.argmax(human.head[:, 2])]
    armature.pose.bones["head"].rotation_euler.x = 0.4
    nodded = shown(human.mesh)
    assert nodded[top][1] - rest[top][1] < -0.03, "a positive turn about x nods"
    armature.pose.bones["head"].rotation_euler.x = 0.0
    assert np.abs(shown(human.mesh) - rest).max() < 1e-6
    assert bpy.ops.relightify.detach_from_human() == {"FINISHED"}
    assert not any(bone.constraints for bone in human.rig.pose.bones)


def test_shape_alone_leaves_the_rest_of_the_human_as_it_was(human: SimpleNamespace) -> None:
    attach(use_parts=False, use_expressions=False)
    assert [key.name for key in human.mesh.data.shape_keys.key_blocks] == ["Basis", "Ada head"]
    assert "relightify_body_parts" not in human.mesh


def test_hair_goes_along_and_the_humans_own_eyes_are_hidden(human: SimpleNamespace) -> None:
    top = human.head[np.argmax(human.head[:, 2])]
    for name, kind in (("Bob", "Hair"), ("Low-poly eyes", "Eyes"), ("Shoes", "Clothes")):
        bpy.ops.mesh.primitive_cube_add(size=0.02, location=top if kind != "Clothes" else (0, 0, 1.15))
        bpy.context.object.name, bpy.context.object["MPFB_GEN_object_type"] = name, kind
        bpy.context.object.parent = human.rig
    hair, eyes, shoes = (bpy.data.objects[name] for name in ("Bob", "Low-poly eyes", "Shoes"))
    before = shown(hair)
    attach(human="Human")
    moved = (shown(hair) - before).mean(0)
    scalp = int(np.argmin(np.linalg.norm(human.head - top, axis=1)))
    wanted = shown(human.mesh)[human.ids[scalp]] - top
    assert np.abs(moved - wanted).max() < 2e-3
    assert eyes.hide_render
    assert eyes.hide_viewport
    assert shoes.data.shape_keys is None
    assert bpy.ops.relightify.detach_from_human() == {"FINISHED"}
    assert not eyes.hide_render
    assert hair.data.shape_keys is None
    assert np.abs(shown(hair) - before).max() < 1e-7


def test_detaching_gives_the_human_back_as_it_was(human: SimpleNamespace, ada: Any) -> None:
    own = bpy.data.materials.new("Own")
    human.mesh.data.materials.append(own)
    human.mesh.data.materials.append(None)
    for index, face in enumerate(human.mesh.data.polygons):
        face.material_index = index % 2
    before = state(human)
    attach(use_skin=True)
    attach(use_skin=True)
    assert not same(before, state(human))
    assert bpy.ops.relightify.detach_from_human() == {"FINISHED"}
    assert same(before, state(human))
    assert not ada.head.hide_render
    assert not bpy.ops.relightify.detach_from_human.poll()


def test_human_with_shapes_of_its_own_keeps_them(human: SimpleNamespace) -> None:
    human.mesh.shape_key_add(name="Basis")
    tall = human.mesh.shape_key_add(name="$md-tall", from_mix=False)
    for point in tall.data:
        point.co.z *= 1.1
    tall.value = 0.5
    jaw = human.mesh.shape_key_add(name="jawOpen", from_mix=False)
    jaw.value = 0.0
    before = shown(human.mesh)
    attach()
    after = shown(human.mesh)
    assert np.abs(after[human.border] - before[human.border]).max() < 1e-6, "the neck ends where it is shown"
    assert jaw.name in human.mesh.data.shape_keys.key_blocks
    assert bpy.ops.relightify.detach_from_human() == {"FINISHED"}
    assert [key.name for key in human.mesh.data.shape_keys.key_blocks] == ["Basis", "$md-tall", "jawOpen"]
    assert np.abs(shown(human.mesh) - before).max() < 1e-6


def test_baked_maps_are_the_heads_in_the_humans_layout(
    addon: SimpleNamespace, human: SimpleNamespace, ada: Any
) -> None:
    attach(use_skin=True, blend=0.01)
    material = human.mesh.data.materials[-1]
    assert all(face.material_index == len(human.mesh.data.materials) - 1 for face in human.mesh.data.polygons)
    stored = addon.export.surfaces.stored_pixels
    skin = addon.export.surfaces.surface_of(ada.head.data.materials[0], "skin")
    baked = addon.export.surfaces.surface_of(material, "skin")
    assert stored(material.node_tree.nodes["Diffuse"].image).shape[:2] == (1024, 1024)
    # The middle of the face: a quarter of the turned square, in which u is 1 - v and v is u.
    rng = np.random.default_rng(1)
    u, v = rng.uniform(0.4, 0.6, 400), rng.uniform(0.45, 0.7, 400)
    there_u, there_v = 0.5 * (1 - v), 0.5 * u

    def at(image: np.ndarray, u: np.ndarray, v: np.ndarray) -> np.ndarray:
        return image[((1 - v) * image.shape[0]).astype(int), (u * image.shape[1]).astype(int)]

    wanted, found = at(skin.colour_srgb, u, v), at(baked.colour_srgb, there_u, there_v)
    assert np.abs(wanted - found).mean() < 0.02
    assert np.corrcoef(wanted[:, 0], found[:, 0])[0, 1] > 0.8
    wanted, found = 2 * at(skin.normal, u, v) - 1, 2 * at(baked.normal, there_u, there_v) - 1
    turned = np.c_[-wanted[:, 1], wanted[:, 0]]
    for axis in (0, 1):
        assert np.corrcoef(turned[:, axis], found[:, axis])[0, 1] > 0.7, "normals turn with the layout"
    body = at(baked.colour_srgb, np.array([0.7]), np.array([0.65]))
    neck = np.median(skin.colour_srgb.reshape(-1, 3), axis=0)
    assert np.abs(body - neck).max() < 0.08, "the body has the tone of the neck"


def test_humans_own_skin_takes_the_heads_tone(addon: SimpleNamespace, human: SimpleNamespace) -> None:
    image = bpy.data.images.new("skin", 64, 64)
    image.pixels = np.tile([0.3, 0.5, 0.9, 1.0], 64 * 64).tolist()
    own = bpy.data.materials.new("Own")
    own.use_nodes = True
    node = own.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = image
    own.node_tree.links.new(node.outputs["Color"], own.node_tree.nodes["Principled BSDF"].inputs["Base Color"])
    human.mesh.data.materials.append(own)
    attach(use_skin=True)
    baked = addon.export.surfaces.surface_of(human.mesh.data.materials[-1], "skin").colour_srgb
    body = baked[int(0.35 * 1024), int(0.7 * 1024)]
    assert body[0] > body[2], "blue has become skin"


def test_errors_are_sentences(addon: SimpleNamespace, ada: Any) -> None:
    def said(**options: Any) -> str:
        with pytest.raises(RuntimeError) as error:
            bpy.ops.relightify.attach_to_human(**options)
        return str(error.value)

    assert "There is no human" in said()
    edited = base_human.build_human("Edited")
    assert "Human" not in bpy.data.objects
    first, second = sorted(edited.mesh.data.polygons, key=lambda face: face.index)[:2]
    corners = edited.mesh.data.loops
    for loop in range(first.loop_start, first.loop_start + 4):
        corners[loop].vertex_index = corners[second.loop_start].vertex_index
    bpy.ops.object.select_all(action="DESELECT")
    assert "has had faces of its head changed" in said(human="Edited")
    fewer = base_human.build_human("Fewer")
    fewer.mesh.data.clear_geometry()
    assert "has 0 vertices" in said(human="Fewer")
    bpy.context.view_layer.objects.active = ada.head
    assert "several humans" in said()
    assert "is no human" in said(human="Ada")


def test_linked_human_cannot_be_changed(addon: SimpleNamespace, ada: Any, tmp_path: Path) -> None:
    human = base_human.build_human("Linked", rig=False)
    bpy.data.libraries.write(str(tmp_path / "human.blend"), {human.mesh})
    bpy.data.objects.remove(human.mesh)
    with bpy.data.libraries.load(str(tmp_path / "human.blend"), link=True) as (_, wanted):
        wanted.objects = ["Linked"]
    bpy.context.scene.collection.objects.link(wanted.objects[0])
    with pytest.raises(RuntimeError, match="is linked from another file"):
        bpy.ops.relightify.attach_to_human()


def test_human_without_helpers_or_rig_takes_a_head_too(ada: Any) -> None:
    human = base_human.build_human(helpers=False, rig=False)
    before = shown(human.mesh)
    attach()
    assert np.abs(shown(human.mesh) - before).max() > 1e-3
    assert len(human.mesh["relightify_body_parts"].data.vertices) > 1000
    bpy.ops.relightify.detach_from_human()
    assert np.abs(shown(human.mesh) - before).max() < 1e-7


def test_human_keeps_its_new_head_when_the_head_is_deleted(human: SimpleNamespace, ada: Any) -> None:
    before = shown(human.mesh)
    attach(use_skin=True)
    after = shown(human.mesh)
    bpy.context.view_layer.objects.active = ada.head
    assert bpy.ops.relightify.delete_head() == {"FINISHED"}
    assert np.abs(shown(human.mesh) - after).max() < 1e-6
    parts = human.mesh["relightify_body_parts"]
    assert all(material is not None for material in parts.data.materials)
    bpy.context.view_layer.objects.active = human.mesh
    assert bpy.ops.relightify.detach_from_human() == {"FINISHED"}
    assert np.abs(shown(human.mesh) - before).max() < 1e-6


def test_recording_plays_on_the_human(addon: SimpleNamespace, human: SimpleNamespace, ada: Any) -> None:
    addon.skeleton.armature.add_skeleton(bpy.context.scene, ada.head)
    bpy.context.view_layer.objects.active = ada.head
    attach()
    recording = addon.expression.arkit_csv.Recording(
        seconds=np.array([0.0, 1.0]),
        shape_names=("jawOpen",),
        weights=np.array([[0.0], [1.0]]),
        head=np.array([[0.0, 0.0, 0.0], [0.5, 0.0, 0.0]]),
        eyes=None,
    )
    play = addon.expression.face_recording
    last = play.play(ada.head, recording, play.PlayOptions(start=1, fps=24.0, head_turn=(1, 1, 1)))
    bpy.context.scene.frame_set(1)
    rest = shown(human.mesh)
    bpy.context.scene.frame_set(last)
    moved = shown(human.mesh) - rest
    nose, chin = human.ids[np.argmin(human.head[:, 1])], human.ids[chin_vertex()]
    assert moved[nose][0] > 0.02, "to the subject's left"
    assert moved[chin][2] < -0.01, "the jaw opens"


def test_saved_file_can_still_be_detached(human: SimpleNamespace, tmp_path: Path) -> None:
    before = shown(human.mesh)
    attach(use_skin=True)
    bpy.ops.wm.save_as_mainfile(filepath=str(tmp_path / "body.blend"))
    bpy.ops.wm.open_mainfile(filepath=str(tmp_path / "body.blend"))
    assert bpy.ops.relightify.detach_from_human() == {"FINISHED"}
    assert np.abs(shown(bpy.data.objects["Human"]) - before).max() < 1e-6


@pytest.mark.skipif(not os.environ.get("RELIGHTIFY_MPFB"), reason="RELIGHTIFY_MPFB names no zip of the extension MPFB")
def test_human_of_mpfb_takes_a_head_and_is_refitted_by_mpfb(addon: SimpleNamespace, ada: Any) -> None:
    zip_file, name = os.environ["RELIGHTIFY_MPFB"], "bl_ext.user_default.mpfb"
    bpy.ops.extensions.package_install_files(filepath=zip_file, repo="user_default", enable_on_install=True)
    try:
        service = importlib.import_module(f"{name}.services.humanservice").HumanService
        mesh = service.create_human()
        rig = service.add_builtin_rig(mesh, "mixamo_unity")
        before, eye = shown(mesh), rig.data.bones["mixamorig:LeftEye"].head_local.copy()
        attach(human=mesh.name, use_skin=True)
        after = rig.data.bones["mixamorig:LeftEye"].head_local.copy()
        assert (after - eye).length > 1e-3
        service.refit(mesh)
        refitted = rig.data.bones["mixamorig:LeftEye"].head_local
        assert (refitted - after).length < 1e-3, "the bone stands where MPFB itself would put it"
        bpy.ops.relightify.detach_from_human()
        assert np.abs(shown(mesh) - before).max() < 1e-6
    finally:
        addon_utils.disable(name)
