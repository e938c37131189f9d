"""Reconstructing a head once more, in its own place."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest

from shared.messages import Message, Reconstruct, Result
from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend, Reply


def positions(mesh: bpy.types.Mesh) -> np.ndarray:
    found = np.empty(3 * len(mesh.vertices), np.float32)
    mesh.vertices.foreach_get("co", found)
    return found.reshape(-1, 3)


def answer_with(scale: float, seed: int) -> Any:
    """A behaviour of the backend: the same head in another size, with other maps."""

    def behave(request: Reconstruct, reply: Reply) -> None:
        mesh = finished_job.head_mesh()
        arrays = {**mesh.arrays(), "vertices": mesh.vertices * np.float32(scale)}
        message: Message = Result(request.job_id, type(mesh)(**arrays), finished_job.maps(64, seed))
        reply(message)

    return behave


@pytest.fixture
def head(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> Any:
    """A head that a user has worked on."""
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), resolution="512")
    imported = addon.link.session.session_of(bpy.context).imported
    imported.root.location.x = 1.5
    imported.head.modifiers.new("Mine", "DECIMATE")
    imported.head.vertex_groups.new(name="Nose").add([3, 4], 1.0, "REPLACE")
    skin = imported.head.data.materials[0]
    next(n for n in skin.node_tree.nodes if n.type == "BSDF_PRINCIPLED").inputs["Roughness"].default_value = 0.33
    connected.behaviour = answer_with(1.1, seed=5)
    return imported


def test_head_is_renewed_in_place_and_keeps_the_users_work(head: Any, connected: FakeBackend) -> None:
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("objects", "meshes", "materials", "images", "worlds")}
    old_size = np.ptp(positions(head.head.data)[:, 2])
    skin = head.head.data.materials[0]
    diffuse = skin.node_tree.nodes["Diffuse"].image
    name = diffuse.name
    assert bpy.ops.relightify.reconstruct_again(resolution="1024", seed=9) == {"FINISHED"}
    assert {kind: len(getattr(bpy.data, kind)) for kind in before} == before, "nothing is left over"
    assert np.ptp(positions(head.head.data)[:, 2]) == pytest.approx(1.1 * old_size, rel=1e-4)
    assert head.head.name == "Grace Hopper"
    assert (head.root.location.x, head.head.parent) == (1.5, head.root)
    assert [m.name for m in head.head.modifiers] == ["Skeleton", "Subdivision", "Mine"]
    assert head.head.vertex_groups["Nose"].weight(3) == 1.0
    assert head.head.data.materials[0] == skin
    shader = next(n for n in skin.node_tree.nodes if n.type == "BSDF_PRINCIPLED")
    assert shader.inputs["Roughness"].default_value == pytest.approx(0.33)
    assert skin.node_tree.nodes["Diffuse"].image.name == name
    assert bytes(skin.node_tree.nodes["Diffuse"].image.packed_file.data) == finished_job.maps(64, 5)["diffuse_albedo"]
    assert bpy.context.scene.camera == head.camera
    assert bpy.context.scene.world == head.world
    assert dict(head.head["relightify_options"])["seed"] == 9


def test_photo_of_the_head_is_sent_again_byte_by_byte(head: Any, connected: FakeBackend, photo_file: Path) -> None:
    sent = photo_file.read_bytes()
    photo_file.unlink()
    bpy.ops.relightify.reconstruct_again()
    assert bytes(connected.requests[-1].photo) == sent


def test_face_that_the_head_was_made_from_is_asked_for_again(connected: FakeBackend, photo_file: Path) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), face=1)
    bpy.ops.relightify.reconstruct_again()
    assert connected.requests[-1].options.face == 1
    bpy.ops.relightify.reconstruct_again(face=0)
    assert connected.requests[-1].options.face == 0


def test_expression_that_the_user_set_stays_and_an_untouched_one_follows(head: Any) -> None:
    keys = head.head.data.shape_keys.key_blocks
    bpy.ops.relightify.reconstruct_again()
    assert keys["mouthSmileLeft"].value == pytest.approx(0.35)
    keys["mouthSmileLeft"].value = 0.0
    keys["jawOpen"].value = 0.7
    bpy.ops.relightify.reconstruct_again()
    assert keys["mouthSmileLeft"].value == 0.0
    assert keys["jawOpen"].value == pytest.approx(0.7)


def test_shape_key_of_the_users_own_moves_with_the_head(head: Any) -> None:
    own = head.head.shape_key_add(name="Mine", from_mix=False)
    own.value = 0.0
    bpy.ops.relightify.reconstruct_again()
    basis = head.head.data.shape_keys.key_blocks[0]
    np.testing.assert_allclose(own.data[100].co, basis.data[100].co, atol=1e-5)


def test_parts_can_be_left_out_and_brought_back(head: Any) -> None:
    materials = [m.name for m in head.head.data.materials]
    whole = len(head.head.data.vertices)
    bpy.ops.relightify.reconstruct_again(parts="SKIN")
    assert [m.name for m in head.head.data.materials] == materials[:1]
    assert len(head.head.data.vertices) < whole
    assert len(head.head.data.shape_keys.key_blocks) == 53
    bpy.ops.relightify.reconstruct_again(parts="FULL")
    assert len(head.head.data.vertices) == whole
    assert head.head.data.materials[0].name == materials[0]


def test_head_without_camera_gets_one_later(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), use_camera=False, use_light=False)
    assert not [o for o in bpy.data.objects if o.type == "CAMERA"]
    bpy.ops.relightify.reconstruct_again()
    session = addon.link.session.session_of(bpy.context)
    assert session.imported.camera is not None
    assert session.imported.camera == bpy.context.scene.camera
    assert session.imported.camera.parent == session.imported.root
    assert session.imported.camera.data.background_images[0].image is not None


def test_again_needs_a_head(addon: SimpleNamespace) -> None:
    assert not bpy.ops.relightify.reconstruct_again.poll()


def test_photo_that_blender_cannot_show_is_kept_all_the_same(addon: SimpleNamespace, tmp_path: Path) -> None:
    scene = bpy.context.scene
    done = addon.scene.importer.import_head(
        scene,
        "Ada",
        finished_job.head_mesh(),
        finished_job.maps(64),
        finished_job.photo(),
        original=b"a HEIC file, say",
    )
    path = str(tmp_path / "head.blend")
    bpy.ops.wm.save_as_mainfile(filepath=path)
    name = done.head.name
    bpy.ops.wm.open_mainfile(filepath=path)
    photo = bpy.data.objects[name]["relightify_photo"]
    assert addon.scene.photo_source.image_bytes(photo) == b"a HEIC file, say"


def three_samples(request: Reconstruct, reply: Reply) -> None:
    maps = {**finished_job.maps(64, 0)}
    for number in (2, 3):
        maps |= {f"sample_{number}/{name}": data for name, data in finished_job.maps(64, number).items()}
    reply(Result(request.job_id, finished_job.head_mesh(), maps))


def test_samples_are_kept_with_the_head_and_one_is_shown(
    connected: FakeBackend, addon: SimpleNamespace, photo_file: Path
) -> None:
    connected.behaviour = three_samples
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), quality="standard", samples=3)
    assert connected.requests[0].options.samples == 3
    head = addon.link.session.session_of(bpy.context).imported.head
    node = head.data.materials[0].node_tree.nodes["Diffuse"]
    for number, seed in ((3, 3), (1, 0), (2, 2)):
        bpy.ops.relightify.show_sample(number=number)
        assert bytes(node.image.packed_file.data) == finished_job.maps(64, seed)["diffuse_albedo"]
    with pytest.raises(RuntimeError, match="no sample 4"):
        bpy.ops.relightify.show_sample(number=4)
    images = len(bpy.data.images)
    bpy.ops.relightify.reconstruct_again(samples=3)
    assert len(bpy.data.images) == images
    connected.behaviour = answer_with(1.0, seed=7)
    bpy.ops.relightify.reconstruct_again()
    assert len(bpy.data.images) == images - 6
    assert not bpy.ops.relightify.show_sample.poll()
