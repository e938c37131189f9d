"""The diffusion prior of this installation."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from backend.asset_files import ASSETS
from backend.head.model import HeadModel
from backend.prior.diffusion.facts import read_facts
from backend.prior.diffusion.presets import PRESETS, SamplingPreset, preset_of
from backend.prior.diffusion.prior import DiffusionPrior
from backend.prior.linear.factor_model import CoarsePrior, layout_of
from backend.prior.parameters import PriorParameters
from shared.options import REFLECTANCES, Reflectance

if TYPE_CHECKING:
    from backend.prior.diffusion.weights import DiffusionWeights

_log = logging.getLogger(__name__)
ASSET = ASSETS / "diffusion"


def shipped_diffusion(
    model: HeadModel,
    coarse: CoarsePrior,
    device: str,
    folder: Path = ASSET,
    parameters: PriorParameters = PriorParameters(),
) -> dict[str, DiffusionPrior]:
    """A prior for each of the qualities; none where there are no weights, or only for another texture layout.

    Weights are loaded at first use and shared: importing diffusers alone takes seconds.
    """
    known = read_facts(folder)
    if not known:
        return {}
    if known["layout"] != layout_of(model):
        _log.warning("The diffusion prior was trained for another texture layout and is left out.")
        return {}

    coarse = coarse.on_device(device)

    @cache
    def load() -> DiffusionWeights:
        from backend.prior.diffusion.weights import load_weights

        return load_weights(folder, device)

    configuration = known["denoiser"]["configuration"]
    presets: dict[str, dict[Reflectance, SamplingPreset]] = {
        quality: {reflectance: preset_of(configuration, quality, reflectance) for reflectance in REFLECTANCES}
        for quality in PRESETS[configuration]
    }
    return {quality: DiffusionPrior(coarse, load, chosen, parameters) for quality, chosen in presets.items()}
