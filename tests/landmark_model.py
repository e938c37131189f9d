"""Tests that need a model that is fetched at its first use are skipped where it cannot be had."""

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
        pytest.skip(f"the model cannot be fetched here: {error}")
