"""Spectacles: whether a face wears them, and which pixels their frames cover.

What tells them from everything else is the bridge: an edge that crosses the root of the nose from eye to eye, where
bare skin has none, or a thing that the segmentation takes for none of the person.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.channels import largest
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    EYE_LEFT,
    EYE_RIGHT,
    INNER_EYE_CORNERS,
    NOSE_ROOT,
    NOSE_TIP,
    OUTER_EYE_CORNERS,
)
from backend.photo.outlines import disc, inside
from backend.photo.skin.parameters import GlassesSettings


def wears_glasses(
    image_srgb: np.ndarray,
    landmarks_px: np.ndarray,
    settings: GlassesSettings = GlassesSettings(),
    above: float = np.inf,
) -> bool:
    """True where the bridge of spectacles crosses the nose, as an edge of brightness or of hue.

    Frameless, blurred and pale ones may be missed.

    Args:
        image_srgb: uint8 [H, W, 3].
        landmarks_px: [478, 2], in its pixels.
        settings: of glasses.
        above: how far below the root of the nose it is looked for at most, in distances of the outer eye corners.
    """
    across = landmarks_px[OUTER_EYE_CORNERS[1]] - landmarks_px[OUTER_EYE_CORNERS[0]]
    length = float(np.linalg.norm(across))
    if length < 1:
        return False
    scale = settings.patch_px / length
    x, y = across / length
    turn = scale * np.array([[x, y], [-y, x]])
    shift = settings.patch_px * np.array(settings.patch_centre) - turn @ landmarks_px[list(OUTER_EYE_CORNERS)].mean(
        axis=0
    )
    size = (round(settings.patch_px * settings.patch_size[0]), round(settings.patch_px * settings.patch_size[1]))
    transform = np.column_stack([turn, shift]).astype(np.float32)
    patch = cv2.warpAffine(_reduced(image_srgb, scale), _for_reduced(transform, scale), size, flags=cv2.INTER_LINEAR)
    log_levels = np.log(patch.astype(np.float32) + settings.darkest_level)
    grey = np.log(cv2.cvtColor(patch, cv2.COLOR_RGB2GRAY).astype(np.float32) + settings.darkest_level)
    views = np.dstack([grey, log_levels[..., 0] - log_levels[..., 1], log_levels[..., 2] - log_levels[..., 1]])
    down = cv2.Sobel(cv2.GaussianBlur(views, (0, 0), 1.0), cv2.CV_32F, 0, 1, ksize=3) / 8
    corners = turn @ landmarks_px[list(INNER_EYE_CORNERS)].T + shift[:, None]
    root = float((turn @ landmarks_px[NOSE_ROOT] + shift)[1])
    left, right = np.sort(corners[0])
    margin = settings.bridge_margin * (right - left)
    bridge = down[
        max(int(root - settings.above * settings.patch_px), 0) : max(
            int(root + min(settings.below, above) * settings.patch_px), 0
        ),
        max(int(left + margin), 0) : int(right - margin) + 1,
    ]
    if not bridge.size:
        return False
    # An edge of the nose's own shade does not cross all of it, and then mean and median differ.
    crossing = np.minimum(np.abs(bridge.mean(axis=1)), np.abs(np.median(bridge, axis=1))).max(axis=0)
    return bool(crossing[0] > settings.bridge_gradient or crossing[1:].max() > settings.bridge_hue_gradient)


def cloth_begins(skin: np.ndarray, points: np.ndarray, settings: GlassesSettings = GlassesSettings()) -> float:
    """Where what covers the tip of the nose begins on its ridge: below the root of the nose, in distances of the outer
    eye corners; infinite where the tip is bare.

    Args:
        skin: float32 [h, w], probability of skin of the face.
        points: [478, 2], landmarks in its pixels.
        settings: of glasses.
    """
    across = points[OUTER_EYE_CORNERS[1]] - points[OUTER_EYE_CORNERS[0]]
    length = float(np.linalg.norm(across))
    if length < 1:
        return np.inf
    down = np.array([-across[1], across[0]]) / length
    root, tip = points[NOSE_ROOT], points[NOSE_TIP[0]]
    ways = np.linspace(-settings.above, 1, 8 * settings.bridge_samples)
    places = (root + ways[:, None] * (tip - root)).astype(np.float32)
    x, y = np.ascontiguousarray(places.T)[..., None]
    seen = cv2.remap(skin, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)[:, 0]
    bare = np.flatnonzero(seen > settings.bare_ridge)
    if len(bare) and bare[-1] == len(ways) - 1:
        return np.inf
    first = bare[-1] + 1 if len(bare) else 0
    return float((places[first] - root) @ down) / length


def lies_over_nose(
    thing: np.ndarray,
    points: np.ndarray,
    settings: GlassesSettings = GlassesSettings(),
    above: float = np.inf,
) -> bool:
    """Whether a thing crosses the root of the nose from eye to eye, as the bridge of spectacles does.

    Args:
        thing: float32 [h, w], probability of something that is none of the person.
        points: [478, 2], landmarks in its pixels.
        settings: of glasses.
        above: as for `wears_glasses`.
    """
    lowest = min(settings.below, above)
    if lowest <= -settings.above:
        return False
    across = points[OUTER_EYE_CORNERS[1]] - points[OUTER_EYE_CORNERS[0]]
    length = float(np.linalg.norm(across))
    if length < 1:
        return False
    across = across / length
    down = np.array([-across[1], across[0]])
    width = abs(float((points[INNER_EYE_CORNERS[1]] - points[INNER_EYE_CORNERS[0]]) @ across))
    aside = (0.5 - settings.bridge_margin) * width * np.linspace(-1, 1, settings.bridge_samples)
    below = length * np.linspace(-settings.above, lowest, settings.bridge_samples)
    places = points[NOSE_ROOT] + aside[:, None, None] * across + below[:, None] * down
    x, y = np.moveaxis(places.astype(np.float32), -1, 0)
    seen = cv2.remap(thing, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return float(seen.max(axis=1).min()) > settings.bridge_thing


def frames(
    log_colour: np.ndarray, points: np.ndarray, unit: float, settings: GlassesSettings = GlassesSettings()
) -> np.ndarray:
    """The pixels that the frames of spectacles cover: narrow lines about the eyes, bool [h, w].

    Args:
        log_colour: float32 [h, w, n], log luminance, and log chromas or none.
        points: [478, 2], landmarks in its pixels.
        unit: distance between the irises in pixels, of a turned face as if it were frontal.
    """
    wide, narrow = (disc(0.5 * share * unit) for share in (settings.dark_width_share, settings.gleam_width_share))
    luminance, *chromas = (np.ascontiguousarray(view) for view in np.moveaxis(log_colour, -1, 0))
    found = [(cv2.MORPH_BLACKHAT, luminance, wide), (cv2.MORPH_TOPHAT, luminance, narrow)]
    found += [(kind, chroma, wide) for chroma in chromas for kind in (cv2.MORPH_BLACKHAT, cv2.MORPH_TOPHAT)]
    contrast = largest(np.dstack([cv2.morphologyEx(view, kind, width) for kind, view, width in found]))
    lines = (contrast > settings.frame_contrast) & _about_the_eyes(luminance.shape, points, unit, settings)
    _, labels, stats, _ = cv2.connectedComponentsWithStats(lines.astype(np.uint8), connectivity=8)
    long = np.maximum(stats[:, cv2.CC_STAT_WIDTH], stats[:, cv2.CC_STAT_HEIGHT]) > settings.shortest_share * unit
    long[0] = False
    covered = long[np.asarray(labels, np.int64)].astype(np.uint8)
    return cv2.dilate(covered, disc(settings.shadow_share * unit)).astype(bool)


def _about_the_eyes(shape: tuple[int, ...], points: np.ndarray, unit: float, settings: GlassesSettings) -> np.ndarray:
    """Where frames can lie, without the eyes with their lids and the brows, whose hairs are lines too; bool [h, w]."""
    outer = points[list(OUTER_EYE_CORNERS)]
    across = (outer[1] - outer[0]) / max(float(np.linalg.norm(outer[1] - outer[0])), 1e-6)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    from_x, from_y = x - outer[:, 0].mean(), y - outer[:, 1].mean()
    along, down = (from_x * across[0] + from_y * across[1]) / unit, (from_y * across[0] - from_x * across[1]) / unit
    (left, right), (top, bottom) = settings.frame_zone_share
    zone = (along > left) & (along < right) & (down > top) & (down < bottom)
    for outline, grow in ((EYE_LEFT, 0.1), (EYE_RIGHT, 0.1), (BROW_LEFT, 0.04), (BROW_RIGHT, 0.04)):
        zone &= ~inside(points, outline, shape, grow * unit)
    return zone


def _reduced(image: np.ndarray, scale: float) -> np.ndarray:
    """The image, by area averages, so that a warp at `scale` leaves out no pixel of it."""
    shrink = max(int(1 / scale), 1)
    if shrink == 1:
        return image
    size = (max(image.shape[1] // shrink, 1), max(image.shape[0] // shrink, 1))
    return cv2.resize(image, size, interpolation=cv2.INTER_AREA)


def _for_reduced(transform: np.ndarray, scale: float) -> np.ndarray:
    """A transform [2, 3] of the whole image as one of `_reduced`."""
    shrink = max(int(1 / scale), 1)
    scaled = transform.copy()
    scaled[:, :2] *= shrink
    return scaled
