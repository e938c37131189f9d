"""Marks that are told by their border: patches and strokes that end sharply all around.

Light ends softly, where the surface turns, or at the edge of a shadow, which comes from what casts it. A patch of even
contrast that ends within a millimetre on all sides, away from brows, nose, eyes and lips, is paint, ink, a scar or a
freckle.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.delight.mark_parameters import ClosedSettings, PatchKind
from backend.delight.patches import (
    Patches,
    Window,
    alike,
    cut_out,
    depths,
    opposite,
    opposite_of_others,
    rising,
    square,
    steps,
    window_of,
)
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
    share = np.zeros_like(told)
    if not settings.kinds or not told.any():
        return share
    scale = regions.texels_per_mm
    hair = hair_in_beard(difference @ LUMINANCE, told, regions)
    box = window_of(np.flatnonzero(np.maximum(told, visibility) > 0), told.shape, settings.near_mm * scale, True)
    difference, skin_colour, told = difference[box], skin_colour[box], told[box]
    smooth = masked_blur(difference, told, settings.grain_mm * scale)
    inside = told > 0.3
    signals = {
        "luminance": smooth @ LUMINANCE,
        "red": smooth[..., 0] - smooth[..., 1],
        "brown": smooth[..., 0] - smooth[..., 2],
        "fair": smooth[..., 2] - smooth[..., 0],
    }
    lit = skin_colour * cv2.exp(smooth)
    white = _white(lit - skin_colour, inside & (signals["luminance"] > settings.levels[0]), settings)
    beside = square(settings.beside_nose_mm * scale)
    lips, eyes, brows, nose, beard, face = (
        np.ascontiguousarray(region[box])
        for region in (regions.lips, regions.eyes, regions.brows, regions.nose, regions.beard, regions.face)
    )
    places = {
        "red": signals["red"],
        "yellow": smooth[..., 1] - smooth[..., 2],
        "lit_red": np.ascontiguousarray(lit[..., 0]),
        "lit_green": lit[..., 1] / white,
        "border": (inner_distance(visibility[box] > 0.3) < settings.border_mm * scale).astype(np.float32),
        "feature": np.maximum(np.maximum(cv2.dilate(lips, beside), eyes), brows),
        "nose": cv2.dilate(nose, beside),
        "beard": beard * hair,
        "outside": 1 - face,
    }

    # Shading changes how dark pigment is, but hardly its hue, so patches are cut out by either.
    def found_by(cut: str, near: bool) -> np.ndarray:
        kinds = tuple(kind for kind in settings.kinds if kind.cut == cut)
        signal = np.where(inside, signals[cut], 0).astype(np.float32)
        contrast = _against_near(signal, told, inside, scale, settings) if near else signal
        darkness = contrast if cut == "luminance" else signals["luminance"]
        return _against(contrast, darkness, inside, places, kinds, scale, settings)

    cuts = [(cut, near) for cut in dict.fromkeys(kind.cut for kind in settings.kinds) for near in (False, True)]
    for found in each(lambda chosen: found_by(*chosen), cuts):
        np.maximum(share[box], found, out=share[box])
    return share


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
    grown = square(settings.grown_mm * scale)
    area = settings.area[0] * scale**2, settings.area[1] * scale**2
    for bright in (True, False):
        own = [kind for kind in kinds if kind.bright == bright]
        if not own:
            continue
        contrast = luminance if bright else -luminance
        # Dark pigment has more of its hue than skin.
        signed = signal if bright or kinds[0].cut != "luminance" else -signal
        measuring = _Measuring(signed, contrast, inside, rise, places, scale, settings)
        order = rising(signed, settings.levels[0])
        for level in settings.levels:
            patches = cut_out(signed, order, level, area)
            if patches is None:
                continue
            strength = patches.quantile(patches.of(signed), 0.7, ordered=True)
            sure = _sure(patches, strength, level, own, measuring)
            if sure.max(initial=0) < 0.05:
                continue
            window = patches.only(sure > 0).window(grown.shape[0])
            beside = cv2.dilate(_painted(patches, sure, window), grown)
            usual = cv2.dilate(_painted(patches, strength, window), grown)
            part = smooth_step(signed[window] / np.maximum(usual, level), *settings.part)
            share[window] = np.maximum(share[window], beside * part)
    return share


def _painted(patches: Patches, values: np.ndarray, window: Window) -> np.ndarray:
    """An image of a value [count] of each patch, 0 between them, within a window."""
    image = np.zeros(patches.labels.shape, np.float32)
    image.reshape(-1)[patches.at] = patches.spread(values)
    return image[window]


def _sure(
    patches: Patches, strength: np.ndarray, level: float, kinds: list[PatchKind], measuring: _Measuring
) -> np.ndarray:
    """How surely each patch is of one of the kinds, float [count], where they were cut out at a level."""
    all_needs = [
        {name: (low, high) for name, low, high in measuring.settings.of_all + kind.needs}.items() for kind in kinds
    ]
    sure, at = np.ones((len(kinds), len(strength))), np.arange(len(strength))
    measures = {"strength": strength, "half": level / strength}
    # What fails one need of each kind needs no other measure.
    for measured in (measuring.places_of, measuring.shapes_of, measuring.borders_of):
        known, ramps = measured(patches, measures), {}
        for number, needs in enumerate(all_needs):
            for name, ramp in needs:
                if name in known:
                    if (name, ramp) not in ramps:
                        ramps[name, ramp] = smooth_step(known[name], *ramp)
                    sure[number, at] *= ramps[name, ramp]
        kept = sure[:, at].max(axis=0) > 0
        sure[:, at[~kept]] = 0
        if not kept.any():
            break
        patches, at = patches.only(kept), at[kept]
        measures = {name: values[kept] for name, values in (measures | known).items()}
    return sure.max(axis=0)


@dataclass(frozen=True)
class _Measuring:
    """What patches are measured in, see `PatchKind`.

    Args:
        signed: float32 [H, W], what they are cut out by, larger where the mark is stronger.
        contrast: float32 [H, W], log luminance, of the same sign.
        inside: bool [H, W], where colour is told.
        rise: float32 [H, W], how far the signal rises within the width of a sharp border.
        places: what is averaged over each patch, float32 [H, W] each.
        scale: texels a mm.
        settings: chosen numbers.
    """

    signed: np.ndarray
    contrast: np.ndarray
    inside: np.ndarray
    rise: np.ndarray
    places: dict[str, np.ndarray]
    scale: float
    settings: ClosedSettings

    def places_of(self, patches: Patches, known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Where patches are, and how strong."""
        values = patches.of(self.signed)
        measures = {
            name: patches.mean(patches.of(self.places[name]))
            for name in ("border", "feature", "nose", "beard", "outside", "red", "yellow")
        }
        return (
            known
            | measures
            | {
                "flat": patches.mean(values > 0.7 * patches.spread(patches.quantile(values, 0.9, ordered=True))),
                "area": patches.sizes / self.scale**2,
                "brown": measures["red"] + measures["yellow"],
                "hue": np.hypot(measures["red"], measures["yellow"]),
                "redder": measures["red"] - 2 * np.maximum(measures["yellow"], 0),
            }
        )

    def shapes_of(self, patches: Patches, known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What patches have of a shape and a border."""
        rim = patches.of(cv2.erode(patches.above, np.ones((3, 3), np.uint8)) == 0)
        steep = patches.of(self.rise) > self.settings.edge_share * patches.spread(known["strength"])
        depth = depths(patches) / self.scale
        red, yellow = (patches.of(self.places[name]) for name in ("red", "yellow"))
        size = np.maximum(np.square(known["hue"]), 1e-6)
        along = red * patches.spread(known["red"] / size) + yellow * patches.spread(known["yellow"] / size)
        return {
            "sharp": patches.total(rim & steep) / np.maximum(patches.total(rim), 1e-6),
            "depth": depth,
            "slender": np.hypot(*patches.extent()) / self.scale / (2 * depth),
            "contrast": patches.quantile(patches.of(self.contrast), 0.7),
            "even": patches.mean(along > 0.7 * patches.spread(patches.quantile(along, 0.9))),
        }

    def borders_of(self, patches: Patches, known: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What patches are against what is beside them and opposite."""
        # A beard grows on both sides, and where the other one is not seen, it may.
        seen = np.where(opposite(patches, self.inside), opposite(patches, self.signed), np.inf)
        # Folds and the lips' rims shine and shade on both sides; they are thin, and not quite mirror images.
        line = smooth_step(known["slender"], *self.settings.line) * smooth_step(known["depth"], *self.settings.line_mm)
        strength, folded = known["strength"], np.zeros(len(line))
        if line.any():
            near = square(self.settings.folds_mm * self.scale)
            beside = opposite_of_others(patches, near, cv2.dilate(np.where(self.inside, self.signed, 0), near))
            folded = line * alike(patches, beside, strength)
        over_border = self.contrast, *(self.places[name] for name in ("red", "yellow", "lit_red", "lit_green"))
        step, redder, yellower, more_red, more_green = steps(patches, over_border, self.settings.edge_mm * self.scale)
        return {
            "bearded": known["beard"] * alike(patches, seen, strength),
            "folded": folded,
            "step": step,
            "pigment": (redder + yellower) / np.maximum(step, 1e-3),
            "greener": more_green / np.maximum(more_red, 1e-4),
        }
