"""Which pixels of a photo show skin of the face and neck (DESIGN section 5).

The segmentation of the photo says it, or where its model is not there the colours of this one person; the fit says
where skin can be and what colour it would have under the photo's light. Beards and brows count as skin, since they are
its texture.
"""

from __future__ import annotations

import cv2
import numpy as np

from backend.photo.face_detector import Face
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, LIPS_INNER
from backend.photo.outlines import inside
from backend.photo.reading import Photo
from backend.photo.skin.colour_mask import skin_by_colour
from backend.photo.skin.coverings import glasses_are_worn
from backend.photo.skin.face_crop import FaceCrop, face_crop, region_around
from backend.photo.skin.glasses import frames
from backend.photo.skin.parameters import SkinMaskSettings
from backend.photo.skin.segmentation import FACE_SKIN, HAIR, Segmentation
from backend.photo.skin.segmented_mask import skin_by_segmentation
from backend.photo.skin.strands import strands
from backend.side_by_side import side_by_side


def skin_mask(
    photo: Photo,
    face: Face,
    region: np.ndarray | None = None,
    expected: np.ndarray | None = None,
    settings: SkinMaskSettings = SkinMaskSettings(),
    segmentation: Segmentation | None = None,
) -> np.ndarray:
    """Soft mask of the skin: 1 on skin, lips, brows and beards; 0 on hair, eyes, open mouth, glasses, clothes,
    backdrop.

    Args:
        photo: the photo.
        face: the face in it.
        region: bool [H, W], where the skin part of the fitted head is seen; None takes the surroundings of the
            landmarks.
        expected: float32 [h, w, 3], linear RGB that the fit predicts for skin (albedo times shading) in the region,
            over the photo's frame on any number of pixels; None expects one colour everywhere.
        settings: the stage's chosen numbers.
        segmentation: what is where around the face; None tells skin by its colour alone.

    Returns:
        float32 [H, W] in [0, 1].
    """
    if region is None:
        region = region_around(face, photo.height, photo.width)
    crop = face_crop(photo, face, region, expected, settings)
    if segmentation is None:
        return _without_strands(photo, face, crop, None, settings)
    mask, hair = side_by_side(
        lambda: _without_strands(photo, face, crop, segmentation, settings),
        lambda: _strands(crop, face, segmentation, settings),
    )
    x0, y0, x1, y1 = crop.box
    mask[y0:y1, x0:x1] *= 1 - hair
    return mask


def _without_strands(
    photo: Photo, face: Face, crop: FaceCrop, segmentation: Segmentation | None, settings: SkinMaskSettings
) -> np.ndarray:
    """The mask as if no strands of hair crossed the skin."""
    if segmentation is None:
        skin = skin_by_colour(crop, settings).astype(np.float32)
    else:
        height, width = crop.region.shape
        skin = skin_by_segmentation(crop, segmentation.over(crop.box, (width, height)), settings)
    if glasses_are_worn(photo, face, segmentation, settings.glasses):
        skin = skin * ~frames(crop.residual, crop.points, crop.unit, settings.glasses)
    return _in_photo(photo, crop, skin, face, settings)


def _in_photo(photo: Photo, crop: FaceCrop, skin: np.ndarray, face: Face, settings: SkinMaskSettings) -> np.ndarray:
    """Bring the mask to the photo's resolution along the photo's edges, and take eyes and open mouth out."""
    x0, y0, x1, y1 = crop.box
    size = (x1 - x0, y1 - y0)
    scale = size[0] / crop.region.shape[1]
    # The filter needs some 80 bytes a pixel, and its border is wider than a pixel of a larger image.
    reduction = min(1.0, settings.refined_side_px / max(size))
    refined_size = (max(round(size[0] * reduction), 1), max(round(size[1] * reduction), 1))
    guide = cv2.resize(photo.image_srgb[y0:y1, x0:x1], refined_size, interpolation=cv2.INTER_AREA)
    refined = cv2.resize(skin, refined_size, interpolation=cv2.INTER_LINEAR)
    refined = cv2.ximgproc.guidedFilter(guide, refined, max(round(2 * scale * reduction), 2), 30.0)
    soft = cv2.resize(refined, size, interpolation=cv2.INTER_LINEAR)
    unit = crop.unit * scale
    for outline, grow in ((EYE_LEFT, 0.03), (EYE_RIGHT, 0.03), (LIPS_INNER, 0.0)):
        hole = inside(face.landmarks_px - (x0, y0), outline, soft.shape, grow * unit)
        soft = soft * (1 - cv2.GaussianBlur(hole.astype(np.float32), (0, 0), max(0.01 * unit, 0.5)))
    mask = np.zeros(photo.image_srgb.shape[:2], np.float32)
    mask[y0:y1, x0:x1] = np.clip(soft * 1.25 - 0.125, 0, 1)
    return mask


def _strands(crop: FaceCrop, face: Face, segmentation: Segmentation, settings: SkinMaskSettings) -> np.ndarray:
    """Strands of hair across the face, float32 over the crop's box in the photo's pixels."""
    x0, y0, x1, y1 = crop.box
    full_size = (x1 - x0, y1 - y0)
    unit = crop.unit * full_size[0] / crop.region.shape[1]
    scale = min(1.0, settings.strands.unit_px / unit)
    size = (max(round(full_size[0] * scale), 1), max(round(full_size[1] * scale), 1))
    linear = cv2.resize(crop.linear, size, interpolation=cv2.INTER_AREA)
    luminance = np.log(linear @ np.array([0.25, 0.5, 0.25], np.float32) + settings.log_floor)
    colour = np.log((linear[..., 0] + settings.log_floor) / (linear[..., 2] + settings.log_floor))
    probabilities = segmentation.over(crop.box, size)
    points = (face.landmarks_px - (x0, y0)) * scale
    hair, skin = (probabilities[..., kind] > settings.sure_share for kind in (HAIR, FACE_SKIN))
    found = strands(luminance, colour, hair, skin, points, unit * scale, settings.strands)
    return cv2.resize(found, full_size, interpolation=cv2.INTER_LINEAR)
