"""What a user may choose for one reconstruction; the same for command line, service and add-on."""

from __future__ import annotations

from dataclasses import dataclass

from .errors import RelightifyError

QUALITIES: tuple[str, ...] = ("baseline", "draft", "standard", "high")
RESOLUTIONS: tuple[int, ...] = (512, 1024, 2048, 4096)
MAX_SAMPLES = 8
MAX_SEED = 2**32
MAX_STRENGTH, MAX_AGE = 2, 120
MAX_TONE = 2
# Of all samples of a job together, so that a result stays within the limits of a message.
MAX_TEXELS = 4 * 4096**2


@dataclass(frozen=True)
class JobOptions:
    """Options of one job.

    Args:
        face: index of the face to reconstruct, in order of size, largest first; None takes the largest.
        quality: one of `QUALITIES`.
        resolution: side of the texture maps in texels, one of `RESOLUTIONS`.
        seed: seed of everything random in the job.
        samples: how many completions of the photo to make, 1 to `MAX_SAMPLES`; sample k = 1, 2, ... is what a job of
            one sample with the seed `seed` + k - 1 makes. Only the qualities that draw at random can make several.
        detail_strength: of the fine detail that the photo does not show, 0 to 2; 1 = as skin of this kind has it.
        extra_maps: displacement and roughness are made as well.
        age: of the person, years, where the user states it; older skin has stronger creases. None: as the photo looks.
        skin_tone: stops by which the skin is lighter than estimated, -2 (a quarter of the albedo) to 2, as far as skin
            goes; one photo does not tell a bright light on dark skin from a dim light on fair skin.
    """

    face: int | None = None
    quality: str = "standard"
    resolution: int = 1024
    seed: int = 0
    samples: int = 1
    detail_strength: float = 1.0
    extra_maps: bool = False
    age: float | None = None
    skin_tone: float = 0.0

    def __post_init__(self) -> None:
        if self.quality not in QUALITIES:
            raise RelightifyError(
                "bad_option", f"There is no quality {self.quality!r}.", f"Use {', '.join(QUALITIES)}."
            )
        if self.resolution not in RESOLUTIONS:
            sizes = ", ".join(map(str, RESOLUTIONS))
            raise RelightifyError("bad_option", f"There is no resolution {self.resolution}.", f"Use {sizes}.")
        if type(self.seed) is not int or not 0 <= self.seed < MAX_SEED:
            raise RelightifyError(
                "bad_option", f"{self.seed!r} is not a seed.", f"Use a whole number from 0 to {MAX_SEED - 1}."
            )
        if type(self.samples) is not int or not 1 <= self.samples <= MAX_SAMPLES:
            raise RelightifyError(
                "bad_option", f"{self.samples} samples cannot be made.", f"Use a number from 1 to {MAX_SAMPLES}."
            )
        if not _is_number(self.detail_strength, 0, MAX_STRENGTH):
            raise RelightifyError(
                "bad_option",
                f"There is no detail strength {self.detail_strength!r}.",
                f"Use a number from 0 to {MAX_STRENGTH}.",
            )
        if self.age is not None and not _is_number(self.age, 0, MAX_AGE):
            raise RelightifyError(
                "bad_option", f"{self.age!r} is not an age.", f"Use years from 0 to {MAX_AGE}, or leave it out."
            )
        if not _is_number(self.skin_tone, -MAX_TONE, MAX_TONE):
            raise RelightifyError(
                "bad_option",
                f"There is no skin tone {self.skin_tone!r}.",
                f"Use stops from -{MAX_TONE}, darker than estimated, to {MAX_TONE}, lighter.",
            )
        if not isinstance(self.extra_maps, bool):
            raise RelightifyError("bad_option", "Extra maps are wanted or not.", "Use true or false.")
        if self.samples * self.resolution**2 > MAX_TEXELS:
            most = MAX_TEXELS // self.resolution**2
            raise RelightifyError(
                "bad_option",
                f"{self.samples} samples are too many at {self.resolution} texels.",
                f"Use at most {most} samples, or a lower resolution.",
            )


def _is_number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high
