"""Messages that a client with valid keys can think of to end, to fill or to stop a server."""

from __future__ import annotations

from typing import Any

import msgpack

from shared.messages import MAX_OPEN_JOBS, Buffer
from shared.protocol import MAX_CLIENT_HEADER_BYTES, PROTOCOL_VERSION

DEEP = 900


def packed(kind: object, fields: object = None, frames: object = (), **more: object) -> Any:
    """A header, whatever stands in it."""
    header = {"protocol": PROTOCOL_VERSION, "from": "client", "type": kind, "fields": fields or {}, "frames": frames}
    return msgpack.packb({**header, **more})


def nested(depth: int = DEEP) -> list:
    value: list = []
    for _ in range(depth):
        value = [value]
    return value


def described(field: str, dtype: str, shape: list, key: str = "") -> dict[str, Any]:
    return {"field": field, "key": key, "dtype": dtype, "shape": shape}


def hostile_messages() -> dict[str, list[Buffer]]:
    """By what they try; each must be answered with an error, or with nothing but what a client may have."""
    empty = [described("photo", "float64", [0, 2**31 - 1, 2**31 - 1, 2**31 - 1])]
    names = b"x" * (2**19) + b"\n" * (2**19)
    job = {"job_id": "a", "file_name": "x"}
    text = described("photo", "text", [2**19 + 1])
    ids = [f"job-{number:04d}" for number in range(5000)]
    full = MAX_CLIENT_HEADER_BYTES
    return {
        "an empty frame of endless shape": [packed("reconstruct", job, empty), b""],
        "a text frame that becomes 931 GB": [packed("reconstruct", job, [text]), names],
        "a text frame that becomes 1.5 GB": [
            packed("reconstruct", job, [described("photo", "text", [400])]),
            b"x" * 2**20 + b"\n" * 399,
        ],
        "a type nested deeply": [packed(nested())],
        "a quality nested deeply": [packed("reconstruct", {**job, "options": {"quality": nested()}})],
        "a file name nested deeply": [packed("detect", {"job_id": "a", "file_name": nested()})],
        "a list in lists": [b"\x91" * 30_000 + b"\x00"],
        "a field of a long name": [packed("hello", {"client": "x", "y" * 20_000: 1})],
        "a long name of a frame": [packed("detect", job, [described("z" * 20_000, "bytes", [0])]), b""],
        "a long type": [packed("t" * 30_000)],
        "a long text": [packed("hello", {"client": "x" * 30_000})],
        "a text of line ends": [packed("hello", {"client": "x\n2026-01-01 ERROR forged\r\x1b[2J"})],
        "a huge number": [packed("ping", {"jobs": []}, protocol=2**63)],
        "endlessly many pinged jobs": [packed("ping", {"jobs": ids})],
        "as many pinged jobs as may be": [packed("ping", {"jobs": ids[:MAX_OPEN_JOBS]})],
        "pinged jobs that are no texts": [packed("ping", {"jobs": [[]] * 1000})],
        "a header full of nothing": [packed("ping", {"jobs": [None] * (full - 200)})],
        "a header full of small maps": [packed("ping", {"jobs": [{}] * (full - 200)})],
        "a header full of keys": [packed("ping", {f"{number:05d}": 0 for number in range(4000)})],
        "a header of a megabyte": [packed("hello", {"client": "x" * 2**20})],
        "many frames": [packed("detect", job, [described("photo", "bytes", [1])] * 127), *[b"x"] * 127],
        "a mesh from a client": [packed("detect", job, [described("mesh", "float64", [2**20])]), bytes(2**23)],
        "a resolution with a point": [packed("reconstruct", {**job, "options": {"resolution": 512.0}})],
        "an endless seed": [packed("reconstruct", {**job, "options": {"seed": 2**64 - 1}})],
        "no number": [packed("reconstruct", {**job, "options": {"age": float("nan")}})],
        "no text": [b"\x81\xa4type\xa3\xff\xfe\xfd"],
        "fields that are a list": [packed("hello", [1, 2])],
        "frames that are a map": [packed("hello", {"client": "x"}, {"a": 1})],
        "an extension type": [msgpack.packb({"type": msgpack.ExtType(5, b"x" * 100)}) or b""],
        "bytes as a key": [msgpack.packb({b"type": b"hello"}) or b""],
        "nothing": [b""],
    }
