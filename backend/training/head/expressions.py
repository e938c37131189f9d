"""The 52 ARKit expression shapes of the head.

The ICT model's shapes (MIT), which come from light-stage scans, are carried over to the mean like its identities. The
tongue and the closed lips over an open jaw come from MakeHuman's face units (CC0), which are drawn on the mesh itself.
The eyeballs turn; lids that move rest on them, and closed lids meet.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.training.head.lashes import move_lashes
from backend.training.head.mean_head import LID_CLEARANCE, LIP_CLEARANCE, MeanHead, lip_partners
from backend.training.head.registration.deformation_transfer import Carrier
from backend.training.head.registration.extension import smooth_solver, vertices_of
from backend.training.head.registration.surfaces import quad_edges, split_ring
from backend.training.head.sources.hm08 import BaseMesh, HeadTopology
from backend.training.head.sources.ict import IctModel

FOLDER = "faceunits01/targets/faceunits"
# Degrees that the eyeball turns for a weight of 1: (up, towards the subject's left), for the left eye.
GAZE = {"eyeLookUp": (22, 0), "eyeLookDown": (-28, 0), "eyeLookIn": (0, -26), "eyeLookOut": (0, 26)}
LID_THICKNESS = 6e-4  # metres from the eyeball to the outer skin of a closed lid
CLOSING_HEIGHT = 0.3  # where closed lids meet, between the lower (0) and the upper (1) lid's places


@dataclass(frozen=True)
class Expressions:
    """The shapes.

    Args:
        names: the 52 ARKit names, sorted.
        offsets: float64 [52, V, 3], metres for a weight of 1.
    """

    names: tuple[str, ...]
    offsets: np.ndarray


def build_expressions(
    base: BaseMesh, topology: HeadTopology, ict: IctModel, carrier: Carrier, mean: MeanHead, template_scale: float
) -> Expressions:
    """All 52 shapes on the mean head; `template_scale` is the template's size over that of the base mesh."""
    names = tuple(sorted(p.name.removesuffix(".target") for p in (base.folder / FOLDER).glob("*.target")))
    gradients = deformation_gradients(topology.vertices, mean.vertices, topology.quads)

    def drawn(name: str) -> np.ndarray:
        raw = base.target(f"{FOLDER}/{name}.target")[topology.hm08_vertex_ids] * template_scale
        return np.einsum("vij,vj->vi", gradients, raw)

    scanned = _by_arkit_name(ict.expression_names, carrier.expressions(ict.expressions))
    # ARKit's mouthClose is the closed mouth over an open jaw less the open jaw.
    scanned["mouthClose"] = drawn("jawOpen") + drawn("mouthClose") - scanned["jawOpen"]
    scanned["mouthClose"] += _meet_lips(topology, mean.vertices + scanned["jawOpen"] + scanned["mouthClose"])
    scanned["tongueOut"] = drawn("tongueOut")
    offsets = np.stack([scanned[n] for n in names])
    eyeballs = vertices_of(topology, "eye_left", "eye_right")
    offsets[:, eyeballs] = 0
    offsets = (offsets + _mirrored(offsets, names, topology.mirror)) / 2
    lids = _Lids(topology, mean)
    for k, name in enumerate(names):
        offsets[k] = lids.rest(offsets[k], closes_left=name == "eyeBlinkLeft", closes_right=name == "eyeBlinkRight")
        _turn_eyeballs(offsets[k], name, mean)
    centres = np.stack([eye.centre for eye in mean.eyes])
    return Expressions(names, move_lashes(topology, offsets, mean.vertices, centres))


def _by_arkit_name(ict_names: tuple[str, ...], fields: np.ndarray) -> dict[str, np.ndarray]:
    """Fields by ARKit name; where ICT splits a symmetric shape in two, the halves are added."""
    found: dict[str, np.ndarray] = {}
    for ict_name, field in zip(ict_names, fields, strict=True):
        stem, _, side = ict_name.partition("_")
        whole = stem in ("browInnerUp", "cheekPuff")
        name = stem + ("" if whole else {"L": "Left", "R": "Right", "": ""}[side])
        found[name] = found.get(name, 0) + field
    return found


def _mirrored(offsets: np.ndarray, names: tuple[str, ...], mirror: np.ndarray) -> np.ndarray:
    """For each shape the mirror image of its partner (mouthLeft and mouthRight are partners too)."""
    partner = [names.index(_other_side(n)) for n in names]
    return offsets[partner][:, mirror] * [-1, 1, 1]


def _other_side(name: str) -> str:
    if name.endswith("Left"):
        return name.removesuffix("Left") + "Right"
    return name.removesuffix("Right") + "Left" if name.endswith("Right") else name


def _turn_eyeballs(offset: np.ndarray, name: str, mean: MeanHead) -> None:
    for eye, side, outwards in zip(mean.eyes, ("Left", "Right"), (1, -1), strict=True):
        if name.endswith(side) and name.removesuffix(side) in GAZE:
            up, out = np.radians(GAZE[name.removesuffix(side)])
            cu, su, co, so = np.cos(up), np.sin(up), np.cos(out * outwards), np.sin(out * outwards)
            pitch = np.array([[1, 0, 0], [0, cu, su], [0, -su, cu]])
            yaw = np.array([[co, 0, so], [0, 1, 0], [-so, 0, co]])
            arm = mean.vertices[eye.vertices] - eye.centre
            offset[eye.vertices] = arm @ (yaw @ pitch - np.eye(3)).T


def _meet_lips(topology: HeadTopology, posed: np.ndarray) -> np.ndarray:
    """A smooth correction [V, 3] that makes the contact loops of both lips meet on a posed head [V, 3]."""
    upper, lower = lip_partners(topology, topology.lip_contact)
    middle = (posed[upper] + posed[lower]) / 2
    ring = np.concatenate([upper, lower])
    goal = np.concatenate([middle, middle])
    goal[: len(upper), 1] += LIP_CLEARANCE / 2
    goal[len(upper) :, 1] -= LIP_CLEARANCE / 2
    return _spread(topology, ring, goal - posed[ring])


def _spread(topology: HeadTopology, pinned: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Displacements [V, 3] that move pinned vertices [n] by `motion` [n, 3] and fade out around them."""
    body = vertices_of(topology, "skin", "mouth")
    weight, wanted = np.full(len(topology.vertices), 0.03), np.zeros((len(topology.vertices), 3))
    weight[pinned], wanted[pinned] = 10, motion
    solve = smooth_solver(topology.quads[np.isin(topology.face_part, [0, 1])], body, weight[body])
    out = np.zeros_like(wanted)
    out[body] = solve(weight[body, None] * wanted[body])
    return out


class _Lids:
    """Keeps moving lids on the eyeballs."""

    def __init__(self, topology: HeadTopology, mean: MeanHead) -> None:
        self._topology, self._mean = topology, mean
        skin = vertices_of(topology, "skin")
        self._around = []
        self._edges = (topology.lid_edge_left, topology.mirror[topology.lid_edge_left])
        for eye in mean.eyes:
            distance = np.linalg.norm(mean.vertices[skin] - eye.centre, axis=1)
            near = skin[(distance < eye.radius + 0.006) & (mean.vertices[skin, 2] > eye.centre[2])]
            self._around.append(np.setdiff1d(near, eye.margin))

    def rest(self, offset: np.ndarray, *, closes_left: bool, closes_right: bool) -> np.ndarray:
        """An expression [V, 3] corrected: margins that move stay on the eyeballs, lids do not cut into them, and
        those of an eye that closes meet."""
        posed = self._mean.vertices + offset
        pinned, goals = [], []
        for eye, edge, around, closes in zip(
            self._mean.eyes, self._edges, self._around, (closes_left, closes_right), strict=True
        ):
            if np.abs(offset[eye.margin]).max() < 1e-5:
                continue
            margin_goal, edge_goal = posed[eye.margin].copy(), posed[edge].copy()
            if closes:
                for ring, goal in ((eye.margin, margin_goal), (edge, edge_goal)):
                    self._close(ring, goal)
            pinned.append(eye.margin)
            goals.append(_to_radius(margin_goal, eye.centre, eye.radius + LID_CLEARANCE, exactly=True))
            if closes:
                pinned.append(edge)
                goals.append(_to_radius(edge_goal, eye.centre, eye.radius + LID_THICKNESS))
            posed_around = posed[around]
            lifted = _to_radius(posed_around, eye.centre, eye.radius + LID_THICKNESS)
            low = np.linalg.norm(lifted - posed_around, axis=1) > 1e-6
            low &= ~np.isin(around, edge) | ~np.array(closes)
            pinned.append(around[low])
            goals.append(lifted[low])
        if not pinned:
            return offset
        ring = np.concatenate(pinned)
        return offset + _spread(self._topology, ring, np.concatenate(goals) - posed[ring])

    def _close(self, ring: np.ndarray, goal: np.ndarray) -> None:
        """Move the goals [n, 3] of a ring's upper and lower halves together."""
        upper, lower = split_ring(ring, self._mean.vertices)
        count = min(len(upper), len(lower))
        place = {int(v): k for k, v in enumerate(ring)}
        # Partners by share of the way from corner to corner; the longer half's vertices meet points between partners.
        above, below = (np.array([place[int(v)] for v in path]) for path in (upper, lower))
        s_above, s_below = np.linspace(0, 1, len(above)), np.linspace(0, 1, len(below))
        curve = np.stack(
            [
                CLOSING_HEIGHT * np.interp(np.linspace(0, 1, count), s_above, goal[above, axis])
                + (1 - CLOSING_HEIGHT) * np.interp(np.linspace(0, 1, count), s_below, goal[below, axis])
                for axis in range(3)
            ],
            axis=1,
        )
        steps = np.linspace(0, 1, count)
        for half, share in ((above, s_above), (below, s_below)):
            goal[half] = np.stack([np.interp(share, steps, curve[:, axis]) for axis in range(3)], axis=1)


def _to_radius(points: np.ndarray, centre: np.ndarray, radius: float, exactly: bool = False) -> np.ndarray:
    """Points [n, 3] pushed out to at least `radius` from the centre, or exactly onto it."""
    arm = points - centre
    length = np.linalg.norm(arm, axis=1, keepdims=True)
    return centre + arm * (radius / length if exactly else np.maximum(radius / length, 1))


def deformation_gradients(before: np.ndarray, after: np.ndarray, quads: np.ndarray, ridge: float = 0.3) -> np.ndarray:
    """For each vertex the linear map [V, 3, 3] that best takes its edges `before` to those `after`.

    The maps are drawn towards the mean similarity of the mesh (`ridge`, relative to the edges' spread), because a
    one-ring is flat and says nothing about its normal direction, and smoothed over two rings.
    """
    edges = quad_edges(quads)
    pairs = np.concatenate([edges, edges[:, ::-1]])
    u = before[pairs[:, 1]] - before[pairs[:, 0]]
    w = after[pairs[:, 1]] - after[pairs[:, 0]]
    count = len(before)
    uu, wu = np.zeros((count, 3, 3)), np.zeros((count, 3, 3))
    np.add.at(uu, pairs[:, 0], u[:, :, None] * u[:, None, :])
    np.add.at(wu, pairs[:, 0], w[:, :, None] * u[:, None, :])
    for _ in range(2):
        for moments in (uu, wu):
            spread = moments.copy()
            np.add.at(spread, pairs[:, 0], moments[pairs[:, 1]])
            moments[:] = spread
    scale = np.sqrt((w**2).sum() / (u**2).sum())
    trace = np.trace(uu, axis1=1, axis2=2) + 1e-12
    pull = ridge * trace[:, None, None] * np.eye(3)
    return (wu + scale * pull) @ np.linalg.inv(uu + pull)
