"""The add-on's preferences: where the backend is. (No postponed annotations here: Blender reads them.)"""
# pyright: reportInvalidTypeForm=false

import os
from pathlib import Path

import bpy

from .link import BackendChoice

PYTHON_VARIABLE = "RELIGHTIFY_PYTHON"


class RelightifyPreferences(bpy.types.AddonPreferences):
    """How to reach the backend."""

    bl_idname = __package__ or "blender_addon"

    backend: bpy.props.EnumProperty(
        name="Backend",
        description="The program that does the heavy work, apart from Blender",
        items=[
            ("PYTHON", "Start It", "Start the backend with a Python that has the package relightify installed"),
            ("CONNECT", "Connect", "Use a backend that runs already, on this machine or another one"),
        ],
    )
    python: bpy.props.StringProperty(
        name="Python",
        description=f"Python with relightify installed; left empty, the variable {PYTHON_VARIABLE} names it",
        subtype="FILE_PATH",
    )
    connection_file: bpy.props.StringProperty(
        name="Connection File",
        description="Written by 'relightify serve'; left empty, the usual place is looked at",
        subtype="FILE_PATH",
    )

    def draw(self, context: bpy.types.Context) -> None:
        layout = self.layout
        layout.use_property_split = True
        layout.prop(self, "backend", expand=True)
        if self.backend == "CONNECT":
            layout.prop(self, "connection_file")
            return
        layout.prop(self, "python")
        choice = backend_choice(context)
        if choice.python is None or not choice.python.is_file():
            column = layout.column(align=True)
            column.label(text="No backend has been set up yet", icon="INFO")
            column.label(text="In a terminal: pip install relightify, then choose that Python here", icon="BLANK1")


def backend_choice(context: bpy.types.Context) -> BackendChoice:
    """The backend that the preferences ask for; `RELIGHTIFY_PYTHON` where they name no Python."""
    addon = context.preferences.addons.get(RelightifyPreferences.bl_idname)
    preferences = addon.preferences if addon is not None else None
    if preferences is not None and preferences.backend == "CONNECT":
        path = bpy.path.abspath(preferences.connection_file)
        return BackendChoice(connection_file=Path(path) if path else None)
    python = bpy.path.abspath(preferences.python) if preferences is not None else ""
    return BackendChoice(python=Path(python or os.environ.get(PYTHON_VARIABLE, "")))
