"""Normals, gloss, displacement and roughness of the fine relief."""

from __future__ import annotations

import cv2
import numpy as np

from backend.detail.parameters import ReliefSettings
from backend.imaging.filters import smooth_step
from backend.imaging.octaves import join, split, wavelength_mm
from backend.imaging.rows import Enlarged, Rows, at_side, filled_in_bands, in_bands
from backend.rendering.skin_model import SKIN
from backend.texture.regions import FaceRegions
from backend.texture.uv_space import SurfaceGradient


def fine_height(
    relief: np.ndarray,
    crease: np.ndarray,
    texels_per_mm: float,
    coarsest: int,
    settings: ReliefSettings = ReliefSettings(),
) -> np.ndarray:
    """Height float32 [R, R] in mm of fine detail of the log luminance [R, R] that is relief: darker lies deeper.

    `crease` float32 [S, S] in [0, 1] is 1 where the detail's lines are creases, which are relief at every size.
    """
    side, limit = relief.shape[0], SKIN.relief.density_limit
    bands, _ = split(filled_in_bands(lambda rows: limit * np.tanh(relief[rows] / limit), side), coarsest)
    for octave, band in bands.items():
        wave = wavelength_mm(octave, texels_per_mm, side)
        depth, creased = np.float32(settings.depth_per_wave * wave), at_side(crease, band.shape[0])

        def scale(
            rows: slice, band: np.ndarray = band, wave: float = wave, depth: np.float32 = depth, creased: Rows = creased
        ) -> None:
            band[rows] *= depth * relief_share(wave, creased[rows], settings)

        in_bands(scale, band.shape[0])
    return join(bands)


def relief_share(wavelength: float, crease: np.ndarray, settings: ReliefSettings = ReliefSettings()) -> np.ndarray:
    """How much of the variation at a wavelength, mm, is relief, float32 as `crease`: of broad, even grain little, of
    creases all."""
    grain = np.float32(1 / (1 + (wavelength / settings.grain_mm) ** 2))
    return grain + (1 - grain) * crease


def relief_normals(
    height: np.ndarray, gradient: SurfaceGradient, base: Rows | None, settings: ReliefSettings = ReliefSettings()
) -> np.ndarray:
    """Unit tangent-space normals float32 [R, R, 3], +Y up, of a height [R, R] in mm over a surface, or over broader
    normals [R, R, 3] of it."""

    def of(rows: slice) -> np.ndarray:
        fine = normals_of_slopes(*gradient.slopes(height, rows), settings=settings)
        return fine if base is None else laid_over(base[rows], fine)

    return filled_in_bands(of, len(height), 3)


def less_in_cavities(specular: Rows, depth: Rows, side: int) -> np.ndarray:
    """Specular albedo float32 [R, R] that is less where the relief lies deep, by `cavities` [R, R] in mm."""

    def of(rows: slice) -> np.ndarray:
        lost = SKIN.relief.gloss_loss_per_mm * depth[rows]
        return np.clip(specular[rows] * (1 - lost), SKIN.specular.lowest, SKIN.specular.highest)

    return filled_in_bands(of, side)


def normals_of_slopes(along: np.ndarray, up: np.ndarray, settings: ReliefSettings = ReliefSettings()) -> np.ndarray:
    """Unit tangent-space normals float32 [R, R, 3], +Y up, of slopes along the tangent and the bitangent."""
    # Steeper than any photo can tell is noise.
    limit = settings.steepest / np.sqrt(settings.steepest**2 + np.square(along) + np.square(up))
    normal = np.empty((*along.shape, 3), np.float32)
    normal[..., 0], normal[..., 1], normal[..., 2] = -along * limit, -up * limit, 1
    normal /= np.sqrt(np.einsum("hwk,hwk->hw", normal, normal))[..., None]
    return normal


def laid_over(base: np.ndarray, fine: np.ndarray) -> np.ndarray:
    """Unit normals float32 [R, R, 3] of fine relief on a broader one, both [R, R, 3]: their slopes add.

    Source: Barré-Brisebois and Hill, "Blending in detail", 2012, partial derivatives.
    """
    normal = np.empty_like(fine)
    normal[..., :2] = base[..., :2] * fine[..., 2:] + fine[..., :2] * base[..., 2:]
    normal[..., 2] = base[..., 2] * fine[..., 2]
    return normal / np.linalg.norm(normal, axis=-1, keepdims=True)


def roughness(regions: FaceRegions, depth: Rows, side: int) -> np.ndarray:
    """Perceptual roughness float32 [R, R] in [0, 1]: by region, rougher in cavities. Plausible, not measured.

    Args:
        regions: parts of the face, on any number of texels up to R: the roughness of parts has soft borders.
        depth: `cavities`, float32 [R, R], mm.
        side: R.
    """
    values = np.full(regions.face.shape, SKIN.gloss.plain, np.float32)
    for name, level in SKIN.gloss.regions:
        values += smooth_step(getattr(regions, name), 0, 1) * (np.float32(level) - values)
    plain = Enlarged(cv2.GaussianBlur(values, (0, 0), max(2 * regions.texels_per_mm, 0.5)), side)
    return filled_in_bands(lambda rows: np.clip(plain[rows] + SKIN.gloss.rougher_per_mm * depth[rows], 0.2, 0.9), side)
