"""The detail stage: maps of a prior at its working size become maps at the size that was asked for (DESIGN section 6).

Every prior ends in `add_detail`, so that all of them keep the photo's detail, continue it and fill it up alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from backend.detail.options import DetailOptions
from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.photo.reading import linear_to_srgb, srgb_to_linear
from backend.texture.detail import band_deviations, fine_residual, solid_detail
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions, plain_skin
from backend.texture.relief import CAVITY_LOSS_PER_MM, cavity, height_normals, relief_height
from backend.texture.scale_space import enlarge, inner_distance, smooth_step
from backend.texture.uv_space import UVSpace, coarser, dilate, mirror

SMALLEST_LINEAR = 1.5e-3


@dataclass(frozen=True)
class WorkingMaps:
    """Maps at a prior's working size B x B, and what the photo showed of them.

    Args:
        log_texture: float32 [B, B, 3], natural logarithm of the linear, still shaded colour, complete.
        log_albedo: float32 [B, B, 3], natural logarithm of the linear diffuse albedo, complete.
        specular_albedo: float32 [B, B], linear, F0 / 0.08.
        normal: float32 [B, B, 3], unit, tangent space, +Y up; None where the prior knows of no relief: then relief of
            all sizes, and the specular albedo's loss in cavities, are read from the albedo's detail.
        log_seen: float32 [B, B, 3], the partial texture before any change, logarithm of linear colour; counts where
            `weight` > 0.
        weight: float32 [B, B] in [0, 1], trust: 1 = seen and skin.
        shine: float32 [B, B] in [0, 1], share of the seen light that was specular.
    """

    log_texture: np.ndarray
    log_albedo: np.ndarray
    specular_albedo: np.ndarray
    normal: np.ndarray | None
    log_seen: np.ndarray
    weight: np.ndarray
    shine: np.ndarray

    @property
    def side(self) -> int:
        return self.weight.shape[0]

    def dilated(self, island: np.ndarray) -> WorkingMaps:
        """Maps continued over everything outside the island, bool [B, B], so that enlarging finds no border."""
        names = ("log_texture", "log_albedo", "specular_albedo", "normal")
        grown = {n: dilate(image, island, self.side) for n in names if (image := getattr(self, n)) is not None}
        return replace(self, **grown)


@dataclass(frozen=True)
class Place:
    """Where the maps lie.

    Args:
        model: the head model.
        fit: shape and camera of the photo; the camera tells how large the photo shows the skin.
        uv_space: texels of the skin at the size wanted, R x R, R a multiple of the working size.
    """

    model: HeadModel
    fit: HeadFit
    uv_space: UVSpace


def add_detail(
    working: WorkingMaps,
    partial: PartialTexture,
    place: Place,
    seed: int,
    options: DetailOptions = DetailOptions(),  # noqa: B008 (frozen)
) -> SkinMaps:
    """All maps at the size of `place.uv_space`, dilated beyond the island, without holes.

    Args:
        working: what the prior made, B x B.
        partial: what the photo shows, R x R.
        place: model, fit and texels.
        seed: of everything random; same seed and versions give the same maps.
        options: strength of made detail, and whether displacement and roughness are wanted.
    """
    uv_space = place.uv_space
    side = uv_space.resolution
    small = coarser(uv_space, working.side)
    grown = working.dilated(small.mask)
    small_regions = face_regions(place.model, small)
    regions = small_regions if side == working.side else enlarged_regions(small_regions, side)
    weight = np.clip(enlarge(working.weight, side), 0, 1)
    detail = _detail(partial, grown, place, small_regions, weight, seed)
    # Detail in a highlight is the relief's sparkle more than the skin's colour.
    shine = enlarge(smooth_step(working.shine, 0.05, 0.5), side)
    albedo = _soft_range(np.exp(enlarge(grown.log_albedo, side) + detail * (1 - 0.8 * shine[..., None])))
    log_texture = enlarge(grown.log_texture, side) + detail

    height = relief_height(np.log(albedo), regions, uv_space.mask)
    # Where light takes a step at the border of what was seen there is no relief.
    height = height * off_border(weight, 0.4 * regions.texels_per_mm)
    deep = cavity(height, uv_space.mask, regions.texels_per_mm)
    specular = enlarge(grown.specular_albedo, side) * (1 - CAVITY_LOSS_PER_MM * deep)
    density = uv_space.texels_per_metre(place.fit.neutral_vertices(place.model)) / 1000
    maps = SkinMaps(
        texture_srgb=linear_to_srgb(np.exp(log_texture)).astype(np.float32),
        diffuse_albedo_srgb=linear_to_srgb(albedo).astype(np.float32),
        specular_albedo=np.clip(specular, 0.04, 0.95).astype(np.float32),
        normal=height_normals(height, density),
        visibility=partial.visibility,
    )
    return maps.dilated(uv_space.mask)


def _detail(
    partial: PartialTexture, working: WorkingMaps, place: Place, regions: FaceRegions, weight: np.ndarray, seed: int
) -> np.ndarray:
    """Log detail float32 [R, R, 3]: the photo's where seen, the other side's where that was seen, noise elsewhere."""
    uv_space = place.uv_space
    side = uv_space.resolution
    own = np.zeros((side, side, 3), np.float32)
    scale = regions.texels_per_mm * side / working.side
    if side > working.side:
        log_full = np.log(np.maximum(srgb_to_linear(partial.texture_srgb).astype(np.float32), SMALLEST_LINEAR))
        # The reduction is of the texture before completion; outside of what was seen it must not ring.
        reduced = working.log_texture + working.weight[..., None] * (working.log_seen - working.log_texture)
        own = fine_residual(log_full, reduced, smooth_step(weight, 0.5, 1.0))
        del log_full
    strength = smooth_step(weight, 0.5, 1.0)
    other = mirror(strength) * (1 - strength)
    missing = (1 - np.maximum(strength, mirror(smooth_step(weight, 0.0, 0.6)))) * uv_space.mask
    detail = own + other[..., None] * mirror(own)
    reference = plain_skin(regions) * working.weight
    bands = band_deviations(working.log_albedo, reference, regions.texels_per_mm)
    if side > working.side:
        full_reference = enlarge(reference, side)
        small_limit = 2.0 / regions.texels_per_mm  # the finest wavelength that the working size holds, mm
        fine = band_deviations(own, full_reference, scale)
        bands = bands + [(wavelength, deviation) for wavelength, deviation in fine if wavelength < small_limit]
    where = np.flatnonzero(missing > 0.01)
    positions = uv_space.positions(place.model.mean).reshape(-1, 3)[where] * 1000
    noise = solid_detail(positions, bands, seed)
    detail.reshape(-1, 3)[where] += noise * missing.reshape(-1)[where][:, None]
    return detail


def enlarged_regions(regions: FaceRegions, side: int) -> FaceRegions:
    """The regions on side x side texels."""
    masks = {
        name: np.clip(enlarge(getattr(regions, name), side), 0, 1)
        for name in ("lips", "nose", "forehead", "brows", "eyes", "beard", "face")
    }
    return FaceRegions(**masks, texels_per_mm=regions.texels_per_mm * side / regions.face.shape[0])


def off_border(weight: np.ndarray, texels_per_mm: float) -> np.ndarray:
    """0 on the border between seen and unseen, 1 two millimetres away: a step of colour there is no relief."""
    seen = weight > 0.5
    distance = inner_distance(seen) + inner_distance(~seen)
    return smooth_step(distance, 0.5 * texels_per_mm, 2.0 * texels_per_mm)


def _soft_range(albedo: np.ndarray) -> np.ndarray:
    """Albedo pressed softly into what skin and hair can have: 0.008 to 0.85."""
    high = 0.6
    over = np.maximum(albedo - high, 0)
    pressed = np.minimum(albedo, high) + 0.25 * (1 - np.exp(-over / 0.25))
    return np.maximum(pressed, 0.008)
