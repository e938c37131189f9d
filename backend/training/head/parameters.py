"""The chosen numbers of building the head model; lengths in metres."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class MeanHeadSettings:
    """The mean head.

    Args:
        back_off: that crossing skin backs off at a time.
        root_share: of the height of a row of ICT teeth that is left out.
        teeth_behind: of where they would touch the lips.
    """

    back_off: float = 2.5e-5
    root_share: float = 0.3
    teeth_behind: float = 0.0015
