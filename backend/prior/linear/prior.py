"""The quality `draft`: the coarse linear prior completes all maps, the photo's own detail is kept.

One of the completions is the likeliest, the conditional mean; all others are drawn from the posterior of the factors.
The noise that the factors leave is not drawn: it is of single texels, and the detail stage makes what is fine.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.local_light import without_local_light
from backend.delight.residual_shading import without_left_light
from backend.delight.robust import border_distance, robust_tone
from backend.imaging.arrays import Array, as_float32, contiguous, like, namespace
from backend.imaging.channels import channel, largest
from backend.imaging.filters import masked_blur, smooth_step
from backend.imaging.rows import two_steps
from backend.prior.channels import LINEAR
from backend.prior.classical.fill import complete_field
from backend.prior.interface import CompletedMaps, GuidanceTerm
from backend.prior.linear.estimate import CoarseEstimate, coarse_estimate
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.nostrils import nostrils, with_dark_nostrils
from backend.prior.parameters import JoiningSettings, PriorParameters, RingSettings
from backend.progress import Progress
from backend.texture.regions import FaceRegions, plain_skin
from shared.options import LIKELIEST_SEED, Reflectance


@dataclass(frozen=True)
class CoarseCompletion:
    """What the linear prior makes of a photo.

    Args:
        maps: all maps at the working size, joined to what was seen; nostrils are skin.
        inferred: the same texture, with reflectance as the prior expects it, nothing joined.
        delit: what the photo shows, with and without its light.
        log_seen_albedo: float32 [B, B, 3], log albedo of what was seen, without light that varies over the face.
        nostrils: float32 [B, B], 1 within nostrils.
    """

    maps: CompletedMaps
    inferred: CompletedMaps
    delit: DelightedTexture
    log_seen_albedo: Array
    nostrils: Array


@dataclass(frozen=True)
class Joined:
    """An expectation joined to what was seen.

    Args:
        colour: float32 [B, B, 3], log colour, with a part of the mirrored fine detail: pores and moles of both sides
            are not the same.
        relief: the same to read relief from, with all of the detail that was half seen.
    """

    colour: Array
    relief: Array


class LinearPrior:
    """The joint Gaussian given what was seen, its mean or a draw, joined to the photo in the gradient domain."""

    draws, infers = True, True

    def __init__(self, coarse: CoarsePrior, parameters: PriorParameters = PriorParameters()) -> None:
        """Completes where the joint Gaussian is; the maps are there then."""
        self.coarse, self.parameters = coarse, parameters

    def complete(
        self,
        delit: DelightedTexture,
        seeds: Sequence[int],
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        reflectance: Reflectance = "photo",
    ) -> Iterator[CompletedMaps]:
        """See `backend.prior.interface.Prior.complete`."""
        delit = delit.on_device(self.coarse.device)
        completions = coarse_completions(self.coarse, delit, seeds, progress, self.parameters)
        progress.report(1.0)
        for completion in completions:
            if reflectance == "prior":
                yield completion.inferred
                continue
            regions, settings = delit.skin.regions, self.parameters.nostrils
            yield with_dark_nostrils(completion.maps, delit.weight, completion.nostrils, regions, settings)


def coarse_completions(
    coarse: CoarsePrior,
    delit: DelightedTexture,
    seeds: Sequence[int],
    progress: Progress,
    parameters: PriorParameters = PriorParameters(),
) -> list[CoarseCompletion]:
    """All maps at the working size by the linear prior, for each seed; see `backend.prior.interface.Prior.complete`."""
    progress.report(0.0)
    estimate = coarse_estimate(coarse, delit, parameters.estimate)
    completions = []
    for number, seed in enumerate(seeds):
        part = progress.part(0.3 + 0.7 * number / len(seeds), 0.3 + 0.7 * (number + 1) / len(seeds))
        completions.append(_completion(estimate, seed, delit, part, parameters))
    return completions


def _completion(
    estimate: CoarseEstimate, seed: int, delit: DelightedTexture, progress: Progress, parameters: PriorParameters
) -> CoarseCompletion:
    """The estimate's mean, or a draw, joined to what was seen."""
    skin, regions, island = delit.skin, delit.skin.regions, delit.skin.working.mask
    side = skin.working.resolution
    progress.report(0.0)
    likeliest = seed == LIKELIEST_SEED
    expected = estimate.maps(side) if likeliest else estimate.drawn(side, np.random.default_rng(seed))
    for colour in (LINEAR.diffuse, LINEAR.texture):
        expected[..., colour] = without_rings(expected[..., colour], regions, island, parameters.rings)
    inside = nostrils(skin.transfer, skin.working, regions, parameters.nostrils)

    def of_albedo() -> tuple[Array, Joined, Array]:
        """The log albedo of what was seen, joined to the expectation, and that without light that is left in it."""
        mean, gain = expected[..., LINEAR.diffuse], estimate.gain.astype(np.float32)
        own = delit.log_albedo - like(gain, delit.log_albedo)
        seen = without_local_light(own, mean, delit, parameters.local_light)
        albedo = joined(seen, mean, delit, parameters.joining)
        shading = parameters.residual_shading
        return seen, albedo, without_left_light(albedo.colour, mean, delit.weight, inside, island, regions, shading)

    def of_texture() -> Array:
        return joined(delit.log_seen, expected[..., LINEAR.texture], delit, parameters.joining).colour

    progress.report(0.3)
    (seen, albedo, log_albedo), log_texture = two_steps(of_albedo, of_texture, expected)
    specular = channel(expected, LINEAR.specular.start)
    maps = CompletedMaps(log_texture, log_albedo, albedo.relief, specular)
    diffuse = contiguous(expected[..., LINEAR.diffuse])
    inferred = replace(maps, log_albedo=diffuse, log_relief=diffuse, normal=unit_normals(expected[..., LINEAR.normal]))
    return CoarseCompletion(maps, inferred, delit, seen, inside)


def unit_normals(tangent: Array) -> Array:
    """Unit normals float32 [B, B, 3] of their x and y [B, B, 2]."""
    xp = namespace(tangent)
    slant = xp.square(tangent).sum(-1)
    flatter = tangent / xp.sqrt(xp.maximum(slant / 0.99, 1.0))[..., None]
    return as_float32(xp.concat([flatter, xp.sqrt(1 - xp.square(flatter).sum(-1))[..., None]], axis=-1))


def without_rings(
    expected: Array, regions: FaceRegions, island: Array, settings: RingSettings = RingSettings()
) -> Array:
    """Expected log colour float32 [B, B, 3] without the faint rings around the face.

    They are where the training's photos ended, and the waves of the cosines. What is stronger, as in the ears, stays.
    """
    if not settings.removed:
        return expected
    xp, inside = namespace(expected), as_float32(island)
    smooth = masked_blur(expected, inside, settings.within_mm * regions.texels_per_mm)
    fine = expected - smooth
    contrast = masked_blur(largest(xp.abs(fine)), inside, 2 * settings.within_mm * regions.texels_per_mm)
    kept = xp.maximum(smooth_step(contrast, *settings.contrast), smooth_step(regions.face, 0.0, 1.0))
    calm = as_float32(smooth + kept[..., None] * fine)
    return xp.where(island[..., None], calm, expected)


def joined(
    values: Array,  # float32 [B, B, 3], log values where seen
    expected: Array,  # float32 [B, B, 3], the prior's
    delit: DelightedTexture,
    settings: JoiningSettings = JoiningSettings(),
) -> Joined:
    """The expectation, joined to what was seen in the gradient domain.

    What the prior does not hold of this person is kept where seen, mirrored where the other side was, and elsewhere
    becomes the person's usual difference, so that the skin is of one tone all over.
    """
    weight, skin, regions = delit.weight, delit.skin, delit.skin.regions
    difference = (values - expected) * (weight > 0)[..., None]
    usual, _ = robust_tone(difference, weight * plain_skin(regions))
    surface = skin.working, skin.neutral, regions.texels_per_mm
    inside = smooth_step(border_distance(weight, regions) / regions.texels_per_mm, *settings.brow_ends_mm)
    ending = smooth_step(regions.brows * (1 - regions.eyes) * (1 - inside), 0.0, 0.5)
    own = complete_field(difference, weight, usual, *surface, settings.fill, ending)
    broad = masked_blur(own, as_float32(skin.working.mask), settings.fine_mm * regions.texels_per_mm)
    fine, trust = own - broad, smooth_step(weight, 0, settings.well_seen)
    # Half a brow under a fringe is drawn in the strands of the other.
    maximum = namespace(weight).maximum
    least = maximum(settings.mirrored_detail, regions.brows)
    in_colour, in_relief = (maximum(share, least)[..., None] for share in (weight, trust))
    return Joined(expected + broad + fine * in_colour, expected + broad + fine * in_relief)
