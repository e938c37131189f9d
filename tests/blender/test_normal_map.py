"""Our normal maps in Cycles: lit like the relief that they stand for."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import bpy
import mathutils
import numpy as np
import pytest

from tests.blender import finished_job
from tests.blender.relief_map import height_mm

ROOT = Path(__file__).resolve().parents[2]
SIDE = 160
# A piece of the cheek in texture coordinates: faces whose corners all lie inside.
WINDOW = ((0.60, 0.72), (0.42, 0.54))
COARSE_LEVELS, FINE_LEVELS = 2, 5
SUNS = {"from the right": (0.9, -0.45, 0.1), "from above": (0.1, -0.5, 0.9)}


@pytest.fixture(scope="module")
def normal_map(tmp_path_factory: pytest.TempPathFactory) -> Path:
    python = os.environ.get("RELIGHTIFY_PYTHON")
    if not python:
        pytest.skip("the backend's Python is not named in RELIGHTIFY_PYTHON")
    path = tmp_path_factory.mktemp("relief") / "normal.png"
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("BLENDER", "PYTHON"))}
    script = [python, "-m", "tests.blender.relief_map", str(path)]
    subprocess.run(script, cwd=ROOT, env=environment, check=True)
    return path


@pytest.mark.parametrize("sun", SUNS)
def test_a_lit_normal_map_looks_like_the_relief_it_stands_for(normal_map: Path, sun: str) -> None:
    bpy.ops.wm.read_homefile(use_empty=True)
    piece = cheek()
    smooth, fine = (subdivided(piece, levels) for levels in (COARSE_LEVELS, FINE_LEVELS))
    displaced = displaced_copy(fine)
    set_up(piece, SUNS[sun])
    plain = rendered(smooth, diffuse(None))
    mapped = rendered(smooth, diffuse(normal_map)) - plain
    truth = rendered(displaced, diffuse(None)) - rendered(fine, diffuse(None))
    inside = np.zeros((SIDE, SIDE), bool)
    inside[SIDE // 4 : -SIDE // 4, SIDE // 4 : -SIDE // 4] = True
    a, b = mapped[inside], truth[inside]
    assert b.std() > 0.01, "the relief does not show"
    assert np.corrcoef(a, b)[0, 1] > 0.99
    assert 0.9 < float(a @ b) / float(b @ b) < 1.1


def cheek() -> bpy.types.Object:
    """The faces of the mean head's cheek as an object with smooth shading and the texture coordinates."""
    mesh = finished_job.head_mesh()
    skin = mesh.face_part == list(mesh.part_names).index("skin")
    corners = mesh.uv[mesh.uv_quads]
    inside = skin & (mesh.quads >= 0).all(1)
    for axis, (low, high) in enumerate(WINDOW):
        inside &= (corners[..., axis] > low).all(1) & (corners[..., axis] < high).all(1)
    used, quads = np.unique(mesh.quads[inside], return_inverse=True)
    # Head space has y up and z to the front; Blender z up, -y to the front.
    points = mesh.vertices[used][:, [0, 2, 1]] * [1, -1, 1]
    data = bpy.data.meshes.new("cheek")
    data.from_pydata(points.tolist(), [], quads.reshape(-1, 4).tolist())
    data.uv_layers.new(name="UVMap").data.foreach_set("uv", corners[inside].astype(np.float32).ravel())
    data.shade_smooth()
    return bpy.data.objects.new("cheek", data)


def subdivided(piece: bpy.types.Object, levels: int) -> bpy.types.Object:
    """A copy, rounded by Catmull-Clark subdivision."""
    copy = bpy.data.objects.new(f"{piece.name} {levels}", piece.data.copy())
    bpy.context.scene.collection.objects.link(copy)
    modifier = copy.modifiers.new("Subdivision", "SUBSURF")
    modifier.levels = modifier.render_levels = levels
    graph = bpy.context.evaluated_depsgraph_get()
    data = bpy.data.meshes.new_from_object(copy.evaluated_get(graph))
    bpy.data.objects.remove(copy)
    return bpy.data.objects.new(f"{piece.name} {levels}", data)


def displaced_copy(piece: bpy.types.Object) -> bpy.types.Object:
    """A copy whose vertices are moved along their normals by the relief."""
    data = piece.data.copy()
    uv = np.empty(2 * len(data.loops), np.float32)
    data.uv_layers[0].data.foreach_get("uv", uv)
    vertex = np.empty(len(data.loops), np.int32)
    data.loops.foreach_get("vertex_index", vertex)
    place, normal = (np.empty(3 * len(data.vertices), np.float32) for _ in range(2))
    data.vertices.foreach_get("co", place)
    data.vertices.foreach_get("normal", normal)
    height = np.zeros(len(data.vertices))
    height[vertex] = height_mm(*uv.reshape(-1, 2).T.astype(np.float64)) / 1000
    moved = place.reshape(-1, 3) + normal.reshape(-1, 3) * height[:, None]
    data.vertices.foreach_set("co", moved.astype(np.float32).ravel())
    data.update()
    return bpy.data.objects.new(f"{piece.name} displaced", data)


def set_up(piece: bpy.types.Object, sun: tuple[float, float, float]) -> None:
    """Camera straight at the piece, one sun, Cycles."""
    scene = bpy.context.scene
    points = np.array([v.co for v in piece.data.vertices])
    normal = np.mean([f.normal for f in piece.data.polygons], axis=0)
    middle, normal = mathutils.Vector(points.mean(0)), mathutils.Vector(normal).normalized()
    camera = bpy.data.objects.new("camera", bpy.data.cameras.new("camera"))
    camera.data.type, camera.data.ortho_scale = "ORTHO", 0.7 * float(np.ptp(points, axis=0).max())
    camera.location = middle + 0.3 * normal
    camera.rotation_euler = normal.to_track_quat("Z", "Y").to_euler()
    lamp = bpy.data.objects.new("sun", bpy.data.lights.new("sun", "SUN"))
    lamp.data.energy, lamp.data.angle = 5.0, 0.0
    lamp.rotation_euler = (mathutils.Vector(sun) + normal).to_track_quat("Z", "Y").to_euler()
    for thing in (camera, lamp):
        scene.collection.objects.link(thing)
    scene.camera = camera
    scene.render.engine, scene.cycles.samples, scene.cycles.use_denoising = "CYCLES", 16, False
    scene.render.resolution_x = scene.render.resolution_y = SIDE
    scene.view_settings.view_transform = "Raw"
    scene.render.image_settings.file_format = "OPEN_EXR"
    scene.cycles.max_bounces = 0


def diffuse(normal_map: Path | None) -> bpy.types.Material:
    """White Lambert, with a normal map or without."""
    material = bpy.data.materials.new("white")
    material.use_nodes = True
    tree = material.node_tree
    tree.nodes.clear()
    shader, output = tree.nodes.new("ShaderNodeBsdfDiffuse"), tree.nodes.new("ShaderNodeOutputMaterial")
    shader.inputs["Color"].default_value = (0.8, 0.8, 0.8, 1)
    tree.links.new(shader.outputs["BSDF"], output.inputs["Surface"])
    if normal_map:
        image, node = tree.nodes.new("ShaderNodeTexImage"), tree.nodes.new("ShaderNodeNormalMap")
        image.image = bpy.data.images.load(str(normal_map))
        image.image.colorspace_settings.name = "Non-Color"
        tree.links.new(image.outputs["Color"], node.inputs["Color"])
        tree.links.new(node.outputs["Normal"], shader.inputs["Normal"])
    return material


def rendered(thing: bpy.types.Object, material: bpy.types.Material) -> np.ndarray:
    """Linear luminance float32 [SIDE, SIDE] of one object."""
    scene = bpy.context.scene
    thing.data.materials.clear()
    thing.data.materials.append(material)
    scene.collection.objects.link(thing)
    scene.render.filepath = str(Path(bpy.app.tempdir) / "render.exr")
    bpy.ops.render.render(write_still=True)
    scene.collection.objects.unlink(thing)
    image = bpy.data.images.load(scene.render.filepath)
    pixels = np.empty(SIDE * SIDE * 4, np.float32)
    image.pixels.foreach_get(pixels)
    bpy.data.images.remove(image)
    return pixels.reshape(SIDE, SIDE, 4)[..., 1]
