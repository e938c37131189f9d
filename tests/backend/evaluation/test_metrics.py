"""The tables' measures against their definitions."""

from __future__ import annotations

import numpy as np
import pytest
from skimage.metrics import structural_similarity

from backend.evaluation.metrics import colour_difference, lab, psnr, rmse, ssim, typology_angle

SIDE = 48


@pytest.fixture
def pair() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    image = rng.random((SIDE, SIDE, 3)).astype(np.float32)
    return image, np.clip(image + 0.1 * rng.normal(size=image.shape), 0, 1).astype(np.float32)


def test_psnr_of_a_known_error() -> None:
    reference = np.full((SIDE, SIDE, 3), 0.5)
    assert psnr(reference + 0.1, reference, np.ones((SIDE, SIDE), bool)) == pytest.approx(20.0)


def test_psnr_counts_masked_pixels_only() -> None:
    reference = np.full((SIDE, SIDE), 0.5)
    image = reference.copy()
    image[:10] = 0
    mask = np.zeros((SIDE, SIDE), bool)
    mask[20:] = True
    assert psnr(image, reference, mask) == 99.0
    assert np.isnan(psnr(image, reference, mask & False))


def test_ssim_is_that_of_the_reference_implementation(pair: tuple[np.ndarray, np.ndarray]) -> None:
    image, reference = pair
    # scikit-image's types do not follow `full`.
    expected, full = structural_similarity(  # pyright: ignore[reportAssignmentType]
        image, reference, channel_axis=2, data_range=1, gaussian_weights=True, use_sample_covariance=False, full=True
    )
    inner = np.zeros((SIDE, SIDE), bool)
    inner[8:-8, 8:-8] = True
    assert ssim(image, reference, inner) == pytest.approx(float(full[inner].mean()), abs=1e-3)
    assert ssim(reference, reference, inner) == pytest.approx(1.0)
    assert expected < 1


def test_ssim_does_not_look_at_what_is_not_known(pair: tuple[np.ndarray, np.ndarray]) -> None:
    image, reference = pair
    known = np.zeros((SIDE, SIDE), bool)
    known[:, :24] = True
    other = image.copy()
    other[:, 24:] = 0
    assert ssim(other, reference, known, known) == pytest.approx(ssim(image, reference, known, known), abs=1e-5)
    assert ssim(other, reference, known) != pytest.approx(ssim(image, reference, known), abs=1e-3)


def test_lab_of_white_and_of_a_known_red() -> None:
    np.testing.assert_allclose(lab(np.ones(3)), [100, 0, 0], atol=0.02)
    np.testing.assert_allclose(lab(np.array([1.0, 0, 0])), [53.24, 80.09, 67.2], atol=0.1)


def test_typology_angle_falls_from_fair_to_dark_skin() -> None:
    fair, medium, dark = (np.array(c) / 255 for c in ((236, 206, 184), (190, 140, 110), (80, 52, 40)))
    assert typology_angle(fair) > 45 > typology_angle(medium) > 0 > -30 > typology_angle(dark)


def test_differences_of_equal_images_are_zero(pair: tuple[np.ndarray, np.ndarray]) -> None:
    mask = np.ones((SIDE, SIDE), bool)
    assert colour_difference(pair[0], pair[0], mask) == 0
    assert rmse(pair[0], pair[0], mask) == 0
    assert rmse(pair[0] + 0.2, pair[0], mask) == pytest.approx(0.2, abs=1e-6)
