"""The wire format: typed messages to and from ZeroMQ frames; `docs/developer/protocol.md` describes it without code.

A message is a msgpack header followed by raw frames (photo, arrays, encoded maps). Nothing is pickled, and no raw
frame is copied: encoding hands out views, decoding wraps the frame it was given.
"""

from __future__ import annotations

import gc
from collections.abc import Mapping, Sequence
from dataclasses import asdict, fields
from math import prod
from typing import Any

import msgpack
import numpy as np

from .corrections import Corrections, read_corrections
from .errors import RelightifyError
from .head_mesh import HeadMesh
from .messages import (
    MAX_NAME,
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
    clipped,
)
from .options import JobOptions, read_options
from .refit_messages import FitState, Refit, Refitted

PROTOCOL_VERSION = 5

MAX_FRAME_BYTES = 512 * 2**20
MAX_MESSAGE_BYTES = 2**30
MAX_HEADER_BYTES = 2**20
# A client's header holds little but job ids; reading it takes the server's loop a few milliseconds.
MAX_CLIENT_HEADER_BYTES = 2**15
MAX_FRAMES = 128
# Lists and maps within each other; a header that is meant well has six.
MAX_NESTING = 16
# Of an array of names, which takes four bytes a character of its longest name for each.
MAX_TEXT_ARRAY_BYTES = 2**22

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
    Hello, Welcome, Reconstruct, Detect, Refit, Queued, JobProgress, Result, Faces, Refitted, Error, Cancel, Ping, Pong,
    Goodbye, Shutdown,
)  # fmt: skip

# The fields that travel as raw frames, and of what kind: anything else is refused before it is looked at.
_RAW_FIELDS: dict[type[Message], dict[str, tuple[str, ...]]] = {
    Reconstruct: {"photo": (_BYTES,), "further": (_BYTES,)},
    Detect: {"photo": (_BYTES,)},
    Refit: {"fit": ("float32", "float64", "int32")},
    JobProgress: {"preview": ("uint8",)},
    Result: {"mesh": (*_DTYPES, _TEXT), "maps": (_BYTES,), "further_lights": ("float32",)},
    Faces: {"boxes": ("float32",), "thumbnails": ("uint8",), "photo": ("uint8",)},
    Refitted: {
        **dict.fromkeys(("vertices", "expression", "handle_weights"), ("float32",)),
        **dict.fromkeys(("camera_rotation", "camera_translation"), ("float64",)),
        **{
            "hm08_vertex_ids": ("int32",),
            "handle_names": (_TEXT,),
            "handle_vertices": ("int32",),
            "handle_seen": ("uint8",),
        },
    },
}

# The fields that are maps of frames by name.
_MAPS_OF_FRAMES = ("maps", "further", "further_lights")


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
        elif isinstance(value, HeadMesh | FitState) or item.name in _MAPS_OF_FRAMES:
            for key, part in (value.arrays() if isinstance(value, HeadMesh | FitState) else value).items():
                add(item.name, key, part)
        else:
            plain[item.name] = _plain(value)
    header = {
        "protocol": PROTOCOL_VERSION,
        "from": message.sender,
        "type": _wire_type(type(message)),
        "fields": plain,
        "frames": described,
    }
    try:
        # A name of a file that is no text in this system's encoding must not keep its photo from being sent.
        packed: Any = msgpack.packb(header, default=_plain_number, unicode_errors="replace")
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise ProtocolError(f"A {header['type']} message cannot be sent: {error}.") from error
    frames: list[Buffer] = [packed, *raw]
    check_sizes(frames)
    return frames


def _plain(value: object) -> object:
    if isinstance(value, JobOptions):
        return asdict(value)
    return value.plain() if isinstance(value, Corrections) else value


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
    try:
        return _decode(frames, sender)
    except ProtocolError:
        raise
    except Exception as error:  # whatever a peer thinks of, memory that runs out included
        why = str(error) if isinstance(error, RelightifyError | TypeError) else type(error).__name__
        raise ProtocolError(f"A message is malformed: {clipped(why, 200)}") from error


def _decode(frames: Sequence[Buffer], sender: Side | None) -> Message:
    check_sizes(frames)
    if sender == "client" and memoryview(frames[0]).nbytes > MAX_CLIENT_HEADER_BYTES:
        raise ProtocolError("The header of a client's message is over the size limit.", "too_large")
    header = _read_header(frames[0])
    kind = _TYPES.get(header["type"]) if isinstance(header.get("type"), str) else None
    if kind is None or header.get("from") != kind.sender or sender not in (None, kind.sender):
        raise ProtocolError(
            f"A message of the unknown or unexpected type {clipped(str(header.get('type')), 40)!r} came."
        )
    described, values = header.get("frames"), header.get("fields")
    if not isinstance(described, list) or not isinstance(values, dict) or len(described) != len(frames) - 1:
        raise ProtocolError(f"The header of a {header['type']} message does not fit its frames.")
    raw: dict[str, dict[str, Any]] = {}
    for spec, frame in zip(described, frames[1:], strict=True):
        name, key, value = _read_frame(spec, frame, _RAW_FIELDS.get(kind, {}))
        if name in values or key in raw.setdefault(name, {}):
            raise ProtocolError(f"A {header['type']} message has the field {name!r} twice.")
        raw[name][key] = value
    return kind(**_typed(kind, values, raw))


def _read_header(frame: Buffer) -> dict[str, Any]:
    # Thousands of small maps would have the collector of cycles run dozens of times, over all that there is.
    collects = gc.isenabled()
    gc.disable()
    try:
        header = msgpack.unpackb(frame, raw=False, strict_map_key=True, max_ext_len=0, max_bin_len=0)
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise ProtocolError("A message came that is not in Relightify's format.") from error
    finally:
        if collects:
            gc.enable()
    theirs = header.get("protocol") if isinstance(header, dict) else None
    if type(theirs) is not int or abs(theirs) >= 2**31:
        raise ProtocolError("A message came that is not in Relightify's format.")
    if theirs != PROTOCOL_VERSION:
        raise version_mismatch(theirs, "server" if header.get("from") == "server" else "client")
    _check_nesting(header)
    return header


def _check_nesting(header: dict[str, Any]) -> None:
    """Refuse what is nested too deeply for functions that call themselves, `repr` and `==` among them."""
    level: list[Any] = [header]
    for _ in range(MAX_NESTING):
        inner = []
        for value in level:
            if isinstance(value, dict):
                inner += [item for item in value.values() if isinstance(item, dict | list)]
            else:
                inner += [item for item in value if isinstance(item, dict | list)]
        if not inner:
            return
        level = inner
    raise ProtocolError(f"A message has lists or maps nested more than {MAX_NESTING} deep.")


def version_mismatch(theirs: int, sender: Side) -> ProtocolError:
    """The error for a peer (`sender`) of protocol version `theirs`; says which of the two to update."""
    names = {"client": "client (the Blender add-on)", "server": "backend"}
    own: Side = "server" if sender == "client" else "client"
    older = sender if theirs < PROTOCOL_VERSION else own
    message = f"The {names[sender]} speaks protocol version {theirs}, the {names[own]} version {PROTOCOL_VERSION}."
    return ProtocolError(message, "version_mismatch", f"Update the {names[older]}.")


def _read_frame(spec: object, frame: Buffer, fields: Mapping[str, tuple[str, ...]]) -> tuple[str, str, Any]:
    """Field, key and value of one raw frame; `fields` says which fields may be raw, and of what types."""
    if not isinstance(spec, dict) or not all(
        isinstance(spec.get(k), str) and len(spec[k]) <= MAX_NAME for k in ("field", "key", "dtype")
    ):
        raise ProtocolError("A raw frame has no proper description.")
    name, key, dtype, shape = spec["field"], spec["key"], spec["dtype"], spec.get("shape")
    if dtype not in fields.get(name, ()):
        raise ProtocolError(f"The raw frame {name}.{key} of type {dtype!r} does not belong into its message.")
    view = memoryview(frame).cast("B")
    itemsize = 1 if dtype in (_BYTES, _TEXT) else _DTYPES[dtype].itemsize
    if (
        not isinstance(shape, list)
        or len(shape) > 4
        or not all(type(n) is int and 0 <= n < 2**31 for n in shape)
        # One length of 0 makes a frame empty, and leaves the others to be anything.
        or prod(max(n, 1) for n in shape) * itemsize > MAX_FRAME_BYTES
    ):
        raise ProtocolError(f"The raw frame {name}.{key} has no proper shape.")
    if dtype == _TEXT:
        return name, key, _read_text(f"{name}.{key}", view, shape)
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
    # One long name makes an array of as many long ones as it has items.
    if 4 * len(items) * max(map(len, items), default=0) > MAX_TEXT_ARRAY_BYTES:
        raise ProtocolError(f"The names in {name} are too many and too long.", "too_large")
    return np.array(items, dtype=str)


def _typed(kind: type[Message], values: dict[str, Any], raw: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Constructor arguments of `kind` from plain values and raw frames."""
    arguments: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in values.items()}
    if kind is Reconstruct:
        arguments["options"] = _read_options(values.get("options", {}))
        arguments["further"] = raw.pop("further", {})
    if "corrections" in values:
        arguments["corrections"] = _read_corrections(values["corrections"])
    if kind is Refit:
        return {**arguments, "fit": FitState(**raw.get("fit", {}))}
    if kind is Result:
        lights = raw.get("further_lights", {})
        mesh, maps = HeadMesh(**raw.get("mesh", {})), raw.get("maps", {})
        return {**arguments, "mesh": mesh, "maps": maps, "further_lights": lights}
    for name, parts in raw.items():
        if set(parts) != {""}:
            raise ProtocolError(f"The field {name!r} has parts that it should not have.")
        arguments[name] = parts[""]
    return arguments


def _read_corrections(values: object) -> Corrections:
    try:
        return read_corrections(values)
    except RelightifyError as error:
        raise ProtocolError(error.message, error.code, error.hint) from error


def _read_options(values: object) -> JobOptions:
    try:
        return read_options(values)
    except RelightifyError as error:
        # What is wrong is the option, not the format; the client's user can mend it.
        raise ProtocolError(error.message, error.code, error.hint) from error
