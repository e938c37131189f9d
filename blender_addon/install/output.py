"""What the output of an installation says about how far it is."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_RAW = re.compile(r"^Progress (\d+) of (\d+)$")
_DOWNLOAD = re.compile(r"^\s*Downloading (\S+?)(?: \(([^)]*)\))?$")
_COLLECT = re.compile(r"^Collecting (\S+)")
# Where nobody knows how much will come: a download of this size counts half of the way.
TYPICAL_DOWNLOAD = 150e6
# Part of a step that is downloading; the rest is unpacking, of which pip tells nothing. Assumed.
DOWNLOADING = 0.8


@dataclass(frozen=True)
class StepProgress:
    """How far one step is.

    Args:
        fraction: in [0, 1]; never goes back.
        detail: what is being done, for people; may be empty.
        received: bytes of finished downloads.
    """

    fraction: float = 0.0
    detail: str = ""
    received: float = 0.0


def follow(progress: StepProgress, line: str, expected_bytes: float = 0.0) -> StepProgress:
    """The progress after one more line of pip's or uv's output.

    Args:
        progress: ahead of the line.
        line: what was printed.
        expected_bytes: about how much the step downloads; 0 where that is not known.
    """
    raw = _RAW.match(line)
    if raw is not None:
        done, total = int(raw[1]), max(int(raw[2]), 1)
        received = progress.received + done
        part = min(received / (expected_bytes or received + TYPICAL_DOWNLOAD), 1.0)
        fraction = max(progress.fraction, DOWNLOADING * part)
        if done >= total:
            progress = replace(progress, received=received)
        return replace(progress, fraction=fraction)
    download = _DOWNLOAD.match(line)
    if download is not None:
        size = f" ({download[2]})" if download[2] else ""
        return replace(progress, detail=f"Downloading {package_name(download[1])}{size}")
    collect = _COLLECT.match(line)
    if collect is not None:
        return replace(progress, detail=f"Looking for {package_name(collect[1])}")
    if line.startswith("Installing collected packages"):
        return replace(progress, fraction=max(progress.fraction, DOWNLOADING), detail="Unpacking")
    return progress


def is_progress(line: str) -> bool:
    """Whether a line is for programs only and has no place in a log."""
    return _RAW.match(line) is not None


def package_name(text: str) -> str:
    """The name of a package out of a file name, an address or a requirement."""
    name = re.split(r"[\\/]", text)[-1]
    return re.split(r"-\d|[=<>~!;\[]", name)[0] or name
