"""How large, and how much squeezed, each piece of skin should come out in the texture space."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.linalg import splu

from backend.head.head_parts import HAIRLINE, Proportions, below_jaw, ear_weight
from backend.imaging.filters import smooth_step


@dataclass(frozen=True)
class LayoutStyle:
    """How the square is shared out. Densities are lengths in the map per length on the skin; the face's is 1.

    Args:
        crown: where the seam begins: radians from straight up towards the back, seen from between the ears.
        outline_exponent: how square the island's outline is, see `Outline`.
        side: density of the cheeks and temples in front of the ears, across the face.
        ear: density of the ears.
        scalp, neck: density there in the direction that leads away from the face.
        evenness: the density around the face is that to this power: 1 asks for squares, 0 for strips as dense as the
            face. The island's outline is long, so strips are what there is room for.
        loyalty: energy weights are target areas times density to this power.
    """

    crown: float = 0.1
    outline_exponent: float = 4.0
    side: float = 0.85
    ear: float = 0.6
    scalp: float = 0.15
    neck: float = 0.18
    evenness: float = 0.5
    loyalty: float = 0.5


def densities(
    points: np.ndarray,  # [n, 3], metres, head space
    head: Proportions,
    style: LayoutStyle,
) -> tuple[np.ndarray, np.ndarray]:
    """Wanted map length per skin length [n] away from the face and around it.

    They fall off smoothly with the angle around the head's vertical axis, above the hairline, and below the jaw.
    """
    x, y, z = points.T
    around = np.arctan2(np.abs(x), z - head.ear[1] - 0.008)
    beside = smooth_step(around, np.radians(30), np.radians(80))
    behind = smooth_step(around, np.radians(80), np.radians(130))
    # Hair grows lower at the temples than above the forehead.
    above = smooth_step(y - 0.3 * np.minimum(z, 0), HAIRLINE - 0.008, HAIRLINE + 0.055)
    below = smooth_step(below_jaw(points, head), 0.0, 0.07)
    rim = np.log(style.scalp) * np.maximum(above, behind) * (1 - below) + np.log(style.neck) * below
    away = np.minimum(rim, np.log(style.side) * beside)
    ear = ear_weight(points, head)
    along, across = (np.exp(value * (1 - ear) + np.log(style.ear) * ear) for value in (away, style.evenness * rim))
    return along, across


def away_from_face(
    vertices: np.ndarray,  # [V, 3]
    triangles: np.ndarray,  # [n, 3]
    rim: np.ndarray,  # vertices where the island ends
) -> np.ndarray:
    """Unit directions [n, 3] in the triangles that lead from the middle of the face to the island's outline.

    They are the gradients of the harmonic function that is 0 around nose and mouth and 1 on the outline.
    """
    gradients, area = _shape_gradients(vertices[triangles])
    blocks = np.einsum("nkd,nld,n->nkl", gradients, gradients, area)
    row, column = np.repeat(triangles, 3, axis=1).ravel(), np.tile(triangles, (1, 3)).ravel()
    stiffness = coo_array((blocks.ravel(), (row, column)), shape=(len(vertices), len(vertices))).tocsr()
    x, y, z = vertices.T
    core = np.flatnonzero((np.abs(x) < 0.03) & (y < 0.02) & (y > -0.09) & (z > 0))
    held = np.concatenate([core, rim])
    value = np.zeros(len(vertices))
    value[rim] = 1
    inner = np.setdiff1d(np.arange(len(vertices)), held)
    value[inner] = splu(stiffness[inner][:, inner].tocsc()).solve(-stiffness[inner] @ value)
    slope = np.einsum("nkd,nk->nd", gradients, value[triangles])
    length = np.linalg.norm(slope, axis=1, keepdims=True)
    return np.divide(slope, length, out=np.zeros_like(slope), where=length > 1e-9)


def _shape_gradients(corners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gradients [n, 3, 3] of the linear shape functions of triangles [n, 3, 3], and their areas [n]."""
    opposite = np.roll(corners, -2, axis=1) - np.roll(corners, -1, axis=1)
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    twice = np.linalg.norm(normal, axis=1)
    return np.cross(normal[:, None] / np.maximum(twice, 1e-12)[:, None, None] ** 2, opposite), twice / 2
