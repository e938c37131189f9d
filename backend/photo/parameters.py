"""The chosen numbers of reading a photo: what counts as skin, white, glasses and too little of a face.

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
        darkest_level: sRGB levels that keep noise of shadows from counting as edges.
        frame_zone_share: left and right, top and bottom of where frames lie about the eyes; assumed.
        dark_width_share, gleam_width_share: widths of dark frames and of gleams; assumed.
        shadow_share: of the frames' shadow; assumed.
        shortest_share: of a frame; assumed.
        frame_contrast: log luminance against the skin beside; assumed.
    """

    patch_px: int = 96
    patch_size: tuple[float, float] = (1.6, 1.3)
    patch_centre: tuple[float, float] = (0.8, 0.5)
    bridge_margin: float = 0.3
    above: float = 0.12
    below: float = 0.22
    bridge_gradient: float = 0.115
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
    """

    crop_sides: tuple[float, ...] = (1.6, 2.2, 2.4)
    shift_down: float = 0.1
    network_side_px: int = 256
    missed: float = 0.05
    widened: tuple[float, ...] = (1.0, 1.4, 1.9)


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
    tile_share: float = 0.05
    least_tile_px: int = 5
    tile_reach: float = 0.12
    other_steps_reach: float = 0.25
    step_levels: float = 5.0
    strong_step_levels: float = 14.0
    strong_share: float = 0.1


@dataclass(frozen=True)
class HiddenMouthSettings:
    """A mouth that cannot be seen.

    Args:
        crop_side: of the upright crop that is looked at, in the face's extent.
        side_px: of the same.
        log_floor: linear; keeps noise of near-black pixels from counting.
        scales: of the detail that a mouth has, in thirds of the face's height.
        about: how far about lips and eyes, in the same.
        even: spread of log luminance up to which there is no mouth: painted masks of the skin's colour have 0.02 to
            0.05, 178 photos of training people 0.18 and more, faces out of focus 0.08.
        eyes_over_mouth: times as much detail about the eyes, since a dark or hazy photo is even too; assumed.
    """

    crop_side: float = 1.3
    side_px: int = 256
    log_floor: float = 0.01
    scales: tuple[float, float] = (0.02, 0.12)
    about: float = 0.04
    even: float = 0.065
    eyes_over_mouth: float = 3.0


@dataclass(frozen=True)
class CoveringSettings:
    """What covers a face.

    Args:
        oval_rim: width of the face oval's rim that is not looked at, in distances of the irises.
        about_eyes: how far about the eyes nothing is looked at, in distances of the irises.
        about_glasses: how far about brows and bags under the eyes glasses reach, in distances of the irises; assumed.
        beard_middle: how near to the face's middle a beard comes, in distances of the irises; assumed.
        glasses_share: of a thing that lies about the eyes, from which it is glasses; assumed.
        mouth_share: of the mouth that a thing covers, from which it is a mask or cloth; assumed.
        eyes_share: of the eyes that such a thing covers, at most; assumed.
        mosaic_as_no_cloth: share of a mosaic that the network does not take for cloth, at least.
        least_share: of the core, by kind, that is worth a warning.
        least_left: share of the core below which a photo is of no use; the project's own wish.
        censoring: bars and mosaics.
        hidden_mouth: cloth of the skin's colour.
    """

    oval_rim: float = 0.15
    about_eyes: float = 0.03
    about_glasses: float = 0.25
    beard_middle: float = 0.25
    glasses_share: float = 0.75
    mouth_share: float = 0.5
    eyes_share: float = 0.6
    mosaic_as_no_cloth: float = 0.15
    least_share: Mapping[str, float] = field(
        default_factory=lambda: {
            "a hand": 0.03,
            "a mask or cloth": 0.04,
            "glasses": 0.12,
            "hair": 0.2,
            "a bar or mosaic": 0.03,
            "something": 0.04,
        }
    )
    least_left: float = 0.25
    censoring: CensoringSettings = CensoringSettings()
    hidden_mouth: HiddenMouthSettings = HiddenMouthSettings()


@dataclass(frozen=True)
class StrandSettings:
    """Strands of hair across skin. Lengths in distances of the irises.

    Args:
        unit_px: the irises' distance in pixels at which they are looked for, at most.
        smallest_unit_px: distance of the irises below which a strand is thinner than a pixel.
        directions: of the filters.
        width, length: of the line that a filter answers to; assumed.
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


@dataclass(frozen=True)
class WhiteCueSettings:
    """What the whites of eyes and teeth show of the light.

    Args:
        eyes_luminance: of the brighter quarter of the sclera, against white in the light; training portraits.
        eyes_colour: the same relative to green; training portraits.
        fewest_pixels: of sclera or teeth.
        usual_area: sclera of open eyes, in squared distances of the outer eye corners; training portraits.
        teeth_luminance, teeth_colour: the same of teeth; training portraits.
        teeth_area: of teeth that there must be, in squared distances of the outer eye corners; assumed.
        brightest: quantile of the photo's luminance that counts as its brightest parts.
    """

    eyes_luminance: float = 0.48
    eyes_colour: tuple[float, float, float] = (1.15, 1.0, 0.95)
    fewest_pixels: int = 60
    usual_area: float = 0.010
    teeth_luminance: float = 0.48
    teeth_colour: tuple[float, float, float] = (1.12, 1.0, 0.93)
    teeth_area: float = 0.03
    brightest: float = 0.98


@dataclass(frozen=True)
class WarningLimits:
    """From where on a photo is warned of.

    Args:
        soft_px: height of the face below which its texture is soft.
        sharp_px: height of the face from which on close-ups are good; assumed.
        hidden_sharpness: share of a photo's resolution, under which its noise or compression is told of; assumed.
        far_turn_degrees: beyond which half of the face is guessed.
        dark_level: sRGB level below which a face is dark, whatever its skin; assumed.
        clipped_level: sRGB level from which on a pixel is clipped.
        clipped_share: of the face: a few per cent where exposed well, half at twice the exposure.
        colour_left: chroma over luma up to which a photo is grey or toned; 10 such photos, 211 others.
        colour_quantile: of the face's pixels that is judged.
        around_left: times as much as on the face that may be left around it, whose tones may differ; assumed.
        overview_px: longer side at which the surroundings are looked at.
        darkest_level: of luma below which colour is not told.
        blur_px: pixels that compression keeps a chroma for.
        blur_share: of the face's height, so that small spots of colour do not count.
    """

    soft_px: float = 200
    sharp_px: float = 500
    hidden_sharpness: float = 0.6
    far_turn_degrees: float = 60.0
    dark_level: float = 50
    clipped_level: float = 254
    clipped_share: float = 0.4
    colour_left: float = 0.014
    colour_quantile: float = 0.8
    around_left: float = 6.0
    overview_px: int = 200
    darkest_level: float = 4.0
    blur_px: int = 16
    blur_share: float = 0.1


@dataclass(frozen=True)
class IrisSettings:
    """The colour of the irises.

    The plausible colours are of the training portraits' irises (each pixel's, against the white of the same eye):
    natural logarithms of red and of blue over green, and of luminance.

    Args:
        smallest_px: radius of an iris whose colour is told.
        fewest_pixels: of it.
        between: shares of the radius between which lies what has its colour.
        white_from: share of the radius from which on what lies in the eye is its white.
        usual_white: white of eyes in white light, where an eye shows none; training portraits.
        usual, spread, correlation: of the colours; training portraits, spread for coloured light.
        farthest: deviations up to which a colour can be an iris's: all of theirs, hazel and amber, but no red-eye.
        least_contrast: of the logarithms by which it is darker than the white: lids are not.
        darkest: linear; keeps noise of near-black pixels from counting as colour.
        least_believable: share of the pixels that must be of such colours; assumed.
        darkest_white: luminance of the white against the cheeks', under which dark glass is before it; assumed.
        brown_of_skin: factor and power from the luminance of skin to that of brown eyes in it; training portraits.
    """

    smallest_px: float = 2.0
    fewest_pixels: int = 12
    between: tuple[float, float] = (0.42, 0.85)
    white_from: float = 1.15
    usual_white: float = 0.48
    usual: tuple[float, float, float] = (0.14, -0.07, -2.11)
    spread: tuple[float, float, float] = (0.32, 0.25, 0.62)
    correlation: tuple[tuple[float, float, float], ...] = ((1.0, -0.45, -0.35), (-0.45, 1.0, 0.0), (-0.35, 0.0, 1.0))
    farthest: float = 5.5
    least_contrast: float = 0.45
    darkest: float = 0.003
    least_believable: float = 0.3
    darkest_white: float = 0.3
    brown_of_skin: tuple[float, float] = (0.117, 0.96)


@dataclass(frozen=True)
class ThumbnailSettings:
    """Pictures by which a user chooses among faces.

    Args:
        side_px: of a face's picture.
        photo_px: longer side of the whole photo's.
        margin: around the landmarks, in the face's extent, so that hair and ears tell who it is.
    """

    side_px: int = 128
    photo_px: int = 512
    margin: float = 0.3


@dataclass(frozen=True)
class NoiseSettings:
    """Noise of camera and file.

    Variances are squared levels of 255; frequencies are half periods in 8 pixels, rows and columns added up.

    Args:
        negligible: variance that no eye sees; photos with less are left as they are. The training portraits have less.
        bands: lowest and highest frequency of the low, middle and high ones.
        fall: energy of skin and its shading at middle frequencies against low ones; training people at three sizes.
        quiet: share of the skin that counts as quiet.
        coarse_per_mm: pixels a mm from which on pores may show, and up to which they do not; they lie 1 mm apart.
        iod_mm: between the irises, of adults on average (Dodgson 2004).
        floor: quantile of the energies that is as low as noise lets them be.
        even: usual energy against that floor, from which on it is skin's, and up to which it is noise's; the same.
        rise: of noise from high frequencies to the others at most, as cameras and files take those off; the same.
        skin_share: of a block that is skin.
        fewest_blocks: of skin; where there are fewer, all of the picture counts.
        stride: pixels between the blocks, twice as many in pictures of `many_pixels`.
        many_pixels: for time.
        caution: times the noise that is taken off, as its energy about a place is uncertain; training people.
    """

    negligible: float = 3.5
    bands: tuple[tuple[int, int], ...] = ((2, 3), (4, 5), (6, 8))
    fall: float = 0.14
    quiet: float = 0.4
    coarse_per_mm: tuple[float, float] = (1.2, 0.95)
    iod_mm: float = 63.0
    floor: float = 0.03
    even: tuple[float, float] = (3.2, 2.0)
    rise: float = 1.5
    skin_share: float = 0.9
    fewest_blocks: int = 40
    stride: int = 2
    many_pixels: int = 1_000_000
    caution: float = 1.7


@dataclass(frozen=True)
class ReadingSettings:
    """Damaged files.

    Args:
        most_missing: share of a photo's rows that may be missing; assumed.
        face_margin: share of the face's extent around it that must be there; assumed.
    """

    most_missing: float = 0.05
    face_margin: float = 0.05


@dataclass(frozen=True)
class PhotoParameters:
    """All of the stage's chosen numbers.

    Args:
        reading, segmentation, coverings, skin_mask, white_cue, iris: of its steps.
        warnings: from where on a photo is warned of.
    """

    reading: ReadingSettings = ReadingSettings()
    segmentation: SegmentationSettings = SegmentationSettings()
    coverings: CoveringSettings = CoveringSettings()
    skin_mask: SkinMaskSettings = SkinMaskSettings()
    white_cue: WhiteCueSettings = WhiteCueSettings()
    iris: IrisSettings = IrisSettings()
    warnings: WarningLimits = WarningLimits()
