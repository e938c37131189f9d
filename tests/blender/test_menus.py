"""Where Blender's users look for things: menus, the search, the context menu, the status bar, the asset browser."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import addon_utils
import bpy
import numpy as np
import pytest

from tests.blender import fake_backend, finished_job
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend
from tests.blender.test_operators import wait_for


class Layout:
    """Stands in for a menu's layout and writes down what is drawn."""

    def __init__(self) -> None:
        self.drawn: list[str] = []

    def operator(self, name: str, **_style: object) -> SimpleNamespace:
        self.drawn.append(name)
        return SimpleNamespace()

    def menu(self, name: str, **_style: object) -> None:
        self.drawn.append(name)

    def label(self, text: str = "", **_style: object) -> None:
        self.drawn.append(text)

    def prop(self, _data: object, name: str, **_style: object) -> None:
        self.drawn.append(name)

    def progress(self, text: str = "", **_style: object) -> None:
        self.drawn.append(text)

    def separator(self, **_style: object) -> None:
        pass

    def row(self, **_style: object) -> Layout:
        return self

    split = row


def menus() -> Any:
    return importlib.import_module(f"{MODULE}.ui.panels.menus")


def drawn_by(draw: Any, place: str) -> list[str]:
    layout = Layout()
    draw(SimpleNamespace(layout=layout, bl_idname=place), bpy.context)
    return layout.drawn


@pytest.mark.parametrize(
    ("place", "operator"),
    [
        ("VIEW3D_MT_mesh_add", "relightify.head_from_photo"),
        ("TOPBAR_MT_file_import", "relightify.head_from_photo"),
        ("TOPBAR_MT_file_export", "relightify.export"),
    ],
)
def test_menus_have_our_entries_while_the_add_on_is_on(addon: SimpleNamespace, place: str, operator: str) -> None:
    del addon
    ours = [f for f in getattr(bpy.types, place)._dyn_ui_initialize() if f.__module__.startswith(MODULE)]
    assert [name for draw in ours for name in drawn_by(draw, place)] == [operator]
    assert getattr(bpy.types, "_".join(("RELIGHTIFY_OT", operator.split(".")[1]))).bl_label
    addon_utils.disable(MODULE)
    assert not [f for f in getattr(bpy.types, place)._dyn_ui_initialize() if f.__module__.startswith(MODULE)]
    addon_utils.enable(MODULE)


def test_context_menu_of_a_head_and_of_nothing_else(addon: SimpleNamespace) -> None:
    place = "VIEW3D_MT_object_context_menu"
    done = addon.scene.importer.import_head(
        bpy.context.scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), finished_job.photo()
    )
    bpy.context.view_layer.objects.active = done.camera
    assert drawn_by(menus().draw_context, place) == []
    bpy.context.view_layer.objects.active = done.head
    assert drawn_by(menus().draw_context, place) == ["RELIGHTIFY_MT_head"]
    inside = drawn_by(menus().RELIGHTIFY_MT_head.draw, "")
    assert {"relightify.delete_head", "relightify.duplicate_head", "relightify.export"} <= set(inside)


def test_head_from_photo_takes_the_panels_options(
    connected: FakeBackend, addon: SimpleNamespace, photo_file: Path
) -> None:
    settings = bpy.context.scene.relightify
    settings.quality, settings.seed = "draft", 5
    assert bpy.ops.relightify.head_from_photo(filepath=str(photo_file)) == {"FINISHED"}
    (request,) = connected.requests
    assert (request.options.quality, request.options.seed, request.options.face) == ("draft", 5, None)
    assert settings.photo == str(photo_file)
    assert addon.scene.heads.heads_of(bpy.context.scene)


def test_status_bar_shows_a_job_and_nothing_else(
    connected: FakeBackend, addon: SimpleNamespace, photo_file: Path
) -> None:
    connected.behaviour = fake_backend.stay_busy
    session, shared = addon.link.session.session_of(bpy.context), addon._shared
    session.forget_outcome()
    assert drawn_by(menus().draw_status, "") == []
    request = shared.Reconstruct(shared.new_job_id(), photo_file.read_bytes(), shared.JobOptions(), "Ada.png")
    session.start(addon.link.choice.backend_choice(bpy.context), request, "Ada", lambda job, result: None)
    wait_for(lambda: session.job.fraction > 0, session)
    assert drawn_by(menus().draw_status, "") == ["Ada: Fitting the head"]
    session.cancel()
    wait_for(lambda: not session.busy, session)
    assert drawn_by(menus().draw_status, "") == []


def test_box_of_the_last_operation_says_in_words_what_is_not_given(addon: SimpleNamespace) -> None:
    del addon
    operators = importlib.import_module(f"{MODULE}.ui.operators.reconstruct")
    layout = Layout()
    given = {name: 0 for name in operators.SETTINGS}
    operators.JobOperator.draw(SimpleNamespace(layout=layout, **{**given, "face": -1, "age": 0}), bpy.context)
    assert "the largest" in layout.drawn
    assert "as photo" in layout.drawn
    assert not {"face", "age"} & set(layout.drawn)
    assert "seed" in layout.drawn


def test_asset_has_a_rendered_portrait(addon: SimpleNamespace) -> None:
    scene = bpy.context.scene
    done = addon.scene.importer.import_head(scene, "Ada", finished_job.head_mesh(), finished_job.maps(64))
    bpy.context.view_layer.objects.active = done.head
    before = {kind: len(getattr(bpy.data, kind)) for kind in ("scenes", "objects", "cameras", "images")}
    assert bpy.ops.relightify.mark_asset() == {"FINISHED"}
    counted = {kind: len(getattr(bpy.data, kind)) for kind in before}
    counted["images"] -= "Render Result" in bpy.data.images
    assert counted == before
    assert done.head.asset_data is not None
    side = tuple(done.head.preview.image_size)
    assert min(side) >= 128
    pixels = np.array(done.head.preview.image_pixels_float[:]).reshape(*side, 4)
    inside = pixels[..., 3] > 0.5
    assert 0.2 < inside.mean() < 0.9
    colour = pixels[inside][:, :3].mean(0)
    assert colour[0] > colour[1] > colour[2], "skin, and not a grey icon"
