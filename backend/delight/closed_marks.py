"""Marks that are told by their border: patches and strokes that end sharply all around.

Light ends softly, where the surface turns, or at the edge of a shadow, which comes from what casts it. A patch of even
contrast that ends within a millimetre on all sides, away from brows, nose, eyes and lips, is paint, ink, a scar or a
freckle.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.delight.mark_parameters import ClosedSettings, PatchKind
from backend.delight.robust import hair_in_beard
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import inner_distance, masked_blur, smooth_step
from backend.side_by_side import each
from backend.texture.regions import FaceRegions


def closed_marks(
    difference: np.ndarray,
    skin_colour: np.ndarray,
    told: np.ndarray,
    visibility: np.ndarray,
    regions: FaceRegions,
    settings: ClosedSettings = ClosedSettings(),
) -> np.ndarray:
    """How surely each texel belongs to a patch that ends sharply all around, float32 [H, W] in [0, 1].

    Source of the idea to look at all levels: Matas et al., "Robust wide baseline stereo from maximally stable extremal
    regions", 2002.

    Args:
        difference: float32 [H, W, 3], log colour against the skin around.
        skin_colour: float32 [H, W, 3], linear, that skin's colour under its light.
        told: float32 [H, W], where colour is told.
        visibility: float32 [H, W].
        regions: of the face.
        settings: chosen numbers.
    """
    if not settings.kinds:
        return np.zeros_like(told)
    scale = regions.texels_per_mm
    smooth = masked_blur(difference, told, settings.grain_mm * scale)
    inside = told > 0.3
    signals = {
        "luminance": smooth @ LUMINANCE,
        "red": smooth[..., 0] - smooth[..., 1],
        "brown": smooth[..., 0] - smooth[..., 2],
        "fair": smooth[..., 2] - smooth[..., 0],
    }
    lit = skin_colour * np.exp(smooth)
    white = _white(lit - skin_colour, inside & (signals["luminance"] > settings.levels[0]), settings)
    beside = _square(settings.beside_nose_mm * scale)
    places = {
        "red": signals["red"],
        "yellow": smooth[..., 1] - smooth[..., 2],
        "lit_red": lit[..., 0],
        "lit_green": lit[..., 1] / white,
        "border": (inner_distance(visibility > 0.3) < settings.border_mm * scale).astype(np.float32),
        "feature": np.maximum.reduce([cv2.dilate(regions.lips, beside), regions.eyes, regions.brows]),
        "nose": cv2.dilate(regions.nose, beside),
        "beard": regions.beard * hair_in_beard(difference @ LUMINANCE, told, regions),
        "outside": 1 - regions.face,
    }

    # Shading changes how dark pigment is, but hardly its hue, so patches are cut out by either.
    def found_by(cut: str, near: bool) -> np.ndarray:
        kinds = tuple(kind for kind in settings.kinds if kind.cut == cut)
        signal = np.where(inside, signals[cut], 0).astype(np.float32)
        contrast = _against_near(signal, told, inside, scale, settings) if near else signal
        darkness = contrast if cut == "luminance" else signals["luminance"]
        return _against(contrast, darkness, inside, places, kinds, scale, settings)

    cuts = [(cut, near) for cut in dict.fromkeys(kind.cut for kind in settings.kinds) for near in (False, True)]
    return np.maximum.reduce(each(lambda chosen: found_by(*chosen), cuts))


def _white(gained: np.ndarray, brighter: np.ndarray, settings: ClosedSettings) -> float:
    """How much green over red highlights have at most: as white light, or more in light of another colour.

    Args:
        gained: float32 [H, W, 3], linear colour beyond that of the skin around.
        brighter: bool [H, W], where there is more light than around.
        settings: chosen numbers.
    """
    red, green = gained[brighter, 0], gained[brighter, 1]
    usual = float(np.median(green / np.maximum(red, 1e-4))) if len(red) else 0.0
    return max(settings.white_over_usual * usual, 1.0)


def _against_near(
    signal: np.ndarray, told: np.ndarray, inside: np.ndarray, scale: float, settings: ClosedSettings
) -> np.ndarray:
    """A signal float32 [H, W] against what is next to it, where shading is left in the skin around a thin patch."""
    level = masked_blur(signal, told, settings.near_mm * scale)
    usual = told / np.square(1 + np.square((signal - level) / settings.unusual))
    return np.where(inside, signal - masked_blur(signal, usual, settings.near_mm * scale), 0).astype(np.float32)


def _against(
    signal: np.ndarray,
    luminance: np.ndarray,
    inside: np.ndarray,
    places: dict[str, np.ndarray],
    kinds: tuple[PatchKind, ...],
    scale: float,
    settings: ClosedSettings,
) -> np.ndarray:
    """How surely each texel belongs to a patch of one of the kinds, float32 [H, W] in [0, 1].

    Args:
        signal: float32 [H, W], what patches are cut out by, against what is around.
        luminance: float32 [H, W], log luminance against the same.
        inside: bool [H, W], where colour is told.
        places: what is averaged over each patch, float32 [H, W] each.
        kinds: that are cut out by this signal.
        scale: texels a mm.
        settings: chosen numbers.
    """
    share = np.zeros_like(signal)
    step = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(settings.edge_mm * scale) + 1,) * 2)
    rise = cv2.dilate(signal, step) - cv2.erode(signal, step)
    grown = _square(settings.grown_mm * scale)
    for bright in (True, False):
        own = [kind for kind in kinds if kind.bright == bright]
        contrast = luminance if bright else -luminance
        # Dark pigment has more of its hue than skin.
        signed = signal if bright or kinds[0].cut != "luminance" else -signal
        for level in settings.levels if own else ():
            patches = _patches(signed, contrast, level, inside, rise, places, scale, settings)
            if patches is None:
                continue
            labels, measures = patches
            sure = np.max([_sure(measures, kind, settings) for kind in own], axis=0).astype(np.float32)
            if sure.max(initial=0) < 0.05:
                continue
            strength = np.append(0, measures["strength"]).astype(np.float32)[labels]
            beside = cv2.dilate(np.append(0, sure).astype(np.float32)[labels], grown)
            part = smooth_step(signed / np.maximum(cv2.dilate(strength, grown), level), *settings.part)
            share = np.maximum(share, beside * part)
    return share


def _square(reach: float) -> np.ndarray:
    """A square structuring element that reaches so many texels."""
    return np.ones((2 * round(reach) + 1,) * 2, np.uint8)


def _sure(measures: dict[str, np.ndarray], kind: PatchKind, settings: ClosedSettings) -> np.ndarray:
    """How surely each patch is of a kind, float [count]."""
    needs = {name: (low, high) for name, low, high in settings.of_all + kind.needs}
    return np.prod([smooth_step(measures[name], *ramp) for name, ramp in needs.items()], axis=0)


def _patches(
    signed: np.ndarray,
    contrast: np.ndarray,
    level: float,
    inside: np.ndarray,
    rise: np.ndarray,
    places: dict[str, np.ndarray],
    scale: float,
    settings: ClosedSettings,
) -> tuple[np.ndarray, dict[str, np.ndarray]] | None:
    """Patches above a level, labels int32 [H, W] from 1, 0 is none; what is measured of each, float [count]."""
    above = ((signed > level) & inside).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(above, connectivity=4, ltype=cv2.CV_32S)
    area = stats[:, cv2.CC_STAT_AREA] / scale**2
    kept = (area > settings.area[0]) & (area < settings.area[1])
    kept[0] = False
    if not kept.any():
        return None
    number = np.where(kept, np.cumsum(kept), 0)
    labels = np.asarray(number[np.asarray(labels, np.int64)], np.int32)
    count = int(kept.sum())
    at = np.flatnonzero(labels)
    of = labels.reshape(-1)[at] - 1
    texels = np.bincount(of, minlength=count)

    def mean(values: np.ndarray, weight: np.ndarray | float = 1.0) -> np.ndarray:
        return np.bincount(of, values * weight, count) / np.maximum(np.bincount(of, weight + 0 * values, count), 1e-6)

    def quantile(values: np.ndarray, share: float) -> np.ndarray:
        return values[np.lexsort((values, of))[np.cumsum(texels) - texels + (share * (texels - 1)).astype(int)]]

    def alike(image: np.ndarray) -> np.ndarray:
        """How far each patch has its like on the other side, by an image [H, W] of what patches are cut out by."""
        other = np.minimum(image[:, ::-1].reshape(-1)[at], strength[of])
        return np.clip(mean(other) / strength, 0, 1)

    values = signed.reshape(-1)[at]
    strength = quantile(values, 0.7)
    rim = (cv2.erode(above, np.ones((3, 3), np.uint8)) == 0).reshape(-1)[at].astype(np.float64)
    depth = np.zeros(count)
    np.maximum.at(depth, of, cv2.distanceTransform(above, cv2.DIST_L2, 3).reshape(-1)[at] / scale)
    measures = {name: mean(image.reshape(-1)[at]) for name, image in places.items()}
    slender = np.hypot(stats[kept, cv2.CC_STAT_WIDTH], stats[kept, cv2.CC_STAT_HEIGHT]) / scale / (2 * depth)
    hue = np.stack([places[name].reshape(-1)[at] for name in ("red", "yellow")])
    own = np.stack([measures["red"], measures["yellow"]])
    along = (hue * own[:, of]).sum(0) / np.maximum((own**2).sum(0), 1e-6)[of]
    # A beard grows on both sides, and where the other one is not seen, it may.
    both_sides = alike(np.where(inside, signed, np.inf))
    # Folds and the lips' rims shine and shade on both sides; they are thin, and not quite each other's mirror image.
    near = _square(settings.folds_mm * scale)
    line = smooth_step(slender, *settings.line) * smooth_step(depth, *settings.line_mm)
    folded = line * alike(cv2.dilate(np.where(inside, signed, 0), near) * ~_own(labels, near))
    over_border = contrast, places["red"], places["yellow"], places["lit_red"], places["lit_green"]
    step, redder, yellower, more_red, more_green = _steps(over_border, labels, count, scale, settings)
    measures |= {
        "strength": strength,
        "contrast": quantile(contrast.reshape(-1)[at], 0.7),
        "even": mean((along > 0.7 * quantile(along, 0.9)[of]).astype(np.float64)),
        "step": step,
        "pigment": (redder + yellower) / np.maximum(step, 1e-3),
        "greener": more_green / np.maximum(more_red, 1e-4),
        "half": level / strength,
        "sharp": mean((rise.reshape(-1)[at] > settings.edge_share * strength[of]).astype(np.float64), rim),
        "flat": mean((values > 0.7 * quantile(values, 0.9)[of]).astype(np.float64)),
        "depth": depth,
        "area": area[kept],
        "slender": slender,
        "brown": measures["red"] + measures["yellow"],
        "hue": np.hypot(measures["red"], measures["yellow"]),
        "redder": measures["red"] - 2 * np.maximum(measures["yellow"], 0),
        "bearded": measures["beard"] * both_sides,
        "folded": folded,
    }
    return labels, measures


def _own(labels: np.ndarray, near: np.ndarray) -> np.ndarray:
    """Where what is near a texel, mirrored, is of the patch that the texel itself is of, bool [H, W], mirrored too."""
    mirrored = labels[:, ::-1]
    last, none = cv2.dilate(labels.astype(np.float32), near), np.float32(labels.max() + 1)
    first = cv2.erode(np.where(labels > 0, labels, none).astype(np.float32), near)
    return (mirrored > 0) & ((last == mirrored) | (first == mirrored))


def _steps(
    images: tuple[np.ndarray, ...], labels: np.ndarray, count: int, scale: float, settings: ClosedSettings
) -> list[np.ndarray]:
    """How much larger images [H, W] are within each patch's border than without it, float [count] each.

    Light is alike on both sides of a border, so that these are of the pigment.
    """
    step = settings.edge_mm * scale
    patches = (labels > 0).astype(np.uint8)
    within = np.where(cv2.erode(patches, _square(step)) == 0, labels, 0)
    without = cv2.dilate(labels.astype(np.float32), _square(1.5 * step)).astype(np.int32)
    without[cv2.dilate(patches, _square(0.5 * step)) > 0] = 0
    steps = [np.zeros(count) for _ in images]
    for band, sign in ((within, 1), (without, -1)):
        at = np.flatnonzero(band)
        of = band.reshape(-1)[at] - 1
        texels = np.maximum(np.bincount(of, minlength=count), 1)
        for number, image in enumerate(images):
            steps[number] += sign * np.bincount(of, image.reshape(-1)[at], count) / texels
    return steps
