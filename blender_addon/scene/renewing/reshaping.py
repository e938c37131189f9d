"""Giving a head another shape or another mesh, with what the artist has put on the one that it had."""

from __future__ import annotations

import bpy
import numpy as np

from ... import compat
from ..images import remove_unused
from ..mesh import HM08_ATTRIBUTE, PARTS, part_vertices

# What `foreach_get` calls the values of an attribute, and how many numbers each has; texts are left out.
ATTRIBUTE_VALUES = {
    "FLOAT": ("value", 1, np.float32),
    "INT": ("value", 1, np.int32),
    "INT8": ("value", 1, np.int32),
    "BOOLEAN": ("value", 1, bool),
    "FLOAT2": ("vector", 2, np.float32),
    "FLOAT_VECTOR": ("vector", 3, np.float32),
    "FLOAT_COLOR": ("color", 4, np.float32),
    "BYTE_COLOR": ("color", 4, np.float32),
    "QUATERNION": ("value", 4, np.float32),
}

EYES = ("eye_left", "eye_right")
# How far above and below the teeth the inside of the mouth tells how they move, metres.
BESIDE_TEETH = 0.02


def same_topology(a: bpy.types.Mesh, b: bpy.types.Mesh) -> bool:
    """Whether two meshes join the same vertices to the same faces, and both have shape keys."""
    if len(a.vertices) != len(b.vertices) or len(a.loops) != len(b.loops) or len(a.polygons) != len(b.polygons):
        return False
    return bool(a.shape_keys and b.shape_keys) and np.array_equal(corners(a), corners(b))


def corners(mesh: bpy.types.Mesh) -> np.ndarray:
    """The vertex of each corner, int32 [L]."""
    found = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", found)
    return found


def coordinates(points: bpy.types.bpy_prop_collection) -> np.ndarray:
    """The positions of vertices or of a shape key, float32 [3 V]."""
    found = np.empty(3 * len(points), np.float32)
    points.foreach_get("co", found)
    return found


def copy_shape(source: bpy.types.Object, target: bpy.types.Object) -> None:
    """Give the target's mesh and shape keys the coordinates of the source's; keys that the user added move along."""
    new, old = source.data.shape_keys.key_blocks, target.data.shape_keys.key_blocks
    moved = coordinates(new[0].data) - coordinates(old[0].data)
    for index, key in enumerate(old):
        twin = new[0] if index == 0 else new.get(key.name)
        key.data.foreach_set("co", coordinates(twin.data) if twin is not None else coordinates(key.data) + moved)
    for key in list(new)[1:]:
        if key.name not in old:
            added = compat.add_shape_key(target, key.name)
            added.data.foreach_set("co", coordinates(key.data))
    target.data.vertices.foreach_set("co", coordinates(source.data.vertices))
    target.data.update()


def take_over(source: bpy.types.Object, target: bpy.types.Object) -> None:
    """Put what an artist has added to one head's mesh onto another's of the same model, vertex by vertex.

    Vertex groups, attributes with texture coordinates and colours among them, shape keys, drivers and animation; where
    the target has vertices that the source has not, it keeps its own.
    """
    twins = {domain: _twins(rows(source.data, domain), rows(target.data, domain)) for domain in ROWS}
    _take_attributes(source.data, target.data, twins)
    _take_groups(source, target, twins["POINT"])
    if source.data.shape_keys is not None and target.data.shape_keys is not None:
        _take_shape_keys(source, target, twins["POINT"])


def rows(mesh: bpy.types.Mesh, domain: str) -> np.ndarray:
    """What tells the elements of a domain apart in all meshes of the model, int32 [N, K]: the numbers of vertices.

    A row of -1 is an element that no other mesh is known to have.
    """
    ids = vertex_ids(mesh)
    return ROWS[domain](mesh, ids)


def vertex_ids(mesh: bpy.types.Mesh) -> np.ndarray:
    """The vertices' numbers in the MakeHuman base mesh, int32 [V]; -1 where a vertex is Blender's own."""
    ids = np.full(len(mesh.vertices), -1, np.int32)
    attribute = mesh.attributes.get(HM08_ATTRIBUTE)
    if attribute is not None and attribute.domain == "POINT":
        attribute.data.foreach_get("value", ids)
    return ids


def eyeballs(head: bpy.types.Object) -> list[np.ndarray]:
    """The vertices of each eyeball, by the material slots of the head's parts."""
    mesh = head.data
    parts = str(head.get(PARTS, "")).split(",")
    slot, sizes = np.empty(len(mesh.polygons), np.int32), np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("material_index", slot)
    mesh.polygons.foreach_get("loop_total", sizes)
    slot_of_corner, vertices = np.repeat(slot, sizes), corners(mesh)
    return [np.unique(vertices[slot_of_corner == parts.index(eye)]) for eye in EYES if eye in parts]


def carry_along(head: bpy.types.Object, basis: np.ndarray, moved: np.ndarray, known: np.ndarray) -> None:
    """Let what Blender's mesh has instead of the model's own vertices, or besides, go along with those.

    Rows of teeth move as the inside of the mouth beside them does, affinely; other vertices with the nearest. Eyeballs
    are left alone.

    Args:
        head: the head.
        basis: float [V, 3], where its vertices are, metres.
        moved: float [V, 3], by how much; written where it is not known.
        known: bool [V], where it is.
    """
    parts = part_vertices(head)
    teeth, mouth = parts.get("teeth", np.zeros(0, int)), parts.get("mouth", np.zeros(0, int))
    bodies = np.concatenate([teeth, *(parts[eye] for eye in EYES if eye in parts)]).astype(int)
    if len(teeth):
        low, high = basis[teeth][:, 2].min() - BESIDE_TEETH, basis[teeth][:, 2].max() + BESIDE_TEETH
        beside = mouth[known[mouth] & (basis[mouth][:, 2] > low) & (basis[mouth][:, 2] < high)]
        affine = np.linalg.lstsq(np.c_[basis[beside], np.ones(len(beside))], moved[beside], rcond=None)[0]
        moved[teeth] = np.c_[basis[teeth], np.ones(len(teeth))] @ affine
    loose = np.setdiff1d(np.flatnonzero(~known), bodies)
    fixed = np.setdiff1d(np.flatnonzero(known), bodies)
    for vertex in loose:
        moved[vertex] = moved[fixed[np.argmin(np.sum((basis[fixed] - basis[vertex]) ** 2, axis=1))]]


def _point_rows(mesh: bpy.types.Mesh, ids: np.ndarray) -> np.ndarray:
    return ids[:, None]


def _edge_rows(mesh: bpy.types.Mesh, ids: np.ndarray) -> np.ndarray:
    ends = np.empty(2 * len(mesh.edges), np.int32)
    mesh.edges.foreach_get("vertices", ends)
    return _sorted_rows(ids[ends].reshape(-1, 2))


def _face_rows(mesh: bpy.types.Mesh, ids: np.ndarray) -> np.ndarray:
    starts, sizes = (np.empty(len(mesh.polygons), np.int32) for _ in range(2))
    mesh.polygons.foreach_get("loop_start", starts)
    mesh.polygons.foreach_get("loop_total", sizes)
    of_corner = ids[corners(mesh)]
    # Every face of the model has three or four corners; what is left of others tells enough.
    place = starts[:, None] + np.minimum(np.arange(4), sizes[:, None] - 1)
    return _sorted_rows(of_corner[place])


def _corner_rows(mesh: bpy.types.Mesh, ids: np.ndarray) -> np.ndarray:
    sizes = np.empty(len(mesh.polygons), np.int32)
    mesh.polygons.foreach_get("loop_total", sizes)
    of_corner = ids[corners(mesh)]
    faces = np.repeat(_face_rows(mesh, ids), sizes, axis=0)
    return np.where(faces[:, :1] < 0, -1, np.c_[faces, of_corner])


def _sorted_rows(of_element: np.ndarray) -> np.ndarray:
    return np.where((of_element < 0).any(axis=1, keepdims=True), -1, np.sort(of_element, axis=1))


ROWS = {"POINT": _point_rows, "EDGE": _edge_rows, "FACE": _face_rows, "CORNER": _corner_rows}


def _twins(old: np.ndarray, new: np.ndarray) -> np.ndarray:
    """For each new element the number of the old one, int64 [N], or -1."""
    place = {row.tobytes(): index for index, row in enumerate(np.ascontiguousarray(old)) if row[0] >= 0}
    return np.array([place.get(row.tobytes(), -1) for row in np.ascontiguousarray(new)], np.int64)


def _take_attributes(source: bpy.types.Mesh, target: bpy.types.Mesh, twins: dict[str, np.ndarray]) -> None:
    for name in [a.name for a in source.attributes if not a.is_internal and a.name not in target.attributes]:
        old = source.attributes[name]
        if old.data_type not in ATTRIBUTE_VALUES or old.domain not in twins:
            continue
        values, count, dtype = ATTRIBUTE_VALUES[old.data_type]
        new = target.attributes.new(name, old.data_type, old.domain)
        had = np.empty(len(old.data) * count, dtype)
        old.data.foreach_get(values, had)
        given = np.zeros((len(new.data), count), dtype)
        twin = twins[old.domain]
        given[twin >= 0] = had.reshape(-1, count)[twin[twin >= 0]]
        new.data.foreach_set(values, given.ravel())


def _take_groups(source: bpy.types.Object, target: bpy.types.Object, twin: np.ndarray) -> None:
    new_of = {int(old): index for index, old in enumerate(twin) if old >= 0}
    weights: dict[int, list[tuple[int, float]]] = {group.index: [] for group in source.vertex_groups}
    for vertex in source.data.vertices:
        if vertex.index in new_of:
            for element in vertex.groups:
                weights[element.group].append((new_of[vertex.index], element.weight))
    known = list(new_of.values())
    for group in source.vertex_groups:
        taken = target.vertex_groups.get(group.name) or target.vertex_groups.new(name=group.name)
        taken.remove(known)
        for index, weight in weights[group.index]:
            taken.add([index], weight, "REPLACE")
        taken.lock_weight = group.lock_weight


def _take_shape_keys(source: bpy.types.Object, target: bpy.types.Object, twin: np.ndarray) -> None:
    old, new = source.data.shape_keys, target.data.shape_keys
    basis, known = coordinates(old.reference_key.data).reshape(-1, 3), twin >= 0
    for key in old.key_blocks[1:]:
        taken = new.key_blocks.get(key.name)
        if taken is None:
            taken = compat.add_shape_key(target, key.name)
            moved = coordinates(key.data).reshape(-1, 3) - basis
            shape = coordinates(new.reference_key.data).reshape(-1, 3)
            shape[known] += moved[twin[known]]
            taken.data.foreach_set("co", shape.ravel())
        taken.slider_min, taken.slider_max = key.slider_min, key.slider_max
        taken.mute, taken.vertex_group = key.mute, key.vertex_group
    compat.hand_over_animation(old, new)


def discard_mesh(mesh: bpy.types.Mesh, owner: bpy.types.Object) -> None:
    """Remove an object and its mesh; materials that nobody uses any more go with it, and their images."""
    materials = [material for material in mesh.materials if material is not None]
    bpy.data.objects.remove(owner)
    if mesh.users == 0:
        bpy.data.meshes.remove(mesh)
    discard_materials(materials)


def discard_materials(materials: list[bpy.types.Material]) -> None:
    """Remove those of some materials that nobody uses any more, and images that only they used."""
    for material in dict.fromkeys(materials):
        if material.users == 0:
            images = [node.image for node in compat.node_tree_of(material).nodes if node.type == "TEX_IMAGE"]
            bpy.data.materials.remove(material)
            remove_unused(images)
