"""The likeness sliders: named measures of a face, and how its vertices move where one of them grows by a millimetre.

python -m backend.training.head.likeness blender_addon/scene/likeness.npz

Each measure is regressed on the identity coefficients over people drawn from the model. A slider is the most likely
change of identity (least norm of p_s) that changes its measure and leaves the others as they are, but for parts of it,
and that hardly moves what is far from it; then made symmetric.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backend.head.correction.handles import VERTEX_HANDLES
from backend.head.model import HeadModel, in_steps_mm, load_head_model
from backend.imaging.filters import smooth_step


@dataclass(frozen=True)
class LikenessSettings:
    """How the sliders are made.

    Args:
        people: drawn for the regression.
        near_m, far_m: metres from a measured point up to which vertices move freely, and from which they should stay.
        staying: weight of the mean squared displacement of far vertices, in millimetres, against the squared norm of
            p_s.
        range_sd: how far a slider goes, in standard deviations of people.
        most_mm: the values of Blender's shape keys end here.
        seed: of the drawing.
    """

    people: int = 2000
    near_m: float = 0.02
    far_m: float = 0.06
    staying: float = 200.0
    range_sd: float = 2.5
    most_mm: float = 10.0
    seed: int = 0


@dataclass(frozen=True)
class Measure:
    """One slider.

    Args:
        name: for people.
        points: landmarks that it is taken from, or names of `VERTEX_HANDLES`.
        of: its value in metres from those points [n, 3], head space.
        with_it: measures that are parts of this one and change with it; all others stay.
    """

    name: str
    points: tuple[int | str, ...]
    of: Callable[[np.ndarray], float]
    with_it: tuple[str, ...] = ()


def _apart(axis: int) -> Callable[[np.ndarray], float]:
    return lambda p: float(np.mean(np.abs(p[0::2, axis] - p[1::2, axis])))


def _ahead(axis: int) -> Callable[[np.ndarray], float]:
    """How far the first half of the points is ahead of the second half along an axis."""
    return lambda p: float(p[: len(p) // 2, axis].mean() - p[len(p) // 2 :, axis].mean())


X, Y, Z = 0, 1, 2
MEASURES = (
    Measure("Face Width", (234, 454), _apart(X)),
    Measure("Face Length", (10, 152), _apart(Y), ("Forehead", "Nose Length", "Chin Length")),
    Measure("Forehead", (10, 9), _apart(Y)),
    Measure("Jaw Width", (172, 397, 136, 365), _apart(X)),
    Measure("Chin Length", (17, 152), _apart(Y)),
    Measure("Chin Forward", (199, 175, 168, 6), _ahead(Z)),
    Measure("Nose Length", (168, 2), _apart(Y)),
    Measure("Nose Width", (129, 358), _apart(X)),
    Measure("Nose Bridge", (6, 197, 133, 362), _ahead(Z)),
    Measure("Eye Size", (33, 133, 263, 362), _apart(X)),
    Measure("Eye Distance", (133, 362), _apart(X)),
    Measure("Brow Height", (105, 334, 133, 362), _ahead(Y)),
    Measure("Lip Fullness", (0, 13, 14, 17), _apart(Y)),
    Measure("Mouth Width", (61, 291), _apart(X)),
    Measure("Ear Size", ("ear top right", "ear lobe right", "ear top left", "ear lobe left"), _apart(Y)),
    Measure("Ear Angle", ("ear back right", "ear back left"), _apart(X)),
)


def measured_points(model: HeadModel, measure: Measure, vertices: np.ndarray) -> np.ndarray:
    """The points [n, 3] that a measure is taken from, on a shape [V, 3]."""
    found = []
    for point in measure.points:
        if isinstance(point, str):
            found.append(vertices[int(np.flatnonzero(model.hm08_vertex_ids == VERTEX_HANDLES[point])[0])])
        else:
            found.append(model.landmark_barycentric[point] @ vertices[model.landmark_triangles[point]])
    return np.array(found)


def measure_all(model: HeadModel, vertices: np.ndarray) -> np.ndarray:
    """All measures of a shape [V, 3], millimetres, float [M]."""
    return np.array([1000 * m.of(measured_points(model, m, vertices)) for m in MEASURES])


def regressed(model: HeadModel, settings: LikenessSettings) -> np.ndarray:
    """How the measures change with the identity, millimetres, float [M, K]; least squares over drawn people."""
    people = np.random.default_rng(settings.seed).normal(size=(settings.people, len(model.identity_basis)))
    rows = []
    for measure in MEASURES:
        at_mean = measured_points(model, measure, model.mean)
        basis = np.stack([measured_points(model, measure, mode) for mode in model.identity_basis])
        heads = at_mean + np.tensordot(people, basis, 1)
        values = np.array([1000 * measure.of(points) for points in heads])
        design = np.c_[people, np.ones(len(people))]
        rows.append(np.linalg.lstsq(design, values, rcond=None)[0][:-1])
    return np.array(rows)


def likeness_offsets(model: HeadModel, settings: LikenessSettings = LikenessSettings()) -> np.ndarray:
    """Displacements for a millimetre more of each measure, float64 [M, V, 3], metres, symmetric."""
    slopes = regressed(model, settings)
    skin = np.unique(model.triangles("skin"))
    basis = 1000 * model.identity_basis.astype(np.float64)
    found = []
    for row, measure in enumerate(MEASURES):
        points = measured_points(model, measure, model.mean)
        distance = np.linalg.norm(model.mean[skin][:, None] - points[None], axis=-1).min(axis=1)
        far = smooth_step(distance, settings.near_m, settings.far_m)
        weighted = (basis[:, skin] * far[:, None]).reshape(len(basis), -1)
        metric = np.eye(len(basis)) + settings.staying / len(skin) * weighted @ weighted.T
        held = np.array([other.name not in measure.with_it for other in MEASURES])
        across = np.linalg.solve(metric, slopes[held].T)
        found.append(across @ np.linalg.solve(slopes[held] @ across, np.eye(len(slopes))[row, held]))
    offsets = np.tensordot(np.array(found), model.identity_basis.astype(np.float64), 1)
    return 0.5 * (offsets + offsets[:, model.mirror] * [-1, 1, 1])


def main(path: str) -> None:
    """Write the sliders to an npz file: names, vertex numbers, ranges, and displacements in half precision."""
    model, settings = load_head_model(), LikenessSettings()
    reach = np.round(settings.range_sd * np.linalg.norm(regressed(model, settings), axis=1))
    arrays = {
        "names": np.array([measure.name for measure in MEASURES]),
        "hm08_vertex_ids": model.hm08_vertex_ids.astype(np.int32),
        "offsets_mm": in_steps_mm(likeness_offsets(model, settings)),
        "range_mm": np.minimum(reach, settings.most_mm).astype(np.float32),
    }
    np.savez_compressed(Path(path), **arrays)  # pyright: ignore[reportArgumentType]


if __name__ == "__main__":
    main(sys.argv[1])
