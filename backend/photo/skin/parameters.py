"""The chosen numbers of telling skin: segmentation, strands, glasses, coverings, the mask.

Lengths named `_share` are in distances of the irises unless said otherwise; logarithms are natural, of linear colour.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class ColourModelSettings:
    """The mixture of one person's skin colours.

    Args:
        components: lit, middle and shaded skin.
        samples: at most.
        rounds: of expectation maximisation.
        kept: share of the samples that are taken to be skin at all; assumed.
        least_sigma: least spread of a component: log luminance, two log chromas; assumed.
    """

    components: int = 3
    samples: int = 4000
    rounds: int = 12
    kept: float = 0.9
    least_sigma: tuple[float, float, float] = (0.18, 0.06, 0.07)


@dataclass(frozen=True)
class GlassesSettings:
    """Spectacles.

    Args:
        patch_px: pixels of the outer eye corners' distance in the patch in which the bridge is looked for.
        patch_size, patch_centre: of the patch, in that distance.
        bridge_margin: share of the way between the inner eye corners that is left out at either end; assumed.
        above, below: the root of the nose, in that distance; assumed.
        bridge_gradient: of log luminance a pixel: 7 pairs have 0.12 to 0.49, 500 bare faces up to 0.11.
        bridge_hue_gradient: of red and blue over green in levels, logarithms a pixel: red and gilt rims have 0.08 and
            0.11, 178 bare portraits up to 0.022.
        bridge_thing: probability of a thing that is none of the person, from which it is a bridge; assumed.
        bridge_samples: a side, of its place; assumed.
        bare_ridge: probability of skin from which the ridge of the nose is bare.
        off_cloth: how far above cloth over the nose a bridge is looked for, in that distance: three of the network's
            pixels.
        darkest_level: sRGB levels that keep noise of shadows from counting as edges.
        frame_zone_share: left and right, top and bottom of where frames lie about the eyes; assumed.
        dark_width_share, gleam_width_share: widths of dark frames and of gleams; assumed.
        shadow_share: of the frames' shadow; assumed.
        shortest_share: of a frame; assumed.
        frame_contrast: log luminance or log chroma against the skin beside; assumed.
    """

    patch_px: int = 96
    patch_size: tuple[float, float] = (1.6, 1.3)
    patch_centre: tuple[float, float] = (0.8, 0.5)
    bridge_margin: float = 0.3
    above: float = 0.12
    below: float = 0.22
    bridge_gradient: float = 0.115
    bridge_hue_gradient: float = 0.06
    bridge_thing: float = 0.3
    bridge_samples: int = 21
    bare_ridge: float = 0.5
    off_cloth: float = 0.04
    darkest_level: float = 8.0
    frame_zone_share: tuple[tuple[float, float], tuple[float, float]] = ((-0.95, 0.95), (-0.45, 0.5))
    dark_width_share: float = 0.14
    gleam_width_share: float = 0.05
    shadow_share: float = 0.03
    shortest_share: float = 0.3
    frame_contrast: float = 0.3


@dataclass(frozen=True)
class SegmentationSettings:
    """Which crops around the face the network is shown; every second one is mirrored.

    Args:
        crop_sides: of the crops, in the face's extent: the first for its edges, the others for what is about the face.
        shift_down: of all, in the face's extent, for the neck.
        network_side_px: of the picture that the network looks at; its own.
        missed: share of the face taken for backdrop from which wider crops are tried.
        widened: how much wider each time.
        head_margins: where no face is found: sides of the pictures in which the head is looked for, the first in the
            photo's extent, the others in that of the skin of the face that the one before shows.
    """

    crop_sides: tuple[float, ...] = (1.6, 2.2, 2.4)
    shift_down: float = 0.1
    network_side_px: int = 256
    missed: float = 0.05
    widened: tuple[float, ...] = (1.0, 1.4, 1.9)
    head_margins: tuple[float, ...] = (1.0, 2.4)


@dataclass(frozen=True)
class CensoringSettings:
    """Bars and mosaics laid over a face.

    Args:
        unit_px: pixels of the irises' distance at which they are looked for.
        smallest_px: side of a face in which there can be any.
        flat_levels: sRGB levels by which pixels of one patch differ at most, for compression.
        bar_area: of a bar, in squared distances of the irises; assumed.
        edge_px: width of a soft edge.
        edge_levels: sRGB levels by which a bar differs from what is beside it; assumed.
        edge_share: of its border that may differ less.
        solid: share of its convex hull that a bar fills: rims of spectacles frame the eyes; assumed.
        tile_share: shortest edge of a tile of a mosaic, in distances of the irises; assumed.
        least_tile_px: the same in pixels.
        tile_reach: largest tile, in distances of the irises; assumed.
        other_steps_reach: how near steps along the other direction lie, in distances of the irises; assumed.
        step_levels: sRGB levels between tiles.
        strong_step_levels: the same of some steps: more than between the blocks of a compressed photo.
        strong_share: how many steps must be so strong; assumed.
    """

    unit_px: float = 160.0
    smallest_px: int = 32
    flat_levels: float = 2.0
    bar_area: float = 0.08
    edge_px: float = 4.0
    edge_levels: float = 20.0
    edge_share: float = 0.1
    solid: float = 0.6
    tile_share: float = 0.05
    least_tile_px: int = 5
    tile_reach: float = 0.12
    other_steps_reach: float = 0.25
    step_levels: float = 5.0
    strong_step_levels: float = 14.0
    strong_share: float = 0.1


@dataclass(frozen=True)
class HiddenFeatureSettings:
    """A mouth or eyes that cannot be seen.

    Args:
        crop_side: of the upright crop that is looked at, in the face's extent.
        side_px: of the same.
        log_floor: linear; keeps noise of near-black pixels from counting.
        scales: of the detail that a mouth has, in thirds of the face's height.
        about: how far about lips and eyes, in the same.
        even: spread of log luminance up to which there is no mouth: painted masks of the skin's colour have 0.02 to
            0.05, 178 photos of training people 0.18 and more, faces out of focus 0.08.
        eyes_over_mouth: times as much detail about the eyes, since a dark or hazy photo is even too; assumed.
        even_eyes: spread up to which there are no eyes: blurred ones of ten people have up to 0.10, 104 training people
            0.31 and more, closed eyes 0.32.
        mouth_over_eyes: times as much detail about the mouth: blurred eyes have 2.7 and more, training people at most
            0.9.
    """

    crop_side: float = 1.3
    side_px: int = 256
    log_floor: float = 0.01
    scales: tuple[float, float] = (0.02, 0.12)
    about: float = 0.04
    even: float = 0.065
    eyes_over_mouth: float = 3.0
    even_eyes: float = 0.15
    mouth_over_eyes: float = 1.6


@dataclass(frozen=True)
class TintedGlassSettings:
    """Tinted glass before the eyes. Lengths in thirds of the face's height; hues are logarithms of linear red over
    green and blue over green.

    Args:
        crop_side: of the upright crop that is looked at, in the face's extent.
        side_px: of the same.
        log_floor: linear; keeps noise of near-black pixels from counting as colour.
        oval_rim: width of the face oval's rim that is not looked at.
        about_eyes: how far about eyes and lips lie lashes and borders.
        reach: how far about brows and bags under the eyes glass reaches; assumed.
        iris: radius within which there is no white, in radii of the iris.
        least_bare: area of skin off the eyes that must be seen, in squared thirds; assumed.
        least_tint: by how much the hue of the skin under each eye differs from the rest of the face, along the mean
            of both: painted glasses have 0.77 and more, ten bare people at most 0.33.
        usual_white: hue of the white of an eye, from that of the skin: the median of the same people.
        white_share: of the skin's tint, that the white has; assumed.
        closed, opened: holes and specks in the glass; assumed.
        rim: width of the frame; assumed.
    """

    crop_side: float = 1.3
    side_px: int = 384
    log_floor: float = 0.01
    oval_rim: float = 0.15
    about_eyes: float = 0.06
    reach: float = 0.3
    iris: float = 1.15
    least_bare: float = 0.3
    least_tint: float = 0.5
    usual_white: tuple[float, float] = (-0.36, 0.24)
    white_share: float = 0.4
    closed: float = 0.08
    opened: float = 0.04
    rim: float = 0.08


@dataclass(frozen=True)
class CoveringSettings:
    """What covers a face.

    Args:
        oval_rim: width of the face oval's rim that is not looked at, in distances of the irises.
        about_eyes: how far about the eyes nothing is looked at, in distances of the irises.
        seen_as_skin: share of the eyes taken for skin where they are blurred, not behind dark glass; assumed.
        about_blurred: how far about brows and bags under the eyes a blur reaches, in distances of the irises; assumed.
        about_glasses: how far about brows and bags under the eyes glasses reach, in distances of the irises; assumed.
        beard_middle: how near to the face's middle a beard comes, in distances of the irises; assumed.
        off_sides: how far off the face's sides hair over an eye hangs down, in distances of the irises; assumed.
        glasses_share: of a thing that lies about the eyes, from which it is glasses; assumed.
        mouth_share: of the mouth that a thing covers, from which it is a mask or cloth; assumed.
        eyes_share: of the eyes that such a thing covers, at most; assumed.
        mosaic_as_no_cloth: share of a mosaic that the network does not take for cloth, at least.
        least_share: of the core, by kind, that is worth a warning.
        least_left: share of the core below which a photo is of no use; the project's own wish.
        censoring: bars and mosaics.
        hidden_features: cloth of the skin's colour, blurred eyes.
        tinted_glass: before the eyes.
    """

    oval_rim: float = 0.15
    about_eyes: float = 0.03
    seen_as_skin: float = 0.5
    about_blurred: float = 0.1
    about_glasses: float = 0.25
    beard_middle: float = 0.25
    off_sides: float = 0.3
    glasses_share: float = 0.75
    mouth_share: float = 0.5
    eyes_share: float = 0.6
    mosaic_as_no_cloth: float = 0.15
    least_share: Mapping[str, float] = field(
        default_factory=lambda: {
            "a hand": 0.015,
            "a mask or cloth": 0.04,
            "glasses": 0.12,
            "hair": 0.2,
            "a bar, mosaic or blur": 0.03,
            "something": 0.04,
        }
    )
    least_left: float = 0.25
    censoring: CensoringSettings = CensoringSettings()
    hidden_features: HiddenFeatureSettings = HiddenFeatureSettings()
    tinted_glass: TintedGlassSettings = TintedGlassSettings()


@dataclass(frozen=True)
class StrandSettings:
    """Strands of hair across skin. Lengths in distances of the irises.

    Args:
        unit_px: the irises' distance in pixels at which they are looked for, at most.
        smallest_unit_px: distance of the irises below which a strand is thinner than a pixel.
        directions: of the filters.
        width, length: of the line that a filter answers to; assumed.
        grey: how much a contrast in log red over blue counts, of one in log luminance; seven people.
        weak: contrast, in log luminance, with which a line goes on; assumed.
        clear: the same, that a strand has somewhere; above the wrinkles of training people.
        shortest: of a strand; assumed.
        gap: between the hair and a strand; assumed.
        away_share: of a strand, that lies farther from the hair; assumed.
        texture_reach: how far about a pixel lines are counted; assumed.
        texture_share: of lines among the pixels there from which they are a beard; assumed.
        about_lips, about_brow, about_eye: how far about them lie lines of their own; assumed.
        brow_radians: how much hairs of brows and creases of lids differ in direction from them; assumed.
        margin: of skin beside a strand, which it shades; assumed.
    """

    unit_px: float = 200.0
    smallest_unit_px: float = 40.0
    directions: int = 12
    width: float = 0.012
    length: float = 0.14
    grey: float = 1.5
    weak: float = 0.12
    clear: float = 0.35
    shortest: float = 0.2
    gap: float = 0.03
    away_share: float = 0.5
    texture_reach: float = 0.1
    texture_share: float = 0.4
    about_lips: float = 0.05
    about_brow: float = 0.1
    about_eye: float = 0.12
    brow_radians: float = 0.7
    margin: float = 0.012


@dataclass(frozen=True)
class SkinMaskSettings:
    """Which pixels are skin.

    Args:
        side_px: longer side of the crop that is cut.
        refined_side_px: longer side at which the border is refined.
        likely, unlikely: squared Mahalanobis distances up to and from which a pixel is, or is hardly, skin; assumed.
        core_sigma: least spread of bare skin about the cheeks: log luminance, two log chromas; assumed.
        colourful: log(red / green) by which hair may have more colour than skin; assumed.
        dark_colourful, dark_as_hair: how much more where it is darker than anything but hair, and from where; assumed.
        grey: log(red / green) by which grey hair has less colour; assumed.
        rough_as_hair: times rougher than skin; assumed.
        cut_rounds: of the graph cut.
        log_floor: linear; keeps noise of near-black pixels from counting as colour.
        beyond_region: how far skin may lie beyond the fitted head, in distances of the irises.
        oval_rim: width of the face oval's rim, where neck and ears may begin, in distances of the irises; assumed.
        some_share: of a class that a pixel must have to be of it where it is the likeliest of two.
        finger_width: narrowest hand, in distances of the irises; assumed.
        hand_around: how far a hand in the oval is followed out of it, in distances of the irises; assumed.
        beard_middle: how near to the face's middle a beard comes, in distances of the irises; assumed.
        off_sides: how far off the face's sides hair over an eye hangs down, in distances of the irises; assumed.
        sure_share: of a class from which a pixel is of it.
        sure: probability of the segmentation from which its word holds.
        beside: how far about the skin other things are whose colours are compared, in distances of the irises; assumed.
        border_reach: width of the segmentation's border, in distances of the irises; assumed.
        border_range: change of the probability across it from which colour is asked, and asked fully; assumed.
        least_odds: probabilities are kept so far from 0 and 1.
        fewest_pixels: whose colours can be compared.
        colour_says: log odds that colour says at most; assumed.
        sharpness: factor on the log odds, since the network's border is wider than hair's is; assumed.
        strands: of hair across skin.
        colours: the person's mixture.
        glasses: whose frames are no skin.
    """

    side_px: int = 512
    refined_side_px: int = 1600
    likely: float = 7.0
    unlikely: float = 16.0
    core_sigma: tuple[float, float, float] = (0.2, 0.07, 0.08)
    colourful: float = 0.1
    dark_colourful: float = 0.4
    dark_as_hair: float = 0.6
    grey: float = 0.3
    rough_as_hair: float = 2.0
    cut_rounds: int = 3
    log_floor: float = 0.01
    beyond_region: float = 0.06
    oval_rim: float = 0.15
    some_share: float = 0.3
    finger_width: float = 0.12
    hand_around: float = 0.7
    beard_middle: float = 0.25
    off_sides: float = 0.3
    sure_share: float = 0.5
    sure: float = 0.9
    beside: float = 0.5
    border_reach: float = 0.08
    border_range: tuple[float, float] = (0.6, 0.9)
    least_odds: float = 0.01
    fewest_pixels: int = 60
    colour_says: float = 1.5
    sharpness: float = 2.0
    strands: StrandSettings = StrandSettings()
    colours: ColourModelSettings = ColourModelSettings()
    glasses: GlassesSettings = GlassesSettings()
