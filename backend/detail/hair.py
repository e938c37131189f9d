"""Hair of brows and beard in the photo's detail: it is colour, never relief.

Hair is told from the skin that it grows on by how much the detail varies. Skin between a person's hairs varies as their
bare skin does; what varies more, where hair grows, is hair. Dots of stubble, long strands and grey hair are told alike,
place by place, and a jaw that is partly shaven is both.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.detail.parameters import HairSettings
from backend.imaging.arrays import Array, as_float32, count, median, namespace
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR, luminance
from backend.imaging.filters import grown, masked_blur, smooth_step
from backend.imaging.octaves import finest_octave, join, reduce_to, split
from backend.imaging.rows import Computed, Enlarged, Rows, reduced_in_bands
from backend.rendering.skin_model import SKIN
from backend.texture.regions import FaceRegions, plain_skin


@dataclass(frozen=True)
class Hair:
    """Where hair of brows and beard grows, float32 [S, S] in [0, 1] each.

    Args:
        share: of the detail's variance that is hair and not skin.
        covered: how surely hair grows there: all of the detail is then colour.
    """

    share: Array
    covered: Array


def grown_hair(
    log_luminance: Array,  # float32 [R, R], of the albedo with its fine detail
    weight: Array,  # float32 [R, R], 1 where it is skin that was seen
    shine: Array,  # float32 [R, R], share of the light there that is specular: its detail is no hair
    folds: Array,  # float32 [r, r], see `backend.detail.separation.creases`
    regions: FaceRegions,  # on any number of texels
    texels_per_mm: float,  # of R texels a side
    settings: HairSettings = HairSettings(),
) -> Hair:
    """The hair of brows and beard, S = R but at most `side`; a beard that was not seen is like that which was.

    The skin's part of a sum of skin and hair whose variances are known is, by least squares, its share of the variance
    (Wiener, "Extrapolation, interpolation, and smoothing of stationary time series", 1949).
    """
    xp, side = namespace(weight), min(log_luminance.shape[0], settings.side)
    scale = texels_per_mm * side / log_luminance.shape[0]
    seen = reduce_to(weight, side)
    clear = as_float32((seen * (1 - reduce_to(shine, side))) > 0.5)
    brows, around, beard = _places(regions, side, scale, settings)
    bare = (reduce_to(plain_skin(regions), side) > 0.9) & (reduce_to(regions.beard, side) < 0.05) & (clear > 0)
    if not settings.grown or count(bare) < settings.fewest_texels:
        return Hair(brows, brows)
    bands, _ = split(reduce_to(log_luminance, side), max(settings.coarsest_octave, finest_octave(side)))
    # A fold among hairs is none of them; strands beside a brow are lines as well.
    bare_of_folds = 1 - xp.clip(reduce_to(folds, side), 0, 1) * (1 - around)
    variance = masked_blur(xp.square(join(bands)), as_float32(clear * bare_of_folds), settings.grown_over_mm * scale)
    skin = settings.bare_varies**2 * median(variance[bare])
    share = xp.clip(1 - skin / xp.maximum(variance, 1e-8), 0, 1)
    on_beard = (beard > 0.9) & (clear > 0)
    usual = median(share[on_beard]) if count(on_beard) >= settings.fewest_texels else 0.0
    seen = seen > 0.5
    grows = xp.maximum(around, beard) * bare_of_folds
    # Among the hairs of a brow the skin between them is not told apart.
    return Hair(
        *(
            as_float32(xp.maximum(brows, xp.where(seen, grows * here, beard * there)))
            for here, there in (
                (share, usual),
                (smooth_step(share, *settings.covered), float(smooth_step(usual, *settings.covered))),
            )
        )
    )


def _places(
    regions: FaceRegions, side: int, texels_per_mm: float, settings: HairSettings
) -> tuple[Array, Array, Array]:
    """Where hair of brows grows, where it may stand around them, and where that of beards may grow; [side, side].

    The hair of a moustache hangs over the lips' border.
    """
    brows, lips = reduce_to(regions.brows, side), reduce_to(regions.lips, side)
    reach = max(1, round(settings.around_brows_mm * texels_per_mm))
    around = grown(brows, reach) * (1 - reduce_to(regions.eyes, side))
    return brows**2, around, reduce_to(regions.beard, side) * (1 - lips**4)


def without_surface_light(
    albedo: Array,  # float32 [R, R, 3], linear
    hair: Hair,
    regions: FaceRegions,  # B x B
    skin_albedo: np.ndarray,  # float64 [3], linear, of plain skin
    settings: HairSettings = HairSettings(),
) -> Rows:
    """The albedo [R, R, 3] of brows without the light that their surface reflects, as that of skin is.

    Dark hair and skin reflect the same few hundredths at their surface, which a renderer adds again. The split of light
    and skin is a gain that takes them off the skin; a darker thing keeps them by as much as it is darker.
    In beards it is left: there the dark may also be folds.
    """
    side, small = albedo.shape[0], regions.face.shape[0]
    xp = namespace(albedo)
    reduced = reduced_in_bands(lambda rows: luminance(albedo[rows]), side, small, like=albedo)
    covered = reduce_to(hair.covered, small)
    bare = regions.face * (1 - regions.eyes) * (1 - regions.lips) * (1 - covered)
    around = xp.ones_like(bare), settings.skin_around_mm * regions.texels_per_mm
    doubt, usual = np.float32(settings.fewest_around), np.float32(skin_albedo @ LUMINANCE)
    near, expected = masked_blur(bare, *around) + float(doubt), float(doubt * usual)
    skin = Enlarged((masked_blur(bare * reduced, *around) + expected) / near, side)
    hairy = Enlarged(covered * (1 - regions.beard), side, (0, 1))

    def of(rows: slice) -> Array:
        light = luminance(albedo[rows])
        darker = 1 - xp.minimum(light / skin[rows], 1)
        of_surface = SKIN.surface.of_skin * hairy[rows] * darker
        # Of all channels alike, and softly where little is left: what they hold of so dark a thing is noise.
        return albedo[rows] / (1 + of_surface / xp.maximum(light, SMALLEST_LINEAR))[..., None]

    return Computed(of)
