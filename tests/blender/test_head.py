"""The mesh, its materials and its parts."""

from __future__ import annotations

from types import SimpleNamespace

import bpy
import numpy as np
import pytest

from tests.blender import finished_job


def coordinates(head: bpy.types.Object) -> np.ndarray:
    values = np.zeros(len(head.data.vertices) * 3, np.float32)
    head.data.vertices.foreach_get("co", values)
    return values.reshape(-1, 3)


def source(socket: bpy.types.NodeSocket) -> bpy.types.Node:
    assert socket.is_linked, f"{socket.name} is not wired"
    return socket.links[0].from_node


def principled(material: bpy.types.Material) -> bpy.types.Node:
    return next(n for n in material.node_tree.nodes if n.type == "BSDF_PRINCIPLED")


def test_head_is_all_quads_and_smooth_with_a_subdivision(imported: SimpleNamespace) -> None:
    mesh = imported.head.data
    sizes = {len(p.vertices) for p in mesh.polygons}
    assert sizes == {4}
    assert all(p.use_smooth for p in mesh.polygons)
    (modifier,) = imported.head.modifiers
    assert (modifier.type, modifier.levels, modifier.render_levels) == ("SUBSURF", 1, 2)


def test_subdivision_leaves_the_teeth_their_length(imported: SimpleNamespace) -> None:
    mesh = imported.head.data
    names = imported.head["relightify_parts"].split(",")
    teeth = {i for p in mesh.polygons if p.material_index == names.index("teeth") for i in p.vertices}
    creased = mesh.attributes["crease_edge"].data
    sharp = {i for edge in mesh.edges if creased[edge.index].value > 0 for i in edge.vertices}
    assert sharp
    assert sharp < teeth
    # A smile leaves the teeth where they are.
    evaluated = imported.head.evaluated_get(bpy.context.evaluated_depsgraph_get())
    shaped = np.array([v.co for v in evaluated.to_mesh().vertices])
    corners = coordinates(imported.head)[sorted(sharp)]
    middle = corners[np.abs(corners[:, 0]) < 0.006]
    distance = np.linalg.norm(middle[:, None] - shaped[None], axis=-1).min(axis=1)
    assert distance.max() < 0.001


def test_face_looks_along_minus_y_with_z_up_at_true_scale(imported: SimpleNamespace) -> None:
    mesh = finished_job.head_mesh()
    skin = np.unique(mesh.quads[mesh.face_part == 0])
    points, wanted = coordinates(imported.head)[skin], mesh.vertices[skin]
    np.testing.assert_allclose(points[:, 0], wanted[:, 0], atol=1e-6)
    np.testing.assert_allclose(points[:, 1], -wanted[:, 2], atol=1e-6)
    np.testing.assert_allclose(points[:, 2], wanted[:, 1], atol=1e-6)


def test_normals_point_outwards(imported: SimpleNamespace) -> None:
    skin = [p for p in imported.head.data.polygons if p.material_index == 0]
    crown = max(skin, key=lambda p: p.center.z)
    assert crown.normal.z > 0.7


def test_shape_keys_are_the_arkit_names_with_the_photos_weights(imported: SimpleNamespace) -> None:
    mesh = finished_job.head_mesh()
    blocks = imported.head.data.shape_keys.key_blocks
    assert [k.name for k in blocks] == ["Basis", *map(str, mesh.expression_names)]
    np.testing.assert_allclose([k.value for k in blocks[1:]], mesh.expression_weights, atol=1e-6)
    opened = np.zeros(len(blocks["jawOpen"].data) * 3, np.float32)
    blocks["jawOpen"].data.foreach_get("co", opened)
    offsets = opened.reshape(-1, 3) - coordinates(imported.head)
    wanted = mesh.expression_offsets[list(mesh.expression_names).index("jawOpen")]
    skin = np.unique(mesh.quads[mesh.face_part == 0])
    np.testing.assert_allclose(offsets[skin, 2], wanted[skin, 1], atol=1e-6)


def test_each_part_has_its_own_material_and_faces(imported: SimpleNamespace) -> None:
    mesh = finished_job.head_mesh()
    materials = imported.head.data.materials
    assert len(materials) == len(mesh.part_names)
    assert len({m.name for m in materials}) == len(materials)
    used = {p.material_index for p in imported.head.data.polygons}
    assert used == set(range(len(mesh.part_names)))


def test_skin_keeps_vertex_numbers_and_texture_coordinates(imported: SimpleNamespace) -> None:
    mesh = finished_job.head_mesh()
    data = imported.head.data
    ids = np.zeros(len(data.vertices), np.int32)
    data.attributes["hm08_vertex_id"].data.foreach_get("value", ids)
    np.testing.assert_array_equal(ids[: len(mesh.vertices)], mesh.hm08_vertex_ids)
    assert set(ids[len(mesh.vertices) :]) == {-1}
    polygon = data.polygons[0]
    found = [tuple(data.uv_layers[0].data[i].uv) for i in polygon.loop_indices]
    np.testing.assert_allclose(found, mesh.uv[mesh.uv_quads[0]], atol=1e-6)


def test_skin_maps_are_wired_with_their_colour_spaces(imported: SimpleNamespace) -> None:
    shader = principled(imported.head.data.materials[0])
    diffuse = source(shader.inputs["Base Color"])
    specular = source(shader.inputs["Specular IOR Level"])
    normal_map = source(shader.inputs["Normal"])
    normal = source(normal_map.inputs["Color"])
    assert normal_map.type == "NORMAL_MAP"
    spaces = [n.image.colorspace_settings.name for n in (diffuse, specular, normal)]
    assert spaces == ["sRGB", "Non-Color", "Non-Color"]
    assert all(n.image.packed_file for n in (diffuse, specular, normal))
    assert shader.inputs["Subsurface Weight"].default_value > 0
    # F0 = 0.08 x level holds for an index of 1.5 only, and that is how the map is encoded.
    assert shader.inputs["IOR"].default_value == pytest.approx(1.5)
    deepest = shader.inputs["Subsurface Scale"].default_value * max(shader.inputs["Subsurface Radius"].default_value)
    assert 0.0005 < deepest < 0.006, "light travels millimetres in skin"


def test_specular_map_arrives_as_it_was_encoded(imported: SimpleNamespace) -> None:
    image = source(principled(imported.head.data.materials[0]).inputs["Specular IOR Level"]).image
    pixels = np.zeros(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    np.testing.assert_allclose(pixels.reshape(-1, image.channels)[:, 0], 0.35, atol=1e-4)


def test_eyes_turn_as_rigid_balls(installed: SimpleNamespace) -> None:
    mesh = finished_job.head_mesh()
    geometry = installed.anatomy.geometry.head_geometry(mesh)
    index = geometry.part_names.index("eye_left")
    ring = np.unique(geometry.quads[geometry.face_part == index])
    look = geometry.shape_offsets[geometry.shape_names.index("eyeLookInLeft")][ring]
    rest = geometry.vertices[ring] - geometry.vertices[ring].mean(0)
    turned = geometry.vertices[ring] + look
    turned = turned - turned.mean(0)
    # Kabsch: what is left after the best rotation is what the shape does besides turning.
    u, _, v = np.linalg.svd(turned.T @ rest)
    left = turned - rest @ (u @ v).T
    assert np.abs(look).max() > 0.001
    assert np.linalg.norm(left, axis=1).max() < 0.0006


def test_iris_shows_the_photos_colour(imported: SimpleNamespace) -> None:
    material = next(m for m in imported.head.data.materials if m.name.endswith("eye left"))
    image = source(principled(material).inputs["Base Color"]).image
    pixels = np.zeros(len(image.pixels), np.float32)
    image.pixels.foreach_get(pixels)
    pixels = pixels.reshape(*reversed(image.size), image.channels)
    middle = image.size[0] // 2
    pupil = pixels[middle, middle, :3]
    white = pixels[middle, int(image.size[0] * 0.08), :3]
    assert pupil.max() < 0.1
    assert white.min() > 0.35
    assert principled(material).inputs["Coat Weight"].default_value == 1.0


def test_vertex_groups_are_where_they_are_called(imported: SimpleNamespace) -> None:
    head, at = imported.head, coordinates(imported.head)
    weights = {}
    for group in head.vertex_groups:
        weights[group.name] = np.zeros(len(at), np.float32)
    for vertex in head.data.vertices:
        for element in vertex.groups:
            weights[head.vertex_groups[element.group].name][vertex.index] = element.weight
    names = ["Face", "Lips", "Lids", "Ears", "Scalp", "Neck", "Eyes", "Teeth", "Tongue", "Lashes"]
    assert list(weights) == names
    middle = {name: at[values > 0.5].mean(0) for name, values in weights.items()}
    for name in names:
        assert abs(middle[name][0]) < 0.004, f"{name} is the same on both sides"
    # From between the eyes: the face looks along -y, z is up.
    assert middle["Neck"][2] < middle["Lips"][2] < -0.05 < middle["Lids"][2]
    assert at[weights["Scalp"] > 0.5][:, 2].max() == pytest.approx(at[:, 2].max())
    assert middle["Face"][1] < middle["Ears"][1] < middle["Scalp"][1] + 0.05
    lids = at[weights["Lids"] > 0.5]
    assert np.abs(lids[:, 2]).max() < 0.03
    assert set(np.unique(weights["Teeth"])) == {0.0, 1.0}


def test_solid_view_tells_the_parts_apart(imported: SimpleNamespace) -> None:
    parts = imported.head["relightify_parts"].split(",")
    colours = dict(zip(parts, (np.array(m.diffuse_color) for m in imported.head.data.materials), strict=True))
    # The skin is that of the map.
    np.testing.assert_allclose(colours["skin"][:3], (0.52, 0.29, 0.20), atol=0.04)
    assert colours["teeth"].min() > 0.5
    assert colours["lashes"][:3].max() < 0.1
    assert colours["tongue"][0] > 2 * colours["tongue"][1]


def test_seams_are_where_the_texture_is_cut(imported: SimpleNamespace) -> None:
    mesh = imported.head.data
    seams = np.zeros(len(mesh.edges), bool)
    mesh.edges.foreach_get("use_seam", seams)
    assert 50 < seams.sum() < 0.1 * len(seams)
    cut: dict[tuple[int, int], set[tuple[float, ...]]] = {}
    layer = mesh.uv_layers[0].uv
    for polygon in mesh.polygons:
        loops = list(polygon.loop_indices)
        for a, b in zip(loops, [*loops[1:], loops[0]], strict=True):
            ends = sorted((mesh.loops[k].vertex_index, tuple(round(x, 4) for x in layer[k].vector)) for k in (a, b))
            cut.setdefault((ends[0][0], ends[1][0]), set()).add((*ends[0][1], *ends[1][1]))
    wanted = [len(cut[tuple(sorted(edge.vertices))]) > 1 for edge in mesh.edges]
    assert (seams == np.array(wanted)).mean() > 0.999


def test_every_part_has_its_texture_inside_the_unit_square(imported: SimpleNamespace) -> None:
    mesh = imported.head.data
    uv = np.zeros(2 * len(mesh.loops), np.float32)
    mesh.uv_layers[0].uv.foreach_get("vector", uv)
    assert uv.min() >= 0
    assert uv.max() <= 1
