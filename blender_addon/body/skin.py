"""The skin of a head on a body: its maps in the body's own layout, and one material for all of the body."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import bpy
import numpy as np

from .. import compat
from .._shared import DIFFUSE_ALBEDO, DISPLACEMENT, NORMAL, ROUGHNESS, SPECULAR_ALBEDO, MapSpec
from ..anatomy.paint import linear_from_srgb, smoothstep, srgb_from_linear
from ..anatomy.png import encode_png
from ..export.surfaces import stored_pixels, surface_of
from ..export.textures import Surface
from ..scene.heads import MAP, PART
from ..scene.images import image_from_bytes
from ..scene.mesh import PARTS, UV_NAME
from ..scene.renewing.reshaping import vertex_ids
from ..scene.skin.materials import LID_RIM, MOUTH_TOP, RELIEF, SOLID_COLOURS, THROAT, THROAT_LIGHT, unwire
from .resampling import Texels, covered_texels, levels_of, sampled, texels_across, with_margin

# Attribute of a human's faces: the material slots that they had.
SLOTS = "relightify_body_slot"
# Name of the second layout on the copy of the head's mesh that is drawn.
BODY_UV = "relightify body"
MOUTH_ROUGHNESS = 0.40


@dataclass(frozen=True)
class Layouts:
    """The triangles of a head that a body has too, in both layouts; rows are triangles, then corners.

    Args:
        head_uv: float [T, 3, 2].
        body_uv: float [T, 3, 2].
        points: float [T, 3, 3], in head space.
        normals: float [T, 3, 3].
        head_tangents: float [T, 3, 4], MikkTSpace's, the last its sign.
        body_tangents: float [T, 3, 4].
        is_skin: bool [T], else the lining of mouth and lids.
        weight: float [T, 3, 1], how much of the head there is.
        beside_uv: float [B, 3, 2], the body's layout of its own triangles that touch the head's.
    """

    head_uv: np.ndarray
    body_uv: np.ndarray
    points: np.ndarray
    normals: np.ndarray
    head_tangents: np.ndarray
    body_tangents: np.ndarray
    is_skin: np.ndarray
    weight: np.ndarray
    beside_uv: np.ndarray


def skin_of(head: bpy.types.Object) -> bpy.types.Material | None:
    """The skin's material of a head."""
    return next((m for m in head.data.materials if m is not None and m.get(PART) == "skin"), None)


def dress(
    head: bpy.types.Object, human: bpy.types.Object, neutral: np.ndarray, weight: np.ndarray, size: int
) -> bpy.types.Material | None:
    """Give all of a human the skin of a head: its maps where the head is, the human's own in its tone elsewhere.

    Args:
        head: the head.
        human: with the same faces.
        neutral: float [V, 3], the head's vertices in head space.
        weight: float [V], how much of the head there is at them.
        size: texels a side of the new maps.

    Returns:
        The material in its new slot, or None where the head has no skin or the human no layout.
    """
    skin, layer = skin_of(head), _layout_of(human.data)
    if skin is None or layer is None:
        return None
    material = skin.copy()
    material.name = f"{head.name} on {human.name}"
    files = body_maps(surface_of(skin, "skin"), _layouts(head, human, neutral, weight), own_colour(human), size)
    _put_maps(material, files, layer.name)
    _assign(human.data, material)
    return material


def undress(human: bpy.types.Object, material: bpy.types.Material | None) -> None:
    """Give a human its own materials back."""
    mesh = human.data
    slots = mesh.attributes.get(SLOTS)
    if slots is not None:
        values = np.empty(len(mesh.polygons), np.int32)
        slots.data.foreach_get("value", values)
        mesh.polygons.foreach_set("material_index", values)
        mesh.attributes.remove(slots)
    if material is None:
        return
    places = [index for index, found in enumerate(mesh.materials) if found == material]
    for index in reversed(places):
        mesh.materials.pop(index=index)
    if material.users == 0:
        images = [node.image for node in compat.node_tree_of(material).nodes if node.type == "TEX_IMAGE"]
        bpy.data.materials.remove(material)
        for image in dict.fromkeys(image for image in images if image is not None):
            if image.users == 0:
                bpy.data.images.remove(image)


def own_colour(human: bpy.types.Object) -> np.ndarray | None:
    """The picture of a human's own skin, sRGB-encoded float32 [H, W, 3], or None where its materials show none."""
    nodes = [node for m in human.data.materials if m is not None and m.node_tree for node in _image_nodes(m.node_tree)]
    nodes = [n for n in nodes if min(n.image.size) > 1 and not n.image.colorspace_settings.is_data]
    # MPFB and MakeHuman call it so; other skins have their colour first as a rule.
    named = [n for n in nodes if "diffuse" in f"{n.name} {n.label}".lower()]
    return stored_pixels((named or nodes)[0].image)[..., :3] if nodes else None


def body_maps(skin: Surface, layouts: Layouts, own: np.ndarray | None, size: int) -> dict[str, bytes]:
    """The maps of a body's skin as PNG files by name.

    Args:
        skin: the head's.
        layouts: where its triangles are in both.
        own: the body's own colour, sRGB-encoded [H, W, 3].
        size: texels a side.
    """
    texels = covered_texels(layouts.body_uv, size)
    skin_texels = layouts.is_skin[texels.triangles]
    weight = np.where(skin_texels[:, None], texels.values(layouts.weight), 1.0).astype(np.float32)
    uv = texels.values(layouts.head_uv)
    lining = _lining_colour(texels.values(layouts.points))
    beside = covered_texels(layouts.beside_uv, size)

    def of_head(image: np.ndarray) -> np.ndarray:
        across = texels_across(layouts.head_uv, layouts.body_uv, image.shape[0], size)[texels.triangles]
        return sampled(levels_of(image), uv, across)

    def file(spec: MapSpec, values: np.ndarray, around: np.ndarray) -> bytes:
        return encode_png(_painted(texels, beside, values, around), spec.bits)

    files = {}
    band = (weight[:, 0] > 0.02) & (weight[:, 0] < 0.98) & skin_texels
    band = band if band.any() else skin_texels
    if skin.colour_srgb is None:
        colour = np.broadcast_to(np.array(skin.colour, np.float32), (len(uv), 3))
    else:
        colour = of_head(linear_from_srgb(skin.colour_srgb).astype(np.float32))
    around = _toned(own, texels, colour, band, size)
    mixed = weight * colour + (1 - weight) * around[texels.rows, texels.columns]
    mixed = np.where(skin_texels[:, None], mixed, lining)
    files[DIFFUSE_ALBEDO.name] = file(DIFFUSE_ALBEDO, srgb_from_linear(mixed), srgb_from_linear(around))
    if skin.normal is not None:
        turned = _turned(of_head(2 * skin.normal - 1), texels, layouts)
        flat = np.array([0.0, 0.0, 1.0], np.float32)
        turned = np.where(skin_texels[:, None], weight * turned + (1 - weight) * flat, flat)
        turned /= np.linalg.norm(turned, axis=1, keepdims=True)
        files[NORMAL.name] = file(NORMAL, 0.5 + 0.5 * turned, _plain(0.5 + 0.5 * flat, size))
    for spec, image, inside in (
        (SPECULAR_ALBEDO, skin.specular, 0.3),
        (ROUGHNESS, skin.roughness_map, MOUTH_ROUGHNESS),
    ):
        if image is not None:
            values = of_head(image)
            typical = np.median(values[band], axis=0)
            values = np.where(skin_texels[:, None], weight * values + (1 - weight) * typical, inside)
            files[spec.name] = file(spec, values, _plain(typical, size))
    return files


def _image_nodes(tree: bpy.types.NodeTree) -> Iterator[bpy.types.Node]:
    """The nodes of a tree and its groups that show an image."""
    for node in tree.nodes:
        if node.type == "TEX_IMAGE" and node.image is not None:
            yield node
        elif node.type == "GROUP" and node.node_tree is not None:
            yield from _image_nodes(node.node_tree)


def _layout_of(mesh: bpy.types.Mesh) -> bpy.types.MeshUVLoopLayer | None:
    """The layout that a mesh is rendered with."""
    return next((layer for layer in mesh.uv_layers if layer.active_render), mesh.uv_layers.active)


def _layouts(head: bpy.types.Object, human: bpy.types.Object, neutral: np.ndarray, weight: np.ndarray) -> Layouts:
    mesh = head.data.copy()
    try:
        return _layouts_on(mesh, head[PARTS].split(","), human.data, neutral, weight)
    finally:
        bpy.data.meshes.remove(mesh)


def _layouts_on(
    mesh: bpy.types.Mesh, parts: list[str], body: bpy.types.Mesh, neutral: np.ndarray, weight: np.ndarray
) -> Layouts:
    """See `_layouts`; the mesh is a copy, to which the body's layout is added."""
    mesh.vertices.foreach_set("co", neutral.astype(np.float32).ravel())
    mesh.update()
    body_uv, known = _body_corners(mesh, body)
    layer = mesh.uv_layers.new(name=BODY_UV)
    layer.data.foreach_set("uv", body_uv.astype(np.float32).ravel())
    mesh.calc_loop_triangles()
    loops = np.empty(3 * len(mesh.loop_triangles), np.int32)
    faces = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("loops", loops)
    mesh.loop_triangles.foreach_get("polygon_index", faces)
    slots = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slots)
    vertices = _corners(mesh, "vertex_index", np.int32, 1)[:, 0]
    found = loops.reshape(-1, 3)
    shared = known[found].all(axis=1)
    found, part = found[shared], slots[faces[shared]]
    head_tangents, normals = _tangents(mesh, UV_NAME)
    body_tangents, _ = _tangents(mesh, BODY_UV)
    head_uv = np.empty(2 * len(vertices), np.float32)
    mesh.uv_layers[UV_NAME].data.foreach_get("uv", head_uv)
    return Layouts(
        head_uv=head_uv.reshape(-1, 2)[found],
        body_uv=body_uv[found],
        points=neutral[vertices[found]],
        normals=normals[found],
        head_tangents=head_tangents[found],
        body_tangents=body_tangents[found],
        is_skin=part == parts.index("skin"),
        weight=weight[vertices[found]][..., None],
        beside_uv=_beside(mesh, body),
    )


def _beside(mesh: bpy.types.Mesh, body: bpy.types.Mesh) -> np.ndarray:
    """The triangles of a body, as texture coordinates [B, 3, 2], that touch those of a head but are not its own."""
    ids = vertex_ids(mesh)
    of_head = np.isin(np.arange(len(body.vertices)), ids)
    body.calc_loop_triangles()
    loops = np.empty(3 * len(body.loop_triangles), np.int32)
    body.loop_triangles.foreach_get("loops", loops)
    loops = loops.reshape(-1, 3)
    layer, uv = _layout_of(body), np.empty(2 * len(body.loops), np.float32)
    if layer is None:
        return np.zeros((0, 3, 2), np.float32)
    layer.data.foreach_get("uv", uv)
    corners = of_head[_corners(body, "vertex_index", np.int32, 1)[:, 0][loops]]
    return uv.reshape(-1, 2)[loops[corners.any(axis=1) & ~corners.all(axis=1)]]


def _corners(mesh: bpy.types.Mesh, name: str, kind: type, count: int) -> np.ndarray:
    """A property of a mesh's corners, [L, count]."""
    values = np.empty(count * len(mesh.loops), kind)
    mesh.loops.foreach_get(name, values)
    return values.reshape(-1, count)


def _tangents(mesh: bpy.types.Mesh, layout: str) -> tuple[np.ndarray, np.ndarray]:
    """MikkTSpace's tangents with their signs [L, 4] in a layout, and normals [L, 3]."""
    mesh.calc_tangents(uvmap=layout)
    tangents, signs = _corners(mesh, "tangent", np.float32, 3), _corners(mesh, "bitangent_sign", np.float32, 1)
    normals = _corners(mesh, "normal", np.float32, 3)
    mesh.free_tangents()
    return np.c_[tangents, signs], normals


def _body_corners(mesh: bpy.types.Mesh, body: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """For each corner of a head's mesh the body's texture coordinates [L, 2], and whether the body has it."""
    layer = _layout_of(body)
    uv = np.empty(2 * len(body.loops), np.float32)
    if layer is not None:
        layer.data.foreach_get("uv", uv)
    ids = vertex_ids(mesh)[_corners(mesh, "vertex_index", np.int32, 1)[:, 0]]
    ours, theirs = _face_keys(mesh, ids), _face_keys(body, _corners(body, "vertex_index", np.int32, 1)[:, 0])
    place = {key: loop for loop, key in enumerate(theirs)}
    found = np.array([place.get(key, -1) for key in ours])
    return np.where(found[:, None] >= 0, uv.reshape(-1, 2)[found], 0.0), found >= 0


def _face_keys(mesh: bpy.types.Mesh, of_corner: np.ndarray) -> list[tuple[frozenset[int], int]]:
    """What tells a corner apart in all meshes of the base mesh: the vertices of its face, and its own."""
    keys = []
    for face in mesh.polygons:
        corners = of_corner[face.loop_start : face.loop_start + face.loop_total].tolist()
        whole = frozenset(corners)
        keys += [(whole, corner) for corner in corners]
    return keys


def _lining_colour(points: np.ndarray) -> np.ndarray:
    """Linear colours [n, 3] of the lining of mouth and lids at points of head space, as the head's own material has."""
    light = 1 + smoothstep(THROAT[0], THROAT[1], points[:, 1:2]) * (THROAT_LIGHT - 1)
    above = smoothstep(MOUTH_TOP - 0.01, MOUTH_TOP, points[:, 2:3])
    flesh, rims = np.array(SOLID_COLOURS["mouth"]), np.array(LID_RIM)
    return (np.maximum(light, above) * flesh + above * (rims - flesh)).astype(np.float32)


def _toned(own: np.ndarray | None, texels: Texels, colour: np.ndarray, band: np.ndarray, size: int) -> np.ndarray:
    """The body's own colour, linear [size, size, 3], in the tone that the head's neck has where the two meet."""
    typical = np.median(colour[band], axis=0)
    if own is None:
        return _plain(typical, size)
    levels = levels_of(linear_from_srgb(own).astype(np.float32))
    rows, columns = np.divmod(np.arange(size * size), size)
    uv = np.stack([(columns + 0.5) / size, 1 - (rows + 0.5) / size], axis=1).astype(np.float32)
    around = sampled(levels, uv, np.full(len(uv), own.shape[0] / size)).reshape(size, size, 3)
    there = np.median(around[texels.rows[band], texels.columns[band]], axis=0)
    return np.clip(around * (typical / np.maximum(there, 1e-3)), 0, 1).astype(np.float32)


def _turned(normals: np.ndarray, texels: Texels, layouts: Layouts) -> np.ndarray:
    """Tangent-space normals [n, 3] of the head's layout in the tangent space of the body's."""
    normal = _unit(texels.values(layouts.normals))
    old, old_across = _frame(texels, layouts.head_tangents, normal)
    new, new_across = _frame(texels, layouts.body_tangents, normal)
    direction = normals[:, :1] * old + normals[:, 1:2] * old_across
    return np.stack([(direction * new).sum(1), (direction * new_across).sum(1), normals[:, 2]], axis=1)


def _frame(texels: Texels, tangents: np.ndarray, normal: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Tangent and bitangent [n, 3] in the plane across a normal."""
    tangent = texels.values(tangents[..., :3])
    tangent = _unit(tangent - (tangent * normal).sum(1, keepdims=True) * normal)
    sign = np.where(texels.values(tangents[..., 3:]) < 0, -1.0, 1.0)
    return tangent, sign * np.cross(normal, tangent)


def _unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)


def _plain(value: np.ndarray, size: int) -> np.ndarray:
    return np.broadcast_to(np.asarray(value, np.float32), (size, size, np.size(value)))


def _painted(texels: Texels, beside: Texels, values: np.ndarray, around: np.ndarray) -> np.ndarray:
    """An image like the one around with values at texels, continued a little where neither head nor body is."""
    image, known = np.array(around, np.float32), np.zeros(around.shape[:2], bool)
    image[texels.rows, texels.columns] = values
    for covered in (texels, beside):
        known[covered.rows, covered.columns] = True
    return with_margin(image, known)


def _put_maps(material: bpy.types.Material, files: Mapping[str, bytes], layout: str) -> None:
    """Put maps into the nodes of their roles, which are drawn in a layout."""
    specs = {spec.name: spec for spec in (DIFFUSE_ALBEDO, NORMAL, SPECULAR_ALBEDO, ROUGHNESS)}
    unwire(material, DISPLACEMENT.name, RELIEF)
    for node in compat.node_tree_of(material).nodes:
        spec = specs.get(node.get(MAP, ""))
        if node.type == "TEX_IMAGE" and spec is not None and spec.name in files:
            name = f"{material.name} {node.label.lower() or spec.name}"
            node.image = image_from_bytes(name, files[spec.name], srgb=spec.srgb)
        elif node.type == "NORMAL_MAP":
            node.uv_map = layout


def _assign(mesh: bpy.types.Mesh, material: bpy.types.Material) -> None:
    """Give all faces a material of a new slot, and remember their old ones."""
    values = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", values)
    slots = mesh.attributes.get(SLOTS) or mesh.attributes.new(SLOTS, "INT", "FACE")
    slots.data.foreach_set("value", values)
    mesh.materials.append(material)
    mesh.polygons.foreach_set("material_index", np.full(len(values), len(mesh.materials) - 1, np.int32))
    mesh.update()
