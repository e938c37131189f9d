"""What the photo's fine detail is: pigment, relief or gloss."""

from __future__ import annotations

import cv2
import numpy as np

from backend.detail.parameters import CreaseSettings, HairSettings
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import MAD_TO_STD, inner_distance, masked_blur, smooth_step
from backend.imaging.octaves import reduce_to
from backend.imaging.rows import Rows, filled_in_bands
from backend.texture.regions import FaceRegions, plain_skin


def creases(
    log_luminance: np.ndarray,  # float32 [R, R]
    weight: np.ndarray,  # float32 [R, R], > 0.5 where it is skin that was seen
    texels_per_mm: float,
    settings: CreaseSettings = CreaseSettings(),
) -> np.ndarray:
    """How far each texel belongs to a crease: float32 [r, r] in [0, 1], r at most `side`.

    Creases are dark lines, much longer than grain is: found by second derivatives across, averaged along (Freeman and
    Adelson, "The design and use of steerable filters", 1991; here turned kernels).
    """
    side = min(log_luminance.shape[0], settings.side)
    scale = texels_per_mm * side / log_luminance.shape[0]
    skin = reduce_to(weight, side)
    inside = inner_distance(skin > 0.5) > settings.length_mm * scale
    if not settings.found or np.count_nonzero(inside) < 200:
        return np.zeros((side, side), np.float32)
    small = reduce_to(log_luminance, side)
    flat = np.where(skin > 0.5, small - masked_blur(small, skin, 5.0 * scale), 0).astype(np.float32)
    depth = np.full((side, side), -np.inf, np.float32)
    for number in range(settings.directions):
        turn = np.pi * number / settings.directions
        depth = np.maximum(depth, cv2.filter2D(flat, cv2.CV_32F, line_kernel(turn, scale, settings)))
    typical = MAD_TO_STD * float(np.median(np.abs(depth[inside] - np.median(depth[inside]))))
    found = smooth_step((depth - np.median(depth[inside])) / max(typical, 1e-5), *settings.strength)
    found = found * smooth_step(depth, *settings.contrast) * inside
    # The shoulders belong to it.
    reach = max(1, round(1.5 * settings.width_mm * scale))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.GaussianBlur(cv2.dilate(found, kernel), (0, 0), max(0.5 * reach, 0.5))


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
    log_luminance: np.ndarray,  # float32 [B, B]
    weight: np.ndarray,  # float32 [B, B], 1 where it is skin that was seen
    regions: FaceRegions,  # B x B
    settings: HairSettings = HairSettings(),
) -> np.ndarray:
    """Share of each texel's detail that is hair hanging into temples and forehead, float32 [B, B] in [0, 1].

    Hair that thin is skin to the skin mask. It is known by being far rougher than the person's plain skin, close to
    where the seen skin ends, and higher than the eyes.
    """
    scale = regions.texels_per_mm
    seen = weight > 0.5
    plain = seen & (plain_skin(regions) > 0.6)
    if not settings.hairline or np.count_nonzero(plain) < 200 or not (regions.eyes > 0.5).any():
        return np.zeros(weight.shape, np.float32)
    fine = log_luminance - masked_blur(log_luminance, seen.astype(np.float32), settings.over_mm * scale)
    variance = masked_blur(np.square(np.where(seen, fine, 0)), seen.astype(np.float32), settings.over_mm * scale)
    contrast = np.sqrt(variance)
    rough = smooth_step(contrast / max(float(np.median(contrast[plain])), 1e-4), *settings.rough)
    rows = np.arange(len(weight))[:, None]
    eyes = float(np.flatnonzero((regions.eyes > 0.5).any(1)).mean())
    above = smooth_step((eyes - rows) / scale, 4.0, 12.0)
    # Holes in the seen skin (a highlight, an eye) are no hairline: only the outer border counts.
    outline, _ = cv2.findContours(seen.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    filled = cv2.drawContours(np.zeros(weight.shape, np.uint8), outline, -1, 1, cv2.FILLED)
    near = smooth_step(inner_distance(filled > 0) / scale, *settings.near_mm)
    found = (rough * above * near * (1 - regions.brows) * seen).astype(np.float32)
    reach = max(1, round(settings.grown_mm * scale))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    return cv2.GaussianBlur(cv2.dilate(found, kernel), (0, 0), 0.5 * reach) * (1 - regions.brows)


def pigment_share(spot: np.ndarray, hairs: np.ndarray, eyes: np.ndarray, lips: np.ndarray) -> np.ndarray:
    """Share of the fine detail that is colour and no relief, float32 [...]: moles, lashes, hair over the temples.

    Args:
        spot: float32 [...], see `spots`.
        hairs: float32 [...], see `hairline`.
        eyes, lips: float32 [...], of `FaceRegions`.
    """
    return np.maximum.reduce([spot, eyes**3, hairs, 0.3 * lips]).astype(np.float32)


def matte_share(
    detail: np.ndarray,  # float32 [R, R, 3], fine detail of the log texture
    base: Rows,  # float32 [R, R, 3], what it is added to: log texture without the detail
    shine: Rows,  # float32 [R, R] in [0, 1], share of the light there that is specular
    texels_per_mm: float,
) -> np.ndarray:
    """The share of the detail that is no small highlight, float32 [R, R].

    Dichromatic separation (Shafer 1985): what is brighter than its surroundings and whiter than skin is gloss; its
    share follows from the colour. In patches that shine as a whole the dark side of the detail is kept weakly too: it
    is where the gloss is not.
    """
    side, luminance = len(detail), LUMINANCE.astype(np.float32)
    sigma = max(0.35 * texels_per_mm, 0.8)
    reach = int(np.ceil(4 * sigma)) + 1

    def of(rows: slice) -> np.ndarray:
        colour = np.exp(base[rows])
        level = colour @ luminance
        # Chroma of single texels is noise: the camera and JPEG both blur it.
        first, last = max(rows.start - reach, 0), min(rows.stop + reach, side)
        around, inner = detail[first:last], slice(rows.start - first, rows.stop - first)
        brightness = around @ luminance
        own = brightness[inner]
        brighter = np.maximum(cv2.GaussianBlur(brightness, (0, 0), sigma)[inner], 0)
        # Adding white s to colour c raises log blue by more than log red: d(log b) - d(log r) = s (1 / b - 1 / r).
        whiter = cv2.GaussianBlur(around[..., 2] - around[..., 0], (0, 0), sigma)[inner]
        lever = 1 / np.maximum(colour[..., 2], 2e-3) - 1 / np.maximum(colour[..., 0], 2e-3)
        gloss = np.clip(whiter / np.maximum(lever * level, 0.3), 0, brighter) / np.maximum(brighter, 1e-3)
        shiny = shine[rows]
        gloss = np.maximum(smooth_step(gloss, 0.15, 0.7), shiny) * smooth_step(brighter, 0.0, 0.02)
        return 1 - np.where(own > 0, np.maximum(gloss, shiny), 0.6 * shiny)

    return filled_in_bands(of, side)
