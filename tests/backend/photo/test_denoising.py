"""Noise of camera and file is told from skin and taken out; a clean photo stays as it is."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from backend.photo.denoising import denoised, sensor_noise
from backend.photo.face_detector import Face
from backend.photo.files.jpeg_steps import JpegSteps, jpeg_steps
from backend.photo.landmark_table import FACE_OVAL
from backend.photo.reading import read_photo


def reduced_face(portrait: np.ndarray, face: Face, height: int) -> tuple[np.ndarray, np.ndarray]:
    """The portrait with a face of so many pixels, uint8, and where the face is, float32."""
    scale = height / face.size_px
    image = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    skin = np.zeros(image.shape[:2], np.float32)
    outline = np.round(face.landmarks_px[list(FACE_OVAL)] * scale).astype(np.int32)
    cv2.fillConvexPoly(skin, np.asarray(cv2.convexHull(outline)), 1.0)
    return image, skin


def noisy(image: np.ndarray, deviation: float) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0, deviation, image.shape)
    return np.clip(np.round(image + noise), 0, 255).astype(np.uint8)


def jpeg(image: np.ndarray, quality: int) -> tuple[np.ndarray, JpegSteps | None]:
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "JPEG", quality=quality)
    with Image.open(stream) as stored:
        return np.asarray(stored.convert("RGB")), jpeg_steps(stored)


def error(image: np.ndarray, truth: np.ndarray, skin: np.ndarray) -> float:
    """Root mean square over the skin, levels."""
    return float(np.sqrt(np.square(image.astype(float) - truth)[skin > 0].mean()))


def edges(image: np.ndarray, skin: np.ndarray) -> float:
    """How much larger steps are between blocks of 8 pixels than inside of them."""
    step = np.abs(np.diff(image.astype(float) @ (0.299, 0.587, 0.114), axis=1)) * skin[:, 1:]
    between = np.arange(step.shape[1]) % 8 == 7
    return float(step[:, between].mean() / step[:, ~between].mean())


@pytest.mark.parametrize("height", [100, 150, 250])
def test_clean_face_stays_as_it_is(portrait: np.ndarray, face: Face, height: int) -> None:
    image, skin = reduced_face(portrait, face, height)
    levels = image.astype(np.float32)
    found = denoised(levels, skin, None, height / 190)
    assert found.levels is levels
    assert found.sharpness == 1.0
    stored, steps = jpeg(image, 98)
    assert error(denoised(stored.astype(np.float32), skin, steps, height / 190).levels, stored, skin) < 0.5


@pytest.mark.parametrize("deviation", [6.0, 10.0])
def test_noise_of_a_camera_is_measured_and_taken_out(portrait: np.ndarray, face: Face, deviation: float) -> None:
    image, skin = reduced_face(portrait, face, 150)
    seen = noisy(image, deviation)
    luminance = seen.astype(np.float32) @ np.array([0.299, 0.587, 0.114], np.float32)
    true = deviation * np.sqrt(0.299**2 + 0.587**2 + 0.114**2)
    assert np.sqrt(sensor_noise(luminance, skin, 0.8)) == pytest.approx(true, rel=0.25)
    found = denoised(seen.astype(np.float32), skin, None, 0.8)
    assert error(found.levels, image, skin) < 0.65 * error(seen, image, skin)
    assert 0.2 < found.sharpness < 0.9


def test_blocks_and_ringing_of_a_small_file_are_taken_out(portrait: np.ndarray, face: Face) -> None:
    image, skin = reduced_face(portrait, face, 150)
    stored, steps = jpeg(image, 30)
    added = edges(stored, skin) - edges(image, skin)
    assert added > 0.3
    found = denoised(stored.astype(np.float32), skin, steps, 0.8)
    assert edges(found.levels, skin) - edges(image, skin) < 0.4 * added
    assert error(found.levels, image, skin) < error(stored, image, skin)
    assert found.sharpness < 0.6


def test_steps_are_those_of_the_file_and_turn_with_it() -> None:
    image = np.random.default_rng(0).integers(0, 255, (96, 160, 3)).astype(np.uint8)
    steps = jpeg(image, 50)[1]
    assert steps is not None
    # The tables of ITU-T T.81, annex K, are those of the quality 50.
    assert steps.luminance[0].tolist() == [16, 11, 10, 16, 24, 40, 51, 61]
    assert steps.luminance[:3, 0].tolist() == [16, 12, 14]
    assert steps.colour[0, :3].tolist() == [17, 18, 24]
    assert steps.halved
    assert steps.turned().luminance[:3, 0].tolist() == [16, 11, 10]
    stream = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(image).save(stream, "JPEG", quality=50, exif=exif)
    read = read_photo(stream.getvalue()).jpeg_steps
    assert read is not None
    assert read.luminance[:3, 0].tolist() == [16, 11, 10]
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, "PNG")
    assert read_photo(stream.getvalue()).jpeg_steps is None


def test_pores_of_a_large_photo_are_no_noise_but_even_grain_is() -> None:
    """Grain as flat as noise, on some of the skin or on all of it alike."""
    random = np.random.default_rng(0)
    grain = random.normal(0, 5, (400, 400)).astype(np.float32)
    shade = np.linspace(120, 180, 400, dtype=np.float32)[:, None] + np.zeros((400, 400), np.float32)
    where = cv2.GaussianBlur(random.random((400, 400)), (0, 0), 25)
    where = ((where - where.min()) / np.ptp(where)).astype(np.float32)
    skin = np.ones((400, 400), np.float32)
    assert sensor_noise(shade + where**2 * grain, skin, 2.0) == 0
    assert sensor_noise(shade + where**2 * grain, skin, 0.8) > 0
    assert sensor_noise(shade + grain, skin, 2.0) == pytest.approx(25, rel=0.25)
