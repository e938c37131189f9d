"""Files that broke off near their end are read with a warning, and refused where the face or much else is missing."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image

from backend.asset_files import SOURCES
from backend.photo.face_detector import FaceDetector
from backend.photo.files.lost_end import rescued
from backend.photo.reading import LOST_ITS_END, read_photo
from backend.photo.view import find_view
from backend.photo.viewer_copy import viewer_copy
from shared.errors import RelightifyError

CASES = SOURCES.parent / "cases"


@pytest.fixture(scope="module")
def picture() -> Image.Image:
    """400 x 640 of even detail, so that a share of the bytes is about that share of the rows."""
    noise = np.random.default_rng(1).normal(128, 40, (640, 400, 3))
    return Image.fromarray(np.clip(cv2.GaussianBlur(noise, (0, 0), 1.0) * 2 - 128, 0, 255).astype(np.uint8))


def encoded(image: Image.Image, kind: str = "JPEG", **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def code_of(data: bytes) -> str:
    with pytest.raises(RelightifyError) as caught:
        read_photo(data)
    return caught.value.code


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"subsampling": 0}, {"restart_marker_rows": 1}])
def test_jpeg_that_lost_its_last_marker_is_whole(picture: Image.Image, options: dict) -> None:
    whole = encoded(picture, quality=90, **options)
    photo = read_photo(whole[:-2])
    np.testing.assert_array_equal(photo.image_srgb, read_photo(whole).image_srgb)
    assert photo.warnings == (LOST_ITS_END,)
    assert photo.missing_px is None
    assert viewer_copy(whole[:-2]) is not None


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
@pytest.mark.parametrize("share", [0.99, 0.97])
def test_rows_that_are_missing_are_known(picture: Image.Image, kind: str, share: float) -> None:
    whole = encoded(picture, kind, **({"quality": 92} if kind == "JPEG" else {}))
    photo = read_photo(whole[: int(share * len(whole))])
    assert photo.warnings == (LOST_ITS_END,)
    assert photo.missing_px is not None
    left, top, right, bottom = photo.missing_px
    assert (left, right, bottom) == (0, 400, 640)
    assert 640 * share - 24 < top < 640 * share + 24
    kept = slice(0, int(top) - 8)
    np.testing.assert_array_equal(photo.image_srgb[kept], read_photo(whole).image_srgb[kept])


def test_zeros_in_the_place_of_the_end_are_missing_rows(picture: Image.Image) -> None:
    whole = encoded(picture, quality=92)
    kept = int(0.97 * len(whole))
    photo = read_photo(whole[:kept] + bytes(len(whole) - kept))
    assert photo.missing_px is not None
    assert photo.missing_px[1] > 600
    assert read_photo(whole + bytes(1000)).warnings == ()


def test_progressive_jpeg_cut_in_its_last_scan_is_only_coarser(picture: Image.Image) -> None:
    whole = encoded(picture, quality=90, progressive=True)
    photo = read_photo(whole[: int(0.9 * len(whole))])
    assert photo.missing_px is None
    assert np.abs(photo.image_srgb.astype(int) - read_photo(whole).image_srgb).mean() < 6


def test_missing_rows_of_a_turned_photo_are_at_its_side(picture: Image.Image) -> None:
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # the lowest row as stored is the left side
    whole = encoded(picture, quality=92, exif=exif)
    photo = read_photo(whole[: int(0.97 * len(whole))])
    assert photo.image_srgb.shape == (400, 640, 3)
    assert photo.missing_px is not None
    assert photo.missing_px[:2] == (0, 0)
    assert photo.missing_px[2] < 50
    assert photo.missing_px[3] == 400


@pytest.mark.parametrize("options", [{}, {"progressive": True}])
def test_much_that_is_missing_is_refused(picture: Image.Image, options: dict) -> None:
    whole = encoded(picture, quality=92, **options)
    for share in (0.3, 0.1) if options else (0.9, 0.5, 0.1):
        assert code_of(whole[: int(share * len(whole))]) == "photo_truncated"
    png = encoded(picture, "PNG")
    assert code_of(png[: int(0.9 * len(png))]) == "photo_truncated"
    assert rescued(b"GIF89a" + bytes(100)) is None


def test_damage_in_the_middle_of_a_png_is_no_lost_end(picture: Image.Image) -> None:
    data = bytearray(encoded(picture, "PNG"))
    data[len(data) // 2] ^= 0xFF
    assert code_of(bytes(data)) == "photo_truncated"


def test_face_in_the_missing_part_is_refused_and_another_is_not(portrait: np.ndarray, detector: FaceDetector) -> None:
    """The chin of the astronaut, cut right below, lies in the last rows."""
    whole = find_view(encoded(Image.fromarray(portrait), quality=95), detector)
    chin = int(whole.face.box[3])

    def cut(height: int) -> bytes:
        # A band of noise at the foot takes most of the bytes.
        tight = portrait[:height].copy()
        tight[-16:] = np.random.default_rng(0).integers(0, 255, tight[-16:].shape)
        data = encoded(Image.fromarray(tight), quality=90)
        return data[: len(data) - 5000]

    with pytest.raises(RelightifyError) as caught:
        find_view(cut(chin + 8), detector)
    assert caught.value.code == "photo_truncated"
    assert "face" in caught.value.message
    assert LOST_ITS_END in find_view(cut(chin + 100), detector).face.warnings


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not on this machine")
def test_case_without_its_last_bytes_is_read() -> None:
    photo = read_photo((CASES / "jpeg_no_eoi.jpg").read_bytes())
    assert photo.image_srgb.shape == (1000, 800, 3)
    assert photo.warnings == (LOST_ITS_END,)
    assert photo.missing_px is None
