"""Self-shadowed light transfer: how order-2 light reaches every vertex past the head itself."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp

from backend.imaging.arrays import Array, as_float32, like, namespace
from backend.rendering.normals import frames, vertex_normals
from backend.rendering.rays import RayScene, off_surface
from backend.rendering.shading import cosine_directions
from backend.rendering.skin_model import SKIN
from backend.rendering.spherical_harmonics import basis
from backend.side_by_side import each, usable_cores

SMOOTHING_STEPS = 3


def radiance_transfer(
    vertices: np.ndarray,  # float32 [V, 3], head space, metres
    triangles: np.ndarray,  # int [T, 3], all of the mesh, for its normals
    skin: np.ndarray,  # int [S, 3], the triangles whose vertices are asked for
    occluders: np.ndarray,  # int [O, 3], what hides the light
    rays: int = 128,
) -> np.ndarray:
    """Shadowed diffuse transfer float32 [V, 9]: a white Lambertian surface shows `transfer @ light`.

    transfer_k = 1/pi * integral of Y_k(w) max(n.w, 0) V(w) dw, with visibility V against the skin and the other solid
    parts; hidden directions count with `BouncedLight.of_hidden` of the light, which skin throws back. Where nothing
    hides the light this is irradiance / pi. Source: Sloan, Kautz and Snyder, "Precomputed radiance transfer", 2002,
    eq. 9.

    Args:
        rays: cosine-distributed directions per vertex, the same pattern for all, turned about the normal.
    """
    shown = np.unique(skin)
    normals = vertex_normals(vertices, triangles).astype(np.float64)[shown]
    scene = RayScene(vertices, occluders)

    tangent, bitangent = frames(normals)
    origins, pattern = off_surface(vertices[shown], normals).astype(np.float32), cosine_directions(rays)

    def open_sky(some: np.ndarray) -> np.ndarray:
        total, along, across, out = np.zeros((len(some), 9)), tangent[some], bitangent[some], normals[some]
        for x, y, z in pattern:
            directions = x * along + y * across + z * out
            hidden = scene.hits(origins[some], directions)
            # Cosine-distributed directions have density cos / pi, which cancels the cosine and the 1/pi of the
            # integral.
            total += basis(directions) * np.where(hidden, SKIN.bounce.of_hidden, 1.0)[:, None]
        return total

    transfer = np.zeros((len(vertices), 9), np.float32)
    transfer[shown] = np.concatenate(each(open_sky, np.array_split(np.arange(len(shown)), usable_cores()))) / rays
    return _smoothed(transfer, skin)


def _smoothed(values: np.ndarray, triangles: np.ndarray) -> np.ndarray:
    """Averages over neighbours, `SMOOTHING_STEPS` times: light bleeds through skin, and the fit is a few mm off."""
    edges = np.unique(np.sort(triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    ends = np.concatenate([edges, edges[:, ::-1]])
    count = len(values)
    neighbours = sp.coo_matrix((np.ones(len(ends), np.float32), (ends[:, 0], ends[:, 1])), (count, count)).tocsr()
    degree = np.maximum(np.asarray(neighbours.sum(1)), 1)
    for _ in range(SMOOTHING_STEPS):
        values = np.where(degree > 1, 0.5 * values + 0.5 * (neighbours @ values) / degree, values)
    return values.astype(np.float32)


def shading(transfer: Array, light: np.ndarray, floor: float = 0.3) -> Array:
    """What a white diffuse surface shows, float32 [..., 3], from transfer [..., 9] and light [9, 3].

    Order-2 light estimated from half the directions can turn dark or negative in the others: the result goes smoothly
    to `floor` times the uniform part of the light instead, times what the head itself leaves open of it.
    """
    xp, light = namespace(transfer), like(light.astype(np.float32), transfer)
    raw = transfer @ light
    lowest = xp.maximum(floor * transfer[..., :1] * light[0], 1e-4)
    # A smooth maximum: equal to either far from the other, half a `lowest` above where they meet.
    excess = (raw - lowest) / lowest
    return lowest * (1 + as_float32(xp.logaddexp(0, 3 * excess)) / 3)
