"""Wrinkle maps: what shapes of the face fold into the skin that the normal map at rest does not have. Pure numpy."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .furrows import Folding, relief
from .strain import Chart, SkinSheet, Squeeze, chart_of, squeeze
from .uv_raster import Coverage, look_up, painted, resized


@dataclass(frozen=True)
class Channel:
    """One channel of a mask: shapes that fold the skin together at the same place.

    Args:
        shapes: names; the first says where skin is squeezed, and their values add up to at most 1.
        distance_mm: of its furrows from each other. Folds are as wide as skin is thick: thin beside the eyes and on the
            nose, thick on the forehead.
        slack: shortening that skin takes up without folding: cheeks have fat under them.
    """

    shapes: tuple[str, ...]
    distance_mm: float
    slack: float = 0.035


@dataclass(frozen=True)
class Group:
    """A normal map and its mask.

    Args:
        name: goes into names of nodes and files.
        label: for people.
        channels: of the mask: red, green, blue and alpha.
    """

    name: str
    label: str
    channels: tuple[Channel, ...]


GROUPS = (
    Group(
        "brows_down",
        "Brows Down",
        (
            Channel(("browDownLeft",), 6.0),
            Channel(("browDownRight",), 6.0),
            Channel(("cheekSquintLeft", "eyeSquintLeft"), 4.5),
            Channel(("cheekSquintRight", "eyeSquintRight"), 4.5),
        ),
    ),
    Group(
        "brows_up",
        "Brows Up",
        (
            Channel(("browInnerUp",), 9.0),
            Channel(("browOuterUpLeft",), 9.0),
            Channel(("browOuterUpRight",), 9.0),
        ),
    ),
    Group(
        "smile",
        "Smile",
        (
            Channel(("mouthSmileLeft",), 7.0, 0.11),
            Channel(("mouthSmileRight",), 7.0, 0.11),
            Channel(("noseSneerLeft",), 4.5, 0.09),
            Channel(("noseSneerRight",), 4.5, 0.09),
        ),
    ),
)


@dataclass(frozen=True)
class WrinkleParameters:
    """How wrinkle maps are made.

    Args:
        size: side of the maps, texels.
        coarse: side of the grid on which strain is found, texels; it changes over some faces of the mesh only.
        smooth_mm: over which strain is smoothed: a few faces of the mesh.
        crease_mm: wavelengths of the person's own creases, the shortest and the longest.
        crease_gain: how much deeper those get where skin is squeezed fully.
        mask_range: shortening of the skin beyond its slack over which a mask rises to 1.
    """

    size: int = 1024
    coarse: int = 256
    smooth_mm: float = 2.5
    crease_mm: tuple[float, float] = (1.5, 9.0)
    crease_gain: float = 0.8
    mask_range: float = 0.09


@dataclass(frozen=True)
class WrinkleMaps:
    """The maps of a group.

    Args:
        normal: float32 [S, S, 3], encoded, tangent space, +Y up: what is added to the normal map at rest.
        mask: float32 [S, S, 4], where each channel of the group acts.
    """

    normal: np.ndarray
    mask: np.ndarray


def wrinkle_maps(
    sheet: SkinSheet,
    still: np.ndarray,
    normal: np.ndarray | None,
    seed: int = 0,
    strength: float = 1.0,
    parameters: WrinkleParameters = WrinkleParameters(),
    report: Callable[[float], None] = lambda part: None,
) -> dict[str, WrinkleMaps]:
    """Wrinkle maps of a head, by the name of the group.

    Args:
        sheet: the skin and those shapes that the head has.
        still: float [V] in [0, 1], skin that does not fold: lips and lids.
        normal: the skin's normal map [H, W, 3], encoded, or None.
        seed: places what nothing else decides.
        strength: how deep wrinkles are, 1 for what the skin's shortening makes them.
        parameters: how they are made.
        report: gets the fraction done.
    """
    coarse, fine = (chart_of(sheet, side) for side in (parameters.coarse, parameters.size))
    folds = 1 - coarse.coverage.mix(still[sheet.triangles][..., None])
    metres = _grown(coarse, coarse.metres, fine.coverage, parameters)
    creases, slopes = _own_creases(normal, metres, fine.coverage, parameters)
    found = {}
    for number, group in enumerate(GROUPS):
        values = [
            _squeezed(sheet, coarse, channel, folds, fine.coverage, parameters)
            if channel.shapes[0] in sheet.offsets
            else None
            for channel in group.channels
        ]
        report((number + 0.3) / len(GROUPS))
        if any(value is not None for value in values):
            rng = np.random.default_rng((seed, number))
            normals = _normals(group, values, metres, creases, slopes, fine.coverage, rng, strength, parameters)
            found[group.name] = WrinkleMaps(normals, _mask(values, fine.coverage, parameters))
        report((number + 1) / len(GROUPS))
    return found


def _squeezed(
    sheet: SkinSheet,
    coarse: Chart,
    channel: Channel,
    folds: np.ndarray,
    coverage: Coverage,
    parameters: WrinkleParameters,
) -> Squeeze:
    """What a channel's shape does beyond what skin takes up without folding, at the texels of the maps."""
    raw = squeeze(sheet, coarse, channel.shapes[0])
    amount = np.maximum(raw.amount - channel.slack, 0)[:, None] * folds
    both = np.concatenate([amount, raw.lines.reshape(-1, 4)], axis=1)
    grown = _grown(coarse, both, coverage, parameters)
    return Squeeze(grown[:, 0], grown[:, 1:].reshape(-1, 2, 2))


def _normals(
    group: Group,
    values: list[Squeeze | None],
    metres: np.ndarray,
    creases: np.ndarray,
    slopes: np.ndarray,
    coverage: Coverage,
    rng: np.random.Generator,
    strength: float,
    parameters: WrinkleParameters,
) -> np.ndarray:
    """The normal map [S, S, 3] of a group with all its shapes at 1."""
    there = [(channel, value) for channel, value in zip(group.channels, values, strict=True) if value is not None]
    amounts = np.stack([value.amount for _, value in there])
    # Shapes of both sides share the middle of the face: they fold it together, no deeper than one alone.
    most = amounts.max(axis=0)
    plain = there[0][0].distance_mm
    weights = amounts + 1e-6
    distance = (weights * np.array([[channel.distance_mm] for channel, _ in there])).sum(axis=0) / weights.sum(axis=0)
    _, axes = np.linalg.eigh(np.sum([value.lines for _, value in there], axis=0))
    size = parameters.size
    folding = Folding(
        amount=_grid(coverage, most, 0.0),
        # Rows of an image go down where v goes up.
        direction=_grid(coverage, axes[:, :, 1] * np.array([1.0, -1.0]), 0.0),
        texel_mm=_grid(coverage, 1000 * metres.mean(axis=1) / size, 1.0),
        distance_mm=_grid(coverage, distance, plain),
        creases=_grid(coverage, creases, 0.0),
    )
    height = strength * relief(folding, rng)
    steep = np.stack([np.gradient(height, axis=1), -np.gradient(height, axis=0)], axis=-1) * size / 1000
    squeezed = np.clip(most / parameters.mask_range, 0, 1)[:, None]
    leaning = strength * parameters.crease_gain * squeezed * slopes - steep[coverage.rows, coverage.columns] / metres
    vectors = np.concatenate([leaning, np.ones((len(leaning), 1))], axis=1)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return painted(coverage, (0.5 + 0.5 * vectors).astype(np.float32), np.array([0.5, 0.5, 1.0]))


def _mask(values: list[Squeeze | None], coverage: Coverage, parameters: WrinkleParameters) -> np.ndarray:
    masks = np.zeros((len(coverage.rows), 4), np.float32)
    for index, value in enumerate(values):
        if value is not None:
            masks[:, index] = np.clip(value.amount / parameters.mask_range, 0, 1)
    return painted(coverage, masks, 0.0)


def _own_creases(
    normal: np.ndarray | None, metres: np.ndarray, coverage: Coverage, parameters: WrinkleParameters
) -> tuple[np.ndarray, np.ndarray]:
    """Where the normal map has creases, about -1 to 1, [N], and the band of its slopes that they are, [N, 2]."""
    count = len(coverage.rows)
    if normal is None:
        return np.zeros(count), np.zeros((count, 2))
    image = resized(normal[..., :2], coverage.size, coverage.size) * 2 - 1
    texel = float(np.median(metres)) * 1000 / coverage.size
    fine, broad = (blurred(image, length / texel / (2 * np.pi)) for length in parameters.crease_mm)
    band = fine - broad
    # In a valley normals lean to each other: x falls to the right, y falls upwards.
    valley = -np.gradient(band[..., 0], axis=1) + np.gradient(band[..., 1], axis=0)
    valley = blurred(valley[..., None], 0.8 / texel)[..., 0]
    spread = max(float(valley[coverage.rows, coverage.columns].std()), 1e-9)
    creases = np.clip(valley / (2 * spread), -1, 1)
    return creases[coverage.rows, coverage.columns], band[coverage.rows, coverage.columns].astype(np.float64)


def _grown(coarse: Chart, values: np.ndarray, fine: Coverage, parameters: WrinkleParameters) -> np.ndarray:
    """Values [N, k] at coarse texels, averaged over the surface around them, at the fine texels [n, k]."""
    size = coarse.coverage.size
    sigma = parameters.smooth_mm / 1000 / float(np.median(coarse.metres)) * size
    known = np.ones((len(values), 1))
    image = blurred(_grid(coarse.coverage, np.concatenate([values, known], axis=1), 0.0), sigma)
    image = image[..., :-1] / np.maximum(image[..., -1:], 1e-9)
    uv = np.stack([(fine.columns + 0.5) / fine.size, 1 - (fine.rows + 0.5) / fine.size], axis=-1)
    return look_up(image, uv).astype(np.float64)


def _grid(coverage: Coverage, values: np.ndarray, background: float) -> np.ndarray:
    image = np.full((coverage.size, coverage.size, *values.shape[1:]), background, np.float64)
    image[coverage.rows, coverage.columns] = values
    return image


def blurred(image: np.ndarray, sigma: float) -> np.ndarray:
    """An image [H, W, C] under a Gaussian, made of three boxes on each axis; nothing lies outside of it."""
    # Three boxes of width w have the variance (w^2 - 1) / 4.
    radius = round((np.sqrt(4 * sigma**2 + 1) - 1) / 2)
    if radius < 1:
        return image
    for axis in (0, 1):
        for _ in range(3):
            ends = [(radius + 1, radius) if a == axis else (0, 0) for a in range(image.ndim)]
            sums = np.cumsum(np.pad(image, ends), axis=axis, dtype=np.float64)
            length = image.shape[axis]
            upper = np.take(sums, range(2 * radius + 1, 2 * radius + 1 + length), axis)
            image = (upper - np.take(sums, range(length), axis)) / (2 * radius + 1)
    return image
