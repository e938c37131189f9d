"""The quality `draft`: the coarse linear prior completes all maps, the photo's own detail is kept."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.delight.delighting import (
    WORKING_RESOLUTION,
    Delit,
    delit,
    reduced,
    usual_tone,
)
from backend.delight.residual_shading import without_left_light
from backend.delight.robust import robust_tone
from backend.detail.stage import add_detail
from backend.imaging.filters import masked_blur, smooth_step
from backend.prior.classical.fill import complete_field
from backend.prior.interface import PriorContext, WorkingMaps
from backend.prior.linear.estimate import coarse_estimate
from backend.prior.linear.factor_model import DIFFUSE, SPECULAR, TEXTURE, CoarsePrior
from backend.prior.nostrils import nostrils, with_dark_nostrils
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions, plain_skin
from backend.texture.uv_space import UVSpace, coarser

# Of what is mirrored, detail finer than this is kept by that share.
BROAD_MM, MIRRORED_DETAIL = 1.2, 0.4
WELL_SEEN = 0.4  # trust from which all of the photo's detail tells of the relief
# Of the expectation beyond the face, variation within this distance counts from so much log contrast on.
RING_MM, RINGS, SHAPES = 5.0, 0.03, 0.08


@dataclass(frozen=True)
class CoarseCompletion:
    """What the coarse prior makes of a photo.

    Args:
        working: all maps at the working size, joined to what was seen; nostrils are skin.
        shaded: what the photo shows, with and without its light.
        gain: float32 [3], log gain of `shaded.log_albedo` against the albedo.
        uv_space: texels of the working size.
        regions: parts of the face there.
        vertices: float32 [V, 3], the neutral head, metres.
        nostrils: float32 [B, B], 1 within nostrils.
    """

    working: WorkingMaps
    shaded: Delit
    gain: np.ndarray
    uv_space: UVSpace
    regions: FaceRegions
    vertices: np.ndarray
    nostrils: np.ndarray


@dataclass(frozen=True)
class Joined:
    """An expectation joined to what was seen.

    Args:
        colour: float32 [B, B, 3], log colour, with a part of the mirrored fine detail: pores and moles of both sides
            are not the same.
        relief: the same to read relief from, with all of the detail that was half seen.
    """

    colour: np.ndarray
    relief: np.ndarray


class DraftPrior:
    """Conditional mean of the joint Gaussian, joined to what was seen in the gradient domain (issue 3, item 3)."""

    def __init__(self, coarse: CoarsePrior) -> None:
        self.coarse = coarse

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        """See `backend.prior.interface.Prior.complete`."""
        completion = coarse_completion(self.coarse, partial, context, progress.part(0.0, 0.6))
        progress.report("detail", 0.6)
        working = with_dark_nostrils(completion.working, completion.nostrils, completion.regions)
        maps = add_detail(working, partial, context.place, seed, context.detail)
        progress.report("detail", 1.0)
        return maps


def coarse_completion(
    coarse: CoarsePrior, partial: PartialTexture, context: PriorContext, progress: Progress
) -> CoarseCompletion:
    """All maps at the working size; see `backend.prior.interface.Prior.complete` for arguments and errors."""
    small = coarser(context.uv_space, min(WORKING_RESOLUTION, context.uv_space.resolution))
    regions = face_regions(context.model, small)
    seen = reduced(partial, small.resolution, regions)
    progress.report("light", 0.0)
    shaded = delit(seen, context, small, regions)
    progress.report("prior", 0.5)
    estimate = coarse_estimate(coarse, shaded, usual_tone(shaded, context))
    expected = estimate.maps(small.resolution)
    for colour in (DIFFUSE, TEXTURE):
        expected[..., colour] = without_rings(expected[..., colour], regions, small.mask)
    gain = estimate.gain.astype(np.float32)
    vertices = context.fit.neutral_vertices(context.model)
    inside = nostrils(context.transfer, small, regions)
    place = (small, vertices, regions)
    albedo = joined(shaded.log_albedo - gain, expected[..., DIFFUSE], shaded.weight, *place)
    log_albedo = without_left_light(albedo.colour, expected[..., DIFFUSE], shaded.weight, inside, small.mask, regions)
    log_texture = joined(shaded.log_seen, expected[..., TEXTURE], shaded.weight, *place).colour
    specular = np.ascontiguousarray(expected[..., SPECULAR.start])
    working = WorkingMaps(
        log_texture, log_albedo, specular, shaded.log_seen, albedo.relief, shaded.weight, shaded.shine
    )
    return CoarseCompletion(working, shaded, gain, small, regions, vertices, inside)


def without_rings(expected: np.ndarray, regions: FaceRegions, island: np.ndarray) -> np.ndarray:
    """Expected log colour float32 [B, B, 3] without the faint rings around the face.

    They are where the training's photos ended, and the waves of the cosines. What is stronger, as in the ears, stays.
    """
    inside = island.astype(np.float32)
    smooth = masked_blur(expected, inside, RING_MM * regions.texels_per_mm)
    fine = expected - smooth
    contrast = masked_blur(np.abs(fine).max(-1), inside, 2 * RING_MM * regions.texels_per_mm)
    kept = np.maximum(smooth_step(contrast, RINGS, SHAPES), smooth_step(regions.face, 0.0, 1.0))
    calm = (smooth + kept[..., None] * fine).astype(np.float32)
    return np.where(island[..., None], calm, expected)


def joined(
    values: np.ndarray,  # float32 [B, B, 3], log values where seen
    expected: np.ndarray,  # float32 [B, B, 3], the prior's
    weight: np.ndarray,  # float32 [B, B], 1 = seen
    uv_space: UVSpace,
    vertices: np.ndarray,  # [V, 3], metres
    regions: FaceRegions,
) -> Joined:
    """The expectation, joined to what was seen in the gradient domain.

    What the prior does not hold of this person is kept where seen, mirrored where the other side was, and elsewhere
    becomes the person's usual difference, so that the skin is of one tone all over.
    """
    difference = (values - expected) * (weight > 0)[..., None]
    usual, _ = robust_tone(difference, weight * plain_skin(regions))
    own = complete_field(difference, weight, usual, uv_space, vertices, regions.texels_per_mm)
    broad = masked_blur(own, uv_space.mask.astype(np.float32), BROAD_MM * regions.texels_per_mm)
    fine, trust = own - broad, smooth_step(weight, 0, WELL_SEEN)
    in_colour, in_relief = (np.maximum(share, MIRRORED_DETAIL)[..., None] for share in (weight, trust))
    return Joined(expected + broad + fine * in_colour, expected + broad + fine * in_relief)
