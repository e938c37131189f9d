"""Nothing malformed gets through the wire format, and nothing too large."""

from __future__ import annotations

from typing import Any

import msgpack
import numpy as np
import pytest

from shared.errors import RelightifyError
from shared.head_mesh import HeadMesh
from shared.messages import (
    MAX_PHOTO_BYTES,
    Buffer,
    Cancel,
    Error,
    Hello,
    JobProgress,
    Message,
    Pong,
    ProtocolError,
    Reconstruct,
    Welcome,
    new_job_id,
)
from shared.options import JobOptions
from shared.photos import MOST_PHOTOS
from shared.protocol import MAX_FRAMES, MAX_HEADER_BYTES, PROTOCOL_VERSION, decode, encode
from shared.refit_messages import Refit
from tests.shared.example_fit import example_state
from tests.shared.example_mesh import example_mesh
from tests.shared.example_messages import result


def header_of(frames: list[Buffer]) -> dict[str, Any]:
    return msgpack.unpackb(frames[0])


def with_header(frames: list[Buffer], /, **changes: Any) -> list[Buffer]:
    packed: Any = msgpack.packb({**header_of(frames), **changes})
    return [packed, *frames[1:]]


def with_fields(message: Message, /, **changes: Any) -> list[Buffer]:
    frames = encode(message)
    return with_header(frames, fields={**header_of(frames)["fields"], **changes})


@pytest.mark.parametrize(("theirs", "sender", "to_update"), [(0, "client", "add-on"), (0, "server", "backend")])
def test_an_older_version_is_told_to_update_the_side_that_is_older(theirs: int, sender: str, to_update: str) -> None:
    message = Hello("x") if sender == "client" else Pong("ready")
    with pytest.raises(ProtocolError) as caught:
        decode(with_header(encode(message), protocol=theirs))
    assert caught.value.code == "version_mismatch"
    assert to_update in caught.value.hint


def test_a_newer_server_tells_the_client_to_update_itself() -> None:
    with pytest.raises(ProtocolError) as caught:
        decode(with_header(encode(Pong("ready")), protocol=PROTOCOL_VERSION + 1, type="something_new", fields=[]))
    assert caught.value.code == "version_mismatch"
    assert "add-on" in caught.value.hint


def test_random_bytes_are_a_protocol_error() -> None:
    random = np.random.default_rng(1)
    for size in [0, 1, 2, 5, 20, 100, 1000] * 100:
        frames: list[Buffer] = [random.bytes(size) for _ in range(random.integers(1, 4))]
        with pytest.raises(ProtocolError):
            decode(frames)


def test_a_truncated_header_is_a_protocol_error() -> None:
    header = bytes(encode(Reconstruct("job", b"123"))[0])
    for length in range(len(header)):
        with pytest.raises(ProtocolError):
            decode([header[:length], b"123"])


def test_flipped_bits_never_raise_anything_but_a_protocol_error() -> None:
    random = np.random.default_rng(2)
    frames = encode(result(info={"a": [1, 2.5]}))
    refused = 0
    for _ in range(2000):
        header = bytearray(frames[0])
        header[random.integers(len(header))] ^= 1 << int(random.integers(8))
        try:
            decode([header, *frames[1:]])
        except ProtocolError:
            refused += 1
    assert refused > 1000


def test_missing_swapped_and_truncated_raw_frames_are_protocol_errors() -> None:
    frames = encode(result())
    vertices, quads = 1, 2
    for broken in (
        frames[:-1],
        [*frames, b""],
        [frames[0], frames[quads], frames[vertices], *frames[3:]],
        [frames[0], memoryview(frames[vertices])[:-4], *frames[2:]],
        [],
    ):
        with pytest.raises(ProtocolError):
            decode(broken)


@pytest.mark.parametrize(
    "change",
    [
        {"dtype": "object"},
        {"dtype": "complex128"},
        {"shape": [-1, 3]},
        {"shape": [2**31, 2**31]},
        {"shape": [2**64 - 1]},
        {"shape": "3"},
        {"shape": [1] * 40},
        {"field": "maps"},
        {"field": 3},
        {"key": "normals"},
    ],
    ids=str,
)
def test_a_wrong_frame_description_is_a_protocol_error(change: dict[str, Any]) -> None:
    frames = encode(result())
    described = header_of(frames)["frames"]
    described[0].update(change)
    with pytest.raises(ProtocolError):
        decode(with_header(frames, frames=described))


@pytest.mark.parametrize(
    ("message", "change"),
    [
        (Cancel("job"), {"job_id": 3}),
        (Cancel("job"), {"job_id": "../../etc"}),
        (Cancel("job"), {"job_id": "a" * 65}),
        (Cancel("job"), {"unknown": 1}),
        (JobProgress("job", "x", 0.5), {"fraction": float("nan")}),
        (JobProgress("job", "x", 0.5), {"fraction": 1.5}),
        (JobProgress("job", "x", 0.5), {"fraction": True}),
        (JobProgress("job", "x", 0.5), {"seconds_left": "soon"}),
        (JobProgress("job", "x", 0.5), {"preview": [[1, 2, 3]]}),
        (Reconstruct("job", b"1"), {"options": {"quality": "best"}}),
        (Reconstruct("job", b"1"), {"options": {"path": "x"}}),
        (Reconstruct("job", b"1"), {"options": {"resolution": [1]}}),
        (Reconstruct("job", b"1"), {"options": 3}),
        (Reconstruct("job", b"1"), {"options": {"seed": "x"}}),
        (Reconstruct("job", b"1"), {"options": {"face": -1}}),
        (Reconstruct("job", b"1"), {"file_name": "x" * 10000}),
        (Reconstruct("job", b"1"), {"corrections": 3}),
        (Reconstruct("job", b"1"), {"corrections": [{"handle": "chin", "pixel": ["x", 1]}]}),
        (Refit("job", example_state()), {"corrections": [{"pixel": [1, 2]}]}),
        (Refit("job", example_state()), {"fit": 3}),
        (Pong("ready"), {"worker": "lazy"}),
        (Welcome("s", "ready"), {"devices": 7}),
        (Error("a", "b"), {"message": None}),
        (result(), {"info": 3}),
        (result(), {"warnings": [[1]]}),
    ],
    ids=lambda value: str(value)[:60] if isinstance(value, dict) else type(value).__name__,
)
def test_a_field_of_the_wrong_kind_is_a_protocol_error(message: Message, change: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        decode(with_fields(message, **change))


def test_a_photo_that_is_not_raw_bytes_is_a_protocol_error() -> None:
    frames = encode(Reconstruct("job", b"photo"))
    described = [{"field": "photo", "key": "", "dtype": "uint8", "shape": [5]}]
    with pytest.raises(ProtocolError):
        decode(with_header(frames, frames=described))


def test_a_client_cannot_send_what_only_a_server_sends() -> None:
    with pytest.raises(ProtocolError):
        decode(encode(Pong("ready")), "client")


def test_deeply_nested_headers_are_a_protocol_error() -> None:
    nested = b"\x91" * 3000 + b"\x00"
    with pytest.raises(ProtocolError):
        decode([nested])


@pytest.mark.parametrize("change", ["quads", "uv_quads", "face_part", "nan", "dtype", "shape"])
def test_a_mesh_that_points_outside_itself_is_refused_by_both_sides(change: str) -> None:
    arrays = {name: array.copy() for name, array in example_mesh().arrays().items()}
    if change == "nan":
        arrays["vertices"][0, 0] = np.nan
    elif change == "dtype":
        arrays["quads"] = arrays["quads"].astype(np.int64)
    elif change == "shape":
        arrays["expression_weights"] = arrays["expression_weights"][:-1]
    else:
        arrays[change].reshape(-1)[0] = 200
    with pytest.raises(RelightifyError):
        result(HeadMesh(**arrays))


def test_a_photo_over_the_limit_is_refused_before_it_is_sent() -> None:
    photo = np.broadcast_to(np.zeros(1, np.uint8), (MAX_PHOTO_BYTES + 1,)).data
    with pytest.raises(ProtocolError) as caught:
        Reconstruct("job", photo)
    assert caught.value.code == "photo_too_large"
    assert "256 MB" in caught.value.message


def test_photos_of_one_person_are_bounded_together() -> None:
    half = np.broadcast_to(np.zeros(1, np.uint8), (MAX_PHOTO_BYTES // 2 + 1,)).data
    with pytest.raises(ProtocolError) as caught:
        Reconstruct("job", half, further={"2": half})
    assert caught.value.code == "photo_too_large"


@pytest.mark.parametrize(
    ("further", "faces"),
    [
        ({"1": b"left"}, ()),
        ({"2": b"left", "4": b"right"}, ()),
        ({str(n): b"x" for n in range(2, MOST_PHOTOS + 2)}, ()),
        ({"2": b"left"}, (0, 1)),
        ({"2": b"left"}, (-1,)),
        ({"2": b"left"}, (True,)),
    ],
)
def test_further_photos_are_numbered_and_their_faces_are_numbers(further: Any, faces: Any) -> None:
    with pytest.raises(ProtocolError):
        Reconstruct("job", b"front", JobOptions(), "", further, faces)


def test_a_message_of_one_photo_needs_nothing_of_further_ones() -> None:
    frames = [bytes(frame) for frame in encode(Reconstruct("job", b"photo"))]
    header = msgpack.unpackb(frames[0])
    assert [spec["field"] for spec in header["frames"]] == ["photo"]
    del header["fields"]["further_faces"]
    plain = bytes(msgpack.packb(header))  # pyright: ignore[reportArgumentType]
    assert decode([plain, *frames[1:]], "client") == Reconstruct("job", b"photo")


def test_sizes_are_checked_before_anything_is_decoded() -> None:
    for frames in ([b"x" * (MAX_HEADER_BYTES + 1)], [b"x"] * (MAX_FRAMES + 1)):
        with pytest.raises(ProtocolError) as caught:
            decode(frames)
        assert caught.value.code == "too_large"


def test_job_ids_differ() -> None:
    assert len({new_job_id() for _ in range(1000)}) == 1000
