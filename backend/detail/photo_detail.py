"""The photo's fine detail, parted into gloss, hair, spots and the skin's own."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.marks import spots
from backend.detail.hair import Hair, grown_hair
from backend.detail.parameters import DetailParameters
from backend.detail.seen import fine_detail
from backend.detail.separation import matte_share
from backend.imaging.arrays import Array, empty, filled_with, to_host
from backend.imaging.colour import LUMINANCE, luminance
from backend.imaging.filters import smooth_step
from backend.imaging.octaves import split
from backend.imaging.rows import Computed, Enlarged, Rows, filled_in_bands, in_bands, reduced_in_bands
from backend.prior.interface import CompletedMaps


@dataclass(frozen=True)
class PhotoDetail:
    """What the photo shows that maps of the working size cannot hold, and what it is.

    Args:
        side: R, texels a side.
        detail: float32 [R, R, 3], log colour, 0 where nothing was seen.
        matte: float32 [R, R], share of it that is no gloss.
        hair: hair of brows and beard.
        spot: [R, R] in [0, 1], moles and freckles.
        weight: [R, R] in [0, 1], 1 where it is skin that was seen.
        strength: [R, R] in [0, 1], share of the detail that is taken from the photo.
        bands: by octave, float32 [h, h]: of the log luminance of the albedo with its detail.
    """

    side: int
    detail: Array
    matte: Array
    hair: Hair
    spot: Enlarged
    weight: Enlarged
    strength: Rows
    bands: dict[int, Array]

    @property
    def covered(self) -> Enlarged:
        """Where hair surely grows, [R, R] in [0, 1]."""
        return Enlarged(self.hair.covered, self.side, (0, 1))


def photo_detail(
    grown: CompletedMaps, delit: DelightedTexture, crease: Array, parameters: DetailParameters
) -> PhotoDetail:
    """The detail of the photo.

    Args:
        grown: completed maps, B x B, continued over everything outside the island.
        delit: what was seen, R x R.
        crease: float32 [r, r], see `backend.detail.separation.creases`.
        parameters: of the detail stage.
    """
    side = delit.skin.uv_space.resolution
    scale = delit.skin.regions.texels_per_mm * side / grown.side
    weight = Enlarged(delit.weight, side, (0, 1))
    shine = Enlarged(smooth_step(delit.shine, *parameters.seen.shine), side, (0, 1))
    strength = Computed(lambda rows: smooth_step(weight[rows], *parameters.seen.trusted))
    # The reduction is of the texture before completion; outside of what was seen it must not ring.
    reduced = grown.log_texture + delit.weight[..., None] * (delit.log_seen + delit.log_marks - grown.log_texture)
    own = fine_detail(delit.partial, reduced, strength)
    if parameters.relief.gloss and bool(own.any()):
        matte = matte_share(own, Enlarged(grown.log_texture, side), shine, scale)
    else:
        matte = filled_with(1, (side, side), own)

    albedo = Enlarged(luminance(grown.log_albedo), side)
    h = min(side, parameters.hair.side)
    seen, shiny = (
        reduced_in_bands(lambda rows, image=image: image[rows], side, h, like=own) for image in (weight, shine)
    )
    lit = reduced_in_bands(lambda rows: albedo[rows] + luminance(own[rows]), side, h, like=own)
    hair = grown_hair(lit, seen, shiny, crease, delit.skin.regions, scale * h / side, parameters.hair)
    covered, lit = Enlarged(hair.covered, side, (0, 1)), empty((side, side), own)

    def take_off_gloss(rows: slice) -> None:
        # Fair hair passes for gloss by its colour.
        matte[rows] += covered[rows] * (1 - shine[rows]) * (1 - matte[rows])
        lit[rows] = albedo[rows] + luminance(own[rows]) * matte[rows]

    in_bands(take_off_gloss, side, own)
    n = min(side, parameters.spots.side)
    spot = filled_with(0, (n, n), own)
    if parameters.relief.spots:
        small, seen = (
            reduced_in_bands(lambda rows, image=image: image[rows], side, n, like=own) for image in (lit, weight)
        )
        spot = spots(small, seen, scale * n / side, parameters.spots)
    found = Enlarged(spot, side, (0, 1), cv2.INTER_LINEAR)
    return PhotoDetail(side, own, matte, hair, found, weight, strength, split(lit)[0])


def made_colour(photo: PhotoDetail) -> np.ndarray:
    """How detail of the luminance looks in red, green and blue, float32 [3], by the photo's own detail."""
    some = slice(None, None, 4)
    weight = filled_in_bands(lambda rows: photo.weight[rows], photo.side, like=photo.detail)[some, some]
    picked = (photo.detail[some, some] * photo.matte[some, some, None])[weight > 0.9]
    usual = np.array([0.8, 1.04, 1.18])  # absorbed by melanin and blood, and lit by light that went through skin
    light = luminance(picked)
    energy = float(light @ light)
    if len(picked) < 200 or energy < 1e-4 * len(picked):
        return usual.astype(np.float32)
    slope = np.clip(to_host(picked.T @ light) / energy, 0.5, 1.6)
    return (slope / float(slope @ LUMINANCE)).astype(np.float32)
