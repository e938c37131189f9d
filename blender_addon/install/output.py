"""What the output of an installation says: how far it is, and why it failed, in words for an artist."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from .._shared import RelightifyError

_RAW = re.compile(r"^Progress (\d+) of (\d+)$")
_DOWNLOAD = re.compile(r"^\s*Downloading (\S+?)(?: \(([^)]*)\))?$")
_COLLECT = re.compile(r"^Collecting (\S+)")
# A download of this size counts half of the way: small files must not move the bar as large ones do.
TYPICAL_DOWNLOAD = 150e6


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


def follow(progress: StepProgress, line: str) -> StepProgress:
    """The progress after one more line of pip's or uv's output."""
    raw = _RAW.match(line)
    if raw is not None:
        done, total = int(raw[1]), max(int(raw[2]), 1)
        received = progress.received + done
        fraction = max(progress.fraction, 0.8 * received / (received + TYPICAL_DOWNLOAD))
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
        return replace(progress, fraction=max(progress.fraction, 0.8), detail="Unpacking")
    return progress


def is_progress(line: str) -> bool:
    """Whether a line is for programs only and has no place in a log."""
    return _RAW.match(line) is not None


def package_name(text: str) -> str:
    """The name of a package out of a file name, an address or a requirement."""
    name = re.split(r"[\\/]", text)[-1]
    return re.split(r"-\d|[=<>~!;\[]", name)[0] or name


def explain_failure(step: str, lines: Sequence[str], hint: str) -> RelightifyError:
    """Why a step failed.

    Args:
        step: what was being done.
        lines: the end of its output.
        hint: what helps most often with this step.
    """
    text = "\n".join(lines)
    if re.search(r"No space left on device|Errno 28|not enough space on the disk|WinError 112", text):
        return RelightifyError("disk_full", "The disk is full.", "Free some space and try again.")
    if re.search(
        r"NewConnectionError|name resolution|getaddrinfo|Max retries|ConnectTimeout|ReadTimeout|dns error"
        r"|client error \(Connect\)|ProxyError|cannot be downloaded",
        text,
    ):
        return RelightifyError(
            "no_network",
            f"{step} failed: a server could not be reached.",
            hint or "Check the internet connection, then try again; what was downloaded is kept.",
        )
    if re.search(r"CERTIFICATE_VERIFY_FAILED|SSLError", text):
        return RelightifyError(
            "no_network",
            f"{step} failed: the connection is not trusted.",
            "A company's proxy or a wrong clock can be the reason; ask whoever runs the network.",
        )
    missing = re.search(r"No matching distribution found for (\S+)", text)
    if missing is not None:
        return RelightifyError(
            "no_package",
            f"{step} failed: {missing[1]} is not to be had for this computer.",
            hint or "Choose another Python (3.11 is best) under Advanced, then try again.",
        )
    if re.search(r"Permission denied|Errno 13|Access is denied", text):
        return RelightifyError(
            "cache_unwritable", f"{step} failed: a file cannot be written.", "Check the folder's permissions."
        )
    absent = re.search(r"^\[missing *\] (.*)$", text, re.MULTILINE)
    if absent is not None:
        return RelightifyError("setup_failed", f"Something is missing: {absent[1].strip()}", "Try again; see the log.")
    last = next((line.strip() for line in reversed(lines) if line.strip()), "it said nothing")
    return RelightifyError("setup_failed", f"{step} failed: {last}", hint or "The log below says more.")
