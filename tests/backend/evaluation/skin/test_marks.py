from __future__ import annotations

import numpy as np
import pytest

from backend.evaluation.skin.marks import verdicts
from backend.evaluation.skin.painted_marks import MARKS, face_places, painted
from backend.evaluation.tables import Row
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel, load_head_model
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import EmbreeRasteriser

NOTHING = np.zeros(0, np.float32)
SKIN = np.array([0.5, 0.3, 0.2])


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def test_a_mark_is_painted_where_the_head_has_its_place_and_nowhere_else(model: HeadModel) -> None:
    camera = Camera(np.eye(3), np.array([0, 0, -0.6]), 600.0, (150.0, 150.0), 300, 300)
    view = ViewFit(np.zeros(52, np.float32), camera, NOTHING, NOTHING, 90.0, 0.0, NOTHING, 0.0, 0.0, False)
    grey = np.full((300, 300, 3), 150, np.uint8)
    mark = MARKS["stain, sharp"]
    picture = painted(mark, grey, model, HeadFit(np.zeros(100), (view,)), SKIN, EmbreeRasteriser())
    changed = (picture != grey).any(-1)
    cheek = camera.project(model.landmarks(model.mean)[[280]].astype(np.float64))[0]
    y, x = np.nonzero(changed)
    assert np.hypot(x.mean() - cheek[0], y.mean() - cheek[1]) < 8
    assert 200 < changed.sum() < 3000
    assert picture[round(cheek[1]), round(cheek[0])].tolist() < grey[0, 0].tolist()


def test_all_places_lie_on_the_face(model: HeadModel) -> None:
    places = face_places(model)
    for name in ("right_cheek", "left_cheek", "forehead", "beside_nose", "jaw"):
        assert np.abs(getattr(places, name)).max() < 110, name
    assert places.left_cheek[0] > 0 > places.right_cheek[0]
    assert places.beside_nose[1] > places.jaw[1]


def test_a_shadow_that_is_kept_is_missed_and_a_mark_that_is_kept_is_reached() -> None:
    shadow = next(name for name, mark in MARKS.items() if mark.wanted == 0)
    rows = [Row("layer", name, "a", {"kept": 0.95}) for name in ("vitiligo", shadow)]
    assert [v.split(":")[0] for v in verdicts(rows)] == ["reached", "MISSED"]
