"""Maps and their PNG files."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
import pytest

from backend.texture.maps import SkinMaps, decode_map, encode_map
from shared.errors import RelightifyError
from shared.maps import DIFFUSE_ALBEDO, DISPLACEMENT, DISPLACEMENT_ZERO, MAPS, NORMAL, ROUGHNESS, SPECULAR_ALBEDO


def random_maps(side: int = 24) -> SkinMaps:
    rng = np.random.default_rng(3)
    normal = rng.normal(size=(side, side, 3)).astype(np.float32)
    normal[..., 2] = np.abs(normal[..., 2]) + 0.5
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    colour = rng.random((2, side, side, 3), dtype=np.float32)
    grey = rng.random((2, side, side), dtype=np.float32)
    return SkinMaps(colour[0], colour[1], grey[0], normal, grey[1])


def opened(file: bytes) -> np.ndarray:
    """The values of an image file as they are stored."""
    image = cv2.imdecode(np.frombuffer(file, np.uint8), cv2.IMREAD_UNCHANGED)
    assert image is not None
    return image


def test_maps_survive_their_png_files_up_to_rounding() -> None:
    maps = random_maps()
    back = SkinMaps.decode(maps.encode()).by_name()
    tolerance = {"specular_albedo": 1e-5, "normal": 5e-5}
    for name, values in maps.by_name().items():
        assert back[name].dtype == np.float32
        np.testing.assert_allclose(back[name], values, atol=tolerance.get(name, 0.5 / 255 + 1e-6))


def test_png_files_have_the_bits_and_channel_order_that_the_table_promises() -> None:
    files = random_maps().encode()
    for spec in MAPS:
        stored = opened(files[spec.name])
        assert stored.dtype == (np.uint16 if spec.bits == 16 else np.uint8)
        assert stored.shape[2:] == (() if spec.channels == 1 else (3,))
    red = np.zeros((4, 4, 3), np.float32)
    red[..., 0] = 1
    stored = opened(encode_map(red, DIFFUSE_ALBEDO))
    assert stored[0, 0].tolist() == [0, 0, 255]  # OpenCV reads BGR


def test_a_flat_normal_is_stored_as_the_usual_blue() -> None:
    flat = np.zeros((2, 2, 3), np.float32)
    flat[..., 2] = 1
    stored = opened(encode_map(flat, NORMAL))
    assert stored[0, 0].tolist() == [65535, 32768, 32768]


def test_wrong_channels_are_refused() -> None:
    with pytest.raises(ValueError, match="3 channels"):
        encode_map(np.zeros((4, 4), np.float32), NORMAL)


@pytest.mark.parametrize("data", [b"no image", encode_map(np.zeros((4, 4, 3), np.float32), DIFFUSE_ALBEDO)])
def test_a_file_that_is_not_the_map_is_a_plain_error(data: bytes) -> None:
    with pytest.raises(RelightifyError) as raised:
        decode_map(data, SPECULAR_ALBEDO)
    assert raised.value.code == "map_unreadable"


def test_dilation_continues_the_island_and_leaves_it_and_the_visibility_alone() -> None:
    maps = random_maps(64)
    island = np.zeros((64, 64), bool)
    island[24:40, 24:40] = True
    grown = maps.dilated(island)
    np.testing.assert_array_equal(grown.texture_srgb[island], maps.texture_srgb[island])
    np.testing.assert_array_equal(grown.texture_srgb[30, 8:24], np.repeat(maps.texture_srgb[30:31, 24], 16, axis=0))
    np.testing.assert_array_equal(grown.visibility, maps.visibility)


def test_displacement_and_roughness_are_files_where_they_were_made() -> None:
    plain = random_maps()
    assert {DISPLACEMENT.name, ROUGHNESS.name}.isdisjoint(plain.encode())
    height = np.random.default_rng(0).uniform(-0.4, 0.4, (24, 24)).astype(np.float32)
    maps = replace(plain, displacement_mm=height, roughness=np.abs(height))
    files = maps.encode()
    assert opened(files[DISPLACEMENT.name]).dtype == np.uint16
    back = SkinMaps.decode(files)
    assert back.displacement_mm is not None
    assert back.roughness is not None
    np.testing.assert_allclose(back.displacement_mm, height, atol=2e-5)  # mm
    np.testing.assert_allclose(back.roughness, np.abs(height), atol=0.5 / 255 + 1e-6)


def test_what_a_flat_skin_displaces_is_the_midlevel() -> None:
    maps = replace(random_maps(), displacement_mm=np.zeros((24, 24), np.float32))
    stored = opened(maps.encode()[DISPLACEMENT.name])
    assert abs(float(stored.mean()) / 65535 - DISPLACEMENT_ZERO) < 1e-4
