"""The pipeline against maps that were recorded once: moving code changes no result, changing a number does."""

from __future__ import annotations

from pathlib import Path

import pytest

from backend.pipeline import Pipeline
from shared.options import QUALITIES
from tests.golden.constants import NUMBERS, Number, scaled
from tests.golden.golden import FOLDER, PHOTOS, differences, reconstructed
from tests.landmark_model import landmark_model

pytestmark = pytest.mark.slow
SENSITIVE_PHOTO = "astronaut"
MOST_BYTES = 1_000_000


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    with landmark_model():
        return Pipeline("cpu")


@pytest.mark.parametrize("quality", QUALITIES)
@pytest.mark.parametrize("photo", PHOTOS)
def test_a_photo_gives_the_recorded_maps_and_coefficients(pipeline: Pipeline, photo: str, quality: str) -> None:
    found = reconstructed(pipeline, photo, quality)
    too_far = [d for d in differences(found, photo, quality) if d.share > 1]
    assert not too_far, "\n".join(map(str, too_far))


@pytest.mark.parametrize("number", NUMBERS, ids=lambda number: number.stage)
def test_a_number_that_is_a_tenth_off_is_noticed(number: Number) -> None:
    with landmark_model(), scaled(number, 1.1) as pipeline:
        found = reconstructed(pipeline, SENSITIVE_PHOTO, "draft")
    assert any(d.share > 1 for d in differences(found, SENSITIVE_PHOTO, "draft"))


def test_photos_and_records_stay_small() -> None:
    files: list[Path] = [path for path in FOLDER.iterdir() if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
