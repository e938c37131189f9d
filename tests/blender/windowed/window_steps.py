"""What the checks in a Blender with a window share: calling operators as buttons do, and going on between redraws."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import bpy

FOLDER = Path(sys.argv[sys.argv.index("--") + 1])
ADDON = "bl_ext.user_default.relightify"
STEP_SECONDS = 0.3


def module(name: str) -> ModuleType:
    return import_module(f"{ADDON}.{name}")


def heads() -> list[bpy.types.Object]:
    return module("scene.heads").heads_of(bpy.context.scene)


def active() -> bpy.types.Object | None:
    window = bpy.context.window_manager.windows[0]
    layer = window.view_layer
    return module("scene.heads").active_head(layer, layer.objects.active)


def in_window(operator: Callable[..., set[str]], *arguments: object, **keywords: object) -> None:
    """Call an operator as a press of its button would, with an undo step of its own where it makes one."""
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    region = next(region for region in area.regions if region.type == "WINDOW")
    with bpy.context.temp_override(window=window, area=area, region=region):
        operator(*arguments, **keywords)


def busy() -> bool:
    return module("link.session").session_of(bpy.context).busy


def run(name: str, steps: Callable[[], Iterator[None]]) -> None:
    """Install the add-on and go through a check; Blender draws and runs its timers at each `yield`, and ends then."""
    bpy.ops.extensions.package_install_files(
        filepath=str(FOLDER / "relightify.zip"), repo="user_default", enable_on_install=True
    )
    preferences = bpy.context.preferences.addons[ADDON].preferences
    preferences.backend, preferences.connection_file = "CONNECT", str(FOLDER / "connection.json")
    progress = steps()

    def tick() -> float | None:
        try:
            next(progress)
        except StopIteration:
            end(name, "all hold")
        except Exception:
            end(name, traceback.format_exc())
        return STEP_SECONDS

    bpy.app.timers.register(tick, first_interval=3.0, persistent=True)


def end(name: str, outcome: str) -> None:
    print(f"{name}: {outcome}", flush=True)
    sys.stderr.flush()
    os._exit(0)
