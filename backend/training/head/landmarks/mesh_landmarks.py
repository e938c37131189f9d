"""The 478 MediaPipe landmarks on a mesh, found by the detector on shaded portraits of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import mediapipe
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
from scipy.spatial import KDTree

from backend.photo.landmark_table import MIRROR
from backend.training.head.landmarks.painted_mesh import PaintedMesh, orbit_camera, render
from backend.training.head.registration.surfaces import area_normals
from shared.errors import RelightifyError

COUNT = 478
# Yaw and pitch in radians.
VIEWS = ((0.0, 0.0), (0.0, 0.12), (-0.35, 0.0), (0.35, 0.0), (-0.6, 0.0), (0.6, 0.0))


@dataclass(frozen=True)
class Detection:
    """One view: the picture and where the landmarks are in it.

    Args:
        picture: uint8 sRGB [H, W, 3].
        pixels: float64 [478, 2], x and y.
    """

    picture: np.ndarray
    pixels: np.ndarray


def detect_landmarks(
    mesh: PaintedMesh, model_file: Path, size: int = 900, views: tuple[tuple[float, float], ...] = VIEWS
) -> tuple[np.ndarray, list[Detection]]:
    """Landmarks as points on the mesh, float64 [478, 3] in head space, averaged over several views.

    Each view votes with the cosine between its viewing direction and the surface normal where it sees a landmark,
    to the fourth power, so that points on a silhouette are taken from the view that sees them best.

    Raises:
        RelightifyError: the detector finds no face on a portrait.
    """
    options = vision.FaceLandmarkerOptions(base_options=BaseOptions(model_asset_path=str(model_file)), num_faces=1)
    normals = area_normals(mesh.vertices, mesh.triangles)
    total, weight, detections = np.zeros((COUNT, 3)), np.zeros(COUNT), []
    with vision.FaceLandmarker.create_from_options(options) as landmarker:
        for yaw, pitch in views:
            camera = orbit_camera(yaw, size, pitch=pitch)
            picture, fragments = render(mesh, camera)
            result = landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=picture))
            if not result.face_landmarks:
                raise RelightifyError(
                    "no_face_on_mesh", f"No face was found on the portrait at yaw {yaw:.2f}.", "Look at the mesh."
                )
            pixels = np.array([[p.x * size, p.y * size] for p in result.face_landmarks[0]])
            rows, columns = np.nonzero(fragments.mask)
            _, nearest = KDTree(np.stack([columns + 0.5, rows + 0.5], axis=1)).query(pixels)
            row, column = rows[nearest], columns[nearest]
            corners = mesh.triangles[fragments.triangle[row, column]]
            barycentric = fragments.barycentric[row, column].astype(np.float64)
            points = np.einsum("lk,lkd->ld", barycentric, mesh.vertices[corners])
            normal = np.einsum("lk,lkd->ld", barycentric, normals[corners])
            towards = camera.position - points
            cosine = (normal * towards).sum(axis=1) / np.linalg.norm(towards, axis=1)
            # A pixel that sees background means that the landmark lies off the head: it counts for little.
            vote = np.clip(cosine, 0.02, 1) ** 4
            total += vote[:, None] * points
            weight += vote
            detections.append(Detection(picture, pixels))
    return total / weight[:, None], detections


def symmetrise(points: np.ndarray) -> np.ndarray:
    """Landmarks [478, 3] averaged with the mirror image of their partners.

    The partners are the detector's own (`MIRROR`): matching them by distance swaps neighbours on lips and nose.
    """
    return (points + points[np.asarray(MIRROR)] * [-1, 1, 1]) / 2
