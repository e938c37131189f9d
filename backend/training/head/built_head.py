"""What building the head model gives, for its report to look at."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from backend.head.model import HeadModel
from backend.training.head.mean_head import MeanHead
from backend.training.head.registration.deformation_transfer import Carrier
from backend.training.head.sources.hm08 import HeadTopology
from backend.training.head.sources.ict import IctModel
from backend.training.uv.layout import SkinUV


@dataclass(frozen=True)
class BuiltHead:
    """Everything the report looks at.

    Args:
        model: what ships.
        topology, mean, carrier, ict: how it came about; `mean` is centred between the ICT eyeballs.
        origin: float64 [3], the model's origin in that frame.
        mass: float64 [V], the metric.
        layout: the skin's texture space.
        deviations: float64 [100], standard deviations of the modes (metres, root mean square over the metric).
        valid: registered VALID heads, aligned with the mean: name, held out, vertices [V, 3] (NaN off the skin).
    """

    model: HeadModel
    topology: HeadTopology
    mean: MeanHead
    carrier: Carrier
    ict: IctModel
    origin: np.ndarray
    mass: np.ndarray
    layout: SkinUV
    deviations: np.ndarray
    valid: tuple[tuple[str, bool, np.ndarray], ...]
