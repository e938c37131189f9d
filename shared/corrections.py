"""What a hand has corrected of a fit: points of the head, and the pixels of the photo where they belong.

The same plain form is in `reconstruction.json` (key `corrections`), in the file that `--landmarks` reads, on the wire
and in Blender's files.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn

from .errors import RelightifyError

MAX_CORRECTIONS = 128
MAX_HANDLE_NAME = 64
# Farther out than any photo is wide; what lies outside of the photo may still be pointed at.
MAX_PIXEL = 1e6
MAX_VERTEX = 2**31 - 1
LANDMARKS = 478
KINDS = ("handle", "landmark", "vertices")


def _wrong(what: str) -> NoReturn:
    raise RelightifyError(
        "bad_corrections",
        f"The corrected landmarks cannot be used: {what}.",
        'Each is {"handle": NAME, "pixel": [X, Y]}, or has "landmark": NUMBER, or "vertices" and "weights", instead.',
    )


@dataclass(frozen=True)
class Correction:
    """One point of the head and where the photo shows it; the point is given in exactly one of three ways.

    Args:
        pixel: x, y in the upright photo, pixel centres at .5, y down.
        handle: a name of `backend.head.correction.handles`, such as ``chin``.
        landmark: one of the 478 MediaPipe landmarks.
        vertices: three vertices of the head model: a point anywhere on the mesh.
        weights: how much of each, with a sum of 1.

    Raises:
        RelightifyError: ``bad_corrections``.
    """

    pixel: tuple[float, float]
    handle: str | None = None
    landmark: int | None = None
    vertices: tuple[int, int, int] | None = None
    weights: tuple[float, float, float] | None = None

    def __post_init__(self) -> None:
        if not _numbers(self.pixel, 2) or max(map(abs, self.pixel)) > MAX_PIXEL:
            _wrong("a pixel is not two numbers")
        given = [kind for kind in KINDS if getattr(self, kind) is not None]
        if len(given) != 1 or (self.weights is None) != (self.vertices is None):
            _wrong("a point is not given in one way")
        if self.handle is not None and not (isinstance(self.handle, str) and 0 < len(self.handle) <= MAX_HANDLE_NAME):
            _wrong("a handle has no short name")
        if self.landmark is not None and not _whole(self.landmark, LANDMARKS - 1):
            _wrong(f"a landmark is no number from 0 to {LANDMARKS - 1}")
        if self.vertices is not None and self.weights is not None:
            if len(self.vertices) != 3 or not all(_whole(vertex, MAX_VERTEX) for vertex in self.vertices):
                _wrong("the vertices of a point are not three whole numbers")
            if not _numbers(self.weights, 3) or min(self.weights) < -1e-3 or abs(sum(self.weights) - 1) > 1e-3:
                _wrong("the weights of a point are not three parts of one")

    @property
    def point(self) -> tuple[Any, ...]:
        """What tells this point of the head from others."""
        return self.handle, self.landmark, self.vertices, self.weights

    def plain(self) -> dict[str, Any]:
        """Plain values for JSON, msgpack and Blender's custom properties; what is not given is left out."""
        found: dict[str, Any] = {"pixel": list(self.pixel)}
        for name in ("handle", "landmark"):
            if getattr(self, name) is not None:
                found[name] = getattr(self, name)
        for name in ("vertices", "weights"):
            if getattr(self, name) is not None:
                found[name] = list(getattr(self, name))
        return found


@dataclass(frozen=True)
class Corrections:
    """All that was corrected of one photo's fit; no point twice.

    Args:
        points: at most `MAX_CORRECTIONS`.

    Raises:
        RelightifyError: ``bad_corrections``.
    """

    points: tuple[Correction, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.points, tuple) or not all(isinstance(point, Correction) for point in self.points):
            _wrong("they are no list of points")
        if len(self.points) > MAX_CORRECTIONS:
            _wrong(f"there are more than {MAX_CORRECTIONS}")
        if len({point.point for point in self.points}) < len(self.points):
            _wrong("a point is given twice")

    def __bool__(self) -> bool:
        return bool(self.points)

    def plain(self) -> list[dict[str, Any]]:
        """See `Correction.plain`."""
        return [point.plain() for point in self.points]

    def with_point(self, correction: Correction) -> Corrections:
        """These with one more, which takes the place of the older one of the same point."""
        return Corrections((*self.without(correction).points, correction))

    def without(self, correction: Correction) -> Corrections:
        """These but for the one of the same point."""
        return Corrections(tuple(point for point in self.points if point.point != correction.point))


def read_corrections(values: object) -> Corrections:
    """Corrections from plain values: a list of points, or a map that has one under `corrections`.

    Raises:
        RelightifyError: ``bad_corrections``.
    """
    if isinstance(values, Mapping):
        if "corrections" not in values:
            _wrong("there is no list named corrections")
        values = values["corrections"]
    if isinstance(values, str | bytes) or not isinstance(values, Sequence):
        _wrong("they are no list of points")
    return Corrections(tuple(_read(value) for value in values[: MAX_CORRECTIONS + 1]))


def _read(value: object) -> Correction:
    if not isinstance(value, Mapping):
        _wrong("a point is no map of values by name")
    unknown = [str(name)[:40] for name in value if name not in ("pixel", "weights", *KINDS)]
    if unknown:
        _wrong(f"a point has no {unknown[0]!r}")
    if "pixel" not in value:
        _wrong("a point has no pixel")
    lists = {name: _tuple(value[name]) for name in ("pixel", "vertices", "weights") if name in value}
    return Correction(**{**value, **lists})


def _tuple(value: object) -> tuple[Any, ...]:
    if isinstance(value, str | bytes) or not isinstance(value, Iterable):
        _wrong("numbers are not in a list")
    return tuple(value)


def _numbers(values: object, count: int) -> bool:
    return (
        isinstance(values, tuple)
        and len(values) == count
        and all(isinstance(v, int | float) and not isinstance(v, bool) and isfinite(v) for v in values)
    )


def _whole(value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= most
