"""The table of shape and skin, on numbers whose dependence is known."""

from __future__ import annotations

import numpy as np

from backend.evaluation.shape.shape_skin import JointSettings, components, explained, group_of, without_group_means

FEW = JointSettings(folds=5)


def test_what_a_linear_map_explains_of_people_left_out_is_found() -> None:
    rng = np.random.default_rng(0)
    inputs = rng.normal(size=(300, 5))
    signal = inputs @ rng.normal(size=(5, 4))
    noise = rng.normal(size=(300, 4)) * signal.std()
    assert explained(inputs, signal, FEW, 0) > 0.99
    assert 0.4 < explained(inputs, signal + noise, FEW, 0) < 0.6
    assert abs(explained(inputs, noise, FEW, 0)) < 0.05


def test_groups_alone_explain_nothing_once_their_means_are_left_out() -> None:
    rng = np.random.default_rng(1)
    groups = np.repeat(["a", "b", "c"], 60)
    means = {"a": 0.0, "b": 3.0, "c": -4.0}
    level = np.array([means[g] for g in groups])[:, None]
    shapes, skins = (level + rng.normal(size=(180, 4)) for _ in range(2))
    assert explained(shapes, skins, FEW, 0) > 0.5
    own = [without_group_means(v, groups) for v in (shapes, skins)]
    assert explained(own[0], own[1], FEW, 0) < 0.05


def test_components_hold_the_variance_and_groups_are_named() -> None:
    values = np.random.default_rng(2).normal(size=(20, 50))
    scores = components(values, 19)
    assert np.isclose(np.square(scores).sum(), np.square(values - values.mean(0)).sum())
    assert group_of({"id": "london/001", "gender": "female", "ethnicity": "white"}) == "london female white"
