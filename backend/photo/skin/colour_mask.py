"""Skin told by its colour alone, where the segmentation model is not there.

A graph cut (Rother et al. 2004, "GrabCut") draws the border of what has this person's colours along edges of the photo.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    CHIN_TIP,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    FOREHEAD_TOP,
    LIPS_OUTER,
    NOSE_BASE,
)
from backend.photo.outlines import disc
from backend.photo.skin.colour_model import fit_colour_model
from backend.photo.skin.face_crop import (
    FaceCrop,
    across_face,
    along_face,
    along_of,
    inner_face,
    plain_skin,
    polygon,
)
from backend.photo.skin.parameters import SkinMaskSettings


def skin_by_colour(crop: FaceCrop, settings: SkinMaskSettings) -> np.ndarray:
    """Where the crop shows skin, lips, brows and beard, bool [h, w]; eyes, mouth and glasses are not looked at."""
    inner = inner_face(crop)
    model = fit_colour_model(crop.residual[plain_skin(crop, inner, settings)], settings.colours)
    distance = model.distance(crop.residual) * _distrust(crop)
    skin = _cut(crop, inner, distance, settings)
    near = cv2.dilate(crop.region.astype(np.uint8), disc(0.06 * crop.unit)).astype(bool)
    skin = _of_this_head(skin & near, inner, crop, distance, settings)
    skin = _without_holes(crop, skin | _beard(crop, skin, settings), settings)
    return _with_brows_and_lips(crop, skin)


def _cut(crop: FaceCrop, inner: np.ndarray, distance: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """GrabCut from the colour model's opinion; bool [h, w]."""
    trimap = np.where(distance < settings.likely, cv2.GC_PR_FGD, cv2.GC_PR_BGD).astype(np.uint8)
    trimap[distance > 4 * settings.unlikely] = cv2.GC_BGD
    trimap[inner & (distance < settings.likely)] = cv2.GC_FGD
    if not (trimap[~inner] % 2 == 0).any():
        return np.ones(inner.shape, bool)
    lab = cv2.cvtColor(crop.image_srgb, cv2.COLOR_RGB2LAB)
    cv2.setRNGSeed(0)
    background, foreground = np.zeros((1, 65)), np.zeros((1, 65))
    # With a mask the rectangle is not looked at.
    cv2.grabCut(lab, trimap, (0, 0, 1, 1), background, foreground, settings.cut_rounds, cv2.GC_INIT_WITH_MASK)
    return (trimap == cv2.GC_FGD) | (trimap == cv2.GC_PR_FGD)


def _distrust(crop: FaceCrop) -> np.ndarray:
    """Factor on distances, float32 [h, w]: up to 2 above the forehead, where blond hair may pass for skin."""
    length = float(np.linalg.norm(crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]))
    return (1 + np.clip(-along_face(crop) * length / (0.5 * crop.unit), 0, 1)).astype(np.float32)


def _of_this_head(
    skin: np.ndarray, inner: np.ndarray, crop: FaceCrop, distance: np.ndarray, settings: SkinMaskSettings
) -> np.ndarray:
    """The parts of the mask that touch the inner face, or lie on the fitted head and look like skin (ears)."""
    count, labels = cv2.connectedComponents(skin.astype(np.uint8), connectivity=4)
    labels = np.asarray(labels, np.int64)
    area = np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    in_face = np.bincount(labels[inner], minlength=count) > 0.02 * max(int(inner.sum()), 1)
    on_head = np.bincount(labels[crop.region], minlength=count) > 0.8 * area
    alike = np.bincount(labels[distance < settings.likely], minlength=count) > 0.6 * area
    kept = in_face | (on_head & alike & (area > (0.2 * crop.unit) ** 2))
    kept[0] = False
    return kept[labels]


def _beard(crop: FaceCrop, skin: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Hair around the mouth: below the nose, inside the face oval, and reaching the middle; bool [h, w].

    Long hair over a cheek does not reach the middle; fingers and most other things have more colour than hair. What is
    not darker than the skin is hair where it is grey and rough: masks and scarves are smooth.
    """
    lower = polygon(crop, FACE_OVAL) & (along_face(crop) > along_of(crop, NOSE_BASE))
    if not skin.any():
        return np.zeros_like(skin)
    usual = np.median(crop.residual[skin], axis=0)
    luminance, colour = crop.residual[..., 0] - usual[0], crop.residual[..., 1] - usual[1]
    dark = (luminance < 0) & (
        colour < settings.colourful + settings.dark_colourful * np.maximum(-luminance - settings.dark_as_hair, 0)
    )
    rough = _roughness(crop.residual[..., 0], 0.05 * crop.unit)
    grey = (colour < -settings.grey) & (rough > settings.rough_as_hair * np.median(rough[skin]))
    hair = lower & ~skin & (dark | grey)
    count, labels = cv2.connectedComponents(hair.astype(np.uint8), connectivity=4)
    labels = np.asarray(labels, np.int64)
    reaching = np.zeros(count, bool)
    middle = lower & (np.abs(across_face(crop)) < 0.25 * crop.unit)
    reaching[np.unique(labels[middle & hair])] = True
    reaching[0] = False
    return reaching[labels]


def _roughness(values: np.ndarray, reach_px: float) -> np.ndarray:
    """How much values [h, w] vary within a few pixels, averaged over `reach_px`, float32 [h, w]."""
    fine = values - cv2.GaussianBlur(values, (0, 0), 1.5)
    return np.sqrt(cv2.GaussianBlur(np.square(fine), (0, 0), max(reach_px, 1.5)))


def _without_holes(crop: FaceCrop, skin: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Fill what skin encloses within the face where it is a highlight, or small and low: nostrils, moles, beard."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~skin).astype(np.uint8), connectivity=4)
    labels = np.asarray(labels, np.int64)
    height, width = skin.shape
    largest = (0.8 * crop.unit) ** 2
    along, nose = along_face(crop), along_of(crop, NOSE_BASE)
    mean = np.stack(
        [np.bincount(labels.ravel(), f.ravel(), count) for f in (*np.moveaxis(crop.residual, -1, 0), along)]
    )
    mean /= np.maximum(np.bincount(labels.ravel(), minlength=count), 1)
    usual = np.median(crop.residual[skin], axis=0) if skin.any() else np.zeros(3)
    fill = np.zeros(count, bool)
    for label in range(1, count):
        x, y, w, h, area = stats[label]
        if x == 0 or y == 0 or x + w == width or y + h == height or area > largest:
            continue
        bright = mean[0, label] > usual[0]
        # Hair has less colour than skin; a finger may have more.
        beard = mean[3, label] > nose - 0.05 and mean[1, label] < usual[1] + settings.colourful
        fill[label] = bright or beard or area < (0.06 * crop.unit) ** 2
    return skin | fill[labels]


def _with_brows_and_lips(crop: FaceCrop, skin: np.ndarray) -> np.ndarray:
    """Count brows, lids, lashes and lips as skin where skin surrounds them: no fringe, no spectacles, no hand."""
    outlines = (
        (LIPS_OUTER, 0.02, 0.7),
        (BROW_LEFT, 0.05, 0.6),
        (BROW_RIGHT, 0.05, 0.6),
        (EYE_LEFT, 0.13, 0.85),
        (EYE_RIGHT, 0.13, 0.85),
    )
    for outline, grow, enough in outlines:
        area = polygon(crop, outline, grow * crop.unit)
        rim = polygon(crop, outline, (grow + 0.08) * crop.unit) & ~area
        if rim.any() and skin[rim].mean() > enough:
            skin = skin | area
    return skin
