"""The detail stage: maps of a prior at its working size become maps at the size that was asked for (DESIGN section 6).

It is the same for every prior: the photo's detail is kept, continued, and filled up alike.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial as partial_call

import numpy as np

from backend.delight.delighting import DelightedTexture
from backend.delight.marks import spots
from backend.detail import separation
from backend.detail.hair import Hair, grown_hair, without_surface_light
from backend.detail.options import DetailOptions
from backend.detail.parameters import ContrastSettings, DetailParameters
from backend.detail.regions import SKIN_PARTS, part_weights
from backend.detail.seen import fine_detail, photo_pixels, resolved_share
from backend.detail.statistics import SkinStatistics, load_statistics, measured_contrast
from backend.detail.surface import fine_height, laid_over, less_in_cavities, relief_normals, relief_share, roughness
from backend.detail.unseen import Shown, missing_detail
from backend.imaging.colour import LUMINANCE, linear_to_srgb
from backend.imaging.filters import enlarge, inner_distance, smooth_step
from backend.imaging.octaves import COARSEST_OCTAVE, finest_octave, reduce_to, split, wavelength_mm
from backend.prior.interface import CompletedMaps
from backend.progress import Progress
from backend.side_by_side import side_by_side
from backend.texture.detail_report import DetailReport
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, plain_skin
from backend.texture.relief import relief_height
from backend.texture.uv_space import SurfaceGradient, coarser, dilate


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
    side = uv_space.resolution
    scale = regions.texels_per_mm * side / maps.side
    weight = np.clip(enlarge(delit.weight, side), 0, 1)
    shine = np.clip(enlarge(smooth_step(delit.shine, *parameters.seen.shine), side), 0, 1)
    grown = maps.dilated(small.mask)

    # The reduction is of the texture before completion; outside of what was seen it must not ring.
    reduced = grown.log_texture + delit.weight[..., None] * (delit.log_seen + delit.log_marks - grown.log_texture)
    trusted = parameters.seen.trusted
    own = fine_detail(partial, reduced, smooth_step(weight, *trusted))
    log_texture = enlarge(grown.log_texture, side)
    matte = separation.without_gloss(own, log_texture, shine, scale) if parameters.relief.gloss and own.any() else own
    log_albedo = enlarge(grown.log_albedo, side)
    luminance = LUMINANCE.astype(np.float32)
    hair = grown_hair((log_albedo + own) @ luminance, weight, shine, regions, scale, parameters.hair)
    covered = np.clip(enlarge(hair.covered, side), 0, 1)
    # Fair hair passes for gloss by its colour.
    matte = matte + (covered * (1 - shine))[..., None] * (own - matte)
    spot = spots((log_albedo + matte) @ luminance, weight, scale, parameters.spots)
    if not parameters.relief.spots:
        spot[:] = 0
    progress.report(0.2)
    lit = log_albedo @ luminance + matte @ luminance
    shown = _shown(lit, spot, weight, skin, scale, partial, parameters)
    # What noise has left of an octave still says how smooth the skin may be, at least.
    sharp = replace(partial, sharpness=1.0)
    sampled = shown if partial.sharpness == 1 else _shown(lit, spot, weight, skin, scale, sharp, parameters)
    contrast = measured_contrast(shown.bands, shown.parts, _plainly_seen(sampled, regions), parameters.contrast)
    statistics = statistics or load_statistics()
    expected = statistics.expected(contrast, options.age, parameters.contrast)
    expected = _plain_contrast(_believable(expected, shown, statistics, options.age, parameters), parameters.contrast)
    density = small.texels_per_metre(skin.neutral) * (side / maps.side / 1000)
    progress.report(0.4)
    full_regions = enlarged_regions(regions, side)

    asked = shown, expected, options.strength, uv_space, skin.model.mean, density, scale, seed, parameters.unseen
    made, lines = side_by_side(
        partial_call(missing_detail, *asked),
        partial_call(_lines, maps, grown.log_relief, delit, hair, spot, full_regions, parameters),
    )
    hairs, pigment, crease = lines.hairs, lines.pigment, lines.crease
    progress.report(0.7)

    # Into colours: what is relief leaves the albedo in part.
    share = np.clip(enlarge(hair.share, side), 0, 1)
    relief = (matte @ luminance) * (1 - np.maximum(pigment, share)) + (made.fine + made.coarse) * (1 - share)
    np.maximum(pigment, covered, out=pigment)
    del spot
    tint = made_colour(matte, weight)
    log_texture += own
    log_texture += ((made.fine + made.coarse) * (1 - smooth_step(weight, *trusted)))[..., None] * tint
    texture = linear_to_srgb(np.exp(log_texture, out=log_texture)).astype(np.float32)
    del log_texture, own
    kept = parameters.relief.in_albedo
    log_albedo += matte * (pigment + (1 - pigment) * kept)[..., None]
    log_albedo += ((covered + (1 - covered) * kept) * made.fine + made.coarse)[..., None] * tint
    lit_albedo = np.exp(log_albedo, out=log_albedo)
    bare = lit_albedo  # an albedo that the prior inferred has no light of this photo in it
    if grown.normal is None:
        bare = without_surface_light(lit_albedo, hair, regions, delit.mean_albedo, parameters.hair)
    albedo = linear_to_srgb(_soft_range(bare)).astype(np.float32)
    del log_albedo, lit_albedo, matte, pigment, bare, share, covered

    height = (
        fine_height(relief, crease, scale, max(COARSEST_OCTAVE, finest_octave(side)), parameters.relief) * uv_space.mask
    )
    del relief, made
    if grown.normal is None:
        coarse = relief_height(maps.log_relief, regions, small.mask)
        coarse *= 1 - np.maximum(hairs, reduce_to(hair.share, maps.side))
        coarse *= off_border(delit.weight, 0.4 * regions.texels_per_mm)
        coarse *= relief_share(parameters.relief.coarse_wave_mm, reduce_to(crease, maps.side), parameters.relief)
        height += enlarge(dilate(coarse, small.mask, 3), side) * uv_space.mask
    normal = relief_normals(height, lines.gradient, uv_space.mask, parameters.relief)
    if grown.normal is not None:
        normal = laid_over(enlarge(grown.normal, side), normal)
    finished = SkinMaps(
        texture_srgb=texture,
        diffuse_albedo_srgb=albedo,
        specular_albedo=less_in_cavities(enlarge(grown.specular_albedo, side), height, uv_space.mask, scale),
        normal=normal,
        visibility=partial.visibility,
        displacement_mm=height if options.extras else None,
        roughness=roughness(height, full_regions, uv_space.mask),
        detail=_report(shown, options, skin, partial, scale, parameters.unseen.resolved),
    )
    return finished.dilated(uv_space.mask)


@dataclass(frozen=True)
class _Lines:
    """What of the detail is known apart from what is made of it.

    Args:
        hairs: float32 [B, B], share of the hairline's hairs.
        pigment: float32 [R, R], share of the detail that is pigment.
        crease: float32 [n, n], share of creases.
        gradient: how slopes on the surface follow from heights.
    """

    hairs: np.ndarray
    pigment: np.ndarray
    crease: np.ndarray
    gradient: SurfaceGradient


def _lines(
    maps: CompletedMaps,
    log_relief: np.ndarray,
    delit: DelightedTexture,
    hair: Hair,
    spot: np.ndarray,
    full_regions: FaceRegions,
    parameters: DetailParameters,
) -> _Lines:
    skin, regions, luminance = delit.skin, delit.skin.regions, LUMINANCE.astype(np.float32)
    hairs = separation.hairline(maps.log_relief @ luminance, delit.weight, regions, parameters.hair)
    pigment = separation.pigment_share(spot, np.clip(enlarge(hairs, len(spot)), 0, 1), full_regions)
    crease = separation.creases(log_relief @ luminance, delit.weight, regions.texels_per_mm, parameters.creases)
    # Strands are lines too.
    crease *= 1 - np.clip(reduce_to(np.maximum(hairs, reduce_to(hair.covered, maps.side)), len(crease)), 0, 1)
    return _Lines(hairs, pigment, crease, skin.uv_space.surface_gradient(skin.neutral))


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
    log_luminance: np.ndarray,
    spot: np.ndarray,
    weight: np.ndarray,
    skin: FittedSkin,
    texels_per_mm: float,
    partial: PartialTexture,
    parameters: DetailParameters,
) -> Shown:
    """What there is of the detail: bands of the albedo [R, R], and where they come from the photo."""
    side, regions = log_luminance.shape[0], skin.regions
    bands, _ = split(log_luminance)
    uv_space = coarser(skin.uv_space, min(side, parameters.unseen.region_side))
    pixels = partial.sharpness * photo_pixels(skin, partial, uv_space)
    strength = smooth_step(reduce_to(weight, uv_space.resolution), *parameters.seen.trusted)
    shares = {o: resolved_share(pixels, o, uv_space.resolution, parameters.seen) for o in bands}
    face = (strength * reduce_to(regions.face, uv_space.resolution)) > 0.5
    resolved = {o: float(np.median(share[face])) if face.any() else 0.0 for o, share in shares.items()}
    seen = {
        o: reduce_to(share * strength, band.shape[0])
        for (o, share), band in zip(shares.items(), bands.values(), strict=True)
    }
    plain = reduce_to(plain_skin(regions), uv_space.resolution)
    clear = (strength > 0.7) & (reduce_to(spot, uv_space.resolution) < 0.2)
    border = inner_distance(clear) > parameters.unseen.sample_border_mm * texels_per_mm * uv_space.resolution / side
    haired = reduce_to(regions.beard * (1 - regions.lips), uv_space.resolution)
    usual = np.maximum(plain, haired * reduce_to(regions.face, uv_space.resolution)) * border
    parts = np.stack([reduce_to(p, uv_space.resolution) for p in part_weights(regions)])
    return Shown(bands, seen, resolved, usual.astype(np.float32), parts)


def _plainly_seen(shown: Shown, regions: FaceRegions) -> dict[int, np.ndarray]:
    """By octave, where its contrast may be measured: seen, and for what is resolved at all."""
    hairless = 1 - reduce_to(regions.brows, shown.skin.shape[0])
    return {o: (reduce_to(seen, hairless.shape[0]) > 0.9) * hairless for o, seen in shown.seen.items()}


def made_colour(detail: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """How detail of the luminance looks in red, green and blue, float32 [3], by the photo's own detail [R, R, 3]."""
    picked = detail[::4, ::4][weight[::4, ::4] > 0.9]
    usual = np.array([0.8, 1.04, 1.18])  # absorbed by melanin and blood, and lit by light that went through skin
    luminance = picked @ LUMINANCE
    energy = float(luminance @ luminance)
    if len(picked) < 200 or energy < 1e-4 * len(picked):
        return usual.astype(np.float32)
    slope = np.clip((picked.T @ luminance) / energy, 0.5, 1.6)
    return (slope / float(slope @ LUMINANCE)).astype(np.float32)


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
    photo = float(np.median(pixels[looked])) * per_mm if looked.any() else 0.0
    seen, continued, made = (round(float(x), 4) for x in table[:, 1:].mean(0))
    octaves = tuple((round(w, 4), round(s, 4), round(c, 4), round(m, 4)) for w, s, c, m in rows)
    return DetailReport(seen, continued, made, options.strength, round(photo, 3), round(texels_per_mm, 3), octaves)


def enlarged_regions(regions: FaceRegions, side: int) -> FaceRegions:
    """The regions on side x side texels."""
    if side == regions.face.shape[0]:
        return regions
    masks = {
        name: np.clip(enlarge(getattr(regions, name), side), 0, 1)
        for name in ("lips", "nose", "forehead", "brows", "eyes", "beard", "face")
    }
    return FaceRegions(**masks, texels_per_mm=regions.texels_per_mm * side / regions.face.shape[0])


def off_border(weight: np.ndarray, texels_per_mm: float) -> np.ndarray:
    """0 on the border between seen and unseen, 1 two millimetres away: a step of colour there is no relief."""
    seen = weight > 0.5
    distance = inner_distance(seen) + inner_distance(~seen)
    return smooth_step(distance, 0.5 * texels_per_mm, 2.0 * texels_per_mm)


def _soft_range(albedo: np.ndarray) -> np.ndarray:
    """Albedo pressed softly into what skin and hair can have: 0.008 to 0.85."""
    high = 0.6
    over = np.maximum(albedo - high, 0)
    pressed = np.minimum(albedo, high) + 0.25 * (1 - np.exp(-over / 0.25))
    return np.maximum(pressed, 0.008)
