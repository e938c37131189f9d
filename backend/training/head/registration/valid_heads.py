"""The VALID head meshes (MIT) registered with the head: `sources/valid_heads`."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.training.head.landmarks.mesh_landmarks import detect_landmarks
from backend.training.head.landmarks.painted_mesh import SCLERA, SKIN, PaintedMesh
from backend.training.head.mean_head import MeanHead, lip_partners
from backend.training.head.registration.extension import Linings, smooth_solver, vertices_of
from backend.training.head.registration.registration import (
    StiffnessStage,
    join_anchors,
    register,
    surface_anchors,
    vertex_anchors,
)
from backend.training.head.registration.surfaces import (
    Surface,
    area_normals,
    quad_edges,
    ring_correspondence,
    triangulate,
)
from backend.training.head.sources.hm08 import HeadTopology

log = logging.getLogger(__name__)

SOURCE = "c-frame/valid-avatars-glb, commit c4719df7a2b60a96cc7f56d67e247674b68c4ea7, MIT licence"
VIEWS = ((0.0, 0.0), (-0.4, 0.0), (0.4, 0.0))
SCHEDULE = (
    StiffnessStage(30, 2.0, 0.000, 1),
    StiffnessStage(15, 2.0, 0.015, 3, 0.7),
    StiffnessStage(6, 1.5, 0.010, 3, 0.7),
    StiffnessStage(3, 1.0, 0.008, 3),
    StiffnessStage(1.5, 0.7, 0.006, 3),
)
RESIDUAL_TRUST = 0.15  # against the smoothness of what is left over
SCALP_HEIGHT = 0.045  # metres above the eyes: where painted hair may stand off the skull


@dataclass(frozen=True)
class ValidHead:
    """One individual of the library.

    Args:
        name: as in the index.
        heldout: for evaluation alone.
        painted_hair: the scalp has the shape of hair.
        vertices: float64 [V, 3], welded, metres, origin midway between the eyeballs.
        triangles: int [T, 3].
        eyes: vertices and triangles of the left and the right eyeball cap.
        eye_centres: float64 [2, 3].
        lips: int [n], the border loop inside the lips, in order.
        lids: the border loops of the left and the right eye, in order.
    """

    name: str
    heldout: bool
    painted_hair: bool
    vertices: np.ndarray
    triangles: np.ndarray
    eyes: tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]
    eye_centres: np.ndarray
    lips: np.ndarray
    lids: tuple[np.ndarray, np.ndarray]


def load_valid_heads(sources: Path) -> list[ValidHead]:
    """All heads of the source folder."""
    folder = sources / "valid_heads"
    index = json.loads((folder / "index.json").read_text())["individuals"]
    record = {r["name"]: r for r in index}
    with np.load(folder / "topology.npz") as topology, np.load(folder / "heads.npz") as heads:
        weld = topology["weld"]
        triangles = weld[topology["faces"]]
        loops = _border_loops(triangles)
        mean = heads["vertices"].mean(axis=0)
        around = sorted(loops, key=lambda ring: float(mean[ring, 1].mean()))
        # From below: neck, lips, then the two eyes.
        lips, lids = around[1], sorted(around[2:], key=lambda ring: -float(mean[ring, 0].mean()))
        found = []
        for k, name in enumerate(heads["names"].tolist()):
            centres = heads["eye_center"][k].astype(np.float64)
            origin = centres.mean(axis=0)
            found.append(
                ValidHead(
                    name=name,
                    heldout=record[name]["split"] == "heldout",
                    painted_hair=record[name]["scalp"] == "painted hair",
                    vertices=heads["vertices"][k].astype(np.float64) - origin,
                    triangles=triangles,
                    eyes=(
                        (heads["left_eye"][k] - origin, topology["left_eye_faces"]),
                        (heads["right_eye"][k] - origin, topology["right_eye_faces"]),
                    ),
                    eye_centres=centres - origin,
                    lips=lips,
                    lids=(lids[0], lids[1]),
                )
            )
    return found


def _border_loops(triangles: np.ndarray) -> list[np.ndarray]:
    """Border loops of a triangle mesh, each in order."""
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = edges[edges[:, 0] != edges[:, 1]]
    present = {(int(a), int(b)) for a, b in edges}
    following = {a: b for a, b in present if (b, a) not in present}
    loops = []
    while following:
        start = next(iter(following))
        ring = [start]
        while (after := following.pop(ring[-1])) != start:
            ring.append(after)
        loops.append(np.array(ring))
    return loops


def painted(head: ValidHead) -> PaintedMesh:
    """A head with painted irises, for the landmark detector."""
    vertices, triangles, colours, irises = [head.vertices], [head.triangles], [], []
    counts = [len(head.triangles)]
    for points, faces in head.eyes:
        triangles.append(faces + sum(len(v) for v in vertices))
        vertices.append(points)
        counts.append(len(faces))
    colours = np.repeat([SKIN, SCLERA, SCLERA], counts, axis=0)
    owner = np.repeat([0, 1, 2], counts)
    irises = tuple((owner == k + 1, head.eye_centres[k], np.array([0.0, 0, 1])) for k in range(2))
    return PaintedMesh(np.concatenate(vertices), np.concatenate(triangles), colours, irises)


class ValidRegistration:
    """Registers the mean head with VALID heads."""

    def __init__(
        self, topology: HeadTopology, mean: MeanHead, landmark_corners: np.ndarray, landmark_barycentric: np.ndarray
    ) -> None:
        """`landmark_*` [478, 3] are the landmarks on the mean head."""
        self._topology, self._mean = topology, mean
        body = np.isin(topology.face_part, [0, 1])
        self._ids = vertices_of(topology, "skin", "mouth")
        self._new = np.full(len(topology.vertices), -1)
        self._new[self._ids] = np.arange(len(self._ids))
        self._quads = self._new[topology.quads[body]]
        self._skin = np.isin(self._ids, vertices_of(topology, "skin"))
        self._corners, self._barycentric = landmark_corners, landmark_barycentric
        self.origin = (mean.eyes[0].centre + mean.eyes[1].centre) / 2

    def register(self, head: ValidHead, model_file: Path) -> np.ndarray:
        """The mean's skin and linings bent onto a head: float64 [V, 3], the other parts NaN, in the head's own scale,
        with the origin midway between the eyeballs of the mean."""
        template = self._mean.vertices[self._ids] - self.origin
        landmarks, _ = detect_landmarks(painted(head), model_file, size=640, views=VIEWS)
        surface = Surface(head.vertices, head.triangles)
        there = surface.closest(landmarks)
        on_body = (self._new[self._corners] >= 0).all(axis=1) & (there.distance < 0.002)
        here = np.einsum("lc,lcd->ld", self._barycentric, self._mean.vertices[self._corners] - self.origin)
        on_body &= here[:, 2] > -0.01
        anchors = [
            surface_anchors(
                len(template),
                self._new[self._corners[on_body]],
                self._barycentric[on_body],
                there.points[on_body],
                np.full(int(on_body.sum()), 0.3),
            )
        ]
        topology = self._topology
        rings = [
            (topology.lip_margin, head.lips),
            (topology.lid_margin_left, head.lids[0]),
            (topology.mirror[topology.lid_margin_left], head.lids[1]),
        ]
        ring_vertices = []
        for ring, target_ring in rings:
            vertices, two, weight = ring_correspondence(ring, self._mean.vertices, target_ring, head.vertices)
            goals = np.einsum("nk,nkd->nd", weight, head.vertices[two])
            anchors.append(vertex_anchors(len(template), self._new[vertices], goals, 1.0))
            ring_vertices.append(self._new[vertices])
        follows = self._skin.astype(float)
        follows[np.concatenate(ring_vertices)] = 0
        if head.painted_hair:
            follows[template[:, 1] > SCALP_HEIGHT] *= 0.0
            follows[template[:, 2] < -0.1] = 0.0
        triangles, edges = triangulate(self._quads), quad_edges(self._quads)
        bent = register(template, edges, triangles, follows, surface, join_anchors(*anchors), SCHEDULE)
        out = np.full((len(topology.vertices), 3), np.nan)
        out[self._ids] = bent
        found = surface.closest(bent, area_normals(bent, triangles))
        error = found.distance[self._skin & (bent[:, 2] > -0.03) & (bent[:, 1] > -0.1)]
        log.info("%s: mean distance to the surface on the face %.2f mm", head.name, 1000 * error.mean())
        return out


def smooth_residual(topology: HeadTopology, linings: Linings, residual: np.ndarray, window: np.ndarray) -> np.ndarray:
    """A residual [V, 3] (NaN where unknown), faded by `window` [V], smoothed over the skin; the linings follow, the
    parts inside stay, and lips that touch move as one."""
    body = vertices_of(topology, "skin", "mouth")
    wanted = np.nan_to_num(residual) * window[:, None]
    for ring in (topology.lip_contact, topology.lip_margin):
        upper, lower = lip_partners(topology, ring)
        wanted[upper] = wanted[lower] = (wanted[upper] + wanted[lower]) / 2
    lining = linings.vertices
    wanted[lining] = linings.follow(wanted[None], np.zeros((1, len(lining), 3)))[0]
    weight = np.full(len(body), RESIDUAL_TRUST)
    solve = smooth_solver(topology.quads[np.isin(topology.face_part, [0, 1])], body, weight)
    out = np.zeros_like(residual)
    out[body] = solve(weight[:, None] * wanted[body])
    return out
