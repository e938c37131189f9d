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

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.parameters import LocalLightSettings
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import masked_reduce
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

    design: np.ndarray
    wanted: np.ndarray
    spread: np.ndarray
    weight: np.ndarray


def local_light(
    own: np.ndarray,  # float32 [B, B, 3], log albedo of what was seen less the prior's, any value elsewhere
    transfer: np.ndarray,  # float32 [B, B, 9], see `backend.rendering.light_transfer`
    log_shading: np.ndarray,  # float32 [B, B, 3], by the common light
    weight: np.ndarray,  # float32 [B, B], 1 = seen
    regions: FaceRegions,
    coloured: float = 0.0,  # 1 where light comes in several colours
    settings: LocalLightSettings = LocalLightSettings(),
) -> np.ndarray:
    """By how much the light of its own makes each texel lighter than the common one, log colour, float32 [B, B, 3].

    To be taken off what was seen; smooth, so that it is defined everywhere.
    """
    if not settings.removed:
        return np.zeros_like(own)
    # In units of the common light, so that a coefficient of 1 doubles it.
    level = np.exp(log_shading @ LUMINANCE)
    inside = weight > settings.least_seen
    unit = float(np.median(level[inside])) / max(float(np.median(transfer[inside][:, 0])), 1e-6)
    share = (transfer * (unit / np.maximum(level, 1e-4))[..., None]).astype(np.float32)

    small, seen = masked_reduce(np.dstack([own, share]), weight, settings.side)
    seen = seen * (seen > settings.least_seen)
    spline = splines(settings.side, settings.knots)
    spread = _spread(regions, settings)
    luminance = small[..., :3] @ LUMINANCE
    field = np.empty_like(own)
    colour = settings.colour_scale * (1 + coloured)
    designs = _designs(small[..., 3:], seen, spline, settings)

    def explain(channel: int) -> None:
        scale = 1.0 if channel == 0 else colour
        values = luminance if channel == 0 else small[..., (0, 2)[channel - 1]] - luminance
        coefficients = _solved(_demands(values, designs, scale * spread, settings), scale, settings)
        lights = np.einsum("yi,xj,ijk->yxk", spline, spline, coefficients, optimize=True).astype(np.float32)
        enlarged = cv2.resize(lights, own.shape[1::-1], interpolation=cv2.INTER_CUBIC)
        field[..., channel] = np.einsum("yxk,yxk->yx", enlarged, share)

    each(explain, range(3))
    return _as_colour(field, settings.strongest)


def without_local_light(
    values: np.ndarray,  # float32 [B, B, 3], log albedo where seen
    expected: np.ndarray,  # float32 [B, B, 3] or [3], the prior's
    delit: DelightedTexture,
    settings: LocalLightSettings = LocalLightSettings(),
) -> np.ndarray:
    """The log albedo of what was seen, without light that varies over the face; float32 [B, B, 3]."""
    own = ((values - expected) * (delit.weight > 0)[..., None]).astype(np.float32)
    transfer = delit.skin.working.interpolate(delit.skin.transfer)
    light = local_light(
        own, transfer, delit.log_shading, delit.weight, delit.skin.regions, delit.two_coloured, settings
    )
    return (values - light).astype(np.float32)


def _as_colour(field: np.ndarray, strongest: float) -> np.ndarray:
    """Log colour [B, B, 3] of log luminance and what red and blue have beyond it [B, B, 3], softly bounded."""
    luminance, red, blue = np.moveaxis(strongest * np.tanh(field / strongest), -1, 0)
    green = -(LUMINANCE[0] * red + LUMINANCE[2] * blue) / LUMINANCE[1]
    return (luminance[..., None] + np.stack([red, green, blue], -1)).astype(np.float32)


def _spread(regions: FaceRegions, settings: LocalLightSettings) -> np.ndarray:
    """By how much skins differ from the prior, log, [n, n]: hair and lips by more."""
    haired = np.maximum.reduce([regions.brows, regions.lips, regions.eyes, settings.beard * regions.beard])
    haired = cv2.resize(haired.astype(np.float32), (settings.side, settings.side), interpolation=cv2.INTER_AREA)
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
    matrix: np.ndarray
    weight: np.ndarray


def _designs(
    share: np.ndarray,  # float32 [n, n, 9]
    weight: np.ndarray,  # [n, n]
    spline: np.ndarray,  # [n, K]
    settings: LocalLightSettings,
) -> list[_Design]:
    """Of single texels, of mirrored pairs and of neighbours, in this order."""
    n = len(weight)

    def design(place: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
        y, x = place
        knots = spline.shape[1] ** 2
        at = (spline[y][:, :, None] * spline[x][:, None]).reshape(len(y), knots).astype(np.float32)
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
    values: np.ndarray,  # [n, n], log, less the prior's
    designs: list[_Design],
    spread: np.ndarray,  # [n, n]
    settings: LocalLightSettings,
) -> list[_Demand]:
    """Near the prior, even on both sides, smooth where the prior is."""
    found = []
    for design, share in zip(designs, (1.0, settings.uneven, settings.rough), strict=True):
        first = tuple(design.places.first.T)
        second = design.places.second
        wanted = values[first] if second is None else values[first] - values[tuple(second.T)]
        found.append(_Demand(design.matrix, wanted, share * spread[first], design.weight))
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
        matrix, right = prior.copy(), np.zeros(len(prior))
        for demand in demands:
            strayed = (demand.wanted - demand.design @ solution) / demand.spread
            robust = settings.independent * demand.weight / np.square((1 + np.square(strayed)) * demand.spread)
            # Both sides of the product take the root: of a matrix and itself, half has to be computed.
            root = np.sqrt(robust).astype(np.float32)
            weighted = demand.design * root[:, None]
            matrix += weighted.T @ weighted
            right += weighted.T @ (root * demand.wanted)
        solution = np.linalg.solve(matrix, right)
    return solution.reshape(knots, knots, 9)
