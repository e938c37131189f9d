"""Runs in a Blender with a window: a head and what was done to it can be undone and redone, a step each."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import bpy

# Blender runs this as a script.
sys.path.insert(0, str(Path(__file__).parent))
from window_steps import FOLDER, active, busy, heads, in_window, run


def reconstruct(name: str, call: str = "INVOKE_DEFAULT") -> None:
    in_window(bpy.ops.relightify.reconstruct, call, True, filepath=str(FOLDER / name))


def steps() -> Iterator[None]:
    """The check; Blender draws and runs its timers at each `yield`."""
    names = sorted(thing.name for thing in bpy.data.objects)
    assert "Cube" in names
    reconstruct("Grace Hopper.png")
    while busy():
        yield
    (head,) = heads()
    assert active() == head, "the new head is the active one"
    assert bpy.data.objects["Cube"].hide_get(), "the default cube made room"
    yield

    in_window(bpy.ops.ed.undo)
    yield
    assert heads() == [], "one step takes the head away"
    assert sorted(thing.name for thing in bpy.data.objects) == names
    assert not bpy.data.objects["Cube"].hide_get(), "and brings the cube back"
    in_window(bpy.ops.ed.redo)
    yield
    (head,) = heads()
    assert active() == head
    assert bpy.context.scene.camera == head.get("relightify_camera"), "and looks through the photo's camera again"

    before = [key.value for key in head.data.shape_keys.key_blocks]
    in_window(bpy.ops.relightify.random_expression, "EXEC_DEFAULT", True)
    yield
    changed = [key.value for key in heads()[0].data.shape_keys.key_blocks]
    assert changed != before
    in_window(bpy.ops.ed.undo)
    yield
    (head,) = heads()
    assert [key.value for key in head.data.shape_keys.key_blocks] == before, "one step takes the expression back"

    objects = sorted(thing.name for thing in bpy.data.objects)
    in_window(bpy.ops.relightify.duplicate_head, "EXEC_DEFAULT", True)
    yield
    assert len(heads()) == 2
    in_window(bpy.ops.ed.undo)
    yield
    assert len(heads()) == 1

    in_window(bpy.ops.relightify.delete_head, "EXEC_DEFAULT", True)
    yield
    assert heads() == []
    in_window(bpy.ops.ed.undo)
    yield
    (head,) = heads()
    assert sorted(thing.name for thing in bpy.data.objects) == objects, "camera and root came back with the head"
    assert active() == head

    yield from several_photos()

    (head,) = heads()
    values = [key.value for key in head.data.shape_keys.key_blocks]
    in_window(bpy.ops.relightify.reconstruct_again, "INVOKE_DEFAULT", True)
    while busy():
        yield
    (head,) = heads()
    head.location.x += 0.1
    in_window(bpy.ops.ed.undo_push, message="Move")
    yield
    in_window(bpy.ops.ed.undo)
    in_window(bpy.ops.ed.undo)
    yield
    (head,) = heads()
    assert [key.value for key in head.data.shape_keys.key_blocks] == values, "the head from ahead of the redo"

    # A step back while a job is under way takes nothing from the job.
    reconstruct("slow.png")
    yield
    assert busy()
    in_window(bpy.ops.ed.undo)
    yield
    assert busy(), "undo leaves the job alone"
    in_window(bpy.ops.relightify.cancel)
    while busy():
        yield

    path = FOLDER / "saved.blend"
    in_window(bpy.ops.ed.redo)
    yield
    in_window(bpy.ops.wm.save_as_mainfile, filepath=str(path))
    before = len(heads())
    in_window(bpy.ops.wm.open_mainfile, filepath=str(path))
    yield
    assert len(heads()) == before >= 1, "a saved file knows its heads"


def several_photos() -> Iterator[None]:
    """A list of photos of one person, the head that they make, and the switch between them."""
    before = len(bpy.data.worlds)
    names = [{"name": name} for name in ("Grace Hopper.png", "left.png")]
    in_window(bpy.ops.relightify.add_photos, "EXEC_DEFAULT", True, directory=str(FOLDER), files=names)
    yield
    in_window(bpy.ops.relightify.move_photo, "EXEC_DEFAULT", True, index=1, by=-1)
    yield
    assert [Path(item.path).stem for item in bpy.context.scene.relightify.photos] == ["left", "Grace Hopper"]
    in_window(bpy.ops.ed.undo)
    yield
    settings = bpy.context.scene.relightify
    assert [Path(item.path).stem for item in settings.photos] == ["Grace Hopper", "left"]
    further = [{"name": settings.photos[1].path}]
    in_window(bpy.ops.relightify.reconstruct, "INVOKE_DEFAULT", True, filepath=settings.photos[0].path, further=further)
    while busy():
        yield
    assert len(heads()) == 2
    head = active()
    assert head is not None
    cameras = head["relightify_camera"].name, head["relightify_camera_2"].name
    in_window(bpy.ops.relightify.show_photo, "EXEC_DEFAULT", True, number=2, use_light=True)
    yield
    assert bpy.context.scene.camera.name == cameras[1]
    in_window(bpy.ops.ed.undo)
    yield
    assert bpy.context.scene.camera.name != cameras[1], "one step looks back through the camera of before"
    in_window(bpy.ops.ed.undo)
    yield
    assert len(heads()) == 1, "one step takes the head away with all its cameras and lights"
    assert not set(cameras) & {thing.name for thing in bpy.data.objects}
    assert len(bpy.data.worlds) == before
    in_window(bpy.ops.ed.undo)
    yield
    assert not bpy.context.scene.relightify.photos, "and the list goes as it came"


run(Path(__file__).name, steps)
