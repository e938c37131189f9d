"""Errors that users see: a code for programs, a sentence for people, a hint that says what to do."""

from __future__ import annotations


class RelightifyError(Exception):
    """An error that is shown to the user as it is.

    Args:
        code: short machine-readable name, such as ``no_face``.
        message: one sentence that says what is wrong.
        hint: one sentence that says what to do about it.
    """

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class JobCancelled(RelightifyError):
    """The user cancelled the job; raised between steps by `backend.progress.Progress`."""

    def __init__(self) -> None:
        super().__init__("cancelled", "The job was cancelled.")
