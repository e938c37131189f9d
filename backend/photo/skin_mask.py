"""Which pixels of a photo show skin of the face and neck, cut by a colour model of this one person (DESIGN section 5).

The fit says where skin can be and what colour it would have under the photo's light. What differs from that in the
inner face, robustly, is this person's skin; pixels elsewhere are compared with it, and a graph cut (Rother et al. 2004,
"GrabCut") draws the border along edges of the photo. Beards and brows count as skin, since they are its texture.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.photo.colour_model import fit_colour_model
from backend.photo.face_detector import Face
from backend.photo.glasses import frames, wears_glasses
from backend.photo.landmark_table import (
    BROW_LEFT,
    BROW_RIGHT,
    CHIN_TIP,
    EYE_LEFT,
    EYE_RIGHT,
    FACE_OVAL,
    FOREHEAD_TOP,
    IRIS_LEFT,
    IRIS_RIGHT,
    LIPS_INNER,
    LIPS_OUTER,
    NOSE_BASE,
    NOSE_MIDDLE,
)
from backend.photo.outlines import disc, inside
from backend.photo.parameters import SkinMaskSettings
from backend.photo.reading import Photo


@dataclass(frozen=True)
class _Crop:
    """The surroundings of the face, reduced.

    Args:
        box: x0, y0, x1, y1 in pixels of the photo.
        image_srgb: uint8 [h, w, 3].
        residual: float32 [h, w, 3], log luminance and two log chromas relative to the expected skin.
        region: bool [h, w], where the fitted head shows skin.
        points: float64 [478, 2], landmarks in pixels of the crop.
        unit: distance between the irises in pixels of the crop, at least a third of the face's height.
    """

    box: tuple[int, int, int, int]
    image_srgb: np.ndarray
    residual: np.ndarray
    region: np.ndarray
    points: np.ndarray
    unit: float


def skin_mask(
    photo: Photo,
    face: Face,
    region: np.ndarray | None = None,
    expected: np.ndarray | None = None,
    settings: SkinMaskSettings = SkinMaskSettings(),
) -> np.ndarray:
    """Soft mask of the skin: 1 on skin, lips, brows and beards; 0 on hair, eyes, open mouth, glasses, clothes,
    backdrop.

    Args:
        photo: the photo.
        face: the face in it.
        region: bool [H, W], where the skin part of the fitted head is seen; None takes the surroundings of the
            landmarks.
        expected: float32 [H, W, 3], linear RGB that the fit predicts for skin (albedo times shading) in the region;
            None expects one colour everywhere.

    Returns:
        float32 [H, W] in [0, 1].
    """
    if region is None:
        region = _region_around(face, photo.height, photo.width)
    crop = _crop(photo, face, region, expected, settings)
    inner = _inner_face(crop)
    model = fit_colour_model(crop.residual[_plain_skin(crop, inner, settings)], settings.colours)
    distance = model.distance(crop.residual) * _distrust(crop)
    skin = _cut(crop, inner, distance, settings)
    near = cv2.dilate(crop.region.astype(np.uint8), disc(0.06 * crop.unit)).astype(bool)
    skin = _of_this_head(skin & near, inner, crop, distance, settings)
    skin = _without_holes(crop, skin | _beard(crop, skin, settings), settings)
    skin = _with_brows_and_lips(crop, skin)
    if wears_glasses(photo.image_srgb, face.landmarks_px, settings.glasses):
        skin &= ~frames(crop.residual[..., 0], crop.points, crop.unit, settings.glasses)
    return _in_photo(photo, crop, skin, face, settings)


def _region_around(face: Face, height: int, width: int) -> np.ndarray:
    """Ellipse about the landmarks that takes in forehead, ears and upper neck, bool [H, W]."""
    x0, y0, x1, y1 = face.box
    centre, size = ((x0 + x1) / 2, (y0 + y1) / 2 + 0.05 * (y1 - y0)), (1.35 * (x1 - x0), 1.7 * (y1 - y0))
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (centre, size, 0.0), 1, -1)
    return mask > 0


def _crop(
    photo: Photo, face: Face, region: np.ndarray, expected: np.ndarray | None, settings: SkinMaskSettings
) -> _Crop:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    low = np.minimum(face.box[:2], (columns[0], rows[0]) if len(rows) else face.box[:2])
    high = np.maximum(face.box[2:], (columns[-1], rows[-1]) if len(rows) else face.box[2:])
    margin = 0.06 * (high - low).max()
    x0, y0 = np.clip(np.floor(low - margin), 0, (photo.width - 1, photo.height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(high + margin), (x0 + 1, y0 + 1), (photo.width, photo.height)).astype(int)
    scale = min(1.0, settings.side_px / max(x1 - x0, y1 - y0))
    size = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
    image = cv2.resize(photo.image_srgb[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    linear = cv2.resize(photo.image_linear[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(region[y0:y1, x0:x1].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    residual = _log_opponent(linear, settings)
    if expected is not None:
        small = cv2.resize(np.ascontiguousarray(expected[y0:y1, x0:x1]), size, interpolation=cv2.INTER_NEAREST)
        prediction = _log_opponent(small, settings)
        # Beyond the head the fit predicts nothing; its middle stands in.
        usual = np.median(prediction[inside], axis=0) if inside.any() else np.zeros(3, np.float32)
        # The fitted light is least certain where the surface turns away: half of the prediction is trusted.
        residual = residual - np.where(inside[..., None], usual + 0.5 * (prediction - usual), usual)
    points = (face.landmarks_px - (x0, y0)) * (size[0] / (x1 - x0), size[1] / (y1 - y0))
    iris_distance = float(np.linalg.norm(points[IRIS_LEFT[0]] - points[IRIS_RIGHT[0]]))
    unit = max(iris_distance, float(np.ptp(points[:, 1])) / 3, 4.0)
    box = (int(x0), int(y0), int(x1), int(y1))
    return _Crop(box, image, residual.astype(np.float32), inside, points, unit)


def _log_opponent(linear: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Linear RGB [..., 3] to log luminance and two log ratios that shading leaves alone."""
    red, green, blue = np.moveaxis(np.log(np.maximum(linear, 0) + settings.log_floor), -1, 0)
    return np.stack([(red + 2 * green + blue) / 4, red - green, green - blue], axis=-1)


def _polygon(crop: _Crop, indices: tuple[int, ...], grow_px: float = 0.0) -> np.ndarray:
    """bool [h, w], inside an outline of landmarks, grown or shrunk."""
    return inside(crop.points, indices, crop.region.shape, grow_px)


def _inner_face(crop: _Crop) -> np.ndarray:
    """Where nearly everyone shows bare skin: the face oval away from its rim, eyes, brows and mouth; bool [h, w]."""
    inner = _polygon(crop, FACE_OVAL, -0.15 * crop.unit)
    for outline, grow in (
        *((eye, 0.12 * crop.unit) for eye in (EYE_LEFT, EYE_RIGHT)),
        *((brow, 0.06 * crop.unit) for brow in (BROW_LEFT, BROW_RIGHT)),
        (LIPS_OUTER, 0.05 * crop.unit),
    ):
        inner &= ~_polygon(crop, outline, grow)
    return inner


def _plain_skin(crop: _Crop, inner: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """The part of the inner face that is coloured like the cheeks and the nose, which nothing covers; bool [h, w]."""
    along = _along_face(crop)
    core = inner & (along > _along_of(crop, NOSE_MIDDLE)) & (along < _along_of(crop, NOSE_BASE))
    if core.sum() < 30:
        return inner
    centre = np.median(crop.residual[core], axis=0)
    sigma = 1.4826 * np.median(np.abs(crop.residual[core] - centre), axis=0)
    deviation = (crop.residual - centre) / np.maximum(sigma, np.array(settings.core_sigma, np.float32))
    return inner & (np.einsum("hwc,hwc->hw", deviation, deviation) < settings.unlikely)


def _along_face(crop: _Crop) -> np.ndarray:
    """How far down the face each pixel lies: 0 at the top of the forehead, 1 at the chin; float64 [h, w]."""
    y, x = np.mgrid[0 : crop.region.shape[0], 0 : crop.region.shape[1]] + 0.5
    top, axis = crop.points[FOREHEAD_TOP], crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]
    return ((x - top[0]) * axis[0] + (y - top[1]) * axis[1]) / max(float(axis @ axis), 1e-6)


def _along_of(crop: _Crop, landmark: int) -> float:
    top, axis = crop.points[FOREHEAD_TOP], crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]
    return float((crop.points[landmark] - top) @ axis) / max(float(axis @ axis), 1e-6)


def _cut(crop: _Crop, inner: np.ndarray, distance: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
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


def _distrust(crop: _Crop) -> np.ndarray:
    """Factor on distances, float32 [h, w]: up to 2 above the forehead, where blond hair may pass for skin."""
    length = float(np.linalg.norm(crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]))
    return (1 + np.clip(-_along_face(crop) * length / (0.5 * crop.unit), 0, 1)).astype(np.float32)


def _of_this_head(
    skin: np.ndarray, inner: np.ndarray, crop: _Crop, distance: np.ndarray, settings: SkinMaskSettings
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


def _beard(crop: _Crop, skin: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Hair around the mouth: below the nose, inside the face oval, and reaching the middle; bool [h, w].

    Long hair over a cheek does not reach the middle; fingers and most other things have more colour than hair. What is
    not darker than the skin is hair where it is grey and rough: masks and scarves are smooth.
    """
    lower = _polygon(crop, FACE_OVAL) & (_along_face(crop) > _along_of(crop, NOSE_BASE))
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
    middle = lower & (np.abs(_across_face(crop)) < 0.25 * crop.unit)
    reaching[np.unique(labels[middle & hair])] = True
    reaching[0] = False
    return reaching[labels]


def _roughness(values: np.ndarray, reach_px: float) -> np.ndarray:
    """How much values [h, w] vary within a few pixels, averaged over `reach_px`, float32 [h, w]."""
    fine = values - cv2.GaussianBlur(values, (0, 0), 1.5)
    return np.sqrt(cv2.GaussianBlur(np.square(fine), (0, 0), max(reach_px, 1.5)))


def _across_face(crop: _Crop) -> np.ndarray:
    """Distance of each pixel from the line through forehead and chin, signed, in pixels; float64 [h, w]."""
    y, x = np.mgrid[0 : crop.region.shape[0], 0 : crop.region.shape[1]] + 0.5
    top, axis = crop.points[FOREHEAD_TOP], crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]
    return ((x - top[0]) * axis[1] - (y - top[1]) * axis[0]) / max(float(np.linalg.norm(axis)), 1e-6)


def _without_holes(crop: _Crop, skin: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Fill what skin encloses within the face where it is a highlight, or small and low: nostrils, moles, beard."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats((~skin).astype(np.uint8), connectivity=4)
    labels = np.asarray(labels, np.int64)
    height, width = skin.shape
    largest = (0.8 * crop.unit) ** 2
    along, nose = _along_face(crop), _along_of(crop, NOSE_BASE)
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


def _with_brows_and_lips(crop: _Crop, skin: np.ndarray) -> np.ndarray:
    """Count brows, lids, lashes and lips as skin where skin surrounds them: no fringe, no spectacles, no hand."""
    outlines = (
        (LIPS_OUTER, 0.02, 0.7),
        (BROW_LEFT, 0.05, 0.6),
        (BROW_RIGHT, 0.05, 0.6),
        (EYE_LEFT, 0.13, 0.85),
        (EYE_RIGHT, 0.13, 0.85),
    )
    for outline, grow, enough in outlines:
        area = _polygon(crop, outline, grow * crop.unit)
        rim = _polygon(crop, outline, (grow + 0.08) * crop.unit) & ~area
        if rim.any() and skin[rim].mean() > enough:
            skin = skin | area
    return skin


def _in_photo(photo: Photo, crop: _Crop, skin: np.ndarray, face: Face, settings: SkinMaskSettings) -> np.ndarray:
    """Bring the mask to the photo's resolution along the photo's edges, and take eyes and open mouth out."""
    x0, y0, x1, y1 = crop.box
    size = (x1 - x0, y1 - y0)
    scale = size[0] / crop.region.shape[1]
    # The filter needs some 80 bytes a pixel, and its border is wider than a pixel of a larger image.
    reduction = min(1.0, settings.refined_side_px / max(size))
    refined_size = (max(round(size[0] * reduction), 1), max(round(size[1] * reduction), 1))
    guide = cv2.resize(photo.image_srgb[y0:y1, x0:x1], refined_size, interpolation=cv2.INTER_AREA)
    refined = cv2.resize(skin.astype(np.float32), refined_size, interpolation=cv2.INTER_LINEAR)
    refined = cv2.ximgproc.guidedFilter(guide, refined, max(round(2 * scale * reduction), 2), 30.0)
    soft = cv2.resize(refined, size, interpolation=cv2.INTER_LINEAR)
    unit = crop.unit * scale
    for outline, grow in ((EYE_LEFT, 0.03), (EYE_RIGHT, 0.03), (LIPS_INNER, 0.0)):
        hole = inside(face.landmarks_px - (x0, y0), outline, soft.shape, grow * unit)
        soft = soft * (1 - cv2.GaussianBlur(hole.astype(np.float32), (0, 0), max(0.01 * unit, 0.5)))
    mask = np.zeros(photo.image_srgb.shape[:2], np.float32)
    mask[y0:y1, x0:x1] = np.clip(soft * 1.25 - 0.125, 0, 1)
    return mask
