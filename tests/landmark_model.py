"""Tests that need the landmark model, which is fetched once, are skipped where it cannot be had."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from shared.errors import RelightifyError


@contextmanager
def landmark_model() -> Iterator[None]:
    """What is done inside skips the test if the model is not there."""
    try:
        yield
    except RelightifyError as error:
        if error.code != "model_unavailable":
            raise
        pytest.skip(f"the landmark model cannot be fetched here: {error}")
