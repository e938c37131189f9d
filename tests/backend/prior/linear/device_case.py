"""A face completed by the linear prior, by NumPy and on a device: how far the two are from each other."""

from __future__ import annotations

import numpy as np

from backend.delight.delighting import delight
from backend.imaging.arrays import is_tensor, to_host
from backend.prior.interface import CompletedMaps
from backend.prior.linear.factor_model import shipped_prior
from backend.prior.linear.prior import LinearPrior
from backend.progress import Progress
from shared.options import LIKELIEST_SEED
from tests.backend.completing import frontal_skin
from tests.backend.prior.diffusion.test_shipped import painted_face

SIDE = 256
# The largest difference that is allowed but for a texel in a thousand: of logarithms, and of specular albedo.
LIMITS = {"log_texture": 1e-3, "log_albedo": 1e-3, "log_relief": 1e-3, "specular_albedo": 1e-4}


def completed(device: str) -> CompletedMaps:
    """The likeliest completion of a painted face."""
    skin = frontal_skin(SIDE)
    coarse = shipped_prior(skin.model)
    assert coarse is not None
    delit = delight(painted_face(skin), skin)
    (maps,) = LinearPrior(coarse.on_device(device)).complete(delit, [LIKELIEST_SEED], Progress())
    assert is_tensor(maps.log_texture) == (device != "cpu")
    return maps


def differences(reference: CompletedMaps, found: CompletedMaps) -> dict[str, float]:
    """By name as `LIMITS`."""
    island = frontal_skin(SIDE).uv_space.mask
    apart = {name: np.abs(getattr(reference, name) - to_host(getattr(found, name)))[island] for name in LIMITS}
    return {name: float(np.quantile(difference, 0.999)) for name, difference in apart.items()}
