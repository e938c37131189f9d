"""The classical completion: mirror, continue, light again. No learning, no GPU, always there."""

from __future__ import annotations

import numpy as np

from backend.delight.delighting import WORKING_RESOLUTION, Delit, delit, reduced, usual_tone
from backend.detail.stage import add_detail
from backend.imaging.membrane import extend
from backend.prior.classical.fill import complete_field
from backend.prior.interface import PriorContext, WorkingMaps
from backend.progress import Progress
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.relief import regional_specular
from backend.texture.uv_space import UVSpace, coarser

SHADING_DECAY_MM = 30.0


class BaselinePrior:
    """Classical completion of the skin (issue 2, item 4); the yardstick for every learnt prior."""

    def complete(self, partial: PartialTexture, context: PriorContext, seed: int, progress: Progress) -> SkinMaps:
        """See `backend.prior.interface.Prior.complete`."""
        small = coarser(context.uv_space, min(WORKING_RESOLUTION, context.uv_space.resolution))
        regions = face_regions(context.model, small)
        seen = reduced(partial, small.resolution, regions)
        progress.report("light", 0.0)
        working = _complete_small(delit(seen, context, small, regions), context, small, regions)
        progress.report("detail", 0.6)
        maps = add_detail(working, partial, context.place, seed, context.detail)
        progress.report("detail", 1.0)
        return maps


def _complete_small(seen: Delit, context: PriorContext, uv_space: UVSpace, regions: FaceRegions) -> WorkingMaps:
    """All maps at working size; the relief follows from the albedo's detail."""
    vertices = context.fit.neutral_vertices(context.model)
    filled = complete_field(seen.log_albedo, seen.weight, seen.tone, uv_space, vertices, regions.texels_per_mm)
    log_texture = lit_texture(filled, seen, uv_space, regions)
    target = usual_tone(seen, context)
    filled = filled + (np.log(target) - seen.tone).astype(np.float32)
    specular = regional_specular(regions)
    return WorkingMaps(log_texture, filled, specular, seen.log_seen, filled, seen.weight, seen.shine)


def lit_texture(filled: np.ndarray, seen: Delit, uv_space: UVSpace, regions: FaceRegions) -> np.ndarray:
    """The log texture float32 [B, B, 3]: completed albedo `filled`, at the gain of `seen`, under the light.

    In the seen part it is exactly the photo; the difference fades out beyond.
    """
    lit = filled + seen.log_shading
    known = 40 * np.square(seen.weight)
    rest = extend(seen.log_seen - lit, known, uv_space.mask, SHADING_DECAY_MM * regions.texels_per_mm)
    return lit + rest + seen.weight[..., None] * (seen.log_seen - lit - rest)
