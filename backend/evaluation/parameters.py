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


@dataclass(frozen=True)
class HeadRenderSettings:
    """Renders of fitted heads, as the table `identity` looks at them.

    Args:
        side_px: of a picture.
        margin: side of the cut-out over the face's extent.
        oversampling: rays a pixel along each side.
        texels: resolution of the maps.
        shading_texels: resolution of what varies slowly over the skin.
        directions: that light is sampled in.
        iris_radius_m: of nearly all adults (11.7 mm wide).
        pupil: its radius over the iris's; assumed.
        sclera, teeth, mouth: diffuse albedos, linear RGB; assumed.
        iris_brightness: the iris's albedo over the colour seen in the photo, where lid and lashes shade it; assumed.
        background: linear grey behind a head that is not laid over its photo.
        yaw_degrees: by which heads are turned, to either side.
        studio_light: the other light, of `backend.training.stream.lights.load_environments`: Blender's "studio".
        front_level: what a white surface that faces the camera shows in the light of a studio, linear; assumed.
    """

    side_px: int = 512
    margin: float = 1.6
    oversampling: int = 2
    texels: int = 1024
    shading_texels: int = 256
    directions: int = 256
    iris_radius_m: float = 0.00585
    pupil: float = 0.36
    sclera: tuple[float, float, float] = (0.48, 0.44, 0.405)
    teeth: tuple[float, float, float] = (0.62, 0.56, 0.46)
    mouth: tuple[float, float, float] = (0.25, 0.08, 0.07)
    iris_brightness: float = 1.15
    background: float = 0.3
    yaw_degrees: float = 30.0
    studio_light: int = 5
    front_level: float = 0.9


@dataclass(frozen=True)
class ViewsSettings:
    """The table `views`.

    Args:
        side_yaw_degrees: of the side that the front does not show.
        hidden: visibility up to which the front does not show a texel.
        shown: visibility from which a texel is shown.
        profile_m: metres from the face's middle plane that are its profile.
        less_in_profile, less_over_face: share of the geometry's error that three photos must take off.
        more_hidden_db: what they must gain on hidden texels.
        most_times: of one photo's seconds that three may take.
    """

    side_yaw_degrees: float = 90.0
    hidden: float = 0.1
    shown: float = 0.9
    profile_m: float = 0.012
    less_in_profile: float = 0.3
    less_over_face: float = 0.15
    more_hidden_db: float = 3.0
    most_times: float = 2.2


@dataclass(frozen=True)
class IdentityTargets:
    """What the table `identity` is judged by.

    Args:
        first: share of heads that are most like their own person's photo.
        area: under the curve of right and wrong acceptances.
        share: of the likeness between two photographs of one person, of a head to the photo it was not made from.
    """

    first: float = 1.0
    area: float = 0.99
    share: float = 0.95


@dataclass(frozen=True)
class GeometrySettings:
    """How surfaces are compared.

    Args:
        region_points: on each region.
        mouth_mm: around the lips that count as the mouth.
        texture_reach: part of the library's texture within which one of our texels tells a vertex's region.
        candidates: triangles among which the closest is looked for.
        iterations: of closest points at most; `converged` is the relative gain below which they end.
        damping: of motions, against a mean square of 1 of what a motion does along the surface's normals.
        floor_rounds: in which the model is fitted to the true surface.
        floor_noise_m: metres of misfit that weigh as much as a deviation of one mode, as in the head model's report.
    """

    region_points: int = 600
    mouth_mm: float = 12.0
    texture_reach: float = 0.004
    candidates: int = 6
    iterations: int = 15
    converged: float = 1e-3
    damping: float = 1e-3
    floor_rounds: int = 6
    floor_noise_m: float = 3e-4


@dataclass(frozen=True)
class PaintedMarksSettings:
    """The table `marks`.

    Args:
        least, most_of_shadows: share of a mark that is to be in the layer, and of a shadow that may be.
        shown: visibility from which a texel was certainly seen in both photos.
        painted: share of a mark from which a texel was painted.
        fewest_texels: of a mark that are worth a figure.
    """

    least: float = 0.8
    most_of_shadows: float = 0.2
    shown: float = 0.9
    painted: float = 0.05
    fewest_texels: int = 40


@dataclass(frozen=True)
class PosedSettings:
    """Heads of known shape in hard poses, for the table `confidence`.

    Args:
        side_px: of the square pictures.
        directions: that light is sampled in.
        iris_srgb: colour of all irises.
        farthest_m, least_agreement: from the model's nearest head to the true surface, metres and cosine of normals;
            further is another place.
        smoothings: of what the model does not have of a face, each over a vertex's neighbours.
        part_points, face_points: that are compared.
    """

    side_px: int = 512
    directions: int = 128
    iris_srgb: tuple[float, float, float] = (0.25, 0.15, 0.1)
    farthest_m: float = 0.005
    least_agreement: float = 0.8
    smoothings: int = 2
    part_points: int = 300
    face_points: int = 1500


@dataclass(frozen=True)
class AlbedoModelSettings:
    """PCA models of the albedo.

    Args:
        components: of each channel, one model each.
        papers_components: of each channel, as many as UVAPM has.
        papers_sides: texels a side of the coarse map, which is what UVAPM's table 2 varies; its third, 256, is beyond
            the band of the model.
        samples: of the training stream that they are fitted to, each mirrored as well.
        side: texels a side of the samples.
        seed: of the stream and the decomposition.
        noise: of a texel, linear albedo, against coefficients of deviation 1; assumed.
        one_left_out_of: so many training people, one is described and not trained on, to choose numbers by.
    """

    components: tuple[int, ...] = (64, 128, 256)
    papers_components: int = 100
    papers_sides: tuple[int, ...] = (64, 128)
    samples: int = 600
    side: int = 256
    seed: int = 0
    noise: float = 0.02
    one_left_out_of: int = 10


@dataclass(frozen=True)
class SkinStatisticsSettings:
    """What is counted on maps of skin; lengths are widths at half height of Gaussians, mm; all assumed.

    Args:
        known: visibility from which a texel was certainly seen.
        border_mm: of the border of what is known that does not count.
        darkest: linear luminance below which nothing is told.
        blotch_mm: the band in which blotches lie.
        edge_mm: blur in which edges of light are measured, so that pores are none.
        edge_quantile: of the slopes.
        broad_mm: blur of what counts as shading.
        around_mm: blur of what a highlight is brighter than.
        highlight: by how much, natural logarithm.
        burnt: sRGB value from which a channel holds no detail.
        novelty_side: texels a side at which skins are compared: pores are nobody's.
    """

    known: float = 0.9
    border_mm: float = 2.0
    darkest: float = 2e-3
    blotch_mm: tuple[float, float] = (3.0, 30.0)
    edge_mm: float = 1.5
    edge_quantile: float = 0.98
    broad_mm: float = 12.0
    around_mm: float = 40.0
    highlight: float = 0.35
    burnt: float = 0.97
    novelty_side: int = 128


@dataclass(frozen=True)
class DrawSettings:
    """Fair draws.

    Args:
        yaws: from which is hidden what a camera would not see, degrees.
        right: lowest and highest blotch index that is right.
        completions: K, of each texture.
        best_of: of how many of them the best counts.
        samples: from noise.
        steps: of the sampler, from pure noise; more change draws of the network that ships little (assumed).
        broad_mm: width at half height of the blur without which the energy score is given too: nobody knows where
            hidden pores lie.
        rounds: of permutations and bootstrap.
        blocks: latent cells a side that one feature sums up.
        covered: share of a block that must be known in the usual person.
    """

    yaws: tuple[int, ...] = (30, 60, 90)
    right: tuple[float, float] = (0.8, 1.25)
    completions: int = 8
    best_of: int = 4
    samples: int = 16
    steps: int = 40
    broad_mm: float = 3.0
    rounds: int = 500
    blocks: int = 4
    covered: float = 0.5


@dataclass(frozen=True)
class HandSettings:
    """Corrections by hand that are made again.

    Args:
        drag_px: by which a handle is dragged.
        pinned: handles that are held.
        far_m: metres from the dragged handle, beyond which others should hardly move.
        near_m: metres from the chin's tip that count as chin.
        rest_m: metres from it beyond which landmarks tell how two heads lie to each other.
        chin: handles that mend a chin.
        shift: of the wrongly detected chin, in interocular distances.
    """

    drag_px: float = 10.0
    pinned: tuple[str, ...] = ("nose tip", "eye outer corner right", "eye outer corner left", "mouth corner left")
    far_m: float = 0.06
    near_m: float = 0.04
    rest_m: float = 0.05
    chin: tuple[str, ...] = ("chin", "chin side right", "chin side left", "jaw right", "jaw left")
    shift: float = 0.1
