"""Detail that the photo does not show: continued from the person's seen skin, or made by the statistics of skin."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.detail.microrelief import microrelief_tile
from backend.detail.parameters import UnseenSettings
from backend.detail.regions import SKIN_PARTS
from backend.detail.seam import SolidNoise, noise_in_space, seam_share, stretched_share
from backend.detail.synthesis import (
    Sample,
    good_places,
    patchwork,
    periodic_sample,
    unit_variance,
)
from backend.imaging.filters import enlarge, masked_blur
from backend.imaging.octaves import COARSEST_OCTAVE, finest_octave, join, reduce_to, split, wavelength_mm
from backend.side_by_side import each, side_by_side
from backend.texture.fitted_skin import WORKING_RESOLUTION
from backend.texture.uv_space import UVSpace, coarser

# Parts of the face whose skin serves as a sample; lids and lips are too small for patches.
SAMPLED = ("cheeks", "forehead", "beard", "nose")


@dataclass(frozen=True)
class Made:
    """Detail of the log luminance that the photo does not show, float32 [R, R] each: `fine` is what the prior's maps
    cannot hold, `coarse` what they could."""

    fine: np.ndarray
    coarse: np.ndarray


@dataclass(frozen=True)
class Shown:
    """What there is of the detail before any is made.

    Args:
        bands: by octave, float32 [h, h]: of the log luminance of the albedo.
        seen: by octave, float32 [h, h]: share that comes from the photo.
        resolved: by octave, how far the photo is large enough to show it, median over the seen face, in [0, 1].
        skin: float32 [S, S], weight of plain skin that was seen, without spots: what may serve as a sample.
        parts: float32 [parts, S, S], `part_weights`.
    """

    bands: dict[int, np.ndarray]
    seen: dict[int, np.ndarray]
    resolved: dict[int, float]
    skin: np.ndarray
    parts: np.ndarray


def missing_detail(
    shown: Shown,
    contrast: np.ndarray,  # float64 [parts, OCTAVES], how strong the detail should be
    strength: float,
    uv_space: UVSpace,
    mean_vertices: np.ndarray,  # [V, 3], metres
    density: np.ndarray,  # float32 [S, S], texels per mm of R texels a side
    texels_per_mm: float,  # of R texels a side
    seed: int,
    settings: UnseenSettings = UnseenSettings(),
) -> Made:
    """Detail that brings every octave to its contrast where it is not seen."""
    side = uv_space.resolution
    flat = np.zeros((side, side), np.float32)
    if strength <= 0:
        return Made(flat, flat)
    gains = {
        octave: strength * _deficit(octave, shown, contrast, uv_space, texels_per_mm * band.shape[0] / side, settings)
        for octave, band in shown.bands.items()
    }
    needed = uv_space.mask & (np.maximum.reduce([reduce_to(g, side) for g in gains.values()]) > 1e-4)
    h = min(side, 1024)

    def solid() -> dict[int, SolidNoise]:
        share = np.maximum(
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

    textures, noise = side_by_side(
        lambda: _textures(shown, needed, density, texels_per_mm, np.random.default_rng(seed), settings), solid
    )
    wanted = {}
    for octave, gain in gains.items():
        h = gain.shape[0]
        scale = texels_per_mm * h / side
        sampled = "continued" in textures and shown.resolved[octave] > settings.resolved
        band = unit_variance(
            textures["continued" if sampled else "made"][octave],
            reduce_to(needed.astype(np.float32), h),
            scale,
            settings.patches,
        )
        band = noise[octave].mixed_into(band)
        # Patches of little variance would otherwise be blown up into single, huge grains.
        wanted[octave] = gain * np.clip(band, -4, 4)
    wanted = _of_strength(wanted, gains, needed)
    held = finest_octave(min(WORKING_RESOLUTION, side))
    fine = join({o: b if o < held else 0 * b for o, b in wanted.items()}) if min(wanted) < held else flat
    coarse = join({o: b for o, b in wanted.items() if o >= held})
    return Made(fine, enlarge(coarse, side))


def _of_strength(
    bands: dict[int, np.ndarray], gains: dict[int, np.ndarray], needed: np.ndarray
) -> dict[int, np.ndarray]:
    """Bands [h, h] scaled so that each octave of their sum has the strength of its gain, on the whole.

    The levels of a Laplacian pyramid overlap: what is put into one is found in part in its neighbours.
    """
    found, _ = split(join(bands))
    result = {}
    for octave, band in bands.items():
        where = reduce_to(needed.astype(np.float32), band.shape[0]) > 0.5
        strength = float(np.square(gains[octave][where]).sum()), float(np.square(found[octave][where]).sum())
        factor = np.sqrt(strength[0] / strength[1]) if min(strength) > 0 else 1.0
        result[octave] = band * np.float32(np.clip(factor, 0.7, 1.7))
    return result


def _deficit(
    octave: int, shown: Shown, contrast: np.ndarray, uv_space: UVSpace, texels_per_mm: float, settings: UnseenSettings
) -> np.ndarray:
    """Standard deviation float32 [h, h] that is missing in an octave; 0 where it was seen."""
    band, seen = shown.bands[octave], shown.seen[octave]
    h = band.shape[0]
    island = coarser(uv_space, h).mask.astype(np.float32)
    over = max(settings.contrast_over_mm * texels_per_mm, 2.0)
    target = sum(float(c) * reduce_to(part, h) for c, part in zip(contrast[:, octave], shown.parts, strict=True))
    # A few strong edges (lips, lids) must not pass for detail of the skin around them.
    limited = np.clip(band, -3 * target, 3 * target)
    present = masked_blur(np.square(limited), island, over)
    missing = np.sqrt(np.maximum(np.square(target) - present, 0)) * np.sqrt(1 - np.square(seen)) * island
    held = octave >= finest_octave(min(WORKING_RESOLUTION, uv_space.resolution))
    return (missing * (settings.coarse_share if held else 1.0)).astype(np.float32)


def _textures(
    shown: Shown,
    needed: np.ndarray,
    density: np.ndarray,
    texels_per_mm: float,
    rng: np.random.Generator,
    settings: UnseenSettings,
) -> dict[str, dict[int, np.ndarray]]:
    """Bands by octave of the person's skin continued, where there is a sample of it, and of drawn skin."""
    side = needed.shape[0]
    numbers = [SKIN_PARTS.index(name) for name in SAMPLED]
    sort = np.argmax(shown.parts[numbers], axis=0)
    tile_side = 1 << round(np.log2(max(settings.microrelief.tile_mm * texels_per_mm, 32)))
    tile = microrelief_tile(tile_side, rng, settings.microrelief)
    made = patchwork(
        periodic_sample(tile, tile_side / settings.microrelief.tile_mm),
        needed,
        sort * 0,
        density,
        texels_per_mm,
        rng,
        settings.patches,
    )
    textures = {"made": made}
    sample = _person_sample(shown, numbers, density, texels_per_mm, side, rng, settings)
    if any(len(places) for places in sample.places):
        textures["continued"] = patchwork(sample, needed, sort, density, texels_per_mm, rng, settings.patches)
    bands = each(lambda texture: split(texture.painted())[0], textures.values())
    return dict(zip(textures, bands, strict=True))


def _person_sample(
    shown: Shown,
    numbers: list[int],
    density: np.ndarray,
    texels_per_mm: float,
    side: int,
    rng: np.random.Generator,
    settings: UnseenSettings,
) -> Sample:
    """Seen skin as a sample, at the size of the maps; places by `SAMPLED` part."""
    image = join({o: b for o, b in shown.bands.items() if o <= COARSEST_OCTAVE})
    scale = shown.skin.shape[0] / side
    reach = 0.5 * (settings.patches.patch_mm + settings.patches.overlap_mm) * texels_per_mm * scale
    places = []
    for number in numbers:
        allowed = (shown.skin > 0.7) & (shown.parts[number] > 0.3)
        # Corners of a patch may reach a little over the part's border, where it fades out anyway.
        found = good_places(allowed, reach * 0.9 * settings.patches.scale_limit**0.5, rng)
        places.append(np.round((found + 0.5) / scale - 0.5).astype(int))
    return Sample(image, reduce_to(density, side), tuple(places))
