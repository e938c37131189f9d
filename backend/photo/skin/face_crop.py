"""The surroundings of a face, reduced, with what the fit expects of its skin and where on the face each pixel lies."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.colour import srgb_bytes_to_linear
from backend.photo.face_detector import Face
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
    LIPS_OUTER,
    NOSE_BASE,
    NOSE_MIDDLE,
)
from backend.photo.outlines import inside
from backend.photo.reading import Photo
from backend.photo.skin.parameters import SkinMaskSettings


@dataclass(frozen=True)
class FaceCrop:
    """The surroundings of the face, reduced.

    Args:
        box: x0, y0, x1, y1 in pixels of the photo.
        linear: float32 [y1 - y0, x1 - x0, 3], linear RGB, not reduced.
        image_srgb: uint8 [h, w, 3].
        residual: float32 [h, w, 3], log luminance and two log chromas relative to the expected skin.
        region: bool [h, w], where the fitted head shows skin.
        points: float64 [478, 2], landmarks in pixels of the crop.
        unit: distance between the irises in pixels of the crop, at least a third of the face's height.
    """

    box: tuple[int, int, int, int]
    linear: np.ndarray
    image_srgb: np.ndarray
    residual: np.ndarray
    region: np.ndarray
    points: np.ndarray
    unit: float


def face_crop(
    photo: Photo, face: Face, region: np.ndarray, expected: np.ndarray | None, settings: SkinMaskSettings
) -> FaceCrop:
    rows, columns = np.flatnonzero(region.any(axis=1)), np.flatnonzero(region.any(axis=0))
    low = np.minimum(face.box[:2], (columns[0], rows[0]) if len(rows) else face.box[:2])
    high = np.maximum(face.box[2:], (columns[-1], rows[-1]) if len(rows) else face.box[2:])
    margin = 0.06 * (high - low).max()
    x0, y0 = np.clip(np.floor(low - margin), 0, (photo.width - 1, photo.height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(high + margin), (x0 + 1, y0 + 1), (photo.width, photo.height)).astype(int)
    scale = min(1.0, settings.side_px / max(x1 - x0, y1 - y0))
    size = (max(round((x1 - x0) * scale), 1), max(round((y1 - y0) * scale), 1))
    image = cv2.resize(photo.image_srgb[y0:y1, x0:x1], size, interpolation=cv2.INTER_AREA)
    full = srgb_bytes_to_linear(photo.image_srgb[y0:y1, x0:x1])
    linear = cv2.resize(full, size, interpolation=cv2.INTER_AREA)
    inside = cv2.resize(region[y0:y1, x0:x1].astype(np.float32), size, interpolation=cv2.INTER_AREA) > 0.5
    residual = _log_opponent(linear, settings)
    if expected is not None:
        rows = (y0 + np.arange(size[1]) * (y1 - y0) // size[1]) * expected.shape[0] // photo.height
        columns = (x0 + np.arange(size[0]) * (x1 - x0) // size[0]) * expected.shape[1] // photo.width
        prediction = _log_opponent(expected[rows[:, None], columns], settings)
        # Beyond the head the fit predicts nothing; its middle stands in.
        usual = np.median(prediction[inside], axis=0) if inside.any() else np.zeros(3, np.float32)
        # The fitted light is least certain where the surface turns away: half of the prediction is trusted.
        residual = residual - np.where(inside[..., None], usual + 0.5 * (prediction - usual), usual)
    points = (face.landmarks_px - (x0, y0)) * (size[0] / (x1 - x0), size[1] / (y1 - y0))
    iris_distance = float(np.linalg.norm(points[IRIS_LEFT[0]] - points[IRIS_RIGHT[0]]))
    unit = max(iris_distance, float(np.ptp(points[:, 1])) / 3, 4.0)
    box = (int(x0), int(y0), int(x1), int(y1))
    return FaceCrop(box, full, image, residual.astype(np.float32), inside, points, unit)


def _log_opponent(linear: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """Linear RGB [..., 3] to log luminance and two log ratios that shading leaves alone."""
    red, green, blue = np.moveaxis(np.log(np.maximum(linear, 0) + settings.log_floor), -1, 0)
    return np.stack([(red + 2 * green + blue) / 4, red - green, green - blue], axis=-1)


def region_around(face: Face, height: int, width: int) -> np.ndarray:
    """Ellipse about the landmarks that takes in forehead, ears and upper neck, bool [H, W]."""
    x0, y0, x1, y1 = face.box
    centre, size = ((x0 + x1) / 2, (y0 + y1) / 2 + 0.05 * (y1 - y0)), (1.35 * (x1 - x0), 1.7 * (y1 - y0))
    mask = np.zeros((height, width), np.uint8)
    cv2.ellipse(mask, (centre, size, 0.0), 1, -1)
    return mask > 0


def polygon(crop: FaceCrop, indices: tuple[int, ...], grow_px: float = 0.0) -> np.ndarray:
    """bool [h, w], inside an outline of landmarks, grown or shrunk."""
    return inside(crop.points, indices, crop.region.shape, grow_px)


def inner_face(crop: FaceCrop) -> np.ndarray:
    """Where nearly everyone shows bare skin: the face oval away from its rim, eyes, brows and mouth; bool [h, w]."""
    inner = polygon(crop, FACE_OVAL, -0.15 * crop.unit)
    for outline, grow in (
        *((eye, 0.12 * crop.unit) for eye in (EYE_LEFT, EYE_RIGHT)),
        *((brow, 0.06 * crop.unit) for brow in (BROW_LEFT, BROW_RIGHT)),
        (LIPS_OUTER, 0.05 * crop.unit),
    ):
        inner &= ~polygon(crop, outline, grow)
    return inner


def plain_skin(crop: FaceCrop, inner: np.ndarray, settings: SkinMaskSettings) -> np.ndarray:
    """The part of the inner face that is coloured like the cheeks and the nose, which nothing covers; bool [h, w]."""
    along = along_face(crop)
    core = inner & (along > along_of(crop, NOSE_MIDDLE)) & (along < along_of(crop, NOSE_BASE))
    if core.sum() < 30:
        return inner
    centre = np.median(crop.residual[core], axis=0)
    sigma = 1.4826 * np.median(np.abs(crop.residual[core] - centre), axis=0)
    deviation = (crop.residual - centre) / np.maximum(sigma, np.array(settings.core_sigma, np.float32))
    return inner & (np.einsum("hwc,hwc->hw", deviation, deviation) < settings.unlikely)


def along_face(crop: FaceCrop) -> np.ndarray:
    """How far down the face each pixel lies: 0 at the top of the forehead, 1 at the chin; float64 [h, w]."""
    y, x = np.mgrid[0 : crop.region.shape[0], 0 : crop.region.shape[1]] + 0.5
    top, axis = crop.points[FOREHEAD_TOP], crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]
    return ((x - top[0]) * axis[0] + (y - top[1]) * axis[1]) / max(float(axis @ axis), 1e-6)


def along_of(crop: FaceCrop, landmark: int) -> float:
    top, axis = crop.points[FOREHEAD_TOP], crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]
    return float((crop.points[landmark] - top) @ axis) / max(float(axis @ axis), 1e-6)


def across_face(crop: FaceCrop) -> np.ndarray:
    """Distance of each pixel from the line through forehead and chin, signed, in pixels; float64 [h, w]."""
    y, x = np.mgrid[0 : crop.region.shape[0], 0 : crop.region.shape[1]] + 0.5
    top, axis = crop.points[FOREHEAD_TOP], crop.points[CHIN_TIP] - crop.points[FOREHEAD_TOP]
    return ((x - top[0]) * axis[1] - (y - top[1]) * axis[0]) / max(float(np.linalg.norm(axis)), 1e-6)
