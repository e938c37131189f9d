"""Blender's properties for the options of a job, made from their declarations in `shared.options`."""

from __future__ import annotations

from typing import Any

import bpy

from ..._shared import JOB_OPTIONS, Choice, Flag, JobOptions, Number, Option

# Blender's integers end here.
MAX_INT = 2**31 - 1


def option_properties(*, offered_only: bool = False) -> dict[str, Any]:
    """Annotations for a class of Blender's: a property for each option, by its name.

    Args:
        offered_only: leave out choices that artists are not offered; for what is drawn. Scripts have them all.
    """
    return {name: _property(option, offered_only) for name, option in JOB_OPTIONS.items()}


def given_properties() -> dict[str, Any]:
    """Annotations for a class of Blender's: for each number that may be left out, whether it is given."""
    return {
        given_name(name): _given_property(name, option)
        for name, option in JOB_OPTIONS.items()
        if isinstance(option, Number) and option.unset is not None
    }


def given_name(name: str) -> str:
    """The property that says whether a number is given: `use_age` for `age`."""
    return f"use_{name}"


def job_options(choices: Any) -> JobOptions:
    """The options that a class with `option_properties` holds.

    Raises:
        RelightifyError: ``bad_option``, they do not go together.
    """
    return JobOptions(**{name: _job_value(option, getattr(choices, name)) for name, option in JOB_OPTIONS.items()})


def panel_value(settings: bpy.types.PropertyGroup, name: str) -> Any:
    """What the panel's settings say; a choice from an older file that is no longer offered counts as the default."""
    value, option = getattr(settings, name), JOB_OPTIONS[name]
    return (value or str(option.default)) if isinstance(option, Choice) else value


def draw_option(layout: bpy.types.UILayout, settings: bpy.types.PropertyGroup, name: str) -> None:
    """The row of an option."""
    option = JOB_OPTIONS[name]
    if isinstance(option, Number) and option.unset is not None:
        row = layout.column(heading=option.label).row(align=True)
        row.prop(settings, given_name(name), text="")
        if getattr(settings, given_name(name)):
            row.prop(settings, name, text="")
        else:
            row.label(text=option.unset.text)
        return
    row = layout.row()
    # A checkbox has its name beside it, which the narrow column would cut.
    row.use_property_split = not isinstance(option, Flag)
    row.prop(settings, name)


def _property(option: Option, offered_only: bool) -> Any:
    words: dict[str, Any] = {"name": option.label, "description": option.help}
    if isinstance(option, Number):
        return _number_property(option, words)
    if isinstance(option, Choice):
        # Files hold the number, so it must not depend on what is offered.
        items = [
            (str(item.value), item.label, item.help, "NONE", number)
            for number, item in enumerate(option.items)
            if item.offered or not offered_only
        ]
        return bpy.props.EnumProperty(**words, items=items, default=str(option.default))
    return bpy.props.BoolProperty(**words, default=option.default)


def _number_property(option: Number, words: dict[str, Any]) -> Any:
    low, default = option.low, option.default
    if option.unset is not None:
        low, default = min(low, option.unset.stand_in), option.unset.stand_in
        words["description"] += f"; {option.unset.stand_in}: {option.unset.text}"
    subtype = "FACTOR" if option.slider else "NONE"
    if option.whole or float(option.step).is_integer():
        return bpy.props.IntProperty(
            **words, default=int(default), min=int(low), max=min(int(option.high), MAX_INT), subtype=subtype
        )
    return bpy.props.FloatProperty(
        **words,
        default=default,
        min=low,
        max=option.high,
        # In hundredths.
        step=round(100 * option.step),
        precision=len(str(option.step).partition(".")[2]),
        subtype=subtype,
    )


def _given_property(name: str, option: Number) -> Any:
    """A checkbox that stores nothing of its own, so that it never contradicts the number."""
    unset = option.unset
    assert unset is not None

    def get(settings: bpy.types.PropertyGroup) -> bool:
        return getattr(settings, name) != unset.stand_in

    def give(settings: bpy.types.PropertyGroup, wanted: bool) -> None:
        setattr(settings, name, int(unset.first) if wanted else unset.stand_in)

    return bpy.props.BoolProperty(
        name=f"Give {option.label}", description=f"{option.help}; without it: {unset.text}", get=get, set=give
    )


def _job_value(option: Option, value: Any) -> Any:
    if isinstance(option, Number) and option.unset is not None and value == option.unset.stand_in:
        return None
    # Blender's names of choices are texts.
    return type(option.default)(value) if isinstance(option, Choice) else value
