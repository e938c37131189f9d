"""Chosen numbers of six stages of which a change by a tenth must show. What they are called now stands here alone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from backend.parameters import Parameters, replaced, value_of
from backend.pipeline import Pipeline


@dataclass(frozen=True)
class Number:
    """A number of the method.

    Args:
        stage: what it belongs to.
        path: fields from `Parameters` down, or a module and the name of a constant that training shares.
    """

    stage: str
    path: str

    @property
    def module(self) -> str | None:
        return self.path.rpartition(".")[0] if self.path.startswith("backend.") else None


NUMBERS = (
    Number("fit", "head.landmarks.sigma"),
    Number("light", "backend.rendering.light_transfer.BOUNCE"),
    Number("delight", "prior.residual_shading.kept"),
    Number("tone", "delight.skin_tone.exposure"),
    Number("prior", "prior.estimate.texture_noise"),
    Number("detail", "backend.texture.relief.MM_PER_DENSITY"),
)


@contextmanager
def scaled(number: Number, factor: float) -> Iterator[Pipeline]:
    """A pipeline with another value; it runs inside."""
    if number.module is None:
        usual = value_of(Parameters(), number.path)
        yield Pipeline("cpu", replaced(Parameters(), number.path, usual * factor))
        return
    module, name = importlib.import_module(number.module), number.path.rpartition(".")[2]
    usual = getattr(module, name)
    setattr(module, name, usual * factor)
    try:
        yield Pipeline("cpu")
    finally:
        setattr(module, name, usual)
