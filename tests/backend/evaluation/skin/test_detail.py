"""What the table `detail` measures."""

from __future__ import annotations

import cv2
import numpy as np

from backend.detail.regions import SKIN_PARTS
from backend.evaluation.skin.detail import BICUBIC, OURS, SMALL, gradient_psnr, lit, reduced_photo, slope, verdicts
from backend.evaluation.tables import Row
from backend.imaging.octaves import OCTAVES
from backend.photo.reading import Photo
from backend.texture.maps import SkinMaps

EVERYWHERE = (slice(None), slice(None))


def test_gradient_psnr_ignores_brightness_and_falls_with_blur() -> None:
    image = np.repeat(np.random.default_rng(0).uniform(0.3, 0.6, (64, 64, 1)), 3, axis=2).astype(np.float32)
    known = np.ones((64, 64), bool)
    assert gradient_psnr(image + 0.1, image, known) > 80
    little, much = (gradient_psnr(cv2.GaussianBlur(image, (0, 0), s), image, known) for s in (0.5, 2.0))
    assert little > much + 2
    known[:, 32:] = False
    changed = image.copy()
    changed[:, 40:] = 0
    assert gradient_psnr(changed, image, known) > 80


def test_the_slope_is_the_contrast_gained_per_octave() -> None:
    contrast = np.full((len(SKIN_PARTS), OCTAVES), np.nan)
    contrast[:3, 2:] = 0.01 * np.exp(0.4 * np.arange(OCTAVES - 2))
    contrast[4, 2] = 1.0  # a part that lacks octaves does not count
    np.testing.assert_allclose(slope(contrast), 0.4, atol=1e-6)


def test_a_reduced_photo_keeps_its_light() -> None:
    image = np.zeros((40, 60, 3), np.uint8)
    image[::2] = 255
    small = reduced_photo(Photo(image, None), 0.5)
    assert small.image_srgb.shape == (20, 30, 3)
    assert abs(int(small.image_srgb[10, 10, 0]) - 188) <= 1  # half of the light


def test_a_reduced_photo_has_exactly_its_scale() -> None:
    image = np.zeros((54, 54, 3), np.uint8)
    image[48:52, 48:52] = 255
    small = reduced_photo(Photo(image, None), 0.25)
    assert small.image_srgb.shape == (13, 13, 3)
    assert small.image_srgb[12, 12, 0] == 255
    assert small.image_srgb[11].max() == 0


def test_raking_light_shows_relief_that_light_from_the_front_hides() -> None:
    wave = 0.2 * np.sin(np.arange(64) / 2)[None].repeat(64, 0)
    normal = np.stack([wave, 0 * wave, np.ones_like(wave)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    grey = np.full((64, 64), 0.5, np.float32)
    colour = np.repeat(grey[..., None], 3, axis=2)
    maps = SkinMaps(colour, colour, grey, normal.astype(np.float32), grey)
    front, raking = (lit(maps, light, EVERYWHERE) for light in ("front", "raking"))
    assert raking.std() / raking.mean() > 2 * front.std() / front.mean()


def test_verdicts_say_what_was_missed() -> None:
    good = {"gradient PSNR": 40.0, "slope error": 0.1, "contrast error": 0.1, "relit contrast error": 0.1}
    bad = {"gradient PSNR": 39.0, "slope error": 0.2, "contrast error": 0.05, "relit contrast error": 0.2}
    flat = bad | {"relit contrast error": np.nan}
    rows = [Row(m, c, "a", f) for c in ("50 %", "25 %") for m, f in ((OURS, good), (BICUBIC, flat), (SMALL, bad))]
    rows += [Row(m, c, "b", good) for c in ("50 %", "25 %") for m in (OURS, SMALL)]
    rows += [Row(BICUBIC, c, "b", good | {"relit contrast error": np.nan}) for c in ("50 %", "25 %")]
    sentences = verdicts(rows)
    assert [s.split(":")[0] for s in sentences] == ["reached", "reached", "MISSED", "reached"] * 2
    assert sentences[0].endswith("better for 1 of 2 people")
