"""Furrows across squeezed skin: evenly spaced lines along the folds, and the relief that they press in. Pure numpy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .uv_raster import resized


@dataclass(frozen=True)
class FurrowStyle:
    """What furrows look like.

    Args:
        folded: part of the skin's shortening that goes into furrows; the rest of it is taken up by skin that gets
            thicker.
        width: of a furrow, as a part of their distance from each other.
        full_squeeze: shortening from which on furrows are as deep as folding makes them; under it, thick skin gives.
        wander: how far lines wander from the direction of the folds, radians.
        shoulder: height of the rolls beside a furrow as a part of its depth.
        fine_distance, fine_depth: distance and depth of the fine lines between furrows, as parts of theirs.
        shortest: least length of a furrow as a part of their distance.
    """

    folded: float = 0.7
    width: float = 0.34
    full_squeeze: float = 0.12
    wander: float = 0.22
    shoulder: float = 0.4
    fine_distance: float = 0.36
    fine_depth: float = 0.22
    shortest: float = 1.2


@dataclass(frozen=True)
class Folding:
    """Where skin folds, on a square grid, row 0 at the top.

    Args:
        amount: float [S, S], shortening of the skin that goes into folds, 0.1 for a tenth.
        direction: float [S, S, 2], along the folds, unit vectors in texels (to the right, downwards).
        texel_mm: float [S, S], side of a texel, the mean of both.
        distance_mm: float [S, S], of furrows from each other.
        creases: float [S, S], about -1 to 1, where the person has creases already.
    """

    amount: np.ndarray
    direction: np.ndarray
    texel_mm: np.ndarray
    distance_mm: np.ndarray
    creases: np.ndarray


def relief(folding: Folding, rng: np.random.Generator, style: FurrowStyle = FurrowStyle()) -> np.ndarray:
    """The height of furrows over the skin at rest, mm, [S, S]: below 0 in furrows, a little above beside them.

    Args:
        folding: where skin folds.
        rng: places what nothing else decides.
        style: what furrows look like.
    """
    strength = np.clip(folding.amount / style.full_squeeze, 0, 1)
    strength = strength * strength * (3 - 2 * strength)
    deep = _pressed(folding, folding.distance_mm, strength, rng, style)
    fine = _pressed(folding, style.fine_distance * folding.distance_mm, strength, rng, style)
    return deep + style.fine_depth * fine


def _pressed(
    folding: Folding, distance_mm: np.ndarray, strength: np.ndarray, rng: np.random.Generator, style: FurrowStyle
) -> np.ndarray:
    width = style.width * distance_mm
    longer = style.folded * np.maximum(folding.amount, 0) * distance_mm
    # The sides of a V as long as the furrow is wide, and what was folded in besides.
    depth = 0.5 * np.sqrt((width + longer) ** 2 - width**2) * strength
    valleys, rolls = np.zeros_like(depth), np.zeros_like(depth)
    for line in furrow_lines(folding, distance_mm, strength, rng, style):
        _press(line, depth, width / folding.texel_mm, rng, valleys, rolls)
    return style.shoulder * rolls - valleys


def furrow_lines(
    folding: Folding, distance_mm: np.ndarray, strength: np.ndarray, rng: np.random.Generator, style: FurrowStyle
) -> list[np.ndarray]:
    """Lines [n, 2] (column, row) along the folds that keep their distance from each other.

    After Jobard and Lefer 1997, "Creating Evenly-Spaced Streamlines of Arbitrary Density", begun where skin is squeezed
    most and where the person has a crease already.
    """
    size = len(strength)
    distance = np.maximum(distance_mm / folding.texel_mm, 1.5)
    wander = style.wander * smooth_noise(size, float(np.median(distance)) * 1.5, rng)
    free = strength > 0.05
    wish = strength * (1 + 0.8 * folding.creases + 0.6 * smooth_noise(size, float(np.median(distance)) * 0.5, rng))
    lines = []
    order = np.argsort(-np.where(free, wish, -1), axis=None)[: int(free.sum())]
    for place in order[:: max(1, len(order) // 6000)].tolist():
        row, column = divmod(place, size)
        if not free[row, column]:
            continue
        halves = [_trace(column, row, sign, folding.direction, wander, free, size) for sign in (1.0, -1.0)]
        line = np.array(halves[1][::-1] + [(float(column), float(row))] + halves[0])
        apart = float(distance[row, column])
        if len(line) < style.shortest * apart:
            free[row, column] = False
            continue
        _block(line, apart * float(rng.uniform(0.75, 1.2)), free)
        lines.append(line)
    return lines


def _trace(
    column: int, row: int, sign: float, direction: np.ndarray, wander: np.ndarray, free: np.ndarray, size: int
) -> list[tuple[float, float]]:
    x, y = float(column), float(row)
    before = direction[row, column] * sign
    found: list[tuple[float, float]] = []
    for _ in range(size):
        here = direction[int(y + 0.5), int(x + 0.5)]
        # A direction of a line has no sign: go on the way that was gone.
        if here @ before < 0:
            here = -here
        turn = wander[int(y + 0.5), int(x + 0.5)]
        step = (float(here[0] - turn * here[1]), float(here[1] + turn * here[0]))
        length = max((step[0] ** 2 + step[1] ** 2) ** 0.5, 1e-9)
        x, y = x + step[0] / length, y + step[1] / length
        if not (0.5 <= x < size - 1.5 and 0.5 <= y < size - 1.5) or not free[int(y + 0.5), int(x + 0.5)]:
            break
        if here @ before < 0.5:
            break
        before = here
        found.append((x, y))
    return found


def _block(line: np.ndarray, radius: float, free: np.ndarray) -> None:
    reach = int(np.ceil(radius))
    rows, columns = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    disc = rows**2 + columns**2 <= radius**2
    offsets = np.stack([columns[disc], rows[disc]], axis=-1)
    places = np.clip((line[:, None] + offsets + 0.5).astype(int), 0, len(free) - 1).reshape(-1, 2)
    free[places[:, 1], places[:, 0]] = False


def _press(
    line: np.ndarray,
    depth: np.ndarray,
    width: np.ndarray,
    rng: np.random.Generator,
    valleys: np.ndarray,
    rolls: np.ndarray,
) -> None:
    """Press a line into a relief: deepest inside, thinning out to both ends, unevenly."""
    count = len(line)
    along = np.linspace(0, 1, count)
    ends = np.minimum(1, np.minimum(along, 1 - along) / 0.3)
    uneven = 0.75 + 0.25 * np.interp(along, np.linspace(0, 1, 6), rng.uniform(-1, 1, 6))
    taper = np.sqrt(ends) * uneven * rng.uniform(0.6, 1.0)
    for (x, y), part in zip(line.tolist(), taper.tolist(), strict=True):
        column, row = int(x + 0.5), int(y + 0.5)
        half = 0.5 * float(width[row, column])
        reach = int(np.ceil(3.2 * half)) + 1
        top, left = max(row - reach, 0), max(column - reach, 0)
        window = np.s_[top : min(row + reach + 1, len(depth)), left : min(column + reach + 1, len(depth))]
        rows, columns = np.ogrid[window]
        away = np.sqrt((columns - x) ** 2 + (rows - y) ** 2) / half
        here = part * float(depth[row, column])
        # Pointed at the bottom, as where two folds meet, and rolled over at the sides.
        valley = here * np.exp(-(away**1.4))
        roll = here * np.exp(-(((away - 1.7) / 0.75) ** 2))
        np.maximum(valleys[window], valley, out=valleys[window])
        np.maximum(rolls[window], roll, out=rolls[window])


def smooth_noise(size: int, texels: float, rng: np.random.Generator) -> np.ndarray:
    """Noise [size, size] about -1 to 1 that changes over some texels."""
    count = max(2, round(size / max(texels, 1.0)))
    return resized(rng.uniform(-1, 1, (count, count, 1)).astype(np.float32), size, size)[..., 0].astype(np.float64)
