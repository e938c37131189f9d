"""The chosen numbers of telling marks of the skin from its light.

Lengths are mm on the skin; logarithms are natural, of linear colour; pairs are where a smooth step begins and ends.
How the numbers were found: docs/research/marks.md. `training portraits` are few here, with marks painted on them.
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
class PatchKind:
    """A kind of mark that ends sharply.

    Args:
        bright: whether it is lighter than the skin around.
        needs: by measure, from and up to which value of it a patch is of the kind; the first may be the larger, and the
            last of a name counts.
        cut: what patches are cut out by: `luminance`; `red`, log red over green, which blood raises; `brown`, log red
            over blue, which melanin raises; `fair`, log blue over red, which skin without melanin has more of.

    Measures: log luminance `contrast`; `strength` of what patches are cut out by; its share at which the patch is cut
    out, `half`; `sharp`, share of the border over which it rises as steeply as `ClosedSettings` asks; `flat`, share of
    the area of nearly full strength; `depth` in mm of the largest circle inside; `area` in mm2; `slender`, length over
    width; `red` and `yellow`, hues against the skin around; `brown`, their sum; `step`, the contrast as a step over the
    border; `pigment`, the hues' steps over that, which pigment of the skin has more of than shade; `greener`, by how
    much more linear green than red it gains there, of which light and highlights give less, or as much; `even`, share
    of the area of nearly full hue; `hue`, their size; `redder`, what is red and not yellow; and the shares of it by the
    `border` of what was seen, on a `feature` (brows, eyes, beside the lips), the `nose`, a `beard`, a beard's place on
    both sides of the face (`bearded`), and `outside` the face; `folded`, how far a line has its like on the other side
    within `ClosedSettings.folds_mm`.
    """

    bright: bool
    needs: tuple[tuple[str, float, float], ...]
    cut: str = "luminance"


PAINT = PatchKind(
    True,
    (
        ("contrast", 0.4, 0.55),
        ("depth", 0.9, 1.5),
        ("nose", 0.35, 0.2),
        ("sharp", 0.5, 0.65),
        ("flat", 0.58, 0.68),
        ("half", 0.68, 0.6),
    ),
)
PALE_SCAR = PatchKind(
    True,
    (
        ("contrast", 0.15, 0.22),
        ("depth", 2.5, 2.0),
        ("slender", 3.0, 4.2),
        ("area", 5, 9),
        ("nose", 0.35, 0.2),
        ("flat", 0.45, 0.58),
        ("half", 0.9, 0.84),
    ),
)
# Light adds red before green, and highlights as much of both; only skin that lacks pigment gains more green.
_PALER = (
    ("step", 0.25, 0.3),
    ("greener", 1.04, 1.12),
    ("sharp", 0.7, 0.78),
    ("depth", 1.5, 2.0),
    ("nose", 0.35, 0.2),
    ("flat", 0.0, 0.01),
)
VITILIGO = PatchKind(True, _PALER)
VITILIGO_BY_HUE = PatchKind(True, _PALER, "fair")
INK = PatchKind(
    False,
    (("contrast", 0.4, 0.6), ("sharp", 0.75, 0.9), ("depth", 1.4, 1.9), ("hue", 0.14, 0.2), ("nose", 0.5, 0.3)),
)
STAIN = PatchKind(False, (("contrast", 0.3, 0.5), ("depth", 2.5, 3.5), ("hue", 0.2, 0.28), ("nose", 0.5, 0.3)))
RED_SCAR = PatchKind(
    False,
    (
        ("contrast", 0.12, 0.2),
        ("sharp", 0.7, 0.85),
        ("redder", 0.1, 0.16),
        ("area", 2, 4),
        ("nose", 0.35, 0.2),
        ("even", 0.42, 0.52),
        ("flat", 0.0, 0.01),
        ("half", 0.85, 0.8),
    ),
)
FRECKLE = PatchKind(
    False,
    (
        ("contrast", 0.14, 0.2),
        ("sharp", 0.8, 0.95),
        ("flat", 0.4, 0.5),
        ("border", 0.8, 0.55),
        ("brown", 0.06, 0.1),
        ("red", 0.0, 0.03),
        ("slender", 4.2, 3.4),
        ("depth", 2.6, 2.0),
    ),
)
_MELANIN = (
    ("strength", 0.2, 0.3),
    ("contrast", 0.08, 0.15),
    ("pigment", 0.42, 0.54),
    ("depth", 1.0, 1.5),
    ("nose", 0.35, 0.2),
)
_BLOOD = (
    ("strength", 0.14, 0.2),
    ("contrast", 0.04, 0.08),
    ("pigment", 0.42, 0.54),
    ("redder", 0.1, 0.16),
    ("nose", 0.35, 0.2),
)
# In a beard's place a mark must be broader than tufts of hair, and on one side alone.
_BY_THE_JAW = (("beard", 2.0, 1.0), ("bearded", 0.6, 0.3), ("depth", 2.5, 3.5))
BROWN = PatchKind(False, _MELANIN, "brown")
BROWN_BY_THE_JAW = PatchKind(False, (*_MELANIN, *_BY_THE_JAW), "brown")
RED = PatchKind(False, _BLOOD, "red")
RED_BY_THE_JAW = PatchKind(False, (*_BLOOD, *_BY_THE_JAW), "red")


@dataclass(frozen=True)
class ClosedSettings:
    """Patches that end sharply.

    Args:
        grain_mm: blur of what is judged; assumed.
        near_mm: blur of what thin patches are told against; assumed.
        unusual: log luminance from which on a texel tells little of that; assumed.
        white_over_usual: green over red of light, over that of what brighter skin of a face mostly gains; training
            people in white light.
        levels: log luminance against the skin around at which patches are cut out; assumed.
        area: mm2 that a patch has at least and at most; assumed.
        edge_mm: on either side of a border within which a sharp one rises; assumed.
        edge_share: of a patch's contrast that it rises there; assumed.
        grown_mm: beyond a patch that may belong to it; assumed.
        part: share of a patch's contrast from and up to which a texel belongs to it; assumed.
        border_mm: from what was not seen: hair, cloth, lids, nostrils; assumed.
        beside_nose_mm: of the nose and the lips, where wings, corners and rims make folds and shadows; assumed.
        folds_mm: by how far folds of both sides may miss each other's mirror image; assumed.
        line: `slender` from and up to which a patch is a line, as folds are; assumed.
        line_mm: `depth` up to and from which it is; assumed.
        of_all: what all kinds need, where they do not say otherwise, see `PatchKind`; training people.
        kinds: of patches; painted and untouched training people.
    """

    grain_mm: float = 0.4
    near_mm: float = 4.0
    unusual: float = 0.15
    white_over_usual: float = 1.3
    levels: tuple[float, ...] = (0.08, 0.12, 0.18, 0.27, 0.4, 0.6, 0.9)
    area: tuple[float, float] = (1.5, 3000.0)
    edge_mm: float = 1.2
    edge_share: float = 0.6
    grown_mm: float = 1.0
    part: tuple[float, float] = (0.1, 0.35)
    border_mm: float = 3.0
    beside_nose_mm: float = 3.0
    folds_mm: float = 3.0
    line: tuple[float, float] = (2.0, 3.0)
    line_mm: tuple[float, float] = (3.0, 2.0)
    of_all: tuple[tuple[str, float, float], ...] = (
        ("folded", 0.85, 0.65),
        ("half", 0.8, 0.7),
        ("sharp", 0.62, 0.75),
        ("flat", 0.5, 0.62),
        ("feature", 0.35, 0.2),
        ("beard", 0.75, 0.5),
        ("border", 0.35, 0.15),
        ("outside", 0.9, 0.6),
    )
    kinds: tuple[PatchKind, ...] = (
        PAINT,
        PALE_SCAR,
        VITILIGO,
        VITILIGO_BY_HUE,
        INK,
        STAIN,
        RED_SCAR,
        FRECKLE,
        BROWN,
        BROWN_BY_THE_JAW,
        RED,
        RED_BY_THE_JAW,
    )


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
        doubtful: share of a mark from and up to which a texel tells less of the skin beside it, and nothing; painted
            training people.
        fading_mm: on which the surroundings of a mark fade into the usual skin inside of it; assumed.
        grain_mm: blur of what is judged; assumed.
        strayed: hue by which plain skin strays from its surroundings; training portraits.
        in_shade: how much more, by log luminance below them; training portraits.
        shade: log luminance against the skin around below which the hue of this photo's shade is told; assumed.
        shade_slope: hues that shade has for each unit of that, at most in usual photos; training portraits.
        on_eyes, on_lips: how much more around the eyes and on lips, times; training portraits.
        sheen: white light that skin without a highlight reflects, linear; see `SurfaceReflection`.
        paler: sum of hues by which pale marks are whiter, highlights of yellowish light at least .25; three photos.
        lighter: log luminance against the skin around from and up to which pale skin of skin's own hue may be a mark,
            and is one; painted training people.
        brightest: quantile of the luminance of other plain skin that it is compared with; assumed.
        brighter: luminance over that, from and up to which; what is lit beside a shadow has 1.37; the same.
        as_highlight: how much whiter it is of what a highlight would be, up to and from which; the same.
        gained: light that a pale texel reflects more than the skin around, of what white would; training portraits.
        hair_dark, hair_hue: log luminance and hue that hair has against skin; training portraits.
        hair_from_mm: from the border, where hair comes in.
        bluest: hue below which nothing is hair; assumed.
        area: of `strayed` from which texels form an area.
        share: of `strayed` from and up to which a texel of a mark belongs to it.
        thin_needs, ink_needs: times `strayed` that thin areas need, and dark neutral ones; training portraits.
        flush_mm, flush_needs: depth from which red areas may be a flush, and what they need; training portraits.
        broad_needs, pale_needs: the same times mm of their depth, for all; training portraits.
        certain: of these needs, at which an area surely is a mark.
        distrust: with which the light is estimated where a mark is, by its log colour; assumed.
        trusted: trust from which a mark is seen whole; assumed.
        grown_mm: beyond an area that may belong to it; assumed.
        border_mm: from the border of the seen, where hair and cloth come in; assumed.
        in_border: share of an area in that strip from and up to which it is none; assumed.
        edge_mm: on either side of the rim of an area over which a sharp one rises; assumed.
        pale_steep: rise at the rim of pale areas, of how pale they are, where highlights end softly; training people.
        pale_in_border: the same of pale areas, which may be grey hair; training portraits.
        lit_along_border: share of the rim of areas brighter than the skin around, from and up to which it is lit from
            behind; an official portrait.
        hollow: share on the nose and beside it from and up to which dark red areas are its hollows; as of `kinds`.
        strange: strength from and up to which hair has no such hue on a face; assumed.
        strange_in_border: as `in_border`, of such areas; assumed.
        closed: patches that end sharply.
    """

    found: bool = True
    rounds: int = 2
    side: int = 256
    tolerance: float = 1e-3
    fewest_texels: int = 200
    told: tuple[float, float] = (0.004, 0.015)
    plausible: tuple[tuple[float, float], tuple[float, float]] = ((0.1, 1.6), (-0.15, 1.2))
    fewest_plausible: float = 0.15
    around_mm: float = 10.0
    unusual: float = 0.4
    rim_mm: float = 1.5
    doubtful: tuple[float, float] = (0.05, 0.5)
    fading_mm: float = 40.0
    grain_mm: float = 0.5
    strayed: float = 0.2
    in_shade: float = 0.12
    shade: float = -0.15
    shade_slope: tuple[float, float] = (0.25, 0.12)
    on_eyes: float = 1.5
    on_lips: float = 4.0
    sheen: float = 0.025
    paler: float = 0.4
    lighter: tuple[float, float] = (0.4, 0.55)
    brightest: float = 0.95
    brighter: tuple[float, float] = (1.37, 1.5)
    as_highlight: tuple[float, float] = (0.55, 0.4)
    gained: float = 0.1
    hair_dark: float = -0.2
    hair_hue: float = 0.05
    hair_from_mm: float = 1.5
    bluest: float = -0.15
    area: float = 0.8
    share: tuple[float, float] = (0.35, 0.8)
    thin_needs: float = 1.25
    ink_needs: float = 1.0
    flush_mm: float = 3.0
    flush_needs: float = 1.5
    broad_needs: float = 7.0
    pale_needs: float = 9.5
    certain: float = 1.3
    distrust: float = 3.0
    trusted: float = 0.5
    grown_mm: float = 2.0
    border_mm: float = 5.0
    in_border: tuple[float, float] = (0.6, 0.85)
    edge_mm: float = 1.2
    pale_steep: tuple[float, float] = (0.44, 0.5)
    pale_in_border: tuple[float, float] = (0.15, 0.25)
    lit_along_border: tuple[float, float] = (0.25, 0.4)
    hollow: tuple[float, float] = (0.2, 0.35)
    strange: tuple[float, float] = (1.5, 2.0)
    strange_in_border: tuple[float, float] = (0.85, 0.98)
    closed: ClosedSettings = ClosedSettings()
