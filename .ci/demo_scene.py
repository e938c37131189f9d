"""Run inside Blender: photo -> add-on -> backend -> head.blend and two renders.

    PYTHON_WITH_BPY .ci/demo_scene.py PHOTO OUT BACKEND_PYTHON

Builds the extension's zip, installs it, and calls the operator that the button calls. BLENDER_USER_RESOURCES should
name an empty folder, or Blender's own settings are used.
"""

from __future__ import annotations

import math
import sys
import tempfile
import time
from pathlib import Path

import bpy  # isort: skip  (brings the next one along)
import addon_utils
from bpy_extras.object_utils import world_to_camera_view
from mathutils import Vector

ROOT = Path(__file__).resolve().parents[1]
MODULE = "bl_ext.user_default.relightify"
STUDIO_LIGHT = "forest"
SIDE_PX = 600
SAMPLES = 40


def main(photo: Path, out: Path, backend_python: Path) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    install()
    try:
        preferences = bpy.context.preferences.addons[MODULE].preferences
        preferences.backend, preferences.python = "PYTHON", str(backend_python)
        began = time.monotonic()
        bpy.ops.relightify.reconstruct(filepath=str(photo))
        print(f"Photo to head in Blender: {time.monotonic() - began:.1f} s", flush=True)
        head = bpy.context.view_layer.objects[photo.stem]
        prepare_cycles()
        frame_in_photo_camera(head)
        bpy.ops.wm.save_as_mainfile(filepath=str(out / "head.blend"))
        render(out / "render_photo_light.png")
        bpy.ops.relightify.relight(light=STUDIO_LIGHT)
        look_from_the_side(head)
        render(out / f"render_{STUDIO_LIGHT}.png")
    finally:
        # Blender 4.2 crashes and 4.5 hangs at exit with an add-on still registered.
        addon_utils.disable(MODULE)


def install() -> None:
    """Build the zip for this machine and install it as a user would."""
    sys.path.insert(0, str(ROOT))
    import build_addon

    with tempfile.TemporaryDirectory() as folder:
        if build_addon.main(["--no-backend", "--out", folder]):
            raise SystemExit("The extension could not be built.")
        archive = next(Path(folder).glob("*.zip"))
        bpy.ops.extensions.package_install_files(filepath=str(archive), repo="user_default", enable_on_install=True)
    if not addon_utils.check(MODULE)[1]:
        raise SystemExit("The extension could not be enabled.")


def prepare_cycles() -> None:
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = SAMPLES
    scene.cycles.use_denoising = True


def frame_in_photo_camera(head: bpy.types.Object) -> None:
    """Render only the part of the photo's frame that the head covers, at a size to look at."""
    scene = bpy.context.scene
    bpy.context.view_layer.update()
    seen = [world_to_camera_view(scene, scene.camera, head.matrix_world @ v.co) for v in head.data.vertices]
    low_x, high_x = min(p.x for p in seen), max(p.x for p in seen)
    low_y, high_y = min(p.y for p in seen), max(p.y for p in seen)
    margin_x, margin_y = 0.12 * (high_x - low_x), 0.12 * (high_y - low_y)
    render = scene.render
    render.use_border = render.use_crop_to_border = True
    render.border_min_x, render.border_max_x = max(0.0, low_x - margin_x), min(1.0, high_x + margin_x)
    render.border_min_y, render.border_max_y = max(0.0, low_y - margin_y), min(1.0, high_y + margin_y)
    rows = (render.border_max_y - render.border_min_y) * render.resolution_y
    render.resolution_percentage = max(1, round(100 * SIDE_PX / rows))


def look_from_the_side(head: bpy.types.Object) -> None:
    """A portrait from 25 degrees to the side, with a portrait lens."""
    scene = bpy.context.scene
    target = head.matrix_world @ Vector((0.0, 0.03, -0.035))
    distance, angle = 1.15, math.radians(25)
    camera = bpy.data.objects.new("Side camera", bpy.data.cameras.new("Side camera"))
    scene.collection.objects.link(camera)
    camera.data.lens = 85
    camera.location = target + distance * Vector((math.sin(angle), -math.cos(angle), 0.04))
    camera.rotation_euler = (target - camera.location).to_track_quat("-Z", "Y").to_euler()
    scene.camera = camera
    scene.render.use_border = False
    scene.render.resolution_x = scene.render.resolution_y = SIDE_PX
    scene.render.resolution_percentage = 100


def render(path: Path) -> None:
    bpy.context.scene.render.filepath = str(path)
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    if len(sys.argv) != 4:
        raise SystemExit(__doc__)
    main(*(Path(argument).absolute() for argument in sys.argv[1:]))
