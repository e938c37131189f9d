"""Groups of shapes, and random faces that a person could make."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.expression.shapes import GROUPS, MOODS, group_shapes, label, random_expression, sides
from tests.blender.finished_job import head_mesh


def test_groups_hold_each_of_the_52_shapes_once() -> None:
    names = [name for group in GROUPS for name in group_shapes(group)]
    assert sorted(names) == sorted(map(str, head_mesh().expression_names))


def test_moods_use_shapes_that_exist() -> None:
    known = {name for group in GROUPS for name in group_shapes(group)}
    assert {name for mood in MOODS.values() for pattern in mood for name in sides(pattern)} <= known


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("eyeLookUp*", "Look Up"),
        ("mouthLeft", "Left"),
        ("cheekPuff", "Cheek Puff"),
        ("noseSneer*", "Nose Sneer"),
        ("tongueOut", "Tongue Out"),
        ("mouthClose", "Close (with Jaw Open)"),
    ],
)
def test_labels_leave_out_what_the_group_says(pattern: str, text: str) -> None:
    assert label(pattern) == text


def test_random_faces_are_nearly_symmetric_few_shapes_strong_and_within_range() -> None:
    for seed in range(200):
        weights = random_expression(np.random.default_rng(seed))
        assert all(0 < value <= 1 for value in weights.values())
        assert sum(value > 0.25 for value in weights.values()) <= 14
        for name, value in weights.items():
            if name.endswith("Left") and "Look" not in name and name not in ("mouthLeft", "jawLeft"):
                assert abs(value - weights.get(name[:-4] + "Right", 0.0)) < 0.5 * value + 0.05


def test_random_eyes_never_look_two_ways_at_once() -> None:
    for seed in range(200):
        weights = random_expression(np.random.default_rng(seed))
        assert ("eyeLookOutLeft" in weights) <= ("eyeLookInLeft" not in weights)
        assert weights.get("eyeLookOutLeft", 0) == pytest.approx(weights.get("eyeLookInRight", 0))


def test_same_seed_same_face_and_strength_scales_it() -> None:
    faces = [random_expression(np.random.default_rng(5), strength) for strength in (1.0, 1.0, 0.3)]
    assert faces[0] == faces[1]
    assert max(faces[2].values()) < max(faces[0].values())
    assert random_expression(np.random.default_rng(6)) != faces[0]
