"""What all messages check of themselves, and the error of one that breaks the rules."""

from __future__ import annotations

import re

from .errors import RelightifyError

MAX_TEXT = 4096
Buffer = bytes | bytearray | memoryview

_JOB_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")


class ProtocolError(RelightifyError):
    """A message that breaks the rules."""

    def __init__(self, message: str, code: str = "protocol", hint: str = "") -> None:
        super().__init__(code, message, hint or "Use the add-on and the backend of the same release.")


def clipped(text: str, letters: int = MAX_TEXT) -> str:
    """A text that can be sent: at most `letters` long, without what UTF-8 has no bytes for."""
    # Cut before it is encoded: what is too long may be very long.
    text = text if len(text) <= letters else text[: letters - 3] + "..."
    return text.encode("utf-8", "replace").decode()


def check(right: bool, wrong: str) -> None:
    """Refuse a message of which something is not right; `wrong` says what.

    Raises:
        ProtocolError: it is not.
    """
    if not right:
        raise ProtocolError(f"A message is malformed: {wrong}.")


def check_text(name: str, value: object) -> None:
    """Refuse what is no text, or a long one; see `check`."""
    check(isinstance(value, str) and len(value) <= MAX_TEXT, f"{name} is not a text of at most {MAX_TEXT} characters")


def check_job_id(value: object) -> None:
    """Refuse what is no id of a job; see `check`."""
    check(isinstance(value, str) and _JOB_ID.fullmatch(value) is not None, "the job id is not a short name")
