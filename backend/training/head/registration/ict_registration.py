"""The dense correspondence between the `hm08` head and the ICT face model."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np

from backend.training.head.registration.registration import (
    Anchors,
    StiffnessStage,
    join_anchors,
    register,
    surface_anchors,
    vertex_anchors,
)
from backend.training.head.registration.surfaces import (
    Surface,
    SurfacePoints,
    area_normals,
    quad_edges,
    ring_correspondence,
    triangulate,
)
from backend.training.head.sources.hm08 import BaseMesh, EdgeLoops, HeadTopology, average_adult
from backend.training.head.sources.ict import IctModel

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class RingPair:
    """An edge loop of hm08 and the loop of the ICT mesh that it must land on.

    Args:
        name: what it is.
        hm08, ict: two neighbouring vertices on each loop.
        both_sides: the loop lies on the subject's left and has a mirror image.
        up: the axis that tells the upper from the lower half.
    """

    name: str
    hm08: tuple[int, int]
    ict: tuple[int, int]
    both_sides: bool
    up: int = 1


RINGS = (
    RingPair("lip contact", (520, 7267), (5532, 5810), False),
    RingPair("inner lip", (537, 7282), (5534, 6333), False),
    RingPair("back edge of the lid margin", (7748, 7747), (4161, 3789), True),
    RingPair("front edge of the lid margin", (6785, 6784), (4163, 2850), True),
    RingPair("inside of the nostril", (7108, 7105), (5370, 5128), True, up=2),
)
# Ears, picked by hand on both meshes: helix (top, upper back, rear), rim to lobe, lobe bottom and front,
# intertragic notch, tragus, root and fossa of the helix, crus, concha, antitragus.
EAR_HM08 = (12012, 12021, 12040, 12053, 12027, 12358, 12270, 12077, 12190, 12208, 12231, 12294, 12300)
EAR_ICT = (6844, 7285, 6857, 6811, 7125, 7117, 7317, 6754, 6826, 6895, 6951, 7371, 6817)
NOSTRIL_SEED = 7158
CHIN_HEIGHT = -0.112  # metres, head space, on the template

SCHEDULE = (
    StiffnessStage(60, 3.0, 0.000, 1),
    StiffnessStage(30, 3.0, 0.020, 2, 0.7),
    StiffnessStage(15, 2.0, 0.015, 3, 0.7),
    StiffnessStage(8, 2.0, 0.012, 3),
    StiffnessStage(4, 2.0, 0.010, 4),
    StiffnessStage(2, 1.5, 0.008, 4),
    StiffnessStage(1, 1.5, 0.006, 5),
    StiffnessStage(0.5, 1.5, 0.006, 4),
)


@dataclass(frozen=True)
class IctCorrespondence:
    """The template bent onto the ICT mean, and what each vertex corresponds to there.

    Args:
        vertices: float64 [V, 3], head space, metres; parts other than skin and mouth are still the template's.
        corners: int [V, 3], ICT vertices of the triangle that a vertex lies on.
        barycentric: float64 [V, 3].
        trust: float64 [V], 1 where the correspondence holds, less where it is only nearby, 0 where there is none.
    """

    vertices: np.ndarray
    corners: np.ndarray
    barycentric: np.ndarray
    trust: np.ndarray

    def interpolate(self, fields: np.ndarray) -> np.ndarray:
        """Values of ICT vertex fields [K, V_ict, 3] at the vertices, float64 [K, V, 3]."""
        return np.einsum("vc,kvcd->kvd", self.barycentric, fields[:, self.corners].astype(np.float64))


@dataclass(frozen=True)
class _Rings:
    """Ring constraints: vertices of the head [n], ICT vertices [n, 3] and weights [n, 3] (third unused)."""

    vertices: np.ndarray
    corners: np.ndarray
    weights: np.ndarray
    targets: np.ndarray


def register_to_ict(
    topology: HeadTopology, base: BaseMesh, ict: IctModel, landmarks: np.ndarray, ict_landmarks: np.ndarray
) -> IctCorrespondence:
    """Bend skin and mouth lining of the template onto the ICT mean.

    Args:
        topology: the cut head.
        base: the mesh it was cut from.
        ict: the ICT model.
        landmarks, ict_landmarks: float64 [478, 3], the same landmarks on the template and on the ICT mean.
    """
    body = np.isin(topology.face_part, [0, 1])
    ids = np.unique(topology.quads[body])
    new = np.full(len(topology.vertices), -1)
    new[ids] = np.arange(len(ids))
    quads = new[topology.quads[body]]
    on_skin = np.zeros(len(ids), bool)
    on_skin[new[np.unique(topology.quads[topology.face_part == 0])]] = True
    template, mirror = topology.vertices[ids], new[topology.mirror[ids]]
    triangles, edges = triangulate(quads), quad_edges(quads)
    surface = Surface(ict.mean, ict.skin_triangles())

    loops = EdgeLoops(base.quads[base.groups == "body"])
    body_of_hm08 = np.full(len(base.vertices), -1)
    body_of_hm08[topology.hm08_vertex_ids] = new
    rings = _ring_constraints(base, loops, ict, body_of_hm08, mirror)
    pits = body_of_hm08[loops.enclosed(loops.loop(*RINGS[-1].hm08), NOSTRIL_SEED)]
    pits = np.concatenate([pits, mirror[pits]])
    ears, ear_targets = body_of_hm08[list(EAR_HM08)], ict.mean[list(EAR_ICT)]
    count = len(ids)
    anchors = join_anchors(
        vertex_anchors(count, rings.vertices, rings.targets, 3.0),
        vertex_anchors(count, ears, ear_targets, 0.5),
        vertex_anchors(count, mirror[ears], ear_targets * [-1, 1, 1], 0.5),
        _landmark_anchors(
            template, triangulate(quads[topology.face_part[body] == 0]), landmarks, surface, ict_landmarks, rings
        ),
    )
    follows = on_skin.astype(float)
    follows[rings.vertices] = follows[pits] = 0
    # The mouth lining gives way more easily than the skin; the fold under the chin must not slide over itself.
    edge_stiffness = np.where(on_skin[edges].all(axis=1), 1.0, 0.5)
    edge_stiffness[(template[edges, 1] < CHIN_HEIGHT).all(axis=1)] = 8.0
    bent = register(template, edges, triangles, follows, surface, anchors, SCHEDULE, mirror, edge_stiffness)
    return _correspondence(topology, ids, bent, triangles, on_skin, pits, rings, surface)


def _ring_constraints(
    base: BaseMesh, loops: EdgeLoops, ict: IctModel, body_of_hm08: np.ndarray, mirror: np.ndarray
) -> _Rings:
    template = average_adult(base)
    whole = (ict.quads < ict.parts["mouth_socket"][1]).all(axis=1) & (ict.quads[:, 3] >= 0)
    ict_loops = EdgeLoops(ict.quads[whole])
    flipped = _nearest_mirror(ict.mean[: ict.parts["mouth_socket"][1]])
    vertices, corners, weights = [], [], []
    for pair in RINGS:
        ring, ict_ring = loops.loop(*pair.hm08), ict_loops.loop(*pair.ict)
        hm08_vertices, two, weight = ring_correspondence(ring, template, ict_ring, ict.mean, pair.up)
        for on_right in (False, True) if pair.both_sides else (False,):
            here = body_of_hm08[hm08_vertices]
            vertices.append(mirror[here] if on_right else here)
            there = flipped[two] if on_right else two
            corners.append(np.hstack([there, there[:, :1]]))
            weights.append(np.hstack([weight, np.zeros((len(weight), 1))]))
    joined = np.concatenate(corners), np.concatenate(weights)
    targets = np.einsum("nc,ncd->nd", joined[1], ict.mean[joined[0]])
    return _Rings(np.concatenate(vertices), *joined, targets)


def _nearest_mirror(points: np.ndarray) -> np.ndarray:
    from scipy.spatial import KDTree

    return np.asarray(KDTree(points).query(points * [-1, 1, 1])[1])


def _landmark_anchors(
    template: np.ndarray,
    skin: np.ndarray,
    landmarks: np.ndarray,
    surface: Surface,
    ict_landmarks: np.ndarray,
    rings: _Rings,
) -> Anchors:
    """Landmarks that face the camera, lie on the skin of both meshes and not at lips, lids or nostrils."""
    template_skin = Surface(template, skin)
    here, there = template_skin.closest(landmarks), surface.closest(ict_landmarks)
    normals = np.einsum("nc,ncd->nd", here.barycentric, template_skin.normals[skin[here.triangles]])
    from_ring = np.linalg.norm(here.points[:, None] - template[rings.vertices][None], axis=2).min(axis=1)
    good = (normals[:, 2] > 0.45) & (here.distance < 0.002) & (there.distance < 0.002) & (from_ring > 0.007)
    log.info("%d of %d landmarks anchor the registration", good.sum(), len(good))
    return surface_anchors(
        len(template),
        skin[here.triangles[good]],
        here.barycentric[good],
        there.points[good],
        np.full(int(good.sum()), 0.3),
    )


def _correspondence(
    topology: HeadTopology,
    ids: np.ndarray,
    bent: np.ndarray,
    triangles: np.ndarray,
    on_skin: np.ndarray,
    pits: np.ndarray,
    rings: _Rings,
    surface: Surface,
) -> IctCorrespondence:

    found: SurfacePoints = surface.closest(bent, area_normals(bent, triangles))
    corners, barycentric = surface.triangles[found.triangles].copy(), found.barycentric.copy()
    near = (found.distance < 0.0015) & (found.normal_agreement > 0.5) & ~surface.at_border(found)
    trust = np.where(near, 1.0, 0.02) * on_skin
    trust[pits] = 0
    corners[rings.vertices], barycentric[rings.vertices], trust[rings.vertices] = rings.corners, rings.weights, 1
    count = len(topology.vertices)
    vertices, all_corners = topology.vertices.copy(), np.zeros((count, 3), np.int64)
    all_barycentric, all_trust = np.tile([1.0, 0, 0], (count, 1)), np.zeros(count)
    vertices[ids], all_corners[ids], all_barycentric[ids], all_trust[ids] = bent, corners, barycentric, trust
    return IctCorrespondence(vertices, all_corners, all_barycentric, all_trust)
