"""The face detector, which takes a second to load."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from backend.photo.landmarks import FaceDetector
from tests.landmark_model import landmark_model


@pytest.fixture(scope="package")
def detector() -> Iterator[FaceDetector]:
    with landmark_model():
        found = FaceDetector()
    yield found
    found.close()
