"""A picture that was a strongly compressed JPEG once is known by its blocks, whatever file it is in now."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from backend.photo.denoising import denoised
from backend.photo.found_steps import found_steps

LUMA = np.array([0.299, 0.587, 0.114], np.float32)


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    data = pytest.importorskip("skimage.data")
    return Image.fromarray(data.astronaut())


def saved(image: Image.Image, quality: int) -> Image.Image:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=quality)
    return Image.open(file)


def luminance(image: Image.Image) -> np.ndarray:
    return np.asarray(image.convert("RGB"), np.float32) @ LUMA


@pytest.mark.parametrize("quality", [25, 40, 60])
def test_the_steps_are_found_wherever_the_picture_is_cut(portrait: Image.Image, quality: int) -> None:
    once = saved(portrait, quality)
    true = np.array(once.quantization[0]).reshape(8, 8)  # type: ignore[attr-defined]
    found = found_steps(luminance(once.convert("RGB").crop((37, 21, 421, 405))))
    assert found is not None
    assert np.median(found.luminance / true) == pytest.approx(1, abs=0.1)


def test_a_file_saved_anew_still_shows_them(portrait: Image.Image) -> None:
    again = saved(saved(portrait, 25).convert("RGB").crop((5, 3, 389, 387)), 95)
    found = found_steps(luminance(again))
    assert found is not None
    assert found.luminance[0, 1] == pytest.approx(22, abs=3)


def test_untouched_and_resized_pictures_show_none(portrait: Image.Image) -> None:
    assert found_steps(luminance(portrait)) is None
    assert found_steps(luminance(saved(portrait, 25).convert("RGB").resize((400, 400)))) is None
    noise = np.random.default_rng(0).normal(128, 20, (384, 384)).astype(np.float32)
    assert found_steps(noise) is None


def test_blocks_are_taken_out_of_a_png_as_out_of_the_jpeg(portrait: Image.Image) -> None:
    face = (170, 60, 298, 220)
    rough = np.asarray(saved(portrait, 20).convert("RGB").crop(face), np.float32)
    plain = np.asarray(portrait.crop(face), np.float32)
    clean = denoised(rough, np.ones(rough.shape[:2], np.float32), None, 1.0)
    assert clean.sharpness < 0.6

    def borders(levels: np.ndarray) -> float:
        steps = np.abs(np.diff(levels @ LUMA, axis=1)).mean(axis=0)
        phase = (np.arange(len(steps)) + face[0]) % 8
        return float(steps[phase == 7].mean() / steps[phase != 7].mean())

    assert borders(rough) > 1.3 * borders(plain)
    assert abs(borders(clean.levels) - 1) < 0.5 * abs(borders(rough) - 1)
