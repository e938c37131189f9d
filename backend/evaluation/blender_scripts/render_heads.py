"""Render heads with known maps in Cycles: ``python render_heads.py JOB.json`` with a Python that has Blender's `bpy`.

The job lists heads (npz files with meshes, image files of their maps) and views; every picture goes to the job's
folder. A renderer that training never used, so that its pictures are a fair test. Blender's Python runs it
as a script and nothing imports it, so DESIGN.md section 2 holds for all that is imported: `backend` stays importable
without Blender. It imports nothing of this project. `tests/test_import_directions.py` allows `bpy` just here.
"""

from __future__ import annotations

import json
import math
import os
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("BLENDER_USER_RESOURCES", tempfile.mkdtemp())

import bpy
import numpy as np
from mathutils import Vector

ROUGHNESS = 0.42
WHITE_LEVEL = 0.9  # linear value of a white card that faces the camera: how the pictures are exposed
EYE_LEVEL_OFFSET_M = -0.03
# World's level, lamp, its strength, its size (degrees of a sun, metres of a lamp) and its place.
HARD = {
    "side": (0.12, "SUN", 3.0, 1.5, (1.0, -0.35, 0.35)),
    "lamp": (0.06, "POINT", 8.0, 0.03, (-0.28, -0.38, 0.08)),
    "hat": (0.3, "SUN", 3.0, 1.0, (0.15, -0.8, 1.1)),
}


def main(job_path: Path) -> None:
    job = json.loads(job_path.read_text())
    folder = job_path.parent
    for head in job["heads"]:
        missing = [v for v in job["views"] if not (folder / picture_name(head, v)).exists()]
        if not missing:
            continue
        scene = new_scene(job)
        build_head(folder, head)
        for view in missing:
            place_camera(scene, view)
            light_scene(scene, view)
            expose(scene, folder)
            render(scene, folder / picture_name(head, view))
            print("rendered", picture_name(head, view), flush=True)


def picture_name(head: dict, view: dict) -> str:
    return f"{head['name']}_{view['name']}.png"


def new_scene(job: dict) -> bpy.types.Scene:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine = "CYCLES"
    scene.cycles.device = "CPU"
    scene.cycles.samples = job["samples"]
    scene.cycles.use_denoising = True
    scene.cycles.seed = 0
    scene.cycles.max_bounces = 4
    scene.render.threads_mode = "FIXED"
    scene.render.threads = job["threads"]
    scene.render.resolution_x = scene.render.resolution_y = job["side"]
    scene.render.image_settings.color_mode = "RGB"
    scene.view_settings.view_transform = "Standard"
    scene.view_settings.look = "None"
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.data.lens = 85.0
    scene.collection.objects.link(scene.camera)
    return scene


def to_blender(points: np.ndarray) -> np.ndarray:
    """Head space (y up, looks along +z) to Blender's (z up, looks along -y)."""
    return np.stack([points[:, 0], -points[:, 2], points[:, 1]], axis=1)


def build_head(folder: Path, head: dict) -> None:
    skin = skin_material(folder, head)
    eye = eye_material(folder, head)
    with np.load(folder / head["meshes"]) as meshes:
        for part in ("head", "left_eye", "right_eye"):
            mesh = bpy.data.meshes.new(part)
            triangles = meshes[f"{part}_faces"]
            mesh.from_pydata(to_blender(meshes[f"{part}_vertices"]).tolist(), [], triangles.tolist())
            layer = mesh.uv_layers.new(name="UVMap")
            uv = meshes[f"{part}_uv"][triangles.reshape(-1)]
            layer.data.foreach_set("uv", np.ascontiguousarray(uv, np.float32).reshape(-1))
            mesh.shade_smooth()
            if part == "head":
                normals = to_blender(meshes["head_normals"].astype(np.float64))
                mesh.normals_split_custom_set_from_vertices(normals.tolist())
            mesh.materials.append(skin if part == "head" else eye)
            bpy.context.scene.collection.objects.link(bpy.data.objects.new(part, mesh))


def image_node(tree: bpy.types.NodeTree, path: Path, is_colour: bool) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(path.resolve()))
    node.image.colorspace_settings.name = "sRGB" if is_colour else "Non-Color"
    return node


def skin_material(folder: Path, head: dict) -> bpy.types.Material:
    material = bpy.data.materials.new("skin")
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = ROUGHNESS
    tree.links.new(image_node(tree, folder / head["albedo"], True).outputs["Color"], shader.inputs["Base Color"])
    specular = image_node(tree, folder / head["specular"], False)
    tree.links.new(specular.outputs["Color"], shader.inputs["Specular IOR Level"])
    normal_map = tree.nodes.new("ShaderNodeNormalMap")
    normal = image_node(tree, folder / head["normal"], False)
    tree.links.new(normal.outputs["Color"], normal_map.inputs["Color"])
    tree.links.new(normal_map.outputs["Normal"], shader.inputs["Normal"])
    return material


def eye_material(folder: Path, head: dict) -> bpy.types.Material:
    material = bpy.data.materials.new("eye")
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.1
    tree.links.new(image_node(tree, folder / head["albedo"], True).outputs["Color"], shader.inputs["Base Color"])
    return material


def place_camera(scene: bpy.types.Scene, view: dict) -> None:
    yaw, pitch, distance = math.radians(view["yaw"]), math.radians(view["pitch"]), view["distance"]
    target = Vector((0.0, 0.03, EYE_LEVEL_OFFSET_M))
    away = Vector((math.sin(yaw) * math.cos(pitch), -math.cos(yaw) * math.cos(pitch), math.sin(pitch)))
    scene.camera.location = target + distance * away
    scene.camera.rotation_euler = (-away).to_track_quat("-Z", "Y").to_euler()


def light_scene(scene: bpy.types.Scene, view: dict) -> None:
    """One of Blender's own environments, turned; or lamps before a dim grey room."""
    for thing in [o for o in bpy.data.objects if o.type == "LIGHT" or o.name.startswith("brim")]:
        bpy.data.objects.remove(thing)
    tree = scene.world.node_tree
    tree.nodes.clear()
    background = tree.nodes.new("ShaderNodeBackground")
    output = tree.nodes.new("ShaderNodeOutputWorld")
    tree.links.new(background.outputs["Background"], output.inputs["Surface"])
    if view["light"] == "area":
        background.inputs["Color"].default_value = (0.25, 0.25, 0.27, 1)
        for side, energy in ((-0.9, 14.0), (1.2, 5.0)):
            data = bpy.data.lights.new("area", "AREA")
            data.energy, data.size = energy, 0.7
            lamp = bpy.data.objects.new("area", data)
            lamp.location = (side, -1.1, 0.5)
            lamp.rotation_euler = Vector((-side, 1.1, -0.5)).to_track_quat("-Z", "Y").to_euler()
            scene.collection.objects.link(lamp)
        return
    if view["light"] in HARD:
        level, kind, strength, size, place = HARD[view["light"]]
        background.inputs["Color"].default_value = (level, level, level, 1)
        data = bpy.data.lights.new("hard", kind)
        data.energy = strength
        if kind == "SUN":
            data.angle = math.radians(size)
        else:
            data.shadow_soft_size = size
        lamp = bpy.data.objects.new("hard", data)
        lamp.location = place
        lamp.rotation_euler = (-Vector(place)).to_track_quat("-Z", "Y").to_euler()
        scene.collection.objects.link(lamp)
        if view["light"] == "hat":
            wear_brim(scene, radius=0.112)
        return
    folder = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights" / "world"
    environment = tree.nodes.new("ShaderNodeTexEnvironment")
    environment.image = bpy.data.images.load(str(folder / f"{view['light']}.exr"), check_existing=True)
    mapping = tree.nodes.new("ShaderNodeMapping")
    mapping.inputs["Rotation"].default_value[2] = math.radians(view["turn"])
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], environment.inputs["Vector"])
    tree.links.new(environment.outputs["Color"], background.inputs["Color"])


def wear_brim(scene: bpy.types.Scene, radius: float) -> None:
    """The brim of a hat, which the camera does not see but its shadow."""
    mesh = bpy.data.meshes.new("brim")
    points = [(radius * math.cos(t), radius * math.sin(t) - 0.03, 0.075) for t in np.linspace(0, 2 * math.pi, 48)[:-1]]
    mesh.from_pydata(points, [], [tuple(range(len(points)))])
    brim = bpy.data.objects.new("brim", mesh)
    brim.visible_camera = False
    scene.collection.objects.link(brim)


def expose(scene: bpy.types.Scene, folder: Path) -> None:
    """Set the exposure so that a white card in the face's place, facing the camera, shows `WHITE_LEVEL`."""
    heads = [o for o in scene.collection.objects if o.type == "MESH"]
    card = white_card(scene)
    for o in heads:
        o.hide_render = True
    side, samples = scene.render.resolution_x, scene.cycles.samples
    scene.render.resolution_x = scene.render.resolution_y = 16
    scene.cycles.samples, scene.cycles.use_denoising = 128, False
    scene.view_settings.exposure = 0.0
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.render.filepath = str((folder / "card.exr").resolve())
    bpy.ops.render.render(write_still=True)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.empty(16 * 16 * 4, np.float32)
    image.pixels.foreach_get(pixels)
    level = float(pixels.reshape(16, 16, 4)[4:12, 4:12, :3].mean())
    bpy.data.images.remove(image)
    bpy.data.objects.remove(card)
    for o in heads:
        o.hide_render = False
    scene.render.resolution_x = scene.render.resolution_y = side
    scene.cycles.samples, scene.cycles.use_denoising = samples, True
    scene.view_settings.exposure = math.log2(WHITE_LEVEL / max(level, 1e-6))


def white_card(scene: bpy.types.Scene) -> bpy.types.Object:
    mesh = bpy.data.meshes.new("card")
    corners = [(-0.3, -0.3, 0), (0.3, -0.3, 0), (0.3, 0.3, 0), (-0.3, 0.3, 0)]
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    material = bpy.data.materials.new("white")
    material.use_nodes = True
    material.node_tree.nodes.clear()
    diffuse = material.node_tree.nodes.new("ShaderNodeBsdfDiffuse")
    diffuse.inputs["Color"].default_value = (1, 1, 1, 1)
    output = material.node_tree.nodes.new("ShaderNodeOutputMaterial")
    material.node_tree.links.new(diffuse.outputs["BSDF"], output.inputs["Surface"])
    mesh.materials.append(material)
    card = bpy.data.objects.new("card", mesh)
    card.rotation_euler = scene.camera.rotation_euler
    card.location = (0, -0.05, EYE_LEVEL_OFFSET_M)
    scene.collection.objects.link(card)
    return card


def render(scene: bpy.types.Scene, path: Path) -> None:
    scene.render.image_settings.file_format = "PNG"
    scene.render.image_settings.color_depth = "8"
    scene.render.filepath = str(path.resolve())
    bpy.ops.render.render(write_still=True)


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
