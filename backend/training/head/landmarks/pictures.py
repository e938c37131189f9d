"""Pictures of heads for the landmark detector and for the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from backend.head.model import HeadModel
from backend.training.head.landmarks.painted_mesh import (
    LASHES,
    LIPS,
    MOUTH,
    SCLERA,
    SKIN,
    TEETH,
    TONGUE,
    PaintedMesh,
    contact_sheet,
    orbit_camera,
    render,
)
from backend.training.head.registration.surfaces import triangulate
from backend.training.head.sources.hm08 import HeadTopology
from backend.training.head.sources.ict import IctModel

PALETTE = np.array([SKIN, MOUTH, SCLERA, SCLERA, TEETH, TONGUE, LASHES])
EYES = ("eye_left", "eye_right")
FORWARD = np.array([0.0, 0.0, 1.0])


@dataclass(frozen=True)
class Painter:
    """Paints the shapes of one topology.

    Args:
        quads: int [F, 4].
        face_part: uint8 [F].
        lips: bool [F], the red of the lips.
        mean: float64 [V, 3], eyeballs at rest, looking along +z.
        eyes: for each eyeball its vertices int [n].
    """

    quads: np.ndarray
    face_part: np.ndarray
    lips: np.ndarray
    mean: np.ndarray
    eyes: tuple[np.ndarray, np.ndarray]

    @staticmethod
    def of(topology: HeadTopology, mean: np.ndarray) -> Painter:
        """The painter of a head [V, 3] with hm08 topology."""
        left, right = (np.unique(topology.quads[topology.face_part == part]) for part in (2, 3))
        return Painter(topology.quads, topology.face_part, topology.lip_faces, mean, (left, right))

    def paint(self, vertices: np.ndarray, lashes: bool = True) -> PaintedMesh:
        """A shape [V, 3] in colours, with smooth eyeballs in place of the coarse ones."""
        keep = ~np.isin(self.face_part, [2, 3]) & (lashes | (self.face_part != 6))
        colours = PALETTE[self.face_part[keep]]
        colours[self.lips[keep]] = LIPS
        points, triangles = [vertices], [triangulate(self.quads[keep])]
        painted, owner = [np.repeat(colours, 2, axis=0)], [np.full(2 * int(keep.sum()), -1)]
        poses = [self._eye_pose(ids, vertices) for ids in self.eyes]
        for index, (centre, radius, _) in enumerate(poses):
            ball, faces = unit_sphere()
            triangles.append(faces + sum(len(p) for p in points))
            points.append(centre + radius * ball)
            painted.append(np.tile(SCLERA, (len(faces), 1)))
            owner.append(np.full(len(faces), index))
        who = np.concatenate(owner)
        irises = tuple((who == k, centre, gaze) for k, (centre, _, gaze) in enumerate(poses))
        return PaintedMesh(np.concatenate(points), np.concatenate(triangles), np.concatenate(painted), irises)

    def _eye_pose(self, ids: np.ndarray, vertices: np.ndarray) -> tuple[np.ndarray, float, np.ndarray]:
        """Centre, radius and gaze of an eyeball, from the similarity that takes the resting one to it."""
        rest, now = self.mean[ids].astype(float), vertices[ids].astype(float)
        centre, radius = fit_sphere(now)
        u, _, vt = np.linalg.svd((rest - rest.mean(axis=0)).T @ (now - now.mean(axis=0)))
        return centre, radius, vt.T @ u.T @ FORWARD


def fit_sphere(points: np.ndarray) -> tuple[np.ndarray, float]:
    """Centre [3] and radius of the least-squares sphere through points [n, 3]."""
    design = np.hstack([2 * points, np.ones((len(points), 1))])
    solution = np.linalg.lstsq(design, (points**2).sum(axis=1), rcond=None)[0]
    return solution[:3], float(np.sqrt(solution[3] + solution[:3] @ solution[:3]))


def unit_sphere(rings: int = 24, segments: int = 48) -> tuple[np.ndarray, np.ndarray]:
    """A unit sphere with its poles along z: vertices [n, 3] and triangles [m, 3]."""
    angle = np.linspace(0, np.pi, rings + 1)[:, None]
    around = np.linspace(0, 2 * np.pi, segments, endpoint=False)[None]
    flat = np.broadcast_to(np.cos(angle), (rings + 1, segments))
    points = np.stack([np.sin(angle) * np.cos(around), np.sin(angle) * np.sin(around), flat], axis=-1).reshape(-1, 3)
    row, column = np.meshgrid(np.arange(rings), np.arange(segments), indexing="ij")
    following = (column + 1) % segments
    a, b = row * segments + column, row * segments + following
    quads = np.stack([a, a + segments, b + segments, b], axis=-1).reshape(-1, 4)
    return points, triangulate(quads)


def paint_ict(ict: IctModel, origin: np.ndarray | None = None) -> PaintedMesh:
    """The ICT mean in colours, moved so that `origin` [3] becomes the origin."""
    shift = np.zeros(3) if origin is None else origin
    parts = (
        (ict.skin_triangles(), SKIN),
        (ict.triangles("mouth_socket"), MOUTH),
        (ict.triangles("teeth"), TEETH),
        (ict.triangles("eyeball_left"), SCLERA),
        (ict.triangles("eyeball_right"), SCLERA),
    )
    owner = np.repeat(np.arange(len(parts)), [len(t) for t, _ in parts])
    irises = tuple(
        (owner == 3 + k, ict.eyeball(side).centre - shift, FORWARD) for k, side in enumerate(("left", "right"))
    )
    colours = np.array([c for _, c in parts])[owner]
    return PaintedMesh(ict.mean - shift, np.concatenate([t for t, _ in parts]), colours, irises)


def expression_sheet(model: HeadModel, painter: Painter, size: int) -> np.ndarray:
    """All expressions on the mean; mouthClose is shown over an open jaw, as it is meant. uint8 [H, W, 3]."""
    pictures, labels = [], []
    for index, name in enumerate(model.expression_names):
        weights = np.eye(len(model.expression_names))[index]
        label = name
        if name == "mouthClose":
            weights[model.expression_names.index("jawOpen")] = 1
            label = "mouthClose + jawOpen"
        shape = model.shape(None, weights).astype(float)
        yaw = 0.35 if name.endswith("Left") else -0.35
        camera = orbit_camera(yaw, size, half_height=0.115, centre_y=-0.035)
        pictures.append(render(painter.paint(shape, lashes=False), camera)[0])
        labels.append(label)
    return contact_sheet(pictures, labels, columns=9)


def identity_sheet(model: HeadModel, painter: Painter, size: int, seed: int = 0) -> np.ndarray:
    """16 random identities, each from the front and turned: uint8 [H, W, 3]."""
    rng = np.random.default_rng(seed)
    pictures, labels = [], []
    for index in range(16):
        shape = model.shape(rng.standard_normal(100)).astype(float)
        for yaw in (0.0, 0.7):
            camera = orbit_camera(yaw, size, half_height=0.15, centre_y=-0.04)
            pictures.append(render(painter.paint(shape, lashes=False), camera)[0])
            labels.append(str(index) if yaw == 0 else "")
    return contact_sheet(pictures, labels, columns=8)


def save_small_png(picture: np.ndarray, path: Path, limit_bytes: int = 300_000) -> None:
    """Write a picture as a PNG below a size, with fewer colours and then fewer pixels where it must be."""
    image = Image.fromarray(picture)
    while True:
        for colours in (255, 128, 64):
            image.quantize(colours, kmeans=3, dither=Image.Dither.NONE).save(path, optimize=True)
            if path.stat().st_size < limit_bytes:
                return
        image = image.resize((image.width * 9 // 10, image.height * 9 // 10), Image.Resampling.LANCZOS)
