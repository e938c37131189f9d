"""Runs in a Blender with a window: the correction of a fit ends well, whatever happens to its file and its head."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

# Blender runs this as a script.
sys.path.insert(0, str(Path(__file__).parent))
from window_steps import FOLDER, busy, heads, in_window, module, run

# For the operator to notice something.
MOST_WAITS = 20


def begin() -> Iterator[None]:
    in_window(bpy.ops.relightify.edit_fit, "INVOKE_DEFAULT")
    while editing().latest is None:
        yield


def editing():
    return module("ui.fit_editing").editing()


def photo() -> tuple[str, float]:
    """How the photo is shown behind the head, or over it."""
    (background,) = heads()[0]["relightify_camera"].data.background_images
    return background.display_depth, round(background.alpha, 2)


def zoom() -> float:
    window = bpy.context.window_manager.windows[0]
    area = next(area for area in window.screen.areas if area.type == "VIEW_3D")
    return round(area.spaces.active.region_3d.view_camera_zoom, 3)


def steps() -> Iterator[None]:
    """The check."""
    in_window(bpy.ops.relightify.reconstruct, "INVOKE_DEFAULT", True, filepath=str(FOLDER / "Grace Hopper.png"))
    while busy():
        yield
    before, seen = photo(), zoom()

    yield from begin()
    assert photo() == ("FRONT", 0.6), "the photo shines through the head"
    in_window(bpy.ops.relightify.end_edit_fit, how="CANCEL")
    yield
    yield
    assert editing() is None
    assert (photo(), zoom()) == (before, seen), "cancel leaves everything as it was"

    yield from begin()
    assert not bpy.ops.relightify.reconstruct_again.poll()
    path = FOLDER / "half.blend"
    in_window(bpy.ops.wm.save_as_mainfile, filepath=str(path))
    yield
    assert photo() == ("FRONT", 0.6), "after saving it goes on"
    in_window(bpy.ops.wm.open_mainfile, filepath=str(path))
    yield
    assert editing() is None, "opening a file ends it"
    assert photo() == before, "and the file knows nothing of it"
    # What is left behind would be seen in the output as exceptions at each redraw.
    yield
    seen = zoom()

    yield from begin()
    for thing in list(bpy.context.scene.objects):
        bpy.data.objects.remove(thing)
    for _ in range(MOST_WAITS):
        yield
        if zoom() == seen:
            break
    assert editing() is None, "without its head it ends"
    assert zoom() == seen


run(Path(__file__).name, steps)
