"""Marks that are told by their border: patches and strokes that end sharply all around.

Light ends softly, where the surface turns, or at the edge of a shadow, which comes from what casts it. A patch of even
contrast that ends within a millimetre on all sides, away from brows, nose, eyes and lips, is paint, ink, a scar or a
freckle.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.delight.mark_parameters import ClosedSettings, PatchKind
from backend.imaging.colour import LUMINANCE
from backend.imaging.filters import inner_distance, masked_blur, smooth_step
from backend.side_by_side import each
from backend.texture.regions import FaceRegions


def closed_marks(
    difference: np.ndarray,
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
    luminance = np.where(inside, smooth @ LUMINANCE, 0).astype(np.float32)
    places = {
        "red": smooth[..., 0] - smooth[..., 1],
        "yellow": smooth[..., 1] - smooth[..., 2],
        "border": (inner_distance(visibility > 0.3) < settings.border_mm * scale).astype(np.float32),
        "feature": np.maximum.reduce([regions.lips, regions.eyes, regions.brows]),
        "nose": cv2.dilate(regions.nose, _square(settings.beside_nose_mm * scale)),
        "beard": regions.beard,
        "outside": 1 - regions.face,
    }
    # What is thin is told against what is next to it, where shading is left in the skin around.
    level = masked_blur(luminance, told, settings.near_mm * scale)
    usual = told / np.square(1 + np.square((luminance - level) / settings.unusual))
    near = np.where(inside, luminance - masked_blur(luminance, usual, settings.near_mm * scale), 0).astype(np.float32)
    return np.maximum(*each(lambda contrast: _against(contrast, inside, places, scale, settings), (luminance, near)))


def _against(
    luminance: np.ndarray, inside: np.ndarray, places: dict[str, np.ndarray], scale: float, settings: ClosedSettings
) -> np.ndarray:
    """How surely each texel belongs to a patch, by log luminance float32 [H, W] against what is around."""
    share = np.zeros_like(luminance)
    step = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(settings.edge_mm * scale) + 1,) * 2)
    rise = cv2.dilate(luminance, step) - cv2.erode(luminance, step)
    grown = _square(settings.grown_mm * scale)
    for bright in (True, False):
        signed = luminance if bright else -luminance
        kinds = [kind for kind in settings.kinds if kind.bright == bright]
        for level in settings.levels:
            patches = _patches(signed, level, inside, rise, places, scale, settings)
            if patches is None or not kinds:
                continue
            labels, measures = patches
            sure = np.max([_sure(measures, kind, settings) for kind in kinds], axis=0).astype(np.float32)
            if sure.max(initial=0) < 0.05:
                continue
            contrast = np.append(0, measures["contrast"]).astype(np.float32)[labels]
            beside = cv2.dilate(np.append(0, sure).astype(np.float32)[labels], grown)
            part = smooth_step(signed / np.maximum(cv2.dilate(contrast, grown), level), *settings.part)
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

    values = signed.reshape(-1)[at]
    order = np.lexsort((values, of))
    first = np.cumsum(texels) - texels

    def quantile(share: float) -> np.ndarray:
        return values[order[first + (share * (texels - 1)).astype(int)]]

    contrast = quantile(0.7)
    kernel = np.ones((3, 3), np.uint8)
    rim = (cv2.erode(above, kernel) == 0).reshape(-1)[at].astype(np.float64)
    depth = np.zeros(count)
    np.maximum.at(depth, of, cv2.distanceTransform(above, cv2.DIST_L2, 3).reshape(-1)[at] / scale)
    measures = {name: mean(image.reshape(-1)[at]) for name, image in places.items()}
    length = np.hypot(stats[kept, cv2.CC_STAT_WIDTH], stats[kept, cv2.CC_STAT_HEIGHT]) / scale
    # Shading changes how dark pigment is, but hardly its hue: how evenly it lies there is told by that.
    hue = np.stack([places[name].reshape(-1)[at] for name in ("red", "yellow")])
    own = np.stack([measures["red"], measures["yellow"]])
    along = (hue * own[:, of]).sum(0) / np.maximum((own**2).sum(0), 1e-6)[of]
    strong = along[np.lexsort((along, of))[first + (0.9 * (texels - 1)).astype(int)]]
    measures |= {
        "contrast": contrast,
        "even": mean((along > 0.7 * strong[of]).astype(np.float64)),
        "pigment": (measures["red"] + measures["yellow"]) / np.maximum(contrast, 1e-6),
        "half": level / contrast,
        "sharp": mean((rise.reshape(-1)[at] > settings.edge_share * contrast[of]).astype(np.float64), rim),
        "flat": mean((values > 0.7 * quantile(0.9)[of]).astype(np.float64)),
        "depth": depth,
        "area": area[kept],
        "slender": length / (2 * depth),
        "brown": measures["red"] + measures["yellow"],
        "hue": np.hypot(measures["red"], measures["yellow"]),
        "redder": measures["red"] - 2 * np.maximum(measures["yellow"], 0),
    }
    return labels, measures
