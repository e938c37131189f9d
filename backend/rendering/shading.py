"""Matt shading by order-2 light, and how much of the sky a head hides from itself."""

from __future__ import annotations

import numpy as np

from backend.rendering.normals import frames, vertex_normals
from backend.rendering.rays import RayScene, off_surface
from backend.rendering.spherical_harmonics import irradiance


def lambert_shading(normals: np.ndarray, light: np.ndarray, occlusion: np.ndarray | None = None) -> np.ndarray:
    """What a white matt surface shows, irradiance / pi, float32 [..., 3], linear RGB, not below 0.

    Args:
        normals: unit normals [..., 3] in head space.
        light: radiance harmonics [9, 3] (see `backend.rendering.spherical_harmonics`).
        occlusion: ambient occlusion [...] in [0, 1], 1 where nothing is hidden; None stands for 1.
    """
    shading = np.maximum(irradiance(normals, light) / np.pi, 0.0)
    if occlusion is not None:
        shading = shading * occlusion[..., None]
    return shading.astype(np.float32)


def ambient_occlusion(vertices: np.ndarray, triangles: np.ndarray, rays: int = 64, seed: int = 0) -> np.ndarray:
    """Part of the cosine-weighted hemisphere about each vertex that the mesh leaves open: float32 [V] in [0, 1].

    Every vertex gets the same evenly spread rays, turned about its normal by a random angle, so that neighbours do not
    share their errors. Vertices that no triangle uses get 1.

    Args:
        vertices: [V, 3], metres.
        triangles: int [F, 3], counter-clockwise from outside.
        rays: rays per vertex.
        seed: seed of the random angles.
    """
    scene = RayScene(vertices, triangles)
    used = np.unique(triangles)
    normals = vertex_normals(vertices, triangles)[used]
    tangent, bitangent = _random_frame(normals, np.random.default_rng(seed))
    pattern = cosine_directions(rays).astype(np.float32)
    directions = (
        pattern[None, :, 0:1] * tangent[:, None]
        + pattern[None, :, 1:2] * bitangent[:, None]
        + pattern[None, :, 2:3] * normals[:, None]
    ).reshape(-1, 3)
    origins = np.repeat(off_surface(np.asarray(vertices, np.float32)[used], normals), rays, axis=0)
    hit = scene.hits(origins, directions)
    occlusion = np.ones(len(vertices), np.float32)
    occlusion[used] = 1 - hit.reshape(len(used), rays).mean(axis=1)
    return occlusion


def cosine_directions(count: int) -> np.ndarray:
    """Directions float64 [count, 3] about +z with density cos / pi: a Fibonacci spiral on the disc, lifted (Malley)."""
    index = np.arange(count) + 0.5
    radius, angle = np.sqrt(index / count), index * np.pi * (3 - np.sqrt(5))
    return np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - radius**2)], axis=1)


def _random_frame(normals: np.ndarray, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Two unit vectors [n, 3] that complete each unit normal to a frame, turned about it at random."""
    first, second = frames(normals)
    angle = random.uniform(0, 2 * np.pi, (len(normals), 1))
    tangent = (np.cos(angle) * first + np.sin(angle) * second).astype(np.float32)
    return tangent, np.cross(normals, tangent).astype(np.float32)
