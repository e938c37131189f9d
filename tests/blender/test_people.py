"""Photos of different people: a head for each, one after the other."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from shared.messages import Error, Reconstruct
from tests.blender import fake_backend, finished_job
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend, Reply
from tests.blender.test_menus import Layout, drawn_by, menus
from tests.blender.test_operators import wait_for

NAMES = ("Ada", "Eve", "Grace")


@pytest.fixture
def photos(tmp_path: Path) -> list[str]:
    """Files of photos of three people."""
    return finished_job.write_photos(tmp_path, NAMES)


@pytest.fixture
def session(addon: SimpleNamespace) -> Iterator[Any]:
    found = addon.link.session.session_of(bpy.context)
    found.cancel()
    found.forget_ended()
    yield found
    found.cancel()
    wait_for(lambda: not found.busy, found)
    found.forget_ended()


def files(paths: list[str]) -> dict[str, Any]:
    """The files of an operator, as the file browser gives them."""
    return {"directory": str(Path(paths[0]).parent), "files": [{"name": Path(path).name} for path in paths]}


def all_but_eve(request: Reconstruct, reply: Reply) -> None:
    """Fail on one photo, and make the others' heads."""
    if request.file_name.startswith("Eve"):
        reply(Error("face_too_small", "The face is too small.", "Use a larger one.", request.job_id))
    else:
        fake_backend.finish(request, reply)


def begin(addon: SimpleNamespace, session: Any, photos: list[str]) -> None:
    """What the button does in a window: begin, and return."""
    people = importlib.import_module(f"{MODULE}.ui.operators.people")
    options, uid = addon._shared.JobOptions(), bpy.context.scene.session_uid
    heads = [people.wanted_head(path, options, uid, people.ImportOptions(one_of_many=True)) for path in photos]
    session.add(addon.link.choice.backend_choice(bpy.context), heads)


def states(session: Any) -> list[str]:
    return [entry.job.state.value for entry in session.queue.entries]


class RecordingLayout(Layout):
    """A layout that also knows what the panel of several people draws."""

    def operator(self, name: str, **_style: object) -> SimpleNamespace:
        super().operator(name)
        return SimpleNamespace(files=SimpleNamespace(add=SimpleNamespace))

    def template_icon(self, **_style: object) -> None:
        pass

    def column(self, **_style: object) -> RecordingLayout:
        return self

    row = box = split = column


def panel(session: Any) -> list[str]:
    """Texts and operators that the queue draws."""
    layout = RecordingLayout()
    context = SimpleNamespace(
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)), region=SimpleNamespace(width=400)
    )
    importlib.import_module(f"{MODULE}.ui.panels.people").draw_queue(layout, context, session)
    return layout.drawn


def test_each_photo_becomes_a_head_beside_the_others_and_the_first_is_selected(
    connected: FakeBackend, addon: SimpleNamespace, session: Any, photos: list[str]
) -> None:
    assert bpy.ops.relightify.reconstruct_people(**files(photos), quality="draft", seed=4) == {"FINISHED"}
    heads = addon.scene.heads.heads_of(bpy.context.scene)
    assert [head.name for head in heads] == list(NAMES)
    places = [head.parent.location.x for head in heads]
    assert places == pytest.approx([0.0, addon.scene.heads.SPACING_M, 2 * addon.scene.heads.SPACING_M])
    assert [thing.name for thing in bpy.context.view_layer.objects if thing.select_get()] == ["Ada"]
    assert bpy.context.scene.camera.name.startswith("Ada")
    assert [bytes(r.photo) for r in connected.requests] == [Path(path).read_bytes() for path in photos]
    assert {(r.options.quality, r.options.seed, r.options.face) for r in connected.requests} == {("draft", 4, None)}
    assert states(session) == ["done"] * 3


def test_photo_that_cannot_be_used_costs_only_its_own_head_and_can_be_tried_again(
    connected: FakeBackend, addon: SimpleNamespace, session: Any, photos: list[str]
) -> None:
    connected.behaviour = all_but_eve
    assert bpy.ops.relightify.reconstruct_people(**files(photos)) == {"FINISHED"}
    assert states(session) == ["done", "failed", "done"]
    assert {"The face is too small.", "relightify.try_again", "relightify.photo_alone"} <= set(panel(session))
    connected.behaviour = fake_backend.finish
    assert bpy.ops.relightify.try_again(job_id=session.queue.entries[1].job.job_id) == {"FINISHED"}
    assert states(session) == ["done"] * 3
    assert [head.name for head in addon.scene.heads.heads_of(bpy.context.scene)] == ["Ada", "Grace", "Eve"]
    assert not bpy.ops.relightify.try_again.poll()


def test_file_that_is_gone_by_its_turn_fails_alone(connected: FakeBackend, session: Any, photos: list[str]) -> None:
    Path(photos[2]).unlink()
    assert bpy.ops.relightify.reconstruct_people(**files(photos)) == {"FINISHED"}
    assert states(session) == ["done", "done", "failed"]
    assert session.queue.entries[2].job.error.code == "no_photo"
    assert len(connected.requests) == 2


def test_all_failed_is_an_error_that_names_each(connected: FakeBackend, session: Any, photos: list[str]) -> None:
    del session
    connected.behaviour = fake_backend.find_no_face
    with pytest.raises(RuntimeError, match=r"Ada: No face was found(.|\n)*Grace: No face"):
        bpy.ops.relightify.reconstruct_people(**files(photos))
    with pytest.raises(RuntimeError, match="No photos were chosen"):
        bpy.ops.relightify.reconstruct_people()


def test_backend_gets_two_photos_at_a_time_and_one_is_cancelled_without_the_others(
    connected: FakeBackend, addon: SimpleNamespace, session: Any, photos: list[str]
) -> None:
    connected.behaviour = fake_backend.stay_busy
    begin(addon, session, photos)
    wait_for(lambda: states(session) == ["running", "running", "waiting"], session)
    assert len(connected.requests) == 2
    assert drawn_by(menus().draw_status, "") == ["Ada (1 of 3): Fitting the head"]
    connected.behaviour = fake_backend.finish
    first = session.queue.entries[0].job.job_id
    assert bpy.ops.relightify.cancel(job_id=first) == {"FINISHED"}
    wait_for(lambda: states(session) == ["cancelled", "running", "done"], session)
    assert connected.cancelled == [first]
    assert [head.name for head in addon.scene.heads.heads_of(bpy.context.scene)] == ["Grace"]
    assert bpy.ops.relightify.cancel() == {"FINISHED"}
    wait_for(lambda: not session.busy, session)
    assert states(session) == ["cancelled", "cancelled", "done"]


def test_cancelling_all_sends_nothing_more(
    connected: FakeBackend, addon: SimpleNamespace, session: Any, photos: list[str]
) -> None:
    connected.behaviour = fake_backend.stay_busy
    begin(addon, session, photos)
    wait_for(lambda: states(session).count("running") == 2, session)
    bpy.ops.relightify.cancel()
    wait_for(lambda: not session.busy, session)
    assert states(session) == ["cancelled"] * 3
    assert len(connected.requests) == 2
    assert bpy.ops.relightify.clear_queue() == {"FINISHED"}
    assert not session.queue.entries


def test_further_photos_join_a_queue_that_is_under_way(
    connected: FakeBackend, addon: SimpleNamespace, session: Any, photos: list[str]
) -> None:
    connected.behaviour = fake_backend.stay_busy
    begin(addon, session, photos[:1])
    wait_for(lambda: states(session) == ["running"], session)
    assert not bpy.ops.relightify.reconstruct.poll()
    assert bpy.ops.relightify.reconstruct_people.poll()
    begin(addon, session, photos[1:])
    wait_for(lambda: states(session) == ["running", "running", "waiting"], session)


def test_heads_of_a_queue_ask_before_they_land_in_another_file(
    connected: FakeBackend, addon: SimpleNamespace, session: Any, photos: list[str]
) -> None:
    del connected
    begin(addon, session, photos)
    bpy.ops.wm.read_homefile(use_empty=True)
    wait_for(lambda: states(session) == ["held"] * 3, session)
    assert {"relightify.accept_result", "relightify.cancel"} <= set(panel(session))
    bpy.ops.relightify.accept_result()
    wait_for(lambda: not session.busy, session)
    assert len(addon.scene.heads.heads_of(bpy.context.scene)) == 3


def test_dropping_several_files_lists_them_as_different_people(addon: SimpleNamespace, photos: list[str]) -> None:
    del addon
    settings = bpy.context.scene.relightify
    more = [*photos, str(Path(photos[0]).with_name("notes.txt"))]
    assert bpy.ops.relightify.drop_photo(filepath=photos[0], **files(more)) == {"FINISHED"}
    assert settings.source == "PEOPLE"
    assert [item.path for item in settings.people] == photos
    bpy.ops.relightify.drop_photo(filepath=photos[0], **files(photos[:1]))
    assert len(settings.people) == 3, "each once"
    bpy.ops.relightify.remove_person(index=1)
    assert [Path(item.path).stem for item in settings.people] == ["Ada", "Grace"]
    bpy.ops.relightify.remove_person(index=-1)
    assert not settings.people


def test_one_dropped_file_is_the_one_photo_as_ever(addon: SimpleNamespace, photos: list[str]) -> None:
    del addon
    settings = bpy.context.scene.relightify
    assert bpy.ops.relightify.drop_photo(filepath=photos[0], **files(photos[:1])) == {"FINISHED"}
    assert (settings.source, settings.photo) == ("FILE", photos[0])


def test_started_photos_leave_the_list(connected: FakeBackend, session: Any, photos: list[str]) -> None:
    del connected, session
    assert bpy.ops.relightify.pick_people(**files(photos)) == {"FINISHED"}
    settings = bpy.context.scene.relightify
    paths = [{"name": item.path} for item in settings.people][:2]
    assert bpy.ops.relightify.reconstruct_people(files=paths) == {"FINISHED"}
    assert [Path(item.path).stem for item in settings.people] == ["Grace"]


def test_failed_photo_can_be_shown_alone_to_choose_a_face(
    connected: FakeBackend, session: Any, photos: list[str]
) -> None:
    connected.behaviour = all_but_eve
    bpy.ops.relightify.reconstruct_people(**files(photos))
    assert bpy.ops.relightify.photo_alone(job_id=session.queue.entries[1].job.job_id) == {"FINISHED"}
    settings = bpy.context.scene.relightify
    assert (settings.source, settings.photo) == ("FILE", photos[1])
    assert [entry.job.name for entry in session.queue.entries] == ["Ada", "Grace"]


def test_warnings_of_a_head_are_behind_its_sign(connected: FakeBackend, session: Any, photos: list[str]) -> None:
    del connected
    bpy.ops.relightify.reconstruct_people(**files(photos[:1]))
    assert session.queue.entries[0].job.warnings == ("A hat covers the brow.",)
    assert "relightify.show_notes" in panel(session)


def test_same_problem_of_many_is_told_once(connected: FakeBackend, session: Any, photos: list[str]) -> None:
    connected.behaviour = fake_backend.find_no_face
    with pytest.raises(RuntimeError):
        bpy.ops.relightify.reconstruct_people(**files(photos))
    drawn = panel(session)
    assert drawn.count("No face was found in the photo.") == 1
    assert drawn.count("relightify.try_again") == 4, "one for each, and one for all"


def test_long_queue_is_not_drawn_in_full(
    connected: FakeBackend, addon: SimpleNamespace, session: Any, photos: list[str]
) -> None:
    connected.behaviour = fake_backend.stay_busy
    begin(addon, session, photos * 10)
    wait_for(lambda: states(session).count("running") == 2, session)
    drawn = panel(session)
    assert "and 22 more" in drawn
    assert drawn.count("relightify.cancel") == 9, "two that run, six that wait, and all"
