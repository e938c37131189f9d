"""The chosen numbers of the table `photos`; natural logarithms of linear colour."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class KeptMarksSettings:
    """How it is measured which share of the marks the albedo keeps.

    Args:
        marked: log colour from which on a texel counts as a mark; assumed.
        seen: visibility and trust from which on a texel counts; assumed.
        trusted: trust from which on what was painted counts, as `DelightedTexture.weight`; assumed.
        fewest_texels: of marks, where there is anything to measure; assumed.
        rim_mm: around marks that does not tell of the skin beside them; assumed.
        fading_mm: on which the skin around fades into the usual one inside of a mark; assumed.
    """

    marked: float = 0.1
    seen: float = 0.5
    trusted: float = 0.9
    fewest_texels: int = 30
    rim_mm: float = 1.5
    fading_mm: float = 40.0


@dataclass(frozen=True)
class SheetSettings:
    """How the contact sheet shows a photo.

    Args:
        tile_px: side of each picture.
        relief: times that normals are tilted, as relief of skin is too shallow to be seen in a small picture.
        not_seen: grey of what the photo does not show, sRGB in [0, 1].
    """

    tile_px: int = 224
    relief: float = 3.0
    not_seen: float = 0.13
