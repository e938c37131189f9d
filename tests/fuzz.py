"""`python -m tests.fuzz`: damaged messages, photos and connection files, for the minutes given.

Everything must come out whole or as a typed error, soon, and in bounded memory. Nothing leaves this machine, and it
ends by itself. An input that breaks a rule is written to a file, whose name is printed; the exit status is then 1.
"""

from __future__ import annotations

import argparse
import faulthandler
import io
import json
import logging
import random
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgpack
from PIL import Image

from backend.photo.reading import read_photo
from shared.connection import read_connection
from shared.corrections import Correction, Corrections
from shared.errors import RelightifyError
from shared.messages import Cancel, Detect, Error, Hello, Ping, Reconstruct
from shared.options import JobOptions
from shared.protocol import decode, encode
from shared.refit_messages import Refit
from tests.backend.service.hostile import hostile_messages, nested
from tests.shared.example_fit import example_state

MESSAGE_SECONDS, PHOTO_SECONDS, MEMORY_BYTES = 0.05, 15.0, 1.5e9
HANG_SECONDS = 240
MAX_FAULTS = 20
CORRECTIONS = Corrections((Correction((1.5, 2.0), handle="chin"), Correction((3.0, 4.0), landmark=61)))
HOSTILE = [[bytes(frame) for frame in frames] for frames in hostile_messages().values()]


def damaged(data: bytes, chance: random.Random) -> bytes:
    """Bytes with a few faults: flipped, overwritten, cut, doubled, or with another length in the place of one."""
    out = bytearray(data)
    for _ in range(chance.choice((1, 1, 2, 4, 16))):
        place = chance.randrange(len(out) + 1)
        kind = chance.randrange(6)
        if kind == 0 and place < len(out):
            out[place] ^= 1 << chance.randrange(8)
        elif kind == 1:
            out[place : place + 4] = chance.choice((b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\0\0\1"))
        elif kind == 2:
            del out[place:]
        elif kind == 3:
            out[place:place] = out[place : place + chance.randrange(64)]
        elif kind == 4:
            del out[place : place + chance.randrange(16)]
        else:
            out[place:place] = chance.randbytes(chance.randrange(16))
    return bytes(out)


def odd_value(chance: random.Random) -> object:
    """Something that no field is meant to hold."""
    values = [None, True, -1, 2**63, 1e308, float("nan"), float("inf"), "", "x" * 5000, "\n\x1b", [], {}, [[]], 512.0]
    values += [nested(chance.choice((3, 15, 17, 500))), [0] * 1000, {"a": {"b": []}}, ["a"] * 500]
    return chance.choice(values)


def messages(chance: random.Random) -> list[bytes]:
    """The frames of a message that is nearly right."""
    whole = [
        Hello("x"), Ping(("a", "b")), Cancel("a"), Detect("a", b"photo", "x.jpg"),
        Reconstruct("a", b"photo", JobOptions(face=1), "x.jpg", corrections=CORRECTIONS),
        Reconstruct("a", b"front", JobOptions(), "x.jpg", {"2": b"left", "3": b"right"}, (None, 1)),
        Refit("a", example_state(), CORRECTIONS),
    ]  # fmt: skip
    frames = [bytes(frame) for frame in encode(chance.choice(whole))]
    way = chance.randrange(4)
    if way == 0:
        return chance.choice(HOSTILE)
    if way == 1:
        header = msgpack.unpackb(frames[0])
        part = chance.choice([header, header["fields"], *header["frames"]])
        part[chance.choice([*part, "extra"])] = odd_value(chance)
        frames[0] = msgpack.packb(header) or b""
        return frames
    if way == 2:
        return [damaged(frame, chance) for frame in frames]
    return [damaged(frames[0], chance), *frames[1:]] * chance.choice((1, 1, 2))


def read_message(frames: list[bytes]) -> None:
    try:
        decode(frames, "client")
    except RelightifyError as error:
        Error.of(error)
        raise


def photos() -> list[bytes]:
    """Small photos of all formats."""
    image = Image.linear_gradient("L").resize((96, 80)).convert("RGB")
    found = []
    for kind, mode in (
        *(("PNG", "RGBA"), ("PNG", "P"), ("PNG", "I;16"), ("JPEG", "RGB"), ("JPEG", "CMYK"), ("TIFF", "RGB")),
        *(("TIFF", "F"), ("TIFF", "LAB"), ("WEBP", "RGB"), ("BMP", "RGB"), ("GIF", "P"), ("AVIF", "RGB")),
    ):
        stream = io.BytesIO()
        converted = image.convert("L").convert(mode) if mode in ("F", "I;16") else image
        if mode == "LAB":
            converted = Image.merge("LAB", image.split())
        elif mode not in ("F", "I;16"):
            converted = image.convert(mode)
        converted.save(stream, kind)
        found.append(stream.getvalue())
    return found


def connection_file() -> bytes:
    keys = {"server_public_key": "s" * 40, "client_public_key": "c" * 40, "client_secret_key": "x" * 40}
    return json.dumps({"host": "127.0.0.1", "port": 5, "pid": 1, "created": "", "protocol": 2, **keys}).encode()


def read_connection_file(frames: list[bytes], folder: Path) -> None:
    path = folder / "connection.json"
    path.write_bytes(frames[0])
    path.chmod(0o600)
    read_connection(path)


@dataclass(frozen=True)
class Target:
    """What is damaged, and what reads it.

    Args:
        name: of what is read.
        seconds: of this process's time that reading one may take.
        at_once: how many are tried in a row.
        make: one damaged input, in frames.
        read: raises nothing but typed errors.
    """

    name: str
    seconds: float
    at_once: int
    make: Callable[[random.Random], list[bytes]]
    read: Callable[[list[bytes]], None]


def targets(folder: Path) -> tuple[Target, ...]:
    whole, file = photos(), connection_file()
    return (
        Target("message", MESSAGE_SECONDS, 200, messages, read_message),
        Target(
            "photo", PHOTO_SECONDS, 10,
            lambda chance: [damaged(chance.choice(whole), chance)], lambda frames: void(read_photo(frames[0])),
        ),
        Target(
            "connection file", 1.0, 5,
            lambda chance: [damaged(file, chance)], lambda frames: read_connection_file(frames, folder),
        ),
    )  # fmt: skip


def void(thing: object) -> None:
    """Nothing of it is wanted."""
    del thing


def peak_bytes() -> float:
    """The most memory that this process has had; 0 where that is not known."""
    if sys.platform == "win32":
        return 0.0
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def fuzz(minutes: float, seed: int, keep: Path) -> int:
    """Run all targets in turn; returns how many inputs broke a rule, which are kept in a folder."""
    chance = random.Random(seed)
    faults, ends = 0, time.monotonic() + 60 * minutes
    counts: dict[str, dict[str, int]] = {}
    longest: dict[str, float] = {}
    with tempfile.TemporaryDirectory(prefix="relightify-fuzz-") as folder:
        tried = targets(Path(folder))
        while time.monotonic() < ends:
            for target in tried:
                # A hang ends the process with all stacks printed.
                faulthandler.dump_traceback_later(HANG_SECONDS, exit=True)
                for _ in range(target.at_once):
                    frames = target.make(chance)
                    began = time.thread_time()
                    try:
                        target.read(frames)
                        outcome = "read"
                    except RelightifyError as error:
                        outcome = error.code
                    except Exception as error:
                        outcome = f"raised {type(error).__name__}"
                    taken = time.thread_time() - began
                    tally = counts.setdefault(target.name, {})
                    tally[outcome] = tally.get(outcome, 0) + 1
                    longest[target.name] = max(longest.get(target.name, 0.0), taken)
                    if outcome.startswith("raised") or taken > target.seconds or peak_bytes() > MEMORY_BYTES:
                        faults += 1
                        keep.mkdir(parents=True, exist_ok=True)
                        kept = keep / f"{target.name.replace(' ', '_')}-{faults}"
                        kept.write_bytes(msgpack.packb(frames) or b"")
                        print(f"FAULT: {target.name}, {outcome}, {taken:.2f} s, {peak_bytes() / 1e9:.2f} GB: {kept}")
                        if faults >= MAX_FAULTS:
                            return faults
                faulthandler.cancel_dump_traceback_later()
    for name, tally in counts.items():
        print(f"{sum(tally.values())} of {name}: {dict(sorted(tally.items()))}; longest {1000 * longest[name]:.0f} ms")
    print(f"at most {peak_bytes() / 1e9:.2f} GB of memory")
    return faults


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--minutes", type=float, default=3.0)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--keep", type=Path, default=Path(tempfile.gettempdir()) / "relightify-fuzz", metavar="DIR")
    chosen = parser.parse_args(arguments)
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    return 1 if fuzz(chosen.minutes, chosen.seed, chosen.keep) else 0


if __name__ == "__main__":
    sys.exit(main())
