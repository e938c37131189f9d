"""Which backend the preferences ask for, and where *Install* puts it."""

from __future__ import annotations

import os
from pathlib import Path

import bpy

from .._shared import Connection, RelightifyError
from ..install.plan import environment_python
from ..install.run import backend_environment, installed_backend
from .line import BackendChoice

# The extension itself; this is a module of one of its folders.
ADDON = (__package__ or "blender_addon.link").rpartition(".")[0]
PYTHON_VARIABLE = "RELIGHTIFY_PYTHON"
INSTALLED, PYTHON, CONNECT = "INSTALLED", "PYTHON", "CONNECT"
AUTOMATIC = "AUTO"
FILE, ADDRESS = "FILE", "ADDRESS"
KEY_LETTERS = 40


def preferences_of(context: bpy.types.Context) -> bpy.types.AddonPreferences | None:
    """The preferences of the enabled add-on."""
    addon = context.preferences.addons.get(ADDON)
    return addon.preferences if addon is not None else None


def backend_folder() -> Path:
    """Where *Install* puts the backend: the folder that Blender keeps for this extension, and removes with it."""
    if ADDON.startswith("bl_ext."):
        return Path(bpy.utils.extension_path_user(ADDON, path="backend"))
    return Path(bpy.utils.user_resource("DATAFILES", path="relightify"))


def backend_choice(context: bpy.types.Context) -> BackendChoice:
    """The backend that the preferences ask for.

    Raises:
        RelightifyError: ``no_python``, none has been set up; ``connection_file``, address or keys are incomplete.
    """
    preferences = preferences_of(context)
    kind = preferences.backend if preferences is not None else INSTALLED
    if preferences is not None and kind == CONNECT:
        return connection_choice(preferences)
    named = os.environ.get(PYTHON_VARIABLE, "")
    if preferences is not None and kind == PYTHON:
        return BackendChoice(python=Path(bpy.path.abspath(preferences.python) or named))
    folder = backend_folder()
    if installed_backend(folder) is not None:
        variables = tuple(backend_environment(folder).items())
        return BackendChoice(python=environment_python(folder), variables=variables)
    if named:
        return BackendChoice(python=Path(named))
    raise RelightifyError(
        "no_python", "No backend has been set up yet.", "Press Install Backend in the add-on's preferences."
    )


def connection_choice(preferences: bpy.types.AddonPreferences) -> BackendChoice:
    """The running backend that the preferences name.

    Raises:
        RelightifyError: ``connection_file``, address or keys are incomplete.
    """
    if preferences.connect_by == FILE:
        path = bpy.path.abspath(preferences.connection_file)
        return BackendChoice(connection_file=Path(path) if path else None)
    keys = [key.strip() for key in (preferences.server_key, preferences.client_key, preferences.client_secret)]
    host = preferences.host.strip()
    if not host or not preferences.port or any(len(key) != KEY_LETTERS for key in keys):
        raise RelightifyError(
            "connection_file",
            "Address or keys of the backend are incomplete.",
            "Copy them from the backend's connection file into the add-on's preferences.",
        )
    return BackendChoice(connection=Connection(host, preferences.port, *keys, pid=0, created=""))


def backend_ready(context: bpy.types.Context) -> bool:
    """Whether a backend has been set up; does not look whether it works."""
    try:
        choice = backend_choice(context)
    except RelightifyError:
        return False
    return choice.python is None or choice.python.is_file()
