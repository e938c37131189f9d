"""The chosen numbers of all stages."""

from __future__ import annotations

from dataclasses import dataclass

from backend.delight.parameters import DelightParameters
from backend.prior.parameters import PriorParameters


@dataclass(frozen=True)
class Parameters:
    """All chosen numbers of the method, by stage."""

    delight: DelightParameters = DelightParameters()
    prior: PriorParameters = PriorParameters()
