"""Contour landmarks slide: where the face turns away, the detector marks the silhouette and not a point of the skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.spatial import KDTree

from backend.head.model import HeadModel
from backend.head.parameters import ContourSettings
from backend.photo.landmark_table import FACE_OVAL
from backend.rendering.camera import Camera
from backend.rendering.normals import vertex_normals


@dataclass(frozen=True)
class ContourRegion:
    """The part of the skin where the face's silhouette can lie.

    Args:
        triangles: int [n, 3], skin triangles (for the normals).
        edges: int [m, 2], edges whose both ends lie in the region.
    """

    triangles: np.ndarray
    edges: np.ndarray


@dataclass(frozen=True)
class Silhouette:
    """Points where the surface turns away from the camera.

    Args:
        edges: int [n, 2], the mesh edge that each point lies on.
        weights: float [n, 2], how much of each end.
        pixels: float [n, 2].
        normals_px: float [n, 2], unit normals of the contour in the image (y down).
    """

    edges: np.ndarray
    weights: np.ndarray
    pixels: np.ndarray
    normals_px: np.ndarray


@dataclass(frozen=True)
class Association:
    """Contour landmarks and the surface points that stand for them in the current pose.

    Args:
        landmarks: int [n], landmark numbers.
        triangles: int [n, 3], vertex triples (the last repeated) of the silhouette points.
        barycentric: float [n, 3].
        normals_px: float [n, 2], the direction across the silhouette in the image.
    """

    landmarks: np.ndarray
    triangles: np.ndarray
    barycentric: np.ndarray
    normals_px: np.ndarray


def contour_region(model: HeadModel, settings: ContourSettings = ContourSettings()) -> ContourRegion:
    """The skin around the landmarks of the mean face."""
    triangles = model.triangles("skin")
    landmarks = model.landmarks(model.mean)[:468]
    near = KDTree(landmarks).query(model.mean)[0] < settings.region_m
    edges = np.concatenate([triangles[:, [0, 1]], triangles[:, [1, 2]], triangles[:, [2, 0]]])
    edges = np.unique(np.sort(edges[near[edges].all(axis=1)], axis=1), axis=0)
    return ContourRegion(triangles, edges)


def silhouette(vertices: np.ndarray, region: ContourRegion, camera: Camera) -> Silhouette:
    """Where the region's smooth normals are perpendicular to the line of sight (zero crossings along mesh edges)."""
    normals = vertex_normals(vertices, region.triangles)
    facing = np.einsum("vd,vd->v", normals, camera.position - vertices)
    first, second = facing[region.edges].T
    crossing = first * second < 0
    edges = region.edges[crossing]
    weight = (first / (first - second))[crossing]
    weights = np.stack([1 - weight, weight], axis=-1)
    points = np.einsum("nk,nkd->nd", weights, vertices[edges])
    across = np.einsum("nk,nkd->nd", weights, normals[edges]) @ camera.rotation.T
    across = across[:, :2] * [1, -1]
    length = np.linalg.norm(across, axis=1, keepdims=True)
    return Silhouette(edges, weights, camera.project(points), across / np.maximum(length, 1e-9))


def associate_contour(
    model: HeadModel,
    vertices: np.ndarray,
    region: ContourRegion,
    camera: Camera,
    landmarks_px: np.ndarray,
    interocular: float,
    settings: ContourSettings = ContourSettings(),
) -> Association:
    """Find the silhouette point nearest to each contour landmark whose own surface point turns away.

    Args:
        model: the head model.
        vertices: float [V, 3], its current shape.
        region: from `contour_region`.
        camera: the current camera.
        landmarks_px: float [478, 2], detected landmarks.
        interocular: interocular distance in pixels.
    """
    oval = np.array(FACE_OVAL)
    normals = vertex_normals(vertices, region.triangles)
    corners, weights = model.landmark_triangles[oval], model.landmark_barycentric[oval]
    points = np.einsum("lk,lkd->ld", weights, vertices[corners])
    normal = np.einsum("lk,lkd->ld", weights, normals[corners])
    sight = camera.position - points
    facing = np.sum(normal * sight, axis=1) / (np.linalg.norm(normal, axis=1) * np.linalg.norm(sight, axis=1) + 1e-12)
    turning = oval[facing < settings.grazing]
    outline = silhouette(vertices, region, camera)
    if len(turning) == 0 or len(outline.pixels) == 0:
        return Association(*(np.zeros(s, t) for s, t in ((0, int), ((0, 3), int), ((0, 3), float), ((0, 2), float))))
    offset = landmarks_px[turning][:, None] - outline.pixels[None]
    # The silhouette on the same side of the face only: its normal points away from the face's middle.
    outward = landmarks_px[turning] - landmarks_px[:468].mean(axis=0)
    same_side = outward @ outline.normals_px.T > 0.5 * np.linalg.norm(outward, axis=1)[:, None]
    squared = np.where(same_side, np.sum(offset**2, axis=-1), np.inf)
    nearest = np.argmin(squared, axis=1)
    close = squared[np.arange(len(turning)), nearest] < (settings.reach * interocular) ** 2
    chosen = nearest[close]
    edges, edge_weights = outline.edges[chosen], outline.weights[chosen]
    return Association(
        turning[close],
        np.column_stack([edges, edges[:, 1]]),
        np.column_stack([edge_weights, np.zeros(len(chosen))]),
        outline.normals_px[chosen],
    )
