"""The classical completion: divide out the light, mirror, fill. No learning, no GPU, always there."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backend.photo.reading import linear_to_srgb, srgb_to_linear
from backend.prior import baseline_skin as skin
from backend.prior.base import PriorContext
from backend.prior.baseline_fill import complete_field
from backend.prior.skin_tone import plausible_tone
from backend.progress import Progress
from backend.texture.detail import band_deviations, fine_residual, solid_detail
from backend.texture.light import LUMINANCE, estimate_light, shading
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.poisson import extend
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.relief import detail_height, relief_normals, specular_albedo
from backend.texture.scale_space import enlarge, inner_distance, masked_reduce, smooth_step
from backend.texture.uv_space import UVSpace, dilate, mirror
from shared.errors import RelightifyError

WORKING_RESOLUTION = 512
SMALLEST_LINEAR = 1.5e-3
MIN_SEEN_SHARE_OF_FACE = 0.04
SHADING_DECAY_MM = 30.0
LIGHT_SAMPLES = 20_000


@dataclass(frozen=True)
class Seen:
    """The partial texture at working size: linear colour [B, B, 3] and trust [B, B]."""

    texture: np.ndarray
    weight: np.ndarray


@dataclass(frozen=True)
class Delit:
    """What was seen, without its light, at working size [B, B].

    Args:
        log_seen: float32 [B, B, 3], the texture before any change, natural logarithm of linear colour.
        log_albedo: float32 [B, B, 3], albedo up to a gain.
        log_shading: float32 [B, B, 3], light times mean albedo everywhere on the skin, up to the same gain.
        weight: float32 [B, B], trust.
        shine: float32 [B, B], share of the seen light that was specular.
        tone: float64 [3], median log albedo of plain skin.
        observed: float64 [3], light times albedo of plain skin, linear.
    """

    log_seen: np.ndarray
    log_albedo: np.ndarray
    log_shading: np.ndarray
    weight: np.ndarray
    shine: np.ndarray
    tone: np.ndarray
    observed: np.ndarray


@dataclass(frozen=True)
class Completed:
    """Log values at working size [B, B, 3]: the texture before any change, completed texture, completed albedo;
    [B, B]: trust, and the share of the seen light that was specular."""

    log_seen: np.ndarray
    log_texture: np.ndarray
    log_albedo: np.ndarray
    weight: np.ndarray
    shine: np.ndarray


class BaselinePrior:
    """Classical completion of the skin (issue 2, item 4); the yardstick for every learnt prior."""

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        """See `backend.prior.base.Prior.complete`."""
        small = coarser(context.uv_space, min(WORKING_RESOLUTION, context.uv_space.resolution))
        regions = face_regions(context.model, small)
        seen = reduced(partial, small.resolution, regions)
        progress.report("light", 0.0)
        completed = _complete_small(delit(seen, context, small, regions), context, small, regions)
        progress.report("detail", 0.6)
        maps = _surface_maps(partial, full_size(partial, completed, context, regions, seed), context)
        progress.report("detail", 1.0)
        return maps


def reduced(partial: PartialTexture, side: int, regions: FaceRegions) -> Seen:
    """The partial texture at working size.

    Raises:
        RelightifyError: ``too_little_skin``.
    """
    texture, visibility = masked_reduce(_linear(partial.texture_srgb), partial.visibility, side)
    _check_seen(visibility, regions)
    return Seen(texture, visibility)


def delit(seen: Seen, context: PriorContext, uv_space: UVSpace, regions: FaceRegions) -> Delit:
    """The albedo of what was seen: light and highlights taken out, broad leftovers of shading evened out."""
    transfer = uv_space.interpolate(context.transfer)
    plain = skin.plain_skin(regions)

    light = _robust_light(seen.texture, transfer, seen.weight * plain)  # light x mean albedo
    shaded = shading(transfer, light)
    log_seen = np.log(np.maximum(seen.texture, SMALLEST_LINEAR))
    weight = skin.trusted(log_seen - np.log(shaded), seen.weight, regions)
    light = _robust_light(seen.texture, transfer, weight * plain)
    shaded = shading(transfer, light)

    specular = skin.highlights(seen.texture, shaded, weight, regions)
    diffuse = np.maximum(seen.texture - 0.9 * specular[..., None], 0.25 * seen.texture)
    log_albedo = np.log(np.maximum(diffuse, SMALLEST_LINEAR)) - np.log(shaded)
    shine = np.clip(specular / np.maximum(seen.texture @ LUMINANCE, SMALLEST_LINEAR), 0, 1)
    log_albedo = skin.even_colour(log_albedo, shine, weight, regions)
    log_albedo = skin.soften_bright(log_albedo, weight, regions)
    log_albedo = skin.even_out(log_albedo, weight, regions)
    log_albedo = skin.limit_bright(log_albedo, weight, regions)

    tone, _ = skin.robust_tone(log_albedo, weight * plain)
    # Split light and skin; what is albedo now was relative to the mean.
    log_shading = np.log(shaded)
    plain_level, _ = skin.robust_tone(log_shading, weight * plain)
    return Delit(log_seen, log_albedo, log_shading, weight, shine, tone, np.exp(tone + plain_level))


def _complete_small(seen: Delit, context: PriorContext, uv_space: UVSpace, regions: FaceRegions) -> Completed:
    """Completed at working size."""
    vertices = context.fit.neutral_vertices(context.model)
    filled = complete_field(seen.log_albedo, seen.weight, seen.tone, uv_space, vertices, regions.texels_per_mm)
    log_texture = lit_texture(filled, seen, uv_space, regions)
    target = usual_tone(seen, context)
    filled = filled + (np.log(target) - seen.tone).astype(np.float32)
    return Completed(seen.log_seen, log_texture, filled, seen.weight, seen.shine)


def usual_tone(seen: Delit, context: PriorContext) -> np.ndarray:
    """The skin's mean albedo float64 [3], linear: the classical split of what was seen into light and skin."""
    return plausible_tone(seen.observed, context.white)


def lit_texture(filled: np.ndarray, seen: Delit, uv_space: UVSpace, regions: FaceRegions) -> np.ndarray:
    """The log texture float32 [B, B, 3]: completed albedo `filled`, at the gain of `seen`, under the light.

    In the seen part it is exactly the photo; the difference fades out beyond.
    """
    lit = filled + seen.log_shading
    known = 40 * np.square(seen.weight)
    rest = extend(seen.log_seen - lit, known, uv_space.mask, SHADING_DECAY_MM * regions.texels_per_mm)
    return lit + rest + seen.weight[..., None] * (seen.log_seen - lit - rest)


@dataclass(frozen=True)
class FullSize:
    """Colours at the size of the partial texture.

    Args:
        log_texture: float32 [R, R, 3].
        albedo: float32 [R, R, 3], linear.
        weight: float32 [R, R], trust in what was seen.
        regions: of the face, R x R.
    """

    log_texture: np.ndarray
    albedo: np.ndarray
    weight: np.ndarray
    regions: FaceRegions


def full_size(
    partial: PartialTexture, completed: Completed, context: PriorContext, regions: FaceRegions, seed: int
) -> FullSize:
    """The working maps enlarged, with the detail that they could not hold."""
    uv_space = context.uv_space
    side, small_side = uv_space.resolution, completed.weight.shape[0]
    small = coarser(uv_space, small_side)
    grown = replace(
        completed,
        log_texture=dilate(completed.log_texture, small.mask, small_side),
        log_albedo=dilate(completed.log_albedo, small.mask, small_side),
    )
    weight = np.clip(enlarge(completed.weight, side), 0, 1)
    detail = _detail(partial, grown, context, regions, weight, seed)
    # Detail in a highlight is the relief's sparkle more than the skin's colour.
    shine = enlarge(smooth_step(completed.shine, 0.05, 0.5), side)
    log_albedo = enlarge(grown.log_albedo, side) + detail * (1 - 0.8 * shine[..., None])
    log_texture = enlarge(grown.log_texture, side) + detail
    full_regions = regions if side == small_side else _enlarged(regions, side)
    return FullSize(log_texture, _soft_range(np.exp(log_albedo)), weight, full_regions)


def _surface_maps(partial: PartialTexture, full: FullSize, context: PriorContext) -> SkinMaps:
    """All maps: specular albedo and normals follow from the albedo's detail."""
    uv_space, regions = context.uv_space, full.regions
    density = uv_space.texels_per_metre(context.fit.neutral_vertices(context.model))
    height = detail_height(np.log(full.albedo) @ LUMINANCE, uv_space.mask, regions.texels_per_mm)
    reference = full.weight * skin.plain_skin(regions)
    gain = (1 - 0.6 * regions.brows) * (1 - 0.5 * regions.eyes) * off_border(full.weight, regions.texels_per_mm)
    maps = SkinMaps(
        texture_srgb=linear_to_srgb(np.exp(full.log_texture)).astype(np.float32),
        diffuse_albedo_srgb=linear_to_srgb(full.albedo).astype(np.float32),
        specular_albedo=specular_albedo(height, regions, reference).astype(np.float32),
        normal=relief_normals(height, density, gain, reference),
        visibility=partial.visibility,
    )
    return maps.dilated(uv_space.mask)


def _detail(
    partial: PartialTexture,
    completed: Completed,
    context: PriorContext,
    regions: FaceRegions,
    weight: np.ndarray,
    seed: int,
) -> np.ndarray:
    """Log detail float32 [R, R, 3]: the photo's where seen, the other side's where that was seen, noise elsewhere."""
    uv_space = context.uv_space
    side = uv_space.resolution
    own = np.zeros((side, side, 3), np.float32)
    scale = regions.texels_per_mm * side / completed.weight.shape[0]
    if side > completed.weight.shape[0]:
        log_full = np.log(np.maximum(_linear(partial.texture_srgb), SMALLEST_LINEAR))
        # The reduction is of the texture before completion; outside of what was seen it must not ring.
        reduced = completed.log_texture + completed.weight[..., None] * (completed.log_seen - completed.log_texture)
        own = fine_residual(log_full, reduced, smooth_step(weight, 0.5, 1.0))
        del log_full
    strength = smooth_step(weight, 0.5, 1.0)
    other = mirror(strength) * (1 - strength)
    missing = (1 - np.maximum(strength, mirror(smooth_step(weight, 0.0, 0.6)))) * uv_space.mask
    detail = own + other[..., None] * mirror(own)
    reference = skin.plain_skin(regions) * completed.weight
    bands = band_deviations(completed.log_albedo, reference, regions.texels_per_mm)
    if side > completed.weight.shape[0]:
        full_reference = enlarge(reference, side)
        small_limit = 2.0 / regions.texels_per_mm  # the finest wavelength that the working size holds, mm
        fine = band_deviations(own, full_reference, scale)
        bands = bands + [(wavelength, deviation) for wavelength, deviation in fine if wavelength < small_limit]
    where = np.flatnonzero(missing > 0.01)
    positions = uv_space.positions(context.model.mean).reshape(-1, 3)[where] * 1000
    noise = solid_detail(positions, bands, seed)
    detail.reshape(-1, 3)[where] += noise * missing.reshape(-1)[where][:, None]
    return detail


def coarser(uv_space: UVSpace, side: int) -> UVSpace:
    """The same texture space on side x side texels, by taking every n-th texel (R a multiple of side)."""
    step = uv_space.resolution // side
    if step <= 1:
        return uv_space
    pick = slice(step // 2, None, step)
    return replace(
        uv_space,
        resolution=side,
        triangle=np.ascontiguousarray(uv_space.triangle[pick, pick]),
        barycentric=np.ascontiguousarray(uv_space.barycentric[pick, pick]),
    )


def _enlarged(regions: FaceRegions, side: int) -> FaceRegions:
    small_side = regions.face.shape[0]
    masks = {
        name: np.clip(enlarge(getattr(regions, name), side), 0, 1)
        for name in ("lips", "nose", "forehead", "brows", "eyes", "beard", "face")
    }
    return FaceRegions(**masks, texels_per_mm=regions.texels_per_mm * side / small_side)


def _robust_light(texture: np.ndarray, transfer: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """`estimate_light` on a regular sample of the weighted texels."""
    inside = np.flatnonzero(weight > 0.3)
    picked = inside[:: max(1, len(inside) // LIGHT_SAMPLES)]
    return estimate_light(texture.reshape(-1, 3)[picked], transfer.reshape(-1, 9)[picked], weight.reshape(-1)[picked])


def off_border(weight: np.ndarray, texels_per_mm: float) -> np.ndarray:
    """0 on the border between seen and unseen, 1 two millimetres away: a step of colour there is no relief."""
    seen = weight > 0.5
    distance = inner_distance(seen) + inner_distance(~seen)
    return smooth_step(distance, 0.5 * texels_per_mm, 2.0 * texels_per_mm)


def _check_seen(visibility: np.ndarray, regions: FaceRegions) -> None:
    plain = skin.plain_skin(regions)
    if float((visibility * plain).sum()) < MIN_SEEN_SHARE_OF_FACE * float(plain.sum()):
        raise RelightifyError(
            "too_little_skin",
            "The photo shows too little of the face's skin.",
            "Use a photo in which hair, hands or glasses cover less of the face.",
        )


def _linear(srgb: np.ndarray) -> np.ndarray:
    return srgb_to_linear(srgb).astype(np.float32)


def _soft_range(albedo: np.ndarray) -> np.ndarray:
    """Albedo pressed softly into what skin and hair can have: 0.008 to 0.85."""
    high = 0.6
    over = np.maximum(albedo - high, 0)
    pressed = np.minimum(albedo, high) + 0.25 * (1 - np.exp(-over / 0.25))
    return np.maximum(pressed, 0.008)
