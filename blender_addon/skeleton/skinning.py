"""Where a head's bones lie and which vertices they move, from its mesh and its shapes; in numpy alone.

Jaw and eyes are rigid bodies, and the shapes that move them say how: the turn that maps the lower teeth, or an eyeball,
to where the shape at 1 puts them is found by least squares (Kabsch 1976, "A solution for the best rotation to relate
two sets of vectors"), and gives joint and angle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

# Bones by role; the first three are a chain.
ROOT, NECK, HEAD, JAW, LEFT_EYE, RIGHT_EYE = "root", "neck", "head", "jaw", "eye_left", "eye_right"
PARENTS = {ROOT: None, NECK: ROOT, HEAD: NECK, JAW: HEAD, LEFT_EYE: HEAD, RIGHT_EYE: HEAD}
EYES = {LEFT_EYE: "Left", RIGHT_EYE: "Right"}
# How the shapes that turn an eye end before its side: those about the x axis, and those about the upright one.
PITCH, YAW = ("Up", "Down"), ("In", "Out")


@dataclass(frozen=True)
class SkeletonParameters:
    """How the skin follows bones.

    Args:
        skull_joint: where the head nods, metres in Blender space from between the eyes, of a head whose eyes are
            `eye_distance` apart: between the ears and a little behind them, the joint of skull and spine.
        eye_distance: metres.
        weight_steps: steps of averaging over neighbours that round the edges of the weights.
        root_reach: metres from the neck's border over which the root lets go of the skin.
        jaw_noise: metres; displacements of that size say nothing of how far a vertex belongs to the jaw.
        reach: how much of the way to crown, chin and cornea bones take, so that their ends stay inside.
    """

    skull_joint: tuple[float, float, float] = (0.0, 0.085, -0.035)
    eye_distance: float = 0.063
    weight_steps: int = 6
    root_reach: float = 0.03
    jaw_noise: float = 0.001
    reach: float = 0.9


@dataclass(frozen=True)
class HeadShape:
    """What of a head the skeleton is made from, in Blender space (metres, z up, face along -y).

    Args:
        vertices: float [V, 3], neutral.
        edges: int [E, 2].
        parts: vertices, int [n], by name of the part.
        offsets: float [V, 3] of the shapes `jawOpen` and `eyeLook*`, by name.
        neck: float [V] in [0, 1], the neck's region.
        border: vertices, int [n], at which the skin of the neck ends.
        cap: vertices, int [n], that close it there, where they do.
    """

    vertices: np.ndarray
    edges: np.ndarray
    parts: Mapping[str, np.ndarray]
    offsets: Mapping[str, np.ndarray]
    neck: np.ndarray
    border: np.ndarray
    cap: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))


@dataclass(frozen=True)
class Turn:
    """A rotation about a point.

    Args:
        pivot: float [3], metres.
        axis: unit float [3].
        angle: radians, not negative.
    """

    pivot: np.ndarray
    axis: np.ndarray
    angle: float

    def matrix(self) -> np.ndarray:
        """The rotation, float [3, 3] (Rodrigues)."""
        x, y, z = self.axis
        cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
        return np.eye(3) + np.sin(self.angle) * cross + (1 - np.cos(self.angle)) * cross @ cross

    def offsets(self, points: np.ndarray) -> np.ndarray:
        """How far points [n, 3] are moved, metres."""
        return (points - self.pivot) @ (self.matrix() - np.eye(3)).T


@dataclass(frozen=True)
class Bone:
    """A bone at rest, metres in Blender space; its local z axis points up as far as it can."""

    head: np.ndarray
    tail: np.ndarray


@dataclass(frozen=True)
class Skeleton:
    """Bones, weights and turns of a head.

    Args:
        bones: by role.
        weights: float [V] in [0, 1] by role; they add up to 1.
        jaw: what `jawOpen` at 1 does to the jaw; None where the head has no such shape or no teeth.
        looks: angle in radians about the world's axis x or z of each shape `eyeLook*` at 1, by name.
    """

    bones: Mapping[str, Bone]
    weights: Mapping[str, np.ndarray]
    jaw: Turn | None
    looks: Mapping[str, float]


def rigid_turn(points: np.ndarray, offsets: np.ndarray) -> Turn:
    """The turn that comes nearest to moving points [n, 3] by offsets [n, 3].

    Of the points on its axis the one nearest to those moved is the pivot.
    """
    centre, moved = points.mean(0), (points + offsets).mean(0)
    u, _, vt = np.linalg.svd((points - centre).T @ (points + offsets - moved))
    flip = np.diag([1.0, 1.0, np.sign(np.linalg.det(vt.T @ u.T))])
    rotation = vt.T @ flip @ u.T
    twist = np.array(
        [rotation[2, 1] - rotation[1, 2], rotation[0, 2] - rotation[2, 0], rotation[1, 0] - rotation[0, 1]]
    )
    sine = np.linalg.norm(twist) / 2
    axis = twist / max(2 * sine, 1e-12)
    # Fixed points solve (R - 1) (p - centre) = centre - moved; along the axis nothing is said, which lstsq leaves at 0.
    pivot = centre + np.linalg.lstsq(rotation - np.eye(3), centre - moved, rcond=1e-3)[0]
    return Turn(pivot, axis, float(np.arctan2(sine, (np.trace(rotation) - 1) / 2)))


def make_skeleton(shape: HeadShape, parameters: SkeletonParameters = SkeletonParameters()) -> Skeleton:
    """Bones and weights of a head; a head without eyes or teeth gets no bones for them."""
    jaw = _jaw_turn(shape)
    weights = _weights(shape, jaw, parameters)
    bones = _bones(shape, jaw, weights, parameters)
    looks = {
        name: turn.angle * float(turn.axis[0] if name.removesuffix(EYES[role]).endswith(PITCH) else turn.axis[2])
        for role in _eyes_of(shape)
        for name, turn in _look_turns(shape, role).items()
    }
    return Skeleton(bones, weights, jaw, looks)


def smoothed(values: np.ndarray, edges: np.ndarray, steps: int) -> np.ndarray:
    """Values [V] averaged with those of their neighbours, so many times over."""
    count = np.bincount(edges.ravel(), minlength=len(values))
    for _ in range(steps):
        total = np.bincount(edges[:, 0], values[edges[:, 1]], len(values))
        total += np.bincount(edges[:, 1], values[edges[:, 0]], len(values))
        values = (values + total) / (1 + count)
    return values


def _eyes_of(shape: HeadShape) -> list[str]:
    return [role for role in EYES if len(shape.parts.get(role, ()))]


def _look_turns(shape: HeadShape, role: str) -> dict[str, Turn]:
    """What each shape does to an eyeball, by the shape's name."""
    ball = shape.parts[role]
    names = [f"eyeLook{side}{EYES[role]}" for side in (*PITCH, *YAW)]
    points = np.asarray(shape.vertices, np.float64)[ball]
    return {
        name: rigid_turn(points, np.asarray(shape.offsets[name], np.float64)[ball])
        for name in names
        if name in shape.offsets
    }


def _eye_centre(shape: HeadShape, role: str) -> np.ndarray:
    """The point of an eye that no look moves; the middle of the ball where no shape moves it."""
    turns = _look_turns(shape, role).values()
    middle = np.asarray(shape.vertices, np.float64)[shape.parts[role]].mean(0)
    if not turns:
        return middle
    still = np.concatenate([turn.matrix() - np.eye(3) for turn in turns])
    return np.linalg.lstsq(still, np.concatenate([(t.matrix() - np.eye(3)) @ t.pivot for t in turns]), rcond=1e-3)[0]


def _jaw_turn(shape: HeadShape) -> Turn | None:
    offsets, teeth = shape.offsets.get("jawOpen"), shape.parts.get("teeth", ())
    if offsets is None or not len(teeth):
        return None
    far = np.linalg.norm(offsets[teeth], axis=1)
    # The upper row stays where it is.
    lower = teeth[far > 0.25 * far.max()]
    turn = rigid_turn(np.asarray(shape.vertices, np.float64)[lower], np.asarray(offsets, np.float64)[lower])
    return turn if turn.angle > np.radians(1.0) else None


def _weights(shape: HeadShape, jaw: Turn | None, parameters: SkeletonParameters) -> dict[str, np.ndarray]:
    vertices = np.asarray(shape.vertices, np.float64)
    count = len(vertices)
    weights: dict[str, np.ndarray] = {}
    free = np.ones(count)
    for role in _eyes_of(shape):
        weights[role] = np.zeros(count)
        weights[role][shape.parts[role]] = 1.0
        free[shape.parts[role]] = 0.0
    if jaw is not None:
        # How much of the jaw's own motion a vertex makes: the projection of its offset onto that motion.
        whole, offsets = jaw.offsets(vertices), np.asarray(shape.offsets["jawOpen"], np.float64)
        part = (whole * offsets).sum(1) / ((whole**2).sum(1) + parameters.jaw_noise**2)
        part = smoothed(np.clip(part, 0, 1), shape.edges, parameters.weight_steps)
        teeth = shape.parts["teeth"]
        part[teeth] = np.rint(np.clip((whole * offsets).sum(1)[teeth] / (whole**2).sum(1)[teeth], 0, 1))
        weights[JAW] = part * free
        free = free - weights[JAW]
    neck = smoothed(np.asarray(shape.neck, np.float64), shape.edges, parameters.weight_steps) * free
    away = np.min([np.linalg.norm(vertices - vertices[v], axis=1) for v in shape.border], axis=0)
    away[shape.cap] = 0.0
    stays = np.clip(1 - away / parameters.root_reach, 0, 1)
    # At the border, where a body may follow, nothing moves but with the root.
    weights[ROOT], weights[NECK] = free * stays, neck * (1 - stays)
    weights[HEAD] = free - weights[ROOT] - weights[NECK]
    return weights


def _bones(
    shape: HeadShape, jaw: Turn | None, weights: Mapping[str, np.ndarray], parameters: SkeletonParameters
) -> dict[str, Bone]:
    vertices = np.asarray(shape.vertices, np.float64)
    skin = vertices[shape.parts["skin"]]
    border = vertices[shape.border]
    # Both sides alike, whatever the person's own asymmetry.
    base = np.array([0.0, (border[:, 1].min() + border[:, 1].max()) / 2, border[:, 2].mean()])
    centres = {role: _eye_centre(shape, role) for role in _eyes_of(shape)}
    apart = abs(np.subtract(*[c[0] for c in centres.values()])) if len(centres) == 2 else parameters.eye_distance
    joint = np.array(parameters.skull_joint) * apart / parameters.eye_distance
    top = np.array([0.0, joint[1], skin[:, 2].max()])
    bones = {
        ROOT: Bone(base, base + np.array([0.0, 0.0, 0.03])),
        NECK: Bone(base, joint),
        HEAD: Bone(joint, joint + parameters.reach * (top - joint)),
    }
    if jaw is not None:
        middle = (np.abs(vertices[:, 0]) < 0.004) & (weights[JAW] > 0.7)
        # The chin: of the jaw's middle the point that lies furthest down and forward.
        chin = vertices[middle][np.argmin(vertices[middle] @ [0.0, 1.0, 1.0])] if middle.any() else joint
        pivot = np.array([0.0, *jaw.pivot[1:]])
        bones[JAW] = Bone(pivot, pivot + parameters.reach * (np.array([0.0, *chin[1:]]) - pivot))
    for role, centre in centres.items():
        radius = np.linalg.norm(vertices[shape.parts[role]] - centre, axis=1).mean()
        bones[role] = Bone(centre, centre - np.array([0.0, parameters.reach * radius, 0.0]))
    return bones
