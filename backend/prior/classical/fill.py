"""What the photo does not show: mirrored where the other side was seen, a smooth continuation elsewhere."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from backend.delight.marks import spots
from backend.delight.robust import interior
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import masked_blur, smooth_step
from backend.imaging.membrane import extend
from backend.prior.parameters import FillSettings
from backend.texture.uv_space import UVSpace, mirror


def complete_field(
    values: np.ndarray,  # float32 [H, W, 3], log values where seen
    weight: np.ndarray,  # float32 [H, W], 1 = seen
    tone: np.ndarray,  # [3], what it goes to far from everything seen
    uv_space: UVSpace,  # texels of the skin, H x W
    vertices: np.ndarray,  # [V, 3], metres; distances on the skin
    texels_per_mm: float,
    settings: FillSettings = FillSettings(),
    ending: np.ndarray | None = None,  # float32 [H, W] in [0, 1], 1 = of what has an end, as brows do
) -> np.ndarray:
    """The field everywhere on the skin, float32 [H, W, 3], seamless; seen values are kept.

    A smooth field on the mesh, which knows no texture seam, carries the colour from the seen skin to the tone. The
    mirrored side, without its moles, is laid over it, and both are joined to what was seen in the gradient domain. What
    has an end is not carried on, or half a brow under a fringe would run out over the temple.
    """
    carried = np.float32(1) if ending is None else 1 - ending
    firm = interior(weight, 3 * texels_per_mm) * carried
    mirrored_weight = settings.mirrored * mirror(interior(weight, settings.feather_mm * texels_per_mm))
    mirrored = mirror(_without_spots(values, weight, texels_per_mm, settings) if settings.spots_left_out else values)
    support = firm + 0.3 * mirrored_weight * (1 - firm)
    blended = values * firm[..., None] + mirrored * (support - firm)[..., None]
    base = _mesh_field(blended / np.maximum(support, 1e-6)[..., None], support, tone, uv_space, vertices, settings)
    guess = base + mirrored_weight[..., None] * (mirrored - base)
    # The outermost rim of the seen shows sheen, hair and the fit's errors; it is blended over, not carried on.
    known = settings.known_weight * np.square(smooth_step(weight, *settings.firm) * carried)
    joined = guess + extend(values - guess, known, uv_space.mask, settings.border_decay_mm * texels_per_mm)
    return joined + weight[..., None] * np.where(weight[..., None] > 0, values - joined, 0)


def _without_spots(values: np.ndarray, weight: np.ndarray, texels_per_mm: float, settings: FillSettings) -> np.ndarray:
    """The field without moles and freckles: nobody has the same on both sides."""
    spot = spots(values @ LUMINANCE.astype(np.float32), weight, texels_per_mm, settings.spots)
    around = masked_blur(values, weight * (1 - spot), settings.spot_surroundings_mm * texels_per_mm)
    return values + spot[..., None] * (around - values)


def _mesh_field(
    values: np.ndarray,
    weight: np.ndarray,
    tone: np.ndarray,
    uv_space: UVSpace,
    vertices: np.ndarray,
    settings: FillSettings,
) -> np.ndarray:
    """Smooth field on the mesh that follows `values` where they have weight and decays to `tone`, over the texels."""
    seen = weight > 0.05
    corners = uv_space.triangles[uv_space.triangle[seen]].reshape(-1)
    share = (uv_space.barycentric[seen] * weight[seen][:, None]).reshape(-1)
    count = len(vertices)
    mass = np.bincount(corners, share, count)
    repeated = np.repeat(values[seen] - tone, 3, axis=0)
    total = np.stack([np.bincount(corners, share * repeated[:, c], count) for c in range(values.shape[-1])], axis=1)
    mean = total / np.maximum(mass, 1e-9)[:, None]

    edges = np.unique(np.sort(uv_space.triangles[:, [0, 1, 1, 2, 2, 0]].reshape(-1, 2), axis=1), axis=0)
    coupling = np.ones(len(edges))
    laplacian = sp.coo_matrix((coupling, (edges[:, 0], edges[:, 1])), (count, count)).tocsr()
    laplacian = laplacian + laplacian.T
    degree = np.asarray(laplacian.sum(1)).ravel()
    length = np.linalg.norm(vertices[edges[:, 0]] - vertices[edges[:, 1]], axis=1)
    squared = np.bincount(edges.reshape(-1), np.repeat(length**2, 2), count) / np.maximum(degree, 1)
    # On a regular mesh sum_j (u_i - u_j) = -(degree / 4) h^2 lap u, so screening u / decay^2 becomes this:
    screening = np.maximum(degree, 1) / 4 * squared / settings.mesh_decay_m**2 + 1e-6
    typical = np.median(mass[mass > 0]) if (mass > 0).any() else 1.0
    # Followed, not interpolated: a texel of noise at the border of the seen must not run into the unseen.
    data = 4.0 * np.minimum(mass / typical, 1.0)
    system = sp.diags(degree + screening + data) - laplacian
    field = splu(system.tocsc()).solve(data[:, None] * mean)
    return (uv_space.interpolate(field.astype(np.float32)) + tone.astype(np.float32)) * uv_space.mask[..., None]
