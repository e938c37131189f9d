"""Texture without end from a sample: random patches, blended so that their contrast stays.

Source: Heitz and Neyret, "High-performance by-example noise using a histogram-preserving blending operator", 2018
(variance-preserving weights); Efros and Freeman, "Image quilting", 2001 (patches much larger than the texture's grain).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from backend.detail.parameters import PatchSettings
from backend.imaging.arrays import Array, filled_with, gather, like, namespace, places, to_host, values_at
from backend.imaging.filters import counts_before, inner_distance
from backend.imaging.rows import Rows, blurred_in_bands, in_bands
from backend.imaging.sampling import turned_parts


@dataclass(frozen=True)
class Sample:
    """What patches are taken from.

    Args:
        image: float32 [S, S], mean about 0.
        density: float32 [S, S], texels per mm.
        places: for each sort of skin the middles of patches, int [n, 2] (column, row), on the host; a sort without any
            takes those of the first that has some.
        periodic: patches may run over the border.
    """

    image: Array
    density: Array
    places: tuple[np.ndarray, ...]
    periodic: bool = False


def periodic_sample(tile: Array, texels_per_mm: float) -> Sample:
    """A periodic tile float32 [S, S], of which every place is as good."""
    row, column = np.indices(tile.shape)
    everywhere = np.stack([column.ravel(), row.ravel()], axis=1)
    return Sample(tile, filled_with(texels_per_mm, tile.shape, tile), (everywhere,), periodic=True)


def good_places(allowed: Array, reach: float, rng: np.random.Generator, most: int = 4000) -> np.ndarray:
    """Middles int [n, 2] (column, row), in random order, of discs of `reach` texels inside a bool mask; on the host."""
    inside = places(inner_distance(allowed) > reach)
    picked = to_host(gather(inside, like(rng.permutation(len(inside))[:most], inside)))
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

    def painted(self) -> Array:
        """The texture, float32 [side, side]."""
        image, side, size = self.sample.image, self.side, self.spacing + self.overlap
        window = like(_window(self.spacing, self.overlap), image)
        total = filled_with(0, (side + 2 * size, side + 2 * size), image)
        border, matrices = "wrap" if self.sample.periodic else "mirror", [matrix for _, _, matrix in self.patches]
        for (top, left, _), patch in zip(self.patches, turned_parts(image, matrices, size, border), strict=True):
            patch *= window
            total[top + size : top + 2 * size, left + size : left + 2 * size] += patch
        return total[size : size + side, size : size + side]


def patchwork(
    sample: Sample,
    needed: Array,  # bool [R, R]
    sort: Array,  # int [r, r], index into `sample.places`, r <= R
    density: Array,  # float32 [r, r], texels of R per mm
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
    laid = _laid(side, spacing, overlap, rng)
    tops, lefts = (np.array([patch[k] for patch in laid]) for k in range(2))
    (y0, y1), (x0, x1) = ((np.clip(start, 0, side), np.clip(start + size, 0, side)) for start in (tops, lefts))
    before = counts_before(needed)
    above, below = (values_at(before, y, x1) - values_at(before, y, x0) for y in (y0, y1))
    wanted = np.flatnonzero(below - above)
    scale = sort.shape[0] / side
    rows, columns = (np.clip(((c + size / 2) * scale).astype(int), 0, sort.shape[0] - 1) for c in (tops, lefts))
    sorts, densities = (values_at(image, rows[wanted], columns[wanted]) for image in (sort, density))
    middles, used = np.empty((len(wanted), 2), int), np.zeros(len(sample.places), int)
    for number, asked in enumerate(sorts.tolist()):
        kind = _kind(sample, asked, settings)
        middles[number] = sample.places[kind][used[kind] % len(sample.places[kind])]
        used[kind] += 1
    patches = []
    sampled = values_at(sample.density, middles[:, 1], middles[:, 0])
    for number, (x, y), given, here in zip(wanted, middles.tolist(), sampled, densities, strict=True):
        top, left, turn, flip = laid[number]
        scale = float(given) / max(float(here), 1e-3)
        scale = min(max(scale, 1 / settings.scale_limit), settings.scale_limit)
        patches.append((top, left, _placement((float(x), float(y)), scale, turn, flip, size)))
    return Patchwork(sample, side, spacing, overlap, tuple(patches))


def _laid(side: int, spacing: int, overlap: int, rng: np.random.Generator) -> list[tuple[int, int, float, bool]]:
    """Row and column of each patch's corner, its turn in degrees, and whether it is mirrored."""
    laid = []
    for top in range(-overlap, side, spacing):
        for left in range(-int(rng.integers(overlap, spacing + overlap)), side, spacing):
            laid.append((top, left, float(rng.uniform(0, 360)), bool(rng.integers(2))))
    return laid


def bring_to_unit_variance(
    band: Array, weight: Rows, texels_per_mm: float, settings: PatchSettings = PatchSettings()
) -> None:
    """Scale a band [R, R] to local standard deviation 1 where weight [R, R] > 0, in place."""
    over = max(settings.normalised_over_mm * texels_per_mm, 2.0)
    xp = namespace(band)
    variance = blurred_in_bands(lambda rows: xp.square(band[rows]), lambda rows: weight[rows], len(band), over, band)

    def scale(rows: slice) -> None:
        band[rows] /= xp.sqrt(xp.maximum(variance[rows], 1e-10))

    in_bands(scale, len(band), band)


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
