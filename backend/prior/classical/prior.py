"""The classical completion: mirror, continue, light again. No learning, no GPU, always there."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.imaging.membrane import extend
from backend.prior.classical.fill import complete_field
from backend.prior.interface import CompletedMaps, GuidanceTerm
from backend.prior.parameters import FillSettings
from backend.progress import Progress
from backend.texture.relief import regional_specular
from backend.texture.skin_regions import skin_regions
from shared.options import Reflectance


class ClassicalPrior:
    """Classical completion of the skin; the yardstick for every learnt prior."""

    draws = infers = False

    def __init__(self, settings: FillSettings = FillSettings()) -> None:
        self.settings = settings

    def complete(
        self,
        delit: DelightedTexture,
        seeds: Sequence[int],
        progress: Progress,
        guidance: Sequence[GuidanceTerm] = (),
        reflectance: Reflectance = "photo",
    ) -> Iterator[CompletedMaps]:
        """See `backend.prior.interface.Prior.complete`; all seeds give the same, and it infers no reflectance."""
        progress.report(0.0)
        delit = delit.on_device("cpu")
        skin = delit.skin
        texels_per_mm = skin.regions.texels_per_mm
        filled = complete_field(
            delit.log_albedo, delit.weight, delit.tone, skin.working, skin.neutral, texels_per_mm, self.settings
        )
        log_texture = lit_texture(filled, delit, self.settings)
        log_albedo = filled + (np.log(delit.mean_albedo) - delit.tone).astype(np.float32)
        specular = regional_specular(skin_regions(skin.model, skin.working))
        maps = CompletedMaps(log_texture, log_albedo, log_albedo, specular)
        progress.report(1.0)
        for _ in seeds:
            yield maps


def lit_texture(filled: np.ndarray, delit: DelightedTexture, settings: FillSettings = FillSettings()) -> np.ndarray:
    """The log texture float32 [B, B, 3]: completed albedo `filled`, at the gain of `delit`, under the light.

    In the seen part it is exactly the photo; the difference fades out beyond.
    """
    lit = filled + delit.log_shading
    known = 40 * np.square(delit.weight)
    decay = settings.shading_decay_mm * delit.skin.regions.texels_per_mm
    rest = extend(delit.log_seen - lit, known, delit.skin.working.mask, decay)
    return lit + rest + delit.weight[..., None] * (delit.log_seen - lit - rest)
