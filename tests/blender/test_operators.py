"""The operators against a backend on the wire."""

from __future__ import annotations

import functools
import importlib
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from tests.blender import fake_backend
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend


def wait_for(condition: Callable[[], bool], session: Any, seconds: float = 20.0) -> None:
    """Call what Blender's timer would call until something has happened."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited {seconds} s in vain, the job is {session.job}"
        session.tick()
        time.sleep(0.01)


def test_reconstruct_returns_with_the_head_in_the_scene(connected: FakeBackend, photo_file: Path) -> None:
    done = bpy.ops.relightify.reconstruct(filepath=str(photo_file), resolution="512", seed=7, face=1, skin_tone=-0.5)
    assert done == {"FINISHED"}
    (request,) = connected.requests
    assert bytes(request.photo) == photo_file.read_bytes()
    assert (request.options.resolution, request.options.seed, request.options.face) == (512, 7, 1)
    assert request.options.skin_tone == -0.5
    assert "Relightify Grace Hopper" in bpy.data.collections
    head = bpy.data.objects["Grace Hopper"]
    assert head.data.shape_keys is not None
    assert bpy.context.view_layer.objects.active == head
    assert [o.name for o in bpy.context.view_layer.objects if o.select_get()] == ["Grace Hopper"]


def test_second_job_uses_the_same_line(connected: FakeBackend, photo_file: Path, addon: SimpleNamespace) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    assert len(connected.requests) == 2
    assert len(addon.scene.heads.heads_of(bpy.context.scene)) == 2


def test_timer_moves_the_job_on_and_shows_progress(
    connected: FakeBackend, photo_file: Path, addon: SimpleNamespace
) -> None:
    connected.behaviour = fake_backend.stay_busy
    session = addon.link.session.session_of(bpy.context)
    options = addon._shared.JobOptions()
    choice = addon.link.choice.backend_choice(bpy.context)
    photo = addon.scene.photo_source.chosen_photo(str(photo_file), None)
    request = addon._shared.Reconstruct(addon._shared.new_job_id(), photo.data, options, photo.file_name)
    session.start(choice, request, photo.name, lambda job, result: pytest.fail("there is no result"))
    wait_for(lambda: session.job.state is addon.link.jobs.State.RUNNING, session)
    assert session.job.fraction == pytest.approx(0.3)
    assert not bpy.ops.relightify.reconstruct.poll()
    assert bpy.ops.relightify.cancel() == {"FINISHED"}
    asked = time.monotonic()
    wait_for(lambda: session.job.ended, session)
    assert time.monotonic() - asked < 1.0
    assert session.job.state is addon.link.jobs.State.CANCELLED
    assert connected.cancelled == [session.job.job_id]
    assert session.tick() is None
    assert bpy.ops.relightify.reconstruct.poll()


def test_error_of_the_backend_is_reported_with_its_hint(
    connected: FakeBackend, photo_file: Path, addon: SimpleNamespace
) -> None:
    connected.behaviour = fake_backend.find_no_face
    with pytest.raises(RuntimeError, match=r"No face was found.*larger face"):
        bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    job = addon.link.session.session_of(bpy.context).job
    assert (job.state, job.error.code) == (addon.link.jobs.State.FAILED, "no_face")
    connected.behaviour = fake_backend.finish
    assert bpy.ops.relightify.reconstruct(filepath=str(photo_file)) == {"FINISHED"}


def test_missing_photo_is_an_error(connected: FakeBackend, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="cannot be read"):
        bpy.ops.relightify.reconstruct(filepath=str(tmp_path / "nobody.jpg"))
    with pytest.raises(RuntimeError, match="No photo was chosen"):
        bpy.ops.relightify.reconstruct()
    assert not connected.requests


def test_missing_backend_is_an_error_that_says_where_to_set_it(
    addon: SimpleNamespace, photo_file: Path, monkeypatch
) -> None:
    monkeypatch.delenv("RELIGHTIFY_PYTHON", raising=False)
    preferences = bpy.context.preferences.addons[MODULE].preferences
    preferences.backend, preferences.python = "PYTHON", ""
    with pytest.raises(RuntimeError, match="preferences"):
        bpy.ops.relightify.reconstruct(filepath=str(photo_file))


def test_warnings_of_the_backend_are_kept_for_the_panel(
    connected: FakeBackend, photo_file: Path, addon: SimpleNamespace
) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    assert addon.link.session.session_of(bpy.context).job.warnings == ("A hat covers the brow.",)


def test_expression_goes_to_neutral_and_back(connected: FakeBackend, photo_file: Path, addon: SimpleNamespace) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    head = addon.link.session.session_of(bpy.context).imported.head
    keys = head.data.shape_keys.key_blocks
    assert keys["mouthSmileLeft"].value == pytest.approx(0.35)
    bpy.ops.relightify.set_expression(expression="NEUTRAL")
    assert keys["mouthSmileLeft"].value == 0
    bpy.ops.relightify.set_expression(expression="PHOTO")
    assert keys["mouthSmileLeft"].value == pytest.approx(0.35)


def finished_elsewhere(addon: SimpleNamespace, photo_file: Path) -> Any:
    """A session with a job whose result came after another file had been opened."""
    arrival = importlib.import_module(f"{MODULE}.ui.operators.arrival")
    session, shared = addon.link.session.session_of(bpy.context), addon._shared
    photo = addon.scene.photo_source.chosen_photo(str(photo_file), None)
    request = shared.Reconstruct(shared.new_job_id(), photo.data, shared.JobOptions(), photo.file_name)
    options = arrival.ImportOptions()
    build = functools.partial(
        arrival.bring_in, scene_uid=bpy.context.scene.session_uid, photos=(photo,), wanted=options
    )
    session.start(addon.link.choice.backend_choice(bpy.context), request, photo.name, build)
    bpy.ops.wm.read_homefile(use_empty=True)
    wait_for(lambda: session.job.state is addon.link.jobs.State.HELD, session)
    return session


def test_result_asks_before_it_lands_in_another_file(
    connected: FakeBackend, photo_file: Path, addon: SimpleNamespace
) -> None:
    del connected
    session = finished_elsewhere(addon, photo_file)
    for _ in range(3):
        session.tick()
    assert not addon.scene.heads.heads_of(bpy.context.scene)
    assert session.busy
    assert bpy.ops.relightify.accept_result() == {"FINISHED"}
    assert [head.name for head in addon.scene.heads.heads_of(bpy.context.scene)] == ["Grace Hopper"]
    assert not bpy.ops.relightify.accept_result.poll()


def test_result_for_another_file_can_be_discarded(
    connected: FakeBackend, photo_file: Path, addon: SimpleNamespace
) -> None:
    del connected
    session = finished_elsewhere(addon, photo_file)
    bpy.ops.relightify.cancel()
    session.tick()
    assert session.job.state is addon.link.jobs.State.CANCELLED
    assert not addon.scene.heads.heads_of(bpy.context.scene)
    assert bpy.ops.relightify.reconstruct(filepath=str(photo_file)) == {"FINISHED"}
