"""Whatever a file holds: a recording that can be played, or an error that says what is wrong with the file."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from blender_addon.expression.arkit_csv import Recording, at_frames, read_recording
from shared.errors import RelightifyError
from tests.generated import damaged

SHAPES = ("jawOpen", "eyeBlinkLeft", "mouthSmileLeft")
COLUMNS = ("Timecode", "BlendshapeCount", "EyeBlinkLeft", "jawOpen", "mouthSmile_L", "HeadYaw", "HeadPitch", "HeadRoll")
COLUMNS += ("LeftEyeYaw", "LeftEyePitch", "RightEyeYaw", "RightEyePitch", "", "Notes")
ORDINARY = (
    b"Timecode,BlendshapeCount,EyeBlinkLeft,JawOpen,HeadYaw,HeadPitch,HeadRoll\r\n"
    b"10:00:00:00.0,61,0.5,0.25,0.1,-0.2,0.3\r\n"
    b"10:00:00:01.0,61,0.5,0.75,0.1,-0.2,0.3\r\n"
)

NUMBERS = st.floats(width=64).map(repr) | st.floats(-1, 2).map("{:.4f}".format) | st.integers().map(str)
TIMES = st.builds("{:02d}:{:02d}:{:02d}:{}".format, *(st.integers(0, 59) for _ in range(3)), st.floats(0, 99))
ODD_TIMES = st.builds("{}:{}:{}:{}".format, NUMBERS, NUMBERS, NUMBERS, NUMBERS) | st.text(max_size=6)
CELLS = NUMBERS | st.text(max_size=6)
FRAMES_A_SECOND = 1.0  # of the scene; a take may seem to last for a day


@st.composite
def tables(draw: st.DrawFn) -> bytes:
    """A table that is right in the main: its header, its cells, its lines or their ends may be odd."""
    header = draw(st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=14))
    count = draw(st.integers(0, 5))
    times = draw(st.lists(TIMES, min_size=count, max_size=count).map(sorted) | st.lists(TIMES | ODD_TIMES, max_size=5))
    lines = [[time if name == "Timecode" else draw(CELLS) for name in header] for time in times]
    if draw(st.booleans()):
        lines.append(draw(st.lists(CELLS, max_size=14)))
    separator, end = draw(st.sampled_from((",", ";", "\t"))), draw(st.sampled_from(("\n", "\r\n", "\r")))
    return end.join(separator.join(line) for line in (header, *lines)).encode(errors="surrogatepass")


def outcome(data: bytes) -> Recording | RelightifyError:
    try:
        return read_recording(data, "take.csv", SHAPES)
    except RelightifyError as error:
        return error


def plays_or_says_why_not(data: bytes) -> None:
    found = outcome(data)
    if isinstance(found, RelightifyError):
        assert found.code == "bad_recording"
        assert "take.csv" in found.message
        assert found.hint
        return
    for played in (found, at_frames(found, FRAMES_A_SECOND)):
        assert played.seconds[0] == 0
        assert (np.diff(played.seconds) > 0).all()
        assert played.weights.shape == (len(played.seconds), len(played.shape_names))
        assert ((played.weights >= 0) & (played.weights <= 1)).all()
        for turns in (played.head, played.eyes):
            assert turns is None or np.isfinite(turns).all()


@given(tables())
def test_table_with_odd_parts_is_played_or_refused(data: bytes) -> None:
    plays_or_says_why_not(data)


@given(damaged(ORDINARY))
def test_damaged_recording_is_played_or_refused(data: bytes) -> None:
    plays_or_says_why_not(data)


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode(errors="surrogatepass")))
def test_any_file_is_played_or_refused(data: bytes) -> None:
    plays_or_says_why_not(data)
