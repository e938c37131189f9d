"""What is a mark of the skin and what its light made, on skin painted in texture space."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.delight.closed_marks import closed_marks
from backend.delight.delighting import _for_light
from backend.delight.light_faults import light_faults
from backend.delight.mark_layer import mark_layer, shade_hue
from backend.delight.mark_parameters import ClosedSettings, MarkSettings
from backend.delight.parameters import DelightParameters
from backend.delight.robust import hair_in_beard
from backend.head.model import load_head_model
from backend.photo.white_cue import WhiteCue
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import uv_space

SIDE = 256
SKIN = np.array([0.45, 0.26, 0.18])
DARK = np.array([0.10, 0.055, 0.035])
STAIN = np.log([0.62, 0.30, 0.36])
INK = np.log([0.1, 0.18, 0.35])
PALE = np.log([2.8, 3.4, 3.8])


@pytest.fixture(scope="module")
def regions() -> FaceRegions:
    model = load_head_model()
    return face_regions(model, uv_space(model, SIDE))


@pytest.fixture(scope="module")
def seen(regions: FaceRegions) -> np.ndarray:
    return (regions.face > 0.5).astype(np.float32)


def spot(regions: FaceRegions, radius_mm: float, x: float = 0.35, y: float = 0.52, soft_mm: float = 0.4) -> np.ndarray:
    """A disc on the cheek, float32 [H, W]."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    cv2.circle(mask, (round(x * SIDE), round(y * SIDE)), round(radius_mm * regions.texels_per_mm), 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), soft_mm * regions.texels_per_mm)


def found(
    change: np.ndarray,
    mask: np.ndarray,
    seen: np.ndarray,
    regions: FaceRegions,
    skin: np.ndarray = SKIN,
    settings: MarkSettings = MarkSettings(),
) -> tuple[float, float]:
    """Share of a painted change [3] that is found in its middle, and mean size of what is found elsewhere."""
    shaded = np.broadcast_to(skin, (SIDE, SIDE, 3)).astype(np.float32)
    grain = np.random.default_rng(0).normal(0, 0.04, (SIDE, SIDE, 1))
    log_albedo = (mask[..., None] * change + grain).astype(np.float32)
    texture = shaded * np.exp(log_albedo) * seen[..., None]
    marks = mark_layer(log_albedo, texture, shaded, seen, regions, settings)
    middle = (mask > 0.95) & (seen > 0)
    assert middle.sum() > 10
    share = float(marks[middle].mean(0) @ change / (change @ change))
    return share, float(np.abs(marks[(mask < 0.01) & (seen > 0)]).mean())


def patches(difference: np.ndarray, seen: np.ndarray, regions: FaceRegions, skin: np.ndarray = SKIN) -> np.ndarray:
    """`closed_marks` on skin that is lit evenly."""
    skin_colour = np.broadcast_to(skin, difference.shape).astype(np.float32)
    return closed_marks(difference, skin_colour, seen, seen, regions)


@pytest.mark.parametrize("change", [STAIN, INK])
@pytest.mark.parametrize("skin", [SKIN, DARK])
def test_a_patch_of_a_hue_that_no_light_makes_is_a_mark(
    change: np.ndarray, skin: np.ndarray, seen: np.ndarray, regions: FaceRegions
) -> None:
    share, elsewhere = found(change, spot(regions, 9), seen, regions, skin)
    assert share == pytest.approx(1, abs=0.08)
    assert elsewhere < 0.01


def test_broad_pale_skin_on_dark_skin_is_a_mark(seen: np.ndarray, regions: FaceRegions) -> None:
    share, elsewhere = found(PALE, spot(regions, 11), seen, regions, DARK)
    assert share == pytest.approx(1, abs=0.1)
    assert elsewhere < 0.01


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (0.93, 1.0, 1.1)])
def test_a_shadow_is_no_mark_however_sharp(tint: tuple[float, ...], seen: np.ndarray, regions: FaceRegions) -> None:
    share, elsewhere = found(np.log(0.35 * np.array(tint)), spot(regions, 9), seen, regions)
    assert abs(share) < 0.02
    assert elsewhere < 0.01


def test_a_highlight_is_no_mark(seen: np.ndarray, regions: FaceRegions) -> None:
    share, _ = found(np.log((SKIN + 0.12) / SKIN), spot(regions, 5, soft_mm=1), seen, regions)
    assert abs(share) < 0.02


def test_a_strip_along_the_border_that_another_light_reaches_is_no_mark(seen: np.ndarray, regions: FaceRegions) -> None:
    golden = np.array([0.36, 0.56, 0.34])
    strip = seen - cv2.erode(seen, np.ones((23, 23), np.uint8))
    strip = cv2.GaussianBlur(strip, (0, 0), 0.4 * regions.texels_per_mm)
    strip[:, SIDE // 2 :] = 0
    assert found(golden, strip, seen, regions)[0] < 0.15
    assert found(golden, spot(regions, 14), seen, regions)[0] > 0.9


def test_shade_that_reddens_on_both_sides_is_the_tone_curves_and_on_one_side_pigment() -> None:
    random = np.random.default_rng(0)
    luminance = random.uniform(-1, 0.2, (SIDE, SIDE)).astype(np.float32)
    usual = luminance[..., None] * np.array(MarkSettings().shade_slope, np.float32) * -1
    steep = luminance[..., None] * np.array([-0.6, -0.3], np.float32)
    one_side = np.where(np.arange(SIDE)[:, None] < SIDE // 2, steep, usual)
    plain = np.ones((SIDE, SIDE), bool)
    assert not shade_hue(luminance, usual, plain, MarkSettings()).any()
    assert not shade_hue(luminance, one_side, plain, MarkSettings()).any()
    darker = np.minimum(luminance, 0)[..., None]
    beyond = darker * (np.array(MarkSettings().shade_slope) - (0.6, 0.3))
    np.testing.assert_allclose(shade_hue(luminance, steep, plain, MarkSettings()), beyond, atol=1e-5)


def test_least_keeps_all_that_differs(seen: np.ndarray, regions: FaceRegions) -> None:
    shaded = np.broadcast_to(SKIN, (SIDE, SIDE, 3)).astype(np.float32)
    shadow = (spot(regions, 9)[..., None] * np.log(0.35)).astype(np.float32) * np.ones(3, np.float32)
    marks = mark_layer(shadow, shaded * np.exp(shadow), shaded, seen, regions, least=1.0)
    assert np.abs(marks - shadow)[seen > 0].max() < 0.02


def test_usual_light_has_no_fault(seen: np.ndarray, regions: FaceRegions) -> None:
    faults = light_faults(np.broadcast_to(SKIN, (SIDE, SIDE, 3)).astype(np.float32), seen, regions)
    assert faults.warnings == ()
    assert faults.lit[seen > 0].min() > 0.99


def test_a_side_without_light_is_told_and_not_trusted(seen: np.ndarray, regions: FaceRegions) -> None:
    light = np.where(np.arange(SIDE) < SIDE / 2, 1.0, 0.002)[None, :, None]
    faults = light_faults((SKIN * light * np.ones((SIDE, 1, 1))).astype(np.float32), seen, regions)
    assert faults.unlit_side
    assert faults.lit[:, 150][seen[:, 150] > 0].max() < 0.01
    assert "no light" in faults.warnings[0]
    # What is lit there is brighter than the rest, and that makes no marks.
    marks = _for_light(DelightParameters(), faults, keep_marks=0.5).marks
    assert marks.pale_needs == np.inf
    assert marks.closed.kinds
    assert not any(kind.bright for kind in marks.closed.kinds)


def test_two_coloured_light_is_told(seen: np.ndarray, regions: FaceRegions) -> None:
    left, right = np.array([1.5, 0.4, 0.7]), np.array([0.2, 0.8, 1.5])
    share = 1 / (1 + np.exp(-np.linspace(-9, 9, SIDE)))[None, :, None]
    faults = light_faults(
        (SKIN * (left + share * (right - left)) * np.ones((SIDE, 1, 1))).astype(np.float32), seen, regions
    )
    assert faults.two_coloured > 0.9
    assert "coloured" in faults.warnings[0]


def test_a_face_of_which_half_is_painted_is_not_lit_from_two_sides(seen: np.ndarray, regions: FaceRegions) -> None:
    blue = np.where(np.arange(SIDE) < SIDE / 2, 1.0, 0.0)[None, :, None] * np.log([0.3, 0.8, 2.4])
    faults = light_faults((SKIN * np.exp(blue) * np.ones((SIDE, 1, 1))).astype(np.float32), seen, regions)
    assert faults.two_coloured == 0
    assert faults.warnings == ()


def test_a_green_face_among_white_things_is_painted_and_where_nothing_is_white_lit(
    seen: np.ndarray, regions: FaceRegions
) -> None:
    green = np.broadcast_to(np.array([0.1, 0.5, 0.1]), (SIDE, SIDE, 3)).astype(np.float32)
    painted = light_faults(green, seen, regions, WhiteCue(np.ones(3), 0.0, white_share=0.03))
    lit = light_faults(green, seen, regions, WhiteCue(np.ones(3), 0.0, white_share=0.0))
    assert painted.paint[0] < -1
    assert "painted" in painted.warnings[0]
    assert not lit.paint.any()
    assert "light is coloured" in lit.warnings[0]


def test_a_negative_is_told(seen: np.ndarray, regions: FaceRegions) -> None:
    positive = SKIN * np.exp(-1.2 * np.maximum(regions.brows, regions.lips))[..., None]
    encoded = np.clip(positive, 0, 1) ** (1 / 2.2)
    faults = light_faults(((1 - encoded) ** 2.2).astype(np.float32), seen, regions)
    assert faults.negative
    assert faults.warnings[0].startswith("This looks like a negative")


def test_a_negative_of_dark_skin_is_told_by_its_eyes(seen: np.ndarray, regions: FaceRegions) -> None:
    inverted = np.broadcast_to((1 - DARK ** (1 / 2.2)) ** 2.2, (SIDE, SIDE, 3)).astype(np.float32)
    eyes = WhiteCue(np.ones(3), 0.0, white_share=0.1, iris_lighter=0.9)
    assert light_faults(inverted, seen, regions, eyes).negative
    red_eye = WhiteCue(np.ones(3), 0.0, white_share=0.1, iris_lighter=0.35)
    assert not light_faults(inverted, seen, regions, red_eye).negative


def test_a_negative_without_colour_is_told_by_its_eyes(seen: np.ndarray, regions: FaceRegions) -> None:
    coloured_in = np.broadcast_to(SKIN, (SIDE, SIDE, 3)).astype(np.float32)
    for lighter, negative in ((0.9, True), (-2.0, False)):
        eyes = WhiteCue(np.ones(3), 0.0, iris_lighter=lighter).without_colour()
        assert light_faults(coloured_in, seen, regions, eyes).negative == negative
    in_colour = WhiteCue(np.ones(3), 0.0, iris_lighter=0.9)
    assert not light_faults(coloured_in, seen, regions, in_colour).negative


@pytest.mark.parametrize("skin", [SKIN, DARK])
def test_a_sharp_stroke_of_ink_is_a_mark(skin: np.ndarray, seen: np.ndarray, regions: FaceRegions) -> None:
    share, elsewhere = found(np.log([0.28, 0.35, 0.47]), spot(regions, 4, soft_mm=0.3), seen, regions, skin)
    assert share == pytest.approx(1, abs=0.15)
    assert elsewhere < 0.01


def test_a_sharp_bar_of_pale_paint_is_a_mark_and_a_soft_one_a_highlight(seen: np.ndarray, regions: FaceRegions) -> None:
    white = np.log([1.5, 2.3, 2.9])
    sharp, _ = found(white, spot(regions, 5, soft_mm=0.3), seen, regions, DARK)
    soft, _ = found(white, spot(regions, 7, soft_mm=2.5), seen, regions, DARK)
    assert sharp == pytest.approx(1, abs=0.15)
    assert abs(soft) < 0.05


def test_a_small_brown_spot_is_a_freckle() -> None:
    model = load_head_model()
    regions = face_regions(model, uv_space(model, 512))
    seen = (regions.face > 0.5).astype(np.float32)
    mask = np.zeros((512, 512), np.float32)
    cv2.circle(mask, (180, 266), round(1.4 * regions.texels_per_mm), 1.0, -1)
    change = np.log([0.6, 0.45, 0.36]).astype(np.float32)
    share = patches(mask[..., None] * change, seen, regions)
    assert share[mask > 0.5].mean() > 0.8


def test_warm_light_that_fades_in_from_a_side_is_no_mark(seen: np.ndarray, regions: FaceRegions) -> None:
    fade = 1 / (1 + np.exp(-np.linspace(-5, 5, SIDE)))[None, :] * np.ones((SIDE, 1))
    shaded = np.broadcast_to(SKIN, (SIDE, SIDE, 3)).astype(np.float32)
    light = (fade[..., None] * np.log([0.75, 0.5, 0.28])).astype(np.float32)
    marks = mark_layer(light, shaded * np.exp(light) * seen[..., None], shaded, seen, regions)
    assert float(np.abs(marks[seen > 0]).mean()) < 0.02


def test_pale_skin_of_skins_own_hue_is_a_mark_only_where_it_outshines_all_other(
    seen: np.ndarray, regions: FaceRegions
) -> None:
    lighter = np.log([3.4, 3.5, 3.55])
    by_area = MarkSettings(closed=ClosedSettings(kinds=()))
    share, elsewhere = found(lighter, spot(regions, 10), seen, regions, DARK, by_area)
    assert share == pytest.approx(1, abs=0.1)
    assert elsewhere < 0.01
    # What a shadow leaves lit is as bright as the other lit skin.
    beside = np.log(0.4) * (1 - spot(regions, 10)) * (np.arange(SIDE) < SIDE / 2)
    shaded = np.broadcast_to(DARK, (SIDE, SIDE, 3)).astype(np.float32)
    shadow = (beside[..., None] * np.ones(3)).astype(np.float32)
    marks = mark_layer(shadow, shaded * np.exp(shadow) * seen[..., None], shaded, seen, regions, by_area)
    assert float(np.abs(marks[seen > 0]).mean()) < 0.01


def test_a_brown_patch_is_a_mark_and_a_shadow_of_the_skins_own_hue_is_none(
    seen: np.ndarray, regions: FaceRegions
) -> None:
    brown, elsewhere = found(-np.array([0.3, 0.5, 0.7]), spot(regions, 8), seen, regions)
    shade, _ = found(-np.array([0.45, 0.5, 0.55]), spot(regions, 8), seen, regions)
    assert brown == pytest.approx(1, abs=0.15)
    assert elsewhere < 0.01
    assert abs(shade) < 0.05


@pytest.fixture(scope="module")
def fine() -> FaceRegions:
    model = load_head_model()
    return face_regions(model, uv_space(model, 512))


def by_the_jaw(fine: FaceRegions, radius_mm: float) -> np.ndarray:
    """A disc where beards grow, float32 [512, 512]."""
    away = cv2.distanceTransform((fine.lips < 0.1).astype(np.uint8), cv2.DIST_L2, 5) / fine.texels_per_mm
    place = (fine.beard > 0.98) & (fine.face > 0.98) & (np.arange(512) < 200) & (away > radius_mm + 4)
    depth = cv2.distanceTransform(place.astype(np.uint8), cv2.DIST_L2, 5)
    y, x = np.unravel_index(int(depth.argmax()), depth.shape)
    mask = np.zeros((512, 512), np.float32)
    cv2.circle(mask, (int(x), int(y)), round(radius_mm * fine.texels_per_mm), 1.0, -1)
    return cv2.GaussianBlur(mask, (0, 0), 0.3 * fine.texels_per_mm)


def grained(fine: FaceRegions, in_beard: float) -> np.ndarray:
    """Log colour of skin whose grain is so many times as strong where beards grow, float32 [512, 512, 3]."""
    grain = np.random.default_rng(0).normal(0, 0.02, (512, 512, 1)) * np.ones(3)
    return (grain * (1 + (in_beard - 1) * fine.beard[..., None])).astype(np.float32)


@pytest.mark.parametrize("change", [(-0.35, -0.55, -0.75), (-0.1, -0.7, -0.65)])
def test_a_brown_or_red_patch_by_a_bearded_jaw_is_a_mark_on_one_side_and_a_beard_on_both(
    change: tuple[float, ...], fine: FaceRegions
) -> None:
    seen = (fine.face > 0.5).astype(np.float32)
    patch = by_the_jaw(fine, 6)
    painted, hair = (patch[..., None] * np.array(change)).astype(np.float32), grained(fine, 2.5)
    alone = patches(painted + hair, seen, fine)
    assert alone[patch > 0.9].mean() > 0.9
    both = patches(painted + painted[:, ::-1] + hair, seen, fine)
    assert both[patch > 0.9].max() < 0.05
    half = seen * (np.arange(512) < 256)
    assert patches(painted + hair, half, fine)[patch > 0.9].max() < 0.05, "the other side may be bearded"


def test_where_no_hair_makes_skin_rough_patches_on_both_sides_of_the_jaw_are_marks(fine: FaceRegions) -> None:
    seen = (fine.face > 0.5).astype(np.float32)
    patch = by_the_jaw(fine, 6)
    painted = (patch[..., None] * np.array([-0.35, -0.55, -0.75])).astype(np.float32)
    both = patches(painted + painted[:, ::-1] + grained(fine, 1.0), seen, fine)
    assert both[patch > 0.9].mean() > 0.9


def test_roughness_where_beards_grow_tells_hair_and_darkness_does_not(fine: FaceRegions) -> None:
    seen = (fine.face > 0.5).astype(np.float32)
    for rough, hair in ((1.0, 0.0), (1.2, 0.0), (2.5, 1.0)):
        luminance = grained(fine, rough)[..., 0] - 0.6 * fine.beard
        assert hair_in_beard(luminance, seen, fine) == pytest.approx(hair, abs=0.05)


def pale_line(fine: FaceRegions, x: float, y: float, turned: float) -> np.ndarray:
    """A stroke of 26 by 2 mm whose middle is at x, y of the texture, float32 [512, 512]."""
    along = 13 * fine.texels_per_mm * np.array([np.cos(turned), np.sin(turned)])
    ends = [tuple(int(v) for v in np.round((512 * x, 512 * y) + sign * along)) for sign in (-1, 1)]
    mask = cv2.line(np.zeros((512, 512), np.float32), ends[0], ends[1], 1.0, round(2 * fine.texels_per_mm))
    return cv2.GaussianBlur(mask, (0, 0), 0.3 * fine.texels_per_mm)


def test_a_pale_line_is_a_scar_on_one_side_and_over_the_middle_and_a_fold_on_both(fine: FaceRegions) -> None:
    seen = (fine.face > 0.5).astype(np.float32)
    cheek, forehead = pale_line(fine, 0.36, 0.53, 1.0), pale_line(fine, 0.5, 0.28, 1.2)

    def share(lines: np.ndarray, of: np.ndarray) -> float:
        pale = (lines[..., None] * np.array([0.3, 0.42, 0.5])).astype(np.float32)
        return float(patches(pale + grained(fine, 1.0), seen, fine)[of > 0.8].mean())

    assert share(cheek, cheek) > 0.9
    assert share(forehead, forehead) > 0.9, "what crosses the middle is no mirror image of another"
    shifted = np.roll(cheek, round(1.5 * fine.texels_per_mm), axis=0)
    assert share(np.maximum(cheek, shifted[:, ::-1]), cheek) < 0.1


def test_dark_hair_of_no_hue_by_the_jaw_is_no_mark(fine: FaceRegions) -> None:
    seen = (fine.face > 0.5).astype(np.float32)
    hair = (by_the_jaw(fine, 6)[..., None] * np.array([-0.8, -0.78, -0.75])).astype(np.float32)
    assert patches(hair, seen, fine).max() < 0.05


@pytest.mark.parametrize("change", [(-0.35, -0.55, -0.75), (-0.12, -0.75, -0.65)])
def test_pigment_under_uneven_light_is_told_by_its_hue(change: tuple[float, ...], fine: FaceRegions) -> None:
    seen = (fine.face > 0.5).astype(np.float32)
    patch = np.zeros((512, 512), np.float32)
    cv2.circle(patch, (180, 266), round(9 * fine.texels_per_mm), 1.0, -1)
    patch = cv2.GaussianBlur(patch, (0, 0), 0.3 * fine.texels_per_mm)
    # Light that differs by more over the patch than the patch does from skin.
    light = 0.6 * np.sin(np.arange(512) / (5 * fine.texels_per_mm)) * np.ones((512, 1))
    difference = (patch[..., None] * np.array(change) + light[..., None]).astype(np.float32)
    share = patches(difference, seen, fine)
    assert share[patch > 0.9].mean() > 0.9
    assert share[(patch < 0.01) & (seen > 0)].mean() < 0.01


@pytest.mark.parametrize("tint", [(1.0, 1.0, 1.0), (0.6, 1.0, 1.2)])
def test_skin_that_gains_more_green_than_red_lacks_pigment_and_what_light_adds_is_no_mark(
    tint: tuple[float, ...], fine: FaceRegions
) -> None:
    seen = (fine.face > 0.5).astype(np.float32)
    scale, light = fine.texels_per_mm, np.array(tint)
    lit = DARK * light

    def disc(x: int, radius_mm: float, soft_mm: float) -> np.ndarray:
        mask = cv2.circle(np.zeros((512, 512), np.float32), (x, 266), round(radius_mm * scale), 1.0, -1)
        return cv2.GaussianBlur(mask, (0, 0), soft_mm * scale)[..., None]

    patch, sheen = (
        disc(180, 8, 0.4),
        np.log1p(disc(332, 10, 4) * 0.03 * light / lit),
    )  # a highlight tells the light's hue

    def share(change: np.ndarray) -> np.ndarray:
        return patches((patch * change + sheen).astype(np.float32) + grained(fine, 1.0), seen, fine, lit)

    assert share(np.log1p(0.022 * light / lit)).max() < 0.05
    assert share(np.full(3, 0.33)).max() < 0.05
    pale = share(np.array([0.12, 0.4, 0.55]))
    assert pale[patch[..., 0] < 0.01].max() < 0.05
    if tint == (1.0, 1.0, 1.0):
        assert pale[patch[..., 0] > 0.9].mean() > 0.9
