"""The wire under generated messages and damage: what goes in comes out, and what is wrong is a protocol error."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgpack
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from shared.corrections import Correction, Corrections
from shared.messages import (
    WORKER_STATES,
    Buffer,
    Cancel,
    Detect,
    Error,
    Faces,
    Goodbye,
    Hello,
    JobProgress,
    Message,
    Ping,
    Pong,
    ProtocolError,
    Queued,
    Reconstruct,
    Result,
    Shutdown,
    Welcome,
)
from shared.option_kinds import Choice, Number, Option
from shared.options import JOB_OPTIONS, RESOLUTIONS, JobOptions
from shared.protocol import decode, encode
from shared.refit_messages import Refit
from tests.generated import damaged
from tests.shared.example_fit import example_refitted, example_state
from tests.shared.example_mesh import example_mesh

TEXT = st.text(max_size=30)
IDS = st.text("abcXYZ019_-", min_size=1, max_size=64)
BYTES = st.binary(max_size=50)
STATES = st.sampled_from(WORKER_STATES)
TEXTS = st.lists(TEXT, max_size=3).map(tuple)
PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3)))
PLAIN: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)


def all_values(option: Option) -> st.SearchStrategy[Any]:
    """What a job may have, for generated tests."""
    if isinstance(option, Choice):
        return st.sampled_from(option.values)
    if isinstance(option, Number):
        low, high = option.low, option.high
        given = st.integers(int(low), int(high)) if option.whole else st.floats(low, high)
        return st.none() | given if option.unset else given
    return st.booleans()


OPTIONS = st.builds(
    JobOptions,
    **{
        **{name: all_values(option) for name, option in JOB_OPTIONS.items()},
        # The largest has room for few samples.
        "resolution": st.sampled_from(RESOLUTIONS[:-1]),
    },
)


@st.composite
def several_faces(draw: st.DrawFn) -> Faces:
    problems = draw(st.lists(TEXT, min_size=1, max_size=3))
    side = draw(st.integers(1, 4))
    boxes = draw(arrays.arrays(np.float32, (len(problems), 4), elements=st.floats(0, 1, width=32)))
    thumbnails = draw(arrays.arrays(np.uint8, (len(problems), side, side, 3)))
    return Faces(draw(IDS), boxes, thumbnails, draw(PICTURES), tuple(problems))


PIXELS = st.tuples(st.floats(-1e6, 1e6), st.floats(-1e6, 1e6))
WEIGHTS = st.just((0.5, 0.5, 0.0))
CORRECTIONS = st.lists(
    st.builds(Correction, PIXELS, landmark=st.integers(0, 477))
    | st.builds(Correction, PIXELS, handle=st.text(st.characters(codec="ascii"), min_size=1, max_size=64))
    | st.builds(Correction, PIXELS, vertices=st.tuples(*3 * [st.integers(0, 2**31 - 1)]), weights=WEIGHTS),
    max_size=4,
    unique_by=lambda correction: correction.point,
).map(lambda points: Corrections(tuple(points)))


MESSAGES: st.SearchStrategy[Message] = st.one_of(
    st.builds(Hello, TEXT),
    st.builds(Welcome, TEXT, STATES, TEXTS, TEXTS, TEXT, st.integers(0, 2**63)),
    st.builds(Reconstruct, IDS, BYTES, OPTIONS, TEXT, corrections=CORRECTIONS),
    st.builds(Refit, IDS, st.builds(example_state, st.integers(1, 9), st.integers(0, 9)), CORRECTIONS),
    st.builds(example_refitted, IDS, st.integers(4, 9), st.integers(0, 9)),
    st.builds(Detect, IDS, BYTES, TEXT),
    st.builds(Queued, IDS, st.integers(0, 2**31), STATES),
    st.builds(JobProgress, IDS, TEXT, st.floats(0, 1), st.none() | st.floats(0, 1e9), st.none() | PICTURES),
    st.builds(
        Result,
        IDS,
        st.builds(example_mesh, st.integers(4, 9), st.integers(1, 5), st.integers(0, 9)),
        st.dictionaries(TEXT, BYTES, max_size=3),
        st.dictionaries(TEXT, PLAIN, max_size=3),
        TEXTS,
    ),
    several_faces(),
    st.builds(Error, TEXT, TEXT, TEXT, st.none() | IDS),
    st.builds(Cancel, IDS),
    st.builds(Ping, st.lists(IDS, max_size=3).map(tuple)),
    st.builds(Pong, STATES),
    st.builds(Goodbye),
    st.builds(Shutdown),
)


def same(sent: Any, received: Any) -> bool:
    """Whether two values are alike, arrays and bytes by what they hold."""
    if hasattr(sent, "arrays"):
        return same(sent.arrays(), received.arrays())
    if isinstance(sent, np.ndarray):
        return (sent.dtype, sent.shape) == (received.dtype, received.shape) and bool((sent == received).all())
    if isinstance(sent, bytes):
        return sent == bytes(received)
    if isinstance(sent, dict):
        return sent.keys() == received.keys() and all(same(value, received[key]) for key, value in sent.items())
    return type(sent) is type(received) and sent == received


@given(MESSAGES)
def test_message_comes_out_as_it_went_in(message: Message) -> None:
    received = decode([bytes(frame) for frame in encode(message)], message.sender)
    assert type(received) is type(message)
    for item in fields(message):
        assert same(getattr(message, item.name), getattr(received, item.name)), item.name


def outcome(frames: list[Buffer]) -> Message | ProtocolError:
    try:
        return decode(frames)
    except ProtocolError as error:
        return error


def is_read_or_refused(frames: list[Buffer]) -> None:
    found = outcome(frames)
    if isinstance(found, ProtocolError):
        assert found.message
        assert found.hint
    else:
        # What was let in can be passed on.
        encode(found)


@given(MESSAGES, st.data())
def test_damaged_frame_is_read_or_refused(message: Message, data: st.DataObject) -> None:
    frames = [bytes(frame) for frame in encode(message)]
    number = data.draw(st.integers(0, len(frames) - 1))
    if frames[number]:
        frames[number] = data.draw(damaged(frames[number]))
    is_read_or_refused(list(frames))


@given(MESSAGES, st.data())
def test_frames_in_another_order_or_number_are_read_or_refused(message: Message, data: st.DataObject) -> None:
    frames = [bytes(frame) for frame in encode(message)]
    is_read_or_refused(data.draw(st.lists(st.sampled_from(frames), max_size=len(frames) + 2)))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path to everything within a header."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, part in inner for place in places(part, (*path, key)))]


@given(MESSAGES, PLAIN, st.data())
def test_header_with_anything_in_place_of_a_part_is_read_or_refused(
    message: Message, instead: Any, data: st.DataObject
) -> None:
    frames = encode(message)
    header = {"": msgpack.unpackb(frames[0])}
    *above, last = data.draw(st.sampled_from(places(header)[1:]))
    holder: Any = header
    for key in above:
        holder = holder[key]
    holder[last] = instead
    packed: Any = msgpack.packb(header[""])
    is_read_or_refused([packed, *frames[1:]])


@given(st.lists(BYTES, max_size=4))
def test_any_bytes_are_refused(frames: list[Buffer]) -> None:
    with pytest.raises(ProtocolError):
        decode(frames)
