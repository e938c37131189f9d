"""The linear model fitted to the very texels that are hidden: what there is to be won with it at all."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.prior.channels import LINEAR
from backend.prior.linear.estimate import coarse_estimate
from backend.prior.linear.factor_model import CoarsePrior
from backend.prior.linear.prior import joined
from backend.prior.parameters import EstimateSettings, PriorParameters

# Every texel counts in full, and only its own noise is in the way.
TRUSTING = replace(EstimateSettings(), texture_effective=np.inf, albedo_effective=1e-6, texture_noise=0.0)


def oracle_completion(
    coarse: CoarsePrior,
    delit: DelightedTexture,
    whole: DelightedTexture,
    parameters: PriorParameters = PriorParameters(),
) -> np.ndarray:
    """Log texture float32 [B, B, 3], joined to what is seen as any completion is, expected by who knows the rest.

    Args:
        coarse: the linear prior.
        delit: the photo with a part hidden.
        whole: the same photo with nothing hidden.
        parameters: of joining.
    """
    expected = coarse_estimate(coarse, whole, TRUSTING).maps(len(delit.weight))
    return joined(delit.log_seen, expected[..., LINEAR.texture], delit, parameters.joining).colour
