"""Render heads for a contact sheet: ``blender -b -P render_batch.py -- JOB.json``, or by a Python with bpy.

The job lists folders of heads and the pictures to make. It imports nothing of this project.
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
from mathutils import Vector

SIDE_PX, SAMPLES, LIGHT, TURN_DEGREES = 336, 24, "forest", 60.0
YAW_DEGREES, DISTANCE_M, LENS_MM = 25.0, 1.0, 125.0
BACKDROP = (0.05, 0.05, 0.05, 1.0)  # linear; seen by the camera alone
IRIS_M, PUPIL_M, IRIS_LINEAR = 0.006, 0.0022, (0.06, 0.03, 0.015, 1.0)
ROUGHNESS, SUBSURFACE, SUBSURFACE_M = 0.45, 0.1, 0.006


def main(job_path: Path) -> None:
    for head in json.loads(job_path.read_text(encoding="utf-8")):
        scene = new_scene()
        bpy.ops.wm.obj_import(filepath=str(Path(head["folder"]) / "head.obj"), forward_axis="NEGATIVE_Z", up_axis="Y")
        for material in bpy.data.materials:
            if material.name.startswith("skin"):
                dress(material, Path(head["folder"]))
            if material.name.startswith("eye"):
                give_iris(material)
        look_at_the_face(scene)
        scene.render.filepath = head["picture"]
        bpy.ops.render.render(write_still=True)
        print("rendered", head["picture"], flush=True)


def new_scene() -> bpy.types.Scene:
    bpy.ops.wm.read_factory_settings(use_empty=True)
    scene = bpy.context.scene
    scene.render.engine, scene.cycles.device = "CYCLES", "CPU"
    scene.cycles.samples, scene.cycles.use_denoising = SAMPLES, True
    scene.render.resolution_x = scene.render.resolution_y = SIDE_PX
    scene.render.image_settings.file_format, scene.render.image_settings.quality = "JPEG", 90
    scene.view_settings.view_transform = "Standard"
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    tree = scene.world.node_tree
    environment, mapping = tree.nodes.new("ShaderNodeTexEnvironment"), tree.nodes.new("ShaderNodeMapping")
    folder = Path(bpy.utils.system_resource("DATAFILES")) / "studiolights" / "world"
    environment.image = bpy.data.images.load(str(folder / f"{LIGHT}.exr"))
    mapping.inputs["Rotation"].default_value[2] = math.radians(TURN_DEGREES)
    coordinates = tree.nodes.new("ShaderNodeTexCoord")
    tree.links.new(coordinates.outputs["Generated"], mapping.inputs["Vector"])
    tree.links.new(mapping.outputs["Vector"], environment.inputs["Vector"])
    tree.links.new(environment.outputs["Color"], tree.nodes["Background"].inputs["Color"])
    backdrop, rays = tree.nodes.new("ShaderNodeBackground"), tree.nodes.new("ShaderNodeLightPath")
    backdrop.inputs["Color"].default_value = BACKDROP
    mix = tree.nodes.new("ShaderNodeMixShader")
    tree.links.new(rays.outputs["Is Camera Ray"], mix.inputs[0])
    tree.links.new(tree.nodes["Background"].outputs[0], mix.inputs[1])
    tree.links.new(backdrop.outputs[0], mix.inputs[2])
    tree.links.new(mix.outputs[0], tree.nodes["World Output"].inputs["Surface"])
    scene.camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    scene.camera.data.lens = LENS_MM
    scene.collection.objects.link(scene.camera)
    return scene


def dress(material: bpy.types.Material, folder: Path) -> None:
    """The skin's maps on Principled BSDF."""
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    shader, output = tree.nodes.new("ShaderNodeBsdfPrincipled"), tree.nodes.new("ShaderNodeOutputMaterial")
    tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    shader.inputs["Roughness"].default_value = ROUGHNESS
    shader.inputs["Subsurface Weight"].default_value = SUBSURFACE
    shader.inputs["Subsurface Scale"].default_value = SUBSURFACE_M

    def image(name: str, space: str) -> bpy.types.NodeSocket:
        node = tree.nodes.new("ShaderNodeTexImage")
        node.image = bpy.data.images.load(str(folder / name))
        node.image.colorspace_settings.name = space
        return node.outputs["Color"]

    tree.links.new(image("diffuse_albedo.png", "sRGB"), shader.inputs["Base Color"])
    tree.links.new(image("specular_albedo.png", "Non-Color"), shader.inputs["Specular IOR Level"])
    normal = tree.nodes.new("ShaderNodeNormalMap")
    tree.links.new(image("normal.png", "Non-Color"), normal.inputs["Color"])
    tree.links.new(normal.outputs["Normal"], shader.inputs["Normal"])


def give_iris(material: bpy.types.Material) -> None:
    """Paint iris and pupil about the foremost point of the eyeball that has the material."""
    points = [
        thing.matrix_world @ thing.data.vertices[index].co
        for thing in bpy.data.objects
        if thing.type == "MESH"
        for face in thing.data.polygons
        if thing.material_slots[face.material_index].material == material
        for index in face.vertices
    ]
    material.use_nodes = True
    tree = material.node_tree
    shader = tree.nodes["Principled BSDF"]
    shader.inputs["Roughness"].default_value = 0.05
    place, distance = tree.nodes.new("ShaderNodeNewGeometry"), tree.nodes.new("ShaderNodeVectorMath")
    distance.operation = "DISTANCE"
    distance.inputs[1].default_value = min(points, key=lambda point: point.y)
    tree.links.new(place.outputs["Position"], distance.inputs[0])
    scaled, ramp = tree.nodes.new("ShaderNodeMath"), tree.nodes.new("ShaderNodeValToRGB")
    scaled.operation = "DIVIDE"
    scaled.inputs[1].default_value = 2 * IRIS_M
    tree.links.new(distance.outputs["Value"], scaled.inputs[0])
    tree.links.new(scaled.outputs[0], ramp.inputs["Fac"])
    ramp.color_ramp.interpolation = "CONSTANT"
    first, last = ramp.color_ramp.elements
    first.color, last.color, last.position = (0, 0, 0, 1), (0.75, 0.72, 0.7, 1), 0.5
    ramp.color_ramp.elements.new(PUPIL_M / (2 * IRIS_M)).color = IRIS_LINEAR
    tree.links.new(ramp.outputs["Color"], shader.inputs["Base Color"])


def look_at_the_face(scene: bpy.types.Scene) -> None:
    yaw = math.radians(YAW_DEGREES)
    target = Vector((0.0, 0.02, -0.03))
    away = Vector((math.sin(yaw), -math.cos(yaw), 0.05)).normalized()
    scene.camera.location = target + DISTANCE_M * away
    scene.camera.rotation_euler = (-away).to_track_quat("-Z", "Y").to_euler()


if __name__ == "__main__":
    main(Path(sys.argv[-1]))
