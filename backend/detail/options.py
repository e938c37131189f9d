"""What a job may choose of the detail."""

from __future__ import annotations

from dataclasses import dataclass

from shared.options import JOB_OPTIONS


@dataclass(frozen=True)
class DetailOptions:
    """How detail is made.

    Args:
        strength: of the detail that the photo does not show, 1 = as strong as skin of this kind has it; 0 makes none.
        extras: displacement is made as well.
        age: of the person, years, where it is known: older skin has stronger creases. None: as the photo suggests.
    """

    strength: float = 1.0
    extras: bool = False
    age: float | None = None

    def __post_init__(self) -> None:
        JOB_OPTIONS["detail_strength"].check("detail_strength", self.strength)
