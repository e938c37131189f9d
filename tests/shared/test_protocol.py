"""The wire format: what goes in comes out, nothing is copied, and nothing malformed gets through."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import msgpack
import numpy as np
import pytest

from shared.corrections import Correction, Corrections
from shared.errors import RelightifyError
from shared.head_mesh import HeadMesh
from shared.mesh_check import MESH_LAYOUT
from shared.messages import (
    MAX_PHOTO_BYTES,
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
    new_job_id,
)
from shared.options import JobOptions
from shared.photos import MOST_PHOTOS
from shared.protocol import MAX_FRAMES, MAX_HEADER_BYTES, PROTOCOL_VERSION, decode, encode
from shared.refit_messages import Refit, Refitted, fit_state
from tests.shared.example_fit import example_refitted, example_state
from tests.shared.example_mesh import example_mesh


def result(mesh: HeadMesh | None = None, **fields: Any) -> Result:
    maps = {"diffuse_albedo": b"\x89PNG" + bytes(range(256)), "normal": b"\x89PNG2"}
    return Result("job", mesh or example_mesh(), maps, **fields)


CORRECTIONS = Corrections(
    (Correction((1.5, 2.0), handle="chin"), Correction((3.0, 4.0), vertices=(1, 2, 3), weights=(0.5, 0.25, 0.25)))
)
MESSAGES: list[Message] = [
    Hello("add-on 1"),
    Welcome("relightify 1", "ready", ("baseline",), ("cpu", "cuda:0"), "cpu"),
    Reconstruct("job-1", b"photo", JobOptions(face=1, resolution=512, seed=2**32 - 1, samples=3), "Ünï.jpg"),
    Reconstruct("job-3", b"front", JobOptions(), "x.jpg", {"2": b"left", "3": b"right"}, (None, 2)),
    Detect("job-2", b"photo", "Ünï.jpg"),
    Reconstruct("job-3", b"photo", corrections=CORRECTIONS),
    Queued("job", 2, "busy"),
    JobProgress("job", "Fitting", 0.5, 3.25),
    Error("no_face", "There is no face.", "Take another photo.", "job"),
    Error("protocol", "Malformed."),
    Cancel("job"),
    Ping(),
    Pong("warming_up"),
    Goodbye(),
    Shutdown(),
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda m: type(m).__name__)
def test_a_message_comes_out_as_it_went_in(message: Message) -> None:
    assert decode([bytes(frame) for frame in encode(message)], message.sender) == message


def test_progress_is_called_progress_on_the_wire() -> None:
    assert b"progress" in bytes(encode(JobProgress("job", "Fitting", 0.5))[0])


def test_a_preview_comes_out_as_it_went_in() -> None:
    preview = np.random.default_rng(0).integers(0, 256, (31, 17, 3), np.uint8)
    out = decode(encode(JobProgress("job", "Texture", 0.25, None, preview)))
    assert isinstance(out, JobProgress)
    assert out.preview is not None
    assert np.array_equal(out.preview, preview)


def test_lights_of_further_photos_come_out_as_they_went_in() -> None:
    light = np.random.default_rng(0).random((4, 8, 3), np.float32)
    out = decode([bytes(frame) for frame in encode(result(further_lights={"2": light, "4": 2 * light}))], "server")
    assert isinstance(out, Result)
    assert list(out.further_lights) == ["2", "4"]
    np.testing.assert_array_equal(out.further_lights["4"], 2 * light)
    again = decode(encode(result()), "server")
    assert isinstance(again, Result)
    assert not again.further_lights


@pytest.mark.parametrize(
    ("number", "light"),
    [
        ("1", np.ones((4, 8, 3), np.float32)),
        ("9", np.ones((4, 8, 3), np.float32)),
        ("2", np.ones((4, 4, 3), np.float32)),
        ("2", np.full((4, 8, 3), np.nan, np.float32)),
        ("2", np.ones((4, 8, 3), np.float64)),
    ],
)
def test_lights_of_no_photo_or_that_are_no_image_are_refused(number: str, light: np.ndarray) -> None:
    with pytest.raises(RelightifyError):
        result(further_lights={number: light})


def faces(count: int = 2, **fields: Any) -> Faces:
    random = np.random.default_rng(0)
    made = {
        "boxes": random.random((count, 4), np.float32),
        "thumbnails": random.integers(0, 256, (count, 8, 8, 3), np.uint8),
        "photo": random.integers(0, 256, (9, 12, 3), np.uint8),
        "problems": ("", "Too small.")[:count],
        **fields,
    }
    return Faces("job", **made)


def test_a_refit_and_its_outcome_come_out_as_they_went_in() -> None:
    sent = Refit("job", example_state(), CORRECTIONS)
    out = decode([bytes(frame) for frame in encode(sent)], "client")
    assert isinstance(out, Refit)
    assert (out.job_id, out.corrections) == (sent.job_id, sent.corrections)
    for name, array in sent.fit.arrays().items():
        np.testing.assert_array_equal(out.fit.arrays()[name], array, err_msg=name)
    back = decode([bytes(frame) for frame in encode(example_refitted("job"))], "server")
    assert isinstance(back, Refitted)
    for name, value in vars(example_refitted("job")).items():
        np.testing.assert_array_equal(getattr(back, name), value, err_msg=name)


@pytest.mark.parametrize(
    "wrong",
    [
        {"identity": np.zeros(4)},
        {"identity": np.zeros(0, np.float32)},
        {"identity": np.full(4, 1e9, np.float32)},
        {"expression": np.full(2, np.nan, np.float32)},
        {"camera_rotation": np.zeros((3, 3))},
        {"camera_translation": np.array([0.0, 0.0, 1.0])},
        {"camera_focal_px": np.array(0.0)},
        {"camera_focal_px": np.array([1.0, 2.0])},
        {"image_size": np.array([0, 5], np.int32)},
    ],
    ids=str,
)
def test_malformed_fits_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        replace(example_state(), **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"vertices": np.zeros((3, 2), np.float32)},
        {"handle_names": np.array(["chin"])},
        {"handle_vertices": np.array([[0, 1, 99], [0, 0, 0]], np.int32)},
        {"handle_seen": np.zeros(2)},
    ],
    ids=str,
)
def test_malformed_outcomes_of_a_refit_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        replace(example_refitted("job"), **wrong)


def test_what_is_known_of_a_head_says_how_it_was_fitted_before_its_corrections() -> None:
    camera = {
        "rotation": np.eye(3).tolist(), "translation_m": [0, 0, -1], "focal_px": 900.0, "centre_px": [5, 6],
        "width_px": 10, "height_px": 12,
    }  # fmt: skip
    before = {"identity": [1.0, 2.0], "expression": {"jawOpen": 0.5}, "camera": camera}
    after = {**before, "identity": [3.0, 4.0]}
    assert fit_state({**after, "uncorrected": None}).identity.tolist() == [3, 4]
    assert fit_state({**after, "uncorrected": before}).identity.tolist() == [1, 2]
    with pytest.raises(ProtocolError):
        fit_state({"identity": [1.0]})


def test_faces_come_out_as_they_went_in() -> None:
    message = faces()
    out = decode([bytes(frame) for frame in encode(message)], "server")
    assert isinstance(out, Faces)
    assert out.problems == message.problems
    for name in ("boxes", "thumbnails", "photo"):
        assert np.array_equal(getattr(out, name), getattr(message, name)), name


@pytest.mark.parametrize(
    "wrong",
    [
        {"problems": ()},
        {"problems": ("",)},
        {"boxes": np.zeros((2, 4))},
        {"boxes": np.full((2, 4), np.nan, np.float32)},
        {"thumbnails": np.zeros((1, 8, 8, 3), np.uint8)},
        {"photo": np.zeros((0, 8, 3), np.uint8)},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_malformed_faces_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ProtocolError):
        faces(**wrong)


def test_a_result_comes_out_as_it_went_in() -> None:
    message = result(info={"seed": 3, "pose": [0.5, None, {"a": True}]}, warnings=("Blurred photo.",))
    out = decode([bytes(frame) for frame in encode(message)])
    assert isinstance(out, Result)
    for name, array in message.mesh.arrays().items():
        received = out.mesh.arrays()[name]
        assert (received.dtype, received.shape) == (array.dtype, array.shape), name
        assert np.array_equal(received, array), name
    assert {name: bytes(data) for name, data in out.maps.items()} == dict(message.maps)
    assert dict(out.info) == {"seed": 3, "pose": [0.5, None, {"a": True}]}
    assert out.warnings == message.warnings


def test_numpy_numbers_in_the_info_become_plain_numbers() -> None:
    out = decode(encode(result(info={"focal": np.float32(1.5), "size": np.int64(3)})))
    assert isinstance(out, Result)
    assert dict(out.info) == {"focal": 1.5, "size": 3}


def test_every_array_of_the_head_mesh_has_a_layout() -> None:
    assert set(MESH_LAYOUT) == set(example_mesh().arrays())


def test_big_arrays_are_copied_neither_on_the_way_out_nor_on_the_way_in() -> None:
    mesh = example_mesh(vertices=4000)
    photo = bytes(2**20)
    frames = encode(result(mesh))
    out = decode(frames)
    assert isinstance(out, Result)
    for name in ("vertices", "expression_offsets", "quads", "environment"):
        assert np.shares_memory(out.mesh.arrays()[name], mesh.arrays()[name]), name
    sent = encode(Reconstruct("job", photo))
    received = decode(sent)
    assert isinstance(received, Reconstruct)
    assert np.shares_memory(np.frombuffer(received.photo, np.uint8), np.frombuffer(photo, np.uint8))


def test_an_array_that_is_not_contiguous_is_sent_in_its_own_order() -> None:
    preview = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(6, 4, 3).transpose(1, 0, 2)[::-1]
    out = decode(encode(JobProgress("job", "x", 0.0, None, preview)))
    assert isinstance(out, JobProgress)
    assert np.array_equal(np.asarray(out.preview), preview)


def test_a_frame_at_an_odd_address_still_gives_an_aligned_array() -> None:
    frames = encode(result())
    shifted = [memoryview(b"?" + bytes(frame))[1:] for frame in frames]
    out = decode(shifted)
    assert isinstance(out, Result)
    assert all(array.flags.aligned for array in out.mesh.arrays().values())


# --- malformed --------------------------------------------------------------------------------------------------


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


# --- sizes ------------------------------------------------------------------------------------------------------


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
