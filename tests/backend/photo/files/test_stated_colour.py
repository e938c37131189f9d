"""What a file says of its colours is followed: by profile, by numbers, by tags; the picture is then sRGB."""

from __future__ import annotations

import io
import struct
import zlib

import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms

from backend.asset_files import SOURCES
from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.files.colour_encoding import ADOBE_RGB, PRIMARIES, SRGB, ColourEncoding, nits_to_pq, pq_to_nits
from backend.photo.files.colour_profile import UNUSABLE_PROFILE
from backend.photo.files.stated_colour import UNKNOWN_COLOUR
from backend.photo.reading import Photo, read_photo
from backend.photo.viewer_copy import viewer_copy

# Linear sRGB of skins, a grey, a red and a blue that lie inside of all the spaces here.
COLOURS = np.array([[0.6, 0.38, 0.27], [0.2, 0.1, 0.06], [0.2, 0.2, 0.2], [0.5, 0.12, 0.1], [0.1, 0.2, 0.5]])
EXPECTED = linear_to_srgb(COLOURS) * 255
# Linear sRGB to linear BT.2020 (ITU-R BT.2087, table 2) and to Adobe RGB (1998) of the same white.
TO_2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
TO_ADOBE = np.array([[0.7151, 0.2849, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0412, 0.9588]])


def patches(values: np.ndarray) -> Image.Image:
    """Values [5, 3] in [0, 1] as stripes of 32 pixels."""
    rows = np.round(np.clip(values, 0, 1) * 255).astype(np.uint8).repeat(32, axis=0)
    return Image.fromarray(np.repeat(rows[None], 96, axis=0))


def shown(photo: Photo) -> np.ndarray:
    """The stripes' middles [5, 3]."""
    return photo.image_srgb[48, 16::32].astype(float)


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def with_chunks(data: bytes, *chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG with chunks after its head."""
    made = [struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b)) for n, b in chunks]
    return data[:33] + b"".join(made) + data[33:]


def gama(value: float) -> tuple[bytes, bytes]:
    return b"gAMA", struct.pack(">I", round(value * 100000))


PQ_2020 = nits_to_pq(np.clip(COLOURS @ TO_2020.T, 0, None) * 203)
ADOBE = np.power(COLOURS @ TO_ADOBE.T, 256 / 563)


def test_curves_and_primaries_are_those_of_the_standards() -> None:
    assert pq_to_nits(np.array([0.0, 0.508078, 0.751827, 1.0])) == pytest.approx([0, 100, 1000, 10000], rel=1e-4)
    # Hybrid log-gamma's reference white: 75 % of the signal is 203 cd/m2 on a display of 1000.
    white = ColourEncoding(PRIMARIES[9], "hlg").linear(np.full((1, 3), 0.75))
    np.testing.assert_allclose(white, 1.0, atol=0.01)
    np.testing.assert_allclose(ColourEncoding(PRIMARIES[9]).matrix, np.linalg.inv(TO_2020), atol=1e-3)
    np.testing.assert_allclose(ADOBE_RGB.matrix, np.linalg.inv(TO_ADOBE), atol=1e-3)
    np.testing.assert_allclose(ColourEncoding(PRIMARIES[4]).matrix.sum(1), 1, atol=1e-3)


def test_what_is_brighter_than_white_is_pressed_below_it_and_skin_stays() -> None:
    encoding = ColourEncoding(SRGB, "pq")
    light = np.linspace(0, 4, 400)[:, None] * [1.0, 0.7, 0.5]
    pressed = encoding.tone_mapped(light, 4.0)
    assert pressed.max() < 1 + 1e-9
    assert (np.diff(pressed[:, 0]) >= -1e-9).all()
    np.testing.assert_allclose(pressed[:30], light[:30], atol=1e-3)
    np.testing.assert_allclose(pressed[200] / pressed[200, 0], [1.0, 0.7, 0.5])


@pytest.mark.parametrize("kind", ["HEIF", "AVIF"])
def test_perceptual_quantiser_of_wide_gamut_is_converted(kind: str) -> None:
    pillow_heif.register_heif_opener()
    image = patches(PQ_2020)
    if kind == "HEIF":
        numbers = {"color_primaries": 9, "transfer_characteristics": 16, "matrix_coefficients": 9}
        data = encoded(image, kind, quality=100, chroma=444, save_nclx_profile=True, **numbers)
    else:
        plain = encoded(image, kind, quality=100, subsampling="4:4:4")
        place = plain.index(b"nclx") + 4
        data = plain[:place] + struct.pack(">HH", 9, 16) + plain[place + 4 :]
    # Steps of eight bits are 3 % of light here.
    assert np.abs(shown(read_photo(data)) - EXPECTED).max() < 9
    assert viewer_copy(data) is not None


def test_ten_bits_are_read_as_such() -> None:
    values = np.round(np.repeat(PQ_2020.repeat(32, axis=0)[None], 96, axis=0) * 65535).astype(np.uint16)
    image = pillow_heif.from_bytes("RGB;16", (160, 96), values.tobytes())
    numbers = {"color_primaries": 9, "transfer_characteristics": 16, "matrix_coefficients": 0}
    stream = io.BytesIO()
    image.save(stream, quality=-1, chroma=444, save_nclx_profile=True, **numbers)
    assert np.abs(shown(read_photo(stream.getvalue())) - EXPECTED).max() < 2


def test_png_chunks_count_in_the_order_of_the_specification() -> None:
    linear = encoded(patches(COLOURS), "PNG")
    srgb = encoded(patches(EXPECTED / 255), "PNG")
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    cicp = (b"cICP", bytes([1, 8, 0, 1]))
    for data in (
        with_chunks(linear, gama(1.0)),
        with_chunks(linear, cicp),
        with_chunks(linear, cicp, (b"sRGB", b"\x00")),
        with_chunks(encoded(patches(COLOURS), "PNG", icc_profile=profile), cicp),
    ):
        # Linear light in eight bits is coarse in the shadows.
        assert np.abs(shown(read_photo(data)) - EXPECTED).max() < 4
    for data in (
        with_chunks(srgb, gama(1 / 2.2)),
        with_chunks(srgb, (b"sRGB", b"\x00"), gama(1.0)),
        with_chunks(encoded(patches(EXPECTED / 255), "PNG", icc_profile=profile), gama(1.0)),
    ):
        np.testing.assert_array_equal(shown(read_photo(data)), np.round(EXPECTED))


def test_png_primaries_are_followed() -> None:
    points = (0.3127, 0.3290, 0.64, 0.33, 0.21, 0.71, 0.15, 0.06)
    chrm = b"cHRM", struct.pack(">8I", *[round(p * 100000) for p in points])
    data = with_chunks(encoded(patches(ADOBE), "PNG"), gama(256 / 563), chrm)
    # 2.2 is written for 563 / 256 and for sRGB's own curve alike.
    assert np.abs(shown(read_photo(data)) - EXPECTED).max() < 5


@pytest.mark.parametrize("told", ["R03", "colour space 2"])
def test_adobe_rgb_of_a_camera_is_converted(told: str) -> None:
    exif = Image.Exif()
    space: dict[int, int] = {ExifTags.Base.ColorSpace: 0xFFFF if told == "R03" else 2}
    for tag, value in space.items():
        exif.get_ifd(ExifTags.IFD.Exif)[tag] = value
    if told == "R03":
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.IFD.Interop] = {1: "R03"}
    data = encoded(patches(ADOBE), "JPEG", quality=98, subsampling=0, exif=exif)
    assert np.abs(shown(read_photo(data)) - EXPECTED).max() < 4
    assert viewer_copy(data) is not None
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.ColorSpace] = 1
    exif.get_ifd(ExifTags.IFD.Exif).pop(ExifTags.IFD.Interop, None)
    srgb = encoded(patches(EXPECTED / 255), "JPEG", quality=98, subsampling=0, exif=exif)
    assert np.abs(shown(read_photo(srgb)) - EXPECTED).max() < 4


def test_sixteen_bit_tiff_follows_its_profile() -> None:
    """Lightroom's usual export for retouching: 16 bits, a wide gamut."""
    swapped = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = swapped.find(b"rXYZ"), swapped.find(b"gXYZ")
    swapped[red : red + 4], swapped[green : green + 4] = b"gXYZ", b"rXYZ"
    for values, limit in ((np.uint16, 65535), (np.float32, 1)):
        light = EXPECTED / 255 if values is np.uint16 else COLOURS
        stripes = (np.repeat(light.repeat(32, axis=0)[None], 96, axis=0) * limit).astype(values)[..., [1, 0, 2]]
        data = tiff_with_profile(stripes, bytes(swapped))
        assert np.abs(shown(read_photo(data)) - EXPECTED).max() < 2


def tiff_with_profile(pixels: np.ndarray, profile: bytes) -> bytes:
    """An uncompressed RGB TIFF of 16-bit or floating point values [H, W, 3]."""
    height, width, _ = pixels.shape
    body = pixels.tobytes()
    bits, kind = pixels.dtype.itemsize * 8, 3 if pixels.dtype.kind == "f" else 1
    at = 8 + len(body)
    tail = struct.pack("<6H", bits, bits, bits, kind, kind, kind) + profile
    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, 3, at),
        (259, 3, 1, 1),
        (262, 3, 1, 2),
        (273, 4, 1, 8),
        (277, 3, 1, 3),
        (278, 4, 1, height),
        (279, 4, 1, len(body)),
        (339, 3, 3, at + 6),
        (34675, 7, len(profile), at + 12),
    ]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *e) for e in entries) + bytes(4)
    return b"II*\x00" + struct.pack("<I", at + len(tail)) + body + tail + directory


def grey_profile(gamma: float) -> bytes:
    """An ICC profile of a grey with a power law (ICC.1:2010, section 8.5)."""
    xyz = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    text = b"text" + bytes(4) + b"none\x00\x00\x00\x00"
    tags = [
        (b"wtpt", xyz),
        (b"kTRC", curve),
        (b"cprt", text),
        (b"desc", b"desc" + bytes(4) + struct.pack(">I", 2) + b"g" + bytes(80)),
    ]
    head_size, table, body = 128, b"", b""
    first = head_size + 4 + 12 * len(tags)
    for name, data in tags:
        table += name + struct.pack(">II", first + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    size = first + len(body)
    head = struct.pack(">I", size) + b"lcms" + bytes([2, 64, 0, 0]) + b"mntrGRAYXYZ " + bytes(12) + b"acsp" + bytes(28)
    head += struct.pack(">3i", 63190, 65536, 54061)
    return head.ljust(head_size, b"\x00") + struct.pack(">I", len(tags)) + table + body


def test_grey_with_a_curve_of_its_own_is_converted() -> None:
    light = COLOURS[:, 1]
    values = np.power(light, 1 / 1.8)
    row = np.round(values * 255).astype(np.uint8).repeat(32)
    image = Image.fromarray(np.repeat(row[None], 96, axis=0))
    found = shown(read_photo(encoded(image, "JPEG", quality=98, icc_profile=grey_profile(1.8))))
    assert np.abs(found - linear_to_srgb(light)[:, None] * 255).max() < 3
    deep = Image.fromarray(np.repeat(np.round(values * 65535).astype(np.uint16).repeat(32)[None], 96, axis=0))
    found = shown(read_photo(encoded(deep, "PNG", icc_profile=grey_profile(1.8))))
    assert np.abs(found - linear_to_srgb(light)[:, None] * 255).max() < 3


def test_what_cannot_be_converted_is_said() -> None:
    image = patches(EXPECTED / 255)
    grey_in_colour = read_photo(encoded(image, "PNG", icc_profile=grey_profile(1.8)))
    assert grey_in_colour.warnings == (UNUSABLE_PROFILE,)
    strange = with_chunks(encoded(image, "PNG"), (b"cICP", bytes([200, 13, 0, 1])))
    assert read_photo(strange).warnings == (UNKNOWN_COLOUR,)
    print_without_profile = read_photo(encoded(image.convert("CMYK"), "JPEG", quality=95))
    assert "CMYK" in print_without_profile.warnings[0]
    assert np.abs(shown(print_without_profile) - EXPECTED).max() < 12
    assert read_photo(encoded(image, "PNG")).warnings == ()


CASES = SOURCES.parent / "cases"


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not on this machine")
def test_photo_in_perceptual_quantiser_looks_like_the_same_one_in_linear_light() -> None:
    heif, png = (
        srgb_to_linear(read_photo((CASES / name).read_bytes()).image_srgb / 255)
        for name in ("heic_pq_2020.heic", "gimp_linear_srgb_icc.png")
    )
    np.testing.assert_allclose(heif.mean((0, 1)), png.mean((0, 1)), rtol=0.03)
