"""Photos of all kinds and sizes arrive upright and whole; whatever else comes is an error with a code."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ExifTags, Image, ImageCms

from backend.photo.files.sizes import MIN_SIDE_PX
from backend.photo.reading import Photo, read_photo
from shared.errors import RelightifyError
from tests.generated import damaged

MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK", "YCbCr"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I", "I;16", "F"),
    "WEBP": ("RGB", "RGBA"),
}
KINDS = [(kind, mode) for kind, modes in MODES.items() for mode in modes]
SIGNATURES = (
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"II*\x00",
    b"MM\x00*",
    b"II+\x00",
    b"RIFF\x40\x00\x00\x00WEBPVP8 ",
)
SIGNATURES += (b"GIF89a", b"BM", b"\x00\x00\x00\x18ftypheic", b"8BPS\x00\x01", b"")


def picture(mode: str, width: int, height: int) -> Image.Image:
    """A smooth picture of any mode."""
    y, x = np.mgrid[0:height, 0:width]
    red, green = x / max(width - 1, 1), y / max(height - 1, 1)
    if mode == "F":
        return Image.fromarray(red.astype(np.float32))
    if mode in ("I", "I;16"):
        return Image.fromarray((red * 65535).astype(np.int32 if mode == "I" else np.uint16))
    pixels = (np.stack([red, green, np.full_like(red, 0.4)], axis=-1) * 255).astype(np.uint8)
    image = Image.fromarray(pixels)
    if mode == "LAB":
        lab, srgb = ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, srgb, lab, outputMode="LAB")
        assert converted is not None
        return converted
    return image.convert(mode)


def encoded(kind: str, mode: str, size: tuple[int, int], orientation: int = 1, **options: object) -> bytes:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.FocalLengthIn35mmFilm] = 50
    stream = io.BytesIO()
    picture(mode, *size).save(stream, kind, exif=exif, **options)
    return stream.getvalue()


SIDES = st.integers(MIN_SIDE_PX, 200)


@given(st.sampled_from(KINDS), SIDES, SIDES, st.integers(1, 8))
def test_photo_of_any_kind_comes_upright_and_whole(kind: tuple[str, str], width: int, height: int, turn: int) -> None:
    photo = read_photo(encoded(*kind, (width, height), turn))
    # The orientations from 5 on lie on their side.
    upright = (height, width) if turn < 5 else (width, height)
    assert photo.image_srgb.shape == (*upright, 3)
    assert photo.image_srgb.dtype == np.uint8
    assert np.ptp(photo.image_srgb) > 100, "the picture is gone"


@given(st.sampled_from(KINDS), st.integers(1, 90), st.integers(1, MIN_SIDE_PX - 1), st.booleans())
def test_photo_with_a_short_side_is_too_small(kind: tuple[str, str], long: int, short: int, tall: bool) -> None:
    size = (short, long) if tall else (long, short)
    with pytest.raises(RelightifyError) as caught:
        read_photo(encoded(*kind, size))
    assert caught.value.code == "photo_too_small"


FILES = {
    f"{kind} {mode}": encoded(kind, mode, (96, 80), 6, **options)
    for kind, mode, options in (
        ("PNG", "RGBA", {}),
        ("PNG", "P", {}),
        ("PNG", "I;16", {}),
        ("JPEG", "RGB", {"icc_profile": ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()}),
        ("JPEG", "CMYK", {}),
        ("TIFF", "RGB", {}),
        ("TIFF", "F", {"compression": "tiff_lzw"}),
        ("TIFF", "YCbCr", {"compression": "jpeg"}),
        ("WEBP", "RGBA", {}),
    )
}


def outcome(data: bytes) -> Photo | RelightifyError:
    try:
        return read_photo(data)
    except RelightifyError as error:
        return error


def reads_or_says_why_not(data: bytes) -> None:
    found = outcome(data)
    if isinstance(found, Photo):
        assert min(found.image_srgb.shape[:2]) >= MIN_SIDE_PX
    else:
        assert found.code.startswith("photo_")
        assert found.hint


# Pillow warns of EXIF data that it cannot read; we log that ourselves.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", FILES)
@given(data=st.data())
def test_damaged_photo_is_read_or_refused_with_a_code(name: str, data: st.DataObject) -> None:
    reads_or_says_why_not(data.draw(damaged(FILES[name])))


@pytest.mark.filterwarnings("ignore")
@given(st.sampled_from(SIGNATURES), st.binary(max_size=2000))
def test_any_bytes_are_read_or_refused_with_a_code(signature: bytes, rest: bytes) -> None:
    reads_or_says_why_not(signature + rest)
