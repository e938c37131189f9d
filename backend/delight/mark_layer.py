"""Marks of the skin taken apart from its light: stains, vitiligo, tattoos, scars, paint.

Light makes skin brighter or darker along few lines: shade keeps the skin's hue but for what the surroundings add,
highlights draw it softly towards white, and both turn with the surface. What strays from those lines is pigment, all
the surer where it does so along an edge. It is told by areas, so that an area is a mark or none.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

import cv2
import numpy as np

from backend.delight.closed_marks import closed_marks
from backend.delight.mark_parameters import MarkSettings
from backend.delight.robust import border_distance, robust_tone
from backend.imaging.colour import LUMINANCE, SMALLEST_LINEAR
from backend.imaging.filters import masked_blur, masked_reduce, smooth_step
from backend.imaging.membrane import extend
from backend.imaging.octaves import reduce_to
from backend.side_by_side import side_by_side
from backend.texture.regions import FaceRegions, plain_skin


def mark_layer(
    log_albedo: np.ndarray,
    texture: np.ndarray,
    shaded: np.ndarray,
    visibility: np.ndarray,
    regions: FaceRegions,
    settings: MarkSettings = MarkSettings(),
    least: float = 0.0,
) -> np.ndarray:
    """Log colour of the marks against the skin around them; the albedo less this is skin without marks.

    Source of the idea that edges of hue are pigment's: Grosse et al., "Ground truth dataset and baseline evaluations
    for intrinsic image algorithms", 2009 (colour Retinex).

    Args:
        log_albedo: float32 [H, W, 3], provisional, where seen.
        texture: float32 [H, W, 3], linear colour of what was seen.
        shaded: float32 [H, W, 3], linear, skin of even tone under the light.
        visibility: float32 [H, W].
        regions: of the face.
        settings: chosen numbers.
        least: how far every texel counts as a mark at least, 0 to 1: 1 takes all that differs from the usual tone.

    Returns:
        float32 [H, W, 3], 0 where there is no mark.
    """
    told = visibility * smooth_step(_largest(texture), *settings.told)
    plain = told * plain_skin(regions)
    if not settings.found or np.count_nonzero(plain > 0.3) < settings.fewest_texels:
        return np.zeros_like(log_albedo)
    scale = regions.texels_per_mm
    seen = _Seen(log_albedo, shaded, texture, told, regions)
    tone, around = _surroundings(seen, settings)
    seen = _against(seen, around)
    by_hue, by_border = side_by_side(
        lambda: _pigment(seen, True, settings),
        lambda: closed_marks(seen.difference, seen.skin_colour, told, visibility, regions, settings.closed),
    )
    share = np.maximum(by_hue, by_border)
    known = _beside(share, seen, settings) * (1 - least)
    share = np.maximum(share, least * visibility)
    # Within a mark its surroundings are continued from its rim.
    filled = tone + _continued(log_albedo - tone, known, visibility, scale, settings)
    return (share[..., None] * (log_albedo - filled)).astype(np.float32)


def _surroundings(seen: _Seen, settings: MarkSettings) -> tuple[np.ndarray, np.ndarray]:
    """The usual tone, log colour float32 [3], and skin around each texel without its marks, float32 [H, W, 3].

    Args:
        seen: with the provisional log albedo as its difference, and its light on skin of even tone.
        settings: chosen numbers.
    """
    full, side = seen.told.shape[0], min(settings.side, seen.told.shape[0])
    seen = seen.reduced(side)
    log_albedo, told = seen.difference, seen.told
    plain = told * plain_skin(seen.regions)
    tone = _usual_tone(log_albedo, seen.texture, plain, settings).astype(np.float32)
    around = np.broadcast_to(tone, log_albedo.shape)
    blur = settings.around_mm * seen.regions.texels_per_mm
    for number in range(settings.rounds):
        # What is paler is told only when colour no longer misleads about what is usual.
        known = _beside(_pigment(_against(seen, around), number > 0, settings), seen, settings)
        if np.count_nonzero(plain * known > 0.3) > settings.fewest_texels * (side / full) ** 2:
            tone = _usual_tone(log_albedo, seen.texture, plain * known, settings).astype(np.float32)
        # What is far from the usual tone is no surroundings, though it is no mark yet.
        usual = known / np.square(1 + np.square(_largest(np.abs(log_albedo - tone)) / settings.unusual))
        level = masked_blur(log_albedo - tone, usual, blur)
        support = smooth_step(masked_blur(known, np.ones_like(known), blur), 0.02, 0.2)
        around = tone + support[..., None] * level
    return tone, reduce_to(around, full)


def _against(seen: _Seen, around: np.ndarray) -> _Seen:
    """What was seen, told against the skin around, log colour float32 [H, W, 3]."""
    return replace(seen, difference=seen.difference - around, skin_colour=cv2.exp(around) * seen.skin_colour)


def _beside(share: np.ndarray, seen: _Seen, settings: MarkSettings) -> np.ndarray:
    """Skin beside marks, float32 [H, W] in [0, 1], 0 in them."""
    regions = seen.regions
    skin = seen.told * (1 - regions.lips) * (1 - regions.brows) * (1 - 0.7 * regions.eyes)
    near = cv2.dilate(share, _disc(settings.rim_mm * regions.texels_per_mm))
    return skin * (seen.told > 0.5) * (1 - smooth_step(near, *settings.doubtful))


def _continued(
    values: np.ndarray, known: np.ndarray, visibility: np.ndarray, texels_per_mm: float, settings: MarkSettings
) -> np.ndarray:
    """Values float32 [H, W, 3] where known, and continued smoothly elsewhere."""
    full, side = values.shape[0], min(settings.side, values.shape[0])
    small, weight = masked_reduce(values, known, side)
    fading = settings.fading_mm * texels_per_mm * side / full
    smooth = extend(small, weight, reduce_to(visibility, side) > 0.05, fading, settings.tolerance)
    continued = reduce_to(smooth, full)
    return continued + known[..., None] * (values - continued)


def _usual_tone(log_albedo: np.ndarray, texture: np.ndarray, plain: np.ndarray, settings: MarkSettings) -> np.ndarray:
    """Median log albedo [3] of plain skin; of what has a hue of skin, where the rest may be paint."""
    red, yellow = cv2.split(_hue(cv2.log(np.maximum(texture, SMALLEST_LINEAR))))
    (least_red, most_red), (least_yellow, most_yellow) = settings.plausible
    plausible = plain * ((red > least_red) & (red < most_red) & (yellow > least_yellow) & (yellow < most_yellow))
    enough = plausible.sum() > settings.fewest_plausible * plain.sum()
    return robust_tone(log_albedo, plausible if enough else plain)[0]


@dataclass(frozen=True)
class _Seen:
    """What marks are told by.

    Args:
        difference: float32 [H, W, 3], log colour against the skin around.
        skin_colour: float32 [H, W, 3], linear, that skin's colour under its light; white in the light is about 1.
        texture: float32 [H, W, 3], linear, what was seen.
        told: float32 [H, W], where colour is told.
        regions: of the face.
    """

    difference: np.ndarray
    skin_colour: np.ndarray
    texture: np.ndarray
    told: np.ndarray
    regions: FaceRegions

    def reduced(self, side: int) -> _Seen:
        """The same on side x side texels."""
        if side == self.told.shape[0]:
            return self
        return _Seen(
            masked_reduce(self.difference, self.told, side)[0],
            reduce_to(self.skin_colour, side),
            masked_reduce(self.texture, self.told, side)[0],
            reduce_to(self.told, side),
            _regions_reduced(self.regions, side),
        )


@dataclass(frozen=True)
class _Areas:
    """Areas of texels that stray from the skin around them.

    Args:
        labels: int32 [H, W], 0 is none.
        strength: float [count], how far most of an area strays, in what skin strays usually.
        steep: float [count], how far luminance rises over its rim, of how much lighter the area is.
        depth_mm: float [count], radius of the largest circle inside.
        mean: float [count, 7], log luminance and hues against the skin around, the hues themselves, the hue that a
            highlight of that brightness would have (sum of both), and how bright it is against all other skin.
        face: float [count], share within the face's outline.
        border: float [count], share within the strip where hair and cloth come in.
        along: float [count], share of the rim within that strip.
        nose: float [count], share on the nose and beside it, where nostrils and wings make hollows.
        nearest_mm: float [count], distance to the border.
    """

    labels: np.ndarray
    strength: np.ndarray
    steep: np.ndarray
    depth_mm: np.ndarray
    mean: np.ndarray
    face: np.ndarray
    border: np.ndarray
    along: np.ndarray
    nose: np.ndarray
    nearest_mm: np.ndarray


def _pigment(seen: _Seen, pale_too: bool, settings: MarkSettings) -> np.ndarray:
    """How surely each texel is a mark, float32 [H, W] in [0, 1]: of another hue than skin in light, or much paler."""
    told, regions = seen.told, seen.regions
    smooth = masked_blur(seen.difference, told, settings.grain_mm * regions.texels_per_mm)
    luminance, hue = smooth @ LUMINANCE, _hue(smooth)
    hue -= shade_hue(luminance, hue, told * plain_skin(regions) > 0.5, settings)
    usual = _usual_stray(luminance, regions, settings)
    brightness = seen.skin_colour @ LUMINANCE
    gained = brightness * np.expm1(np.maximum(luminance, 0))
    coloured = _off_light(hue, seen.skin_colour, np.maximum(gained, settings.sheen)) / usual
    coloured *= 1 - _hair(luminance, hue, regions, settings)
    pale = gained / settings.gained * settings.strayed / usual
    own_hue = _hue(cv2.log(np.maximum(seen.texture, SMALLEST_LINEAR)))
    highlight = _highlight(seen.skin_colour, gained)
    values = [luminance, *cv2.split(hue), *cv2.split(own_hue), np.add(*cv2.split(highlight))]
    values.append(_brighter(seen, luminance, settings))
    share = np.zeros_like(told)
    for strayed, sure in ((coloured, _sure_of_colour), (pale, _sure_of_pale))[: 1 + pale_too]:
        areas = _areas(strayed * (told > 0.1), values, told, regions, settings)
        certain = sure(areas, settings)
        certain[0] = 0
        near = cv2.dilate(certain[areas.labels].astype(np.float32), _disc(settings.grown_mm * regions.texels_per_mm))
        size = np.maximum(strayed, cv2.magnitude(*cv2.split(hue)) / usual)
        share = np.maximum(share, near * smooth_step(size, *settings.share))
    return share.astype(np.float32)


def _sure_of_colour(areas: _Areas, settings: MarkSettings) -> np.ndarray:
    """How surely areas of a hue that light does not make are marks, float [count]: strong ones, or broad ones."""
    luminance, red, yellow = areas.mean[:, :3].T
    dark = luminance < settings.hair_dark
    neutral = dark & (red < 0) & (yellow < 0) & (areas.mean[:, 3:] > settings.bluest).all(-1)
    hair = neutral & (areas.nearest_mm < settings.hair_from_mm)
    # Light from a warm side, or from skin to skin in creases, makes skin warmer; the sky makes it a little colder.
    warm = (red > 0) & (yellow > 0.25 * red)
    cold = (red < 0) & (yellow < 0)
    # A flush is red and broad as well, but weaker than a stain.
    flush = (red > 0) & ~warm & (areas.depth_mm > settings.flush_mm)
    thin = np.where(neutral, settings.ink_needs, settings.thin_needs)
    thin = np.where(warm, np.inf, np.where(flush, settings.flush_needs, thin))
    broad = np.where(warm | cold | flush, np.inf, settings.broad_needs)
    sure = np.maximum(
        smooth_step(areas.strength / thin, 1, settings.certain),
        smooth_step(areas.strength * areas.depth_mm / broad, 1, settings.certain),
    )
    strange = smooth_step(areas.strength, *settings.strange) * areas.face
    beside = smooth_step(areas.border, *settings.in_border)
    beside += strange * (smooth_step(areas.border, *settings.strange_in_border) - beside)
    # Light that leaves a hollow has been reflected by skin again and again, and is darker and redder each time.
    hollow = (dark & (red > 0)) * smooth_step(areas.nose, *settings.hollow)
    # A light from behind, of its own colour, reaches what turns away from the camera, up to the border.
    behind = (luminance > 0) * smooth_step(areas.along, *settings.lit_along_border) * (1 - strange)
    return sure * ~hair * (1 - beside) * (1 - hollow) * (1 - behind)


def _sure_of_pale(areas: _Areas, settings: MarkSettings) -> np.ndarray:
    """How surely areas paler than the skin around are marks, float [count]: highlights are narrow."""
    whiter = areas.mean[:, 1:3].sum(-1) < -settings.paler
    # Brighter than all other skin, but of skin's hue: a highlight of that brightness would be whiter.
    as_highlight = areas.mean[:, 1:3].sum(-1) / np.minimum(areas.mean[:, 5], -0.01)
    own = (
        smooth_step(areas.mean[:, 0], *settings.lighter)
        * smooth_step(areas.mean[:, 6], *settings.brighter)
        * smooth_step(as_highlight, *settings.as_highlight)
    )
    sure = smooth_step(areas.strength * areas.depth_mm / settings.pale_needs, 1, settings.certain)
    return (
        sure
        * np.maximum(whiter, own)
        * smooth_step(areas.steep, *settings.pale_steep)
        * (1 - smooth_step(areas.border, *settings.pale_in_border))
        * (1 - smooth_step(areas.along, *settings.lit_along_border))
    )


def _areas(
    strayed: np.ndarray, values: list[np.ndarray], told: np.ndarray, regions: FaceRegions, settings: MarkSettings
) -> _Areas:
    """Connected texels that stray."""
    scale = regions.texels_per_mm
    inside = (strayed > settings.area).astype(np.uint8)
    count, labels = cv2.connectedComponents(inside, connectivity=8)
    at = np.flatnonzero(inside)
    of = np.asarray(labels, np.int64).reshape(-1)[at]
    area = np.maximum(np.bincount(of, minlength=count), 1)
    border = border_distance(told, regions).reshape(-1)[at] / scale
    depth, nearest = np.zeros(count), np.full(count, np.inf)
    np.maximum.at(depth, of, cv2.distanceTransform(inside, cv2.DIST_L2, 3).reshape(-1)[at] / scale)
    np.minimum.at(nearest, of, border)

    def mean(values: np.ndarray) -> np.ndarray:
        return np.bincount(of, values, count) / area

    means = np.stack([mean(image.reshape(-1)[at]) for image in values], axis=-1)
    strength = _quantile(strayed.reshape(-1)[at], of, count, 0.8)
    rim = (cv2.erode(inside, np.ones((3, 3), np.uint8)) == 0).reshape(-1)[at]
    step = _disc(settings.edge_mm * scale)
    rise = cv2.dilate(values[0], step) - cv2.erode(values[0], step)
    rises = np.bincount(of, rim * rise.reshape(-1)[at], count) / np.maximum(np.bincount(of, rim, count), 1)
    steep = rises / np.maximum(np.abs(means[:, 0]), 0.05)
    near_border = mean(border < settings.border_mm)
    along = np.bincount(of, rim * (border < settings.border_mm), count) / np.maximum(np.bincount(of, rim, count), 1)
    nose = cv2.dilate(regions.nose, _disc(settings.closed.beside_nose_mm * scale))
    on_face, on_nose = (mean(region.reshape(-1)[at]) for region in (regions.face, nose))
    return _Areas(labels, strength, steep, depth, means, on_face, near_border, along, on_nose, nearest)


def _brighter(seen: _Seen, luminance: np.ndarray, settings: MarkSettings) -> np.ndarray:
    """Luminance float32 [H, W] over that of the brightest plain skin that is not lighter than the skin around it."""
    brightness = seen.texture @ LUMINANCE
    others = (seen.told * plain_skin(seen.regions) > 0.5) & (luminance < settings.lighter[0])
    brightest = float(np.quantile(brightness[others], settings.brightest)) if others.any() else 1.0
    return brightness / max(brightest, SMALLEST_LINEAR)


def _usual_stray(luminance: np.ndarray, regions: FaceRegions, settings: MarkSettings) -> np.ndarray:
    """How far the hue of skin strays without a mark, float32 [H, W]."""
    usual = settings.strayed + settings.in_shade * np.maximum(-luminance, 0)
    return usual * (1 + (settings.on_eyes - 1) * regions.eyes) * (1 + (settings.on_lips - 1) * regions.lips)


def shade_hue(luminance: np.ndarray, hue: np.ndarray, plain: np.ndarray, settings: MarkSettings) -> np.ndarray:
    """Hue that shade has in this photo beyond that of most, float32 [H, W, 2].

    A steep tone curve, as film has, makes skin the redder the darker it is. It does so on both sides of a face, of
    which pigment mostly lies on one, so the side where hue goes less with darkness counts.

    Args:
        luminance: float32 [H, W], log, against the skin around.
        hue: float32 [H, W, 2], against the same.
        plain: bool [H, W], where plain skin is seen.
        settings: chosen numbers.
    """
    shade, middle = plain & (luminance < settings.shade), plain.shape[1] // 2
    slopes = []
    for side in (slice(None, middle), slice(middle, None)):
        at = shade[:, side]
        if np.count_nonzero(at) < settings.fewest_texels:
            return np.zeros_like(hue)
        slopes.append(np.median(hue[:, side][at] / luminance[:, side][at][:, None], axis=0))
    beyond = np.minimum(np.maximum(*slopes) + settings.shade_slope, 0)
    return (np.minimum(luminance, 0)[..., None] * beyond).astype(np.float32)


def _off_light(hue: np.ndarray, skin_colour: np.ndarray, white: np.ndarray) -> np.ndarray:
    """How far hues [H, W, 2] lie from those of skin with up to so much white light on it, float32 [H, W].

    Dichromatic reflection (Shafer 1985): what skin reflects at its surface has the light's colour, not the skin's.
    """
    (red, yellow), (line_red, line_yellow) = cv2.split(hue), cv2.split(_highlight(skin_colour, white))
    length = np.maximum(line_red * line_red + line_yellow * line_yellow, 1e-6)
    along = np.clip((red * line_red + yellow * line_yellow) / length, 0, 1.3)
    return cv2.magnitude(red - along * line_red, yellow - along * line_yellow)


def _hair(luminance: np.ndarray, hue: np.ndarray, regions: FaceRegions, settings: MarkSettings) -> np.ndarray:
    """1 where brows, lashes or a beard grow and the colour is hair's, dark and less colourful; float32 [H, W]."""
    dark = smooth_step(-luminance, -0.5 * settings.hair_dark, -settings.hair_dark)
    neutral = 1 - smooth_step(_largest(hue), 0, settings.hair_hue)
    return dark * neutral * np.clip(np.maximum(regions.brows, regions.eyes), 0, 1)


def _quantile(values: np.ndarray, of: np.ndarray, count: int, quantile: float) -> np.ndarray:
    """A quantile of the values [n] of each of `count` areas, float [count], `of` [n] tells which; 0 of none."""
    if not len(of):
        return np.zeros(count)
    order = np.lexsort((values, of))
    sizes = np.bincount(of, minlength=count)
    at = np.cumsum(sizes) - sizes + (quantile * np.maximum(sizes - 1, 0)).astype(int)
    return np.where(sizes > 0, values[order[np.minimum(at, len(order) - 1)]], 0.0)


def _regions_reduced(regions: FaceRegions, side: int) -> FaceRegions:
    """The same regions on side x side texels."""
    full = regions.face.shape[0]
    masks = {field.name: getattr(regions, field.name) for field in fields(regions) if field.name != "texels_per_mm"}
    reduced = {name: reduce_to(mask, side) for name, mask in masks.items()}
    return FaceRegions(**reduced, texels_per_mm=regions.texels_per_mm * side / full)


def _hue(log_colour: np.ndarray) -> np.ndarray:
    """log(red / green) and log(green / blue), float32 [H, W, 2]."""
    return cv2.transform(log_colour, np.array([(1, -1, 0), (0, 1, -1)], np.float32))


def _highlight(skin_colour: np.ndarray, white: np.ndarray) -> np.ndarray:
    """By how much white light [H, W] changes the hue of skin [H, W, 3], float32 [H, W, 2]."""
    return _hue(cv2.log(skin_colour + white[..., None])) - _hue(cv2.log(skin_colour))


def _largest(image: np.ndarray) -> np.ndarray:
    """The largest channel of an image [H, W, C], [H, W]."""
    first, *others = cv2.split(image)
    for other in others:
        first = cv2.max(first, other)
    return first


def _disc(radius: float) -> np.ndarray:
    """A round structuring element, radius in texels."""
    side = 2 * round(radius) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
