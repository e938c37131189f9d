"""The wire format: what goes in comes out, and nothing is copied."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from shared.errors import RelightifyError
from shared.mesh_check import MESH_LAYOUT
from shared.messages import (
    Faces,
    JobProgress,
    Message,
    ProtocolError,
    Reconstruct,
    Result,
)
from shared.protocol import decode, encode
from shared.refit_messages import Refit, Refitted, fit_state
from tests.shared.example_fit import example_refitted, example_state
from tests.shared.example_mesh import example_mesh
from tests.shared.example_messages import CORRECTIONS, MESSAGES, faces, result


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
        ("0", np.ones((4, 8, 3), np.float32)),
        ("9", np.ones((4, 8, 3), np.float32)),
        ("2", np.ones((4, 4, 3), np.float32)),
        ("2", np.full((4, 8, 3), np.nan, np.float32)),
        ("2", np.ones((4, 8, 3), np.float64)),
    ],
)
def test_lights_of_no_photo_or_that_are_no_image_are_refused(number: str, light: np.ndarray) -> None:
    with pytest.raises(RelightifyError):
        result(further_lights={number: light})


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
