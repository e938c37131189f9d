"""What the panels of the tab *Face* have in common."""

from __future__ import annotations

import re
import textwrap

import bpy

from ..scene import heads

PIXELS_PER_LETTER = 7


class FacePanel:
    """Where all panels of the add-on live."""

    bl_space_type = "VIEW_3D"
    bl_region_type = "UI"
    bl_category = "Face"


class HeadPanel(FacePanel):
    """A panel that is there where a head is."""

    @classmethod
    def poll(cls, context: bpy.types.Context) -> bool:
        return bool(heads.heads_of(context.view_layer))


def without_path(hint: str) -> tuple[str, str]:
    """A hint without the path of a log, which no sidebar is wide enough for, and that path; empty where it has none."""
    found = re.search(r"(?:/|[A-Za-z]:\\).*\.log", hint)
    if found is None:
        return hint, ""
    before = hint[: found.start()].rstrip(" :")
    # What said only where the log is goes with the path.
    before = re.sub(r"(?:^|(?<=[.;]))\s*(?:its |the whole |the )?log(?: is)?$", "", before, flags=re.IGNORECASE)
    shorter = before.rstrip(" .;")
    return f"{shorter}." if shorter else "", found[0]


def draw_text(layout: bpy.types.UILayout, context: bpy.types.Context, text: str, icon: str) -> None:
    """Text in as many lines as the sidebar needs; Blender's labels do not wrap."""
    scale = context.preferences.system.ui_scale
    letters = max(20, int((context.region.width / scale - 60) / PIXELS_PER_LETTER))
    column = layout.column(align=True)
    for index, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if index == 0 else "BLANK1")
