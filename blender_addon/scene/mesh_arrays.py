"""A mesh of Blender's as arrays: triangles, their corners, texture coordinates."""

from __future__ import annotations

import bpy
import numpy as np


def loop_triangles(mesh: bpy.types.Mesh) -> tuple[np.ndarray, np.ndarray]:
    """The triangles of a mesh as corners int32 [T, 3], and their material slots int32 [T]."""
    mesh.calc_loop_triangles()
    corners = np.empty(len(mesh.loop_triangles) * 3, np.int32)
    slots = np.empty(len(mesh.loop_triangles), np.int32)
    mesh.loop_triangles.foreach_get("loops", corners)
    mesh.loop_triangles.foreach_get("material_index", slots)
    return corners.reshape(-1, 3), slots


def corner_vertices(mesh: bpy.types.Mesh) -> np.ndarray:
    """The vertex of each corner of a mesh, int32 [L]."""
    found = np.empty(len(mesh.loops), np.int32)
    mesh.loops.foreach_get("vertex_index", found)
    return found


def corner_uv(mesh: bpy.types.Mesh, name: str) -> np.ndarray:
    """Texture coordinates float32 [L, 2] of a mesh's corners in one of its UV maps."""
    found = np.empty(len(mesh.loops) * 2, np.float32)
    mesh.uv_layers[name].data.foreach_get("uv", found)
    return found.reshape(-1, 2)
