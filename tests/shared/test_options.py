"""What a user may choose: every option is declared, checked and sent, and tells what is allowed."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import msgpack
import pytest

from shared.errors import RelightifyError
from shared.messages import ProtocolError, Reconstruct
from shared.option_kinds import Choice, Flag, Number
from shared.options import JOB_OPTIONS, QUALITIES, RANDOM_QUALITIES, RESOLUTIONS, JobOptions, read_options
from shared.protocol import decode, encode
from tests.option_values import WRONG, other_value


def test_every_field_is_declared_with_words_for_artists() -> None:
    assert list(JOB_OPTIONS) == [item.name for item in fields(JobOptions)]
    for name, option in JOB_OPTIONS.items():
        assert isinstance(option, Number | Choice | Flag), name
        words = [option.label, option.help]
        if isinstance(option, Choice):
            words += [word for item in option.items for word in (item.label, item.help)]
        for word in words:
            assert word, name
            # Blender sets the full stop of a tooltip itself.
            assert not word.endswith("."), word


def test_defaults_are_allowed() -> None:
    assert JobOptions() == JobOptions(**{name: option.default for name, option in JOB_OPTIONS.items()})


@pytest.mark.parametrize("name", JOB_OPTIONS)
def test_choices_are_kept_and_go_over_the_wire(name: str) -> None:
    value = other_value(JOB_OPTIONS[name])
    received = decode([bytes(frame) for frame in encode(Reconstruct("job", b"1", JobOptions(**{name: value})))])
    assert isinstance(received, Reconstruct)
    assert received.options == JobOptions(**{name: value})
    assert getattr(received.options, name) == value != JOB_OPTIONS[name].default


@pytest.mark.parametrize(("name", "value"), WRONG)
def test_choices_that_make_no_sense_are_plain_errors(name: str, value: Any) -> None:
    with pytest.raises(RelightifyError) as raised:
        JobOptions(**{name: value})
    assert raised.value.code == "bad_option"
    assert name.replace("_", " ") in raised.value.message
    assert raised.value.hint == f"Use {JOB_OPTIONS[name].allowed}."


@pytest.mark.parametrize(
    ("name", "value"), [*[case for case in WRONG if not isinstance(case[1], bytes)], ("path", "x"), ("", 1)]
)
def test_the_wire_refuses_them_with_the_same_error(name: str, value: Any) -> None:
    frames = encode(Reconstruct("job", b"1"))
    header = msgpack.unpackb(bytes(frames[0]))
    header["fields"]["options"] = {name: value}
    packed: Any = msgpack.packb(header)
    with pytest.raises(ProtocolError) as raised:
        decode([packed, *frames[1:]])
    assert raised.value.code == "bad_option"
    with pytest.raises(RelightifyError) as plain:
        read_options({name: value})
    assert (raised.value.message, raised.value.hint) == (plain.value.message, plain.value.hint)


@pytest.mark.parametrize("values", [3, "quality", ["quality"], None])
def test_options_that_are_no_map_are_refused(values: Any) -> None:
    with pytest.raises(RelightifyError) as raised:
        read_options(values)
    assert raised.value.code == "bad_option"


def test_long_nonsense_is_shown_in_part() -> None:
    with pytest.raises(RelightifyError) as raised:
        JobOptions(quality="x" * 10_000)
    assert len(raised.value.message) < 100


def test_samples_that_do_not_fit_a_message_are_refused() -> None:
    with pytest.raises(RelightifyError) as raised:
        JobOptions(samples=5, resolution=4096)
    assert raised.value.code == "bad_option"
    assert "at most 4 samples" in raised.value.hint
    JobOptions(samples=4, resolution=4096)


def test_the_yardstick_is_allowed_but_not_offered() -> None:
    quality = JOB_OPTIONS["quality"]
    assert isinstance(quality, Choice)
    assert JobOptions(quality="baseline").quality == "baseline"
    assert quality.offered == ("draft", "standard", "high")
    assert "baseline" not in quality.allowed
    assert set(RANDOM_QUALITIES) < set(QUALITIES)
    assert 1024 in RESOLUTIONS
