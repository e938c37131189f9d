"""The mean head: the template bent onto the ICT mean, lips closed, eyeballs and teeth seated."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.training.head.figures import flipped_triangles, self_intersections
from backend.training.head.lashes import move_lashes
from backend.training.head.parameters import MeanHeadSettings
from backend.training.head.registration.extension import smooth_solver, vertices_of
from backend.training.head.registration.surfaces import area_normals, quad_edges, triangulate
from backend.training.head.sources.hm08 import HALF_IPD, HeadTopology
from backend.training.head.sources.ict import IctModel
from shared.errors import RelightifyError

LID_CLEARANCE = 1.5e-4  # metres between the back edge of the lid margin and the eyeball
LIP_CLEARANCE = 1.0e-4  # metres between the lips where they touch
UPPER_TEETH, LOWER_TEETH = (15060, 15128), (14992, 15060)  # half-open ranges of hm08 vertices
TONGUE = (13380, 13606)


@dataclass(frozen=True)
class Eye:
    """An eyeball of the head and where the lids touch it.

    Args:
        vertices: int [n], the eyeball's vertices.
        margin: int [m], the back edge of the lid margin.
        centre: float64 [3], metres.
        radius: metres.
    """

    vertices: np.ndarray
    margin: np.ndarray
    centre: np.ndarray
    radius: float


@dataclass(frozen=True)
class MeanHead:
    """The mean head [V, 3] in metres, still centred between the ICT eyeballs, and its eyes (left, right)."""

    vertices: np.ndarray
    eyes: tuple[Eye, Eye]


def finish_mean(
    topology: HeadTopology, bent: np.ndarray, ict: IctModel, settings: MeanHeadSettings = MeanHeadSettings()
) -> MeanHead:
    """Put eyeballs, teeth, tongue and lashes into the bent head [V, 3], close the lips, rest the lids on the eyes."""
    vertices = bent.copy()
    eyes = _seat_eyeballs(topology, bent)
    for eye in eyes:
        template = topology.vertices[eye.vertices]
        arm = template - (template.min(axis=0) + template.max(axis=0)) / 2
        # hm08's eyeballs bulge a little in front; the lids slide better over a true sphere.
        vertices[eye.vertices] = eye.centre + eye.radius * arm / np.linalg.norm(arm, axis=1, keepdims=True)
    goals, wanted = _lid_goals(vertices, eyes)
    lip_goals, lip_wanted = _lip_goals(topology, vertices)
    body = vertices_of(topology, "skin", "mouth")
    weight, motion = np.full(len(topology.vertices), 0.03), np.zeros_like(vertices)
    for ring, goal in ((goals, wanted), (lip_goals, lip_wanted)):
        weight[ring], motion[ring] = 10, goal - vertices[ring]
    solve = smooth_solver(topology.quads[np.isin(topology.face_part, [0, 1])], body, weight[body])
    vertices[body] += solve(weight[body, None] * motion[body])
    vertices = untangle(topology, vertices, np.concatenate([eye.margin for eye in eyes]), settings=settings)
    _seat_teeth(topology, vertices, ict, settings)
    shift = move_lashes(topology, (vertices - topology.vertices)[None], topology.vertices)[0]
    lashes = vertices_of(topology, "lashes")
    vertices[lashes] = topology.vertices[lashes] + shift[lashes]
    return MeanHead((vertices + vertices[topology.mirror] * [-1, 1, 1]) / 2, eyes)


def untangle(
    topology: HeadTopology,
    vertices: np.ndarray,
    fixed: np.ndarray,
    rounds: int = 160,
    settings: MeanHeadSettings = MeanHeadSettings(),
) -> np.ndarray:
    """Vertices [V, 3] without skin that cuts through skin or is turned inside out.

    Skin that crosses other skin backs off along its normals, away from what it touches; skin that is turned inside out
    takes on the mean displacement from the template around it. Vertices `fixed` [n] stay.

    Raises:
        RelightifyError: it still does after so many rounds.
    """
    quads = topology.quads[topology.face_part == 0]
    triangles, edges = triangulate(quads), quad_edges(quads)
    pairs = np.concatenate([edges, edges[:, ::-1]])
    degree = np.maximum(np.bincount(pairs[:, 0], minlength=len(vertices)), 1)[:, None]
    free = np.ones((len(vertices), 1))
    free[fixed] = 0

    def around(values: np.ndarray) -> np.ndarray:
        columns = [np.bincount(pairs[:, 0], values[pairs[:, 1], k], len(vertices)) for k in range(values.shape[1])]
        return np.stack(columns, axis=1) / degree

    def marked(faces: np.ndarray) -> np.ndarray:
        mark = np.zeros((len(vertices), 1))
        mark[triangles[faces]] = 1
        return np.maximum(mark, mark[topology.mirror])

    vertices = vertices.copy()
    for _ in range(rounds):
        crossing = np.unique(self_intersections(vertices, triangles))
        flipped = flipped_triangles(vertices, triangles, topology.vertices)
        if not len(crossing) + len(flipped):
            return vertices
        touching, turned = marked(crossing), marked(flipped)
        step = settings.back_off * area_normals(vertices, triangles) * np.maximum(touching, around(touching))
        shift = vertices - topology.vertices
        vertices += free * (turned * (around(shift) - shift) - step)
    raise RelightifyError(
        "head_tangled",
        f"{len(crossing)} skin triangles of the mean still intersect and {len(flipped)} are inside out.",
        "Look at the registration sheet.",
    )


def _seat_eyeballs(topology: HeadTopology, bent: np.ndarray) -> tuple[Eye, Eye]:
    """Eyeballs whose front fits the lid margins.

    The centre keeps its place across and up; depth and radius are fitted, because the ICT lids rest on a bulging
    cornea that a sphere of the ICT eyeball's radius does not reach.
    """
    margin = topology.lid_margin_left
    ring = bent[margin]
    in_plane = ((ring[:, :2] - [HALF_IPD, 0]) ** 2).sum(axis=1)
    # in_plane + (z - c)^2 = r^2  <=>  in_plane + z^2 = 2 c z + (r^2 - c^2)
    design = np.stack([2 * ring[:, 2], np.ones(len(ring))], axis=1)
    depth, rest = np.linalg.lstsq(design, in_plane + ring[:, 2] ** 2, rcond=None)[0]
    radius = float(np.sqrt(rest + depth**2))
    left, right = vertices_of(topology, "eye_left"), vertices_of(topology, "eye_right")
    centre = np.array([HALF_IPD, 0, depth])
    return Eye(left, margin, centre, radius), Eye(right, topology.mirror[margin], centre * [-1, 1, 1], radius)


def _lid_goals(vertices: np.ndarray, eyes: tuple[Eye, Eye]) -> tuple[np.ndarray, np.ndarray]:
    rings, goals = [], []
    for eye in eyes:
        arm = vertices[eye.margin] - eye.centre
        arm /= np.linalg.norm(arm, axis=1, keepdims=True)
        rings.append(eye.margin)
        goals.append(eye.centre + (eye.radius + LID_CLEARANCE) * arm)
    return np.concatenate(rings), np.concatenate(goals)


def lip_partners(topology: HeadTopology, ring: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vertices of a loop around the mouth, above and below, that face each other: int [n] and int [n]."""
    ring = np.roll(ring, -int(topology.vertices[ring, 0].argmax()))
    half = len(ring) // 2
    one, other = ring[1:half], ring[:half:-1]
    above = topology.vertices[one, 1].mean() > topology.vertices[other, 1].mean()
    return (one, other) if above else (other, one)


def _lip_goals(topology: HeadTopology, vertices: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places where the lips' contact loop closes: upper and lower partners meet halfway, a hair's width apart."""
    upper, lower = lip_partners(topology, topology.lip_contact)
    middle = (vertices[upper, 1] + vertices[lower, 1]) / 2
    up, down = vertices[upper].copy(), vertices[lower].copy()
    up[:, 1], down[:, 1] = middle + LIP_CLEARANCE / 2, middle - LIP_CLEARANCE / 2
    return np.concatenate([upper, lower]), np.concatenate([up, down])


def _seat_teeth(topology: HeadTopology, vertices: np.ndarray, ict: IctModel, settings: MeanHeadSettings) -> None:
    """Fit each row of teeth into the box of the ICT row, and the tongue between them. Changes `vertices`.

    The box ends short of the roots and lies a little behind the ICT teeth: hm08's rows are plain strips, and longer or
    further in front they would come through the chins of some people.
    """
    teeth = ict.part_vertices("teeth")
    jaw_open = np.linalg.norm(ict.expressions[ict.expression_names.index("jawOpen")][teeth], axis=1) > 1e-4
    ids = topology.hm08_vertex_ids
    for (first, end), row, root in ((UPPER_TEETH, teeth[~jaw_open], 1), (LOWER_TEETH, teeth[jaw_open], 0)):
        mine = (ids >= first) & (ids < end)
        here, there = topology.vertices[mine], ict.mean[row]
        box = np.stack([there.min(axis=0), there.max(axis=0)])
        box[root, 1] += settings.root_share * (box[1 - root, 1] - box[root, 1])
        box[:, 2] -= settings.teeth_behind
        vertices[mine] = (here - here.min(axis=0)) * np.diff(box, axis=0) / np.ptp(here, axis=0) + box[0]
    tongue = (ids >= TONGUE[0]) & (ids < TONGUE[1])
    lower = (ids >= LOWER_TEETH[0]) & (ids < LOWER_TEETH[1])
    here, there = topology.vertices[lower], ict.mean[teeth[jaw_open]]
    scale = np.ptp(there, axis=0) / np.ptp(here, axis=0)
    vertices[tongue] = (topology.vertices[tongue] - here.mean(axis=0)) * scale * [0.9, 0.9, 0.95]
    vertices[tongue] += (there.min(axis=0) + there.max(axis=0)) / 2 - [0, 0, settings.teeth_behind]
