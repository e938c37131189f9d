"""Texture without end from a sample: random patches, blended so that their contrast stays.

Source: Heitz and Neyret, "High-performance by-example noise using a histogram-preserving blending operator", 2018
(variance-preserving weights); Efros and Freeman, "Image quilting", 2001 (patches much larger than the texture's grain).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np

from backend.detail.parameters import PatchSettings
from backend.imaging.filters import inner_distance
from backend.imaging.rows import Rows, blurred_in_bands, in_bands


@dataclass(frozen=True)
class Sample:
    """What patches are taken from.

    Args:
        image: float32 [S, S], mean about 0.
        density: float32 [S, S], texels per mm.
        places: for each sort of skin the middles of patches, int [n, 2] (column, row); a sort without any takes
            those of the first that has some.
        periodic: patches may run over the border.
    """

    image: np.ndarray
    density: np.ndarray
    places: tuple[np.ndarray, ...]
    periodic: bool = False


def periodic_sample(tile: np.ndarray, texels_per_mm: float) -> Sample:
    """A periodic tile float32 [S, S], of which every place is as good."""
    row, column = np.indices(tile.shape)
    places = np.stack([column.ravel(), row.ravel()], axis=1)
    return Sample(tile, np.full(tile.shape, texels_per_mm, np.float32), (places,), periodic=True)


def good_places(allowed: np.ndarray, reach: float, rng: np.random.Generator, most: int = 4000) -> np.ndarray:
    """Middles int [n, 2] (column, row), in random order, of discs of `reach` texels inside a bool mask."""
    inside = np.flatnonzero(inner_distance(allowed) > reach)
    picked = rng.permutation(inside)[:most]
    row, column = np.divmod(picked, allowed.shape[1])
    return np.stack([column, row], axis=1)


@dataclass(frozen=True)
class Patchwork:
    """Where patches of a sample go; `painted` lays them.

    Args:
        sample: what they are taken from.
        side: texels a side of the texture.
        spacing, overlap: of the patches, texels.
        patches: row and column of each one's corner, and the affine map [2, 3] from its texels to the sample's.
    """

    sample: Sample
    side: int
    spacing: int
    overlap: int
    patches: tuple[tuple[int, int, np.ndarray], ...]

    def painted(self) -> np.ndarray:
        """The texture, float32 [side, side]."""
        side, size = self.side, self.spacing + self.overlap
        window = _window(self.spacing, self.overlap)
        total = np.zeros((side + 2 * size, side + 2 * size), np.float32)
        border = cv2.BORDER_WRAP if self.sample.periodic else cv2.BORDER_REFLECT_101
        for top, left, matrix in self.patches:
            patch = cv2.warpAffine(
                self.sample.image, matrix, (size, size), flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP, borderMode=border
            )
            patch *= window
            total[top + size : top + 2 * size, left + size : left + 2 * size] += patch
        return total[size : size + side, size : size + side]


def patchwork(
    sample: Sample,
    needed: np.ndarray,  # bool [R, R]
    sort: np.ndarray,  # int [r, r], index into `sample.places`, r <= R
    density: np.ndarray,  # float32 [r, r], texels of R per mm
    texels_per_mm: float,  # typical density at R, for the size of patches
    rng: np.random.Generator,
    settings: PatchSettings = PatchSettings(),
) -> Patchwork:
    """Patches of the sample for a texture [R, R] like it, with about its variance where `needed`.

    Patches lie in rows of a grid, each row shifted at random; every patch is turned, and maybe mirrored, at random, so
    no place of the sample is recognised again. All that is random is drawn here.
    """
    side = needed.shape[0]
    spacing, overlap = (
        max(8, round(settings.patch_mm * texels_per_mm)),
        max(2, round(settings.overlap_mm * texels_per_mm)),
    )
    size = spacing + overlap
    coarse = sort.shape[0] / side
    before = cv2.integral(needed.view(np.uint8), sdepth=cv2.CV_32S)
    patches, used = [], np.zeros(len(sample.places), int)
    for top in range(-overlap, side, spacing):
        for left in range(-int(rng.integers(overlap, size)), side, spacing):
            turn, flip = float(rng.uniform(0, 360)), bool(rng.integers(2))
            (y0, y1), (x0, x1) = ((max(start, 0), min(start + size, side)) for start in (top, left))
            if before[y1, x1] - before[y0, x1] == before[y1, x0] - before[y0, x0]:
                continue  # none of it is needed
            row, column = (min(max(int((c + size / 2) * coarse), 0), sort.shape[0] - 1) for c in (top, left))
            at = (row, column)
            kind = _kind(sample, int(sort[at]), settings)
            places = sample.places[kind]
            x, y = places[used[kind] % len(places)]
            used[kind] += 1
            scale = float(sample.density[y, x]) / max(float(density[at]), 1e-3)
            scale = min(max(scale, 1 / settings.scale_limit), settings.scale_limit)
            matrix = _placement((float(x), float(y)), scale, turn, flip, size)
            patches.append((top, left, matrix))
    return Patchwork(sample, side, spacing, overlap, tuple(patches))


def bring_to_unit_variance(
    band: np.ndarray, weight: Rows, texels_per_mm: float, settings: PatchSettings = PatchSettings()
) -> None:
    """Scale a band [R, R] to local standard deviation 1 where weight [R, R] > 0, in place."""
    over = max(settings.normalised_over_mm * texels_per_mm, 2.0)
    variance = blurred_in_bands(lambda rows: np.square(band[rows]), lambda rows: weight[rows], len(band), over)

    def scale(rows: slice) -> None:
        band[rows] /= np.sqrt(np.maximum(variance[rows], 1e-10))

    in_bands(scale, len(band))


def _kind(sample: Sample, wanted: int, settings: PatchSettings) -> int:
    """The wanted sort of skin, or the first that has places enough, or any."""
    order = [min(wanted, len(sample.places) - 1), *range(len(sample.places))]
    enough = [k for k in order if len(sample.places[k]) >= settings.fewest_places]
    return enough[0] if enough else max(order, key=lambda k: len(sample.places[k]))


def _window(spacing: int, overlap: int) -> np.ndarray:
    """Weights float32 [size, size]; squares of overlapping neighbours add up to 1, so that variance is kept."""
    ramp = np.sin(0.5 * np.pi * (np.arange(overlap) + 0.5) / overlap)
    line = np.concatenate([ramp, np.ones(spacing - overlap), ramp[::-1]])
    return np.outer(line, line).astype(np.float32)


def _placement(middle: tuple[float, float], scale: float, turn: float, flip: bool, size: int) -> np.ndarray:
    """The affine map float64 [2, 3] from a patch's texels to the sample's."""
    angle, half = math.radians(turn), (size - 1) / 2
    cosine, sine = scale * math.cos(angle), scale * math.sin(angle)
    (a, b), (c, d) = ((-cosine, -sine), (-sine, cosine)) if flip else ((cosine, -sine), (sine, cosine))
    return np.array([[a, b, middle[0] - (a + b) * half], [c, d, middle[1] - (c + d) * half]])
