"""What the panels do with texts."""

from __future__ import annotations

from types import SimpleNamespace

import pytest


@pytest.mark.parametrize(
    ("hint", "shorter", "log"),
    [
        ("Try again. Log: /home/ada b/server.log", "Try again.", "/home/ada b/server.log"),
        ("Choose another; the whole log is /home/server.log.", "Choose another.", "/home/server.log"),
        (r"Report it with the log C:\Users\Ada\worker.log", "Report it with the log.", r"C:\Users\Ada\worker.log"),
        ("Use a photo with a larger face.", "Use a photo with a larger face.", ""),
    ],
)
def test_paths_of_logs_become_a_button(addon: SimpleNamespace, hint: str, shorter: str, log: str) -> None:
    assert addon.ui.layout.without_path(hint) == (shorter, log)
