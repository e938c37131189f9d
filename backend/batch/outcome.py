"""What became of a head; light, since whoever only hands work out has no need of the models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class HeadOutcome:
    """What became of a head.

    Args:
        files: by name in the head's folder; empty where it failed.
        strip: JPEG of photo, diffuse albedo, specular albedo and normals side by side; empty where it failed.
        code, message: of the error; empty where there is none.
        warnings: sentences about what may have spoilt the head.
        seconds: that it took.
    """

    files: Mapping[str, bytes]
    strip: bytes
    code: str
    message: str
    warnings: tuple[str, ...]
    seconds: float


def failed(code: str, message: str, seconds: float = 0.0) -> HeadOutcome:
    """The outcome of a head that could not be made."""
    return HeadOutcome({}, b"", code, message, (), seconds)
