"""Wrinkles that come with the shapes: maps mixed into the skin's normals.

How much of each is a custom property of the head, driven by its shapes, which the material asks the object for that it
is drawn on: heads that share a material, such as copies that Blender makes, fold each by its own shapes.
"""

from __future__ import annotations

from collections.abc import Callable

import bpy
import numpy as np

from ... import compat
from ..._shared import NORMAL, RelightifyError
from ...anatomy.parts import SKIN_PART
from ...anatomy.png import encode_png
from ...anatomy.regions import region_weights
from ...anatomy.strain import SkinSheet
from ...anatomy.wrinkles import GROUPS, Group, WrinkleMaps, wrinkle_maps
from ..heads import MAP, PART, PREFIX, require_own, skin_nodes
from ..images import image_from_bytes, remove_unused
from ..keyframes import shape_path
from ..mesh import HM08_ATTRIBUTE, LIKENESS, UV_NAME, expression_keys
from ..mesh_arrays import corner_uv, corner_vertices, loop_triangles

# Beginning of the names of the custom properties with the values of a group's channels.
VALUES = f"{PREFIX}wrinkles_"
# Role of the nodes that mix wrinkles; those with images have the role of their image.
MIXING = "wrinkles"
# How many faces away from lips, lids and the edges of the skin wrinkles begin.
STILL_RINGS = 2
# Where the first node of a group stands in the node editor, below those of the maps, and how far apart groups are.
PLACE, STEP = (-1400, -1100), 420


def image_role(group: Group, *, mask: bool) -> str:
    """Role of the node with a group's normal map or mask."""
    return f"wrinkles_{group.name}{'_mask' if mask else ''}"


def has_wrinkles(head: bpy.types.Object) -> bool:
    """Whether a head's skin has wrinkles that come with its shapes."""
    return any(skin_nodes(head, image_role(group, mask=False)) for group in GROUPS)


def add_wrinkles(
    head: bpy.types.Object, seed: int = 0, strength: float = 1.0, report: Callable[[float], None] = lambda part: None
) -> None:
    """Make wrinkle maps for a head and have its shapes mix them in; older ones go.

    Args:
        head: a head with shape keys.
        seed: places what nothing else decides.
        strength: how deep wrinkles are, 1 for what the skin's shortening makes them.
        report: gets the fraction done.

    Raises:
        RelightifyError: ``linked_head``, ``no_shapes`` or ``no_skin``.
    """
    require_own(head)
    shaders = [node for material in _skins(head) for node in material.node_tree.nodes if node.type == "BSDF_PRINCIPLED"]
    if not shaders:
        raise RelightifyError("no_skin", f"{head.name} has no skin material.", "Give it back the one it came with.")
    if not expression_keys(head):
        raise RelightifyError(
            "no_shapes", f"{head.name} has no shape keys.", "Wrinkles come with them; undo what removed them."
        )
    sheet, still = skin_sheet(head)
    shown = [node.image for node in skin_nodes(head, NORMAL.name) if node.image is not None]
    maps = wrinkle_maps(sheet, still, _pixels(shown[0]) if shown else None, seed, strength, report=report)
    remove_wrinkles(head)
    images = {
        group.name: tuple(
            _image(f"{head.name} {group.label.lower()}", maps[group.name], mask=mask) for mask in (False, True)
        )
        for group in GROUPS
        if group.name in maps
    }
    for shader in shaders:
        _wire(shader, images)
    for group in GROUPS:
        if group.name in images:
            _drive(head, group)


def follow_shapes(head: bpy.types.Object, old: bpy.types.Key) -> None:
    """Have wrinkles that followed other shape keys follow those that a head has."""
    drivers = head.animation_data.drivers if head.animation_data is not None else ()
    for target in (t for driver in drivers for variable in driver.driver.variables for t in variable.targets):
        if target.id_type == "KEY" and target.id == old:
            target.id = head.data.shape_keys


def remove_wrinkles(head: bpy.types.Object) -> None:
    """Take wrinkles out of a head's skin, which looks as it did without them."""
    images = []
    for name in [key for key in head.keys() if key.startswith(VALUES)]:  # noqa: SIM118, no mapping of Python's
        head.driver_remove(f'["{name}"]')
        del head[name]
    for material in _skins(head):
        tree = compat.node_tree_of(material)
        for node in [n for n in tree.nodes if str(n.get(MAP, "")).startswith(MIXING)]:
            if node.type == "TEX_IMAGE":
                images.append(node.image)
            if node.get(MAP) == MIXING and node.label == "Wrinkles":
                _link_past(tree, node)
            tree.nodes.remove(node)
    remove_unused(images)


def skin_sheet(head: bpy.types.Object) -> tuple[SkinSheet, np.ndarray]:
    """The skin of a head with its likeness, and by vertex where it does not fold, [V] in [0, 1]."""
    mesh, keys = head.data, head.data.shape_keys
    triangles, slots = loop_triangles(mesh)
    skins = [
        slot for slot, material in enumerate(mesh.materials) if material is not None and material.get(PART) == "skin"
    ]
    skin = triangles[np.isin(slots, skins)]
    uv, corners = corner_uv(mesh, UV_NAME)[skin].astype(np.float64), corner_vertices(mesh)[skin]
    rest = _places(keys.reference_key)
    offsets = {key.name: _places(key) - _places(key.relative_key) for key in expression_keys(head)}
    for key in keys.key_blocks[1:]:
        if key.name.startswith(LIKENESS) and not key.mute:
            rest = rest + key.value * (_places(key) - _places(key.relative_key))
    # Slivers have no direction.
    edges = rest[corners[:, 1:]] - rest[corners[:, :1]]
    flat = uv[:, 1:] - uv[:, :1]
    whole = (np.linalg.norm(np.cross(edges[:, 0], edges[:, 1]), axis=1) > 1e-12) & (np.abs(np.linalg.det(flat)) > 1e-12)
    return SkinSheet(rest, corners[whole], uv[whole], offsets), _still(mesh, corners)


def _still(mesh: bpy.types.Mesh, corners: np.ndarray) -> np.ndarray:
    still = np.zeros(len(mesh.vertices))
    if HM08_ATTRIBUTE in mesh.attributes:
        ids = np.empty(len(mesh.vertices), np.int32)
        mesh.attributes[HM08_ATTRIBUTE].data.foreach_get("value", ids)
        regions = region_weights(ids)
        still = np.maximum(regions["Lips"], regions["Lids"]).astype(np.float64)
    pairs = np.sort(np.concatenate([corners[:, [0, 1]], corners[:, [1, 2]], corners[:, [2, 0]]]), axis=1)
    edges, count = np.unique(pairs, axis=0, return_counts=True)
    still[edges[count == 1].ravel()] = 1
    for _ in range(STILL_RINGS):
        most = still[corners].max(axis=1)
        for column in corners.T:
            np.maximum.at(still, column, most)
    return still


def _wire(shader: bpy.types.Node, images: dict[str, tuple[bpy.types.Image, bpy.types.Image]]) -> None:
    """Add the groups' leanings to the colour that the normal map's node gets; nothing is added at rest."""
    tree = shader.id_data
    bump = next((link.from_node for link in shader.inputs["Normal"].links if link.from_node.type == "NORMAL_MAP"), None)
    if bump is None:
        bump = tree.nodes.new("ShaderNodeNormalMap")
        bump.uv_map, bump.location, bump[MAP] = UV_NAME, (-300, -200), MIXING
        tree.links.new(bump.outputs["Normal"], shader.inputs["Normal"])
    before = bump.inputs["Color"].links[0].from_socket if bump.inputs["Color"].links else None
    total = None
    for row, group in enumerate(group for group in GROUPS if group.name in images):
        here = (PLACE[0], PLACE[1] - STEP * row)
        leaning = _leaning(tree, group, images[group.name], here)
        if total is not None:
            add = _vector_node(tree, "ADD", (here[0] + 1000, here[1]))
            tree.links.new(total, add.inputs[0])
            tree.links.new(leaning, add.inputs[1])
            leaning = add.outputs[0]
        total = leaning
    last = _vector_node(tree, "ADD", (-500, -400))
    last.label = last.name = "Wrinkles"
    if before is not None:
        tree.links.new(before, last.inputs[0])
    else:
        last.inputs[0].default_value = (0.5, 0.5, 1.0)
    if total is not None:
        tree.links.new(total, last.inputs[1])
    tree.links.new(last.outputs[0], bump.inputs["Color"])


def _leaning(
    tree: bpy.types.NodeTree,
    group: Group,
    images: tuple[bpy.types.Image, bpy.types.Image],
    place: tuple[float, float],
) -> bpy.types.NodeSocket:
    """What a group adds to the x and y of encoded normals: its own, times its mask, times the values of its shapes."""
    normal, mask = (_image_node(tree, image, group, place, row) for row, image in enumerate(images))
    lean = _vector_node(tree, "SUBTRACT", (place[0] + 300, place[1]))
    lean.inputs[1].default_value = (0.5, 0.5, 0.5)
    tree.links.new(normal.outputs["Color"], lean.inputs[0])
    flat = _vector_node(tree, "MULTIPLY", (place[0] + 480, place[1]))
    flat.inputs[1].default_value = (1.0, 1.0, 0.0)
    tree.links.new(lean.outputs[0], flat.inputs[0])
    shapes = _vector_node(tree, "DOT_PRODUCT", (place[0] + 300, place[1] - 200))
    tree.links.new(mask.outputs["Color"], shapes.inputs[0])
    values = tree.nodes.new("ShaderNodeAttribute")
    values.attribute_type, values.attribute_name, values[MAP] = "OBJECT", VALUES + group.name, MIXING
    values.location = (place[0] + 100, place[1] - 400)
    tree.links.new(values.outputs["Color"], shapes.inputs[1])
    weight = tree.nodes.new("ShaderNodeMath")
    weight.operation, weight.use_clamp, weight[MAP] = "MULTIPLY_ADD", True, MIXING
    weight.location = (place[0] + 480, place[1] - 200)
    tree.links.new(values.outputs["Alpha"], weight.inputs[1])
    tree.links.new(mask.outputs["Alpha"], weight.inputs[0])
    tree.links.new(shapes.outputs["Value"], weight.inputs[2])
    scaled = _vector_node(tree, "SCALE", (place[0] + 660, place[1]))
    tree.links.new(flat.outputs[0], scaled.inputs[0])
    tree.links.new(weight.outputs[0], scaled.inputs["Scale"])
    return scaled.outputs[0]


def _drive(head: bpy.types.Object, group: Group) -> None:
    """Give a head the values of a group's channels: the sums of their shapes."""
    name, keys = VALUES + group.name, head.data.shape_keys
    head[name] = [0.0] * 4
    for index, channel in enumerate(group.channels):
        driver = head.driver_add(f'["{name}"]', index).driver
        shapes = [shape for shape in channel.shapes if shape in keys.key_blocks]
        for number, shape in enumerate(shapes):
            variable = driver.variables.new()
            variable.name = f"v{number}"
            variable.targets[0].id_type, variable.targets[0].id = "KEY", keys
            variable.targets[0].data_path = shape_path(shape)
        total = " + ".join(f"v{number}" for number in range(len(shapes))) or "0"
        # Of this kind Blender evaluates expressions by itself, also where scripts may not run.
        driver.expression = f"min(1, max(0, {total}))"


def _vector_node(tree: bpy.types.NodeTree, operation: str, place: tuple[float, float]) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeVectorMath")
    node.operation, node.location, node[MAP] = operation, place, MIXING
    return node


def _image_node(
    tree: bpy.types.NodeTree, image: bpy.types.Image, group: Group, place: tuple[float, float], row: int
) -> bpy.types.Node:
    node = tree.nodes.new("ShaderNodeTexImage")
    node.image, node.location = image, (place[0], place[1] - 200 * row)
    node.label = f"{group.label} mask" if row else group.label
    node[MAP] = image_role(group, mask=bool(row))
    return node


def _image(name: str, maps: WrinkleMaps, *, mask: bool) -> bpy.types.Image:
    data = encode_png(maps.mask) if mask else encode_png(maps.normal, 16)
    image = image_from_bytes(f"{name} {'mask' if mask else 'wrinkles'}", data, srgb=False)
    # The fourth channel is a mask like the others, and multiplies none of them.
    image.alpha_mode = "CHANNEL_PACKED"
    return image


def _link_past(tree: bpy.types.NodeTree, node: bpy.types.Node) -> None:
    sources = [link.from_socket for link in node.inputs[0].links]
    for target in [link.to_socket for link in node.outputs[0].links]:
        if sources:
            tree.links.new(sources[0], target)


def _skins(head: bpy.types.Object) -> list[bpy.types.Material]:
    return [m for m in head.data.materials if m is not None and m.get(PART) == SKIN_PART and m.node_tree]


def _places(key: bpy.types.ShapeKey) -> np.ndarray:
    values = np.empty(len(key.data) * 3, np.float32)
    key.data.foreach_get("co", values)
    return values.reshape(-1, 3).astype(np.float64)


def _pixels(image: bpy.types.Image) -> np.ndarray:
    """Stored values [H, W, 3] of an image of data, row 0 at the top."""
    width, height = image.size
    pixels = np.empty(width * height * 4, np.float32)
    image.pixels.foreach_get(pixels)
    return pixels.reshape(height, width, 4)[::-1, :, :3]
