"""Constants of six stages of which a change by a tenth must show. What they are called now stands here alone."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType


@dataclass(frozen=True)
class Constant:
    """A number of the method.

    Args:
        stage: what it belongs to.
        where: the module that it is found in.
        name: what it is called there; fields of frozen values by their path, such as `SKIN.relief.mm_per_density`.
    """

    stage: str
    where: str
    name: str


CONSTANTS = (
    Constant("fit", "backend.head.landmark_fit", "LANDMARK_SIGMA"),
    Constant("light", "backend.rendering.skin_model", "SKIN.bounce.of_hidden"),
    Constant("delight", "backend.delight.residual_shading", "KEPT"),
    Constant("tone", "backend.delight.skin_tone", "TYPICAL_EXPOSURE"),
    Constant("prior", "backend.prior.linear.estimate", "TEXTURE_NOISE"),
    Constant("detail", "backend.rendering.skin_model", "SKIN.relief.mm_per_density"),
)


@contextmanager
def scaled(constant: Constant, factor: float) -> Iterator[None]:
    """What is done inside runs with another value."""
    owner: object = importlib.import_module(constant.where)
    *path, name = constant.name.split(".")
    for step in path:
        owner = getattr(owner, step)
    usual = getattr(owner, name)
    # Frozen values are shared by all that read them: only changed in place does the change reach everybody.
    put = setattr if isinstance(owner, ModuleType) else object.__setattr__
    put(owner, name, usual * factor)
    try:
        yield
    finally:
        put(owner, name, usual)
