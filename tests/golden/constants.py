"""Chosen numbers of six stages of which a change by a tenth must show. What they are called now stands here alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.parameters import Parameters, replaced, value_of
from backend.pipeline import Pipeline
from backend.rendering.skin_model import SKIN


@dataclass(frozen=True)
class Number:
    """A number of the method.

    Args:
        stage: what it belongs to.
        path: fields from `Parameters` down, or from `SKIN` for what is assumed of all skin and training shares.
    """

    stage: str
    path: str


NUMBERS = (
    Number("fit", "head.landmarks.sigma_m"),
    Number("light", "SKIN.bounce.of_hidden"),
    Number("delight", "prior.residual_shading.kept"),
    Number("tone", "delight.skin_tone.exposure"),
    Number("prior", "prior.estimate.texture_noise"),
    Number("detail", "SKIN.relief.mm_per_density"),
)


@contextmanager
def scaled(number: Number, factor: float) -> Iterator[Pipeline]:
    """A pipeline with another value; it runs inside."""
    of_skin = number.path.removeprefix("SKIN.")
    if of_skin == number.path:
        usual = value_of(Parameters(), number.path)
        yield Pipeline("cpu", replaced(Parameters(), number.path, usual * factor))
        return
    group, name = of_skin.split(".")
    owner, usual = getattr(SKIN, group), value_of(SKIN, of_skin)
    # All share the one frozen value: only changed in place does the change reach everybody.
    object.__setattr__(owner, name, usual * factor)
    try:
        yield Pipeline("cpu")
    finally:
        object.__setattr__(owner, name, usual)
