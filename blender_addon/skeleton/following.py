"""What follows what: shapes turn eyes and jaw, or bones do and the lids follow; never both.

An eyeball with a bone is rigid: the shapes `eyeLook*` keep what they do to the lids and lose what they do to the
ball. Either they then turn its bone, by a driver, as recordings and sliders want it, or the bone, posed by hand or by
the aim, turns them. The jaw may likewise be left to the shape `jawOpen`, or be turned by its bone; the shape then keeps
what no turn of a rigid bone does.
"""

from __future__ import annotations

from collections.abc import Iterator

import bpy
import numpy as np
from mathutils import Vector

from ..scene.heads import MADE, belonging, home_of
from ..scene.keyframes import shape_path
from ..scene.mesh import expression_keys, liked_shape, likeness_values, part_vertices
from ..scene.renewing.reshaping import coordinates
from .skinning import EYES, JAW, LEFT_EYE, PITCH, RIGHT_EYE, YAW, Skeleton, Turn

# Custom property of a bone: its role, see `skinning`.
ROLE = "relightify_bone"
# Custom property of the head object: the empty at which its eyes look.
AIM = "relightify_aim"
# Custom properties of the armature object: what the shapes did, and who turns eyes and jaw.
LOOKS, JAW_TURN, EYES_BY, JAW_BY = (f"relightify_{name}" for name in ("looks", "jaw_turn", "eyes_by", "jaw_by"))
# And the likeness that the bones fit.
FITTED = "relightify_fitted"
# Millimetres of a slider that make no difference to a bone.
SAME_MM = 0.05
SHAPES, BONES = "SHAPES", "BONES"
JAW_SHAPE = "jawOpen"
# Attribute of the mesh: how far each vertex followed the jaw's bone when the shape was taken apart.
JAW_WEIGHT = "relightify_jaw_weight"
# Where a new aim stands, metres ahead of the eyes.
AIM_DISTANCE = 0.5


def bone_of(armature: bpy.types.Object, role: str) -> bpy.types.Bone | None:
    """The bone with a role, whatever it is called."""
    return next((bone for bone in armature.data.bones if bone.get(ROLE) == role), None)


def turn_path(bone: bpy.types.Bone) -> str:
    """Data path of a bone's rotation, from the armature object."""
    return f'pose.bones["{bpy.utils.escape_identifier(bone.name)}"].rotation_euler'


def bind(head: bpy.types.Object, armature: bpy.types.Object, skeleton: Skeleton) -> None:
    """Tie shapes and bones of a head together whose shapes still do all by themselves."""
    armature[LOOKS], armature[FITTED] = dict(skeleton.looks), likeness_values(head)
    if skeleton.jaw is not None:
        jaw = skeleton.jaw
        armature[JAW_TURN] = [*map(float, jaw.pivot), *map(float, jaw.axis), jaw.angle]
    _hold_balls_still(head, armature)
    set_eyes_by(head, armature, armature.get(EYES_BY, SHAPES))
    by, armature[JAW_BY] = armature.get(JAW_BY, SHAPES), SHAPES
    set_jaw_by(head, armature, by)


def unbind(head: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Let the shapes do all by themselves again, and take the aim away."""
    give_shapes_back(head, armature)
    _remove_eye_drivers(head, armature)
    _let_go_of_jaw(head, armature)
    remove_aim(head)


def part(head: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Let the shapes of a head do all by themselves that another head's armature has moved; that stays as it is."""
    give_shapes_back(head, armature)
    for name in dict(armature.get(LOOKS, {})):
        if name in head.data.shape_keys.key_blocks:
            head.data.shape_keys.driver_remove(shape_path(name))
    attribute = head.data.attributes.get(JAW_WEIGHT)
    if attribute is not None:
        head.data.attributes.remove(attribute)


def give_shapes_back(head: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Write what shapes do by themselves into them; `bind` takes from them again what bones do."""
    for name, points in shapes_without_bones(head, armature).items():
        head.data.shape_keys.key_blocks[name].data.foreach_set("co", points.astype(np.float32).ravel())
    head.data.update()


def same_likeness(armature: bpy.types.Object, head: bpy.types.Object) -> bool:
    """Whether the likeness of a head is the one that its bones were fitted to."""
    now, fitted = likeness_values(head), dict(armature.get(FITTED, {}))
    return all(abs(now.get(name, 0.0) - fitted.get(name, 0.0)) < SAME_MM for name in {*now, *fitted})


def shapes_without_bones(head: bpy.types.Object, armature: bpy.types.Object) -> dict[str, np.ndarray]:
    """Where the shapes that have left something to bones would put the vertices by themselves, float [V, 3] by name."""
    basis = coordinates(head.data.shape_keys.reference_key.data).reshape(-1, 3)
    # Bones turn what the likeness that they fit has made of it.
    rest = liked_shape(head, dict(armature.get(FITTED, {})))
    shapes = {}
    for bone, name, ball in _looks_of_balls(head, armature):
        angle = armature[LOOKS][name]
        axis = np.array([1.0, 0, 0] if name.removesuffix("Left").removesuffix("Right").endswith(PITCH) else [0, 0, 1.0])
        turn = Turn(np.array(bone.head_local), axis * np.sign(angle), abs(angle))
        shapes[name] = coordinates(head.data.shape_keys.key_blocks[name].data).reshape(-1, 3)
        shapes[name][ball] = basis[ball] + turn.offsets(rest[ball])
    if jaw_by(armature) == BONES:
        offsets = coordinates(head.data.shape_keys.key_blocks[JAW_SHAPE].data).reshape(-1, 3) - basis
        turn, weight = _jaw_turn(armature), np.zeros(len(basis), np.float32)
        head.data.attributes[JAW_WEIGHT].data.foreach_get("value", weight)
        moved = (_blend(turn, weight) @ offsets[..., None])[..., 0] + weight[:, None] * turn.offsets(rest)
        shapes[JAW_SHAPE] = basis + moved
    return shapes


def has_eyes(armature: bpy.types.Object) -> bool:
    """Whether there are bones of eyes."""
    return any(bone_of(armature, role) is not None for role in EYES)


# --- eyes ---------------------------------------------------------------------------------------------------------


def eye_turns(armature: bpy.types.Object) -> Iterator[tuple[bpy.types.Bone, int, dict[str, float]]]:
    """Each eye's bone with each of its own axes that looks turn it about, 0 for x and 2 for z, and for the shapes that
    do so the angle in radians that their value of 1 stands for, by name."""
    looks = dict(armature.get(LOOKS, {}))
    for role, side in EYES.items():
        bone = bone_of(armature, role)
        if bone is None:
            continue
        axes = bone.matrix_local.to_3x3()
        for index, along, endings in ((0, axes.col[0].x, PITCH), (2, axes.col[2].z, YAW)):
            names = [f"eyeLook{ending}{side}" for ending in endings]
            # The bone's own axis may point the other way than the world's.
            yield bone, index, {name: looks[name] * (1 if along > 0 else -1) for name in names if name in looks}


def eyes_by(armature: bpy.types.Object) -> str:
    """Who turns the eyes, `SHAPES` or `BONES`."""
    return armature.get(EYES_BY, SHAPES)


def set_eyes_by(head: bpy.types.Object, armature: bpy.types.Object, by: str) -> None:
    """Have the shapes turn the bones of the eyes, or the bones the shapes."""
    _remove_eye_drivers(head, armature)
    for bone, index, angles in eye_turns(armature):
        if by == SHAPES:
            _drive_bone(armature, bone, index, head, angles)
        else:
            for name, angle in angles.items():
                _drive_shape(head, name, armature, bone, index, angle)
    armature[EYES_BY] = by
    _weigh_aim(armature, by)


def aim_of(head: bpy.types.Object) -> bpy.types.Object | None:
    """The empty at which the eyes of a head look, or None."""
    return belonging(head, AIM)


def add_aim(scene: bpy.types.Scene, head: bpy.types.Object, armature: bpy.types.Object) -> bpy.types.Object:
    """An empty ahead of the eyes that both follow; from now on bones turn the eyes."""
    aim = bpy.data.objects.new(f"{head.name} eye aim", None)
    aim.empty_display_type, aim.empty_display_size = "CIRCLE", 0.02
    home_of(head, scene).objects.link(aim)
    aim.parent = head
    eyes = [bone for bone in (bone_of(armature, role) for role in (LEFT_EYE, RIGHT_EYE)) if bone is not None]
    middle = sum((bone.head_local for bone in eyes), Vector()) / len(eyes)
    aim.location = middle + Vector((0.0, -AIM_DISTANCE, 0.0))
    aim.rotation_euler.x = np.pi / 2
    aim[MADE], head[AIM] = True, aim
    for bone in eyes:
        track = armature.pose.bones[bone.name].constraints.new("DAMPED_TRACK")
        track.name, track.target, track.track_axis = "Eye Aim", aim, "TRACK_Y"
    set_eyes_by(head, armature, BONES)
    return aim


def remove_aim(head: bpy.types.Object) -> None:
    """Take the aim away, and what tracks it."""
    aim = aim_of(head)
    if aim is None:
        return
    for armature in (thing for thing in bpy.data.objects if thing.type == "ARMATURE"):
        for bone in armature.pose.bones:
            for constraint in [c for c in bone.constraints if getattr(c, "target", None) == aim]:
                bone.constraints.remove(constraint)
    bpy.data.objects.remove(aim)
    del head[AIM]


def _weigh_aim(armature: bpy.types.Object, by: str) -> None:
    """The aim counts where bones turn the eyes only."""
    for role in EYES:
        bone = bone_of(armature, role)
        if bone is None:
            continue
        for constraint in armature.pose.bones[bone.name].constraints:
            if constraint.type == "DAMPED_TRACK":
                constraint.mute = by != BONES


def _drive_bone(
    armature: bpy.types.Object, bone: bpy.types.Bone, index: int, head: bpy.types.Object, angles: dict[str, float]
) -> None:
    """Turn a bone about one of its axes by the sum of shapes, each times its angle in radians."""
    driver = armature.driver_add(turn_path(bone), index).driver
    terms = []
    for number, (name, angle) in enumerate(angles.items()):
        variable = driver.variables.new()
        variable.name, variable.type = f"w{number}", "SINGLE_PROP"
        target = variable.targets[0]
        target.id_type, target.id = "KEY", head.data.shape_keys
        target.data_path = shape_path(name)
        terms.append(f"{variable.name} * {angle:.6f}")
    driver.expression = " + ".join(terms) or "0"


def _drive_shape(
    head: bpy.types.Object, name: str, armature: bpy.types.Object, bone: bpy.types.Bone, index: int, angle: float
) -> None:
    """Set a shape to how far a bone is turned about one of its axes, of the shape's own angle in radians."""
    driver = head.data.shape_keys.driver_add(shape_path(name)).driver
    variable = driver.variables.new()
    variable.name, variable.type = "turn", "TRANSFORMS"
    target = variable.targets[0]
    target.id, target.bone_target = armature, bone.name
    target.transform_type, target.transform_space = ("ROT_X", "ROT_Y", "ROT_Z")[index], "LOCAL_SPACE"
    target.rotation_mode = "XYZ"
    driver.expression = f"min(1, max(0, turn / {angle:.6f}))"


def _remove_eye_drivers(head: bpy.types.Object, armature: bpy.types.Object) -> None:
    for role in EYES:
        bone = bone_of(armature, role)
        if bone is None:
            continue
        for index in (0, 2):
            armature.driver_remove(turn_path(bone), index)
            armature.pose.bones[bone.name].rotation_euler[index] = 0.0
    keys = head.data.shape_keys
    for name in dict(armature.get(LOOKS, {})):
        if name in keys.key_blocks:
            keys.driver_remove(shape_path(name))


def _looks_of_balls(
    head: bpy.types.Object, armature: bpy.types.Object
) -> Iterator[tuple[bpy.types.Bone, str, np.ndarray]]:
    """Each eye's bone with each of the shapes that turn it, and the vertices of the ball."""
    keys, parts = head.data.shape_keys.key_blocks, part_vertices(head)
    for role, side in EYES.items():
        bone = bone_of(armature, role)
        if bone is None or not len(parts.get(role, ())):
            continue
        for name in armature[LOOKS].keys():  # noqa: SIM118, no mapping of Python's
            if name.endswith(side) and name in keys:
                yield bone, name, parts[role]


def _hold_balls_still(head: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Take from the shapes what they do to the eyeballs."""
    keys = head.data.shape_keys
    basis = coordinates(keys.reference_key.data).reshape(-1, 3)
    for _, name, ball in _looks_of_balls(head, armature):
        shape = coordinates(keys.key_blocks[name].data).reshape(-1, 3)
        shape[ball] = basis[ball]
        keys.key_blocks[name].data.foreach_set("co", shape.ravel())
    head.data.update()


# --- jaw ----------------------------------------------------------------------------------------------------------


def jaw_by(armature: bpy.types.Object) -> str:
    """Who opens the jaw, `SHAPES` or `BONES`."""
    return armature.get(JAW_BY, SHAPES)


def set_jaw_by(head: bpy.types.Object, armature: bpy.types.Object, by: str) -> None:
    """Leave the jaw to the shape `jawOpen`, or let that turn the bone and keep only what the bone cannot do.

    The shape's value is what opens the jaw either way, so that sliders and recordings stay as they are. The mesh at
    `jawOpen` 1 is the same: of a target o and a bone with weight w and rotation R about p, the shape keeps c with
    (1 - w + w R) c = o - w (R - 1) (v - p), since linear blend skinning turns what the shape has moved.
    """
    bone, keys = bone_of(armature, JAW), head.data.shape_keys
    if bone is None or by == jaw_by(armature) or JAW_SHAPE not in [key.name for key in expression_keys(head)]:
        return
    key = keys.key_blocks[JAW_SHAPE]
    if by == SHAPES:
        key.data.foreach_set("co", shapes_without_bones(head, armature)[JAW_SHAPE].astype(np.float32).ravel())
        _let_go_of_jaw(head, armature)
    else:
        turn, basis = _jaw_turn(armature), coordinates(keys.reference_key.data).reshape(-1, 3)
        rest = liked_shape(head, dict(armature.get(FITTED, {})))
        offsets, weight = coordinates(key.data).reshape(-1, 3) - basis, _group_weights(head, bone.name)
        kept = np.linalg.solve(_blend(turn, weight), (offsets - weight[:, None] * turn.offsets(rest))[..., None])
        key.data.foreach_set("co", (basis + kept[..., 0]).astype(np.float32).ravel())
        attributes = head.data.attributes
        attribute = attributes.get(JAW_WEIGHT) or attributes.new(JAW_WEIGHT, "FLOAT", "POINT")
        attribute.data.foreach_set("value", weight.astype(np.float32))
        armature.driver_remove(turn_path(bone), 0)
        sign = 1 if bone.matrix_local.to_3x3().col[0].dot(Vector(turn.axis)) > 0 else -1
        _drive_bone(armature, bone, 0, head, {JAW_SHAPE: sign * turn.angle})
    head.data.update()
    armature[JAW_BY] = by


def _let_go_of_jaw(head: bpy.types.Object, armature: bpy.types.Object) -> None:
    """Let nothing turn the jaw's bone any more, and forget what was kept for that."""
    bone, attribute = bone_of(armature, JAW), head.data.attributes.get(JAW_WEIGHT)
    if attribute is not None:
        head.data.attributes.remove(attribute)
    if bone is not None and jaw_by(armature) == BONES:
        armature.driver_remove(turn_path(bone), 0)
        armature.pose.bones[bone.name].rotation_euler.x = 0.0


def _jaw_turn(armature: bpy.types.Object) -> Turn:
    values = list(armature[JAW_TURN])
    return Turn(np.array(values[:3]), np.array(values[3:6]), values[6])


def _blend(turn: Turn, weight: np.ndarray) -> np.ndarray:
    """The linear part of skinning, float [V, 3, 3]."""
    part = weight[:, None, None].astype(np.float64)
    return (1 - part) * np.eye(3) + part * turn.matrix()


def _group_weights(head: bpy.types.Object, name: str) -> np.ndarray:
    """The weights of a vertex group, float [V]."""
    weights, index = np.zeros(len(head.data.vertices)), head.vertex_groups[name].index
    for vertex in head.data.vertices:
        for element in vertex.groups:
            if element.group == index:
                weights[vertex.index] = element.weight
    return weights
