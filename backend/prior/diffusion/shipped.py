"""The diffusion prior of this installation."""

from __future__ import annotations

import json
import logging
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from backend.asset_files import ASSETS
from backend.head.model import HeadModel
from backend.prior.diffusion.prior import PRESETS, DiffusionPrior
from backend.prior.linear.factor_model import CoarsePrior, layout_of

if TYPE_CHECKING:
    from backend.prior.diffusion.weights import DiffusionWeights

_log = logging.getLogger(__name__)
ASSET = ASSETS / "diffusion"
FACTS = "relightify.json"


def shipped_diffusion(
    model: HeadModel, coarse: CoarsePrior, device: str, folder: Path = ASSET
) -> dict[str, DiffusionPrior]:
    """A prior for each of the qualities; none where there are no weights, or only for another texture layout.

    Weights are loaded at first use and shared: importing diffusers alone takes seconds.
    """
    facts = folder / FACTS
    if not facts.is_file():
        return {}
    known = json.loads(facts.read_text(encoding="utf-8"))
    if known["layout"] != layout_of(model):
        _log.warning("The diffusion prior was trained for another texture layout and is left out.")
        return {}

    @cache
    def load() -> DiffusionWeights:
        from backend.prior.diffusion.weights import load_weights

        return load_weights(folder, device)

    presets = PRESETS[known["denoiser"]["configuration"]]
    return {quality: DiffusionPrior(coarse, load, preset) for quality, preset in presets.items()}
