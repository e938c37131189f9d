"""Reading face recordings in the CSV layout of Epic's Live Link Face, and bringing them to a scene's frames.

Pure Python and numpy: this module knows nothing of Blender and is tested outside of it.

The layout: one header line ``Timecode,BlendshapeCount,EyeBlinkLeft,...,TongueOut,HeadYaw,...,RightEyeRoll`` and one
line a sample. A timecode is ``HH:MM:SS:FF.fff``: FF counts frames of the clock that the phone was set to, fff is the
fraction of such a frame. The 52 shapes are ARKit's, in [0, 1]; the nine rotations are radians. Recorders differ in
capitals, some write ``eyeBlink_L``, and a table that went through an office program has semicolons and decimal commas.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .._shared import RelightifyError

CLOCK_RATES = (24.0, 25.0, 30.0, 48.0, 50.0, 60.0, 100.0, 120.0)
USUAL_RATE = 60.0
HEAD_COLUMNS = ("headyaw", "headpitch", "headroll")
EYE_COLUMNS = ("lefteyeyaw", "lefteyepitch", "righteyeyaw", "righteyepitch")
# By how much our eyeLook shapes turn the eyeball at a weight of 1 (they are rotations about its centre).
EYE_TURN_DEGREES = {"Up": 22.0, "Down": 28.0, "In": 26.0, "Out": 26.0}
HOUR, MINUTE, DAY = 3600.0, 60.0, 86400.0
# Hours, minutes, seconds and frames of a timecode end before these; some write thousandths as frames.
TIMECODE_ENDS = (24, 60, 60, 1000)


@dataclass(frozen=True)
class Recording:
    """A face over time.

    Args:
        seconds: float64 [T], increasing, 0 at the first sample.
        shape_names: the K shapes that the file has, named as they were asked for.
        weights: float64 [T, K] in [0, 1].
        head: float64 [T, 3], yaw, pitch and roll in radians, or None where the file has none.
        eyes: float64 [T, 4], left yaw, left pitch, right yaw, right pitch in radians, or None.
        warnings: sentences for the user.
    """

    seconds: np.ndarray
    shape_names: tuple[str, ...]
    weights: np.ndarray
    head: np.ndarray | None
    eyes: np.ndarray | None
    warnings: tuple[str, ...] = ()


def read_recording(data: bytes, name: str, shape_names: Sequence[str], rate: float | None = None) -> Recording:
    """Read a recording.

    Args:
        data: bytes of the file.
        name: the file's name, for messages.
        shape_names: names of the head's shapes; capitals and underscores in the file do not matter.
        rate: frames a second of the clock behind the timecodes; None finds it from the timecodes.

    Raises:
        RelightifyError: ``bad_recording`` where there is nothing to play, with what is wrong with the file.
    """
    header, rows = _table(_text(data, name), name)
    column_of = {_key(cell): index for index, cell in reversed(list(enumerate(header)))}
    found = tuple(shape for shape in shape_names if _key(shape) in column_of)
    if not found:
        raise _bad(
            f"{name} has no columns of face shapes; its first line begins with {', '.join(header[:3])!r}.",
            "Export the CSV of a take from Live Link Face (ARKit mode).",
        )
    warnings = []
    missing = [shape for shape in shape_names if shape not in found]
    if missing:
        listed = ", ".join(missing[:4]) + (" and others" if len(missing) > 4 else "")
        warnings.append(f"{name} lacks {len(missing)} of {len(shape_names)} shapes, which stay as they are: {listed}.")
    whole = [row for row in rows if len(row) >= len(header)]
    if len(whole) < len(rows):
        warnings.append(f"{len(rows) - len(whole)} incomplete lines of {name} were left out.")
    if not whole:
        raise _bad(f"{name} has a header but no samples.", "Record the take again.")
    times = [row[column_of["timecode"]] for row in whole] if "timecode" in column_of else []
    seconds, time_warnings = _seconds(times, len(whole), rate, name)
    keep = np.concatenate([[True], np.diff(seconds) > 1e-6])
    if not keep.all():
        warnings.append(f"{int((~keep).sum())} samples of {name} with the time of the one before were left out.")

    def numbers(keys: Sequence[str]) -> np.ndarray | None:
        if any(key not in column_of for key in keys):
            return None
        values = np.array([[_number(row[column_of[key]]) for key in keys] for row in whole], np.float64)
        return _filled(values)[keep]

    weights = numbers([_key(shape) for shape in found])
    if weights is None:
        raise RuntimeError("a column that was found is gone")
    return Recording(
        seconds=seconds[keep] - seconds[0],
        shape_names=found,
        weights=np.clip(weights, 0.0, 1.0),
        head=numbers(HEAD_COLUMNS),
        eyes=numbers(EYE_COLUMNS),
        warnings=(*warnings, *time_warnings),
    )


def at_frames(recording: Recording, fps: float) -> Recording:
    """The recording at whole frames of a scene, linearly interpolated; the first frame is its first sample.

    Args:
        recording: any recording.
        fps: frames a second of the scene, above 0.
    """
    count = int(np.floor(recording.seconds[-1] * fps + 1e-6)) + 1
    seconds = np.arange(count) / fps

    def resample(values: np.ndarray) -> np.ndarray:
        return np.stack([np.interp(seconds, recording.seconds, column) for column in values.T], axis=1)

    return Recording(
        seconds=seconds,
        shape_names=recording.shape_names,
        weights=resample(recording.weights),
        head=None if recording.head is None else resample(np.unwrap(recording.head, axis=0)),
        eyes=None if recording.eyes is None else resample(recording.eyes),
        warnings=recording.warnings,
    )


def look_weights(eyes: np.ndarray) -> dict[str, np.ndarray]:
    """The eight eyeLook shapes that turn the eyes as a recording's rotations do.

    Args:
        eyes: float [T, 4] as in `Recording`; yaw turns to the subject's left, pitch down, as ARKit's face axes do.

    Returns:
        weights float [T] in [0, 1] by shape name.
    """
    signed = {}
    for side, yaw, pitch, outwards in (("Left", eyes[:, 0], eyes[:, 1], 1), ("Right", eyes[:, 2], eyes[:, 3], -1)):
        for way, angle in (("Out", outwards * yaw), ("In", -outwards * yaw), ("Down", pitch), ("Up", -pitch)):
            signed[f"eyeLook{way}{side}"] = angle / np.radians(EYE_TURN_DEGREES[way])
    return {name: np.clip(values, 0.0, 1.0) for name, values in signed.items()}


def _text(data: bytes, name: str) -> str:
    try:
        # A byte order mark says so where it is UTF-16, as office programs write it.
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(
            f"{name} is not a text file.", "Choose the CSV of a take, not its video or a compressed folder."
        ) from error
    if not text.strip():
        raise _bad(f"{name} is empty.", "Export the take again.")
    return text


def _table(text: str, name: str) -> tuple[list[str], list[list[str]]]:
    """Header and lines; empty lines are gone and decimal commas are points."""
    first = next(line for line in text.splitlines() if line.strip())
    separator = max(",;\t", key=first.count)
    if separator not in first:
        raise _bad(f"{name} is not a table of values separated by commas.", "Choose the CSV of a take.")
    if "\0" in text:
        raise _bad(f"{name} is not a text file.", "Choose the CSV of a take.")
    try:
        # Some write a bare carriage return at the end of a line; without `newline` it would be none.
        lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=separator))
    except csv.Error as error:
        raise _bad(f"{name} is not a table ({error}).", "Choose the CSV of a take.") from error
    rows = [row for row in lines if any(cell.strip() for cell in row)] or [[]]
    if separator != ",":
        rows = [rows[0], *([cell.replace(",", ".") for cell in row] for row in rows[1:])]
    header = [cell.strip() for cell in rows[0]]
    while header and not header[-1]:
        header.pop()
    return header, rows[1:]


def _key(name: str) -> str:
    """What is left of a column's name when spelling is set aside."""
    plain = re.sub(r"_([lr])$", lambda m: {"l": "left", "r": "right"}[m[1]], name.strip().lower())
    return re.sub(r"[\s_]", "", plain)


def _number(cell: str) -> float:
    try:
        value = float(cell)
    except ValueError:
        return np.nan
    return value if np.isfinite(value) else np.nan


def _filled(values: np.ndarray) -> np.ndarray:
    """Cells that are no numbers take what lies between their neighbours in time; columns without any are 0."""
    filled = values.copy()
    rows = np.arange(len(values))
    for column in filled.T:
        known = np.isfinite(column)
        column[~known] = np.interp(rows[~known], rows[known], column[known]) if known.any() else 0.0
    return filled


def _seconds(times: Sequence[str], count: int, rate: float | None, name: str) -> tuple[np.ndarray, list[str]]:
    """Seconds of each sample, and what to say about it."""
    evenly = np.arange(count) / (rate or USUAL_RATE)
    if not times:
        return evenly, [f"{name} has no timecodes; {rate or USUAL_RATE:g} samples a second were assumed."]
    parts = [_timecode(cell) for cell in times]
    known = [p for p in parts if p is not None]
    if len(known) < len(parts):
        return evenly, [f"Timecodes of {name} cannot be read; {rate or USUAL_RATE:g} samples a second were assumed."]
    clock, frames = np.array(known).T
    seconds = clock + frames / (rate or clock_rate(clock, frames))
    # A take may run over midnight.
    seconds = seconds + DAY * np.cumsum(np.concatenate([[0], np.diff(seconds) < -DAY / 2]))
    if (np.diff(seconds) < -1e-6).any():
        return evenly, [f"Timecodes of {name} run backwards; {rate or USUAL_RATE:g} samples a second were assumed."]
    return seconds, []


def _timecode(cell: str) -> tuple[float, float] | None:
    """Seconds and frames of ``HH:MM:SS:FF.fff`` (or with ``;``); ``HH:MM:SS.fff`` has no frames. None: not of a day."""
    try:
        numbers = [float(part) for part in re.split("[:;]", cell.strip())]
    except ValueError:
        return None
    if len(numbers) not in (3, 4) or not all(0 <= n < end for n, end in zip(numbers, TIMECODE_ENDS, strict=False)):
        return None
    return numbers[0] * HOUR + numbers[1] * MINUTE + numbers[2], numbers[3] if len(numbers) == 4 else 0.0


def clock_rate(clock: np.ndarray, frames: np.ndarray) -> float:
    """Frames a second of the clock behind timecodes.

    Where a second was counted to its end, the highest number tells; a take within one second says little, so the
    phone's usual 60 is taken there.

    Args:
        clock: float [T], whole seconds.
        frames: float [T], frames within the second.
    """
    highest = float(np.floor(frames).max())
    fitting = [rate for rate in CLOCK_RATES if rate > highest]
    if not fitting:
        # Thousandths of a second where frames should be.
        return 1000.0
    return fitting[0] if clock.max() > clock.min() else max(USUAL_RATE, fitting[0])


def _bad(message: str, hint: str) -> RelightifyError:
    return RelightifyError("bad_recording", message, hint)
