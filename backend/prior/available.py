"""The priors of this installation, by quality."""

from __future__ import annotations

from backend.head.model import HeadModel
from backend.prior.classical.prior import ClassicalPrior
from backend.prior.diffusion.shipped import shipped_diffusion
from backend.prior.interface import Prior
from backend.prior.linear.factor_model import shipped_prior
from backend.prior.linear.prior import LinearPrior
from backend.prior.parameters import PriorParameters


def available_priors(
    model: HeadModel, device: str = "cpu", parameters: PriorParameters = PriorParameters()
) -> dict[str, Prior]:
    """The priors of this installation that fit the head model, by quality; networks and estimates run on `device`."""
    priors: dict[str, Prior] = {"baseline": ClassicalPrior(parameters.joining.fill)}
    coarse = shipped_prior(model)
    if coarse is not None:
        coarse = coarse.on_device(device)
        priors["draft"] = LinearPrior(coarse, parameters)
        priors.update(shipped_diffusion(model, coarse, device, parameters=parameters))
    return priors
