"""Marks painted onto photographs as pigment on the skin, where the fitted head says that the skin is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import cv2
import numpy as np

from backend.head.head_fit import HeadFit
from backend.head.model import HeadModel
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.landmark_table import CHEEK_POINTS, CHIN_MIDDLE, EAR_FRONTS, MOUTH_CORNERS, NOSE_MIDDLE
from backend.rendering.rasteriser import Rasteriser
from backend.texture.uv_space import UVSpace

# Where on the mean face, seen from the front: x, y in mm from the face's middle line and the eyes' height.
Place = Callable[[np.ndarray, "FacePlaces"], np.ndarray]  # points [n, 2] -> share [n]


@dataclass(frozen=True)
class FacePlaces:
    """Points of the mean face, seen from the front, mm, float64 [2]."""

    right_cheek: np.ndarray
    left_cheek: np.ndarray
    forehead: np.ndarray
    beside_nose: np.ndarray
    jaw: np.ndarray
    other_jaw: np.ndarray
    chin: np.ndarray


@dataclass(frozen=True)
class PaintedMark:
    """A mark.

    Args:
        place: how far each point of the face belongs to it.
        albedo: linear RGB of what covers the skin, such as paint and ink; None where it is `density`.
        density: optical density that pigment adds to the skin, natural logarithm, by channel.
        wanted: share of it that the albedo should have: 0 for what light made.
    """

    place: Place
    albedo: tuple[float, float, float] | None = None
    density: tuple[float, float, float] | None = None
    wanted: float = 1.0


def disc(where: str, radius: tuple[float, float], edge: float = 0.4, shift: tuple[float, float] = (0, 0)) -> Place:
    """An ellipse of half axes `radius` mm whose border is `edge` mm wide."""

    def share(points: np.ndarray, places: FacePlaces) -> np.ndarray:
        away = np.linalg.norm((points - getattr(places, where) - shift) / radius, axis=-1)
        return np.clip((1 - away) * min(radius) / edge + 0.5, 0, 1)

    return share


def line(where: str, length: float, width: float, angle: float, edge: float = 0.4) -> Place:
    """A stroke of this length and width in mm, turned by so many degrees from level."""

    def share(points: np.ndarray, places: FacePlaces) -> np.ndarray:
        along = np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
        offset = points - getattr(places, where)
        position = np.clip(offset @ along, -length / 2, length / 2)
        away = np.linalg.norm(offset - position[..., None] * along, axis=-1)
        return np.clip((width / 2 - away) / edge + 0.5, 0, 1)

    return share


def several(*parts: Place) -> Place:
    """All of them."""
    return lambda points, places: np.max([part(points, places) for part in parts], axis=0)


def freckles(count: int) -> Place:
    """Discs of 0.7 to 1.3 mm over both cheeks, the same ones for everybody."""
    rng = np.random.default_rng(0)
    spots = [
        disc(side, (radius, radius), 0.4, (float(x), float(y)))
        for side in ("right_cheek", "left_cheek")
        for x, y, radius in zip(
            rng.normal(0, 9, count), rng.normal(0, 7, count), rng.uniform(0.7, 1.3, count), strict=True
        )
    ]
    return several(*spots)


MARKS = {
    "war paint, white": PaintedMark(
        several(line("right_cheek", 34, 9, 15), line("left_cheek", 34, 9, -15)), (0.8, 0.8, 0.78)
    ),
    "tattoo, red": PaintedMark(several(line("left_cheek", 26, 4, 60), disc("left_cheek", (6, 6))), (0.42, 0.06, 0.05)),
    "tattoo, black": PaintedMark(
        several(line("left_cheek", 26, 4, 60), line("left_cheek", 20, 4, -30)), (0.035, 0.035, 0.04)
    ),
    "tattoo, blue": PaintedMark(several(line("left_cheek", 26, 4, 60), disc("left_cheek", (6, 6))), (0.08, 0.13, 0.28)),
    "stain, sharp": PaintedMark(disc("left_cheek", (14, 18), 0.6), None, (0.12, 0.75, 0.65)),
    "stain, soft": PaintedMark(disc("left_cheek", (14, 18), 6.0), None, (0.12, 0.75, 0.65)),
    "freckles": PaintedMark(freckles(25), None, (0.3, 0.45, 0.6)),
    "scar, red": PaintedMark(line("left_cheek", 28, 1.6, 50), None, (0.05, 0.32, 0.28)),
    "scar, pale": PaintedMark(line("left_cheek", 28, 1.6, 50), None, (-0.22, -0.32, -0.38)),
    "vitiligo": PaintedMark(
        several(disc("left_cheek", (9, 12), 0.6), disc("forehead", (14, 9), 0.6)), (0.74, 0.58, 0.5)
    ),
    "birthmark, brown": PaintedMark(disc("left_cheek", (8, 11), 0.5), None, (0.35, 0.55, 0.75)),
    "birthmark, brown, by the jaw": PaintedMark(disc("jaw", (7, 9), 0.5), None, (0.35, 0.55, 0.75)),
    "birthmarks on both jaws": PaintedMark(
        several(disc("jaw", (7, 9), 0.5), disc("other_jaw", (6, 8), 0.5)), None, (0.35, 0.55, 0.75)
    ),
    "birthmark on the chin": PaintedMark(disc("chin", (7, 6), 0.5), None, (0.35, 0.55, 0.75)),
    "stain on the chin": PaintedMark(disc("chin", (12, 9), 0.6), None, (0.12, 0.75, 0.65)),
    "scar on the chin, pale": PaintedMark(line("chin", 18, 1.6, 20), None, (-0.22, -0.32, -0.38)),
    "scar on the forehead, pale": PaintedMark(line("forehead", 26, 1.4, 70), None, (-0.22, -0.32, -0.38)),
    "shadow of the nose, sharp": PaintedMark(
        disc("beside_nose", (8, 14), 1.0), None, (0.55, 0.6, 0.65), wanted=0.0
    ),
}  # fmt: skip


def face_places(model: HeadModel) -> FacePlaces:
    """Where marks go, on the mean face."""
    points = 1000 * model.landmarks(model.mean)[:, :2].astype(np.float64)
    right, left = points[CHEEK_POINTS[0]], points[CHEEK_POINTS[1]]
    corner, ear = points[MOUTH_CORNERS[1]], points[EAR_FRONTS[1]]
    wing = points[NOSE_MIDDLE] + np.array([15.0, -14.0])
    jaw = corner + 0.3 * (ear - corner) + np.array([0.0, -12.0])
    return FacePlaces(right, left, points[151], wing, jaw, jaw * [-1, 1], points[CHIN_MIDDLE])


def optical_density(mark: PaintedMark, skin_albedo: np.ndarray) -> np.ndarray:
    """What a mark takes from the log colour of skin of this linear albedo [3], float64 [3]."""
    return np.array(mark.density) if mark.density else -np.log(np.array(mark.albedo) / skin_albedo)


def share_on_skin(mark: PaintedMark, model: HeadModel, space: UVSpace) -> np.ndarray:
    """How far each texel of the skin belongs to a mark, float32 [R, R]."""
    points = 1000 * space.positions(model.mean).astype(np.float64)
    share = np.zeros(space.mask.shape, np.float32)
    share[space.mask] = mark.place(points[space.mask][:, :2], face_places(model)) * (points[space.mask][:, 2] > 0)
    return share


def painted(
    mark: PaintedMark,
    image_srgb: np.ndarray,
    model: HeadModel,
    fit: HeadFit,
    skin_albedo: np.ndarray,
    rasteriser: Rasteriser,
) -> np.ndarray:
    """A photo uint8 [H, W, 3] with a mark on its skin.

    Args:
        mark: the mark.
        image_srgb: the photo.
        model: the head model.
        fit: of the photo.
        skin_albedo: linear RGB [3], of the person, what covers it is measured against.
        rasteriser: either engine.
    """
    skin, others = model.triangles("skin"), [n for n in model.part_names if n not in ("skin", "lashes")]
    triangles = np.concatenate([skin, model.triangles(*others)])
    seen = rasteriser.rasterise(fit.vertices(model), triangles, fit.camera)
    on_skin = seen.mask & (seen.triangle < len(skin))
    corners = 1000 * model.mean[triangles[seen.triangle[on_skin]]].astype(np.float64)
    points = np.einsum("nk,nkd->nd", seen.barycentric[on_skin], corners)
    share = np.zeros(on_skin.shape, np.float32)
    share[on_skin] = mark.place(points[:, :2], face_places(model)) * (points[:, 2] > 0)
    density = optical_density(mark, skin_albedo)
    linear = srgb_to_linear(image_srgb / 255) * np.exp(-cv2.GaussianBlur(share, (0, 0), 0.6)[..., None] * density)
    return np.round(255 * linear_to_srgb(np.clip(linear, 0, 1))).astype(np.uint8)
