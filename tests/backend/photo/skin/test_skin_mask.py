"""Skin is told from hair, eyes, teeth, frames and clothes by one person's own colours.

The picture is NASA's public-domain portrait of Eileen Collins, which comes with scikit-image.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.photo.face_detector import Face
from backend.photo.landmark_table import BROW_LEFT, BROW_RIGHT, EYE_LEFT, EYE_RIGHT, FACE_OVAL, LIPS_OUTER
from backend.photo.reading import Photo
from backend.photo.skin.colour_model import fit_colour_model
from backend.photo.skin.skin_mask import skin_mask

CHEEKS, NOSE_TIP, UPPER_LIP = (50, 280, 205, 425), 4, 37


def at(mask: np.ndarray, point: np.ndarray) -> float:
    return float(mask[int(point[1]), int(point[0])])


def inside(face: Face, outline: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(face.landmarks_px[list(outline)]).astype(np.int32)], 1)
    return mask > 0


def test_cheeks_nose_and_lips_are_skin_and_the_rest_is_not(portrait: np.ndarray, face: Face) -> None:
    mask = skin_mask(Photo(portrait), face)
    assert mask.dtype == np.float32
    assert mask.shape == portrait.shape[:2]
    assert mask.min() >= 0
    assert mask.max() <= 1
    points = face.landmarks_px
    assert all(at(mask, points[i]) > 0.95 for i in (*CHEEKS, NOSE_TIP, UPPER_LIP))
    for eye in (EYE_LEFT, EYE_RIGHT):
        assert mask[inside(face, eye, mask.shape)].mean() < 0.1
    assert at(mask, (points[13] + points[14]) / 2) < 0.1  # teeth
    assert mask[80:140, 380:520].mean() < 0.02  # hair above the forehead
    assert mask[450:700, 300:600].mean() < 0.02  # the suit
    assert mask[:, 700:].max() == 0  # what is behind her


def test_the_border_is_soft(portrait: np.ndarray, face: Face) -> None:
    mask = skin_mask(Photo(portrait), face)
    between = (mask > 0.1) & (mask < 0.9)
    assert 0.01 < between.sum() / (mask > 0.5).sum() < 0.4


def test_spectacle_frames_are_cut_out(portrait: np.ndarray, face: Face) -> None:
    unit, frames = face.interocular_px, np.zeros(portrait.shape[:2], np.uint8)
    for eye in (EYE_LEFT, EYE_RIGHT):
        centre = face.landmarks_px[list(eye)].mean(0)
        cv2.circle(frames, tuple(np.round(centre).astype(int).tolist()), round(0.36 * unit), 1, round(0.1 * unit))
    painted = portrait.copy()
    painted[frames > 0] = (25, 20, 20)
    on_face = (frames > 0) & (skin_mask(Photo(portrait), face) > 0.99)
    assert skin_mask(Photo(painted), face)[on_face].mean() < 0.3
    assert at(skin_mask(Photo(painted), face), face.landmarks_px[205]) > 0.95


def bearded(portrait: np.ndarray, face: Face, colour: tuple[float, float, float], grain: float) -> np.ndarray:
    """The portrait with a full beard of one sRGB colour and so much grain."""
    beard = inside(
        face, (234, 132, 58, 172, 150, 176, 152, 400, 379, 397, 288, 361, 454, 425, 164, 205), portrait.shape
    )
    # It hangs over the neck, so that skin does not enclose it.
    jaws, rows = face.landmarks_px[[172, 397], 0], np.arange(portrait.shape[0])[:, None]
    columns = np.arange(portrait.shape[1])
    beard |= (rows > face.landmarks_px[17, 1]) & (columns > jaws.min()) & (columns < jaws.max())
    beard &= ~inside(face, LIPS_OUTER, portrait.shape)
    painted = portrait.copy()
    strands = np.random.default_rng(0).normal(0, grain, (*portrait.shape[:2], 1))
    painted[beard] = np.clip(np.array(colour) + strands, 0, 255).astype(np.uint8)[beard]
    return painted


def chin_and_jaw(mask: np.ndarray, face: Face) -> tuple[float, float]:
    points = face.landmarks_px
    jaw = (points[164] + points[17]) / 2 + (0.5 * face.interocular_px, 0)
    return at(mask, (points[152] + points[17]) / 2), at(mask, jaw)


@pytest.mark.parametrize(
    ("colour", "grain"),
    [((38.0, 30.0, 26.0), 8.0), ((210.0, 210.0, 212.0), 30.0), ((62.0, 22.0, 16.0), 8.0)],
    ids=["dark", "grey", "reddish brown"],
)
def test_a_full_beard_counts_as_skin(
    portrait: np.ndarray, face: Face, colour: tuple[float, float, float], grain: float
) -> None:
    mask = skin_mask(Photo(bearded(portrait, face, colour, grain)), face)
    assert min(chin_and_jaw(mask, face)) > 0.9


def test_a_dim_photo_gives_about_the_same_mask(portrait: np.ndarray, face: Face) -> None:
    bright = skin_mask(Photo(portrait), face) > 0.5
    dim = skin_mask(Photo((portrait * 0.3).astype(np.uint8)), face) > 0.5
    assert (bright & dim).sum() / (bright | dim).sum() > 0.9


def test_the_fit_s_region_bounds_the_mask_and_its_shading_is_allowed_for(portrait: np.ndarray, face: Face) -> None:
    region = inside(face, FACE_OVAL, portrait.shape)
    # One side in a shadow that the fit knows of.
    shade = np.clip(1.0 - 0.8 * (np.arange(portrait.shape[1]) > face.landmarks_px[NOSE_TIP, 0] + 40), 0.2, 1)
    shade = cv2.GaussianBlur(np.tile(shade, (portrait.shape[0], 1)), (0, 0), 15)[..., None].astype(np.float32)
    photo = Photo(np.round(255 * (np.power(Photo(portrait).image_linear * shade, 1 / 2.2))).astype(np.uint8))
    mask = skin_mask(photo, face, region, np.array([0.5, 0.3, 0.2], np.float32) * shade)
    assert all(at(mask, face.landmarks_px[i]) > 0.95 for i in CHEEKS)
    far = cv2.dilate(region.astype(np.uint8), np.ones((41, 41), np.uint8)) == 0
    assert mask[far].max() == 0


def test_brows_are_skin_unless_a_fringe_covers_them(portrait: np.ndarray, face: Face) -> None:
    brows = inside(face, BROW_LEFT, portrait.shape) | inside(face, BROW_RIGHT, portrait.shape)
    covered = portrait.copy()
    forehead = np.zeros(portrait.shape[:2], bool)
    forehead[: int(face.landmarks_px[list(BROW_LEFT), 1].max()) + 6] = True
    covered[forehead] = (70, 45, 25)
    assert skin_mask(Photo(portrait), face)[brows].mean() > 0.8
    assert skin_mask(Photo(covered), face)[brows].mean() < 0.2


@pytest.mark.parametrize("scale", [0.12, 0.4])
def test_small_photos_and_cut_off_faces_have_a_mask(portrait: np.ndarray, face: Face, scale: float) -> None:
    x0, y1 = round(face.landmarks_px[NOSE_TIP, 0]), round(face.box[3])
    cut = cv2.resize(portrait[:y1, x0 - 30 :], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    points = (face.landmarks_px - (x0 - 30, 0)) * scale
    box = (float(points[:, 0].min()), float(points[:, 1].min()), float(points[:, 0].max()), float(points[:, 1].max()))
    mask = skin_mask(Photo(cut), replace(face, landmarks_px=points, box=box))
    assert at(mask, points[280]) > 0.9
    assert mask[:, -20:].max() == 0


def test_the_colour_model_ignores_a_tenth_of_outliers() -> None:
    random = np.random.default_rng(0)
    samples = random.normal(0, (0.2, 0.05, 0.05), (900, 3))
    outliers = random.normal((3.0, 1.0, -1.0), 0.05, (90, 3))
    model = fit_colour_model(np.concatenate([samples, outliers]))
    assert np.median(model.distance(samples)) < 4
    assert model.distance(outliers).min() > 20
    assert model.weights.sum() == pytest.approx(1)


def test_the_colour_model_of_hardly_any_samples_is_wide() -> None:
    model = fit_colour_model(np.array([[0.1, 0.2, 0.3]]))
    assert model.distance(np.array([0.2, 0.2, 0.3])) < 1
    assert fit_colour_model(np.zeros((0, 3))).distance(np.zeros(3)) == 0
