"""Albedos of one head under several lights, and lights swapped between heads."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from backend.evaluation.skin import light
from backend.evaluation.skin.light import LitHead

SIDE = 8


def lit_head(albedo: float, seen_albedo: float, true_albedo: float) -> LitHead:
    """A head of one colour: what was reconstructed, what its picture shows, and the truth."""

    def grey(value: float) -> np.ndarray:
        return np.full((SIDE, SIDE, 3), value, np.float32)

    ones = np.ones((SIDE, SIDE), np.float32)
    nothing = 0 * ones
    regions = SimpleNamespace(face=ones, lips=nothing, brows=nothing, eyes=nothing, beard=nothing)
    space = SimpleNamespace(interpolate=lambda transfer: np.tile(transfer[0], (SIDE, SIDE, 1)))
    skin = SimpleNamespace(regions=regions, uv_space=space, transfer=np.eye(1, 9, dtype=np.float32))
    subject = SimpleNamespace(skin=skin, partial=SimpleNamespace(texture_srgb=grey(seen_albedo), visibility=ones))
    maps = SimpleNamespace(diffuse_albedo_srgb=grey(albedo))
    truth = SimpleNamespace(diffuse_albedo_srgb=grey(true_albedo), visibility=ones)
    bright = np.zeros((9, 3), np.float32)
    bright[0] = 1
    return LitHead(cast(Any, subject), cast(Any, maps), bright, cast(Any, truth))


def test_the_difference_between_lights_is_set_against_the_error_to_the_truth() -> None:
    heads = {"a": {"studio": lit_head(0.5, 0.5, 0.4), "area": lit_head(0.52, 0.5, 0.4)}}
    absolute, equal = light.albedo_rows(heads, "draft")
    assert absolute.values["between"] == pytest.approx(0.02, abs=1e-5)
    assert absolute.values["to truth"] == pytest.approx(0.11, abs=1e-5)
    assert absolute.values["share"] == pytest.approx(0.02 / 0.11, abs=1e-3)
    assert equal.values["to truth"] == pytest.approx(0, abs=1e-6)


def two_heads(dark_albedo: float) -> dict[str, dict[str, LitHead]]:
    bright = {name: lit_head(0.7, 0.7, 0.7) for name in light.LIGHTS}
    dark = {name: lit_head(dark_albedo, 0.3, 0.3) for name in light.LIGHTS}
    return {"bright": bright, "dark": dark}


def test_a_head_in_anothers_light_is_nearest_itself() -> None:
    rows = list(light.swapped_rows(two_heads(0.3), "draft"))
    assert len(rows) == 2 * 6
    assert all(row.values["nearest"] == 1 for row in rows)


def test_a_head_that_came_out_as_another_is_told() -> None:
    rows = [r for r in light.swapped_rows(two_heads(0.68), "draft") if r.subject.startswith("dark")]
    assert all(row.values["nearest"] == 0 for row in rows)
    assert any(s.startswith("MISSED: lights swapped") for s in light.verdicts([*rows, *_albedo_rows()]))


def test_another_distance_can_be_put_in() -> None:
    rows = light.swapped_rows(two_heads(0.3), "draft", distance=lambda a, b, mask: float(abs(a[0, 0, 0] - 0.7)))
    assert {row.values["own"] == row.values["next"] for row in rows} == {True}


def _albedo_rows() -> list[light.Row]:
    heads = {"a": {"studio": lit_head(0.5, 0.5, 0.4), "area": lit_head(0.52, 0.5, 0.4)}}
    return list(light.albedo_rows(heads, "draft"))
