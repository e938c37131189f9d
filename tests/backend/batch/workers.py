"""What workers do in the tests of batches; other processes import it by name."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from pathlib import Path

from backend.batch.outcome import HeadOutcome, failed
from shared.options import JobOptions


def echo(photos: Sequence[bytes], options: JobOptions, device: str) -> HeadOutcome:
    """Give the photo back as a file; `die` ends the process, `once PATH` ends it the first time, `hang` never ends."""
    data = photos[0]
    if data == b"die":
        os._exit(9)
    if data.startswith(b"once "):
        mark = Path(data[5:].decode())
        if not mark.exists():
            mark.touch()
            os._exit(9)
    if data == b"hang":
        time.sleep(600)
    if data == b"bad":
        return failed("no_face", "No face was found in the photo.")
    return HeadOutcome({"reconstruction.json": data, "head.obj": b"#"}, b"jpeg", "", "", ("soft",), 0.5)
