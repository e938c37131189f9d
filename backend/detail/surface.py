"""Normals, gloss, displacement and roughness of the fine relief."""

from __future__ import annotations

import numpy as np

from backend.detail.parameters import ReliefSettings
from backend.imaging.arrays import Array, empty, filled_with, namespace
from backend.imaging.channels import norm, squared
from backend.imaging.filters import gaussian_blur, smooth_step
from backend.imaging.octaves import join, split, wavelength_mm
from backend.imaging.rows import Enlarged, Rows, at_side, filled_in_bands, in_bands
from backend.rendering.skin_model import SKIN
from backend.texture.regions import FaceRegions
from backend.texture.uv_space import SurfaceGradient


def fine_height(
    relief: Array,
    crease: Array,
    texels_per_mm: float,
    coarsest: int,
    settings: ReliefSettings = ReliefSettings(),
) -> Array:
    """Height float32 [R, R] in mm of fine detail of the log luminance [R, R] that is relief: darker lies deeper.

    `crease` float32 [S, S] in [0, 1] is 1 where the detail's lines are creases, which are relief at every size.
    """
    xp, side, limit = namespace(relief), relief.shape[0], SKIN.relief.density_limit
    limited = filled_in_bands(lambda rows: limit * xp.tanh(relief[rows] / limit), side, like=relief)
    bands, _ = split(limited, coarsest)
    del limited
    for octave, band in bands.items():
        wave = wavelength_mm(octave, texels_per_mm, side)
        depth, creased = settings.depth_per_wave * wave, at_side(crease, band.shape[0])

        def scale(
            rows: slice, band: Array = band, wave: float = wave, depth: float = depth, creased: Rows = creased
        ) -> None:
            band[rows] *= depth * relief_share(wave, creased[rows], settings)

        in_bands(scale, band.shape[0], relief)
    return join(bands)


def relief_share(wavelength: float, crease: Array, settings: ReliefSettings = ReliefSettings()) -> Array:
    """How much of the variation at a wavelength, mm, is relief, float32 as `crease`: of broad, even grain little, of
    creases all."""
    grain = float(np.float32(1 / (1 + (wavelength / settings.grain_mm) ** 2)))
    return grain + (1 - grain) * crease


def relief_normals(
    height: Array, gradient: SurfaceGradient, base: Rows | None, settings: ReliefSettings = ReliefSettings()
) -> Array:
    """Unit tangent-space normals float32 [R, R, 3], +Y up, of a height [R, R] in mm over a surface, or over broader
    normals [R, R, 3] of it."""

    def of(rows: slice) -> Array:
        fine = normals_of_slopes(*gradient.slopes(height, rows), settings=settings)
        return fine if base is None else laid_over(base[rows], fine)

    return filled_in_bands(of, len(height), 3, height)


def less_in_cavities(specular: Rows, depth: Rows, side: int, like: Array = None) -> Array:
    """Specular albedo float32 [R, R] that is less where the relief lies deep, by `cavities` [R, R] in mm."""

    def of(rows: slice) -> Array:
        left = specular[rows] * (1 - SKIN.relief.gloss_loss_per_mm * depth[rows])
        return namespace(left).clip(left, SKIN.specular.lowest, SKIN.specular.highest)

    return filled_in_bands(of, side, like=like)


def normals_of_slopes(along: Array, up: Array, settings: ReliefSettings = ReliefSettings()) -> Array:
    """Unit tangent-space normals float32 [R, R, 3], +Y up, of slopes along the tangent and the bitangent."""
    # Steeper than any photo can tell is noise.
    xp = namespace(along)
    limit = settings.steepest / xp.sqrt(settings.steepest**2 + xp.square(along) + xp.square(up))
    normal = empty((*along.shape, 3), along)
    normal[..., 0], normal[..., 1], normal[..., 2] = -along * limit, -up * limit, 1
    normal /= xp.sqrt(squared(normal))[..., None]
    return normal


def laid_over(base: Array, fine: Array) -> Array:
    """Unit normals float32 [R, R, 3] of fine relief on a broader one, both [R, R, 3]: their slopes add.

    Source: Barré-Brisebois and Hill, "Blending in detail", 2012, partial derivatives.
    """
    normal = empty(fine.shape, fine)
    normal[..., :2] = base[..., :2] * fine[..., 2:] + fine[..., :2] * base[..., 2:]
    normal[..., 2] = base[..., 2] * fine[..., 2]
    return normal / norm(normal)


def roughness(regions: FaceRegions, depth: Rows, side: int) -> Array:
    """Perceptual roughness float32 [R, R] in [0, 1]: by region, rougher in cavities. Plausible, not measured.

    Args:
        regions: parts of the face, on any number of texels up to R: the roughness of parts has soft borders.
        depth: `cavities`, float32 [R, R], mm.
        side: R.
    """
    xp, values = namespace(regions.face), filled_with(SKIN.gloss.plain, regions.face.shape, regions.face)
    for name, level in SKIN.gloss.regions:
        values += smooth_step(getattr(regions, name), 0, 1) * (level - values)
    plain = Enlarged(gaussian_blur(values, max(2 * regions.texels_per_mm, 0.5)), side)

    def of(rows: slice) -> Array:
        return xp.clip(plain[rows] + SKIN.gloss.rougher_per_mm * depth[rows], 0.2, 0.9)

    return filled_in_bands(of, side, like=values)
