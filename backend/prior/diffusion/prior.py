"""The qualities `standard` and `high`: inpainting with the latent diffusion model (paper, section 3.3, eq. 9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from backend.delight.delighting import DelightedTexture
from backend.delight.residual_shading import without_left_light
from backend.imaging.arrays import Array, as_float32, copied, namespace
from backend.imaging.channels import norm
from backend.imaging.colour import SMALLEST_LINEAR, linear_to_srgb, srgb_to_linear
from backend.imaging.filters import masked_blur
from backend.imaging.rows import two_steps
from backend.prior.diffusion.presets import SamplingPreset
from backend.prior.interface import CompletedMaps, GuidanceTerm
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.prior import CoarseCompletion, coarse_completions, joined, without_rings
from backend.prior.nostrils import with_dark_nostrils
from backend.prior.parameters import PriorParameters
from backend.progress import Progress
from shared.options import LIKELIEST_SEED, Reflectance

if TYPE_CHECKING:
    from backend.prior.diffusion.weights import DiffusionWeights

# Beside the photo's own reflectance, normals are read from the relief of the finished albedo, which is nearer to the
# truth than drawn ones: docs/research/diffusion_prior.md.
DECODED: dict[Reflectance, tuple[str, ...]] = {
    "photo": ("texture", "diffuse_albedo", "specular_albedo"),
    "prior": ("texture", "diffuse_albedo", "specular_albedo", "normal"),
}


class DiffusionPrior:
    """Draws texture and reflectance from the joint prior given what was seen.

    Args:
        coarse: the linear prior, for the estimate that fills holes and that sampling may start from; where it is, maps
            are joined and completed.
        load: gives the networks; called by each job, so it keeps what it has loaded.
        presets: how to sample, by where reflectance comes from.
        parameters: chosen numbers of the estimate and of joining.
    """

    draws = infers = True

    def __init__(
        self,
        coarse: CoarsePrior,
        load: Callable[[], DiffusionWeights],
        presets: Mapping[Reflectance, SamplingPreset],
        parameters: PriorParameters = PriorParameters(),
    ) -> None:
        self.coarse, self.load, self.presets, self.parameters = coarse, load, presets, parameters

    def complete(
        self,
        delit: DelightedTexture,
        seeds: Sequence[int],
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        reflectance: Reflectance = "photo",
    ) -> Iterator[CompletedMaps]:
        """See `backend.prior.interface.Prior.complete`."""
        preset, delit = self.presets[reflectance], delit.on_device(self.coarse.device)
        share = 0.3 * min(1.0, 12 / preset.options.steps)  # of the time, the coarse estimate's
        # What begins from pure noise draws by itself; what begins from an estimate differs as the estimates do.
        alike = preset.start_noise is None
        estimated = [LIKELIEST_SEED] if alike else seeds
        estimates = coarse_completions(self.coarse, delit, estimated, progress.part(0.0, share), self.parameters)
        estimates = estimates * len(seeds) if alike else estimates
        names, groups = DECODED[reflectance], dict.fromkeys(map(preset.of_seed, seeds))
        drawn: dict[int, dict[str, Array]] = {}
        for number, way in enumerate(groups):
            ends = (share + (1 - share) * k / len(groups) for k in (number, number + 1))
            chosen = {s: e for s, e in zip(seeds, estimates, strict=True) if preset.of_seed(s) == way}
            drawn |= self._drawn(chosen, way, names, progress.part(*ends), tuple(guidance))
        progress.report(1.0)
        for seed, coarse in zip(seeds, estimates, strict=True):
            images = drawn[seed]
            maps = joined_maps(coarse, images, preset.of_seed(seed), self.parameters)
            if reflectance == "prior":
                yield with_inferred(maps, images)
                continue
            nostrils = self.parameters.nostrils
            yield with_dark_nostrils(maps, delit.weight, coarse.nostrils, delit.skin.regions, nostrils)

    def _drawn(
        self,
        estimates: Mapping[int, CoarseCompletion],  # by seed
        preset: SamplingPreset,
        names: tuple[str, ...],
        progress: Progress,
        guidance: tuple[GuidanceTerm, ...],
    ) -> dict[int, dict[str, Array]]:
        """The network's maps of these names by seed, float32 [B, B, C] as `joined_maps` takes them."""
        # Only now: PyTorch alone takes a second to load, which the other qualities do without.
        from backend.prior.diffusion.drawing import drawn_maps

        images = {seed: coarse_maps(estimate) for seed, estimate in estimates.items()}
        delit = next(iter(estimates.values())).delit
        seen = as_float32(delit.weight > preset.seen)
        drawn = drawn_maps(self.load(), images, seen, preset, names, progress, guidance)
        return dict(zip(images, drawn, strict=True))


def joined_maps(
    coarse: CoarseCompletion,
    images: dict[str, Array],
    preset: SamplingPreset,
    parameters: PriorParameters = PriorParameters(),
) -> CompletedMaps:
    """The network's maps, joined to what was seen in the gradient domain; of colour a share in the coarse estimate.

    Args:
        coarse: the coarse estimate.
        images: float32 [B, B, C] in [-1, 1] by map.
        preset: shares of the images.
        parameters: of joining.
    """
    estimate, delit, regions = coarse.maps, coarse.delit, coarse.delit.skin.regions
    mask, scale = delit.skin.working.mask, regions.texels_per_mm
    xp, island = namespace(mask), as_float32(mask)
    unseen = island * (1 - delit.weight)

    def poreless(image: Array) -> Array:
        # Pores drawn at random would not lie in those of the photo; the detail stage makes them, the same in all maps.
        return masked_blur(image, island, preset.pores_mm * scale) if preset.pores_mm else image

    def colour(image: Array) -> Array:
        return without_rings(poreless(log_colour(image)), regions, mask, parameters.rings)

    def shared(estimated: Array, drawn: Array) -> Array:
        difference = drawn - estimated
        tone = masked_blur(difference, unseen, preset.broad_mm * scale) * unseen[..., None]
        return estimated + preset.fine * difference + (preset.broad - preset.fine) * tone

    def of_albedo() -> tuple[Array, Array]:
        """The log albedo, and that which relief is read from."""
        drawn, lit = colour(images["diffuse_albedo"]), parameters.residual_shading
        albedo = joined(coarse.log_seen_albedo, drawn, delit, parameters.joining)
        plain = without_left_light(albedo.colour, drawn, delit.weight, coarse.nostrils, mask, regions, lit)
        return shared(estimate.log_albedo, plain), shared(estimate.log_relief, albedo.relief)

    def of_texture() -> Array:
        drawn = joined(delit.log_seen, colour(images["texture"]), delit, parameters.joining).colour
        return shared(estimate.log_texture, drawn)

    (log_albedo, log_relief), log_texture = two_steps(of_albedo, of_texture, island)
    return CompletedMaps(
        log_texture=log_texture,
        log_albedo=log_albedo,
        log_relief=log_relief,
        specular_albedo=poreless(xp.clip((images["specular_albedo"][..., 0] + 1) / 2, 0.0, 1.0)),
    )


def with_inferred(maps: CompletedMaps, images: dict[str, Array]) -> CompletedMaps:
    """The maps with the reflectance as it was drawn, everywhere (eq. 9f): A_d, A_s and N decoded from z_0.

    Args:
        maps: whose texture stays.
        images: float32 [B, B, C] in [-1, 1] by map, of all four.
    """
    albedo, normal = log_colour(images["diffuse_albedo"]), copied(images["normal"])
    xp = namespace(normal)
    normal[..., 2] = xp.maximum(normal[..., 2], 0.1)  # no decoded normal may look into the skin
    normal /= norm(normal)
    specular = xp.clip((images["specular_albedo"][..., 0] + 1) / 2, 0.0, 1.0)
    return replace(maps, log_albedo=albedo, log_relief=albedo, specular_albedo=specular, normal=normal)


def coarse_maps(coarse: CoarseCompletion) -> dict[str, Array]:
    """The coarse completion as the auto-encoders take it: float32 [B, B, C] in [-1, 1] by map.

    It has no holes: outside the island it repeats its border, as the training's maps do. It has no normals, which are
    then begun at their mean: those read from a photo are rougher than what training saw.
    """
    maps = coarse.maps.dilated(coarse.delit.skin.working.mask)
    xp = namespace(maps.log_texture)
    return {
        "texture": 2 * xp.clip(linear_to_srgb(xp.exp(maps.log_texture)), 0, 1) - 1,
        "diffuse_albedo": 2 * xp.clip(linear_to_srgb(xp.exp(maps.log_albedo)), 0, 1) - 1,
        "specular_albedo": 2 * xp.clip(maps.specular_albedo, 0, 1)[..., None] - 1,
    }


def log_colour(encoded: Array) -> Array:
    """sRGB-encoded colour in [-1, 1] as the logarithm of linear colour."""
    xp = namespace(encoded)
    linear = srgb_to_linear(xp.clip((encoded + 1) / 2, 0, 1))
    return as_float32(xp.log(xp.maximum(linear, SMALLEST_LINEAR)))
