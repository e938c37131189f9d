"""Whatever a file says of itself, reading it starts no program, and takes bounded memory and time, or is refused."""

from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from backend.photo.files.decoding_cost import tag_bytes
from backend.photo.reading import read_photo
from shared.errors import RelightifyError
from shared.messages import MAX_PHOTO_BYTES
from shared.photo_files import photo_file_bytes

ROOT = Path(__file__).resolve().parents[3]
GIGABYTES, SECONDS = 1.5, 15.0


def code_of(data: bytes) -> str:
    with pytest.raises(RelightifyError) as caught:
        read_photo(data)
    assert caught.value.hint
    return caught.value.code


# --- formats ----------------------------------------------------------------------------------------------------

OTHERS = {
    "EPS": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 200\n%%EndComments\n{} loop\n%%EOF\n",
    "PDF": b"%PDF-1.4\n1 0 obj<<>>endobj\ntrailer<<>>\n%%EOF",
    "XPM": b'/* XPM */\nstatic char *x[] = {"64 64 1 1", "a c #ff0000",' + b'"' + b"a" * 64 + b'",' + b"};",
    "WMF": b"\xd7\xcd\xc6\x9a" + bytes(60),
    "PPM": b"P6 80 80 255\n" + bytes(80 * 80 * 3),
    "SGI": b"\x01\xda" + bytes(600),
    "SVG": b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>",
}


@pytest.mark.parametrize("kind", OTHERS)
def test_format_that_is_not_on_the_list_is_refused_and_starts_no_program(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subprocess, "Popen", lambda *_, **__: pytest.fail("a program was started"))
    assert code_of(OTHERS[kind]) == "photo_unreadable"


@pytest.mark.parametrize(
    "error", [RuntimeError("x"), struct.error("x"), KeyError("x"), RecursionError(), SystemError()]
)
@pytest.mark.parametrize("where", ["PIL.Image.open", "PIL.PngImagePlugin.PngImageFile.load"])
def test_whatever_a_decoder_raises_is_an_error_of_the_photo(
    monkeypatch: pytest.MonkeyPatch, where: str, error: Exception
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(where, fail)
    assert code_of(encoded(Image.new("RGB", (80, 80)), "PNG")) == "photo_truncated"


def test_photo_for_which_no_memory_is_left_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
    assert code_of(encoded(Image.new("RGB", (80, 80)), "PNG")) == "photo_too_large"


# --- memory and time --------------------------------------------------------------------------------------------


def encoded(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def deflated(size: int, chunk: int = 2**24) -> bytes:
    packer = zlib.compressobj(1)
    parts = [packer.compress(bytes(min(chunk, size - start))) for start in range(0, size, chunk)]
    return b"".join([*parts, packer.flush()])


def png(width: int, height: int, colour_type: int, texel_bytes: int) -> bytes:
    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    pixels = deflated((width * texel_bytes + 1) * height)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def tiff(width: int, height: int, samples: int, bits: int, floating: bool, rows: int | None = None) -> bytes:
    """A deflated TIFF of zeros, in strips of so many rows, or one."""
    rows = rows or height
    strips = [deflated(min(rows, height - top) * width * samples * bits // 8) for top in range(0, height, rows)]
    body = b"".join(strips)
    starts = [8 + sum(map(len, strips[:n])) for n in range(len(strips))]
    end = 8 + len(body)
    lists = struct.pack(f"<{len(strips)}I", *starts) + struct.pack(f"<{len(strips)}I", *map(len, strips))
    bits_at = end + len(lists)
    lists += struct.pack(f"<{samples}H", *[bits] * samples)

    def many(count: int, at: int, value: int) -> tuple[int, int]:
        return count, value if count == 1 else at

    entries = [
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, *((samples, bits_at) if samples > 2 else (1, bits))),
        (259, 3, 1, 8),
        (262, 3, 1, 2 if samples > 2 else 1),
        (273, 4, *many(len(strips), end, starts[0])),
        (277, 3, 1, samples),
        (278, 4, 1, rows),
        (279, 4, *many(len(strips), end + 4 * len(strips), len(strips[0]))),
        (339, 3, 1, 3 if floating else 1),
    ]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\x00" + struct.pack("<I", end + len(lists)) + body + lists + directory + bytes(4)


def progressive_scans(count: int) -> bytes:
    """A progressive JPEG of many pixels and scans, of which each costs time and no bytes."""
    data = encoded(Image.new("L", (9000, 9000), 100), "JPEG", progressive=True, quality=20)
    last = data.rfind(b"\xff\xda")
    return data[:last] + data[last:-2] * count + data[-2:]


def noisy_jpeg(width: int, height: int, **options: object) -> bytes:
    """As many bytes a pixel as a photo has."""
    tile = np.clip(np.random.default_rng(0).normal(128, 25, (1020, 1360, 3)), 0, 255).astype(np.uint8)
    times = (-(-height // 1020), -(-width // 1360), 1)
    return encoded(Image.fromarray(np.tile(tile, times)[:height, :width]), "JPEG", quality=85, **options)


# Of telephones.
LARGEST = ("JPEG of 200 megapixels", "progressive JPEG of 200 megapixels")
HUGE: dict[str, Callable[[], bytes]] = {
    "float TIFF of 13000 x 13000": lambda: tiff(13000, 13000, 1, 32, True, rows=500),
    "float TIFF of one strip": lambda: tiff(13000, 13000, 1, 32, True),
    "RGBA PNG of 13300 x 13300": lambda: png(13300, 13300, 6, 4),
    "PNG of 2500000 x 70": lambda: png(2_500_000, 70, 2, 3),
    "float RGB TIFF of 9000 x 9000": lambda: tiff(9000, 9000, 3, 32, True, rows=500),
    "16-bit RGB TIFF of 10000 x 9000": lambda: tiff(10000, 9000, 3, 16, False, rows=500),
    "JPEG of 200 megapixels": lambda: noisy_jpeg(16320, 12240),
    "progressive JPEG of 200 megapixels": lambda: noisy_jpeg(16320, 12240, progressive=True),
    "JPEG of 30000 x 30000": lambda: encoded(Image.new("RGB", (30000, 30000), (90, 60, 40)), "JPEG"),
    "JPEG of 2000 scans": lambda: progressive_scans(2000),
}

CHILD = """
import json, re, sys, time
from pathlib import Path
from backend.photo.reading import read_photo
from shared.errors import RelightifyError
def peak():
    # The most of this process alone; what getrusage tells is that of its parent, where that is more.
    return int(re.search(r"VmHWM:\\s*(\\d+)", Path("/proc/self/status").read_text()).group(1))
data = Path(sys.argv[1]).read_bytes()
before, began = peak(), time.process_time()
try:
    outcome = list(read_photo(data).image_srgb.shape)
except RelightifyError as error:
    outcome = error.code
print(json.dumps([outcome, (peak() - before) * 1024 / 1e9, peak() * 1024 / 1e9, time.process_time() - began]))
"""


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="peak memory in kilobytes")
@pytest.mark.parametrize("what", HUGE)
def test_huge_photo_is_read_or_refused_within_memory_and_time(tmp_path: Path, what: str) -> None:
    path = tmp_path / "photo"
    path.write_bytes(HUGE[what]())
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)], cwd=ROOT, capture_output=True, text=True, check=True, timeout=250
    )
    outcome, more, peak, seconds = json.loads(done.stdout.splitlines()[-1])
    print(what, outcome, f"{more:.2f} GB more, {peak:.2f} GB, {seconds:.1f} s")
    assert isinstance(outcome, list) or (what not in LARGEST and outcome.startswith("photo_"))
    assert peak <= GIGABYTES
    assert seconds <= SECONDS


def test_tags_that_name_the_same_bytes_over_and_over_are_not_read() -> None:
    blob, count = 2**20, 2000
    entries = b"".join(struct.pack("<HHII", 40000 + n, 7, blob, 8) for n in range(count))
    data = b"II*\x00" + struct.pack("<I", 8 + blob) + bytes(blob) + struct.pack("<H", count) + entries + bytes(4)
    assert tag_bytes(data) == blob * count
    assert code_of(data) == "photo_truncated"
    image = Image.new("RGB", (80, 80), (200, 100, 50))
    read = read_photo(encoded(image, "PNG", exif=b"Exif\x00\x00" + data))
    assert tuple(read.image_srgb[0, 0]) == (200, 100, 50)


def test_large_photo_in_bands_is_what_a_small_one_is(monkeypatch: pytest.MonkeyPatch) -> None:
    y, x = np.mgrid[0:192, 0:144]
    pixels = np.stack([x, y, np.full_like(x, 90), 255 - x], axis=-1).astype(np.uint8)
    for mode in ("RGBA", "RGB", "L", "P", "CMYK", "I;16", "F", "1"):
        grey = pixels[..., 0]
        if mode in ("I;16", "F"):
            image = Image.fromarray(grey.astype(np.uint16) * 257 if mode == "I;16" else (grey / 255).astype(np.float32))
        else:
            image = Image.fromarray(pixels).convert(mode)
        data = encoded(image, "TIFF")
        whole = read_photo(data).image_srgb
        with monkeypatch.context() as patch:
            patch.setattr("backend.photo.files.srgb_pixels.BAND_PIXELS", 1000)
            np.testing.assert_array_equal(read_photo(data).image_srgb, whole, err_msg=mode)
            for module in ("decoding_cost", "sizes", "srgb_pixels"):
                patch.setattr(f"backend.photo.files.{module}.MAX_WORKING_PIXELS", 96 * 72)
            half = read_photo(data).image_srgb
        assert half.shape == (96, 72, 3), mode
        if mode not in ("1", "P"):
            means = whole.reshape(96, 2, 72, 2, 3).mean(axis=(1, 3))
            assert np.abs(half - means).max() < 6, mode


# --- files ------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(os.name != "posix", reason="devices and pipes")
def test_what_is_no_plain_file_of_bounded_size_is_refused_at_once(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with (tmp_path / "sparse").open("wb") as file:
        file.truncate(6 * 2**30)
    for path in (
        Path("/dev/zero"),
        tmp_path / "pipe",
        tmp_path,
        tmp_path / "nobody",
        Path("~nosuchuser/x"),
        Path("\0"),
    ):
        with pytest.raises(OSError, match=r"."):
            photo_file_bytes(path)
    with pytest.raises(RelightifyError) as caught:
        photo_file_bytes(tmp_path / "sparse")
    assert caught.value.code == "photo_too_large"
    assert str(MAX_PHOTO_BYTES // 2**20) in caught.value.message
    (tmp_path / "photo").write_bytes(b"pixels")
    assert photo_file_bytes(tmp_path / "photo") == b"pixels"


# --- colour -----------------------------------------------------------------------------------------------------


def renamed(profile: bytes, name: str) -> bytes:
    return profile.replace(b"sRGB", name.encode()).replace("sRGB".encode("utf-16-be"), name.encode("utf-16-be"))


def srgb_profile() -> bytes:
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def test_profile_that_only_calls_itself_srgb_is_converted() -> None:
    profile = bytearray(srgb_profile())
    red, green = profile.find(b"rXYZ"), profile.find(b"gXYZ")
    profile[red : red + 4], profile[green : green + 4] = b"gXYZ", b"rXYZ"
    pixels = read_photo(
        encoded(Image.new("RGB", (80, 80), (250, 10, 10)), "PNG", icc_profile=bytes(profile))
    ).image_srgb
    assert pixels[40, 40, 1] > 200
    assert pixels[40, 40, 0] < 60


def test_linear_profile_of_gimp_is_converted_by_its_curve() -> None:
    """Every value of a linear grey ramp comes out sRGB-encoded; the profile is called "GIMP built-in Linear sRGB"."""
    with Image.open(ROOT / "tests/backend/photo/gimp_linear_srgb.png") as image:
        profile = image.info["icc_profile"]
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2).repeat(64, axis=0)
    pixels = read_photo(encoded(Image.fromarray(ramp), "PNG", icc_profile=profile)).image_srgb
    linear = np.arange(256) / 255
    expected = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055) * 255
    assert np.abs(pixels[0, :, 1] - expected)[8:].max() < 2
    photo = ROOT / "tests/backend/photo/gimp_linear_srgb.png"
    with Image.open(photo) as image:
        assert read_photo(photo.read_bytes()).image_srgb.mean() > np.asarray(image).mean() + 30


def test_srgb_under_another_name_is_left_as_it_is() -> None:
    random = np.random.default_rng(0).integers(0, 256, (80, 80, 3), np.uint8)
    data = encoded(Image.fromarray(random), "PNG", icc_profile=renamed(srgb_profile(), "abcd"))
    np.testing.assert_array_equal(read_photo(data).image_srgb, random)
