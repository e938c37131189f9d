"""The wet rims of the lids."""

from __future__ import annotations

import numpy as np

from blender_addon.anatomy.eyelids.waterlines import RimShape, rim_of_lids
from blender_addon.anatomy.geometry import head_geometry
from tests.blender.finished_job import head_mesh
from tests.blender_addon.heads import small_head

CENTRE, RADIUS = np.array([0.0315, 0.0, 0.0]), 0.0144


def opening(half_height: float) -> np.ndarray:
    """The edge [24, 3] of an almond on the front of an eyeball, counter-clockwise seen from the front."""
    turn = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    flat = np.stack([0.012 * np.cos(turn), np.zeros(24), half_height * np.sin(turn)], axis=1)
    flat[:, 1] = -np.sqrt(RADIUS**2 - flat[:, 0] ** 2 - flat[:, 2] ** 2)
    return CENTRE + flat


def test_band_is_broadest_in_the_inner_corner_and_ends_on_the_ball() -> None:
    edge = opening(0.005)
    rim = rim_of_lids(edge, np.zeros((0, 24, 3)), CENTRE, RADIUS)
    breadth = np.linalg.norm(rim.points[2] - edge, axis=1)
    assert np.argmax(breadth) == np.argmin(edge[:, 0])
    assert abs(breadth[0] - RimShape().breadth) < 0.0001
    np.testing.assert_allclose(np.linalg.norm(rim.points[2] - CENTRE, axis=1), RADIUS, atol=1e-9)


def test_band_lies_within_the_opening_but_for_what_is_tucked_under_the_lid() -> None:
    edge = opening(0.005)
    rim = rim_of_lids(edge, np.zeros((0, 24, 3)), CENTRE, RADIUS)
    height = np.abs(rim.points[..., 2])
    upright = np.abs(edge[:, 2]) > 0.003
    assert (height[0, upright] > np.abs(edge[upright, 2])).all()
    assert (height[1:, upright] < np.abs(edge[upright, 2])).all()


def test_band_stays_on_the_ball_as_the_lids_close() -> None:
    wide, narrow = opening(0.005), opening(0.0005)
    rim = rim_of_lids(wide, (narrow - wide)[None], CENTRE, RADIUS)
    moved = rim.points + rim.offsets[0]
    np.testing.assert_allclose(
        np.linalg.norm(moved - CENTRE, axis=-1), np.linalg.norm(rim.points - CENTRE, axis=-1), atol=1e-6
    )


def test_both_eyes_of_the_head_have_a_closed_band() -> None:
    mesh = head_mesh()
    built = head_geometry(mesh)
    lining = built.part_names.index("mouth")
    added = (built.face_part == lining) & (built.quads.min(axis=1) >= len(mesh.vertices))
    numbers, times = np.unique(built.quads[added], return_counts=True)
    assert added.sum() == 2 * 2 * 28
    # Rows at the band's ends have two faces at each vertex, the one between them four.
    assert sorted(set(times.tolist())) == [2, 4]
    for eye in built.eyes.values():
        near = np.linalg.norm(built.vertices[numbers] - eye.centre, axis=1)
        assert (np.abs(near - eye.radius) < 0.002).sum() == 3 * 28


def test_head_without_lining_gets_no_band() -> None:
    assert "mouth" not in head_geometry(small_head()).part_names
