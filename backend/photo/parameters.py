"""The chosen numbers of reading a photo: damage, noise, white, irises, what is warned of; of skin in `skin.parameters`.

Lengths named `_share` are in distances of the irises unless said otherwise; logarithms are natural, of linear colour.
"""

from __future__ import annotations

from dataclasses import dataclass

from backend.photo.skin.parameters import CoveringSettings, SegmentationSettings, SkinMaskSettings


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
        bright_share: of that luminance from which on something is bright; assumed.
        hueless: log ratio of largest and smallest channel below which it has no hue; 40 photos.
        hue_floor: linear colour added to both, where noise would have a hue; assumed.
        iris_within, white_beyond: shares of the iris's radius within which lies its own, and beyond which the white.
        fewest_of_iris: pixels of each, where they are compared.
    """

    eyes_luminance: float = 0.48
    eyes_colour: tuple[float, float, float] = (1.15, 1.0, 0.95)
    fewest_pixels: int = 60
    usual_area: float = 0.010
    teeth_luminance: float = 0.48
    teeth_colour: tuple[float, float, float] = (1.12, 1.0, 0.93)
    teeth_area: float = 0.03
    brightest: float = 0.98
    bright_share: float = 0.5
    hueless: float = 0.3
    hue_floor: float = 0.01
    iris_within: float = 0.8
    white_beyond: float = 1.15
    fewest_of_iris: int = 12


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
class EyeSizeSettings:
    """The sizes of irises and pupils. Lengths are in radii of the iris by the landmarks, unless named otherwise.

    Args:
        iris_radius_m: mean and deviation in head space, where eyes are 63 mm apart: irises are 11.7 mm wide, with 0.42
            mm (Ruefer, Schroeder and Erb 2005), eyes 63 mm apart, with 3.6 mm (Dodgson 2004), one of each person apart.
        iris_noise_m: deviation of what one eye of a photo shows; by the two eyes of training portraits.
        pupil_share: mean and deviation of the pupil's radius over the iris's; training portraits.
        pupil_noise: deviation of what one eye of a photo shows; by the two eyes of training portraits.
        unusual: deviations beyond which what was measured is no eye's.
        smallest_px, smallest_pupil_px: radius of an iris and of a pupil that is measured.
        blur: of the picture before edges are looked for.
        lid_margin: kept from the lids, with their lashes and their shade.
        sides_degrees: how far above and below the horizontal the limbus is looked for; lids hide the rest.
        search, shift, shift_down: radii, and how far across and down from the landmark its middle is looked for.
        least_step: of encoded luminance over the search's breadth.
        least_seen: share of the pupil's border that must be.
        pupil_between: shares of the iris's radius between which pupils end.
        least_pupil_step, least_pupil_depth: by how much its encoded luminance is lower, of the iris's and at all.
    """

    iris_radius_m: tuple[float, float] = (0.00585, 0.00039)
    iris_noise_m: float = 0.0002
    pupil_share: tuple[float, float] = (0.40, 0.09)
    pupil_noise: float = 0.06
    unusual: float = 3.0
    smallest_px: float = 5.0
    smallest_pupil_px: float = 3.0
    blur: float = 0.05
    lid_margin: float = 0.1
    sides_degrees: float = 35.0
    search: tuple[float, float] = (0.7, 1.35)
    shift: float = 0.15
    shift_down: float = 0.05
    least_step: float = 0.5
    least_seen: float = 0.35
    pupil_between: tuple[float, float] = (0.17, 0.65)
    least_pupil_step: float = 0.2
    least_pupil_depth: float = 0.03


@dataclass(frozen=True)
class TeethSettings:
    """The shade of the teeth, CIELAB (D65) unless said otherwise.

    Args:
        usual, spread: of adults' upper front teeth: about the shade A1, which most have (Pop-Ciutrila et al. 2015),
            with spreads so that two deviations reach most of the shade guide VITA classical.
        shaded: how much further off photos show them, in the lips' shade and red light, and under gleams; 13 training
            portraits.
        noise: how far photos' light and shade are off around that; training portraits.
        unusual: deviations of both beyond which something else was seen.
        brightest, least_of_brightest: quantile of luminance between the lips, and the share of it that enamel has.
        less_red: by how much less enamel has of the natural logarithm of red over green than the cheeks; gums, tongue
            and lips have more of it than they.
        least_of_bright: share of what is bright between the lips that has to be enamel.
        fewest_pixels: of it.
        least_area: of it, in squared distances of the outer eye corners.
        between: quantiles of its luminance between which it is neither gap nor gleam.
    """

    usual: tuple[float, float, float] = (79.0, 0.0, 13.0)
    spread: tuple[float, float, float] = (5.0, 1.3, 4.0)
    shaded: tuple[float, float, float] = (-8.7, 3.7, -3.5)
    noise: tuple[float, float, float] = (6.0, 1.5, 3.0)
    unusual: float = 3.0
    brightest: float = 0.9
    least_of_brightest: float = 0.45
    less_red: float = 0.12
    least_of_bright: float = 0.4
    fewest_pixels: int = 60
    least_area: float = 0.006
    between: tuple[float, float] = (0.4, 0.9)


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
class FoundStepsSettings:
    """To which steps a picture was once rounded by a JPEG file.

    Args:
        side_px: of the piece that is looked at.
        smallest, largest: steps that are looked for, levels; smaller ones are not seen, and do no harm.
        highest: frequency, half periods in 8 pixels, rows and columns added up, up to which there are values enough.
        fewest_values: that are not rounded to nothing.
        agreeing: mean cosine of the values' places between whole steps from which on they lie about them; chance
            gives less than 0.5 for so few values.
        fewest: frequencies that must; assumed.
    """

    side_px: int = 384
    smallest: int = 4
    largest: int = 80
    highest: int = 4
    fewest_values: int = 40
    agreeing: float = 0.6
    fewest: int = 4


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
        found_steps: of files that the photo was saved in ahead of this one.
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
    found_steps: FoundStepsSettings = FoundStepsSettings()


@dataclass(frozen=True)
class ProfileSettings:
    """The outline of a head in which no face is found; shares are of the extent of its face's skin.

    Args:
        smallest_px: of that extent, as of a face.
        edge_px, edge_eps: radius in pixels of the segmentation, and squared levels, by which its border goes onto the
            photo's edges; assumed.
        inside: share by which it lies inside the outline what must be skin of the face; assumed.
        least_slope: of the border a pixel, below which there is none; assumed.
        least_length: of the outline.
    """

    smallest_px: float = 64.0
    edge_px: int = 4
    edge_eps: float = 60.0
    inside: float = 0.04
    least_slope: float = 0.03
    least_length: float = 0.5


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
        reading, profile, segmentation, coverings, skin_mask, white_cue, iris, eye_sizes, teeth: of its steps.
        warnings: from where on a photo is warned of.
    """

    reading: ReadingSettings = ReadingSettings()
    profile: ProfileSettings = ProfileSettings()
    segmentation: SegmentationSettings = SegmentationSettings()
    coverings: CoveringSettings = CoveringSettings()
    skin_mask: SkinMaskSettings = SkinMaskSettings()
    white_cue: WhiteCueSettings = WhiteCueSettings()
    iris: IrisSettings = IrisSettings()
    eye_sizes: EyeSizeSettings = EyeSizeSettings()
    teeth: TeethSettings = TeethSettings()
    warnings: WarningLimits = WarningLimits()
