"""How large the irises are, and how wide the pupils, from the photo."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from backend.imaging.colour import LUMINANCE
from backend.photo.landmark_table import EYE_LEFT, EYE_RIGHT, IRIS_LEFT, IRIS_RIGHT
from backend.photo.parameters import EyeSizeSettings
from backend.photo.reading import Photo


@dataclass(frozen=True)
class EyeSizes:
    """Both eyes of a person have irises of one size, and mostly pupils of one width.

    Args:
        iris_radius_m: of the visible iris, metres in head space.
        pupil_share: the pupil's radius over the iris's.
    """

    iris_radius_m: float
    pupil_share: float


@dataclass(frozen=True)
class _Circle:
    """What was found of one eye: where the iris's middle is (pixels), its radius (pixels), the pupil's share of it or
    None."""

    centre: np.ndarray
    radius: float
    pupil_share: float | None


def eye_sizes(
    photo: Photo,
    landmarks_px: np.ndarray,
    px_per_m: np.ndarray,
    settings: EyeSizeSettings = EyeSizeSettings(),
) -> EyeSizes:
    """The iris's radius and the pupil's share of it, as likely in people as what the photo shows.

    The limbus is the circle across which luminance rises most (Daugman, "How iris recognition works", 2004), where lids
    leave its sides free; the pupil's border the same within it, by medians around it, which catch-lights do not move.
    Both are weighed against what people have, by how sure a photo's eyes are. Where nothing is seen, people's mean.

    Args:
        landmarks_px: float64 [478, 2].
        px_per_m: float [2], pixels a metre at the front of the left and the right eye.
        settings: the chosen numbers.
    """
    found = [
        (circle, scale)
        for (iris, lids), scale in zip(((IRIS_LEFT, EYE_LEFT), (IRIS_RIGHT, EYE_RIGHT)), px_per_m, strict=True)
        if (circle := _measure(photo, landmarks_px[list(iris)], landmarks_px[list(lids)], settings)) is not None
    ]
    radii = [circle.radius / scale for circle, scale in found]
    pupils = [circle.pupil_share for circle, _ in found if circle.pupil_share is not None]
    return EyeSizes(
        _weighed(radii, settings.iris_radius_m, settings.iris_noise_m, settings.unusual),
        _weighed(pupils, settings.pupil_share, settings.pupil_noise, settings.unusual),
    )


def _weighed(values: list[float], usual: tuple[float, float], noise: float, unusual: float) -> float:
    """The mean of a Gaussian of mean and deviation `usual` after values of a deviation `noise` were seen; those further
    off than people are were not of an eye."""
    mean, spread = usual
    believable = [value for value in values if abs(value - mean) < unusual * spread]
    precision = len(believable) / noise**2
    return float((mean / spread**2 + sum(believable) / noise**2) / (1 / spread**2 + precision))


def _measure(photo: Photo, iris: np.ndarray, lids: np.ndarray, settings: EyeSizeSettings) -> _Circle | None:
    """Limbus and pupil of an eye from the landmarks of its iris [5, 2] and lids [16, 2], or None where too little of
    it is seen."""
    guess = float(np.median(np.linalg.norm(iris[1:] - iris[0], axis=1)))
    if guess < settings.smallest_px:
        return None
    reach = int(np.ceil(1.8 * guess)) + 2
    low = np.floor(iris[0]).astype(int) - reach
    high = low + 2 * reach + 1
    if (low < 0).any() or high[0] > photo.width or high[1] > photo.height:
        return None
    # Of encoded values: what is dark counts as much as what is bright.
    luminance = (photo.image_srgb[low[1] : high[1], low[0] : high[0]] / 255.0) @ LUMINANCE
    luminance = cv2.GaussianBlur(luminance.astype(np.float32), (0, 0), max(0.7, settings.blur * guess))
    opening = np.zeros(luminance.shape, np.uint8)
    outline = cv2.convexHull((lids - low).astype(np.float32))
    cv2.fillConvexPoly(opening, np.round(outline * 16 - 8).astype(np.int32), 255, shift=4)
    margin = max(1, round(settings.lid_margin * guess))
    opening = cv2.erode(opening, np.ones((2 * margin + 1, 1), np.uint8))

    limbus = _limbus(luminance, opening, iris[0] - low - 0.5, guess, settings)
    if limbus is None:
        return None
    centre, radius = limbus
    return _Circle(centre + low + 0.5, radius, _pupil(luminance, opening, centre, radius, settings))


def _limbus(
    luminance: np.ndarray, opening: np.ndarray, start: np.ndarray, guess: float, settings: EyeSizeSettings
) -> tuple[np.ndarray, float] | None:
    """Middle [2] and radius of the circle whose sides the luminance rises across most."""
    around = np.radians(np.linspace(-settings.sides_degrees, settings.sides_degrees, 21))
    angles = np.concatenate([around, np.pi - around])
    radii = guess * np.linspace(settings.search[0], settings.search[1], 61)
    shifts = guess * settings.shift * np.linspace(-1, 1, 7)
    best: tuple[float, np.ndarray, float] | None = None
    for across in shifts:
        for down in settings.shift_down / settings.shift * shifts:
            centre = start + np.array([across, down])
            values, seen = _polar(luminance, opening, centre, radii, angles)
            rise = np.gradient(values, axis=1)
            # A step needs both of its sides; the two sides of the iris count the same.
            whole = seen[:, 1:-1] & seen[:, :-2] & seen[:, 2:]
            score = np.full(len(radii), -np.inf)
            sides = []
            for half in (slice(0, len(around)), slice(len(around), None)):
                count = whole[half].sum(axis=0)
                total = (rise[half, 1:-1] * whole[half]).sum(axis=0)
                sides.append(np.where(count >= 0.4 * len(around), total / np.maximum(count, 1), -np.inf))
            score[1:-1] = np.minimum(*sides)
            index = int(np.argmax(score))
            if np.isfinite(score[index]) and (best is None or score[index] > best[0]):
                best = float(score[index]), centre, float(radii[index])
    # At the end of the search there is no step, only a slope.
    if best is None or best[0] * len(radii) < settings.least_step or not radii[2] < best[2] < radii[-3]:
        return None
    return best[1], best[2]


def _pupil(
    luminance: np.ndarray, opening: np.ndarray, centre: np.ndarray, radius: float, settings: EyeSizeSettings
) -> float | None:
    """The pupil's radius over the iris's; None where it is not told from a dark iris."""
    shares = np.linspace(0.05, 0.85, 65)
    angles = np.linspace(0, 2 * np.pi, 72, endpoint=False)
    values, seen = _polar(luminance, opening, centre, radius * shares, angles)
    enough = seen.sum(axis=0) >= settings.least_seen * len(angles)
    if not enough.any() or radius * settings.pupil_share[0] < settings.smallest_pupil_px:
        return None
    columns = zip(values.T, seen.T, strict=True)
    profile = np.array([np.median(column[ok]) if ok.any() else np.nan for column, ok in columns])
    rise = np.gradient(profile)
    allowed = enough & (shares > settings.pupil_between[0]) & (shares < settings.pupil_between[1])
    if not allowed.any():
        return None
    index = int(np.argmax(np.where(allowed, rise, -np.inf)))
    inner = np.nanmedian(profile[shares < 0.75 * shares[index]])
    ring = (shares > 1.2 * shares[index]) & (shares < 0.8)
    outer = np.nanmedian(profile[ring]) if ring.any() else np.nan
    if not np.isfinite(outer) or outer - inner < max(
        settings.least_pupil_step * float(outer), settings.least_pupil_depth
    ):
        return None
    return float(shares[index])


def _polar(
    luminance: np.ndarray, opening: np.ndarray, centre: np.ndarray, radii: np.ndarray, angles: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Luminance along rays [angles, radii], and whether it is seen there, bool."""
    x = (centre[0] + np.cos(angles)[:, None] * radii).astype(np.float32)
    y = (centre[1] + np.sin(angles)[:, None] * radii).astype(np.float32)
    values = cv2.remap(luminance, x, y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    seen = cv2.remap(opening, x, y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_CONSTANT) > 0
    return values, seen
