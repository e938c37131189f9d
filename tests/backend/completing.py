"""From a partial texture to finished maps, as the pipeline does it, for tests of priors."""

from __future__ import annotations

from backend.delight.delighting import SkinChoices, delight
from backend.detail.options import DetailOptions
from backend.head.model import load_head_model
from backend.pipeline import finished_maps
from backend.prior.interface import Prior
from backend.progress import Progress, Stopwatch
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.uv_space import uv_space
from shared.options import Reflectance
from tests.backend.texture.test_unwrap import fit_from


def frontal_skin(resolution: int) -> FittedSkin:
    """The mean head's skin, seen from in front."""
    model = load_head_model()
    return FittedSkin(model, fit_from(0), uv_space(model, resolution), model.radiance_transfer(model.mean, 64))


def completed(
    prior: Prior,
    partial: PartialTexture,
    skin: FittedSkin,
    *seeds: int,
    tone_stops: float = 0.0,
    detail: DetailOptions | None = None,
    progress: Progress | None = None,
    reflectance: Reflectance = "photo",
) -> list[SkinMaps]:
    """Finished maps for each seed."""
    delit = delight(partial, skin, choices=SkinChoices(tone_stops))
    watch = Stopwatch(progress or Progress())
    options = detail or DetailOptions()
    return list(finished_maps(prior, delit, seeds, options, watch, reflectance=reflectance))
