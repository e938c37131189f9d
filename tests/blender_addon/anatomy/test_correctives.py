"""Shapes that are completed: the tongue's way out and lips that hold air."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy.correctives import Correctives, with_correctives
from tests.blender.finished_job import head_mesh
from tests.blender_addon.heads import small_head

MESH = head_mesh()
NAMES = [str(name) for name in MESH.expression_names]


def vertices_of(part: str) -> np.ndarray:
    return np.unique(MESH.quads[MESH.face_part == [str(name) for name in MESH.part_names].index(part)])


def test_tongue_out_opens_the_jaw_by_a_part_of_its_own_shape() -> None:
    built = with_correctives(MESH, Correctives(jaw_for_tongue=0.5))
    skin = vertices_of("skin")
    tongue_out, jaw_open = (built.expression_offsets[NAMES.index(name)] for name in ("tongueOut", "jawOpen"))
    np.testing.assert_allclose(tongue_out[skin], 0.5 * jaw_open[skin], atol=1e-6)


def test_tongue_comes_out_between_the_lips() -> None:
    built = with_correctives(MESH)
    moved = built.vertices + built.expression_offsets[NAMES.index("tongueOut")]
    tongue, skin = vertices_of("tongue"), vertices_of("skin")
    middle = skin[np.abs(built.vertices[skin, 0]) < 0.003]
    tip = moved[tongue[np.argmax(moved[tongue, 2])]]
    upper = middle[np.abs(built.vertices[middle, 1] + 0.069) < 0.0012]
    lower = middle[np.abs(built.vertices[middle, 1] + 0.074) < 0.0012]
    assert moved[lower, 1].max() < tip[1] < moved[upper, 1].min()
    assert tip[2] > moved[lower, 2].max() + 0.005


def test_puffed_cheeks_press_the_lips_together() -> None:
    plain, built = MESH.expression_offsets, with_correctives(MESH).expression_offsets
    puff, left, right = (NAMES.index(name) for name in ("cheekPuff", "mouthPressLeft", "mouthPressRight"))
    np.testing.assert_allclose(built[puff], plain[puff] + 0.5 * (plain[left] + plain[right]), atol=1e-6)


@pytest.mark.parametrize("name", [name for name in NAMES if name not in ("tongueOut", "cheekPuff")])
def test_other_shapes_stay_as_they_are(name: str) -> None:
    k = NAMES.index(name)
    np.testing.assert_array_equal(with_correctives(MESH).expression_offsets[k], MESH.expression_offsets[k])


def test_head_without_these_shapes_stays_as_it_is() -> None:
    mesh = small_head()
    np.testing.assert_array_equal(with_correctives(mesh).expression_offsets, mesh.expression_offsets)
