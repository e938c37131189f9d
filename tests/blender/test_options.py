"""Every option of a job reaches operators, settings, panel and backend as it is declared."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import pytest

from shared.messages import Message, Reconstruct, Result
from shared.option_kinds import Choice, Number
from shared.options import JOB_OPTIONS, JobOptions
from tests.blender import finished_job
from tests.blender.conftest import MODULE
from tests.blender.fake_backend import FakeBackend, Reply
from tests.option_values import other_value

OPERATORS = ("reconstruct", "reconstruct_again")
OPTIONAL = [n for n, option in JOB_OPTIONS.items() if isinstance(option, Number) and option.unset is not None]


class Layout:
    """Stands in for a panel's layout and writes down what is drawn."""

    def __init__(self, drawn: list[tuple[str, str]]) -> None:
        self._drawn = drawn

    def prop(self, _data: object, name: str, **_style: object) -> None:
        self._drawn.append(("prop", name))

    def label(self, text: str = "", **_style: object) -> None:
        self._drawn.append(("label", text))

    def row(self, **_style: object) -> Layout:
        return Layout(self._drawn)

    column = row


def panel_module() -> Any:
    return importlib.import_module(f"{MODULE}.ui.panels.reconstruct")


def drawn() -> list[tuple[str, str]]:
    """What the panel of options draws now."""
    found: list[tuple[str, str]] = []
    # Without a window there is no region, and the interface has no scale.
    context = SimpleNamespace(
        scene=bpy.context.scene,
        preferences=SimpleNamespace(system=SimpleNamespace(ui_scale=1.0)),
        region=SimpleNamespace(width=300),
    )
    panel_module().RELIGHTIFY_PT_options.draw(SimpleNamespace(layout=Layout(found)), context)
    return found


def in_blender(name: str) -> Any:
    """A value that is not the default, as Blender's properties take it."""
    option, value = JOB_OPTIONS[name], other_value(JOB_OPTIONS[name])
    if isinstance(option, Choice):
        return str(value)
    return int(value) if isinstance(option, Number) and float(option.step).is_integer() else value


def properties(place: str) -> Any:
    if place == "settings":
        return bpy.context.scene.relightify.bl_rna.properties
    return getattr(bpy.ops.relightify, place).get_rna_type().properties


@pytest.mark.parametrize("name", JOB_OPTIONS)
@pytest.mark.parametrize("place", ["settings", *OPERATORS])
def test_properties_are_as_declared(addon: SimpleNamespace, place: str, name: str) -> None:
    del addon
    option, found = JOB_OPTIONS[name], properties(place)[name]
    assert found.name == option.label
    assert found.description.startswith(option.help)
    if isinstance(option, Choice):
        values = option.offered if place == "settings" else option.values
        assert [item.identifier for item in found.enum_items] == [str(value) for value in values]
        assert {item.identifier: item.value for item in found.enum_items}.items() <= {
            str(value): number for number, value in enumerate(option.values)
        }.items()
        assert found.default == str(option.default)
    elif isinstance(option, Number):
        low, default = (option.low, option.default) if option.unset is None else (option.unset.stand_in,) * 2
        assert (found.hard_min, found.default) == (low, default)
        assert found.hard_max == min(option.high, 2**31 - 1)
    else:
        assert found.default == option.default


def test_every_option_arrives_at_the_backend(connected: FakeBackend, photo_file: Path) -> None:
    bpy.ops.relightify.reconstruct(filepath=str(photo_file))
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), **{name: in_blender(name) for name in JOB_OPTIONS})
    bpy.ops.relightify.reconstruct_again(**{name: in_blender(name) for name in JOB_OPTIONS})
    plain, *changed = [request.options for request in connected.requests]
    assert plain == JobOptions()
    assert len(changed) == 2
    for options in changed:
        for name, option in JOB_OPTIONS.items():
            # Blender's numbers have the precision of float32.
            wanted = other_value(option)
            wanted = pytest.approx(wanted) if isinstance(wanted, float) else wanted
            assert getattr(options, name) == wanted, name


@pytest.mark.parametrize("name", JOB_OPTIONS)
def test_option_has_a_row_in_the_panel_or_is_declared_not_to(addon: SimpleNamespace, name: str) -> None:
    del addon
    settings = bpy.context.scene.relightify
    setattr(settings, name, in_blender(name))
    assert (("prop", name) in drawn()) == JOB_OPTIONS[name].shown


@pytest.mark.parametrize("name", OPTIONAL)
def test_number_that_is_not_given_is_words_and_not_a_number(addon: SimpleNamespace, name: str) -> None:
    del addon
    option, settings = JOB_OPTIONS[name], bpy.context.scene.relightify
    assert isinstance(option, Number)
    assert option.unset is not None
    assert not getattr(settings, f"use_{name}")
    assert ("prop", name) not in drawn()
    if option.shown:
        assert ("label", option.unset.text) in drawn()
    setattr(settings, f"use_{name}", True)
    assert getattr(settings, name) == option.unset.first
    assert (("prop", name) in drawn()) == option.shown
    setattr(settings, f"use_{name}", False)
    assert getattr(settings, name) == option.unset.stand_in


def test_button_takes_the_settings_of_the_panel(addon: SimpleNamespace) -> None:
    del addon
    settings = bpy.context.scene.relightify
    for name in JOB_OPTIONS:
        setattr(settings, name, in_blender(name))
    button = SimpleNamespace()
    panel_module().fill_choices(button, settings)
    for name in JOB_OPTIONS:
        assert getattr(button, name) == getattr(settings, name)


def test_choice_of_an_older_file_that_is_not_offered_counts_as_the_default(addon: SimpleNamespace) -> None:
    del addon
    settings = bpy.context.scene.relightify
    # As Blender stores it: the place among all values.
    storage = settings.bl_system_properties_get(do_create=True) if bpy.app.version >= (5, 0) else settings
    storage["quality"] = 0
    button = SimpleNamespace()
    panel_module().fill_choices(button, settings)
    assert button.quality == JobOptions().quality
    assert ("prop", "quality") in drawn()


def with_extra_maps(seed: int) -> Any:
    def behave(request: Reconstruct, reply: Reply) -> None:
        maps: dict[str, bytes] = {}
        for number in range(1, request.options.samples + 1):
            made = finished_job.maps(64, seed + number)
            if request.options.extra_maps:
                made |= {"displacement": made["normal"], "roughness": made["texture"]}
            maps |= made if number == 1 else {f"sample_{number}/{key}": data for key, data in made.items()}
        message: Message = Result(request.job_id, finished_job.head_mesh(), maps)
        reply(message)

    return behave


def test_extra_maps_are_kept_with_the_head(connected: FakeBackend, addon: SimpleNamespace, photo_file: Path) -> None:
    connected.behaviour = with_extra_maps(1)
    bpy.ops.relightify.reconstruct(filepath=str(photo_file), extra_maps=True, samples=2)
    head = addon.link.session.session_of(bpy.context).imported.head
    for number in (1, 2, 1):
        bpy.ops.relightify.show_sample(number=number)
        for name, source in (("displacement", "normal"), ("roughness", "texture")):
            image = head[f"relightify_map_{name}"]
            assert bytes(image.packed_file.data) == finished_job.maps(64, 1 + number)[source]
            assert image.colorspace_settings.name == "Non-Color"
    images = len(bpy.data.images)
    bpy.ops.relightify.reconstruct_again(extra_maps=True, samples=2)
    assert len(bpy.data.images) == images
    bpy.ops.relightify.reconstruct_again()
    assert "relightify_map_roughness" not in head
    # Both extra maps of two samples, and the other three of the second.
    assert len(bpy.data.images) == images - 7
