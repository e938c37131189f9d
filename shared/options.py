"""What a user may choose for one reconstruction; the same for command line, service and add-on."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import RelightifyError

QUALITIES: tuple[str, ...] = ("baseline", "draft", "standard", "high")
RESOLUTIONS: tuple[int, ...] = (512, 1024, 2048, 4096)


@dataclass(frozen=True)
class JobOptions:
    """Options of one job.

    Args:
        face: index of the face to reconstruct, in order of size, largest first; None takes the largest.
        quality: one of `QUALITIES`.
        resolution: side of the texture maps in texels, one of `RESOLUTIONS`.
        seed: seed of everything random in the job.
    """

    face: int | None = None
    quality: str = "draft"
    resolution: int = 1024
    seed: int = 0

    def __post_init__(self) -> None:
        if self.quality not in QUALITIES:
            raise RelightifyError(
                "bad_option", f"There is no quality {self.quality!r}.", f"Use {', '.join(QUALITIES)}."
            )
        if self.resolution not in RESOLUTIONS:
            sizes = ", ".join(map(str, RESOLUTIONS))
            raise RelightifyError("bad_option", f"There is no resolution {self.resolution}.", f"Use {sizes}.")
