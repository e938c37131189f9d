"""The chosen numbers of what is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HidingSettings:
    """Texels that are hidden, and compared.

    Args:
        known: visibility from which a texel was certainly seen in the photo.
        hidden: visibility up to which it is certainly not seen from the yaw.
        fewest_texels: that are worth a figure.
        around_mm: of the face that is counted; further down it is collars that are taken for skin.
    """

    known: float = 0.9
    hidden: float = 0.1
    fewest_texels: int = 400
    around_mm: float = 12.0


@dataclass(frozen=True)
class FigureSettings:
    """Pictures of fits.

    Args:
        side_px: of a picture.
        margin: side of the cut-out over the face's extent.
    """

    side_px: int = 480
    margin: float = 1.45


@dataclass(frozen=True)
class DetailTaskSettings:
    """Where detail is compared.

    Args:
        known: visibility from which a texel was certainly seen.
        border_mm: from the border of that.
        kept: sRGB value by which the texture may stray from the photo: further, the photo was not trusted.
    """

    known: float = 0.9
    border_mm: float = 3.0
    kept: float = 0.02


@dataclass(frozen=True)
class OrbitSettings:
    """Cameras that look at a head from other sides.

    Args:
        distance_m: metres from the head.
        side_px: of their pictures.
    """

    distance_m: float = 0.9
    side_px: int = 640
