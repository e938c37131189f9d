"""The chosen numbers of telling marks of the skin from its light.

Lengths are mm on the skin; logarithms are natural, of linear colour; pairs are where a smooth step begins and ends.
How the numbers were found: docs/research/marks.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class SpotSettings:
    """Moles and freckles.

    Args:
        side: texels a side at which they are looked for; spots are larger than a texel of it.
        radii_mm: of moles and freckles.
        strength: robust deviations of blob strength by which a blob must stand out; assumed.
        contrast: log luminance below the surroundings; assumed.
        roundness: smaller over larger curvature: lines have 0, round spots 1; assumed.
    """

    side: int = 1024
    radii_mm: tuple[float, ...] = (0.45, 0.75, 1.2, 2.0)
    strength: tuple[float, float] = (4.5, 9.0)
    contrast: tuple[float, float] = (0.05, 0.12)
    roundness: tuple[float, float] = (0.25, 0.5)


@dataclass(frozen=True)
class MarkSettings:
    """Marks of the skin: what its light cannot have made. Hues are log(red / green) and log(green / blue).

    Args:
        found: whether marks are looked for; may be left out.
        rounds: in which the skin around marks is told from them, before they are looked for.
        side: texels a side at which it is told and continued, which is broad.
        tolerance: of its continuation, of the largest value.
        fewest_texels: of plain skin, to tell what is usual.
        told: linear colour below and from which hue is noise, and is told; assumed.
        plausible: hues of skin in any light, lowest and highest; training portraits.
        fewest_plausible: share of the face that must have such a hue for the rest to be paint; assumed.
        around_mm: blur of the skin around marks; assumed.
        unusual: log colour against the usual tone from which on skin tells little of its surroundings; assumed.
        rim_mm: around a mark that does not tell of the skin beside it; assumed.
        fading_mm: on which the surroundings of a mark fade into the usual skin inside of it; assumed.
        grain_mm: blur of what is judged; assumed.
        strayed: hue by which plain skin strays from its surroundings; training portraits.
        in_shade: how much more, by log luminance below them; training portraits.
        on_eyes, on_lips: how much more around the eyes and on lips, times; training portraits.
        sheen: white light that skin without a highlight reflects, linear; see `SurfaceReflection`.
        paler: sum of hues by which pale marks are whiter; training portraits.
        gained: light that a pale texel reflects more than the skin around, of what white would; training portraits.
        hair_dark, hair_hue: log luminance and hue that hair has against skin; training portraits.
        lit: log luminance from which on what is warmer too is lit by another light; assumed.
        hair_from_mm: from the border, where hair comes in.
        bluest: hue below which nothing is hair; assumed.
        area: of `strayed` from which texels form an area.
        share: of `strayed` from and up to which a texel of a mark belongs to it.
        thin_needs, ink_needs: times `strayed` that thin areas need, and dark neutral ones; training portraits.
        flush_mm, flush_needs: depth from which red areas may be a flush, and what they need; training portraits.
        broad_needs, brown_needs, pale_needs: the same times mm of their depth, for all; training portraits.
        certain: of these needs, at which an area surely is a mark.
        distrust: with which the light is estimated where a mark is, by its log colour; assumed.
        trusted: trust from which a mark is seen whole; assumed.
        grown_mm: beyond an area that may belong to it; assumed.
        border_mm: from the border of the seen, where hair and cloth come in; assumed.
        in_border: share of an area in that strip from and up to which it is none; assumed.
        pale_in_border: the same of pale areas, which may be grey hair; training portraits.
        strange: strength from and up to which hair has no such hue on a face; assumed.
        strange_in_border: as `in_border`, of such areas; assumed.
        spot_hue: sum of hues from and up to which a dark spot is pigment; assumed.
        spots: moles and freckles, which are marks too.
    """

    found: bool = True
    rounds: int = 2
    side: int = 256
    tolerance: float = 1e-3
    fewest_texels: int = 200
    told: tuple[float, float] = (0.004, 0.015)
    plausible: tuple[tuple[float, float], tuple[float, float]] = ((0.1, 1.3), (-0.15, 1.2))
    fewest_plausible: float = 0.15
    around_mm: float = 10.0
    unusual: float = 0.4
    rim_mm: float = 1.5
    fading_mm: float = 40.0
    grain_mm: float = 0.5
    strayed: float = 0.2
    in_shade: float = 0.12
    on_eyes: float = 1.5
    on_lips: float = 4.0
    sheen: float = 0.025
    paler: float = 0.0
    gained: float = 0.1
    hair_dark: float = -0.2
    hair_hue: float = 0.05
    lit: float = 0.1
    hair_from_mm: float = 1.5
    bluest: float = -0.15
    area: float = 0.8
    share: tuple[float, float] = (0.35, 0.8)
    thin_needs: float = 1.25
    ink_needs: float = 1.0
    flush_mm: float = 3.0
    flush_needs: float = 1.5
    broad_needs: float = 7.0
    brown_needs: float = 6.0
    pale_needs: float = 9.5
    certain: float = 1.3
    distrust: float = 3.0
    trusted: float = 0.5
    grown_mm: float = 2.0
    border_mm: float = 5.0
    in_border: tuple[float, float] = (0.6, 0.85)
    pale_in_border: tuple[float, float] = (0.25, 0.4)
    strange: tuple[float, float] = (1.5, 2.0)
    strange_in_border: tuple[float, float] = (0.85, 0.98)
    spot_hue: tuple[float, float] = (0.03, 0.12)
    spots: SpotSettings = SpotSettings()
