"""Constants of six stages of which a change by a tenth must show. What they are called now stands here alone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True)
class Constant:
    """A number of the method.

    Args:
        stage: what it belongs to.
        where: the module whose code reads it.
        name: what it is called there.
    """

    stage: str
    where: str
    name: str


CONSTANTS = (
    Constant("fit", "backend.head.landmark_fit", "LANDMARK_SIGMA"),
    Constant("light", "backend.rendering.light_transfer", "BOUNCE"),
    Constant("delight", "backend.delight.residual_shading", "KEPT"),
    Constant("tone", "backend.delight.skin_tone", "TYPICAL_EXPOSURE"),
    Constant("prior", "backend.prior.linear.estimate", "TEXTURE_NOISE"),
    Constant("detail", "backend.texture.relief", "MM_PER_DENSITY"),
)


@contextmanager
def scaled(constant: Constant, factor: float) -> Iterator[None]:
    """What is done inside runs with another value."""
    module = importlib.import_module(constant.where)
    usual = getattr(module, constant.name)
    setattr(module, constant.name, usual * factor)
    try:
        yield
    finally:
        setattr(module, constant.name, usual)
