"""The classical completion, on photographs rendered from known skin."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.delight.skin_tone import LUMINANCE, plausible_tone
from backend.head.model import HeadModel, load_head_model
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.white_cue import WhiteCue
from backend.prior.classical.prior import ClassicalPrior
from backend.progress import Progress
from backend.rendering.skin_model import SKIN
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions, landmark_texels
from backend.texture.uv_space import UVSpace, coarser, mirror, uv_space
from shared.errors import JobCancelled, RelightifyError
from tests.backend.completing import completed as finished
from tests.backend.completing import frontal_skin

pytestmark = pytest.mark.slow

RESOLUTION = 256
FAIR, DARK = np.array([0.50, 0.31, 0.22]), np.array([0.15, 0.085, 0.055])


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def context() -> FittedSkin:
    return frontal_skin(RESOLUTION)


@pytest.fixture(scope="module")
def regions(context: FittedSkin) -> FaceRegions:
    return face_regions(context.model, context.uv_space)


def side_light(strength: float = 0.45) -> np.ndarray:
    """Light [9, 3] from the front and the subject's left; white skin in front of it shows about 1."""
    light = np.zeros((9, 3))
    light[0], light[2], light[3] = 2.6, 1.2, strength * 2.6
    return light


def scene(
    context: FittedSkin, regions: FaceRegions, skin: np.ndarray, light: np.ndarray, seed: int = 0
) -> tuple[PartialTexture, np.ndarray]:
    """A partial texture of skin with brows, lips, a mole and pores; and its albedo [R, R, 3], linear."""
    space = context.uv_space
    rng = np.random.default_rng(seed)
    log_albedo = np.log(skin) + cv2.GaussianBlur(rng.normal(0, 0.05, (RESOLUTION, RESOLUTION)), (0, 0), 0.7)[..., None]
    log_albedo = log_albedo - 1.2 * (regions.brows**4)[..., None]
    log_albedo = log_albedo + regions.lips[..., None] * np.array([-0.25, -0.75, -0.5])
    albedo = np.exp(log_albedo)
    texture = albedo * (space.interpolate(context.transfer) @ light)
    normals = space.normals(context.model.mean)
    visibility = np.clip((normals[..., 2] - 0.25) / 0.2, 0, 1) * space.mask * np.clip(1.5 * regions.face, 0, 1)
    visibility[regions.eyes > 0.9] = 0
    encoded = linear_to_srgb(texture).astype(np.float32) * (visibility > 0)[..., None]
    return PartialTexture(encoded, visibility.astype(np.float32)), albedo


def completed(partial: PartialTexture, context: FittedSkin, seed: int = 0) -> SkinMaps:
    return finished(ClassicalPrior(), partial, context, seed)[0]


def seam_step(image: np.ndarray, space: UVSpace) -> float:
    """Median difference of colours across the texture seam: between the uses of vertices that have several UVs."""
    pairs = {}
    for vertices, uvs in zip(space.triangles.reshape(-1), space.uv_triangles.reshape(-1), strict=True):
        pairs.setdefault(int(vertices), set()).add(int(uvs))
    several = [sorted(u)[:2] for u in pairs.values() if len(u) > 1]
    assert len(several) > 10
    texel = np.clip(space.uv * [1, -1] * space.resolution + [0, space.resolution] - 0.5, 0, space.resolution - 1)
    column, row = np.round(texel).astype(int).T
    first, second = np.array(several).T
    return float(np.median(np.abs(image[row[first], column[first]] - image[row[second], column[second]]).max(-1)))


def test_there_are_no_holes_and_every_map_is_in_its_range(context: FittedSkin, regions: FaceRegions) -> None:
    maps = completed(scene(context, regions, FAIR, side_light())[0], context)
    island = context.uv_space.mask
    for values in (maps.texture_srgb, maps.diffuse_albedo_srgb, maps.specular_albedo, maps.normal):
        assert values.dtype == np.float32
        assert np.isfinite(values).all()
    for colour in (maps.texture_srgb, maps.diffuse_albedo_srgb):
        assert colour[island].min() > 0.02
        assert colour.max() <= 1
    np.testing.assert_allclose(np.linalg.norm(maps.normal[island], axis=-1), 1, atol=1e-4)
    assert maps.specular_albedo[island].min() > 0.15
    assert maps.specular_albedo.max() < 0.52


def test_the_texture_is_the_photo_where_that_was_seen(context: FittedSkin, regions: FaceRegions) -> None:
    partial, _ = scene(context, regions, FAIR, side_light())
    maps = completed(partial, context)
    inside = cv2.erode(partial.visibility, np.ones((15, 15), np.uint8)) > 0.99
    assert inside.sum() > 1000
    assert np.quantile(np.abs(maps.texture_srgb - partial.texture_srgb)[inside], 0.98) < 0.02


@pytest.mark.parametrize("skin", [FAIR, DARK])
def test_no_shadow_stays_in_the_albedo(context: FittedSkin, regions: FaceRegions, skin: np.ndarray) -> None:
    partial, _ = scene(context, regions, skin, side_light())
    maps = completed(partial, context)
    cheeks = (regions.face * (1 - regions.lips) * (1 - regions.brows) * (1 - regions.eyes) * partial.visibility) > 0.9
    x = context.uv_space.positions(context.model.mean)[..., 0]
    left, right = cheeks & (x > 0.02), cheeks & (x < -0.02)
    seen = np.median(partial.texture_srgb[left], axis=0) / np.median(partial.texture_srgb[right], axis=0)
    delit = np.median(maps.diffuse_albedo_srgb[left], axis=0) / np.median(maps.diffuse_albedo_srgb[right], axis=0)
    assert seen.min() > 1.15
    np.testing.assert_allclose(delit, 1, atol=0.03)


def test_features_of_the_skin_stay_in_the_albedo(context: FittedSkin, regions: FaceRegions) -> None:
    partial, albedo = scene(context, regions, FAIR, side_light())
    found = srgb_to_linear(completed(partial, context).diffuse_albedo_srgb)
    seen = partial.visibility > 0.9
    plain = seen & (regions.face > 0.9) & (regions.lips + regions.brows + regions.eyes < 0.05)
    for feature in (seen & (regions.lips > 0.95), seen & (regions.brows > 0.98)):
        truth = np.log(np.median(albedo[feature], axis=0) / np.median(albedo[plain], axis=0))
        kept = np.log(np.median(found[feature], axis=0) / np.median(found[plain], axis=0))
        np.testing.assert_allclose(kept, truth, atol=0.25)


def test_dark_skin_stays_dark_and_fair_skin_fair(context: FittedSkin, regions: FaceRegions) -> None:
    for skin in (FAIR, DARK):
        # A photo shows what the surface reflects as well, and is exposed so that white does not burn out.
        maps = completed(scene(context, regions, skin + SKIN.surface.of_skin, 0.75 * side_light())[0], context)
        found = np.median(srgb_to_linear(maps.diffuse_albedo_srgb)[regions.face > 0.9], axis=0)
        assert 0.7 < float(found @ LUMINANCE) / float(skin @ LUMINANCE) < 1.5
        # How much of dark skin's blue is sheen hangs on the level, which one photo leaves open.
        np.testing.assert_allclose(found / found.sum(), skin / skin.sum(), atol=0.05)


def test_the_unseen_has_the_persons_tone_and_no_texture_seam(context: FittedSkin, regions: FaceRegions) -> None:
    partial, _ = scene(context, regions, FAIR, side_light())
    maps = completed(partial, context)
    tone = np.median(maps.diffuse_albedo_srgb[regions.face > 0.9], axis=0)
    back = context.uv_space.mask & (context.uv_space.positions(context.model.mean)[..., 2] < -0.1)
    assert np.abs(maps.diffuse_albedo_srgb[back] - tone).max() < 0.15
    np.testing.assert_allclose(np.median(maps.diffuse_albedo_srgb[back], axis=0), tone, atol=0.05)
    assert seam_step(maps.diffuse_albedo_srgb, context.uv_space) < 0.03


def test_a_mark_of_one_side_stays_and_is_not_mirrored_to_the_other(context: FittedSkin, regions: FaceRegions) -> None:
    partial, _ = scene(context, regions, FAIR, side_light(0.0))
    x = context.uv_space.positions(context.model.mean)[..., 0]
    mark = np.exp(-np.square(x - 0.035) / 0.004**2)[..., None] * np.array([0.0, -0.12, -0.08])
    marked = np.clip(partial.texture_srgb + mark, 0, 1) * (partial.visibility > 0)[..., None]
    half = np.where(x > -0.01, partial.visibility, 0).astype(np.float32)
    plain = completed(PartialTexture(partial.texture_srgb * (half > 0)[..., None], half), context)
    striped = completed(PartialTexture((marked * (half > 0)[..., None]).astype(np.float32), half), context)
    place = (half > 0.9) & (np.abs(x - 0.035) < 0.002) & (regions.face > 0.9)
    change = striped.diffuse_albedo_srgb - plain.diffuse_albedo_srgb
    there, mirrored = change[place].mean(0), change[mirror(place)].mean(0)
    assert there[1] < -0.04
    np.testing.assert_allclose(mirrored, 0, atol=0.035)


def test_the_same_seed_gives_the_same_maps_and_another_other_detail(context: FittedSkin, regions: FaceRegions) -> None:
    partial, _ = scene(context, regions, FAIR, side_light())
    first, again, other = (completed(partial, context, seed).by_name() for seed in (1, 1, 2))
    for name, values in first.items():
        np.testing.assert_array_equal(values, again[name])
    assert np.abs(first["diffuse_albedo"] - other["diffuse_albedo"]).max() > 0.004


def test_a_larger_map_keeps_the_photos_detail(model: HeadModel, context: FittedSkin, regions: FaceRegions) -> None:
    space = uv_space(model, 1024)
    large = replace(context, uv_space=space)
    partial, _ = scene(context, regions, FAIR, side_light())
    size = (1024, 1024)
    visibility = cv2.resize(partial.visibility, size) * space.mask
    rng = np.random.default_rng(0)
    pores = rng.normal(0, 0.02, size).astype(np.float32)[..., None]
    texture = np.clip(cv2.resize(partial.texture_srgb, size) + pores, 0, 1) * (visibility > 0)[..., None]
    maps = completed(PartialTexture(texture, visibility), large)
    inside = cv2.erode(visibility, np.ones((61, 61), np.uint8)) > 0.99
    pores = np.broadcast_to(pores, texture.shape)[inside]
    kept = (maps.diffuse_albedo_srgb - cv2.GaussianBlur(maps.diffuse_albedo_srgb, (0, 0), 2))[inside]
    assert np.corrcoef(pores[:, 1], kept[:, 1])[0, 1] > 0.7  # half of it is relief, which the normals show


def test_a_face_that_is_hidden_is_a_plain_error(context: FittedSkin) -> None:
    nothing = np.zeros((RESOLUTION, RESOLUTION), np.float32)
    with pytest.raises(RelightifyError) as raised:
        completed(PartialTexture(np.repeat(nothing[..., None], 3, 2), nothing), context)
    assert raised.value.code == "too_little_skin"


def test_cancelling_stops_it(context: FittedSkin, regions: FaceRegions) -> None:
    partial, _ = scene(context, regions, FAIR, side_light())
    with pytest.raises(JobCancelled):
        finished(ClassicalPrior(), partial, context, 0, progress=Progress(cancelled=lambda: True))


@pytest.mark.parametrize("exposure", [0.3, 1.0, 3.0])
def test_tones_stay_in_the_range_of_human_skin_and_in_order(exposure: float) -> None:
    found = [plausible_tone(exposure * skin) for skin in (DARK, 0.5 * (DARK + FAIR), FAIR)]
    luminance = [float(tone @ LUMINANCE) for tone in found]
    assert luminance == sorted(luminance)
    assert luminance[0] >= 0.03
    assert luminance[-1] <= 0.5
    for tone in found:
        assert tone[0] > tone[1] > tone[2] > 0


def test_a_tone_is_shifted_by_stops_and_stays_skin() -> None:
    usual, darker, darkest = (plausible_tone(0.8 * FAIR, stops=stops) for stops in (0.0, -1.0, -9.0))
    assert float(darker @ LUMINANCE) == pytest.approx(0.5 * float(usual @ LUMINANCE), rel=1e-3)
    assert 0.03 < float(darkest @ LUMINANCE) < float(darker @ LUMINANCE)
    assert darkest[0] > darkest[1] > darkest[2] > 0


@pytest.mark.parametrize("skin", [np.array([0.14, 0.05, 0.026]), DARK, FAIR])
def test_the_sheen_of_skin_is_not_taken_for_its_colour(skin: np.ndarray) -> None:
    light = WhiteCue(np.full(3, 0.9), 0.0, brightest=0.85)
    bare, shining = (plausible_tone(0.8 * (skin + sheen), light) for sheen in (0.0, SKIN.surface.of_skin))
    own, bare, shining = (colour / (colour @ LUMINANCE) for colour in (skin, bare, shining))
    # Blue is where white light on the surface counts most.
    assert 0.6 < shining[2] / own[2] < 1.5
    assert 0.85 < shining[0] / own[0] < 1.15
    assert shining[2] > bare[2]


def test_a_coarser_texture_space_shows_the_same_points(context: FittedSkin) -> None:
    fine, vertices = context.uv_space, context.model.mean
    coarse = coarser(fine, RESOLUTION // 4)
    assert coarse.resolution == RESOLUTION // 4
    np.testing.assert_array_equal(coarse.positions(vertices), fine.positions(vertices)[2::4, 2::4])


def test_a_mole_is_not_mirrored(context: FittedSkin, regions: FaceRegions) -> None:
    space = uv_space(context.model, 512)
    large, own = replace(context, uv_space=space), face_regions(context.model, space)
    visibility = (own.face > 0.9).astype(np.float32) * (np.indices((512, 512))[1] > 240)
    row, column = np.round(landmark_texels(context.model, 512)[425]).astype(int)[::-1]  # a cheek
    y, x = np.indices((512, 512), np.float32)
    spot = np.exp(-(np.square(x - column) + np.square(y - row)) / (2 * 2.0**2))
    assert visibility[row, column] > 0.9

    def unseen_cheek(depth: float) -> float:
        texture = np.clip(np.array([0.75, 0.6, 0.52]) - depth * spot[..., None], 0, 1) * (visibility > 0)[..., None]
        maps = completed(PartialTexture(texture.astype(np.float32), visibility), large)
        assert depth == 0 or maps.diffuse_albedo_srgb[row, column, 1] < 0.5
        return float(mirror(maps.diffuse_albedo_srgb)[row - 1 : row + 2, column - 1 : column + 2, 1].mean())

    assert abs(unseen_cheek(0.3) - unseen_cheek(0.0)) < 0.03
