"""The chosen numbers of the fit. Deviations are standard deviations of Gaussian priors.

How the numbers were found: docs/research/figures.md.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ContourSettings:
    """Contour landmarks that slide.

    Args:
        grazing: cosine to the camera below which a landmark follows the silhouette; assumed.
        region_m: metres from a landmark of the mean face within which the silhouette is looked for; assumed.
        reach: part of the interocular distance over which an association is a mistake; assumed.
        along: precision along the contour against that across it; assumed.
        rounds: in which they slide.
    """

    grazing: float = 0.08
    region_m: float = 0.012
    reach: float = 0.25
    along: float = 0.04
    rounds: int = 3


@dataclass(frozen=True)
class LandmarkFitSettings:
    """The fit to landmarks alone.

    Args:
        typical_focal_mm: 35 mm equivalent where nothing is known: the median of phones, snapshots and portraits.
        sigma_m: of a landmark of weight 1, metres at the head's distance; large, since errors of neighbours are alike.
        ordinary_weight: of squared residuals where no edge guides the detector, against `WEIGHTS`; assumed.
        sides_weight: of the face's sides where they do not slide along its outline: there the detector marks what the
            model's own points miss by 1 to 4 cm, the same on every training head (docs/research/geometry.md).
        expression_sigma: of coefficients about the detector's scores; assumed.
        log_focal_sigma: of the log focal length where it is unknown; assumed.
        known_log_focal_sigma: where the file gives it: rounded, zoomed, cropped a little; assumed.
        plausible_m: distances in metres outside of which a file's focal length is of another picture.
        focal_doubt: nats by which a fit with the file's focal length may be worse; training people, and one person at
            true distances.
        typical_distance_m: metres, and `log_distance_sigma` of its logarithm; assumed.
        thinnest_px: pixels below which landmarks fall together.
        contour: of landmarks that slide.
    """

    typical_focal_mm: float = 45.0
    sigma_m: float = 0.0027
    ordinary_weight: float = 0.4
    sides_weight: float = 0.016
    expression_sigma: float = 0.12
    log_focal_sigma: float = 0.5
    known_log_focal_sigma: float = 0.06
    plausible_m: tuple[float, float] = (0.1, 5.0)
    focal_doubt: float = 6.0
    typical_distance_m: float = 0.7
    log_distance_sigma: float = 0.6
    thinnest_px: float = 4.0
    contour: ContourSettings = ContourSettings()


@dataclass(frozen=True)
class SharedFitSettings:
    """Photos of one person fitted together.

    Args:
        rounds: in which contours slide; assumed.
        iterations: of the solve in each; assumed.
        hidden_weight: of landmarks on the far side of the head, against those that are seen; assumed.
        face_px: longer side of the face in the reduced photos, less than in a single one: what shading tells of the
            shape adds up (docs/research/views.md).
        most_rise: nats by which sharing the identity may worsen a photo's own fit: -3 to 6 for photos of one person,
            4 to 23 for those of others; ten groups of training people and public portraits.
        most_misfit: nats of a photo's landmarks and expression beyond which it is not a photo of a face as the model
            knows them: 12 to 67 from the front, 105 to 117 from 45 degrees; the same groups.
    """

    rounds: int = 3
    iterations: int = 6
    hidden_weight: float = 0.2
    face_px: int = 90
    most_rise: float = 15.0
    most_misfit: float = 250.0


@dataclass(frozen=True)
class ProfileFitSettings:
    """A head in full profile fitted by its outline; shares are of the extent of its face's skin.

    Args:
        yaw_degrees: by how much a head is turned in which no face is found; assumed.
        turn_sigma_degrees, lean_sigma_degrees: of this, and of its leaning towards the camera; assumed.
        roll_degrees: in which directions its top is looked for.
        sizes_m: of the extent, from one to the other in `sizes` steps; with ear and neck, or the front of it alone.
        sizes: see there.
        bin: share, how finely the outline's place is looked for.
        starts: places that are tried out.
        rounds: in which the outline's points are associated anew.
        reach, last_reach: shares over which an association is a mistake, in the first round and in the last; assumed.
        alike: cosine between the directions of outlines that belong together; assumed.
        sigma_m: of the outline, metres at the head's distance: a pixel of the segmentation.
        rigid_sigma_m: of the outline of a head whose shape stays as the other photos have it, which do not know it.
        alike_over_m: metres of outline whose errors are alike; assumed.
        mask_px: side of the picture in which it is seen what stands out from the head.
        region_m: metres from the face's landmarks within which its outline lies, with what is below the chin.
        log_focal_sigma, log_distance_sigma: of a lens that no file tells, and of the distance, from those of the photos
            of the face; assumed.
        most_turn_degrees, turn_step_degrees: which turns about that by the outline are compared by their skin.
        turn_rounds: of associations for each.
        held_sigma_degrees: how closely each is held; assumed.
        blur_m: metres over which skin is averaged, a share of the mesh's edges.
        least_facing: cosine to the camera from which on skin is compared; assumed.
        behind_m: in head space, what is further back is hair's.
        vertices_alike: that are worth one independent value, about 2 cm squared; assumed.
        sure_reach, sure_alike: the same by which it is judged whether the outline is the head's.
        most_off: metres, mean distance of the outline from that of the head that other photos give: 0.5 to 1.7 mm on
            training heads, 1.8 to 3.4 for discs, boxes and waves.
        most_turned_degrees: between where the camera stands and beside the head: up to 11, and from 19 for discs.
        least_found: share of the head's outline for which there is one in the photo, without a fringe; assumed.
    """

    yaw_degrees: float = 90.0
    turn_sigma_degrees: float = 8.0
    lean_sigma_degrees: float = 4.0
    roll_degrees: tuple[float, ...] = (-40.0, -30.0, -20.0, -10.0, 0.0, 10.0, 20.0, 30.0, 40.0)
    sizes_m: tuple[float, float] = (0.13, 0.30)
    sizes: int = 9
    bin: float = 0.02
    starts: int = 5
    rounds: int = 8
    reach: float = 0.15
    last_reach: float = 0.03
    alike: float = 0.7
    sigma_m: float = 0.001
    rigid_sigma_m: float = 0.003
    alike_over_m: float = 0.01
    mask_px: int = 192
    region_m: float = 0.02
    log_focal_sigma: float = 0.3
    log_distance_sigma: float = 0.3
    most_turn_degrees: float = 20.0
    turn_step_degrees: float = 4.0
    turn_rounds: int = 2
    held_sigma_degrees: float = 1.0
    blur_m: float = 0.0015
    least_facing: float = 0.2
    behind_m: float = -0.08
    vertices_alike: float = 16.0
    sure_reach: float = 0.06
    sure_alike: float = 0.9
    most_off: float = 0.0022
    most_turned_degrees: float = 15.0
    least_found: float = 0.7


@dataclass(frozen=True)
class FittedLightSettings:
    """What is assumed of the light, in units of mean radiance.

    Args:
        shading: mean of white skin, nearly as bright as a picture can show, and its deviation; assumed.
        mean: radiance harmonics: some from everywhere, more from the front and above; assumed.
        sigma: their deviations; assumed.
        colour_sigma: deviation of the channels from each other; assumed.
        tone_samples: independent samples that all skin is worth in the first look; assumed.
        darker_than_skin: of the median luminance, where hair ends and skin begins in the first look; assumed.
        settled_tone_sigma: of tone modes after the first look, in their own deviations; assumed.
    """

    shading: tuple[float, float] = (0.75, 0.15)
    mean: tuple[float, ...] = (0.45, 0.08, 0.25, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    sigma: tuple[float, ...] = (0.15, 0.25, 0.25, 0.25, 0.12, 0.12, 0.12, 0.12, 0.12)
    colour_sigma: float = 0.05
    tone_samples: float = 30.0
    darker_than_skin: tuple[float, float] = (0.35, 0.55)
    settled_tone_sigma: float = 0.3


@dataclass(frozen=True)
class PhotometricSettings:
    """The refinement by shading.

    Args:
        face_px: longer side of the face in the reduced photo.
        sigma: of what light and albedo cannot explain, sRGB values; assumed.
        robust_scale: residual that counts half, sRGB values; assumed.
        effective_samples: independent ones that all pixels are worth, since their errors are alike; assumed.
        least_facing: cosine to the camera below which skin is seen too obliquely; assumed.
        clipped: residual above which the reported error does not grow, sRGB values.
        rounds: in which the seen points are found anew.
        first_damping: of the first Levenberg-Marquardt step, relative to the Hessian's diagonal: nearly Gauss-Newton.
        lid_margin_m: metres from the lids within which nothing is compared; assumed.
        occlusion_rays: of the ambient occlusion.
        light: what is assumed of it.
    """

    face_px: int = 140
    sigma: float = 0.05
    robust_scale: float = 0.06
    effective_samples: float = 250.0
    least_facing: float = 0.25
    clipped: float = 0.2
    rounds: int = 3
    first_damping: float = 1e-3
    lid_margin_m: float = 0.0025
    occlusion_rays: int = 32
    light: FittedLightSettings = FittedLightSettings()


@dataclass(frozen=True)
class CorrectionSettings:
    """Corrections by hand; chosen on portraits of training people, see docs/research/corrections.md.

    Args:
        sigma: of a corrected point before what is left of it becomes a displacement, in interocular distances.
        spread_m: metres over which landmarks go along with a corrected one.
        evenness: of this going along, where corrections contradict each other; assumed.
        apart_m: metres between points of the skin that stay by themselves where there are no landmarks.
        skin_weight: of their squared residuals, as of landmarks that no edge guides; assumed.
        reach_m: metres from a corrected point beyond which vertices are not displaced.
        steps: of the solve, at most.
        ear_hidden: part of the camera's distance by which it may stand on the other side of an ear; assumed.
    """

    sigma: float = 0.008
    spread_m: float = 0.025
    evenness: float = 0.01
    apart_m: float = 0.025
    skin_weight: float = 0.4
    reach_m: float = 0.04
    steps: int = 8
    ear_hidden: float = 0.35


@dataclass(frozen=True)
class FacePartSettings:
    """Which vertices belong to which part of the face.

    Args:
        border_m: softness of the face's outline, metres; assumed.
        mouth_m, nose_m, eyes_m: metres from their landmarks that belong to them; assumed.
    """

    border_m: float = 0.004
    mouth_m: float = 0.008
    nose_m: float = 0.004
    eyes_m: float = 0.008


@dataclass(frozen=True)
class ConfidenceSettings:
    """How sure a fit is; learnt on renders of training heads (docs/research/confidence.md), which
    `relightify evaluate confidence --people train` makes and prints.

    Args:
        chance: true over Laplace's errors where nothing is unusual: photometric residuals are more alike, and the
            landmarks' errors too, than the fit takes them for.
        systematic_mm: by cause (`backend.head.confidence.CAUSES`), mm by part of the face (`PARTS`), where the cause is
            there in full.
        usual_nats: what landmarks ask of the fit at most on photos of people, from the front or from 45 degrees.
        usual_mm: what is expected by part of a calm face from the front, its lens not told.
        unsure_times: of that, from which on a part of the face is a guess that the user is told of.
        told_share: part of that error, as variance, that a cause must have to be named; assumed.
        closed_eyes: weight of the lids' closing from which on the eyes are not seen; assumed.
        most_misfit: times `usual_nats` beyond which the features cannot be where a face has them.
    """

    chance: float = 1.81
    systematic_mm: tuple[tuple[float, ...], ...] = (
        (0.37, 0.0, 0.98, 0.0, 0.0, 0.0, 0.36),
        (0.0, 0.24, 2.71, 0.55, 0.55, 0.0, 0.0),
        (0.0, 0.0, 1.66, 0.0, 0.0, 0.3, 0.76),
        (0.0, 0.0, 0.52, 0.07, 0.07, 0.0, 1.39),
        (0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0),
        (0.0, 0.0, 0.75, 0.83, 0.83, 0.0, 0.0),
        (0.0, 0.0, 1.16, 0.86, 0.86, 0.0, 0.0),
    )
    usual_nats: float = 120.0
    usual_mm: tuple[float, ...] = (1.33, 1.2, 1.77, 1.55, 1.55, 1.44, 1.37)
    unsure_times: float = 1.2
    told_share: float = 0.2
    closed_eyes: float = 0.35
    most_misfit: float = 1.5


@dataclass(frozen=True)
class HeadFitParameters:
    """All of the stage's chosen numbers.

    Args:
        landmarks, shared, profile, photometric, corrections: of its steps.
        parts, confidence: of what is said of it.
        expected_side_px: longer side of the rendering that the skin mask starts from, which need not be finer.
    """

    landmarks: LandmarkFitSettings = LandmarkFitSettings()
    shared: SharedFitSettings = SharedFitSettings()
    profile: ProfileFitSettings = ProfileFitSettings()
    photometric: PhotometricSettings = PhotometricSettings()
    corrections: CorrectionSettings = CorrectionSettings()
    parts: FacePartSettings = FacePartSettings()
    confidence: ConfidenceSettings = ConfidenceSettings()
    expected_side_px: int = 800
