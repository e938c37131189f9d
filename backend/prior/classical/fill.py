"""What the photo does not show: mirrored where the other side was seen, a smooth continuation elsewhere."""

from __future__ import annotations

import numpy as np
import scipy.sparse as sp
from scipy.sparse.linalg import splu

from backend.delight.marks import spots
from backend.delight.robust import interior
from backend.imaging.arrays import Array, gather, is_tensor, like, namespace, to_host
from backend.imaging.colour import luminance
from backend.imaging.filters import masked_blur, smooth_step
from backend.imaging.membrane import extend
from backend.prior.parameters import FillSettings
from backend.texture.uv_space import UVSpace, mirror


def complete_field(
    values: Array,  # float32 [H, W, 3], log values where seen
    weight: Array,  # float32 [H, W], 1 = seen
    tone: np.ndarray,  # [3], what it goes to far from everything seen
    uv_space: UVSpace,  # texels of the skin, H x W
    vertices: np.ndarray,  # [V, 3], metres; distances on the skin
    texels_per_mm: float,
    settings: FillSettings = FillSettings(),
    ending: Array | None = None,  # float32 [H, W] in [0, 1], 1 = of what has an end, as brows do
) -> Array:
    """The field everywhere on the skin, float32 [H, W, 3], seamless; seen values are kept.

    A smooth field on the mesh, which knows no texture seam, carries the colour from the seen skin to the tone. The
    mirrored side, without its moles, is laid over it, and both are joined to what was seen in the gradient domain. What
    has an end is not carried on, or half a brow under a fringe would run out over the temple.
    """
    xp = namespace(values)
    carried = np.float32(1) if ending is None else 1 - ending
    firm = interior(weight, 3 * texels_per_mm) * carried
    mirrored_weight = settings.mirrored * mirror(interior(weight, settings.feather_mm * texels_per_mm))
    mirrored = mirror(_without_spots(values, weight, texels_per_mm, settings) if settings.spots_left_out else values)
    support = firm + 0.3 * mirrored_weight * (1 - firm)
    blended = values * firm[..., None] + mirrored * (support - firm)[..., None]
    base = _mesh_field(blended / xp.maximum(support, 1e-6)[..., None], support, tone, uv_space, vertices, settings)
    guess = base + mirrored_weight[..., None] * (mirrored - base)
    # The outermost rim of the seen shows sheen, hair and the fit's errors; it is blended over, not carried on.
    known = settings.known_weight * xp.square(smooth_step(weight, *settings.firm) * carried)
    joined = guess + extend(values - guess, known, uv_space.mask, settings.border_decay_mm * texels_per_mm)
    return joined + weight[..., None] * xp.where(weight[..., None] > 0, values - joined, 0)


def _without_spots(values: Array, weight: Array, texels_per_mm: float, settings: FillSettings) -> Array:
    """The field without moles and freckles: nobody has the same on both sides."""
    spot = spots(luminance(values), weight, texels_per_mm, settings.spots)
    around = masked_blur(values, weight * (1 - spot), settings.spot_surroundings_mm * texels_per_mm)
    return values + spot[..., None] * (around - values)


def _mesh_field(
    values: Array,
    weight: Array,
    tone: np.ndarray,
    uv_space: UVSpace,
    vertices: np.ndarray,
    settings: FillSettings,
) -> Array:
    """Smooth field on the mesh that follows `values` where they have weight and decays to `tone`, over the texels.

    The sparse system of some thousand vertices is solved on the host, in double precision.
    """
    seen, count = weight > 0.05, len(vertices)
    corners = gather(like(uv_space.triangles, weight), uv_space.triangle[seen])
    share = uv_space.barycentric[seen] * weight[seen][:, None]
    mass, total = _sums_at_vertices(corners, share, values[seen] - like(tone, values), count)
    mean = total / np.maximum(mass, 1e-9)[:, None]

    edges = uv_space.edges
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
    on_texels = uv_space.interpolate(field.astype(np.float32))
    return (on_texels + like(tone.astype(np.float32), on_texels)) * uv_space.mask[..., None]


def _sums_at_vertices(corners: Array, share: Array, values: Array, count: int) -> tuple[np.ndarray, np.ndarray]:
    """At each of so many vertices [V] the sum of what texels give to it, and of that times their values [V, C].

    Args:
        corners: int [n, 3], the vertices around each texel.
        share: float32 [n, 3], what it gives to them.
        values: [n, C].
    """
    if is_tensor(values):
        given = namespace(values).concat([share[..., None], share[..., None] * values[:, None]], axis=-1)
        sums = values.new_zeros((count, given.shape[-1]))
        # Sums in their order, so that they give the same bytes each time.
        sums.index_put_((corners.reshape(-1).long(),), given.reshape(-1, given.shape[-1]), accumulate=True)
        found = to_host(sums).astype(np.float64)
        return found[:, 0], found[:, 1:]
    at, part = corners.reshape(-1), share.reshape(-1)
    mass = np.bincount(at, part, count)
    repeated = np.repeat(values, 3, axis=0)
    total = np.stack([np.bincount(at, part * repeated[:, c], count) for c in range(values.shape[-1])], axis=1)
    return mass, total
