"""Non-rigid registration of one mesh to another: optimal-step ICP with an affine map per vertex.

Reference: B. Amberg, S. Romdhani, T. Vetter, *Optimal Step Nonrigid ICP Algorithms for Surface Registration*, CVPR
2007, equations 4-12.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_matrix, csc_matrix, csr_matrix, diags, kron, vstack
from scipy.sparse.linalg import splu

from backend.training.head.registration.surfaces import Surface, area_normals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Anchors:
    """Points of the template that must land on given points.

    Args:
        weights_on_vertices: sparse [A, N], each row the barycentric weights of one point.
        targets: float64 [A, 3].
        strength: float64 [A], relative to the stage's anchor weight.
    """

    weights_on_vertices: csr_matrix
    targets: np.ndarray
    strength: np.ndarray


@dataclass(frozen=True)
class StiffnessStage:
    """One step of the schedule.

    Args:
        stiffness: weight of differences between neighbouring affine maps.
        anchor_weight: weight of the anchors.
        reach: surface points further away than this (metres) are ignored; 0 for anchors only.
        iterations: how often correspondences are renewed.
        min_agreement: least cosine between the normals of corresponding points.
    """

    stiffness: float
    anchor_weight: float
    reach: float
    iterations: int
    min_agreement: float = 0.6


def register(
    template: np.ndarray,
    edges: np.ndarray,
    triangles: np.ndarray,
    follows_surface: np.ndarray,
    target: Surface,
    anchors: Anchors,
    schedule: tuple[StiffnessStage, ...],
    mirror: np.ndarray | None = None,
    edge_stiffness: np.ndarray | None = None,
    start: np.ndarray | None = None,
) -> np.ndarray:
    """Bend a template onto a surface.

    Args:
        template: float64 [N, 3], metres.
        edges: int [E, 2], along which neighbouring maps are alike.
        triangles: int [T, 3], for the template's normals.
        follows_surface: float64 [N], weight of each vertex's pull towards the surface (0: only its neighbours count).
        target: the surface.
        anchors: what must land where.
        schedule: from stiff to soft.
        mirror: int [N]; where given, the result is made mirror-symmetric after every solve.
        edge_stiffness: float64 [E], factors on the stiffness of each edge.
        start: float64 [N, 3], where the template is put before the first correspondences.

    Returns:
        float64 [N, 3], the bent template.
    """
    count = len(template)
    # In units of centimetres around the centroid, so that the linear and the constant part of a map weigh alike.
    centre = template.mean(axis=0)
    homogeneous = np.hstack([(template - centre) * 100, np.ones((count, 1))])
    rows = np.repeat(np.arange(count), 4)
    lift = csr_matrix((homogeneous.ravel(), (rows, np.arange(4 * count))), shape=(count, 4 * count))
    factors = np.ones(len(edges)) if edge_stiffness is None else edge_stiffness
    incidence = coo_matrix(
        (
            np.concatenate([factors, -factors]),
            (np.tile(np.arange(len(edges)), 2), edges.T.ravel()),
        ),
        shape=(len(edges), count),
    )
    smooth = csr_matrix(kron(incidence, diags([1.0, 1.0, 1.0, 1.0])))
    regular = csc_matrix(smooth.T @ smooth)
    anchor_lift = csr_matrix(anchors.weights_on_vertices @ lift)
    current, step = (template if start is None else start), 0.0
    for stage in schedule:
        for _ in range(stage.iterations):
            blocks, values = [], []
            if stage.reach > 0:
                normals = area_normals(current, triangles)
                found = target.closest(current, normals)
                weight = follows_surface * (found.distance < stage.reach)
                weight = weight * (found.normal_agreement > stage.min_agreement) * ~target.at_border(found)
                blocks.append(diags(weight) @ lift)
                values.append(weight[:, None] * (found.points - centre) * 100)
            strength = stage.anchor_weight * anchors.strength
            blocks.append(diags(strength) @ anchor_lift)
            values.append(strength[:, None] * (anchors.targets - centre) * 100)
            data = csr_matrix(vstack(blocks))
            system = stage.stiffness**2 * regular + csc_matrix(data.T @ data) + 1e-9 * diags(np.ones(4 * count))
            maps = splu(csc_matrix(system)).solve(data.T @ np.concatenate(values))
            moved = (lift @ maps) / 100 + centre
            if mirror is not None:
                moved = (moved + moved[mirror] * [-1, 1, 1]) / 2
            step = np.linalg.norm(moved - current, axis=1).mean()
            current = moved
        log.info("stiffness %.3g: mean step %.4f mm", stage.stiffness, 1000 * step)
    return current


def vertex_anchors(count: int, vertices: np.ndarray, targets: np.ndarray, strength: float) -> Anchors:
    """Anchors at vertices [A] of a template of `count` vertices."""
    n = len(vertices)
    return Anchors(csr_matrix((np.ones(n), (np.arange(n), vertices)), shape=(n, count)), targets, np.full(n, strength))


def surface_anchors(
    count: int, corners: np.ndarray, barycentric: np.ndarray, targets: np.ndarray, strength: np.ndarray
) -> Anchors:
    """Anchors at points on triangles: vertex indices [A, 3] and barycentrics [A, 3]."""
    n = len(corners)
    weights = csr_matrix((barycentric.ravel(), (np.repeat(np.arange(n), 3), corners.ravel())), shape=(n, count))
    return Anchors(weights, targets, strength)


def join_anchors(*parts: Anchors) -> Anchors:
    """All anchors of several sets."""
    return Anchors(
        csr_matrix(vstack([p.weights_on_vertices for p in parts])),
        np.concatenate([p.targets for p in parts]),
        np.concatenate([p.strength for p in parts]),
    )
