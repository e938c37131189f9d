"""A hand on the fit sends one request at a time; of those that come meanwhile the newest is next.

No Blender in here.
"""

from __future__ import annotations

from .._shared import Error, Refit, Refitted, RelightifyError
from .jobs import Event, Failed


class Refits:
    """What is under way, what is next, and what came last."""

    def __init__(self) -> None:
        self.latest: Refitted | None = None
        self.error: RelightifyError | None = None
        self._sent: Refit | None = None
        self._next: Refit | None = None

    @property
    def busy(self) -> bool:
        """Whether an answer is being waited for."""
        return self._sent is not None

    def ask(self, request: Refit) -> Refit | None:
        """Take note of a request; returns what is to be sent now, None while another is under way."""
        self.error = None
        if self._sent is not None:
            self._next = request
            return None
        self._sent = request
        return request

    def take(self, event: Event) -> Refit | None:
        """Look at what came from the backend; returns what is to be sent now."""
        if self._sent is None:
            return None
        if isinstance(event, Failed):
            self.fail(event.error)
            return None
        if getattr(event, "job_id", None) != self._sent.job_id or not isinstance(event, Refitted | Error):
            return None
        if isinstance(event, Refitted):
            self.latest = event
        elif event.code != "cancelled":
            self.error = event.exception()
        self._sent, self._next = self._next, None
        return self._sent

    def fail(self, error: RelightifyError) -> None:
        """Give up what is under way, as the line is gone."""
        if self._sent is not None:
            self.error = error
        self._sent = self._next = None

    def forget(self) -> None:
        """Forget what came, and what is still to come."""
        self.latest = self.error = self._sent = self._next = None
