"""Runs in a Blender of its own, with another OpenColorIO configuration: imports a head, and writes what it found."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

os.environ["BLENDER_USER_RESOURCES"] = tempfile.mkdtemp()
ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import bpy  # isort: skip  # noqa: E402
import numpy as np  # noqa: E402

from blender_addon.export.surfaces import surface_of  # noqa: E402
from blender_addon.light.relight import PHOTO, PLAIN, LightChoice, light_scene  # noqa: E402
from blender_addon.scene import colour  # noqa: E402
from blender_addon.scene.importer import import_head  # noqa: E402
from blender_addon.scene.world import ENVIRONMENT, node_for  # noqa: E402
from tests.blender import finished_job  # noqa: E402

scene = bpy.context.scene
before = scene.view_settings.view_transform
done = import_head(scene, "Ada", finished_job.head_mesh(), finished_job.maps(64), finished_job.photo())
node = node_for(done.world, ENVIRONMENT)
assert node is not None
radiance = np.array(node.image.pixels[:]).reshape(*finished_job.environment().shape[:2], 4)[::-1, :, :3]
skin = done.head.data.materials[0]
spaces = {
    n.get("relightify_map"): n.image.colorspace_settings.name for n in skin.node_tree.nodes if n.type == "TEX_IMAGE"
}
views = [scene.view_settings.view_transform]
for source in (PLAIN, PHOTO):
    light_scene(scene, done.head, LightChoice(source))
    views.append(scene.view_settings.view_transform)
tongue = next(m for m in done.head.data.materials if m["relightify_part"] == "tongue")
print(
    "FOUND",
    json.dumps(
        {
            "before": before,
            "views": views,
            "spaces": spaces,
            "radiance": radiance.mean((0, 1)).tolist(),
            "matrix": colour.scene_linear(np.eye(3)).tolist(),
            "back": colour.rec709(colour.scene_linear(np.eye(3))).tolist(),
            "tongue": surface_of(tongue, "tongue").colour,
        }
    ),
)
sys.stdout.flush()
os._exit(0)
