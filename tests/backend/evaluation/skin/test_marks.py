from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest

from backend.delight.delighting import DelightedTexture
from backend.evaluation.skin.marks import kept_in_layer, verdicts
from backend.evaluation.skin.painted_marks import MARKS, face_places, optical_density, painted, share_on_skin
from backend.evaluation.tables import Row
from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel, load_head_model
from backend.imaging.colour import linear_to_srgb
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import EmbreeRasteriser
from backend.texture.regions import face_regions
from backend.texture.uv_space import uv_space

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


def test_what_is_kept_is_told_by_the_paint_alone(model: HeadModel) -> None:
    space = uv_space(model, 256)
    mark = MARKS["stain, sharp"]
    density, share = optical_density(mark, SKIN), share_on_skin(mark, model, space)
    paint = (-share[..., None] * density).astype(np.float32)
    # All the rest of the face differs as well, as where noise is taken off anew.
    noise = np.random.default_rng(0).normal(0, 0.3, (256, 256, 1)).astype(np.float32)

    def delit(log_texture: np.ndarray, log_marks: np.ndarray) -> DelightedTexture:
        texture_srgb = linear_to_srgb(SKIN * np.exp(log_texture)).astype(np.float32)
        partial = SimpleNamespace(texture_srgb=texture_srgb, visibility=space.mask.astype(np.float32))
        skin = SimpleNamespace(model=model, working=space, regions=face_regions(model, space))
        made = SimpleNamespace(partial=partial, skin=skin, log_marks=log_marks, mean_albedo=SKIN)
        return cast(DelightedTexture, made)

    untouched = delit(np.zeros_like(paint), np.zeros_like(paint))
    found = delit(paint + noise, 0.7 * paint)
    assert kept_in_layer(found, untouched, mark) == pytest.approx(0.7, abs=0.04)


def test_all_places_lie_on_the_face(model: HeadModel) -> None:
    places = face_places(model)
    for name in ("right_cheek", "left_cheek", "forehead", "beside_nose", "jaw"):
        assert np.abs(getattr(places, name)).max() < 110, name
    assert places.left_cheek[0] > 0 > places.right_cheek[0]
    assert places.beside_nose[1] > places.jaw[1]
    np.testing.assert_allclose(places.other_jaw, places.jaw * [-1, 1])


def test_a_shadow_that_is_kept_is_missed_and_a_mark_that_is_kept_is_reached() -> None:
    shadow = next(name for name, mark in MARKS.items() if mark.wanted == 0)
    rows = [Row("layer", name, "a", {"kept": 0.95}) for name in ("vitiligo", shadow)]
    assert [v.split(":")[0] for v in verdicts(rows)] == ["reached", "MISSED"]
