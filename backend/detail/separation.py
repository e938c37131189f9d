"""What the photo's fine detail is: pigment, relief or gloss."""

from __future__ import annotations

from functools import reduce

import numpy as np

from backend.detail.parameters import CreaseSettings, HairSettings
from backend.imaging.arrays import Array, as_float32, count, filled_with, like, median, namespace, places, to_host
from backend.imaging.colour import luminance
from backend.imaging.filters import (
    MAD_TO_STD,
    filtered,
    gaussian_blur,
    grown,
    inner_distance,
    masked_blur,
    smooth_step,
    without_holes,
)
from backend.imaging.octaves import reduce_to
from backend.imaging.rows import Rows, filled_in_bands
from backend.texture.regions import FaceRegions, plain_skin

# Standard deviation to geometric mean of the absolute deviation, of a normal distribution.
GEOMETRIC_TO_STD = float(np.exp(-(np.euler_gamma + np.log(2)) / 2))


def creases(
    log_luminance: Array,  # float32 [R, R]
    weight: Array,  # float32 [R, R], > 0.5 where it is skin that was seen
    beard: Array,  # float32 [R, R], where hair may grow that looks like creases
    texels_per_mm: float,
    settings: CreaseSettings = CreaseSettings(),
) -> Array:
    """How far each texel belongs to a crease: float32 [r, r] in [0, 1], r at most `side`.

    Creases are dark lines, much longer than grain is: found by second derivatives across, averaged along (Freeman and
    Adelson, "The design and use of steerable filters", 1991; here turned kernels). Where hair may grow, they must stand
    out of the lines about them as well, as a fold does in stubble and no strand does in a beard.
    """
    xp, side = namespace(weight), min(log_luminance.shape[0], settings.side)
    scale = texels_per_mm * side / log_luminance.shape[0]
    skin = reduce_to(weight, side)
    inside = inner_distance(skin > 0.5) > settings.length_mm * scale
    if not settings.found or count(inside) < 200:
        return filled_with(0, (side, side), weight)
    small = reduce_to(log_luminance, side)
    flat = as_float32(xp.where(skin > 0.5, small - masked_blur(small, skin, 5.0 * scale), 0))
    depth = filled_with(-np.inf, (side, side), weight)
    for number in range(settings.directions):
        turn = np.pi * number / settings.directions
        depth = xp.maximum(depth, filtered(flat, line_kernel(turn, scale, settings)))
    usual = median(depth[inside])
    strayed = xp.abs(depth - usual)
    typical = max(MAD_TO_STD * median(strayed[inside]), 1e-5)
    # Few deep lines hardly move a geometric mean.
    level = xp.log(xp.maximum(strayed, 0.1 * typical))
    nearby = xp.exp(masked_blur(as_float32(level), as_float32(inside), settings.about_mm * scale)) / GEOMETRIC_TO_STD
    grain = typical + reduce_to(beard, side) * (xp.maximum(nearby, typical) - typical)
    found = smooth_step((depth - usual) / grain, *settings.strength)
    found = found * smooth_step(depth, *settings.contrast) * inside
    # The shoulders belong to it.
    reach = max(1, round(1.5 * settings.width_mm * scale))
    return gaussian_blur(grown(found, reach), max(0.5 * reach, 0.5))


def line_kernel(turn: float, texels_per_mm: float, settings: CreaseSettings = CreaseSettings()) -> np.ndarray:
    """A kernel float32 that answers to dark lines at an angle (radians, from the rows): their depth where they are
    as wide as a crease, 0 on even slopes."""
    across, along = settings.width_mm * texels_per_mm, settings.length_mm * texels_per_mm
    reach = int(np.ceil(2.5 * along))
    y, x = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    t, s = x * np.cos(turn) + y * np.sin(turn), y * np.cos(turn) - x * np.sin(turn)
    profile = (1 - np.square(s / across)) * np.exp(-np.square(s / across) / 2)
    kernel = -profile * np.exp(-np.square(t / along) / 2)
    kernel -= kernel.mean()
    # The answer to a line of depth 1 with the profile of a Gaussian.
    line = -np.exp(-np.square(s / across) / 2)
    return (kernel / float((kernel * line).sum())).astype(np.float32)


def hairline(
    log_luminance: Array,  # float32 [B, B]
    weight: Array,  # float32 [B, B], 1 where it is skin that was seen
    regions: FaceRegions,  # B x B
    settings: HairSettings = HairSettings(),
) -> Array:
    """Share of each texel's detail that is hair hanging into temples and forehead, float32 [B, B] in [0, 1].

    Hair that thin is skin to the skin mask. It is known by being far rougher than the person's plain skin, close to
    where the seen skin ends, and higher than the eyes.
    """
    xp, scale = namespace(weight), regions.texels_per_mm
    seen = weight > 0.5
    plain = seen & (plain_skin(regions) > 0.6)
    if not settings.hairline or count(plain) < 200 or not bool((regions.eyes > 0.5).any()):
        return filled_with(0, weight.shape, weight)
    weights, over = as_float32(seen), settings.over_mm * scale
    fine = log_luminance - masked_blur(log_luminance, weights, over)
    contrast = xp.sqrt(masked_blur(xp.square(xp.where(seen, fine, 0)), weights, over))
    rough = smooth_step(contrast / max(median(contrast[plain]), 1e-4), *settings.rough)
    rows = np.arange(len(weight))[:, None]
    eyes = float(to_host(places((regions.eyes > 0.5).any(1))).mean())
    above = like(smooth_step((eyes - rows) / scale, 4.0, 12.0), weight)
    # Holes in the seen skin (a highlight, an eye) are no hairline: only the outer border counts.
    near = smooth_step(inner_distance(without_holes(seen)) / scale, *settings.near_mm)
    found = as_float32(rough * above * near * (1 - regions.brows) * seen)
    reach = max(1, round(settings.grown_mm * scale))
    return gaussian_blur(grown(found, reach), 0.5 * reach) * (1 - regions.brows)


def pigment_share(spot: Array, hairs: Array, eyes: Array, lips: Array) -> Array:
    """Share of the fine detail that is colour and no relief, float32 [...]: moles, lashes, hair over the temples.

    Args:
        spot: float32 [...], see `spots`.
        hairs: float32 [...], see `hairline`.
        eyes, lips: float32 [...], of `FaceRegions`.
    """
    return as_float32(reduce(namespace(spot).maximum, [spot, eyes**3, hairs, 0.3 * lips]))


def matte_share(
    detail: Array,  # float32 [R, R, 3], fine detail of the log texture
    base: Rows,  # float32 [R, R, 3], what it is added to: log texture without the detail
    shine: Rows,  # float32 [R, R] in [0, 1], share of the light there that is specular
    texels_per_mm: float,
) -> Array:
    """The share of the detail that is no small highlight, float32 [R, R].

    Dichromatic separation (Shafer 1985): what is brighter than its surroundings and whiter than skin is gloss; its
    share follows from the colour. In patches that shine as a whole the dark side of the detail is kept weakly too: it
    is where the gloss is not.
    """
    xp, side = namespace(detail), len(detail)
    sigma = max(0.35 * texels_per_mm, 0.8)
    reach = int(np.ceil(4 * sigma)) + 1

    def of(rows: slice) -> Array:
        colour = xp.exp(base[rows])
        level = luminance(colour)
        # Chroma of single texels is noise: the camera and JPEG both blur it.
        first, last = max(rows.start - reach, 0), min(rows.stop + reach, side)
        around, inner = detail[first:last], slice(rows.start - first, rows.stop - first)
        brightness = luminance(around)
        own = brightness[inner]
        brighter = xp.maximum(gaussian_blur(brightness, sigma)[inner], 0)
        # Adding white s to colour c raises log blue by more than log red: d(log b) - d(log r) = s (1 / b - 1 / r).
        whiter = gaussian_blur(around[..., 2] - around[..., 0], sigma)[inner]
        lever = 1 / xp.maximum(colour[..., 2], 2e-3) - 1 / xp.maximum(colour[..., 0], 2e-3)
        gloss = xp.clip(whiter / xp.maximum(lever * level, 0.3), 0, brighter) / xp.maximum(brighter, 1e-3)
        shiny = shine[rows]
        gloss = xp.maximum(smooth_step(gloss, 0.15, 0.7), shiny) * smooth_step(brighter, 0.0, 0.02)
        return 1 - xp.where(own > 0, xp.maximum(gloss, shiny), 0.6 * shiny)

    return filled_in_bands(of, side, like=detail)
