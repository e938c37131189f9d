"""The chosen numbers of taking light and skin apart.

Lengths are mm on the skin; logarithms are natural, of linear colour; pairs are where a smooth step begins and ends.
How the numbers were found: docs/research/photo_light.md and docs/research/ablation.md.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.delight.mark_parameters import MarkSettings


@dataclass(frozen=True)
class LevelSettings:
    """What is typical of a person's skin around a place.

    Args:
        usual_scale: log colour from which on a texel is no plain skin; assumed.
    """

    usual_scale: float = 0.12


@dataclass(frozen=True)
class BeardSettings:
    """Whether hair grows where beards do.

    Args:
        rough: variation of log luminance over a millimetre there, over the cheeks', from and up to which it is hair's;
            twelve people without a beard have 1.36 at most, eight with one 1.73 at least.
    """

    rough: tuple[float, float] = (1.4, 1.75)


@dataclass(frozen=True)
class LightSettings:
    """The photo's light from the texture, by order-2 spherical harmonics.

    Args:
        samples: texels that the light is estimated from, at most.
        iterations: of reweighted least squares; it has converged by then.
        ridge: pull towards uniform light by band, per sample and squared relative unit; assumed.
        colour_ridge: the same for the colour of the directed light, which is rarer than coloured skin; assumed.
        matched_ridge: share of `ridge` where finished maps are given; assumed.
        residual_scale: log luminance from which on a texel is brow, beard or shadow; assumed.
        bright_side: share of that scale for what is brighter, which is highlight; assumed.
        lamps: directions of the soft lamps that make up a light where free coefficients make none.
    """

    samples: int = 20_000
    iterations: int = 12
    ridge: tuple[float, float, float] = (0.0, 0.004, 0.04)
    colour_ridge: tuple[float, float, float] = (0.0, 0.06, 0.3)
    matched_ridge: float = 0.3
    residual_scale: float = 0.12
    bright_side: float = 0.6
    lamps: int = 200


@dataclass(frozen=True)
class TrustSettings:
    """Which seen texels are the person's skin.

    Args:
        hairline, roughness, slivers: heuristics that may be left out.
        feather_mm: over which trust rises from the border of the seen.
        doubtful_mm: from the border, within which texels may differ less.
        lashes_mm: around brows and eyes, where skin may be dark, rough and of another colour.
        lashes_inside_mm: so far from the border for that to hold.
        rough: times rougher than most of the skin, as hair is.
        beard_rough: a beard's roughness, likewise.
        around_mm: blurs of the skin around brows, eyes, nose and lips, near and broad; assumed.
        unlit_near: how dark the near skin is, log luminance below the tone, from and up to which it has no light;
            assumed.
        unlit: the same of the broad one anywhere, for a face to have such places at all; 23 training people have 0.94
            at most, five faces with half in the dark 1.6 to 2.1.
        beard_dark: a beard's darkness, log luminance below the tone.
        brow_dark: darker than the tone by which what is in the brows' place is their hair; assumed.
        hairline_rough: roughness of hair on forehead and temples, likewise.
        shorn_dark: darkness of shorn hair, log luminance below the tone.
        sheen: brightness of a shining forehead, log luminance above the tone; it shows every pore.
        hairline_reach_mm: beyond the landmarks' forehead, where hair is looked for.
        hairline_start_mm: so near to the border it must come.
        hairline_gap_mm: half the width of gaps in hair that count as hair.
        sliver_mm: half the width of parts beside the face that are left out.
        strip_mm: the same of parts that are `strip_length` times as long as wide.
        strip_length: length over width.

    Source: all judged by eye on photos of training people.
    """

    hairline: bool = True
    roughness: bool = True
    slivers: bool = True
    feather_mm: float = 7.0
    doubtful_mm: float = 15.0
    lashes_mm: float = 4.0
    lashes_inside_mm: tuple[float, float] = (4.0, 8.0)
    rough: tuple[float, float] = (1.7, 2.7)
    beard_rough: tuple[float, float] = (1.6, 2.2)
    around_mm: tuple[float, float] = (5.0, 12.0)
    unlit_near: tuple[float, float] = (0.8, 1.2)
    unlit: tuple[float, float] = (1.0, 1.3)
    beard_dark: tuple[float, float] = (0.5, 0.8)
    brow_dark: tuple[float, float] = (0.05, 0.2)
    hairline_rough: tuple[float, float] = (1.35, 1.9)
    shorn_dark: tuple[float, float] = (0.25, 0.45)
    sheen: tuple[float, float] = (0.15, 0.35)
    hairline_reach_mm: float = 20.0
    hairline_start_mm: float = 4.0
    hairline_gap_mm: float = 3.0
    sliver_mm: float = 4.0
    strip_mm: float = 14.0
    strip_length: float = 4.0


@dataclass(frozen=True)
class HighlightSettings:
    """Specular light.

    Args:
        removed: a heuristic that may be left out.
        share: of the specular light that is taken off; assumed.
        least_left: share of the texture that is left of any texel; assumed.
        around_mm: blur over which the skin's own ratio of blue to red is found; assumed.
        soften_bright, limit_bright: heuristics about what is left of them, that may be left out.
        bright_around_mm: blur of the level that bright patches stand out of; assumed.
        bright_patch_mm: blur of such patches; assumed.
        bright_left: log luminance by which a patch may stand out; assumed.
        bright_lowered: share of the rest that is taken off; assumed.
        brightest_skin: log luminance above the tone at which skin ends; training portraits.
        brightest_lips: the same above the lips' median; training portraits.
        bright_knee: log luminance below that end where pressing sets in; assumed.
    """

    removed: bool = True
    share: float = 0.9
    least_left: float = 0.25
    around_mm: float = 10.0
    soften_bright: bool = True
    limit_bright: bool = True
    bright_around_mm: float = 12.0
    bright_patch_mm: float = 1.2
    bright_left: float = 0.04
    bright_lowered: float = 0.6
    brightest_skin: float = 0.32
    brightest_lips: float = 0.22
    bright_knee: float = 0.15


@dataclass(frozen=True)
class LocalLightSettings:
    """Light that varies over the face. Spreads are of log colour; 12 pictures of training heads in hard light.

    Args:
        removed: whether it is taken out; may be left out.
        side: texels a side at which it is found.
        knots: of the splines over the texture's side, by which the light varies.
        least_seen: of a texel that counts.
        skin, hair: by how much skins, and brows, lips and eyes, differ from what the prior expects.
        beard: share of that difference where beards may grow.
        colour_scale: spreads of colour, relative to those of luminance.
        uneven: by how much both sides of a skin differ, relative to those spreads.
        rough: by how much neighbours do that are `step` texels apart.
        step: in texels.
        independent: independent observations a texel; assumed, errors of neighbours go together.
        spread: of the light's coefficients by order, in units of the common light.
        smooth: by how much more neighbouring knots agree.
        iterations: of reweighting.
        strongest: log colour at which the light ends softly.
    """

    removed: bool = True
    side: int = 64
    knots: int = 8
    least_seen: float = 0.3
    skin: float = 0.12
    hair: float = 0.5
    beard: float = 0.6
    colour_scale: float = 0.35
    uneven: float = 0.4
    rough: float = 0.35
    step: int = 2
    independent: float = 0.5
    spread: tuple[float, float, float] = (0.25, 0.25, 0.15)
    smooth: float = 4.0
    iterations: int = 4
    strongest: float = 1.0


@dataclass(frozen=True)
class SkinToneSettings:
    """The prior of the skin's mean albedo and of the light on it. Spreads are standard deviations of logarithms.

    Args:
        white_cue: whether eyes, teeth and the photo's brightest parts tell of the light; may be left out.
        albedos: luminances of albedo between which the answer lies.
        albedo_steps: values of it that are weighed.
        likely: luminances of albedo between which all are about equally likely; no table has them, assumed.
        below, above: spreads beyond those ends; assumed.
        middle, middle_spread: centre and spread of the faint preference within; assumed.
        exposure: irradiance / pi on faces of well exposed photos, 1 = white; training portraits.
        darker_spread, brighter_spread: spread of exposures below and above (flash, sun); training portraits.
        dim_share: of photos that are not exposed well; assumed.
        dim_shift, dim_spread: their log exposure against the others', and its spread; assumed.
        white_things: share of photos whose brightest parts are white things in the face's light; assumed.
        white_thing, white_thing_spread: their reflectance and its spread; assumed.
        other_brightest: density of the log reflectance of the brightest parts in the other photos; assumed.
        saturated: linear level above which the brightest parts are only a lower bound.
        eyes_show, eyes_by_skin: a, b of log light = eyes - a - b log albedo; 178 photos of training portraits.
        eyes_below, eyes_above: spreads of the light below and above that, above where lids shade the eyes; 46 training
            portraits and 10 pictures of training heads.
        teeth_show, teeth_by_skin, teeth_below, teeth_above: the same of teeth.
        teeth_trust: weight of teeth; 80 pictures of training people.
        skin_colour_spread: of log ratios of red and blue to luminance about the skin locus; 46 training portraits and
            10 pictures of training heads, as the four below.
        light_colour_spread: the same of usual light about white, for red and blue alike.
        white_colour_spread: the same of light about what eyes and teeth show.
        reddest: log of red, green and blue by which the reddest skins differ from the usual, about 7 units of a*, and
            the yellowest the other way; assumed.
        coloured_share: of photos in light of a colour, or whose camera gave them one.
        coloured_spread: the same of that light about white, for red and blue alike.
        neon_share: of photos in light of neon and strong filters, which says nothing of the skin's hue; assumed.
        neon_spread: the same of that light about white: filters that leave a tenth of red or blue; assumed.
        most_strayed: log ratio by which a tone may stray from the locus; assumed.
    """

    white_cue: bool = True
    albedos: tuple[float, float] = (0.035, 0.47)
    albedo_steps: int = 160
    likely: tuple[float, float] = (0.05, 0.44)
    below: float = 0.25
    above: float = 0.12
    middle: float = 0.25
    middle_spread: float = 2.0
    exposure: float = 0.74
    darker_spread: float = 0.32
    brighter_spread: float = 0.4
    dim_share: float = 0.15
    dim_shift: float = -0.9
    dim_spread: float = 0.7
    white_things: float = 0.5
    white_thing: float = 0.9
    white_thing_spread: float = 0.35
    other_brightest: float = 0.3
    saturated: float = 0.93
    eyes_show: float = 0.4
    eyes_by_skin: float = 0.25
    eyes_below: float = 0.25
    eyes_above: float = 0.3
    teeth_show: float = 0.37
    teeth_by_skin: float = 0.15
    teeth_below: float = 0.17
    teeth_above: float = 0.35
    teeth_trust: float = 0.8
    skin_colour_spread: tuple[float, float] = (0.12, 0.16)
    light_colour_spread: float = 0.1
    white_colour_spread: float = 0.18
    most_strayed: float = 0.3
    reddest: tuple[float, float, float] = (0.08, -0.08, 0.01)
    coloured_share: float = 0.35
    coloured_spread: float = 0.3
    neon_share: float = 0.03
    neon_spread: float = 1.0


@dataclass(frozen=True)
class ResidualShadingSettings:
    """Light that is left in the albedo, by what a person differs from the prior.

    Args:
        removed: whether it is taken out; may be left out.
        broad_mm: blur of the differences that are judged; finer ones are pores, moles and creases.
        kept: share that is left of small differences; pictures of training people and heads.
        largest: log luminance at which differences end softly; pictures of training people and heads.
        largest_colour: the same of colour.
        side_mm: blur over which beards are alike on both sides; assumed.
        fewest_texels: of the lips, to tell their colour.
    """

    removed: bool = True
    broad_mm: float = 1.5
    kept: float = 0.7
    largest: float = 0.25
    largest_colour: float = 0.1
    side_mm: float = 5.0
    fewest_texels: int = 50


@dataclass(frozen=True)
class LightFaultSettings:
    """What is wrong with a photo's light. Hues are log(red / green) and log(green / blue) of linear colour.

    Args:
        fewest_texels: of a side's plain skin, to judge it.
        broad_mm: blur of the light that is judged; assumed.
        unlit: luminance over that of well-lit skin where nothing, and where all is told of the skin; assumed.
        unlit_share: of a side that is lit, below which it has no light; assumed.
        side_rest: share of a side that may be as the other is; assumed.
        sides_apart: by which the rest of both sides differ in hue in light of one and of two colours; assumed.
        border_grain_mm: on either side of a border within which it is sharp; assumed.
        border_step: of what the sides differ by that a sharp border changes; assumed.
        border_mm: length of sharp border from and up to which it is paint that differs; two lights have 0, faces
            of which half is painted 115 and more.
        skin_hues: lowest and highest hues of skin in usual light; training portraits.
        white_things: share of a photo that is bright and without a hue, from which on its light has none either; 40
            photos in white and other light have .025 and more, and .001 at most.
        usual: luminance of albedo whose hue a painted face would have without its paint; assumed.
        negative_iris: log luminance of irises over the white of the eyes above which a photo is a negative; people have
            -0.9 at most, red-eye 0.33, negatives 0.9 and more.
        negative_lighter: log luminance by which brows and lips are lighter than the skin of a negative; assumed.
        negative_bluest: log(red / blue) of skin above which nothing is a negative; assumed.
        evened: of directed light's ridge and of the colours that are kept, what two coloured lights leave; assumed.
    """

    fewest_texels: int = 400
    broad_mm: float = 4.0
    unlit: tuple[float, float] = (0.015, 0.05)
    unlit_share: float = 0.6
    side_rest: float = 0.2
    sides_apart: tuple[float, float] = (0.1, 0.3)
    border_grain_mm: float = 1.0
    border_step: float = 0.6
    border_mm: tuple[float, float] = (40.0, 90.0)
    skin_hues: tuple[tuple[float, float], tuple[float, float]] = ((0.05, 1.6), (-0.35, 1.3))
    white_things: float = 0.01
    usual: float = 0.25
    negative_iris: float = 0.5
    negative_lighter: float = 0.1
    negative_bluest: float = 0.1
    evened: float = 0.05


@dataclass(frozen=True)
class DelightParameters:
    """All of the stage's chosen numbers.

    Args:
        least_seen: share of the face's plain skin that a photo must show.
        light, trust, highlights, skin_tone, marks, light_faults: of its steps.
    """

    least_seen: float = 0.04
    light: LightSettings = LightSettings()
    trust: TrustSettings = TrustSettings()
    highlights: HighlightSettings = HighlightSettings()
    skin_tone: SkinToneSettings = SkinToneSettings()
    marks: MarkSettings = MarkSettings()
    light_faults: LightFaultSettings = LightFaultSettings()
