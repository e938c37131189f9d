"""Recordings of Live Link Face: what is read, what is forgiven, what is refused."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy.geometry import head_geometry, part_faces
from blender_addon.expression.arkit_csv import EYE_TURN_DEGREES, Recording, at_frames, look_weights, read_recording
from shared.errors import RelightifyError
from tests.blender.finished_job import head_mesh

SHAPES = ("jawOpen", "eyeBlinkLeft", "mouthSmileLeft")
HEADER = "Timecode,BlendshapeCount,EyeBlinkLeft,JawOpen,MouthSmileLeft,HeadYaw,HeadPitch,HeadRoll"


def take(frames: list[str], rows: list[str] | None = None, header: str = HEADER) -> bytes:
    """A file with a sample at each timecode; the jaw opens from 0 to 1 where no rows are given."""
    if rows is None:
        jaw = np.linspace(0, 1, len(frames))
        rows = [f"0.5,{value:.6f},0.25,0.1,-0.2,0.3" for value in jaw]
    lines = [f"{time},61,{row}" for time, row in zip(frames, rows, strict=True)]
    return "\r\n".join([header, *lines]).encode()


def clock(rate: int, count: int, start: int = 0) -> list[str]:
    """Timecodes of every frame of a clock."""
    whole = [divmod(k, rate) for k in range(start, start + count)]
    return [f"10:00:{second:02d}:{frame:02d}.250" for second, frame in whole]


def test_values_go_to_the_shapes_of_their_columns_whatever_the_order() -> None:
    recording = read_recording(take(clock(60, 3)), "take.csv", SHAPES)
    assert recording.shape_names == SHAPES
    np.testing.assert_allclose(recording.weights, [[0, 0.5, 0.25], [0.5, 0.5, 0.25], [1, 0.5, 0.25]])
    assert recording.head is not None
    np.testing.assert_allclose(recording.head, [[0.1, -0.2, 0.3]] * 3)
    assert recording.eyes is None
    assert recording.warnings == ()


@pytest.mark.parametrize("rate", [24, 25, 30, 60])
def test_clock_rate_is_read_off_the_timecodes(rate: int) -> None:
    recording = read_recording(take(clock(rate, 2 * rate + 1, start=rate // 2)), "take.csv", SHAPES)
    assert recording.seconds[0] == 0
    assert recording.seconds[-1] == pytest.approx(2.0)


def test_take_within_a_second_is_taken_as_60_a_second_unless_told() -> None:
    data = take(clock(60, 13))
    assert read_recording(data, "take.csv", SHAPES).seconds[-1] == pytest.approx(0.2)
    assert read_recording(data, "take.csv", SHAPES, rate=30).seconds[-1] == pytest.approx(0.4)


def test_fractions_of_frames_count() -> None:
    times = ["10:00:00:29.000", "10:00:00:29.500", "10:00:01:00.000"]
    recording = read_recording(take(times), "take.csv", SHAPES, rate=30)
    np.testing.assert_allclose(recording.seconds, [0, 0.5 / 30, 1 / 30], atol=1e-9)


def test_take_over_midnight_goes_on() -> None:
    times = ["23:59:59:58.0", "23:59:59:59.0", "00:00:00:00.0"]
    recording = read_recording(take(times), "take.csv", SHAPES)
    np.testing.assert_allclose(recording.seconds, [0, 1 / 60, 2 / 60], atol=1e-6)


def test_scene_frames_keep_the_duration_and_interpolate() -> None:
    recording = at_frames(read_recording(take(clock(60, 61)), "take.csv", SHAPES), 24.0)
    assert len(recording.seconds) == 25
    np.testing.assert_allclose(recording.weights[:, 0], np.arange(25) / 24, atol=1e-6)


def test_head_that_turns_past_a_half_circle_does_not_whirl_back() -> None:
    head = np.array([[3.1, 0, 0], [-3.1, 0, 0]])
    recording = Recording(np.array([0.0, 1.0]), ("jawOpen",), np.zeros((2, 1)), head, None)
    resampled = at_frames(recording, 4.0).head
    assert resampled is not None
    assert np.abs(np.diff(resampled[:, 0])).max() < 0.1


def test_missing_shapes_are_named_in_a_warning() -> None:
    recording = read_recording(take(clock(60, 2)), "take.csv", (*SHAPES, "tongueOut"))
    assert recording.shape_names == SHAPES
    (warning,) = recording.warnings
    assert "tongueOut" in warning
    assert "1 of 4" in warning


@pytest.mark.parametrize(
    "header",
    [
        "timecode,blendshapecount,EYEBLINKLEFT,jawopen,mouthSmileLeft,HeadYaw,HeadPitch,HeadRoll",
        "Timecode,BlendShapeCount,eyeBlink_L,Jaw_Open,mouthSmile_L,HeadYaw,HeadPitch,HeadRoll",
        " Timecode , BlendshapeCount , EyeBlinkLeft , JawOpen , MouthSmileLeft , HeadYaw , HeadPitch , HeadRoll ,",
    ],
)
def test_spelling_of_columns_does_not_matter(header: str) -> None:
    data = take(clock(60, 2), ["0.5,0,0.25,0,0,0,"] * 2, header)
    assert read_recording(data, "take.csv", SHAPES).shape_names == SHAPES


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_byte_order_marks_are_understood(encoding: str) -> None:
    data = take(clock(60, 2)).decode().encode(encoding)
    assert read_recording(data, "take.csv", SHAPES).shape_names == SHAPES


def test_table_of_a_european_office_program_is_understood() -> None:
    text = take(clock(60, 2)).decode().replace(",", ";").replace(".", ",")
    recording = read_recording(text.encode(), "take.csv", SHAPES)
    np.testing.assert_allclose(recording.weights[0], [0, 0.5, 0.25])
    assert recording.warnings == ()


def test_bare_carriage_returns_end_lines() -> None:
    recording = read_recording(take(clock(60, 2)).replace(b"\r\n", b"\r"), "take.csv", SHAPES)
    np.testing.assert_allclose(recording.weights[:, 0], [0, 1])


def test_gaps_and_broken_last_line_are_forgiven() -> None:
    rows = ["0.5,0.0,0.2,0,0,0", "0.5,,nan,0,0,0", "0.5,1.0,0.4,0,0,0", "0.5,1"]
    recording = read_recording(take(clock(60, 4), rows), "take.csv", SHAPES)
    np.testing.assert_allclose(recording.weights[:, 0], [0, 0.5, 1])
    np.testing.assert_allclose(recording.weights[:, 2], [0.2, 0.3, 0.4])
    assert any("1 incomplete lines" in w for w in recording.warnings)


def test_values_beyond_the_sliders_are_cut() -> None:
    recording = read_recording(take(clock(60, 2), ["-0.1,1.3,0.5,0,0,0"] * 2), "take.csv", SHAPES)
    assert recording.weights.tolist() == [[1.0, 0.0, 0.5]] * 2


def test_second_sample_of_the_same_time_is_left_out_with_a_warning() -> None:
    times = ["10:00:00:00.0", "10:00:00:00.0", "10:00:00:01.0"]
    recording = read_recording(take(times), "take.csv", SHAPES)
    assert len(recording.seconds) == 2
    assert any("time of the one before" in w for w in recording.warnings)


@pytest.mark.parametrize(
    ("times", "word"),
    [
        (["x", "y"], "cannot be read"),
        (["10:00:05:00", "10:00:01:00"], "backwards"),
        # Frames for all those years would not fit into memory.
        (["10:00:00:00", "99999999:00:00:00"], "cannot be read"),
    ],
)
def test_bad_timecodes_fall_back_to_even_samples_with_a_warning(times: list[str], word: str) -> None:
    recording = read_recording(take(times), "take.csv", SHAPES)
    np.testing.assert_allclose(recording.seconds, [0, 1 / 60])
    assert any(word in w for w in recording.warnings)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (b"", "empty"),
        (b" \n\n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b",,\n,,\n", "no columns of face shapes"),
        (b"a,b\n" + b"1" * 200_000 + b",2\n", "not a table"),
        (b"\x89PNG\r\n\x1a\n\x00\x00", "not a text file"),
        (b"a,b\0c\n1,2\n", "not a text file"),
        (b"hello world\n", "not a table"),
        (b"Name,Age,Town\nAda,36,London\n", "no columns of face shapes"),
        (HEADER.encode(), "no samples"),
        (HEADER.encode() + b"\n10:00:00:00.0,61,0.5\n", "no samples"),
    ],
)
def test_files_without_a_take_are_refused_in_a_sentence(data: bytes, word: str) -> None:
    with pytest.raises(RelightifyError) as caught:
        read_recording(data, "take.csv", SHAPES)
    assert caught.value.code == "bad_recording"
    assert word in caught.value.message
    assert "take.csv" in caught.value.message
    assert caught.value.hint


def test_eyes_look_where_the_rotations_say() -> None:
    weights = look_weights(np.radians([[13.0, 14.0, 13.0, -11.0]]))
    on = {name: float(values[0]) for name, values in weights.items() if values[0] > 0}
    assert on == pytest.approx(
        {"eyeLookOutLeft": 0.5, "eyeLookDownLeft": 0.5, "eyeLookInRight": 0.5, "eyeLookUpRight": 0.5}
    )


def test_eye_shapes_turn_by_the_angles_that_rotations_are_divided_by() -> None:
    geometry = head_geometry(head_mesh())
    for side in ("Left", "Right"):
        eye = geometry.eyes[f"eye_{side.lower()}"]
        numbers = np.unique(geometry.quads[part_faces(geometry, f"eye_{side.lower()}")])
        front = numbers[np.argmin(geometry.vertices[numbers, 1])]
        before = geometry.vertices[front] - eye.centre
        for way, degrees in EYE_TURN_DEGREES.items():
            after = before + geometry.shape_offsets[geometry.shape_names.index(f"eyeLook{way}{side}"), front]
            cosine = before @ after / np.linalg.norm(before) / np.linalg.norm(after)
            assert np.degrees(np.arccos(cosine)) == pytest.approx(degrees, abs=0.5)
