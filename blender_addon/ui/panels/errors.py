"""How the panels of the tab tell what went wrong."""

from __future__ import annotations

import bpy

from ..._shared import RelightifyError
from ..layout import draw_text, without_path
from ..operators.backend import RELIGHTIFY_OT_open_preferences

# Problems that the preferences can mend.
SETUP_CODES = ("no_python", "no_backend", "no_wheel", "no_connection_file", "connection_file", "backend_start")


def draw_error(layout: bpy.types.UILayout, context: bpy.types.Context, error: RelightifyError) -> None:
    """What went wrong, what to do about it, and buttons for that."""
    draw_text(layout, context, error.message, "ERROR")
    hint, log = without_path(error.hint)
    if hint:
        draw_text(layout, context, hint, "BLANK1")
    if log:
        layout.operator("wm.path_open", text="Open Log", icon="TEXT").filepath = log
    if error.code in SETUP_CODES:
        layout.operator(RELIGHTIFY_OT_open_preferences.bl_idname, icon="PREFERENCES")
