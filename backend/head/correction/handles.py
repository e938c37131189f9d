"""The handles by which a hand corrects a fit: named points of the head, of which the photo shows the places.

Most are landmarks. MediaPipe has none on the ears, which are vertices here; those along the contour stand on the
silhouette where the face turns away, as `backend.head.landmarks.contour` slides them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backend.head.landmarks.contour import ContourRegion, associate_contour
from backend.head.model import HeadModel
from backend.photo.landmark_table import FACE_OVAL
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals
from shared.corrections import Correction, Corrections
from shared.errors import RelightifyError

# Names on the midline, then pairs (right, left) of the subject's sides.
_MIDDLE = {
    "chin": 152,
    "hairline": 10,
    "nose root": 168,
    "nose bridge": 195,
    "nose tip": 1,
    "nose base": 2,
    "upper lip": 0,
    "upper lip edge": 13,
    "lower lip edge": 14,
    "lower lip": 17,
}
_PAIRS = {
    "chin side": (176, 400),
    "jaw": (136, 365),
    "jaw corner": (58, 288),
    "cheekbone": (93, 323),
    "temple": (162, 389),
    "hairline end": (54, 284),
    "brow end": (70, 300),
    "brow peak": (105, 334),
    "brow start": (107, 336),
    "eye outer corner": (33, 263),
    "eye inner corner": (133, 362),
    "upper lid": (159, 386),
    "lower lid": (145, 374),
    "nose wing": (129, 358),
    "mouth corner": (61, 291),
}
# Vertices of the MakeHuman base mesh.
_EARS = {"ear top": (5413, 12012), "ear back": (5441, 12040), "ear lobe": (5450, 12049)}
SIDES = ("right", "left")
LANDMARK_HANDLES: dict[str, int] = {
    **_MIDDLE,
    **{f"{name} {side}": pair[k] for name, pair in _PAIRS.items() for k, side in enumerate(SIDES)},
}
VERTEX_HANDLES: dict[str, int] = {
    f"{name} {side}": pair[k] for name, pair in _EARS.items() for k, side in enumerate(SIDES)
}
HANDLES: tuple[str, ...] = (*LANDMARK_HANDLES, *VERTEX_HANDLES)


@dataclass(frozen=True)
class HeadPoints:
    """Points on the surface of the head.

    Args:
        triangles: int [N, 3], vertex numbers.
        barycentric: float [N, 3].
    """

    triangles: np.ndarray
    barycentric: np.ndarray

    def on(self, vertices: np.ndarray) -> np.ndarray:
        """The points [N, 3] on a shape [V, 3]."""
        return np.einsum("nk,nkd->nd", self.barycentric, vertices[self.triangles])

    def chosen(self, rows: Sequence[int] | np.ndarray) -> HeadPoints:
        """Some of the points."""
        return HeadPoints(self.triangles[rows], self.barycentric[rows])


def landmark_anchors(model: HeadModel, vertices: np.ndarray, region: ContourRegion, camera: Camera) -> HeadPoints:
    """The 478 landmarks on a shape [V, 3], those of the contour on the silhouette where the face turns away there."""
    triangles, barycentric = model.landmark_triangles.copy(), model.landmark_barycentric.astype(np.float64)
    pixels = camera.project(model.landmarks(vertices))
    reach = np.linalg.norm(pixels[33] - pixels[263])
    contour = associate_contour(model, vertices, region, camera, pixels, float(reach))
    triangles[contour.landmarks], barycentric[contour.landmarks] = contour.triangles, contour.barycentric
    return HeadPoints(triangles, barycentric)


def handle_anchors(model: HeadModel, landmarks: HeadPoints) -> HeadPoints:
    """The points of `HANDLES`, in order, from those of the 478 landmarks."""
    vertices = [int(np.flatnonzero(model.hm08_vertex_ids == number)[0]) for number in VERTEX_HANDLES.values()]
    at_landmarks = landmarks.chosen(list(LANDMARK_HANDLES.values()))
    return HeadPoints(
        np.concatenate([at_landmarks.triangles, np.repeat(np.array(vertices)[:, None], 3, axis=1)]).astype(np.int32),
        np.concatenate([at_landmarks.barycentric, np.tile([1.0, 0.0, 0.0], (len(vertices), 1))]),
    )


def seen_handles(
    model: HeadModel, vertices: np.ndarray, handles: HeadPoints, camera: Camera, ear_hidden: float
) -> np.ndarray:
    """Whether each of `HANDLES` is on a side of the head [V, 3] that the camera sees, bool [H].

    What hair and hands hide is not asked; those on the contour stand on what is seen. An ear is hidden by its head
    where the camera stands farther on the other side than the part `ear_hidden` of its distance.
    """
    normals = vertex_normals(vertices, model.triangles("skin"))
    sight = camera.position - handles.on(vertices)
    facing = np.sum(handles.on(normals) * sight, axis=1) > 0
    contour = np.isin(list(LANDMARK_HANDLES.values()), FACE_OVAL)
    facing[: len(contour)] |= contour
    aside = camera.position[0] / np.linalg.norm(camera.position)
    for index, name in enumerate(HANDLES):
        if name in VERTEX_HANDLES:
            facing[index] = aside * (1 if name.endswith("left") else -1) > -ear_hidden
    return facing


def corrected_anchors(model: HeadModel, landmarks: HeadPoints, corrections: Corrections) -> HeadPoints:
    """The points that corrections are of.

    Raises:
        RelightifyError: ``bad_corrections``, a handle or vertex that there is not.
    """
    handles = handle_anchors(model, landmarks)
    rows = [_anchor(model, landmarks, handles, point) for point in corrections.points]
    triangles, barycentric = zip(*rows, strict=True) if rows else ((), ())
    return HeadPoints(np.array(triangles, np.int32).reshape(-1, 3), np.array(barycentric, np.float64).reshape(-1, 3))


def _anchor(
    model: HeadModel, landmarks: HeadPoints, handles: HeadPoints, point: Correction
) -> tuple[np.ndarray | tuple[int, ...], np.ndarray | tuple[float, ...]]:
    if point.handle is not None:
        if point.handle not in HANDLES:
            raise RelightifyError(
                "bad_corrections", f"There is no handle {point.handle!r}.", f"Use {', '.join(HANDLES)}."
            )
        row = HANDLES.index(point.handle)
        return handles.triangles[row], handles.barycentric[row]
    if point.landmark is not None:
        return landmarks.triangles[point.landmark], landmarks.barycentric[point.landmark]
    assert point.vertices is not None
    assert point.weights is not None
    if max(point.vertices) >= len(model.mean):
        raise RelightifyError(
            "bad_corrections",
            f"The head has no vertex {max(point.vertices)}.",
            f"Its vertices are numbered from 0 to {len(model.mean) - 1}.",
        )
    return point.vertices, point.weights
