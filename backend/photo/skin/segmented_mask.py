"""Skin told by the segmentation of the photo, its border drawn by this person's own colours.

Where the network is sure, its word holds whatever the colour: marks, paint and drawings on skin are skin. Where it is
not, at the border of hair and clothes, which it knows to some pixels only, each pixel is compared with the skin and
with the other things beside it. What is sure is so in nearly every photo, and the rest is a smooth function of it.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.imaging.filters import smooth_step
from backend.photo.landmark_table import FACE_OVAL, NOSE_BASE, NOSE_ROOT
from backend.photo.outlines import disc
from backend.photo.skin.beard import beard
from backend.photo.skin.colour_model import fit_colour_model
from backend.photo.skin.face_crop import FaceCrop, across_face, along_face, along_of, polygon
from backend.photo.skin.parameters import SkinMaskSettings
from backend.photo.skin.segmentation import BODY_SKIN, FACE_SKIN, HAIR


def skin_by_segmentation(crop: FaceCrop, probabilities: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """How surely the crop shows skin, lips, brows and beard, float32 [h, w]; eyes, mouth and glasses are not looked at.

    Args:
        crop: the face's surroundings.
        probabilities: float32 [h, w, 6] over it, see `Segmentation.over`.
        settings: of the stage.
    """
    no_neck = hands(crop, probabilities, settings) | polygon(crop, FACE_OVAL, -settings.oval_rim * crop.unit)
    skin = (
        probabilities[..., FACE_SKIN]
        + probabilities[..., BODY_SKIN] * ~no_neck
        + probabilities[..., HAIR] * _beard(crop, probabilities, settings)
    )
    skin = _by_colour_where_unsure(crop, np.clip(skin, 0, 1), settings)
    near = cv2.dilate(crop.region.astype(np.uint8), disc(settings.beyond_region * crop.unit))
    return skin * near


def hands(crop: FaceCrop, probabilities: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Where skin of the body is neither neck nor shoulder: above the nose's base, or well inside the face; bool [h, w].

    The network counts ears as skin of the face.
    """
    body = probabilities[..., BODY_SKIN] > probabilities[..., FACE_SKIN]
    body &= probabilities[..., BODY_SKIN] > settings.some_share
    inside = body & polygon(crop, FACE_OVAL, -settings.oval_rim * crop.unit)
    reach = settings.hand_around * crop.unit
    # A turned or tilted neck cuts a sliver off the oval.
    above = body & (along_face(crop) < along_of(crop, NOSE_BASE))
    if not inside.any():
        return above
    inside = cv2.morphologyEx(inside.astype(np.uint8), cv2.MORPH_OPEN, disc(0.5 * settings.finger_width * crop.unit))
    return above | (body & cv2.dilate(inside, disc(reach)).astype(bool))


def _beard(crop: FaceCrop, probabilities: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Beard in the oval, bool [h, w]; the network takes most beards for skin of the face already."""
    hair = polygon(crop, FACE_OVAL) & (probabilities[..., HAIR] > settings.sure_share)
    along = along_face(crop)
    below_nose, above_eyes = along > along_of(crop, NOSE_BASE), along < along_of(crop, NOSE_ROOT)
    inner = polygon(crop, FACE_OVAL, -settings.off_sides * crop.unit)
    return beard(hair, below_nose, above_eyes, inner, np.abs(across_face(crop)) < settings.beard_middle * crop.unit)


def _by_colour_where_unsure(crop: FaceCrop, skin: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """The probability of skin after what the colours say, weighed by how unsure it was; float32 [h, w]."""
    surely, surely_not = skin > settings.sure, skin < 1 - settings.sure
    near = cv2.dilate(surely.astype(np.uint8), disc(settings.beside * crop.unit)).astype(bool)
    others = surely_not & near
    prior = np.clip(skin, settings.least_odds, 1 - settings.least_odds)
    log_odds = np.log(prior / (1 - prior)).astype(np.float64)
    if surely.sum() >= settings.fewest_pixels and others.sum() >= settings.fewest_pixels:
        border = _border(skin, crop.unit, settings)
        asked = border > 0
        inside, outside = (
            fit_colour_model(crop.residual[known], settings.colours).distance(crop.residual[asked])
            for known in (surely, others)
        )
        evidence = np.clip(0.5 * (outside - inside), -settings.colour_says, settings.colour_says)
        log_odds[asked] += border[asked] * evidence
    return (1 / (1 + np.exp(-settings.sharpness * log_odds))).astype(np.float32)


def _border(skin: np.ndarray, unit: float, settings: SkinMaskSettings) -> np.ndarray:
    """How much a pixel lies in the border between what is surely skin and what surely is not, float32 [h, w].

    What the network doubts all over is no border: there it sees something that looks like skin.
    """
    reach = disc(settings.border_reach * unit)
    range_near = cv2.dilate(skin, reach) - cv2.erode(skin, reach)
    return 4 * skin * (1 - skin) * smooth_step(range_near, *settings.border_range)
