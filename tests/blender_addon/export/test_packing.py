"""Occlusion, packed channels, depth and tiles of exported textures, in numpy alone."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy.paint import linear_from_srgb, srgb_from_linear
from blender_addon.export import presets
from blender_addon.export.presets import PRESETS
from blender_addon.export.textures import EIGHT, EXR, SIXTEEN, Surface, Texture, TextureChoices, textures_of


def skin(size: int = 8, **more: object) -> Surface:
    """A skin of roughness 0.4 with occlusion 0.25 at half the size of its maps."""
    values = {
        "colour_srgb": np.full((size, size, 3), 0.6, np.float32),
        "specular": np.full((size, size, 1), 0.35, np.float32),
        "roughness_map": np.full((size, size, 1), 0.4, np.float32),
        "occlusion": np.full((size // 2, size // 2, 1), 0.25, np.float32),
    }
    return Surface("skin", **{**values, **more})  # pyright: ignore[reportArgumentType]


def written(identifier: str, **choices: object) -> dict[str, Texture]:
    return textures_of(skin(), PRESETS[identifier], "Ada", TextureChoices(occlusion=True, **choices))  # pyright: ignore[reportArgumentType]


def test_unreal_gets_occlusion_roughness_and_metalness_in_one_file_on_request() -> None:
    files = written("UNREAL", packing=presets.PACKED_ORM)
    assert {t.name for t in files.values()} == {"T_Ada_Head_D", "T_Ada_Head_S", "T_Ada_Head_ORM"}
    np.testing.assert_allclose(files[presets.ORM].values, np.broadcast_to([0.25, 0.4, 0], (8, 8, 3)), atol=1e-6)
    assert not files[presets.ORM].srgb


def test_mask_map_of_unity_takes_the_occlusion() -> None:
    files = written("UNITY")
    np.testing.assert_allclose(files[presets.MASK].values, np.broadcast_to([0, 0.25, 0, 0.6], (8, 8, 4)), atol=1e-6)
    assert presets.OCCLUSION not in files
    assert presets.ROUGHNESS not in files


def test_each_has_a_file_of_its_own_where_that_is_asked_for() -> None:
    for identifier in PRESETS:
        files = written(identifier, packing=presets.SEPARATE)
        np.testing.assert_allclose(files[presets.OCCLUSION].values, 0.25)
        np.testing.assert_allclose(files[presets.ROUGHNESS].values, 0.4)
        assert not {presets.ORM, presets.MASK} & files.keys()


def test_gltf_packs_by_itself_only_where_there_is_occlusion() -> None:
    assert presets.ORM in written("GLB")
    assert presets.ROUGHNESS not in written("GLB")
    assert presets.ORM not in textures_of(skin(), PRESETS["GLB"], "Ada")


def test_every_preset_can_pack_in_every_way() -> None:
    for identifier in PRESETS:
        assert presets.ORM in written(identifier, packing=presets.PACKED_ORM)
        assert presets.MASK in written(identifier, packing=presets.PACKED_MASK)


@pytest.mark.parametrize(
    ("identifier", "depth", "stored", "suffix"),
    [
        ("UNREAL", EIGHT, EIGHT, ".png"),
        ("UNREAL", SIXTEEN, SIXTEEN, ".png"),
        ("UNREAL", EXR, EXR, ".exr"),
        ("GLB", EXR, SIXTEEN, ".png"),
        ("USDZ", EXR, SIXTEEN, ".png"),
    ],
)
def test_textures_are_as_deep_as_asked_and_as_the_format_knows(
    identifier: str, depth: str, stored: str, suffix: str
) -> None:
    for texture in written(identifier, depth=depth).values():
        assert texture.depth == stored
        assert texture.file_name.endswith(suffix)


def test_sixteen_bits_keep_what_eight_lose() -> None:
    fine = Texture("roughness", "a", np.full((4, 4, 1), 0.5 + 1 / 1024, np.float32), srgb=False, depth=SIXTEEN)
    assert fine.encoded()[24] == 16
    assert Texture("roughness", "a", fine.values, srgb=False).encoded()[24] == 8


def test_tiles_share_a_name_and_end_in_a_number() -> None:
    names = {
        part: textures_of(
            Surface(part, colour_srgb=np.zeros((4, 4, 3), np.float32)),
            PRESETS["UNREAL"],
            "Ada",
            TextureChoices(udim=True),
        )[presets.COLOUR].name
        for part in ("skin", "eye_left", "eye_right", "teeth")
    }
    assert names == {
        "skin": "T_Ada_D.1001",
        "eye_left": "T_Ada_D.1003",
        "eye_right": "T_Ada_D.1004",
        "teeth": "T_Ada_D.1005",
    }


def test_light_under_the_skin_spreads_red_further_than_blue_and_keeps_the_mean() -> None:
    linear = np.full((64, 64, 3), 0.2, np.float32)
    linear[30:34, 30:34] = 0.6
    surface = skin(colour_srgb=srgb_from_linear(linear), scatter=(0.05, 0.02, 0.01))
    files = textures_of(surface, PRESETS["UNREAL"], "Ada", TextureChoices(subsurface=True))
    found = linear_from_srgb(files[presets.SUBSURFACE].values)
    red, green, blue = found[32, 32]
    assert 0.2 < red < green < blue < 0.6
    np.testing.assert_allclose(found.mean(axis=(0, 1)), linear.mean(axis=(0, 1)), rtol=0.01)


def test_nothing_scatters_where_the_material_does_not() -> None:
    files = textures_of(skin(), PRESETS["UNREAL"], "Ada", TextureChoices(subsurface=True))
    assert presets.SUBSURFACE not in files
