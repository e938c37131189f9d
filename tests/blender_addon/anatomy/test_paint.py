"""Painted eyes, lashes, teeth, and the PNG files they are stored in."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from blender_addon.anatomy import paint
from blender_addon.anatomy.geometry import EYE_UV_MAX_ANGLE
from blender_addon.anatomy.png import encode_png

IRIS_ANGLE = 0.4
# Linear luminance 0.55, as upper front teeth have it.
SHADE = np.array([0.82, 0.76, 0.64])


def ring(image: np.ndarray, low: float, high: float) -> np.ndarray:
    """Pixels of an eye texture whose distance from the pupil is within [low, high] iris radii."""
    size = len(image)
    axis = (np.arange(size) + 0.5) / size * 2 - 1
    rho = np.hypot(*np.meshgrid(axis, axis)) * EYE_UV_MAX_ANGLE / IRIS_ANGLE
    return image[(rho >= low) & (rho <= high)]


def test_eye_has_black_pupil_coloured_iris_and_pale_sclera() -> None:
    eye = paint.paint_eye(np.array([0.25, 0.42, 0.60]), IRIS_ANGLE, size=256)
    assert ring(eye, 0, 0.25).max() < 0.12
    iris = ring(eye, 0.5, 0.8).mean(0)
    assert iris[2] > iris[1] > iris[0], "the blue eye of the photo stays blue"
    sclera = ring(eye, 1.3, 1.6).mean(0)
    assert sclera.min() > 0.5
    assert sclera[0] > sclera[2], "warm, not blue"


def test_iris_is_darkest_at_the_limbus() -> None:
    eye = paint.paint_eye(np.array([0.5, 0.4, 0.3]), IRIS_ANGLE, size=256)
    assert ring(eye, 0.94, 1.0).mean() < 0.85 * ring(eye, 0.6, 0.8).mean()


def test_same_seed_paints_the_same_eye_and_another_seed_another() -> None:
    first, again, other = (paint.paint_eye(np.full(3, 0.4), IRIS_ANGLE, 64, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(first - other).max() > 0.02


def test_cornea_bulges_and_iris_is_a_bowl() -> None:
    cornea = paint.paint_cornea_normal(IRIS_ANGLE, 128) * 2 - 1
    bowl = paint.paint_iris_normal(IRIS_ANGLE, 128) * 2 - 1
    np.testing.assert_allclose(np.linalg.norm(cornea, axis=-1), 1, atol=1e-6)
    right = 64 + int(0.8 * IRIS_ANGLE / EYE_UV_MAX_ANGLE * 64)
    assert cornea[64, right, 0] > 0.1, "leans outwards, right of the pupil"
    assert bowl[64, right, 0] < -0.1, "leans inwards"
    assert cornea[64, 126, 2] == pytest.approx(1.0, abs=1e-6)


def test_lashes_taper_from_the_lid() -> None:
    alpha = paint.paint_lashes(256)[..., 0]
    upper = alpha[: len(alpha) // 2]
    assert upper[-3:].mean() > 2 * upper[: len(upper) // 4].mean()
    assert upper[-3:].mean() > 0.2


def test_teeth_have_gums_at_the_roots_and_gaps_between_them() -> None:
    teeth = paint.paint_teeth(SHADE, 256)
    upper = teeth[: len(teeth) // 2]
    gum, crown = upper[-3], upper[len(upper) // 2]
    assert (gum[:, 0] > 1.5 * gum[:, 1]).all()
    assert crown.mean() > 0.55
    assert crown.min() < 0.75 * crown.max()


@pytest.mark.parametrize(("bits", "channels"), [(8, 1), (8, 3), (8, 4), (16, 1)])
def test_png_is_read_back_by_another_reader(bits: int, channels: int) -> None:
    values = np.random.default_rng(0).random((5, 7, channels))
    read = np.asarray(Image.open(io.BytesIO(encode_png(values, bits)))).astype(float)
    read = read.reshape(5, 7, channels) / (2**bits - 1)
    np.testing.assert_allclose(read, values, atol=0.51 / (2**bits - 1))


def test_srgb_curves_are_each_others_inverse() -> None:
    values = np.linspace(0, 1, 101)
    np.testing.assert_allclose(paint.linear_from_srgb(paint.srgb_from_linear(values)), values, atol=1e-6)


def test_dark_brown_irises_lose_their_purple_and_blue_ones_stay() -> None:
    brown = paint.natural_iris(np.array([0.025, 0.010, 0.011]))
    assert brown[2] < 0.6 * brown[1]
    np.testing.assert_allclose(brown[:2], [0.025, 0.010], rtol=1e-6)
    for colour in ([0.10, 0.15, 0.22], [0.12, 0.12, 0.13], [0.10, 0.14, 0.08]):
        np.testing.assert_allclose(paint.natural_iris(np.array(colour)), colour, rtol=1e-6)


def test_lid_line_is_dark_at_the_roots_and_fades_towards_tips_and_corners() -> None:
    upper = paint.paint_lashes()[:256, :, 0][::-1]
    roots = upper[1]
    assert roots[200:800].min() > 0.6
    assert min(roots[:20].min(), roots[-20:].min()) < 0.3
    assert upper[80, 200:800].min() == 0


def test_side_teeth_lie_in_shade() -> None:
    teeth = paint.linear_from_srgb(paint.paint_teeth(SHADE, size=512))
    upper = teeth[:128].mean(axis=-1)[40:80]
    assert upper[:, :60].mean() < 0.6 * upper[:, 226:286].mean()


def test_front_teeth_have_the_shade_and_canines_are_darker_and_yellower() -> None:
    upper = paint.linear_from_srgb(paint.paint_teeth(SHADE, size=1024))[:256]
    crowns = upper[110:150]
    front = np.median(crowns[:, 485:540].reshape(-1, 3), axis=0)
    np.testing.assert_allclose(front, paint.linear_from_srgb(SHADE), rtol=0.1)
    edges = paint.crown_edges(paint.UPPER_WIDTHS_MM) * 1024
    canine = np.median(crowns[:, int(edges[10]) + 20 : int(edges[11]) - 20].reshape(-1, 3), axis=0)
    assert canine.max() < 0.95 * front.max()
    assert canine[2] / canine[1] < 0.95 * front[2] / front[1]


def test_light_that_flesh_throws_back_makes_teeth_at_the_back_redder() -> None:
    light = paint._arch_light(np.array([0.5, 0.98]))
    np.testing.assert_allclose(light[0], 1.0)
    assert light[1, 0] > 1.1 * light[1, 1]
    assert light[1].max() < 0.8


@pytest.mark.parametrize("pupil", [0.25, 0.5])
def test_pupil_is_as_wide_as_asked(pupil: float) -> None:
    eye = paint.paint_eye(np.array([0.25, 0.42, 0.60]), IRIS_ANGLE, size=512, pupil=pupil)
    # Along the way from the pupil's middle to the right, in radii of the iris.
    row = eye[256, 256:].max(axis=-1)
    share = (np.argmax(row > 0.15) + 0.5) / 256 * paint.EYE_UV_MAX_ANGLE / IRIS_ANGLE
    assert share == pytest.approx(pupil, abs=0.04)
