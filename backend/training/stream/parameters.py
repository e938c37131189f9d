"""The chosen numbers of what makes samples look like photographs; how they were found: docs/research/draws.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CameraSettings:
    """What cameras make of light.

    Args:
        exposure: deviation of the log exposure against the metered one; assumed.
        contrast: mean and deviation of the steepness k of the sigmoid tone curve, 0 is none; training people and
            public photographs.
        most: of it.
        pivot: sRGB value that the curve leaves as it is; assumed.
        knee: linear level above which highlights are compressed; assumed.
    """

    exposure: float = 0.22
    contrast: tuple[float, float] = (3.0, 1.0)
    most: float = 5.0
    pivot: float = 0.5
    knee: float = 0.8


@dataclass(frozen=True)
class PigmentBounds:
    """How far the colour of broad patches strays from the skin's mean, in optical density.

    Args:
        covariance: of red, green and blue over the plain skin of the training pack's people.
        distance: bound, in standard deviations: 99 % of the usual person's patches lie within 3.9.
        broad_mm: blur (sigma) of what counts as broad; assumed.
        hair: density above the mean from which a place is hair, and how steeply the bounds end there, per density.
    """

    covariance: tuple[tuple[float, float, float], ...] = (
        (0.0145, 0.0084, 0.0069),
        (0.0084, 0.0110, 0.0104),
        (0.0069, 0.0104, 0.0150),
    )
    distance: float = 4.0
    broad_mm: float = 1.5
    hair: tuple[float, float] = (0.45, 12.0)


@dataclass(frozen=True)
class WhiskerSettings:
    """Hair of the face.

    Args:
        brow_contrast: by how much in density brows are darker than the skin at least; training people.
        thinning_mm: blur (sigma) over which whiskers thin out towards the border of where they grow; assumed.
        shaded: what is deep in a beard is as bright as this share of its hair; assumed.
        bare: share of the blurred area below which nothing grows, so that no border shows; assumed.
    """

    brow_contrast: float = 0.4
    thinning_mm: float = 7.0
    shaded: float = 0.4
    bare: float = 0.3
