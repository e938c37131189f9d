"""What a user may choose for one reconstruction, each option declared once.

Checks, the wire, the command line and Blender's properties, operators and panel follow from the declarations;
`docs/developer/adding_an_option.md` says how to add one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args

from .errors import RelightifyError
from .option_kinds import Choice, ChoiceItem, Flag, Number, Option, Unset

# Where A_d, A_s and N come from: what the photo shows, its light taken off, or all of it from the prior.
Reflectance = Literal["photo", "prior"]
REFLECTANCES: tuple[Reflectance, ...] = get_args(Reflectance)
_DECLARATION = "declaration"
MOST_SAMPLES = 8


def declared(option: Option) -> Any:
    """A field of `JobOptions` with its declaration."""
    return field(default=option.default, metadata={_DECLARATION: option})


@dataclass(frozen=True)
class JobOptions:
    """Options of one job.

    Raises:
        RelightifyError: ``bad_option``, a value is not allowed, or not together with the others.
    """

    # Chosen in the panel by its picture: a number without the picture says nothing.
    face: int | None = declared(
        Number(
            default=None,
            label="Face",
            help="Which face of the photo, in order of size from 0",
            low=0,
            high=2**31 - 1,
            whole=True,
            unset=Unset("the largest", stand_in=-1, first=0),
            shown=False,
        )
    )
    quality: str = declared(
        Choice(
            default="standard",
            label="Quality",
            help="How skin that the photo does not show is completed",
            items=(
                ChoiceItem(
                    "baseline",
                    "Baseline (mirror)",
                    "Mirrors and fills what the photo does not show; needs no trained model",
                    offered=False,
                ),
                ChoiceItem(
                    "draft",
                    "Draft (linear)",
                    "Completes the skin by the linear prior, learned statistics without a network; the quickest",
                ),
                ChoiceItem(
                    "standard",
                    "Standard (diffusion)",
                    "Completes the skin by the diffusion prior, a small network, in a few steps from the draft",
                ),
                ChoiceItem(
                    "high",
                    "High (diffusion)",
                    "Completes the skin by the diffusion prior in many steps; the slowest",
                ),
            ),
        )
    )
    reflectance: Reflectance = declared(
        Choice(
            default="photo",
            label="Reflectance",
            help="Where albedo and normals come from",
            items=(
                ChoiceItem(
                    "photo",
                    "From the photo",
                    "What the photo shows, its light taken off, continued by the prior: most like the person. For "
                    "nearly all photos",
                ),
                ChoiceItem(
                    "prior",
                    "From the prior",
                    "What the prior makes of it everywhere: less of the photo's shadows and highlights, but less like "
                    "the person. For photos in hard or mixed light",
                ),
            ),
        )
    )
    resolution: int = declared(
        Choice(
            default=1024,
            label="Maps",
            help="Size of the texture maps",
            items=tuple(
                ChoiceItem(side, f"{side} px", f"Texture maps of {side} by {side} texels")
                for side in (512, 1024, 2048, 4096)
            ),
        )
    )
    seed: int = declared(
        Number(
            default=0,
            label="Seed",
            help="0 makes the likeliest skin where the photo shows none; every other number another one that fits",
            low=0,
            high=2**32 - 1,
            whole=True,
        )
    )
    # Sample k = 1, 2, ... is what a job of one sample with the seed `seed` + k - 1 makes.
    samples: int = declared(
        Number(
            default=1,
            label="Samples",
            help="How many completions of unseen skin to make, to choose from afterwards",
            low=1,
            high=MOST_SAMPLES,
            whole=True,
        )
    )
    detail_strength: float = declared(
        Number(
            default=1.0,
            label="Detail",
            help="Strength of the fine detail that the photo does not show; 1 is as such skin has it",
            low=0,
            high=2,
            step=0.05,
            slider=True,
        )
    )
    extra_maps: bool = declared(
        Flag(
            default=False,
            label="Displacement Map",
            help="Make a map of displacement as well, for close-ups in which the fine relief should cast shadows",
        )
    )
    # Older skin has stronger creases.
    age: float | None = declared(
        Number(
            default=None,
            label="Age",
            help="Age of the person in years, for the creases of unseen skin",
            low=1,
            high=120,
            unit="years",
            unset=Unset("as photo", stand_in=0, first=40),
        )
    )
    # One photo does not tell a bright light on dark skin from a dim light on fair skin.
    skin_tone: float = declared(
        Number(
            default=0.0,
            label="Skin Tone",
            help="Stops by which the skin is lighter than estimated, or darker if negative; 1 doubles its albedo. For "
            "photos whose light was taken for brighter or dimmer than it was",
            low=-2,
            high=2,
            unit="stops",
            step=0.1,
        )
    )
    # Nor does it tell coloured light from coloured skin.
    skin_hue: float = declared(
        Number(
            default=0.0,
            label="Skin Hue",
            help="How much redder the skin is than estimated, or yellower if negative; 1 and -1 are as far apart as "
            "skins are. For photos in coloured light",
            low=-1,
            high=1,
            step=0.05,
            slider=True,
        )
    )
    # Nothing tells a drawing on skin from skin but that no light makes it.
    keep_marks: float = declared(
        Number(
            default=0.5,
            label="Keep Marks",
            help="How much of birthmarks, scars, tattoos and paint stays in the albedo: 0 makes even skin, 0.5 keeps "
            "what no light explains, 1 keeps all that differs, shadows included",
            low=0,
            high=1,
            step=0.05,
            slider=True,
        )
    )

    def __post_init__(self) -> None:
        for name, option in JOB_OPTIONS.items():
            option.check(name, getattr(self, name))
        _check_together(self)


JOB_OPTIONS: dict[str, Option] = {item.name: item.metadata[_DECLARATION] for item in fields(JobOptions)}


def choice(name: str) -> Choice:
    """The declaration of an option that is a choice."""
    option = JOB_OPTIONS[name]
    assert isinstance(option, Choice)
    return option


QUALITIES: tuple[str, ...] = choice("quality").values
RESOLUTIONS: tuple[int, ...] = choice("resolution").values


# --- what holds between options ---------------------------------------------------------------------------------

# Only these draw at random, so only they can make several samples; the backend asks the prior itself.
RANDOM_QUALITIES: tuple[str, ...] = ("draft", "standard", "high")
# The seed of the completion that a prior holds for the likeliest, where it tells one; every other seed is a draw.
LIKELIEST_SEED = 0
# Of all samples of a job together, so that a result stays within the limits of a message.
MAX_TEXELS = 4 * 4096**2


def _check_together(options: JobOptions) -> None:
    if options.samples * options.resolution**2 > MAX_TEXELS:
        most = MAX_TEXELS // options.resolution**2
        raise RelightifyError(
            "bad_option",
            f"{options.samples} samples are too many at {options.resolution} texels.",
            f"Use at most {most} samples, or a lower resolution.",
        )


# --- the wire ---------------------------------------------------------------------------------------------------


def read_options(values: object) -> JobOptions:
    """Options from a plain map of values by name, as they come over the wire; what is left out has its default.

    Raises:
        RelightifyError: ``bad_option``, also for a name that no option has.
    """
    if not isinstance(values, Mapping):
        raise RelightifyError("bad_option", "The options are no map of values by name.", _names_hint())
    unknown = [str(name)[:40] for name in values if name not in JOB_OPTIONS]
    if unknown:
        raise RelightifyError("bad_option", f"There is no option {unknown[0]!r}.", _names_hint())
    return JobOptions(**values)


def _names_hint() -> str:
    return f"Use {', '.join(JOB_OPTIONS)}."
