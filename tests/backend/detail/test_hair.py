"""Hair of brows and beard, drawn on grain for the test, and in a photo: all of it is colour, and none is relief."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.detail.hair import Hair, grown_hair, without_surface_light
from backend.detail.parameters import HairSettings
from backend.detail.separation import creases
from backend.detail.stage import add_detail
from backend.head.model import load_head_model
from backend.imaging.colour import LUMINANCE, linear_to_srgb, srgb_to_linear
from backend.imaging.octaves import join, reduce_to, split
from backend.pipeline import Pipeline
from backend.progress import Progress
from backend.texture.fitted_skin import FittedSkin
from backend.texture.maps import PartialTexture, SkinMaps
from backend.texture.regions import FaceRegions, face_regions
from backend.texture.uv_space import uv_space
from shared.options import JobOptions
from tests.backend.detail.test_stage import SIDE, photographed, place, regions
from tests.golden.golden import FOLDER

__all__ = ["photographed", "place", "regions"]  # fixtures


def grain(side: int, seed: int = 0) -> np.ndarray:
    """Bare skin: log luminance float32 [side, side] that varies by 0.03."""
    drawn = cv2.GaussianBlur(np.random.default_rng(seed).normal(0, 1, (side, side)), (0, 0), 1.0)
    return (0.03 * drawn / drawn.std()).astype(np.float32)


def dots(depth: float, face: FaceRegions, seed: int = 1) -> np.ndarray:
    """Stubble: where beards grow, a dot of 0.4 mm every 1.2 mm or so, darker by `depth`; float32 [R, R]."""
    rng, per_mm = np.random.default_rng(seed), face.texels_per_mm
    image = np.zeros_like(face.beard)
    side = len(image)
    rows, columns = rng.integers(0, side, (2, round((side / per_mm / 1.2) ** 2)))
    image[rows, columns] = 1
    sigma = 0.2 * per_mm
    blurred = cv2.GaussianBlur(image, (0, 0), sigma)
    return -depth * np.minimum(blurred * 2 * np.pi * sigma**2, 1) * face.beard * (1 - face.lips)


def beard_and_cheeks(regions: FaceRegions) -> tuple[np.ndarray, np.ndarray]:
    beard = (regions.beard > 0.9) & (regions.face > 0.9) & (regions.lips < 0.02)
    others = regions.beard + regions.lips + regions.brows + regions.eyes + regions.nose + regions.forehead
    return beard, (regions.face > 0.9) & (others < 0.05)


@pytest.fixture(scope="module")
def face() -> FaceRegions:
    model = load_head_model()
    return face_regions(model, uv_space(model, SIDE))


def found(log_luminance: np.ndarray, face: FaceRegions, seen: np.ndarray | None = None) -> Hair:
    everywhere = np.ones_like(log_luminance)
    seen = everywhere if seen is None else seen
    folds = creases(log_luminance, seen, face.beard, face.texels_per_mm)
    return grown_hair(log_luminance, seen, 0 * everywhere, folds, face, face.texels_per_mm)


@pytest.mark.parametrize("depth", [0.35, -0.35], ids=["dark", "grey"])
def test_stubble_is_hair_where_it_grows_and_a_shaven_cheek_beside_it_is_bare(face: FaceRegions, depth: float) -> None:
    beard, _ = beard_and_cheeks(face)
    right = np.arange(SIDE) > SIDE // 2
    hair = found(grain(SIDE) + dots(depth, face) * right, face)
    far = 30  # texels from the border between both
    stubbly, shaven = beard & (np.arange(SIDE) > SIDE // 2 + far), beard & (np.arange(SIDE) < SIDE // 2 - far)
    assert hair.covered[stubbly].mean() > 0.95
    assert hair.share[stubbly].mean() > 0.6
    assert hair.covered[shaven].mean() < 0.02
    assert hair.share[shaven].mean() < 0.05


def test_the_skins_part_of_stubble_varies_no_more_than_bare_skin(face: FaceRegions) -> None:
    beard, cheeks = beard_and_cheeks(face)
    for depth in (0.1, 0.2, 0.4, 0.8):
        image = grain(SIDE) + dots(depth, face)
        bands, _ = split(image * (1 - found(image, face).share))
        kept = join({octave: band for octave, band in bands.items() if octave <= 3})
        assert kept[beard].var() < 1.2 * kept[cheeks].var()


def test_strands_beside_a_brow_are_hair_and_its_skin_is_not_told_apart(face: FaceRegions) -> None:
    image = grain(SIDE)
    rows, columns = np.nonzero((face.brows > 0.3) & (face.brows < 0.6) & (face.forehead > 0.3))
    for row, column in list(zip(rows, columns, strict=True))[::40]:
        cv2.line(image, (int(column), int(row) - 12), (int(column) + 5, int(row) + 6), -0.6, 1, cv2.LINE_AA)
    hair = found(image, face)
    assert hair.covered[rows, columns].mean() > 0.8
    assert hair.share[face.brows > 0.99].min() > 0.95
    assert found(grain(SIDE), face).covered[rows, columns].mean() < 0.4


def test_a_beard_that_was_not_seen_is_like_the_seen_one(face: FaceRegions) -> None:
    beard, _ = beard_and_cheeks(face)
    seen = np.zeros((SIDE, SIDE), np.float32)
    seen[:, SIDE // 2 :] = 1
    for depth, low, high in ((0.4, 0.9, 1.0), (0.0, 0.0, 0.05)):
        hair = found((grain(SIDE) + dots(depth, face)) * seen, face, seen)
        assert low <= hair.covered[beard & (seen == 0)].mean() <= high


def test_detail_in_a_highlight_is_no_hair(face: FaceRegions) -> None:
    beard, _ = beard_and_cheeks(face)
    image, shine = grain(SIDE), beard.astype(np.float32)
    image += dots(-0.4, face) * shine
    hair = grown_hair(image, np.ones_like(image), shine, 0 * image, face, face.texels_per_mm)
    assert hair.covered[cv2.erode(beard.astype(np.uint8), np.ones((41, 41))) > 0].max(initial=0) < 0.05


def test_a_fold_beside_the_mouth_is_no_hair(face: FaceRegions) -> None:
    beard, _ = beard_and_cheeks(face)
    _, columns = np.nonzero(beard & (np.arange(SIDE) > SIDE // 2))
    column = int(np.median(columns))
    x = np.arange(SIDE, dtype=np.float32)
    there = beard & (np.abs(x - column) < 2)
    fold = -1.2 * np.exp(-np.square((x - column) / (0.6 * face.texels_per_mm)) / 2) * np.ones((SIDE, 1), np.float32)
    assert there.sum() > 100
    for stubble, most in ((0.0, 0.05), (0.2, 0.15)):
        hair = found(grain(SIDE) + dots(stubble, face) + fold, face)
        assert hair.covered[there].mean() < most
        assert hair.share[there].mean() < most
    assert found(grain(SIDE) + dots(0.4, face), face).covered[there].mean() > 0.9


def test_nothing_is_told_where_it_is_left_out(face: FaceRegions) -> None:
    image = grain(SIDE) + dots(0.4, face)
    beard, _ = beard_and_cheeks(face)
    settings, nothing = HairSettings(grown=False), 0 * image
    hair = grown_hair(image, np.ones_like(image), nothing, nothing, face, face.texels_per_mm, settings)
    assert hair.covered[beard].max() < 0.02


def test_dark_hair_loses_what_its_surface_reflects_and_skin_loses_nothing(face: FaceRegions) -> None:
    skin, dark = np.array([0.09, 0.06, 0.045]), 0.5
    on_hair = face.brows > 0.99
    albedo = np.where(on_hair[..., None], dark * skin, skin).astype(np.float32)
    covered = face.brows**2
    everywhere = slice(0, len(albedo))
    bare = without_surface_light(albedo, Hair(covered, covered), face, skin)[everywhere]
    np.testing.assert_allclose(bare[face.brows < 0.01], albedo[face.brows < 0.01], rtol=0.02)
    luminance = float(dark * skin @ LUMINANCE)
    # By 0.025 in proportion to how much darker it is, see `SurfaceReflection.of_skin`; softly.
    expected = dark * skin / (1 + 0.025 * 0.5 / luminance)
    np.testing.assert_allclose(np.median(bare[on_hair], axis=0), expected, rtol=0.06)
    fair = without_surface_light(8 * albedo, Hair(covered, covered), face, 8 * skin)[everywhere]
    assert np.median(fair[on_hair] / (8 * albedo[on_hair])) > 0.93


def bands_of(maps: SkinMaps) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Log luminance of texture and albedo from 0.3 to 2.6 mm, and the squared slope; float32 [R, R] each."""
    fine = []
    for image in (maps.texture_srgb, maps.diffuse_albedo_srgb):
        bands, _ = split(np.log(np.maximum(srgb_to_linear(image) @ LUMINANCE, 1e-3)).astype(np.float32))
        fine.append(join({octave: band for octave, band in bands.items() if octave <= 3}))
    return fine[0], fine[1], np.square(maps.normal[..., :2] / maps.normal[..., 2:]).sum(-1)


def test_stubble_stays_in_the_albedo_and_out_of_the_relief(
    photographed: tuple, place: FittedSkin, regions: FaceRegions
) -> None:
    working, delit = photographed
    hairs = dots(0.4, regions)
    small = reduce_to(hairs, working.log_albedo.shape[0])[..., None]
    texture = linear_to_srgb(srgb_to_linear(delit.partial.texture_srgb) * np.exp(hairs)[..., None])
    stubbly = replace(
        delit,
        partial=PartialTexture(texture.astype(np.float32), delit.partial.visibility),
        log_seen=delit.log_seen + small,
        log_albedo=delit.log_albedo + small,
    )
    shown = delit.weight[..., None] * small
    maps = add_detail(
        replace(
            working,
            log_texture=working.log_texture + shown,
            log_albedo=working.log_albedo + shown,
            log_relief=working.log_relief + shown,
        ),
        stubbly,
        0,
    )
    beard, cheeks = beard_and_cheeks(regions)
    seen = cv2.erode(delit.partial.visibility, np.ones((25, 25), np.uint8)) > 0.999
    in_texture, in_albedo, slope = bands_of(maps)
    where = beard & seen
    assert in_albedo[where].var() > 0.9 * in_texture[where].var()
    assert slope[where].mean() < 1.2 * slope[cheeks & seen].mean()


@pytest.mark.slow
def test_brows_of_a_photo_keep_their_strands_and_have_no_relief() -> None:
    pipeline = Pipeline("cpu")
    photo = (FOLDER / "astronaut.jpg").read_bytes()
    maps = pipeline.reconstruct(photo, JobOptions(quality="draft", resolution=1024), Progress()).maps
    face = face_regions(pipeline.model, pipeline.uv_space(1024))
    in_texture, in_albedo, slope = bands_of(maps)
    brows = (face.brows > 0.9) & (face.eyes < 0.3) & (maps.visibility > 0.9)
    _, cheeks = beard_and_cheeks(face)
    assert in_albedo[brows].var() > 0.9 * in_texture[brows].var()
    assert slope[brows].mean() < 0.1 * slope[cheeks & (maps.visibility > 0.9)].mean()
