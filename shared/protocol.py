"""The wire format: typed messages to and from ZeroMQ frames; `docs/developer/protocol.md` describes it without code.

A message is a msgpack header followed by raw frames (photo, arrays, encoded maps). Nothing is pickled, and no raw
frame is copied: encoding hands out views, decoding wraps the frame it was given.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from math import prod
from typing import Any

import msgpack
import numpy as np

from .errors import RelightifyError
from .head_mesh import HeadMesh
from .messages import (
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
    Side,
    Welcome,
)
from .options import JobOptions, read_options

PROTOCOL_VERSION = 2

MAX_FRAME_BYTES = 512 * 2**20
MAX_MESSAGE_BYTES = 2**30
MAX_HEADER_BYTES = 2**20
MAX_FRAMES = 128

# Names of array types on the wire; multi-byte values are little-endian.
_DTYPES: dict[str, np.dtype] = {
    "uint8": np.dtype("u1"),
    "uint16": np.dtype("<u2"),
    "int32": np.dtype("<i4"),
    "float32": np.dtype("<f4"),
    "float64": np.dtype("<f8"),
}
_BYTES, _TEXT = "bytes", "text"
_CLASSES: tuple[type[Message], ...] = (
    Hello, Welcome, Reconstruct, Detect, Queued, JobProgress, Result, Faces, Error, Cancel, Ping, Pong, Goodbye,
    Shutdown,
)  # fmt: skip


def _wire_type(kind: type[Message]) -> str:
    """What a header calls a class of messages: its name in small letters, unless it says otherwise."""
    return getattr(kind, "wire_type", kind.__name__.lower())


_TYPES: dict[str, type[Message]] = {_wire_type(kind): kind for kind in _CLASSES}


# --- to frames --------------------------------------------------------------------------------------------------


def encode(message: Message) -> list[Buffer]:
    """The frames of a message: header first, then a view of each raw field.

    Raises:
        ProtocolError: a value cannot be sent, or the message is over the size limits.
    """
    plain: dict[str, Any] = {}
    described: list[dict[str, Any]] = []
    raw: list[Buffer] = []

    def add(name: str, key: str, value: np.ndarray | Buffer) -> None:
        dtype, shape, view = _view(f"{name}.{key}", value)
        described.append({"field": name, "key": key, "dtype": dtype, "shape": shape})
        raw.append(view)

    for item in fields(message):
        value = getattr(message, item.name)
        if isinstance(value, np.ndarray | bytes | bytearray | memoryview):
            add(item.name, "", value)
        elif isinstance(value, HeadMesh) or item.name == "maps":
            for key, part in (value.arrays() if isinstance(value, HeadMesh) else value).items():
                add(item.name, key, part)
        else:
            plain[item.name] = asdict(value) if isinstance(value, JobOptions) else value
    header = {
        "protocol": PROTOCOL_VERSION,
        "from": message.sender,
        "type": _wire_type(type(message)),
        "fields": plain,
        "frames": described,
    }
    try:
        packed: Any = msgpack.packb(header, default=_plain_number)
    except (TypeError, ValueError, OverflowError) as error:
        raise ProtocolError(f"A {header['type']} message cannot be sent: {error}.") from error
    frames: list[Buffer] = [packed, *raw]
    check_sizes(frames)
    return frames


def _plain_number(value: object) -> object:
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a {type(value).__name__} is not plain data")


def _view(name: str, value: np.ndarray | Buffer) -> tuple[str, list[int], Buffer]:
    """dtype name, shape and bytes of a raw field; a copy is made only of arrays that are not contiguous."""
    if not isinstance(value, np.ndarray):
        view = memoryview(value).cast("B")
        return _BYTES, [view.nbytes], view
    if value.dtype.kind == "U":
        items = [str(item) for item in value.reshape(-1)]
        if value.ndim != 1 or any("\n" in item for item in items):
            raise ProtocolError(f"{name} is not a list of names.")
        return _TEXT, [len(items)], "\n".join(items).encode()
    for dtype_name, dtype in _DTYPES.items():
        if value.dtype == dtype:
            flat = np.ascontiguousarray(value, dtype=dtype).reshape(-1)
            return dtype_name, list(value.shape), flat.view(np.uint8).data
    raise ProtocolError(f"{name} is an array of {value.dtype}, which cannot be sent.")


# --- from frames ------------------------------------------------------------------------------------------------


def check_sizes(frames: Sequence[Buffer]) -> None:
    """Check the number and sizes of frames; looks at lengths only.

    Raises:
        ProtocolError: code `too_large`.
    """
    sizes = [memoryview(frame).nbytes for frame in frames]
    if not sizes or len(sizes) > MAX_FRAMES:
        raise ProtocolError(f"A message has {len(sizes)} frames.", "too_large")
    if sizes[0] > MAX_HEADER_BYTES or max(sizes) > MAX_FRAME_BYTES or sum(sizes) > MAX_MESSAGE_BYTES:
        raise ProtocolError(f"A message of {sum(sizes) / 2**20:.0f} MB is over the size limits.", "too_large")


def decode(frames: Sequence[Buffer], sender: Side | None = None) -> Message:
    """Read a message; arrays are read-only views of the frames.

    Args:
        frames: header and raw frames.
        sender: the side that the message must come from; None takes either.

    Raises:
        ProtocolError: `version_mismatch`, the message names the side to update; `too_large`; `bad_option`, a job is
            asked for that cannot be; `protocol`, the message is malformed.
    """
    check_sizes(frames)
    header = _read_header(frames[0])
    kind = _TYPES.get(header["type"]) if isinstance(header.get("type"), str) else None
    if kind is None or header.get("from") != kind.sender or sender not in (None, kind.sender):
        raise ProtocolError(f"A message of the unknown or unexpected type {str(header.get('type'))[:40]!r} came.")
    described, values = header.get("frames"), header.get("fields")
    if not isinstance(described, list) or not isinstance(values, dict) or len(described) != len(frames) - 1:
        raise ProtocolError(f"The header of a {header['type']} message does not fit its frames.")
    raw: dict[str, dict[str, Any]] = {}
    for spec, frame in zip(described, frames[1:], strict=True):
        name, key, value = _read_frame(spec, frame)
        if name in values or key in raw.setdefault(name, {}):
            raise ProtocolError(f"A {header['type']} message has the field {name!r} twice.")
        raw[name][key] = value
    try:
        return kind(**_typed(kind, values, raw))
    except ProtocolError:
        raise
    except (TypeError, ValueError, AttributeError, RelightifyError) as error:
        raise ProtocolError(f"A {header['type']} message is malformed: {error}") from error


def _read_header(frame: Buffer) -> dict[str, Any]:
    try:
        header = msgpack.unpackb(frame, raw=False, strict_map_key=True, max_ext_len=0)
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise ProtocolError("A message came that is not in Relightify's format.") from error
    theirs = header.get("protocol") if isinstance(header, dict) else None
    if type(theirs) is not int:
        raise ProtocolError("A message came that is not in Relightify's format.")
    if theirs != PROTOCOL_VERSION:
        raise version_mismatch(theirs, "server" if header.get("from") == "server" else "client")
    return header


def version_mismatch(theirs: int, sender: Side) -> ProtocolError:
    """The error for a peer (`sender`) of protocol version `theirs`; says which of the two to update."""
    names = {"client": "client (the Blender add-on)", "server": "backend"}
    own: Side = "server" if sender == "client" else "client"
    older = sender if theirs < PROTOCOL_VERSION else own
    message = f"The {names[sender]} speaks protocol version {theirs}, the {names[own]} version {PROTOCOL_VERSION}."
    return ProtocolError(message, "version_mismatch", f"Update the {names[older]}.")


def _read_frame(spec: object, frame: Buffer) -> tuple[str, str, Any]:
    """Field, key and value of one raw frame."""
    if not isinstance(spec, dict) or not all(isinstance(spec.get(k), str) for k in ("field", "key", "dtype")):
        raise ProtocolError("A raw frame has no proper description.")
    name, key, dtype, shape = spec["field"], spec["key"], spec["dtype"], spec.get("shape")
    view = memoryview(frame).cast("B")
    if not isinstance(shape, list) or len(shape) > 4 or not all(type(n) is int and 0 <= n < 2**31 for n in shape):
        raise ProtocolError(f"The raw frame {name}.{key} has no proper shape.")
    if dtype == _TEXT:
        return name, key, _read_text(f"{name}.{key}", view, shape)
    if dtype != _BYTES and dtype not in _DTYPES:
        raise ProtocolError(f"The raw frame {name}.{key} has the unknown type {dtype[:40]!r}.")
    itemsize = 1 if dtype == _BYTES else _DTYPES[dtype].itemsize
    if view.nbytes != prod(shape) * itemsize or (dtype == _BYTES and len(shape) != 1):
        raise ProtocolError(f"The raw frame {name}.{key} has {view.nbytes} bytes, which does not fit its shape.")
    if dtype == _BYTES:
        return name, key, view
    if not view.nbytes:
        return name, key, np.zeros(shape, _DTYPES[dtype])
    array = np.frombuffer(view, _DTYPES[dtype]).reshape(shape)
    # ZeroMQ may hand out small messages at odd addresses; large ones are always aligned.
    return name, key, array if array.flags.aligned else array.copy()


def _read_text(name: str, view: memoryview, shape: list[int]) -> np.ndarray:
    if view.nbytes > MAX_HEADER_BYTES:
        raise ProtocolError(f"The names in {name} are too long.", "too_large")
    try:
        items = str(view, "utf-8").split("\n") if shape != [0] else []
    except UnicodeDecodeError as error:
        raise ProtocolError(f"The names in {name} are not UTF-8.") from error
    if shape != [len(items)]:
        raise ProtocolError(f"{name} has {len(items)} names, which does not fit its shape.")
    return np.array(items, dtype=str)


def _typed(kind: type[Message], values: dict[str, Any], raw: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Constructor arguments of `kind` from plain values and raw frames."""
    arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    if kind is Reconstruct:
        arguments["options"] = _read_options(values.get("options", {}))
    if kind is Result:
        return {**arguments, "mesh": HeadMesh(**raw.get("mesh", {})), "maps": raw.get("maps", {})}
    for name, parts in raw.items():
        if set(parts) != {""}:
            raise ProtocolError(f"The field {name!r} has parts that it should not have.")
        arguments[name] = parts[""]
    return arguments


def _read_options(values: object) -> JobOptions:
    try:
        return read_options(values)
    except RelightifyError as error:
        # What is wrong is the option, not the format; the client's user can mend it.
        raise ProtocolError(error.message, error.code, error.hint) from error
