"""Light that varies over the face: what one order-2 light for all of it left in the albedo.

Every texel has an order-2 light of its own, smooth over the texture and near the common one (Yang et al.,
"Self-supervised reconstruction of re-renderable facial textures", 2024, eq. 1). The albedo that is left is near what
the prior expects (eq. 7), like its mirror image (eq. 4), and as smooth as the prior's (where eq. 5 and 6 weigh
differences by the prior's, here they should be the prior's); what strays further than skins do counts less and less,
since it is the person's own. Where they have a network and its losses, here closed-form solves alternate with the
weights that follow from their residuals.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.parameters import LocalLightSettings
from backend.imaging.arrays import Array, add_up, as_float32, like, median, namespace, to_host
from backend.imaging.colour import LUMINANCE
from backend.imaging.colour import luminance as luminance_of
from backend.imaging.filters import enlarge, masked_reduce
from backend.imaging.octaves import reduce_to
from backend.side_by_side import each
from backend.texture.regions import FaceRegions
from backend.texture.uv_space import mirror

ORDERS = (1, 3, 5)  # coefficients of order 0, 1 and 2


@dataclass(frozen=True)
class _Demand:
    """Something that the light is wanted to explain: `design @ coefficients` near `wanted`.

    Args:
        design: float32 [m, 9 K K].
        wanted: [m], log.
        spread: [m], by how much skins differ from that anyway, log.
        weight: [m].
    """

    design: Array
    wanted: Array
    spread: Array
    weight: Array


def local_light(
    own: Array,  # float32 [B, B, 3], log albedo of what was seen less the prior's, any value elsewhere
    transfer: Array,  # float32 [B, B, 9], see `backend.rendering.light_transfer`
    log_shading: Array,  # float32 [B, B, 3], by the common light
    weight: Array,  # float32 [B, B], 1 = seen
    regions: FaceRegions,
    coloured: float = 0.0,  # 1 where light comes in several colours
    settings: LocalLightSettings = LocalLightSettings(),
) -> Array:
    """By how much the light of its own makes each texel lighter than the common one, log colour, float32 [B, B, 3].

    To be taken off what was seen; smooth, so that it is defined everywhere.
    """
    xp = namespace(own)
    if not settings.removed:
        return xp.zeros_like(own)
    # In units of the common light, so that a coefficient of 1 doubles it.
    level = xp.exp(luminance_of(log_shading))
    inside = weight > settings.least_seen
    unit = median(level[inside]) / max(median(transfer[inside][:, 0]), 1e-6)
    share = as_float32(transfer * (unit / xp.maximum(level, 1e-4))[..., None])

    small, seen = masked_reduce(xp.concat([own, share], axis=-1), weight, settings.side)
    seen = seen * (seen > settings.least_seen)
    spline = splines(settings.side, settings.knots)
    spread = _spread(regions, settings)
    luminance = luminance_of(small[..., :3])
    colour = settings.colour_scale * (1 + coloured)
    designs = _designs(small[..., 3:], to_host(seen), spline, settings)

    def explain(channel: int) -> Array:
        scale = 1.0 if channel == 0 else colour
        values = luminance if channel == 0 else small[..., (0, 2)[channel - 1]] - luminance
        coefficients = _solved(_demands(values, designs, scale * spread, settings), scale, settings)
        lights = np.einsum("yi,xj,ijk->yxk", spline, spline, coefficients, optimize=True).astype(np.float32)
        enlarged = enlarge(like(lights, own), len(own))
        return xp.einsum("yxk,yxk->yx", enlarged, share)

    return _as_colour(each(explain, range(3)), settings.strongest)


def without_local_light(
    values: Array,  # float32 [B, B, 3], log albedo where seen
    expected: Array,  # float32 [B, B, 3] or [3], the prior's
    delit: DelightedTexture,
    settings: LocalLightSettings = LocalLightSettings(),
) -> Array:
    """The log albedo of what was seen, without light that varies over the face; float32 [B, B, 3]."""
    own = as_float32((values - expected) * (delit.weight > 0)[..., None])
    transfer = delit.skin.working.interpolate(delit.skin.transfer)
    light = local_light(
        own, transfer, delit.log_shading, delit.weight, delit.skin.regions, delit.two_coloured, settings
    )
    return as_float32(values - light)


def _as_colour(field: list[Array], strongest: float) -> Array:
    """Log colour [B, B, 3] of log luminance and what red and blue have beyond it [B, B] each, softly bounded."""
    xp = namespace(field[0])
    luminance, red, blue = (strongest * xp.tanh(channel / strongest) for channel in field)
    of_red, of_green, of_blue = LUMINANCE.tolist()
    green = -(of_red * red + of_blue * blue) / of_green
    return as_float32(luminance[..., None] + xp.stack([red, green, blue], -1))


def _spread(regions: FaceRegions, settings: LocalLightSettings) -> Array:
    """By how much skins differ from the prior, log, [n, n]: hair and lips by more."""
    maximum = namespace(regions.brows).maximum
    haired = maximum(maximum(maximum(regions.brows, regions.lips), regions.eyes), settings.beard * regions.beard)
    haired = reduce_to(as_float32(haired), settings.side)
    return settings.skin + haired * (settings.hair - settings.skin)


def splines(side: int, knots: int) -> np.ndarray:
    """Cubic B-splines of so many knots over `side` texels, float64 [side, knots]; they add up to 1."""
    place = (np.arange(side) + 0.5) / side * (knots - 3) + 1
    distance = np.abs(place[:, None] - np.arange(knots))
    near, far = 2 / 3 - distance**2 + distance**3 / 2, (2 - distance) ** 3 / 6
    return np.where(distance < 1, near, np.where(distance < 2, far, 0.0))


@dataclass(frozen=True)
class _Places:
    """Texels, or pairs of them: rows and columns int [m, 2] each."""

    first: np.ndarray
    second: np.ndarray | None


@dataclass(frozen=True)
class _Design:
    """What the light's coefficients do at places, whichever the channel.

    Args:
        places: texels, or pairs whose difference counts.
        matrix: float32 [m, 9 K K].
        weight: [m].
    """

    places: _Places
    matrix: Array
    weight: np.ndarray


def _designs(
    share: Array,  # float32 [n, n, 9]
    weight: np.ndarray,  # [n, n]
    spline: np.ndarray,  # [n, K]
    settings: LocalLightSettings,
) -> list[_Design]:
    """Of single texels, of mirrored pairs and of neighbours, in this order."""
    n = len(weight)

    def design(place: tuple[np.ndarray, np.ndarray]) -> Array:
        y, x = place
        knots = spline.shape[1] ** 2
        at = like((spline[y][:, :, None] * spline[x][:, None]).reshape(len(y), knots).astype(np.float32), share)
        return (at[:, :, None] * share[y, x][:, None]).reshape(len(y), 9 * knots)

    places = [_Places(np.argwhere(weight), None)]
    both = np.minimum(weight, mirror(weight))
    both[:, n // 2 :] = 0
    first = np.argwhere(both)
    places.append(_Places(first, np.stack([first[:, 0], n - 1 - first[:, 1]], 1)))
    neighbours = []
    for dy, dx in ((0, settings.step), (settings.step, 0)):
        near = np.argwhere(np.minimum(weight[: n - dy, : n - dx], weight[dy:, dx:]))
        neighbours.append((near, np.add(near, (dy, dx))))
    places.append(_Places(*(np.concatenate(part) for part in zip(*neighbours, strict=True))))
    found = []
    for place in places:
        (y, x), other = place.first.T, place.second
        if other is None:
            found.append(_Design(place, design((y, x)), weight[y, x]))
        else:
            v, u = other.T
            found.append(_Design(place, design((y, x)) - design((v, u)), np.minimum(weight[y, x], weight[v, u])))
    return found


def _demands(
    values: Array,  # [n, n], log, less the prior's
    designs: list[_Design],
    spread: Array,  # [n, n]
    settings: LocalLightSettings,
) -> list[_Demand]:
    """Near the prior, even on both sides, smooth where the prior is."""
    found = []
    for design, share in zip(designs, (1.0, settings.uneven, settings.rough), strict=True):
        first = tuple(design.places.first.T)
        second = design.places.second
        wanted = values[first] if second is None else values[first] - values[tuple(second.T)]
        found.append(_Demand(design.matrix, wanted, share * spread[first], like(design.weight, wanted)))
    return found


def _solved(demands: list[_Demand], scale: float, settings: LocalLightSettings) -> np.ndarray:
    """The light's coefficients at the knots, [K, K, 9], by reweighted least squares (Cauchy)."""
    knots = settings.knots
    first = np.diff(np.eye(knots), axis=0)
    along = first.T @ first
    smooth = np.kron(along, np.eye(knots)) + np.kron(np.eye(knots), along)
    precision = 1 / np.square(np.repeat(np.array(settings.spread), ORDERS) * scale)
    prior = np.kron(np.eye(knots**2) + settings.smooth * smooth, np.diag(precision))
    solution = np.zeros(len(prior))
    for _ in range(settings.iterations):
        squares, products = [], []
        for demand in demands:
            xp = namespace(demand.wanted)
            strayed = (demand.wanted - demand.design @ like(solution, demand.wanted)) / demand.spread
            robust = settings.independent * demand.weight / xp.square((1 + xp.square(strayed)) * demand.spread)
            # Both sides of the product take the root: of a matrix and itself, half has to be computed.
            root = as_float32(xp.sqrt(robust))
            weighted = demand.design * root[:, None]
            squares.append(weighted.T @ weighted)
            products.append(weighted.T @ (root * demand.wanted))
        matrix, right = prior.copy(), np.zeros(len(prior))
        add_up(matrix, squares)
        add_up(right, products)
        solution = np.linalg.solve(matrix, right)
    return solution.reshape(knots, knots, 9)
