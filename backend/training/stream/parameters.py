"""The chosen numbers of what makes samples look like photographs; how they were found: docs/research/draws.md."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CameraSettings:
    """What cameras make of light.

    Args:
        exposure: mean and deviation of the log exposure against the metered one; training people and public photographs.
        contrast: mean and deviation of the steepness k of the sigmoid tone curve, 0 is none; training people and
            public photographs.
        most: of it.
        pivot: sRGB value that the curve leaves as it is; assumed.
        knee: linear level above which highlights are compressed; assumed.
    """

    exposure: tuple[float, float] = (-0.1, 0.22)
    contrast: tuple[float, float] = (3.0, 1.0)
    most: float = 5.0
    pivot: float = 0.5
    knee: float = 0.8


@dataclass(frozen=True)
class PigmentBounds:
    """What broad fields of pigment reach on plain skin, against its mean, in units of density.

    Half a percent and 99.5 % quantiles of the usual person of the training pack, rounded up.

    Args:
        paler: melanin may be less by so much; more of it has no bound, hair and moles among it.
        blood: haemoglobin may be less or more by so much.
        hue: along the direction of colour that neither pigment makes, either way.
        broad_mm: blur (sigma) of what counts as broad.
        hair: melanin from which a place is hair, which has other colours, and how fast the bounds end there.
    """

    paler: float = 0.42
    blood: float = 0.42
    hue: float = 0.14
    broad_mm: float = 1.5
    hair: tuple[float, float] = (0.7, 8.0)


@dataclass(frozen=True)
class WhiskerSettings:
    """Hair of the face.

    Args:
        brow_contrast: by how much in density brows are darker than the skin at least; training people.
        thinning_mm: blur (sigma) over which whiskers thin out towards the border of where they grow; assumed.
        bare: share of the blurred area below which nothing grows, so that no border shows; assumed.
    """

    brow_contrast: float = 0.4
    thinning_mm: float = 5.0
    bare: float = 0.3
