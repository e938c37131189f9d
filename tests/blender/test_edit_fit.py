"""Correcting a head's fit by hand, without a window: what the modal operator does with the mouse."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from mathutils import Vector

from shared.corrections import Correction, Corrections
from shared.messages import Message, Reconstruct, Result
from tests.blender import finished_job
from tests.blender.fake_backend import FakeBackend, Reply, find_no_face


def positions(points: Any) -> np.ndarray:
    found = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", found)
    return found.reshape(-1, 3)


@pytest.fixture
def head(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> bpy.types.Object:
    assert bpy.ops.relightify.reconstruct(filepath=str(photo_file), resolution="512") == {"FINISHED"}
    return addon.link.session.session_of(bpy.context).imported.head


@pytest.fixture
def now(head: bpy.types.Object, addon: SimpleNamespace) -> Iterator[Any]:
    """The head in hand, with the backend's first answer."""
    room = addon.ui.fit_editing
    session, choice = addon.link.session.session_of(bpy.context), addon.link.choice.backend_choice(bpy.context)
    session.refits.forget()
    found = room.FitEditing(head, lambda request: session.refit(choice, request))
    room.set_editing(found)
    found.settle = lambda: settle(session, found)
    found.settle()
    yield found
    room.set_editing(None)


def settle(session: Any, found: Any) -> None:
    end = time.monotonic() + 20
    while session.refits.busy and time.monotonic() < end:
        session.pump()
        time.sleep(0.01)
    session.pump()
    assert session.refits.error is None
    found.take(session.refits.latest)


def test_handles_are_where_the_camera_shows_the_head(now: Any) -> None:
    handles = now.handles()
    assert [handle.name for handle in handles] == ["chin", "nose tip"], "what the photo does not show is not offered"
    camera = now.camera
    key = now.head.data.shape_keys.key_blocks
    basis = positions(key[0].data)
    posed = basis + sum(k.value * (positions(k.data) - basis) for k in key[1:])
    nose = next(handle for handle in handles if handle.name == "nose tip")
    refitted = now.latest
    row = refitted.handle_names.tolist().index("nose tip")
    ids = np.empty(len(now.head.data.vertices), np.int32)
    now.head.data.attributes["hm08_vertex_id"].data.foreach_get("value", ids)
    place = {int(number): index for index, number in enumerate(ids) if number >= 0}
    corners = [place[int(refitted.hm08_vertex_ids[vertex])] for vertex in refitted.handle_vertices[row]]
    point = refitted.handle_weights[row] @ posed[corners]
    bpy.context.view_layer.update()
    local = camera.matrix_world.inverted() @ (now.head.matrix_world @ Vector(point))
    focal, centre = float(now.fit.camera_focal_px), now.fit.camera_centre_px
    pixel = (centre[0] + focal * local.x / -local.z, centre[1] - focal * local.y / -local.z)
    np.testing.assert_allclose(nose.pixel, pixel, atol=0.05)


def test_head_its_shape_keys_and_its_camera_follow_a_drag(now: Any, connected: FakeBackend) -> None:
    keys = now.head.data.shape_keys.key_blocks
    before = {key.name: positions(key.data) for key in keys}
    place = now.camera.matrix_basis.translation.copy()
    chin = now.handles()[0]
    now.begin_drag()
    for step in range(5):
        now.drag(chin, (chin.pixel[0], chin.pixel[1] + step))
    now.settle()
    assert now.corrections.points[0].handle == "chin"
    assert now.corrections.points[0].pixel == (chin.pixel[0], chin.pixel[1] + 4)
    for key in keys:
        moved = positions(key.data) - before[key.name]
        np.testing.assert_allclose(moved, np.tile([0, 0, -0.004], (len(moved), 1)), atol=1e-5)
    np.testing.assert_allclose(positions(now.head.data.vertices), positions(keys[0].data))
    assert (now.camera.matrix_basis.translation - place).length == pytest.approx(0.004, abs=1e-5)
    assert len(connected.refits) <= 4, "of the steps of a drag only the newest are asked for"


def test_a_drag_is_one_step_of_undo_and_points_are_let_go_one_by_one(now: Any) -> None:
    chin, nose = now.handles()
    for handle in (chin, nose):
        now.begin_drag()
        now.drag(handle, (handle.pixel[0] + 2, handle.pixel[1]))
        now.drag(handle, (handle.pixel[0] + 3, handle.pixel[1]))
        now.end_drag()
    now.begin_drag()
    now.end_drag()  # a click
    assert len(now.corrections.points) == 2
    now.undo()
    assert [point.handle for point in now.corrections.points] == ["chin"]
    now.begin_drag()
    now.drag(nose, (5.0, 5.0))
    now.reset(chin)
    assert [point.handle for point in now.corrections.points] == ["nose tip"]
    now.reset_all()
    assert not now.corrections
    now.undo()
    now.undo()
    assert {point.handle for point in now.corrections.points} == {"chin", "nose tip"}
    now.settle()


def test_a_pin_is_set_where_the_mesh_lies_under_the_mouse(now: Any) -> None:
    nose = next(handle for handle in now.handles() if handle.name == "nose tip")
    beside = (nose.pixel[0] + 30.0, nose.pixel[1] + 12.0)
    pin = now.add_pin(beside)
    assert pin is not None
    weights = np.array(pin.correction.weights)
    assert weights.sum() == pytest.approx(1, abs=1e-5)
    point = weights @ now.points()[list(pin.correction.vertices)]
    np.testing.assert_allclose(now.photo_camera().pixels(point), beside, atol=0.05)
    assert point[2] > -0.05, "on the face, and not on the back of the head"
    assert now.add_pin((0.5, 0.5)) is None
    now.settle()
    assert [handle.pin for handle in now.handles()] == [False, False, True]


def test_cancel_leaves_everything_as_it_was(now: Any) -> None:
    keys = now.head.data.shape_keys.key_blocks
    before = {key.name: (positions(key.data), key.value) for key in keys}
    place = now.camera.matrix_basis.copy()
    now.begin_drag()
    now.drag(now.handles()[0], (9.0, 9.0))
    now.settle()
    assert not np.allclose(positions(keys[0].data), before["Basis"][0], atol=1e-4)
    now.cancel()
    for key in keys:
        np.testing.assert_array_equal(positions(key.data), before[key.name][0])
        assert key.value == before[key.name][1]
    np.testing.assert_allclose(now.camera.matrix_basis, place, atol=1e-6)
    assert not json.loads(now.head["relightify_corrections"])


def test_file_saved_meanwhile_holds_the_head_as_it_was(now: Any, tmp_path: Path) -> None:
    head, camera = now.head, now.camera
    keys = head.data.shape_keys.key_blocks
    before, place = positions(keys[0].data).copy(), camera.matrix_basis.copy()
    photo = camera.data.background_images[0]
    shown = (photo.display_depth, photo.alpha)
    now.show_photo_over()
    chin = now.handles()[0]
    now.begin_drag()
    now.drag(chin, (chin.pixel[0], chin.pixel[1] + 12.0))
    now.end_drag()
    now.settle()
    dragged = positions(keys[0].data).copy()
    assert np.abs(dragged - before).max() > 1e-3
    path = tmp_path / "meanwhile.blend"
    bpy.ops.wm.save_as_mainfile(filepath=str(path), copy=True)
    np.testing.assert_array_equal(positions(keys[0].data), dragged)
    assert photo.display_depth == "FRONT"
    with bpy.data.libraries.load(str(path)) as (there, here):
        here.objects = there.objects
    saved = next(thing for thing in here.objects if thing.type == "MESH" and "relightify_head" in thing)
    np.testing.assert_allclose(positions(saved.data.shape_keys.key_blocks[0].data), before, atol=1e-7)
    lens = saved["relightify_camera"]
    np.testing.assert_allclose(lens.matrix_basis, place, atol=1e-6)
    assert (lens.data.background_images[0].display_depth, lens.data.background_images[0].alpha) == shown


def test_likeness_rests_while_the_fit_is_corrected(head: bpy.types.Object, addon: SimpleNamespace) -> None:
    bpy.ops.relightify.add_likeness()
    jaw = head.data.shape_keys.key_blocks["Likeness Jaw Width"]
    for end in ("cancel", "apply"):
        jaw.value = 4.0
        found = addon.ui.fit_editing.FitEditing(head, lambda request: None)
        assert jaw.value == 0, "the photo shows the face without it"
        found.lay_aside()
        assert jaw.value == 4.0
        found.take_up()
        assert jaw.value == 0
        getattr(found, end)()
        assert jaw.value == 4.0


def test_nothing_else_changes_the_head_meanwhile(now: Any, addon: SimpleNamespace) -> None:
    tried = (
        "add_likeness",
        "close_neck",
        "duplicate_head",
        "delete_head",
        "reconstruct_again",
        "add_wrinkles",
        "export",
    )
    polls = {name: getattr(bpy.ops.relightify, name).poll for name in tried}
    assert not any(poll() for poll in polls.values())
    addon.ui.fit_editing.set_editing(None)
    assert all(poll() for poll in polls.values())


def test_expression_that_the_artist_made_stays(now: Any) -> None:
    keys = now.head.data.shape_keys.key_blocks
    keys["jawOpen"].value = 0.7
    now.begin_drag()
    now.drag(now.handles()[0], (9.0, 9.0))
    now.settle()
    assert keys["jawOpen"].value == pytest.approx(0.7)


def test_job_takes_the_corrections_along_and_redo_keeps_them(head: bpy.types.Object, connected: FakeBackend) -> None:
    corrections = Corrections((Correction((200.0, 300.0), handle="chin"),))
    text = json.dumps(corrections.plain())
    assert bpy.ops.relightify.correct_fit(corrections=text) == {"FINISHED"}
    assert connected.requests[-1].corrections == corrections
    assert connected.requests[-1].options.resolution == 512, "the head's own options"
    assert bpy.ops.relightify.reconstruct_again(resolution="1024", seed=3) == {"FINISHED"}
    assert connected.requests[-1].corrections == corrections
    assert bpy.ops.relightify.correct_fit(corrections="[]") == {"FINISHED"}
    assert not connected.requests[-1].corrections


def test_job_that_fails_says_why_and_leaves_the_corrections_of_before(
    head: bpy.types.Object, connected: FakeBackend
) -> None:
    connected.behaviour = find_no_face
    text = json.dumps(Corrections((Correction((200.0, 300.0), handle="chin"),)).plain())
    with pytest.raises(RuntimeError, match=r"^Error: No face was found") as caught:
        bpy.ops.relightify.correct_fit(corrections=text)
    assert "Traceback" not in str(caught.value)
    assert head["relightify_corrections"] == "[]"


@pytest.mark.parametrize("wrong", ["nonsense", '[{"handle": "chin"}]', "{}"])
def test_malformed_corrections_are_refused_and_change_nothing(head: bpy.types.Object, wrong: str) -> None:
    with pytest.raises(RuntimeError):
        bpy.ops.relightify.correct_fit(corrections=wrong)
    assert head["relightify_corrections"] == "[]"


def test_head_that_does_not_know_its_fit_cannot_be_corrected(
    connected: FakeBackend, addon: SimpleNamespace, photo_file: Path
) -> None:
    def say_nothing(request: Reconstruct, reply: Reply) -> None:
        message: Message = Result(request.job_id, finished_job.head_mesh(), finished_job.maps(64))
        reply(message)

    connected.behaviour = say_nothing
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), resolution="512")
    found = addon.link.session.session_of(bpy.context).imported.head
    assert not bpy.ops.relightify.edit_fit.poll()
    with pytest.raises(addon._shared.RelightifyError) as error:
        addon.scene.head_fit.kept_fit(found)
    assert error.value.code == "no_fit"


def test_skin_without_eyes_follows_too(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), resolution="512", parts="SKIN")
    found = addon.link.session.session_of(bpy.context).imported.head
    session, choice = addon.link.session.session_of(bpy.context), addon.link.choice.backend_choice(bpy.context)
    session.refits.forget()
    hand = addon.ui.fit_editing.FitEditing(found, lambda request: session.refit(choice, request))
    settle(session, hand)
    before = positions(found.data.vertices)
    hand.begin_drag()
    hand.drag(hand.handles()[0], (9.0, 9.0))
    settle(session, hand)
    moved = positions(found.data.vertices) - before
    np.testing.assert_allclose(moved, np.tile([0, 0, -0.004], (len(moved), 1)), atol=1e-5)
