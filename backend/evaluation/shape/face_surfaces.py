"""Surfaces of CG heads compared with heads of our model, region by region, in the manner of REALY.

Source: Chai et al., "REALY: Rethinking the evaluation of 3D face reconstruction", 2022: an error over the whole face
mixes what is wrong in one place with how the others were aligned, so each region is aligned for itself. Its non-rigid
step, which looks for the point that means the same, is left out: what is measured is the distance to the surface.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from scipy.spatial import KDTree
from scipy.spatial.transform import Rotation

from backend.evaluation.cg_heads import FARTHEST_M
from backend.evaluation.parameters import GeometrySettings
from backend.head.model import HeadModel
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import UVSpace
from backend.training.head.registration.surfaces import Surface, SurfacePoints
from backend.training.skin.valid_skins import ValidCorrespondence

REGIONS = ("nose", "mouth", "forehead", "cheek")
BEHIND_M = -0.09  # in head space: ears and what is behind them is in no region


@dataclass(frozen=True)
class Similarity:
    """x -> scale * rotation @ x + shift, on rows.

    Args:
        scale: positive.
        rotation: float64 [3, 3].
        shift: float64 [3], metres.
    """

    scale: float
    rotation: np.ndarray
    shift: np.ndarray

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Points [N, 3] moved."""
        return self.scale * points @ self.rotation.T + self.shift


UNMOVED = Similarity(1.0, np.eye(3), np.zeros(3))


@dataclass(frozen=True)
class FacePoints:
    """The true surface of a face, as points spread evenly over it.

    Args:
        regions: float64 [N, 3] by region, metres.
    """

    regions: dict[str, np.ndarray]

    @property
    def whole(self) -> np.ndarray:
        """Those of all regions."""
        return np.concatenate(list(self.regions.values()))


@dataclass(frozen=True)
class RegionMesh:
    """The library's mesh, which all of its heads share, with the triangles of each region.

    Args:
        names: of the heads, in order.
        vertices: float64 [heads, V, 3], metres.
        triangles: int [n, 3] by region.
    """

    names: list[str]
    vertices: np.ndarray
    triangles: dict[str, np.ndarray]

    def points(self, name: str, settings: GeometrySettings = GeometrySettings()) -> FacePoints:
        """Points on a head's regions; the same places on every head."""
        vertices = self.vertices[self.names.index(name)]
        return FacePoints({r: spread_evenly(vertices, t, settings.region_points) for r, t in self.triangles.items()})


def region_mesh(
    folder: Path,
    model: HeadModel,
    space: UVSpace,
    found: ValidCorrespondence,
    settings: GeometrySettings = GeometrySettings(),
) -> RegionMesh:
    """The mesh of a folder in the format of `valid_heads`, with regions from our texture space.

    Args:
        folder: has `topology.npz` and `heads.npz`.
        model: the head model.
        space: our texels.
        found: where they lie in the library's texture.
        settings: of the regions.
    """
    with np.load(folder / "topology.npz") as topology, np.load(folder / "heads.npz") as heads:
        faces, uv = topology["faces"].astype(np.int64), topology["uv"].astype(np.float64)
        names, vertices = heads["names"].tolist(), heads["vertices"].astype(np.float64)
    near = found.distance < FARTHEST_M
    distance, nearest = KDTree(found.uv[near]).query(uv)
    texel = found.texel[near][nearest]
    triangles = {}
    for name, mask in region_masks(face_regions(model, space), settings).items():
        inside = mask.reshape(-1)[texel] & (distance < settings.texture_reach)
        triangles[name] = faces[inside[faces].all(axis=1)]
    return RegionMesh(names, vertices, triangles)


def region_masks(regions: FaceRegions, settings: GeometrySettings = GeometrySettings()) -> dict[str, np.ndarray]:
    """The four regions as bool [R, R]; no texel is in two of them.

    The mouth is the lips and `mouth_mm` around them; the cheek is what is left of the face without brows and eyes,
    jaw and chin included.
    """
    face, nose, forehead = (m > 0.5 for m in (regions.face, regions.nose, regions.forehead))
    from_lips = cv2.distanceTransform((regions.lips < 0.5).astype(np.uint8), cv2.DIST_L2, 5)
    mouth = face & (from_lips <= settings.mouth_mm * regions.texels_per_mm) & ~nose
    forehead = forehead & ~nose & ~mouth
    other = nose | mouth | forehead | (regions.brows > 0.5) | (regions.eyes > 0.5)
    return {"nose": nose & face, "mouth": mouth, "forehead": forehead, "cheek": face & ~other}


def spread_evenly(vertices: np.ndarray, triangles: np.ndarray, count: int) -> np.ndarray:
    """`count` points spread evenly by area over triangles [n, 3], float64 [count, 3]."""
    rng = np.random.default_rng(0)
    corners = vertices[triangles]
    area = np.linalg.norm(np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]), axis=1)
    chosen = rng.choice(len(triangles), count, p=area / area.sum())
    root, along = np.sqrt(rng.random(count)), rng.random(count)
    barycentric = np.stack([1 - root, root * (1 - along), root * along], axis=1)
    return np.einsum("nc,ncd->nd", barycentric, corners[chosen])


def region_errors(
    truth: FacePoints, head: Surface, settings: GeometrySettings = GeometrySettings()
) -> dict[str, float]:
    """Mean distance in mm from the true points of each region to a head's surface, and `mean`, that of the regions.

    The whole face is aligned first, scale included, since no photo tells it; then each region rigidly. Distances are
    measured at the true scale.
    """
    whole = aligned(truth.whole, head, UNMOVED, settings, scaled=True)
    errors = {}
    for name, points in truth.regions.items():
        place = aligned(points, head, whole, settings)
        errors[name] = 1000 * float(head.closest(place(points)).distance.mean()) / place.scale
    return {**errors, "mean": float(np.mean(list(errors.values())))}


def aligned(
    points: np.ndarray,
    head: Surface,
    start: Similarity,
    settings: GeometrySettings = GeometrySettings(),
    scaled: bool = False,
) -> Similarity:
    """How points [N, 3] move onto a surface, rigid from the start's scale unless `scaled`: iterative closest points.

    Source: Chen and Medioni, "Object modelling by registration of multiple range images", 1992 (point to plane, which
    needs a tenth of the steps of point to point).
    """
    place, before = start, np.inf
    for _ in range(settings.iterations):
        there = place(points)
        found = head.closest(there, candidates=settings.candidates)
        error = float(np.mean(found.distance**2))
        if error > before * (1 - settings.converged):
            break
        before = error
        place = _nearer(place, there, found.points, foot_normals(head, found), settings.damping, scaled)
    return place


def _nearer(
    place: Similarity, there: np.ndarray, feet: np.ndarray, normals: np.ndarray, damping: float, scaled: bool
) -> Similarity:
    """One step of least squares on the distances [N] along the surface's normals [N, 3]."""
    centre = there.mean(0)
    arm = there - centre
    size = float(np.sqrt(np.square(arm).sum(axis=1).mean()))
    columns = [np.cross(arm, normals) / size, normals]
    if scaled:
        columns.append((arm * normals).sum(axis=1, keepdims=True) / size)
    jacobian = np.hstack(columns)
    offset = ((feet - there) * normals).sum(axis=1)
    # What the surface hardly holds, such as turning on a round forehead, stays as it is.
    system = jacobian.T @ jacobian / len(there) + damping * np.eye(jacobian.shape[1])
    step = np.linalg.solve(system, jacobian.T @ offset / len(there))
    turn = Rotation.from_rotvec(step[:3] / size).as_matrix()
    growth = float(np.exp(step[6] / size)) if scaled else 1.0
    shift = growth * turn @ (place.shift - centre) + centre + step[3:6]
    return Similarity(growth * place.scale, turn @ place.rotation, shift)


def foot_normals(head: Surface, found: SurfacePoints) -> np.ndarray:
    """Unit normals float64 [N, 3] of the surface, smooth over its triangles, at points on it."""
    normals = np.einsum("nc,ncd->nd", found.barycentric, head.normals[head.triangles[found.triangles]])
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)


def surface_of(model: HeadModel, vertices: np.ndarray) -> Surface:
    """The skin of a head [V, 3] of our model, without the back of the head."""
    skin = model.triangles("skin")
    return Surface(vertices, skin[model.mean[skin, 2].min(axis=1) > BEHIND_M])


def best_fit(
    model: HeadModel,
    truth: FacePoints,
    settings: GeometrySettings = GeometrySettings(),
    told: Callable[[int, float], None] | None = None,
) -> np.ndarray:
    """The identity float64 [M] of the model that comes closest to a true face, all points alike: the model's floor.

    Point-to-plane least squares with the prior N(0, I), the closest points found anew each round.

    Args:
        model: the head model.
        truth: the face.
        settings: how strongly the prior holds.
        told: hears of each round and its mean distance, metres.
    """
    points = truth.whole
    basis = model.identity_basis.astype(np.float64)
    identity, place = np.zeros(len(basis)), UNMOVED
    for turn in range(settings.floor_rounds):
        shape = model.mean + np.tensordot(identity, basis, 1)
        surface = surface_of(model, shape)
        place = aligned(points, surface, place, settings, scaled=True)
        there = place(points)
        found = surface.closest(there, candidates=settings.candidates)
        if told is not None:
            told(turn, float(found.distance.mean()))
        corners = surface.triangles[found.triangles]
        weights, normals = found.barycentric, foot_normals(surface, found)
        modes = np.einsum("nc,mncd,nd->nm", weights, basis[:, corners], normals, optimize=True)
        offset = np.einsum("nd,nd->n", there - np.einsum("nc,ncd->nd", weights, model.mean[corners]), normals)
        system = modes.T @ modes / len(points) + settings.floor_noise_m**2 * np.eye(len(basis))
        identity = np.linalg.solve(system, modes.T @ offset / len(points))
    return identity
