"""Each likeness slider changes its own measure, by a millimetre, and is as symmetric as a face."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from backend.head.model import HeadModel, load_head_model
from backend.training.head.likeness import MEASURES, likeness_offsets, measure_all

SHIPPED = Path(__file__).resolve().parents[4] / "blender_addon" / "scene" / "likeness.npz"


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def offsets(model: HeadModel) -> np.ndarray:
    return likeness_offsets(model)


def test_a_slider_changes_its_measure_by_a_millimetre_and_no_other_but_its_parts(
    model: HeadModel, offsets: np.ndarray
) -> None:
    names = [measure.name for measure in MEASURES]
    before = measure_all(model, model.mean)
    for measure, offset in zip(MEASURES, offsets, strict=True):
        changed = dict(zip(names, (measure_all(model, model.mean + 4 * offset) - before) / 4, strict=True))
        assert changed.pop(measure.name) == pytest.approx(1, abs=1e-3)
        others = {name: change for name, change in changed.items() if name not in measure.with_it}
        assert max(map(abs, others.values())) < 1e-3, measure.name


def test_sliders_are_symmetric(model: HeadModel, offsets: np.ndarray) -> None:
    np.testing.assert_allclose(offsets[:, model.mirror] * [-1, 1, 1], offsets, atol=1e-9)


def test_a_slider_hardly_moves_what_is_far_from_it(model: HeadModel, offsets: np.ndarray) -> None:
    names = [measure.name for measure in MEASURES]
    back = model.mean[:, 2] < -0.12
    for name in ("Nose Width", "Mouth Width", "Chin Forward", "Eye Size"):
        moved = np.linalg.norm(offsets[names.index(name)], axis=1)
        assert moved[back].mean() < 0.25 * moved.max(), name


def test_shipped_file_is_what_the_model_gives(model: HeadModel, offsets: np.ndarray) -> None:
    with np.load(SHIPPED, allow_pickle=False) as data:
        assert data["names"].tolist() == [measure.name for measure in MEASURES]
        np.testing.assert_array_equal(data["hm08_vertex_ids"], model.hm08_vertex_ids)
        np.testing.assert_allclose(data["offsets_mm"], 1000 * offsets, atol=2e-3)
        assert (data["range_mm"] > 2).all()
