"""Texture files of an export: names, conventions and packings, in numpy alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.anatomy.paint import linear_from_srgb
from blender_addon.export import presets
from blender_addon.export.presets import PRESETS, clean_stem, preset_named
from blender_addon.export.textures import (
    EIGHT,
    SIXTEEN,
    Surface,
    TextureChoices,
    base_roughness,
    flip_green,
    shrink,
    shrink_colour,
    textures_of,
)
from shared.errors import RelightifyError


def skin(size: int = 8) -> Surface:
    """A skin with a level specular map of 0.35, normals that lean up, and roughness 0.4."""
    normal = np.array([0.0, 0.6, 0.8]) * 0.5 + 0.5
    return Surface(
        "skin",
        colour_srgb=np.full((size, size, 3), 0.6, np.float32),
        normal=np.broadcast_to(normal, (size, size, 3)).astype(np.float32),
        specular=np.full((size, size, 1), 0.35, np.float32),
        roughness=0.4,
    )


def names(identifier: str, surface: Surface) -> set[str]:
    return {t.name for t in textures_of(surface, PRESETS[identifier], "Ada").values()}


def test_each_engine_gets_its_own_names() -> None:
    assert names("UNREAL", skin()) == {"T_Ada_Head_D", "T_Ada_Head_N", "T_Ada_Head_S"}
    assert names("UNITY", skin()) == {
        "Ada_Head_Albedo",
        "Ada_Head_Normal",
        "Ada_Head_SpecularSmoothness",
        "Ada_Head_MaskMap",
    }
    assert names("GLB", skin()) == {"Ada_Head_baseColor", "Ada_Head_normal", "Ada_Head_specular"}


@pytest.mark.parametrize(("identifier", "green"), [("UNREAL", 0.2), ("UNITY", 0.8), ("GLB", 0.8), ("USD", 0.8)])
def test_only_unreal_wants_normals_that_point_down(identifier: str, green: float) -> None:
    normal = textures_of(skin(), PRESETS[identifier], "Ada")[presets.NORMAL]
    np.testing.assert_allclose(normal.values[..., 1], green, atol=1e-6)
    np.testing.assert_allclose(normal.values[..., [0, 2]], [[[0.5, 0.9]]] * np.ones((8, 8, 1)), atol=1e-6)
    assert not normal.srgb


def test_flipping_green_twice_changes_nothing() -> None:
    values = np.random.default_rng(0).random((4, 5, 3)).astype(np.float32)
    np.testing.assert_allclose(flip_green(flip_green(values)), values, atol=1e-6)


def test_specular_is_encoded_as_each_format_counts_it() -> None:
    """0.35 stands for F0 = 0.028: Unreal counts from 0.08, glTF from 0.04, Unity stores F0 itself as sRGB."""
    unreal = textures_of(skin(), PRESETS["UNREAL"], "Ada")[presets.SPECULAR].values
    np.testing.assert_allclose(unreal, 0.35, atol=1e-6)
    gltf = textures_of(skin(), PRESETS["GLB"], "Ada")[presets.SPECULAR_TWICE].values
    np.testing.assert_allclose(gltf, 0.70, atol=1e-6)
    unity = textures_of(skin(), PRESETS["UNITY"], "Ada")[presets.SPECULAR_GLOSS]
    assert unity.srgb
    np.testing.assert_allclose(linear_from_srgb(unity.values[..., :3]), 0.028, atol=1e-5)
    np.testing.assert_allclose(unity.values[..., 3], 0.6, atol=1e-6)


def test_mask_map_has_no_metal_full_light_and_smoothness() -> None:
    mask = textures_of(skin(), PRESETS["UNITY"], "Ada")[presets.MASK].values
    np.testing.assert_allclose(mask, np.broadcast_to([0, 1, 0, 0.6], (8, 8, 4)), atol=1e-6)


def test_roughness_map_is_written_or_packed_where_there_is_one() -> None:
    rough = replace(skin(), roughness_map=np.full((8, 8, 1), 0.3, np.float32))
    assert "T_Ada_Head_R" in names("UNREAL", rough)
    assert "Ada_Head_roughness" in names("GLB", rough)
    unity = textures_of(rough, PRESETS["UNITY"], "Ada")
    np.testing.assert_allclose(unity[presets.SPECULAR_GLOSS].values[..., 3], 0.7, atol=1e-6)
    np.testing.assert_allclose(unity[presets.MASK].values[..., 3], 0.7, atol=1e-6)


def test_lashes_get_their_opacity_into_the_alpha_of_the_colour() -> None:
    opacity = np.linspace(0, 1, 32, dtype=np.float32).reshape(4, 8, 1)
    lashes = Surface("lashes", colour=(0.0, 0.0, 0.0), opacity=opacity)
    (colour,) = textures_of(lashes, PRESETS["GLB"], "Ada").values()
    assert colour.name == "Ada_Lashes_baseColor"
    np.testing.assert_allclose(colour.values[..., 3:], opacity)
    np.testing.assert_allclose(colour.values[..., :3], 0, atol=1e-6)


def test_eyes_keep_their_bowl_only_where_the_cornea_has_normals_of_its_own() -> None:
    flat = np.full((4, 4, 3), 0.5, np.float32)
    eye = Surface("eye_left", colour_srgb=flat, normal=flat, coat_normal=flat, coat=1.0, coat_roughness=0.02)
    assert names("GLB", eye) == {
        "Ada_EyeLeft_baseColor",
        "Ada_EyeLeft_normal",
        "Ada_EyeLeft_clearcoatNormal",
    }
    assert names("UNREAL", eye) == {"T_Ada_EyeLeft_D"}


def test_without_a_coat_a_coated_surface_is_as_glossy_as_its_coat() -> None:
    eye = Surface("eye_left", roughness=0.45, coat=1.0, coat_roughness=0.1)
    assert base_roughness(eye, PRESETS["UNITY"]) == pytest.approx(0.1)
    assert base_roughness(eye, PRESETS["GLB"]) == pytest.approx(0.45)
    assert base_roughness(skin(), PRESETS["UNITY"]) == pytest.approx(0.4)


def test_shrinking_averages_light_not_codes() -> None:
    """Black and white in equal parts are half the light, which is 0.735 when encoded."""
    stripes = np.tile(np.array([0.0, 1.0], np.float32)[None, :, None], (8, 4, 3))
    small = shrink_colour(stripes, 4)
    assert small.shape == (4, 4, 3)
    np.testing.assert_allclose(small, 0.7354, atol=1e-3)


@pytest.mark.parametrize("size", [(512, 512), (1000, 600), (513, 257), (300, 100)])
def test_shrunk_images_fit_and_keep_their_mean(size: tuple[int, int]) -> None:
    values = np.random.default_rng(0).random((*size, 1)).astype(np.float32)
    small = shrink(values, 256)
    assert max(small.shape[:2]) <= 256
    assert float(small.mean()) == pytest.approx(float(values.mean()), abs=0.01)


def test_small_textures_are_left_alone() -> None:
    textures = textures_of(skin(8), PRESETS["UNREAL"], "Ada", TextureChoices(limit_px=8))
    assert {t.values.shape[:2] for t in textures.values()} == {(8, 8)}
    assert {
        t.values.shape[:2] for t in textures_of(skin(8), PRESETS["UNREAL"], "Ada", TextureChoices(limit_px=4)).values()
    } == {(4, 4)}


def test_shrunk_normals_keep_unit_length() -> None:
    rng = np.random.default_rng(1)
    vectors = rng.normal(size=(16, 16, 3)) * 0.4 + (0, 0, 1)
    vectors /= np.linalg.norm(vectors, axis=-1, keepdims=True)
    bumpy = Surface("skin", normal=(0.5 + 0.5 * vectors).astype(np.float32))
    small = textures_of(bumpy, PRESETS["GLB"], "Ada", TextureChoices(limit_px=4))[presets.NORMAL].values
    np.testing.assert_allclose(np.linalg.norm(small * 2 - 1, axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("Ada", "Ada"),
        ("Ada Lovelace (1843)", "Ada_Lovelace_1843"),
        ("Zoë Müller", "Zoe_Muller"),
        ("007", "Head_007"),
        ("x" * 80, "x" * 32),
    ],
)
def test_asset_names_are_ones_that_every_engine_takes(name: str, stem: str) -> None:
    assert clean_stem(name) == stem


def test_names_in_other_scripts_become_different_plain_ones() -> None:
    stems = {clean_stem(name) for name in ("爱达", "李明", "Ада")}
    assert len(stems) == 3
    assert all(stem.isascii() and stem.startswith("Head_") for stem in stems)


def test_unknown_preset_is_an_error_that_lists_them() -> None:
    with pytest.raises(RelightifyError, match="GLB, GLTF, UNITY, UNREAL, USD, USDZ"):
        preset_named("MAYA")


def test_displacement_is_written_beside_the_others_in_16_bits() -> None:
    relief = replace(skin(), displacement=np.full((8, 8, 1), 0.5, np.float32))
    for identifier, name in (
        ("UNREAL", "T_Ada_Head_H"),
        ("UNITY", "Ada_Head_Height"),
        ("GLTF", "Ada_Head_displacement"),
    ):
        texture = textures_of(relief, PRESETS[identifier], "Ada")[presets.DISPLACEMENT]
        assert (texture.name, texture.depth, texture.srgb) == (name, SIXTEEN, False)
        assert textures_of(relief, PRESETS[identifier], "Ada")[presets.COLOUR].depth == EIGHT
        np.testing.assert_array_equal(texture.values, 0.5)
    assert presets.DISPLACEMENT not in textures_of(skin(), PRESETS["UNREAL"], "Ada")
