"""The training data: who takes part, and that delighting, completion, packing and streaming do what they promise."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from backend.asset_files import SOURCES
from backend.head.model import HeadModel, load_head_model
from backend.imaging.colour import lab_to_linear
from backend.prior.channels import QUADRUPLE
from backend.rendering.skin_model import SKIN
from backend.texture.regions import face_regions
from backend.texture.uv_space import mirror, uv_space
from backend.training.skin import portraits as skin_portraits
from backend.training.skin import valid_skins as skin_valid
from backend.training.skin.calibration import (
    REFERENCE_LAB,
    USUAL_SPREAD,
    diffuse_gain,
    photo_gains,
    set_gains,
    tone_lab,
)
from backend.training.skin.completion import complete_person, graft
from backend.training.skin.measures import agreement_psnr, cheek_difference, highlight_shares
from backend.training.skin.pack import PACK, SkinPack, load_pack, save_pack
from backend.training.skin.portraits import Person
from backend.training.skin.set_delighting import (
    DelitSkin,
    ShadedSkin,
    camera_transfer,
    delit_skin,
    even_out,
    plain_tone,
    set_light,
    strands,
)
from backend.training.stream.lights import frontal_irradiance, load_environments, random_light
from backend.training.stream.region_masks import RegionMasks, region_masks
from backend.training.stream.skin_stream import SkinStream
from shared.errors import RelightifyError

SIDE = 128
SKIN_LINEAR = np.array([0.45, 0.28, 0.21], np.float32)


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def masks(model: HeadModel) -> RegionMasks:
    return region_masks(model, SIDE)


def write_index(folder: Path, splits: dict[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    records = [{"id": i, "age": 30, "ethnicity": "white", "split": s} for i, s in splits.items()]
    (folder / "index.json").write_text(json.dumps(records))


def test_heldout_people_never_take_part(tmp_path: Path) -> None:
    write_index(tmp_path, {"london/001": "train", "london/010": "heldout", "ontario/2": "test"})
    assert [p.identifier for p in skin_portraits.training_people(tmp_path)] == ["london/001"]


def test_heldout_library_heads_never_take_part(tmp_path: Path) -> None:
    records = [{"name": "A", "split": "train"}, {"name": "B", "split": "heldout"}]
    (tmp_path / "index.json").write_text(json.dumps({"individuals": records}))
    assert [r["name"] for r in skin_valid.training_records(tmp_path)] == ["A"]


@pytest.mark.skipif(not (SOURCES / "portraits").exists(), reason="the folder of sources is not there")
def test_the_sources_give_their_104_training_people() -> None:
    people = skin_portraits.training_people(SOURCES / "portraits")
    heldout = {r["id"] for r in json.loads((SOURCES / "portraits" / "index.json").read_text()) if r["split"] != "train"}
    assert len(people) == 104
    assert not heldout & {p.identifier for p in people}


def test_missing_sources_are_a_plain_error(tmp_path: Path) -> None:
    with pytest.raises(RelightifyError, match="no portrait index"):
        skin_portraits.training_people(tmp_path)


def lit_photo(model: HeadModel, light: np.ndarray, albedo: np.ndarray) -> ShadedSkin:
    """The mean head in a light [9, 3], seen by a camera that looks at it straight."""
    space = uv_space(model, SIDE)
    transfer = space.interpolate(camera_transfer(model, model.mean, np.eye(3)))
    visible = (space.normals(model.mean)[..., 2] > 0.3) & space.mask
    return ShadedSkin(
        (albedo * (transfer @ light.astype(np.float32))).astype(np.float32),
        visible.astype(np.float32),
        transfer,
        np.zeros((SIDE, SIDE), np.float32),
    )


def test_light_from_the_side_is_found_and_divided_out(model: HeadModel, masks: RegionMasks) -> None:
    light = np.repeat(np.array([3.5, 0.4, 0.9, 0.8, 0, 0, 0, 0, 0])[:, None], 3, 1)
    albedo = np.broadcast_to(SKIN_LINEAR, (SIDE, SIDE, 3))
    photo = lit_photo(model, light, albedo)
    assert cheek_difference(np.clip(photo.linear, 0, 1), masks) > 5
    found = set_light([photo], masks)
    skin = delit_skin(photo, found, masks, face_regions(model, uv_space(model, SIDE)))
    flat = np.exp(skin.log_albedo - plain_tone(skin.log_albedo, skin.weight, masks).astype(np.float32)) * SKIN_LINEAR
    assert cheek_difference(flat, masks) < 1
    plain = (masks.plain.numpy() > 0.5) & (skin.weight > 0.5)
    assert np.abs(flat[plain] / SKIN_LINEAR - 1).mean() < 0.05


def test_evening_out_removes_a_gradient_but_no_mole(masks: RegionMasks) -> None:
    gradient = np.linspace(-0.3, 0.3, SIDE, dtype=np.float32)[None, :, None]
    log_albedo = np.broadcast_to(np.log(SKIN_LINEAR) + gradient, (SIDE, SIDE, 3)).copy()
    row, column = (int(v) for v in np.argwhere(masks.cheeks.numpy() > 0.9)[0])
    log_albedo[row, column] -= 0.5
    evened = even_out(log_albedo, masks.face.numpy(), masks)
    plain = masks.plain.numpy() > 0.7
    assert evened[plain].std(0).max() < 0.4 * log_albedo[plain].std(0).max()
    assert evened[row, column, 0] < np.median(evened[plain], axis=0)[0] - 0.3


def test_a_hole_is_filled_with_the_donors_detail_at_the_known_tone(masks: RegionMasks) -> None:
    rng = np.random.default_rng(0)
    detail = rng.normal(0, 0.05, (SIDE, SIDE, 1)).astype(np.float32)
    face = masks.face.numpy()
    hole = masks.cheeks.numpy() * (np.arange(SIDE) < SIDE // 2)
    known = DelitSkin(np.full((SIDE, SIDE, 3), -1.0, np.float32), face * (hole < 0.1))
    donor = DelitSkin(np.full((SIDE, SIDE, 3), 0.5, np.float32) + detail, np.ones((SIDE, SIDE), np.float32))
    filled = graft(known, donor, masks)
    inside = hole > 0.9
    assert filled.log_albedo[inside].mean() == pytest.approx(-1.0, abs=0.03)
    assert np.corrcoef(filled.log_albedo[inside][:, 0], detail[inside][:, 0])[0, 1] > 0.9


def test_an_unseen_cheek_comes_from_the_other_side(masks: RegionMasks) -> None:
    rng = np.random.default_rng(1)
    texture = (np.log(SKIN_LINEAR) + rng.normal(0, 0.05, (SIDE, SIDE, 1))).astype(np.float32)
    face = masks.face.numpy() * (np.arange(SIDE) >= SIDE // 2 - 4)
    library = DelitSkin(np.zeros((SIDE, SIDE, 3), np.float32), np.ones((SIDE, SIDE), np.float32))
    whole = complete_person([DelitSkin(texture, face)], library, masks)
    cheek = (masks.cheeks.numpy() > 0.8) & (np.arange(SIDE) < SIDE // 2 - 8)
    np.testing.assert_allclose(whole.log_albedo[cheek], mirror(texture)[cheek], atol=0.05)
    assert np.isfinite(whole.log_albedo).all()


def test_calibration_takes_each_set_to_the_reference_and_keeps_differences() -> None:
    people = [
        Person("a/1", 20, "white"),
        Person("a/2", 30, "black"),
        Person("b/1", None, "white"),
    ]
    tones = {"a/1": np.log([0.5, 0.4, 0.3]), "a/2": np.log([0.1, 0.08, 0.06]), "b/1": np.log([0.2, 0.2, 0.2])}
    gains = set_gains(people, tones)
    for person in (people[0], people[2]):
        np.testing.assert_allclose(tone_lab(tones[person.identifier] + gains[person.group]), REFERENCE_LAB, atol=0.01)
    difference = (tones["a/2"] + gains["a"]) - np.log(lab_to_linear(np.array(REFERENCE_LAB)))
    np.testing.assert_allclose(difference, np.log(0.2), atol=1e-6)


def test_exposures_that_vary_more_than_people_are_evened_among_one_group_alone() -> None:
    people = [Person(f"a/{k}", 20, "white") for k in range(4)] + [Person("a/9", 20, "black")]
    tones = {p.identifier: np.log(np.full(3, v)) for p, v in zip(people, (0.1, 0.2, 0.4, 0.8, 0.05), strict=True)}
    gains = photo_gains(people, tones)
    calibrated = np.stack([tones[p.identifier] + gains[p.identifier] for p in people[:4]]).mean(1)
    assert np.all(np.diff(calibrated) > 0)
    assert np.sqrt(np.mean(np.square(calibrated - calibrated.mean()))) <= USUAL_SPREAD * 1.01
    np.testing.assert_allclose(gains["a/9"], set_gains(people, tones)["a"])


def test_what_the_surface_reflects_is_taken_out_of_the_tone_and_counts_most_on_dark_skin() -> None:
    for reflectance in (np.array([0.08, 0.05, 0.04]), np.array([0.5, 0.33, 0.25])):
        tone, gain = np.log(0.7 * reflectance), np.full(3, -np.log(0.7))
        np.testing.assert_allclose(np.exp(tone + diffuse_gain(tone, gain)), reflectance - SKIN.surface.of_skin)
    black = np.log(np.full(3, 0.01))
    assert np.exp(black + diffuse_gain(black, np.zeros(3))).min() > 0


def test_a_strand_of_hair_is_left_out_and_a_mole_is_not(masks: RegionMasks) -> None:
    face = (masks.face.numpy() > 0.5).astype(np.float32)
    bare = face * (masks.face_low.numpy() > 0.9) * (masks.beard.numpy() < 0.1)
    row = int(np.median(np.nonzero(bare)[0])) - 4
    column = int(np.flatnonzero(face[row])[0]) + 4
    log_albedo = np.broadcast_to(np.log(SKIN_LINEAR), (SIDE, SIDE, 3)).astype(np.float32).copy()
    log_albedo[row : row + 2, column : column + 2] -= 0.8
    assert strands(log_albedo, face, masks)[row, column] < 0.1
    log_albedo[row - 6 : row + 6, column] -= 0.8
    assert strands(log_albedo, face, masks)[row - 4, column] > 0.5


def test_measures_see_what_they_are_for(masks: RegionMasks) -> None:
    even = np.broadcast_to(SKIN_LINEAR, (SIDE, SIDE, 3)).copy()
    assert cheek_difference(even, masks) == pytest.approx(0, abs=1e-3)
    assert highlight_shares(even, masks) == (0.0, 0.0)
    shiny = even.copy()
    shiny[masks.nose_tip.numpy() > 0.5] = 0.99
    share, saturated = highlight_shares(shiny, masks)
    assert share > 0
    assert saturated == pytest.approx(share)
    weight = np.ones((SIDE, SIDE), np.float32)
    first, second = (DelitSkin(np.log(even) + d, weight) for d in (0.0, np.float32(0.1)))
    assert agreement_psnr(first, first, np.zeros(3)) > 90
    assert 25 < agreement_psnr(first, second, np.zeros(3)) < 40


@pytest.fixture(scope="module")
def pack() -> SkinPack:
    rng = np.random.default_rng(0)
    albedo = np.clip(170 + rng.normal(0, 6, (4, SIDE, SIDE, 3)) + [20, -20, -40], 0, 255).astype(np.uint8)
    certain = np.full((4, 32, 32), 255, np.uint8)
    return SkinPack(albedo, certain, np.zeros((4, 100), np.float32), ("a", "b", "c", "d"), {"credits": "nobody"})


def test_pack_comes_back_as_it_was_written(pack: SkinPack, tmp_path: Path) -> None:
    save_pack(pack, tmp_path / "pack.npz")
    loaded = load_pack(tmp_path / "pack.npz")
    assert loaded.names == pack.names
    assert loaded.metadata == pack.metadata
    np.testing.assert_array_equal(loaded.certain, pack.certain)
    assert np.abs(loaded.albedo_srgb.astype(int) - pack.albedo_srgb).mean() < 6


def test_a_pack_that_is_not_there_is_an_error_that_names_the_one_that_ships(tmp_path: Path) -> None:
    with pytest.raises(RelightifyError) as raised:
        load_pack(tmp_path / "pack.npz")
    assert "skin-data" in raised.value.hint
    assert PACK.is_file()


@pytest.fixture(scope="module")
def stream(pack: SkinPack, model: HeadModel) -> SkinStream:
    return SkinStream(pack, model, seed=3, resolution=SIDE, heads=2)


def test_samples_depend_on_seed_and_number_alone(stream: SkinStream) -> None:
    together, alone = stream.batch([5, 6]), stream.batch([6])
    assert together.shape == (2, QUADRUPLE.total, SIDE, SIDE)
    assert torch.allclose(together[1], alone[0], atol=1e-5)
    assert not torch.allclose(together[0], together[1], atol=0.1)


def test_samples_are_in_range_with_unit_normals(stream: SkinStream) -> None:
    maps = stream.batch(range(4))
    assert torch.isfinite(maps).all()
    assert maps.abs().max() <= 1 + 1e-5
    assert torch.allclose(maps[:, QUADRUPLE.normal].norm(dim=1), torch.ones(4, SIDE, SIDE), atol=1e-4)


def test_faces_are_neither_burnt_out_nor_black(stream: SkinStream, masks: RegionMasks) -> None:
    texture = (stream.batch(range(4))[:, QUADRUPLE.texture] + 1) / 2
    face = masks.plain > 0.5
    for image in texture:
        assert 0.05 < image[:, face].mean() < 0.95


def test_random_lights_are_positive_and_light_the_face_about_once() -> None:
    directions = np.random.default_rng(0).normal(size=(256, 3)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    environments = load_environments()
    rng = np.random.default_rng(0)
    for _ in range(20):
        radiance = random_light(directions, environments, rng)
        assert (radiance >= 0).all()
        assert frontal_irradiance(directions, radiance).mean() == pytest.approx(1, rel=1e-3)
