"""Copies of photos for programs that show files as they lie on disk."""

from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from backend.photo.reading import read_photo
from backend.photo.viewer_copy import viewer_copy


def file(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.fixture
def picture() -> Image.Image:
    """Left half dark, right half light, 96 x 80."""
    return Image.fromarray(np.repeat(np.repeat([[40, 220]], 48, 1), 80, 0).astype(np.uint8)).convert("RGB")


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_plain_file_needs_no_copy(picture: Image.Image, kind: str) -> None:
    assert viewer_copy(file(picture, kind)) is None


def test_turned_photo_comes_back_upright(picture: Image.Image) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    data = file(picture, exif=exif)
    copy = viewer_copy(data)
    assert copy is not None
    shown = np.asarray(Image.open(io.BytesIO(copy)))
    upright = read_photo(data).image_srgb
    assert shown.shape == upright.shape == (96, 80, 3)
    assert np.abs(shown.astype(int) - upright).mean() < 3


def test_heic_becomes_a_jpeg(picture: Image.Image) -> None:
    copy = viewer_copy(file(picture, "HEIF"))
    assert copy is not None
    assert Image.open(io.BytesIO(copy)).format == "JPEG"


def test_photo_with_a_colour_profile_is_converted(picture: Image.Image) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    copy = viewer_copy(file(picture, icc_profile=profile))
    assert copy is not None
    assert "icc_profile" not in Image.open(io.BytesIO(copy)).info
