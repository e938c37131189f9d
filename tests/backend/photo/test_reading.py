"""Photos of every kind arrive as the same upright sRGB image; what is no photo is refused with a sentence."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pillow_heif
import pytest
from PIL import ExifTags, Image, ImageCms

from backend.imaging.colour import linear_to_srgb, srgb_to_linear
from backend.photo.reading import read_photo
from shared.errors import RelightifyError


def encode(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def smooth(height: int = 96, width: int = 128) -> np.ndarray:
    """A smooth colour gradient that survives lossy coding; brightest red at the right, brightest green at the foot."""
    y, x = np.mgrid[0:height, 0:width]
    return np.stack([x * 255 // (width - 1), y * 255 // (height - 1), np.full_like(x, 90)], axis=-1).astype(np.uint8)


def code_of(data: bytes) -> str:
    with pytest.raises(RelightifyError) as caught:
        read_photo(data)
    assert caught.value.hint
    return caught.value.code


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "BMP", "WEBP"])
def test_lossless_files_keep_their_pixels(kind: str) -> None:
    options = {"lossless": True} if kind == "WEBP" else {}
    np.testing.assert_array_equal(read_photo(encode(Image.fromarray(smooth()), kind, **options)).image_srgb, smooth())


def test_heic_is_read() -> None:
    pillow_heif.register_heif_opener()
    photo = read_photo(encode(Image.fromarray(smooth()), "HEIF", quality=95))
    assert np.abs(photo.image_srgb.astype(int) - smooth()).mean() < 4


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_gives_an_upright_photo(orientation: int) -> None:
    upright = Image.fromarray(smooth())
    # The inverse of what a viewer does for this orientation.
    stored = {
        2: Image.Transpose.FLIP_LEFT_RIGHT,
        3: Image.Transpose.ROTATE_180,
        4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE,
        6: Image.Transpose.ROTATE_90,
        7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }
    image = upright.transpose(stored[orientation]) if orientation in stored else upright
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    np.testing.assert_array_equal(read_photo(encode(image, "PNG", exif=exif)).image_srgb, smooth())


def test_transparency_lies_over_white() -> None:
    rgba = np.dstack([smooth(), np.full((96, 128), 255, np.uint8)])
    rgba[:, :64, 3] = 0
    for image in (Image.fromarray(rgba), Image.fromarray(rgba).quantize(64)):
        pixels = read_photo(encode(image, "PNG")).image_srgb
        assert (pixels[:, :64] == 255).all()
        assert np.abs(pixels[:, 64:].astype(int) - smooth()[:, 64:]).mean() < 20


def test_grey_with_alpha_lies_over_white() -> None:
    grey = Image.fromarray(smooth()[..., 0])
    image = Image.merge("LA", (grey, Image.new("L", grey.size, 0)))
    assert (read_photo(encode(image, "PNG")).image_srgb == 255).all()


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bit_grey_keeps_its_tones(kind: str) -> None:
    grey = smooth()[..., 0]
    image = Image.fromarray(grey.astype(np.uint16) * 257)
    np.testing.assert_array_equal(read_photo(encode(image, kind)).image_srgb, np.repeat(grey[..., None], 3, axis=2))


@pytest.mark.parametrize("extension", [".png", ".tiff"])
def test_sixteen_bit_colour_keeps_its_tones(extension: str) -> None:
    data = cv2.imencode(extension, smooth()[..., ::-1].astype(np.uint16) * 257)[1].tobytes()
    assert np.abs(read_photo(data).image_srgb.astype(int) - smooth()).max() <= 1


def test_floating_point_is_taken_as_linear_light() -> None:
    linear = srgb_to_linear(smooth() / 255).astype(np.float32)
    data = cv2.imencode(".tiff", np.ascontiguousarray(linear[..., ::-1]))[1].tobytes()
    assert np.abs(read_photo(data).image_srgb.astype(int) - smooth()).max() <= 1
    grey = encode(Image.fromarray(linear[..., 0]), "TIFF")
    assert np.abs(read_photo(grey).image_srgb[..., 1].astype(int) - smooth()[..., 0]).max() <= 1


def test_cmyk_becomes_rgb() -> None:
    photo = read_photo(encode(Image.new("CMYK", (100, 80), (0, 255, 255, 0)), "TIFF"))
    red, green, blue = photo.image_srgb[40, 50].astype(int)
    assert red > 180
    assert max(green, blue) < 90


def test_a_wide_gamut_profile_is_converted() -> None:
    # The only profiles at hand without a file: Lab as a stand-in would change the mode, so swap sRGB's primaries.
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    profile = bytes(profile).replace(b"sRGB", b"swap").replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be"))
    pixels = read_photo(encode(Image.new("RGB", (80, 80), (250, 10, 10)), "PNG", icc_profile=profile)).image_srgb
    assert pixels[40, 40, 1] > 200
    assert pixels[40, 40, 0] < 60


def test_a_broken_profile_is_ignored() -> None:
    data = encode(Image.fromarray(smooth()), "PNG", icc_profile=b"not a profile")
    np.testing.assert_array_equal(read_photo(data).image_srgb, smooth())


def test_an_animation_gives_its_first_frame() -> None:
    frames = [Image.new("RGB", (80, 80), colour) for colour in ("red", "blue")]
    data = encode(frames[0], "GIF", save_all=True, append_images=frames[1:])
    np.testing.assert_array_equal(read_photo(data).image_srgb[40, 40], (255, 0, 0))


def exif_with(**tags: object) -> Image.Exif:
    exif = Image.Exif()
    exif.get_ifd(ExifTags.IFD.Exif).update({ExifTags.Base[name]: value for name, value in tags.items()})
    return exif


def test_the_equivalent_focal_length_is_read() -> None:
    photo = read_photo(encode(Image.fromarray(smooth()), "JPEG", exif=exif_with(FocalLengthIn35mmFilm=50)))
    assert photo.focal_35mm == 50
    assert photo.focal_px == pytest.approx(50 / np.hypot(36, 24) * np.hypot(128, 96))


def test_the_focal_length_follows_from_the_sensor() -> None:
    # 1280 px on 36 mm: a full-frame sensor, so the focal length is its own equivalent (for the sensor's diagonal).
    exif = exif_with(
        FocalLength=85.0,
        FocalPlaneXResolution=1280 / 3.6,
        FocalPlaneResolutionUnit=3,
        ExifImageWidth=1280,
        ExifImageHeight=853,
    )
    photo = read_photo(encode(Image.fromarray(smooth(853, 1280)), "JPEG", exif=exif))
    assert photo.focal_35mm == pytest.approx(85, rel=0.005)


def test_a_cropped_photo_has_no_known_focal_length() -> None:
    exif = exif_with(FocalLengthIn35mmFilm=50, ExifImageWidth=4000, ExifImageHeight=2000)
    assert read_photo(encode(Image.fromarray(smooth()), "JPEG", exif=exif)).focal_35mm is None


def test_a_huge_jpeg_is_reduced_while_it_is_decoded() -> None:
    photo = read_photo(encode(Image.new("RGB", (12000, 9000), (200, 120, 90)), "JPEG", quality=40))
    assert photo.image_srgb.shape[0] * photo.image_srgb.shape[1] <= 25.1e6
    assert photo.width / photo.height == pytest.approx(4 / 3, rel=0.001)


def test_no_photo_is_an_error_with_a_hint() -> None:
    jpeg = encode(Image.fromarray(smooth(400, 400)), "JPEG")
    png = encode(Image.fromarray(smooth()), "PNG")
    assert code_of(b"") == "photo_empty"
    assert code_of(b"solid cube\nfacet normal 0 0 1") == "photo_unreadable"
    assert code_of(jpeg[: len(jpeg) // 2]) == "photo_truncated"
    assert code_of(png[: len(png) // 2]) == "photo_truncated"
    assert code_of(encode(Image.new("RGB", (63, 200)), "PNG")) == "photo_too_small"
    assert code_of(encode(Image.new("1", (20000, 10000)), "PNG")) == "photo_too_large"


@pytest.mark.filterwarnings("ignore:Corrupt EXIF data")
def test_the_head_of_a_tiff_without_its_body_is_an_error() -> None:
    assert code_of(b"II*\x00 and then nothing of a TIFF") == "photo_truncated"


def test_the_linear_view_is_the_inverse_of_the_encoding() -> None:
    photo = read_photo(encode(Image.fromarray(smooth()), "PNG"))
    assert photo.image_linear.dtype == np.float32
    assert photo.image_linear is photo.image_linear
    np.testing.assert_allclose(linear_to_srgb(photo.image_linear) * 255, smooth(), atol=0.01)
    assert srgb_to_linear(np.array(0.5)) == pytest.approx(0.21404, abs=1e-5)
