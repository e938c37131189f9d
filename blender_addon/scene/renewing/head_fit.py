"""What a head keeps of how it was fitted, so that a hand can correct it, and what was corrected."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import bpy

from ..._shared import Corrections, FitState, RelightifyError, fit_state, read_corrections
from ..heads import PHOTO

# Custom properties of the head, as JSON: longer than what Blender shows of them, and the same in all versions.
FIT = "relightify_fit"
CORRECTIONS = "relightify_corrections"
KEPT = ("identity", "expression", "camera")


def keep_fit(head: bpy.types.Object, info: Mapping[str, Any]) -> None:
    """Keep what a result says of its fit, before corrections, and the corrections; a result that says nothing, none."""
    for mark in (FIT, CORRECTIONS):
        if mark in head:
            del head[mark]
    said = info.get("uncorrected") or info
    if all(name in said for name in KEPT):
        head[FIT] = json.dumps({name: said[name] for name in KEPT})
        keep_corrections(head, read_corrections(info.get("corrections", [])))


def keep_corrections(head: bpy.types.Object, corrections: Corrections) -> None:
    """Keep what was corrected."""
    head[CORRECTIONS] = json.dumps(corrections.plain())


def kept_corrections(head: bpy.types.Object) -> Corrections:
    """What was corrected of a head; nothing where the property is damaged."""
    try:
        return read_corrections(json.loads(head.get(CORRECTIONS, "[]")))
    except (ValueError, TypeError, RelightifyError):
        return Corrections()


def kept_fit(head: bpy.types.Object) -> FitState:
    """The uncorrected fit of a head.

    Raises:
        RelightifyError: ``no_fit``, the head does not know it.
    """
    try:
        return fit_state(json.loads(head.get(FIT, "")))
    except (ValueError, TypeError, AttributeError, RelightifyError) as error:
        raise RelightifyError(
            "no_fit",
            f"{head.name} does not know how it was fitted.",
            "Reconstruct it again, then correct it.",
        ) from error


def expression_names(head: bpy.types.Object) -> tuple[str, ...]:
    """The names of the fit's expression coefficients, in the head model's order; empty where the head has no fit."""
    try:
        return tuple(json.loads(head.get(FIT, "{}")).get("expression", {}))
    except (ValueError, AttributeError):
        return ()


def can_be_corrected(head: bpy.types.Object | None) -> bool:
    """Whether a head knows its fit and its photo, and has the shape keys that follow."""
    known = head is not None and FIT in head and head.get(PHOTO) is not None
    return known and head is not None and head.data.shape_keys is not None
