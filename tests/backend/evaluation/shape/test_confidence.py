from __future__ import annotations

import re

import numpy as np
import pytest

from backend.evaluation.shape import confidence
from backend.evaluation.shape.confidence import EXPECTED, FIT, learnt, verdicts
from backend.evaluation.shape.posed_heads import POSES, Pose, posed_camera, true_errors_mm
from backend.evaluation.tables import Row
from backend.head.confidence import CAUSES, DOWN, OPEN_MOUTH
from backend.head.face_parts import PARTS, face_parts
from backend.head.model import HeadModel, load_head_model


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def test_what_was_put_into_the_errors_is_learnt() -> None:
    rng = np.random.default_rng(0)
    nose, jaw = PARTS.index("nose"), PARTS.index("jaw")
    samples = []
    for _ in range(60):
        chance, amounts = rng.uniform(0.5, 1, len(PARTS)), rng.uniform(0, 1, len(CAUSES))
        true = np.square(1.5 * chance)
        true[nose] += (3.0 * amounts[CAUSES.index(DOWN)]) ** 2
        true[jaw] += (2.0 * amounts[CAUSES.index(OPEN_MOUTH)]) ** 2
        samples.append(confidence.ErrorSample(np.sqrt(true), chance, amounts))
    text = learnt(samples)
    assert "chance = 1.50" in text
    found = {line.split(": ")[0]: line for line in text.splitlines() if "[" in line and ": " in line}
    assert float(re.findall(r"[\d.]+", found[DOWN])[nose]) == pytest.approx(3.0, abs=0.05)
    assert float(re.findall(r"[\d.]+", found[OPEN_MOUTH])[jaw]) == pytest.approx(2.0, abs=0.05)


def test_expected_errors_that_are_far_off_are_said_aloud() -> None:
    told = {f"{part} unsure": float(part == "nose") for part in PARTS}
    right = {part: 2.0 if part == "nose" else 1.0 for part in PARTS} | {"face": 1.0}
    rows = [Row(FIT, "yawn", "a", right), Row(EXPECTED, "yawn", "a", {**right, **told})]
    assert [v.split(":")[0] for v in verdicts(rows)] == ["reached", "reached"]
    rows = [Row(FIT, "yawn", "a", right | {"nose": 0.5, "face": 4.0}), rows[1]]
    assert [v.split(":")[0] for v in verdicts(rows)] == ["MISSED", "MISSED"]


def test_a_camera_above_looks_down_at_the_middle_of_the_face(model: HeadModel) -> None:
    camera = posed_camera(model, model.mean, POSES["looks down 30"], 512)
    assert camera.position[1] > 0.2
    middle = model.landmarks(model.mean)[[33, 263, 1, 152]].mean(axis=0, keepdims=True).astype(np.float64)
    np.testing.assert_allclose(camera.project(middle), [[256, 256]], atol=0.1)
    aside = posed_camera(model, model.mean, Pose(yaw_degrees=60), 512).position
    assert aside[0] > 0.4


def test_size_and_place_are_no_error_but_shape_is(model: HeadModel) -> None:
    parts = face_parts(model)
    moved = (1.03 * model.mean + [0.01, 0, 0]).astype(np.float32)
    assert true_errors_mm(model, parts, model.mean, moved)["face"] < 0.15
    other = model.shape(np.random.default_rng(0).normal(size=100))
    errors = true_errors_mm(model, parts, model.mean, other)
    assert set(errors) == {*PARTS, "face"}
    assert errors["face"] > 0.5
