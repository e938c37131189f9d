"""The detail stage: maps of a prior at its working size become maps at the size that was asked for (DESIGN section 6).

It is the same for every prior: the photo's detail is kept, continued, and filled up alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial as partial_call

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.detail import separation
from backend.detail.colours import coloured, encode
from backend.detail.folds import light_in_folds, marked
from backend.detail.hair import Hair, without_surface_light
from backend.detail.options import DetailOptions
from backend.detail.parameters import ContrastSettings, DetailParameters
from backend.detail.photo_detail import PhotoDetail, photo_detail
from backend.detail.regions import SKIN_PARTS, part_weights
from backend.detail.seen import photo_pixels, resolved_share
from backend.detail.statistics import SkinStatistics, load_statistics, measured_contrast
from backend.detail.surface import fine_height, less_in_cavities, relief_normals, relief_share, roughness
from backend.detail.unseen import Shown, missing_detail
from backend.imaging.arrays import Array, as_float32, median, namespace
from backend.imaging.colour import luminance
from backend.imaging.filters import enlarge, inner_distance, smooth_step
from backend.imaging.octaves import COARSEST_OCTAVE, finest_octave, reduce_to, wavelength_mm
from backend.imaging.rows import Enlarged, at_side, in_bands, reduced_in_bands, two_steps
from backend.prior.interface import CompletedMaps
from backend.progress import Progress
from backend.texture.detail_report import DetailReport
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import DILATION_TEXELS, PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, plain_skin
from backend.texture.relief import cavities, relief_height
from backend.texture.uv_space import SurfaceGradient, coarser, dilate, fill, nearest_inside


def add_detail(
    maps: CompletedMaps,
    delit: DelightedTexture,
    seed: int,
    options: DetailOptions = DetailOptions(),
    parameters: DetailParameters = DetailParameters(),
    statistics: SkinStatistics | None = None,
    progress: Progress = Progress(),
) -> SkinMaps:
    """All maps at the size R x R that was asked for, dilated beyond the island, without holes.

    The photo's fine detail is parted into pigment, relief and gloss; pigment goes to the albedo, relief mostly to the
    normals, gloss nowhere. What the photo does not show is continued from the person's own skin, or made by the
    statistics of skin, octave by octave up to the contrast that the part of the face should have.

    Args:
        maps: what the prior made, B x B.
        delit: what was seen, with and without its light, and of which skin, R x R.
        seed: of everything random; same seed and versions give the same maps.
        options: strength of made detail, and whether a displacement is wanted.
        parameters: the stage's chosen numbers.
        statistics: of people's skin; None takes those that ship.
        progress: told about the steps; raises when the user cancels.

    Raises:
        JobCancelled: the user asked to stop.
    """
    maps = _with_marks(maps, delit)
    skin, partial = delit.skin, delit.partial
    uv_space, small, regions = skin.uv_space, skin.working, skin.regions
    side, island = uv_space.resolution, uv_space.mask
    scale = regions.texels_per_mm * side / maps.side
    grown = maps.dilated(small.mask)
    creases = partial_call(
        separation.creases,
        weight=delit.weight,
        beard=regions.beard,
        texels_per_mm=regions.texels_per_mm,
        settings=parameters.creases,
    )
    crease = creases(luminance(grown.log_relief))
    # A pale mark has no dark lines, but leaves some about it.
    dark_marks = namespace(crease).minimum(luminance(delit.log_marks), 0)
    beside_marks = marked(dark_marks, regions.texels_per_mm, parameters.folds) * reduce_to(crease, maps.side)
    with_marks = creases(luminance(grown.log_relief) + dark_marks) if bool((beside_marks > 0.1).any()) else crease
    photo = photo_detail(grown, delit, crease, parameters)
    progress.report(0.2)
    shown = _shown(photo, skin, scale, partial, parameters)
    # What noise has left of an octave still says how smooth the skin may be, at least.
    sharp = shown.seen if partial.sharpness == 1 else _seen(photo, skin, replace(partial, sharpness=1.0), parameters)[0]
    plainly = _plainly_seen(sharp, shown.bands, len(shown.skin), regions)
    contrast = measured_contrast(shown.bands, shown.parts, plainly, parameters.contrast)
    statistics = statistics or load_statistics()
    expected = statistics.expected(contrast, options.age, parameters.contrast)
    expected = _plain_contrast(_believable(expected, shown, statistics, options.age, parameters), parameters.contrast)
    density = small.texels_per_metre(skin.neutral) * (side / maps.side / 1000)
    progress.report(0.4)

    asked = shown, expected, options.strength, uv_space, skin.model.mean, density, scale, seed, parameters.unseen
    made, lines = two_steps(
        partial_call(missing_detail, *asked),
        partial_call(_lines, maps, crease, delit, photo.hair, parameters),
        density,
    )
    report = _report(shown, options, skin, partial, scale, parameters.unseen.resolved)
    del shown, asked
    progress.report(0.6)

    if grown.normal is None:
        of_skin = grown.log_albedo, delit.marks_kept * delit.log_marks
        found = lines.without_strands(with_marks), photo.spot.image
        place = small.mask, regions.texels_per_mm
        light = light_in_folds(*of_skin, *found, *place, parameters.relief.in_albedo, parameters.folds)
        grown = replace(grown, log_albedo=grown.log_albedo - light)
    colours = coloured(grown, photo, made, lines.hairs, regions, parameters.relief)
    texture, albedo, relief, hair = colours.texture_srgb, colours.albedo, colours.relief, photo.hair
    del made, photo, colours
    bare = albedo  # an albedo that the prior inferred has no light of this photo in it
    if grown.normal is None:
        bare = without_surface_light(albedo, hair, regions, delit.mean_albedo, parameters.hair)
    encode(bare, albedo)
    progress.report(0.8)

    height = fine_height(relief, lines.crease, scale, max(COARSEST_OCTAVE, finest_octave(side)), parameters.relief)
    del relief, bare
    base = None if grown.normal is None else Enlarged(grown.normal, side)
    coarse = None if base is not None else Enlarged(_coarse_height(maps, delit, hair, lines, parameters), side)

    def raise_island(rows: slice) -> None:
        if coarse is not None:
            height[rows] += coarse[rows]
        height[rows] *= island[rows]

    in_bands(raise_island, side, height)
    depth = cavities(height, island, scale)
    rough = roughness(enlarged_regions(regions, min(side, parameters.relief.roughness_side)), depth, side)
    specular = less_in_cavities(Enlarged(grown.specular_albedo, side), depth, side, height)
    # Filtering reaches over the island's border, and slopes do.
    border = nearest_inside(island, DILATION_TEXELS)
    fill(height, *border)
    normal = relief_normals(height, lines.gradient, base, parameters.relief)
    for image in (texture, albedo, specular, normal, rough):
        fill(image, *border)
    return SkinMaps(
        texture_srgb=texture,
        diffuse_albedo_srgb=albedo,
        specular_albedo=specular,
        normal=normal,
        visibility=partial.visibility,
        displacement_mm=height if options.extras else None,
        roughness=rough,
        detail=report,
    )


@dataclass(frozen=True)
class _Lines:
    """What of the detail is known apart from what is made of it.

    Args:
        hairs: float32 [B, B], share of the hairline's hairs.
        strands: float32 [n, n], share of all hairs.
        crease: float32 [n, n], share of creases.
        gradient: how slopes on the surface follow from heights.
    """

    hairs: Array
    strands: Array
    crease: Array
    gradient: SurfaceGradient

    def without_strands(self, crease: Array) -> Array:
        """The same of other creases."""
        return crease * (1 - self.strands)


def _lines(
    maps: CompletedMaps,
    crease: Array,
    delit: DelightedTexture,
    hair: Hair,
    parameters: DetailParameters,
) -> _Lines:
    skin, regions = delit.skin, delit.skin.regions
    xp = namespace(crease)
    hairs = separation.hairline(luminance(maps.log_relief), delit.weight, regions, parameters.hair)
    # Strands are lines too.
    strands = xp.clip(reduce_to(xp.maximum(hairs, reduce_to(hair.covered, maps.side)), len(crease)), 0, 1)
    return _Lines(hairs, strands, crease * (1 - strands), skin.uv_space.surface_gradient(skin.neutral))


def _coarse_height(
    maps: CompletedMaps, delit: DelightedTexture, hair: Hair, lines: _Lines, parameters: DetailParameters
) -> Array:
    """Height float32 [B, B] in mm of the relief that is read from maps of the working size."""
    regions, island = delit.skin.regions, delit.skin.working.mask
    coarse = relief_height(maps.log_relief, regions, island)
    coarse *= 1 - namespace(coarse).maximum(lines.hairs, reduce_to(hair.share, maps.side))
    coarse *= off_border(delit.weight, 0.4 * regions.texels_per_mm)
    coarse *= relief_share(parameters.relief.coarse_wave_mm, reduce_to(lines.crease, maps.side), parameters.relief)
    return dilate(coarse, island, 3)


def _with_marks(maps: CompletedMaps, delit: DelightedTexture) -> CompletedMaps:
    """The maps with the photo's marks laid over them; priors complete skin without, and marks are no relief."""
    return replace(
        maps,
        log_texture=maps.log_texture + delit.log_marks,
        log_albedo=maps.log_albedo + delit.marks_kept * delit.log_marks,
    )


def _believable(
    contrast: np.ndarray, shown: Shown, statistics: SkinStatistics, age: float | None, parameters: DetailParameters
) -> np.ndarray:
    """Contrasts [parts, octaves], those of octaves that the photo cannot show held below what few people have.

    A photo's own grain and its compression pass for rough skin, and would be carried on into all finer octaves.
    """
    settings = parameters.contrast
    most = settings.most_over_usual * statistics.expected(np.full_like(contrast, np.nan), age, settings)
    unshown = [o for o, resolved in shown.resolved.items() if resolved <= parameters.unseen.resolved]
    limited = contrast.copy()
    limited[:, unshown] = np.minimum(contrast, most)[:, unshown]
    return limited


def _plain_contrast(contrast: np.ndarray, settings: ContrastSettings) -> np.ndarray:
    """Contrasts [parts, octaves] for made detail, by the cheeks' where a part's own do not serve.

    What was measured of lids and lips has their borders and lashes in it; neck, ears and scalp were hardly ever seen.
    """
    limited = contrast.copy()
    cheeks = contrast[SKIN_PARTS.index("cheeks")]
    for part, most in (("eyes", settings.eyes_of_cheeks), ("lips", settings.lips_of_cheeks)):
        number = SKIN_PARTS.index(part)
        limited[number] = np.minimum(contrast[number], most * cheeks)
    limited[SKIN_PARTS.index("rest")] = settings.rest_of_cheeks * cheeks
    return limited


def _shown(
    photo: PhotoDetail, skin: FittedSkin, texels_per_mm: float, partial: PartialTexture, parameters: DetailParameters
) -> Shown:
    """What there is of the detail, and where it comes from the photo."""
    side, regions, xp = photo.side, skin.regions, namespace(photo.detail)
    seen, resolved, strength = _seen(photo, skin, partial, parameters)
    n = len(strength)
    plain = reduce_to(plain_skin(regions), n)
    clear = (strength > 0.7) & (reduced_in_bands(lambda rows: photo.spot[rows], side, n, like=plain) < 0.2)
    border = inner_distance(clear) > parameters.unseen.sample_border_mm * texels_per_mm * n / side
    haired = reduce_to(regions.beard * (1 - regions.lips), n)
    usual = xp.maximum(plain, haired * reduce_to(regions.face, n)) * border
    parts = xp.stack([reduce_to(p, n) for p in part_weights(regions)])
    return Shown(photo.bands, seen, resolved, as_float32(usual), parts)


def _seen(
    photo: PhotoDetail, skin: FittedSkin, partial: PartialTexture, parameters: DetailParameters
) -> tuple[dict[int, Array], dict[int, float], Array]:
    """`Shown.seen` and `Shown.resolved`, and the share of the photo's detail that is taken, float32 [S, S]."""
    uv_space = coarser(skin.uv_space, min(photo.side, parameters.unseen.region_side))
    n = uv_space.resolution
    pixels = partial.sharpness * photo_pixels(skin, partial, uv_space)
    weight = reduced_in_bands(lambda rows: photo.weight[rows], photo.side, n, like=photo.detail)
    strength = smooth_step(weight, *parameters.seen.trusted)
    shares = {octave: resolved_share(pixels, octave, n, parameters.seen) for octave in photo.bands}
    face = (strength * reduce_to(skin.regions.face, n)) > 0.5
    resolved = {o: median(share[face]) if bool(face.any()) else 0.0 for o, share in shares.items()}
    sides = {octave: min(len(band), n) for octave, band in photo.bands.items()}
    return {o: reduce_to(share * strength, sides[o]) for o, share in shares.items()}, resolved, strength


def _plainly_seen(seen: dict[int, Array], bands: dict[int, Array], side: int, regions: FaceRegions) -> dict[int, Array]:
    """By octave, where its contrast may be measured, [side, side]: seen, and for what is resolved at all."""
    hairless, found = 1 - reduce_to(regions.brows, side), {}
    for octave, share in seen.items():
        # As texels of the band have it: enlarged, and averaged again.
        h = len(bands[octave])
        of_band, kind = at_side(share, h), share
        share = (
            reduced_in_bands(lambda rows, of=of_band: of[rows], h, side, like=kind)
            if h > side
            else reduce_to(share, side)
        )
        found[octave] = (share > 0.9) * hairless
    return found


def _report(
    shown: Shown,
    options: DetailOptions,
    skin: FittedSkin,
    partial: PartialTexture,
    texels_per_mm: float,
    least: float,
) -> DetailReport:
    """Shares of the face's detail, every octave counting the same."""
    face = reduce_to(skin.regions.face, shown.skin.shape[0])
    rows = []
    side = skin.uv_space.resolution
    for octave, seen in shown.seen.items():
        weight = reduce_to(face, seen.shape[0])
        share = float((seen * weight).sum() / max(float(weight.sum()), 1e-6))
        continued = (1 - share) if shown.resolved[octave] > least else 0.0
        if shown.resolved[octave] > least and shown.resolved[octave] < 1:
            # Of what was looked at but only half shown, the rest is made.
            looked = share / shown.resolved[octave]
            continued = max(0.0, 1 - looked)
        rows.append((wavelength_mm(octave, texels_per_mm, side), share, continued, max(0.0, 1 - share - continued)))
    table = np.array(rows)
    pixels = photo_pixels(skin, partial, coarser(skin.uv_space, shown.skin.shape[0]))
    looked = (face > 0.5) & (reduce_to(shown.seen[COARSEST_OCTAVE], len(face)) > 0.5)
    per_mm = texels_per_mm * len(face) / side
    photo = median(pixels[looked]) * per_mm if bool(looked.any()) else 0.0
    seen, continued, made = (round(float(x), 4) for x in table[:, 1:].mean(0))
    octaves = tuple((round(w, 4), round(s, 4), round(c, 4), round(m, 4)) for w, s, c, m in rows)
    return DetailReport(seen, continued, made, options.strength, round(photo, 3), round(texels_per_mm, 3), octaves)


def enlarged_regions(regions: FaceRegions, side: int) -> FaceRegions:
    """The regions on side x side texels."""
    if side == regions.face.shape[0]:
        return regions
    masks = {
        name: namespace(regions.face).clip(enlarge(getattr(regions, name), side), 0, 1)
        for name in ("lips", "nose", "forehead", "brows", "eyes", "beard", "face")
    }
    return FaceRegions(**masks, texels_per_mm=regions.texels_per_mm * side / regions.face.shape[0])


def off_border(weight: Array, texels_per_mm: float) -> Array:
    """0 on the border between seen and unseen, 1 two millimetres away: a step of colour there is no relief."""
    seen = weight > 0.5
    distance = inner_distance(seen) + inner_distance(~seen)
    return smooth_step(distance, 0.5 * texels_per_mm, 2.0 * texels_per_mm)
