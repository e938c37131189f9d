"""The chosen numbers of all stages."""

from __future__ import annotations

from dataclasses import dataclass, is_dataclass, replace
from typing import Any

from backend.delight.merging import MergeSettings
from backend.delight.parameters import DelightParameters
from backend.detail.parameters import DetailParameters
from backend.head.parameters import HeadFitParameters
from backend.photo.parameters import PhotoParameters
from backend.prior.parameters import PriorParameters
from backend.texture.parameters import UnwrapParameters


@dataclass(frozen=True)
class Parameters:
    """All chosen numbers of the method, by stage."""

    photo: PhotoParameters = PhotoParameters()
    head: HeadFitParameters = HeadFitParameters()
    unwrap: UnwrapParameters = UnwrapParameters()
    delight: DelightParameters = DelightParameters()
    merge: MergeSettings = MergeSettings()
    prior: PriorParameters = PriorParameters()
    detail: DetailParameters = DetailParameters()


def replaced(group: Any, path: str, value: Any) -> Any:
    """A group of parameters with another value of one field, named by its path such as `delight.trust.rough`.

    Raises:
        AttributeError: there is no such field.
    """
    name, _, rest = path.partition(".")
    field = getattr(group, name)
    return replace(group, **{name: replaced(field, rest, value) if is_dataclass(field) and rest else value})


def value_of(group: Any, path: str) -> Any:
    """The field of a group of parameters that a path names.

    Raises:
        AttributeError: there is no such field.
    """
    for name in path.split("."):
        group = getattr(group, name)
    return group
