"""Detail that the photo does not show: continued from the person's seen skin, or made by the statistics of skin."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

import numpy as np

from backend.detail.microrelief import microrelief_tile
from backend.detail.parameters import UnseenSettings
from backend.detail.regions import SKIN_PARTS
from backend.detail.seam import SolidNoise, noise_in_space, seam_share, stretched_share
from backend.detail.synthesis import Patchwork, Sample, bring_to_unit_variance, good_places, patchwork, periodic_sample
from backend.imaging.arrays import (
    Array,
    as_float32,
    copied,
    filled_with,
    is_tensor,
    like,
    namespace,
    weighted_sum,
)
from backend.imaging.octaves import COARSEST_OCTAVE, finest_octave, join, levels, reduce_to, wavelength_mm
from backend.imaging.rows import (
    Enlarged,
    Rows,
    at_side,
    blurred_in_bands,
    filled_in_bands,
    in_bands,
    reduced_in_bands,
    two_steps,
)
from backend.imaging.rows import bands as bands_of
from backend.side_by_side import each
from backend.texture.fitted_skin import WORKING_RESOLUTION
from backend.texture.uv_space import UVSpace, coarser, coarser_mask

# Parts of the face whose skin serves as a sample; lids and lips are too small for patches.
SAMPLED = ("cheeks", "forehead", "beard", "nose")


@dataclass(frozen=True)
class Made:
    """Detail of the log luminance that the photo does not show.

    Args:
        fine: float32 [R, R], what the prior's maps cannot hold.
        coarse: float32 [R, R], what they could.
    """

    fine: Array
    coarse: Rows


@dataclass(frozen=True)
class Shown:
    """What there is of the detail before any is made.

    Args:
        bands: by octave, float32 [h, h]: of the log luminance of the albedo.
        seen: by octave, float32 [h, h], h at most S: share that comes from the photo.
        resolved: by octave, how far the photo is large enough to show it, median over the seen face, in [0, 1].
        skin: float32 [S, S], weight of plain skin that was seen, without spots: what may serve as a sample.
        parts: float32 [parts, S, S], `part_weights`.
    """

    bands: dict[int, Array]
    seen: dict[int, Array]
    resolved: dict[int, float]
    skin: Array
    parts: Array


def missing_detail(
    shown: Shown,
    contrast: np.ndarray,  # float64 [parts, OCTAVES], how strong the detail should be
    strength: float,
    uv_space: UVSpace,
    mean_vertices: np.ndarray,  # [V, 3], metres
    density: Array,  # float32 [S, S], texels per mm of R texels a side
    texels_per_mm: float,  # of R texels a side
    seed: int,
    settings: UnseenSettings = UnseenSettings(),
) -> Made:
    """Detail that brings every octave to its contrast where it is not seen."""
    xp, side = namespace(density), uv_space.resolution
    if strength <= 0:
        flat = filled_with(0, (side, side), density)
        return Made(flat, flat)
    gains = {
        octave: _deficit(octave, shown, contrast, strength, uv_space, texels_per_mm * band.shape[0] / side, settings)
        for octave, band in shown.bands.items()
    }
    needed = _needed(gains, uv_space)
    h = min(side, settings.seam.side)

    def solid() -> dict[int, SolidNoise]:
        share = xp.maximum(
            seam_share(uv_space, texels_per_mm * h / side, h, settings.seam),
            stretched_share(uv_space, mean_vertices, h, settings.seam),
        )
        return {
            octave: noise_in_space(
                reduce_to(share, band.shape[0]),
                coarser(uv_space, band.shape[0]),
                mean_vertices,
                wavelength_mm(octave, texels_per_mm, side),
                seed + octave,
            )
            for octave, band in shown.bands.items()
        }

    bands, noise = two_steps(
        lambda: _textures(shown, needed, density, texels_per_mm, np.random.default_rng(seed), settings), solid, density
    )
    for octave, gain in gains.items():
        band, h = bands[octave], shown.bands[octave].shape[0]
        weight = _needed_at(needed, h)
        bring_to_unit_variance(band, weight, texels_per_mm * h / side, settings.patches)
        noise.pop(octave).mix_into(band)

        def scale(rows: slice, band: Array = band, gain: Array = gain) -> None:
            # Patches of little variance would otherwise be blown up into single, huge grains.
            band[rows] = gain[rows] * xp.clip(band[rows], -4, 4)

        in_bands(scale, h, band)
    _bring_to_strength(bands, gains, needed)
    held = finest_octave(min(WORKING_RESOLUTION, side))
    coarse = join({o: b for o, b in bands.items() if o >= held})
    if min(bands) == held:
        return Made(xp.zeros_like(coarse), coarse)
    return Made(join({o: b if o < held else 0 * b for o, b in bands.items()}), Enlarged(coarse, side))


def _needed(gains: dict[int, Array], uv_space: UVSpace) -> Array:
    """Where detail is to be made, bool [R, R]."""
    side = uv_space.resolution
    needed, strong = copied(uv_space.mask), [at_side(gain, side) for gain in gains.values()]

    def of(rows: slice) -> None:
        needed[rows] &= reduce(namespace(needed).maximum, [gain[rows] for gain in strong]) > 1e-4

    in_bands(of, side, needed)
    return needed


def _needed_at(needed: Array, side: int) -> Array:
    """The share of each texel in which detail is to be made, float32 [side, side], of a bool image [R, R]."""
    return reduced_in_bands(lambda rows: as_float32(needed[rows]), len(needed), side, like=needed)


def _bring_to_strength(bands: dict[int, Array], gains: dict[int, Array], needed: Array) -> None:
    """Scale bands [h, h], in place, so that each octave of their sum has the strength of its gain, on the whole.

    The levels of a Laplacian pyramid overlap: what is put into one is found in part in its neighbours.
    """
    xp, factors = namespace(needed), {}
    for octave, found, _ in levels(join(bands)):
        h = len(found)
        where = _needed_at(needed, h) > 0.5
        wanted, had = (
            sum(float(xp.square(image[rows][where[rows]]).sum()) for rows in bands_of(h, image))
            for image in (gains[octave], found)
        )
        factors[octave] = np.clip(np.sqrt(wanted / had) if min(wanted, had) > 0 else 1.0, 0.7, 1.7)
    for octave, factor in factors.items():
        bands[octave] *= float(factor)


def _deficit(
    octave: int,
    shown: Shown,
    contrast: np.ndarray,
    strength: float,
    uv_space: UVSpace,
    texels_per_mm: float,
    settings: UnseenSettings,
) -> Array:
    """Standard deviation float32 [h, h] that is missing in an octave; 0 where it was seen."""
    xp, band = namespace(shown.skin), shown.bands[octave]
    h = band.shape[0]
    island = coarser_mask(uv_space, h)
    over = max(settings.contrast_over_mm * texels_per_mm, 2.0)
    target = at_side(weighted_sum(contrast[:, octave], shown.parts), h)
    seen = at_side(shown.seen[octave], h)
    held = octave >= finest_octave(min(WORKING_RESOLUTION, uv_space.resolution))
    share = strength * (settings.coarse_share if held else 1.0)

    def limited(rows: slice) -> Array:
        # A few strong edges (lips, lids) must not pass for detail of the skin around them.
        most = 3 * target[rows]
        return xp.square(xp.clip(band[rows], -most, most))

    present = blurred_in_bands(limited, lambda rows: island[rows], h, over, band)

    def missing(rows: slice) -> Array:
        lacking = xp.sqrt(xp.maximum(xp.square(target[rows]) - present[rows], 0))
        return lacking * xp.sqrt(1 - xp.square(seen[rows])) * island[rows] * share

    return filled_in_bands(missing, h, like=band)


def _textures(
    shown: Shown,
    needed: Array,
    density: Array,
    texels_per_mm: float,
    rng: np.random.Generator,
    settings: UnseenSettings,
) -> dict[int, Array]:
    """Bands by octave: of the person's skin continued where it is a sample of them, else of drawn skin."""
    side = needed.shape[0]
    numbers = [SKIN_PARTS.index(name) for name in SAMPLED]
    xp = namespace(needed)
    sort = xp.argmax(xp.stack([shown.parts[number] for number in numbers]), 0)
    tile_side = 1 << round(np.log2(max(settings.microrelief.tile_mm * texels_per_mm, 32)))
    tile = like(microrelief_tile(tile_side, rng, settings.microrelief), needed)
    made = patchwork(
        periodic_sample(tile, tile_side / settings.microrelief.tile_mm),
        needed,
        sort * 0,
        density,
        texels_per_mm,
        rng,
        settings.patches,
    )
    ways, resolved = dict.fromkeys(shown.bands, made), [o for o, r in shown.resolved.items() if r > settings.resolved]
    sample = _person_sample(shown, numbers, density, texels_per_mm, side, rng, settings) if resolved else None
    if sample is not None:
        continued = patchwork(sample, needed, sort, density, texels_per_mm, rng, settings.patches)
        ways |= dict.fromkeys(resolved, continued)
    painted = list({id(way): way for way in ways.values()}.values())

    def bands_of_way(way: Patchwork) -> dict[int, Array]:
        return {octave: band for octave, band, _ in levels(way.painted()) if ways[octave] is way}

    # Of large maps both at once would take more memory than anything else does.
    at_once = side < settings.patches.large_side and not is_tensor(needed)
    bands = each(bands_of_way, painted) if at_once else map(bands_of_way, painted)
    return {octave: band for part in bands for octave, band in sorted(part.items())}


def _person_sample(
    shown: Shown,
    numbers: list[int],
    density: Array,
    texels_per_mm: float,
    side: int,
    rng: np.random.Generator,
    settings: UnseenSettings,
) -> Sample | None:
    """Seen skin as a sample, at the size of the maps, places by `SAMPLED` part; None where there is none."""
    scale = shown.skin.shape[0] / side
    reach = 0.5 * (settings.patches.patch_mm + settings.patches.overlap_mm) * texels_per_mm * scale
    places = []
    for number in numbers:
        allowed = (shown.skin > 0.7) & (shown.parts[number] > 0.3)
        # Corners of a patch may reach a little over the part's border, where it fades out anyway.
        found = good_places(allowed, reach * 0.9 * settings.patches.scale_limit**0.5, rng)
        places.append(np.round((found + 0.5) / scale - 0.5).astype(int))
    if not any(len(found) for found in places):
        return None
    image = join({o: b for o, b in shown.bands.items() if o <= COARSEST_OCTAVE})
    return Sample(image, reduce_to(density, side), tuple(places))
