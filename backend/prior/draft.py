"""The quality `draft`: the coarse linear prior completes all maps, the photo's own detail is kept."""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.reading import linear_to_srgb
from backend.prior.base import PriorContext
from backend.prior.baseline import (
    WORKING_RESOLUTION,
    Completed,
    FullSize,
    coarser,
    delit,
    full_size,
    off_border,
    reduced,
    usual_tone,
)
from backend.prior.baseline_fill import complete_field
from backend.prior.baseline_skin import plain_skin, robust_tone
from backend.prior.coarse import coarse_estimate
from backend.prior.coarse_model import DIFFUSE, SPECULAR, TEXTURE, CoarsePrior
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.scale_space import enlarge, masked_blur
from backend.texture.uv_space import UVSpace

# Relief of the albedo's detail, as the training data assume it (`backend.training.skin_reflectance`).
MM_PER_DENSITY, PORE_MM, CREASE_MM, DENSITY_LIMIT = 0.55, 0.35, 2.2, 0.16
CAVITY_LOSS_PER_MM = 4.0
# Of what is mirrored, detail finer than this is kept by that share.
BROAD_MM, MIRRORED_DETAIL = 1.2, 0.4


class DraftPrior:
    """Conditional mean of the joint Gaussian, joined to what was seen in the gradient domain (issue 3, item 3)."""

    def __init__(self, coarse: CoarsePrior) -> None:
        self.coarse = coarse

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        """See `backend.prior.base.Prior.complete`."""
        small = coarser(context.uv_space, min(WORKING_RESOLUTION, context.uv_space.resolution))
        regions = face_regions(context.model, small)
        seen = reduced(partial, small.resolution, regions)
        progress.report("light", 0.0)
        shaded = delit(seen, context, small, regions)
        progress.report("prior", 0.3)
        estimate = coarse_estimate(self.coarse, shaded, usual_tone(shaded, context))
        expected = estimate.maps(small.resolution)
        gain = estimate.gain.astype(np.float32)
        vertices = context.fit.neutral_vertices(context.model)
        log_albedo = joined(shaded.log_albedo - gain, expected[..., DIFFUSE], shaded.weight, small, vertices, regions)
        log_texture = joined(shaded.log_seen, expected[..., TEXTURE], shaded.weight, small, vertices, regions)
        progress.report("detail", 0.6)
        completed = Completed(shaded.log_seen, log_texture, log_albedo, shaded.weight, shaded.shine)
        full = full_size(partial, completed, context, regions, seed)
        maps = _all_maps(partial, full, expected, context)
        progress.report("detail", 1.0)
        return maps


def joined(
    values: np.ndarray,  # float32 [B, B, 3], log values where seen
    expected: np.ndarray,  # float32 [B, B, 3], the prior's
    weight: np.ndarray,  # float32 [B, B], 1 = seen
    uv_space: UVSpace,
    vertices: np.ndarray,  # [V, 3], metres
    regions: FaceRegions,
) -> np.ndarray:
    """The expectation, joined to what was seen in the gradient domain, float32 [B, B, 3].

    What the prior does not hold of this person is kept where seen, mirrored where the other side was, and elsewhere
    becomes the person's usual difference, so that the skin is of one tone all over. Of the mirrored fine detail a part
    is left: pores and moles of both sides are not the same.
    """
    difference = (values - expected) * (weight > 0)[..., None]
    usual, _ = robust_tone(difference, weight * plain_skin(regions))
    own = complete_field(difference, weight, usual, uv_space, vertices, regions.texels_per_mm)
    broad = masked_blur(own, uv_space.mask.astype(np.float32), BROAD_MM * regions.texels_per_mm)
    share = np.maximum(weight, MIRRORED_DETAIL)[..., None]
    return expected + broad + (own - broad) * share


def _all_maps(partial: PartialTexture, full: FullSize, expected: np.ndarray, context: PriorContext) -> SkinMaps:
    """Colours as they are; specular albedo and normals from the prior's expectation and from the albedo's relief."""
    uv_space, scale = context.uv_space, full.regions.texels_per_mm
    height = relief_height(full, uv_space.mask)
    # Where light takes a step at the border of what was seen there is no relief.
    height = height * off_border(full.weight, 0.4 * scale)
    cavity = np.clip(masked_blur(height, uv_space.mask.astype(np.float32), 1.5 * scale) - height, -0.05, 0.12)
    specular = enlarge(expected[..., SPECULAR.start], uv_space.resolution) * (1 - CAVITY_LOSS_PER_MM * cavity)
    density = uv_space.texels_per_metre(context.fit.neutral_vertices(context.model)) / 1000
    maps = SkinMaps(
        texture_srgb=linear_to_srgb(np.exp(full.log_texture)).astype(np.float32),
        diffuse_albedo_srgb=linear_to_srgb(full.albedo).astype(np.float32),
        specular_albedo=np.clip(specular, 0.04, 0.95).astype(np.float32),
        normal=height_normals(height, density),
        visibility=partial.visibility,
    )
    return maps.dilated(uv_space.mask)


def relief_height(full: FullSize, island: np.ndarray) -> np.ndarray:
    """Mesoscopic height float32 [R, R] in mm: fine detail that is darker lies deeper, but hair and moles do not.

    As the training data assume it. Source: Beeler et al., "High-quality single-shot capture of facial geometry",
    2010, section 5.
    """
    density = -np.log(full.albedo).mean(-1)
    weight, scale = island.astype(np.float32), full.regions.texels_per_mm
    band = masked_blur(density, weight, max(PORE_MM * scale, 0.3)) - masked_blur(density, weight, CREASE_MM * scale)
    limited = DENSITY_LIMIT * np.tanh(band / DENSITY_LIMIT)
    # The regions have wide margins, in which there is skin.
    hairless = 1 - np.maximum(full.regions.brows**4, 0.9 * full.regions.eyes**3)
    return (-MM_PER_DENSITY * limited * hairless * weight).astype(np.float32)


def height_normals(height: np.ndarray, texels_per_mm: np.ndarray) -> np.ndarray:
    """Unit tangent-space normals float32 [R, R, 3], +Y up, of a height in mm; row 0 is v = 1."""
    across = cv2.Sobel(height, cv2.CV_32F, 1, 0, ksize=1, scale=0.5) * texels_per_mm
    up = -cv2.Sobel(height, cv2.CV_32F, 0, 1, ksize=1, scale=0.5) * texels_per_mm
    length = np.sqrt(across**2 + up**2 + 1)
    return np.stack([-across / length, -up / length, 1 / length], axis=-1).astype(np.float32)
