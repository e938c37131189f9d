"""Each viseme has its sound's mouth: open or closed, wide or round."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy.geometry import HeadGeometry, head_geometry
from blender_addon.anatomy.regions import region_weights
from blender_addon.expression.visemes import VISEMES
from tests.blender import finished_job


@pytest.fixture(scope="module")
def geometry() -> HeadGeometry:
    return head_geometry(finished_job.head_mesh())


def mouth(geometry: HeadGeometry, viseme: str) -> tuple[float, float, float]:
    """Width of the lips, the gap between them in the middle, and how far they come forward, millimetres."""
    points = geometry.vertices.astype(np.float64)
    for name, value in VISEMES[viseme].items():
        points = points + value * geometry.shape_offsets[geometry.shape_names.index(name)]
    lips = np.flatnonzero(region_weights(geometry.hm08_vertex_ids)["Lips"] > 0.5)
    rest = geometry.vertices[lips]
    middle = lips[np.abs(rest[:, 0]) < 0.004]
    # At rest the lips meet where jawOpen parts them.
    parted = geometry.shape_offsets[geometry.shape_names.index("jawOpen")][middle][:, 2]
    upper, lower = middle[parted > -0.004], middle[parted < -0.008]
    gap = points[upper][:, 2].min() - points[lower][:, 2].max()
    return 1000 * np.ptp(points[lips][:, 0]), 1000 * gap, -1000 * points[lips][:, 1].min()


def test_there_are_the_fifteen_and_they_mix_shapes_that_exist(geometry: HeadGeometry) -> None:
    sounds = ["sil", "PP", "FF", "TH", "DD", "kk", "CH", "SS", "nn", "RR", "aa", "E", "I", "O", "U"]
    assert list(VISEMES) == [f"viseme_{sound}" for sound in sounds]
    assert {name for mixture in VISEMES.values() for name in mixture} <= set(geometry.shape_names)
    assert all(0 < value <= 1 for mixture in VISEMES.values() for value in mixture.values())


def test_lips_close_for_p_and_part_most_for_a(geometry: HeadGeometry) -> None:
    gaps = {viseme: mouth(geometry, viseme)[1] for viseme in VISEMES}
    assert gaps["viseme_PP"] <= gaps["viseme_sil"] + 0.5
    assert max(gaps, key=gaps.__getitem__) == "viseme_aa"
    assert gaps["viseme_aa"] > gaps["viseme_E"] > gaps["viseme_I"] > gaps["viseme_sil"]


def test_lips_are_spread_for_i_and_s_and_round_for_o_and_u(geometry: HeadGeometry) -> None:
    width = {viseme: mouth(geometry, viseme)[0] for viseme in VISEMES}
    forward = {viseme: mouth(geometry, viseme)[2] for viseme in VISEMES}
    rest = width["viseme_sil"]
    assert min(width["viseme_I"], width["viseme_SS"], width["viseme_E"]) > rest + 1
    assert max(width["viseme_O"], width["viseme_U"], width["viseme_RR"], width["viseme_CH"]) < rest - 1
    assert width["viseme_U"] < width["viseme_O"]
    assert min(forward["viseme_U"], forward["viseme_O"], forward["viseme_CH"]) > forward["viseme_sil"] + 1


def test_tongue_shows_for_th_alone() -> None:
    assert [viseme for viseme, mixture in VISEMES.items() if "tongueOut" in mixture] == ["viseme_TH"]
