"""Opening the sidebar tab *Face*."""

from __future__ import annotations

import functools

import bpy

from .. import compat
from .layout import FacePanel

TAB_SECONDS = 0.3


def show_tab(context: bpy.types.Context) -> None:
    """Open the tab in the viewport that an operator was called in, if it was in one."""
    if context.area is None:
        return
    compat.show_sidebar_tab(context.area, FacePanel.bl_category)
    # A sidebar that was closed until now has its tabs only after it has been drawn.
    again = functools.partial(show_tab_later, context.area.as_pointer())
    bpy.app.timers.register(again, first_interval=TAB_SECONDS)


def show_tab_later(pointer: int) -> None:
    """Open the tab of the panel in the area at an address, if that area is still there; for a timer."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.as_pointer() == pointer and area.type == "VIEW_3D":
                compat.show_sidebar_tab(area, FacePanel.bl_category)
