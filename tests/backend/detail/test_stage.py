"""The detail stage as a whole, on skin drawn for the test: grain with a known contrast, half of the face seen."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.delight.delighting import DelightedTexture
from backend.detail.options import DetailOptions
from backend.detail.stage import add_detail
from backend.head.head_fit import HeadFit
from backend.head.model import load_head_model
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.prior.interface import CompletedMaps
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import mirror, uv_space
from shared.errors import RelightifyError
from tests.backend.texture.test_unwrap import fit_from

SIDE, SMALL = 1024, 512
SKIN = np.log(np.array([0.42, 0.27, 0.2], np.float32))


@pytest.fixture(scope="module")
def place() -> FittedSkin:
    model = load_head_model()
    fit = large_photo(fit_from(0))
    return FittedSkin(model, fit, uv_space(model, SIDE), np.zeros((len(model.mean), 9), np.float32))


def large_photo(fit: HeadFit, factor: float = 8.0) -> HeadFit:
    """The fit of a photo large enough to show every texel."""
    return fit.with_view(camera=fit.camera.scaled(factor))


@pytest.fixture(scope="module")
def regions(place: FittedSkin) -> FaceRegions:
    return face_regions(place.model, place.uv_space)


@pytest.fixture(scope="module")
def photographed(place: FittedSkin, regions: FaceRegions) -> tuple[CompletedMaps, DelightedTexture]:
    """Grain of 0.05 log units on the subject's left half of the face; the prior made the rest plain."""
    rng = np.random.default_rng(0)
    grain = cv2.GaussianBlur(rng.normal(0, 1, (SIDE, SIDE)), (0, 0), 0.8)
    log_full = SKIN + (0.05 * grain / grain.std())[..., None].astype(np.float32)
    x = place.uv_space.positions(place.model.mean)[..., 0]
    visibility = cv2.GaussianBlur(((x > 0.003) & (regions.face > 0.5)).astype(np.float32), (0, 0), 2)
    visibility *= place.uv_space.mask
    size = (SMALL, SMALL)
    weight = cv2.resize(visibility, size, interpolation=cv2.INTER_AREA)
    seen = np.log(cv2.resize(np.exp(log_full), size, interpolation=cv2.INTER_AREA))
    complete = SKIN + weight[..., None] * (seen - SKIN)
    flat = np.zeros(size, np.float32)
    working = CompletedMaps(complete, complete.copy(), complete.copy(), flat + 0.35)
    texture = linear_to_srgb(np.exp(log_full)).astype(np.float32) * (visibility > 0)[..., None]
    partial, tone = PartialTexture(texture, visibility), SKIN.astype(float)
    none = np.zeros_like(seen)
    return working, DelightedTexture(
        place, partial, seen, seen, none, flat[..., None], weight, flat, tone, np.exp(tone)
    )


@pytest.fixture(scope="module")
def maps(place: FittedSkin, photographed: tuple[CompletedMaps, DelightedTexture]) -> SkinMaps:
    return add_detail(*photographed, 0, DetailOptions(extras=True))


def contrast(image: np.ndarray, where: np.ndarray) -> float:
    """Contrast of the finest octave of a map [R, R, 3], sRGB, on bool [R, R]."""
    log_green = np.log(np.maximum(srgb_to_linear(image[..., 1]), 1e-3)).astype(np.float32)
    return float((log_green - cv2.GaussianBlur(log_green, (0, 0), 1.5))[where].std())


def halves(place: FittedSkin, regions: FaceRegions) -> tuple[np.ndarray, np.ndarray]:
    """Plain cheeks well inside the seen half and the unseen half."""
    x = place.uv_space.positions(place.model.mean)[..., 0]
    plain = (regions.face > 0.9) & (regions.lips + regions.brows + regions.eyes + regions.nose < 0.05)
    plain &= regions.forehead < 0.05
    return plain & (x > 0.012), plain & (x < -0.012)


def test_the_texture_is_the_photo_where_that_was_seen(
    maps: SkinMaps, photographed: tuple[CompletedMaps, DelightedTexture]
) -> None:
    inside = cv2.erode(photographed[1].partial.visibility, np.ones((25, 25), np.uint8)) > 0.999
    assert np.quantile(np.abs(maps.texture_srgb - photographed[1].partial.texture_srgb)[inside], 0.99) < 0.02


def test_unseen_skin_goes_on_with_the_contrast_of_the_seen(
    maps: SkinMaps, place: FittedSkin, regions: FaceRegions
) -> None:
    seen, unseen = halves(place, regions)
    ratio = contrast(maps.texture_srgb, unseen) / contrast(maps.texture_srgb, seen)
    assert 0.6 < ratio < 1.4
    neck = (regions.face < 0.02) & (place.uv_space.positions(place.model.mean)[..., 2] > -0.08)
    assert 0.5 < contrast(maps.texture_srgb, neck & place.uv_space.mask) / contrast(maps.texture_srgb, seen) < 1.3
    flat = [np.abs(maps.normal[where][:, :2]).mean() for where in (seen, unseen)]
    assert 0.5 < flat[1] / flat[0] < 1.6


def test_the_other_side_is_no_mirror_image(maps: SkinMaps, place: FittedSkin, regions: FaceRegions) -> None:
    unseen = halves(place, regions)[1]
    fine = maps.texture_srgb[..., 1] - cv2.GaussianBlur(maps.texture_srgb[..., 1], (0, 0), 2)
    assert abs(np.corrcoef(fine[unseen], mirror(fine)[unseen])[0, 1]) < 0.1


def test_detail_is_dark_and_deep_at_once(maps: SkinMaps, place: FittedSkin, regions: FaceRegions) -> None:
    seen, _ = halves(place, regions)
    assert maps.displacement_mm is not None
    assert maps.roughness is not None
    fine = maps.texture_srgb[..., 1] - cv2.GaussianBlur(maps.texture_srgb[..., 1], (0, 0), 2)
    assert np.corrcoef(fine[seen], maps.displacement_mm[seen])[0, 1] > 0.4
    assert np.abs(maps.displacement_mm).max() < 0.5  # the range that the file holds
    assert maps.roughness.min() >= 0.2
    assert maps.roughness.max() <= 0.9


def test_roughness_varies_over_the_face_unasked(
    photographed: tuple[CompletedMaps, DelightedTexture], place: FittedSkin, regions: FaceRegions
) -> None:
    plain = add_detail(*photographed, 0)
    assert plain.displacement_mm is None
    assert plain.roughness is not None
    means = {name: plain.roughness[getattr(regions, name) > 0.9].mean() for name in ("forehead", "nose", "lips")}
    cheeks = plain.roughness[halves(place, regions)[0]].mean()
    # The T-zone is glossier than the cheeks.
    assert means["nose"] < means["forehead"] < cheeks
    assert np.ptp([*means.values(), cheeks]) > 0.05


def test_relief_is_read_from_what_was_taken_out_of_the_albedo_too(
    photographed: tuple[CompletedMaps, DelightedTexture], place: FittedSkin, regions: FaceRegions
) -> None:
    working, delit = photographed
    calm = replace(working, log_albedo=np.zeros_like(working.log_albedo) + SKIN)
    seen, _ = halves(place, regions)
    own, softened = (add_detail(maps, delit, 0) for maps in (working, calm))
    assert contrast(softened.diffuse_albedo_srgb, seen) < 0.9 * contrast(own.diffuse_albedo_srgb, seen)
    np.testing.assert_allclose(softened.normal[seen], own.normal[seen], atol=0.02)


def test_normals_are_unit_vectors_and_lie_flat_on_average(maps: SkinMaps, place: FittedSkin) -> None:
    inside = place.uv_space.mask
    np.testing.assert_allclose(np.linalg.norm(maps.normal, axis=-1), 1, atol=1e-4)
    assert np.abs(maps.normal[inside][:, :2].mean(0)).max() < 0.02


def test_strength_0_makes_nothing(
    place: FittedSkin, regions: FaceRegions, photographed: tuple[CompletedMaps, DelightedTexture]
) -> None:
    plain = add_detail(*photographed, 0, DetailOptions(strength=0.0))
    assert contrast(plain.texture_srgb, halves(place, regions)[1]) < 0.004
    assert plain.displacement_mm is None


def test_the_same_seed_makes_the_same_maps_and_another_others(
    maps: SkinMaps, place: FittedSkin, photographed: tuple[CompletedMaps, DelightedTexture]
) -> None:
    again, other = (add_detail(*photographed, seed) for seed in (0, 1))
    np.testing.assert_array_equal(again.diffuse_albedo_srgb, maps.diffuse_albedo_srgb)
    assert np.abs(other.diffuse_albedo_srgb - maps.diffuse_albedo_srgb).max() > 0.01


def test_the_report_adds_up_and_tells_seen_from_continued_and_made(
    maps: SkinMaps, place: FittedSkin, photographed: tuple[CompletedMaps, DelightedTexture]
) -> None:
    report = maps.detail
    assert report is not None
    assert abs(report.seen + report.continued + report.made - 1) < 1e-3
    assert 0.3 < report.seen < 0.6
    assert report.continued > 0.3
    working, delit = photographed
    small = replace(place, fit=large_photo(place.fit, 1 / 16))
    from_small = add_detail(working, replace(delit, skin=small), 0).detail
    assert from_small is not None
    assert from_small.made > 0.3 > from_small.seen
    assert from_small.photo_px_per_mm < 0.2 * report.photo_px_per_mm


def test_padding_reaches_16_texels_beyond_the_island(maps: SkinMaps, place: FittedSkin) -> None:
    outside = ~place.uv_space.mask
    near = outside & (cv2.dilate(place.uv_space.mask.astype(np.uint8), np.ones((3, 3), np.uint8), iterations=11) > 0)
    distance = cv2.distanceTransform(outside.astype(np.uint8), cv2.DIST_L2, 5)
    near &= distance <= 15.5
    assert near.sum() > 1000
    # Plain skin all around: what is not padded would be what lies outside of the working maps' island.
    inside = np.median(maps.diffuse_albedo_srgb[place.uv_space.mask], axis=0)
    assert np.abs(maps.diffuse_albedo_srgb[near] - inside).max() < 0.25
    assert (maps.specular_albedo[near] > 0.1).all()


def test_a_strength_that_makes_no_sense_is_a_plain_error() -> None:
    with pytest.raises(RelightifyError) as raised:
        DetailOptions(strength=-1.0)
    assert raised.value.code == "bad_option"
