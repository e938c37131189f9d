"""Shaded portraits of meshes, for the landmark detector and for people to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.rendering.camera import Camera
from backend.rendering.rasteriser import EmbreeRasteriser, Fragments
from backend.training.head.registration.surfaces import area_normals

SKIN = (0.62, 0.40, 0.31)
LIPS = (0.52, 0.25, 0.22)
SCLERA = (0.80, 0.78, 0.76)
TEETH = (0.75, 0.70, 0.60)
MOUTH = (0.25, 0.07, 0.07)
TONGUE = (0.50, 0.20, 0.20)
LASHES = (0.04, 0.03, 0.03)
DISTANCE = 1.2  # metres from the camera to what it looks at
BACKGROUND = (0.32, 0.34, 0.36)
# Light from the camera's upper left, a fill from the right and a rim of sky: directions and strengths.
_LIGHTS = (((-0.45, 0.55, 0.75), 0.75), ((0.7, 0.1, 0.6), 0.25), ((0.0, 1.0, 0.1), 0.15))


@dataclass(frozen=True)
class PaintedMesh:
    """A mesh with linear RGB colours.

    Args:
        vertices: [V, 3], head space, metres.
        triangles: int [T, 3].
        colours: [T, 3], linear RGB of each triangle.
        irises: for each eyeball: triangles bool [T] that belong to it, its centre [3] and its gaze [3].
    """

    vertices: np.ndarray
    triangles: np.ndarray
    colours: np.ndarray
    irises: tuple[tuple[np.ndarray, np.ndarray, np.ndarray], ...] = ()


def orbit_camera(
    yaw: float, size: int, *, half_height: float = 0.135, centre_y: float = -0.03, pitch: float = 0.0
) -> Camera:
    """A camera whose picture of `size` pixels spans `half_height` metres on both sides of the head's centre."""
    return look_camera((0.0, centre_y, -0.02), half_height, yaw, size, pitch)


def look_camera(
    target: tuple[float, float, float], half_height: float, yaw: float, size: int, pitch: float = 0.0
) -> Camera:
    """A camera at 1.2 m from `target` (head space) that sees `half_height` metres above and below it.

    `yaw` is in radians; a positive one shows the subject's left side.
    """
    cy, sy, cp, sp = np.cos(yaw), np.sin(yaw), np.cos(pitch), np.sin(pitch)
    turn = np.array([[cy, 0, -sy], [0, 1, 0], [sy, 0, cy]])
    tilt = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
    rotation = tilt @ turn
    translation = np.array([0, 0, -DISTANCE]) - rotation @ np.array(target)
    focal = size / 2 * DISTANCE / half_height
    return Camera(rotation, translation, focal, (size / 2, size / 2), size, size)


def render(mesh: PaintedMesh, camera: Camera) -> tuple[np.ndarray, Fragments]:
    """A smoothly shaded picture, uint8 sRGB [H, W, 3], and what each pixel sees."""
    fragments = EmbreeRasteriser().rasterise(mesh.vertices, mesh.triangles, camera)
    normals = fragments.interpolate(mesh.triangles, area_normals(mesh.vertices, mesh.triangles))
    points = fragments.interpolate(mesh.triangles, mesh.vertices)
    visible = np.maximum(fragments.triangle, 0)
    colour = mesh.colours[visible]
    gloss = np.full(fragments.triangle.shape, 0.05)
    for members, centre, gaze in mesh.irises:
        on_eye = members[visible] & fragments.mask
        outward = points - centre
        outward /= np.maximum(np.linalg.norm(outward, axis=-1, keepdims=True), 1e-9)
        angle = np.arccos(np.clip(outward @ gaze, -1, 1))
        colour = np.where((on_eye & (angle < 0.40))[..., None], (0.10, 0.055, 0.03), colour)
        colour = np.where((on_eye & ((angle > 0.36) & (angle < 0.41)))[..., None], (0.03, 0.02, 0.015), colour)
        colour = np.where((on_eye & (angle < 0.16))[..., None], (0.005, 0.005, 0.005), colour)
        normals = np.where(on_eye[..., None], outward, normals)
        gloss = np.where(on_eye, 0.6, gloss)
    normals = normals / np.maximum(np.linalg.norm(normals, axis=-1, keepdims=True), 1e-9)
    light = np.full(fragments.triangle.shape, 0.18)
    shine = np.zeros_like(light)
    for direction, strength in _LIGHTS:
        towards = camera.rotation.T @ (np.array(direction) / np.linalg.norm(direction))
        halfway = towards + camera.rotation[2]
        halfway /= np.linalg.norm(halfway)
        light += strength * np.clip((normals @ towards + 0.15) / 1.15, 0, 1)
        shine += strength * np.clip(normals @ halfway, 0, 1) ** np.where(gloss > 0.3, 200, 25)
    picture = colour * light[..., None] + (gloss * shine)[..., None]
    picture = np.where(fragments.mask[..., None], picture, BACKGROUND)
    return (255 * np.clip(picture, 0, 1) ** (1 / 2.2)).astype(np.uint8), fragments


def contact_sheet(pictures: list[np.ndarray], labels: list[str], columns: int) -> np.ndarray:
    """Pictures of one size in rows, each with its label: uint8 [H, W, 3]."""
    import cv2

    height, width = pictures[0].shape[:2]
    rows = -(-len(pictures) // columns)
    sheet = np.full((rows * height, columns * width, 3), 80, np.uint8)
    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        row, column = divmod(index, columns)
        tile = picture.copy()
        cv2.putText(tile, label, (6, height - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.42, (255, 255, 255), 1, cv2.LINE_AA)
        sheet[row * height : (row + 1) * height, column * width : (column + 1) * width] = tile
    return sheet
