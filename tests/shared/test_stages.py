"""What people read while a job runs."""

from __future__ import annotations

import re
from pathlib import Path

from shared.stages import STAGE_TEXTS, stage_text

BACKEND = Path(__file__).resolve().parents[2] / "backend"


def test_every_stage_that_the_backend_reports_has_a_text() -> None:
    sources = [BACKEND / "pipeline.py", *(BACKEND / "service").glob("*.py"), *(BACKEND / "prior").glob("*.py")]
    reported = {name for path in sources for name in re.findall(r'progress\.report\(\s*"(\w+)"', path.read_text())}
    assert "fit" in reported or "landmarks" in reported
    assert reported <= set(STAGE_TEXTS)


def test_unknown_stages_are_shown_as_they_are() -> None:
    assert stage_text("polishing") == "polishing"
