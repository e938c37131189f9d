"""Rows of crowns made along the head model's strips of teeth."""

from __future__ import annotations

import numpy as np
import pytest

from blender_addon.anatomy.geometry import HeadGeometry, head_geometry, part_faces
from blender_addon.anatomy.mouth.teeth import LOWER_WIDTHS_MM, UPPER_WIDTHS_MM, crown_edges
from blender_addon.anatomy.strips import connected_parts, grid_of_quads
from tests.blender.finished_job import head_mesh


@pytest.fixture(scope="module")
def built() -> HeadGeometry:
    return head_geometry(head_mesh())


def rows(built: HeadGeometry) -> dict[str, np.ndarray]:
    """The vertices [R, C] of the upper and the lower row."""
    faces = part_faces(built, "teeth")
    grids = []
    for part in connected_parts(built.quads[faces]):
        grid = grid_of_quads(built.quads[faces[part]])
        assert grid is not None
        grids.append(grid if grid.shape[0] < grid.shape[1] else grid.T)
    lower, upper = sorted(grids, key=lambda grid: built.vertices[grid][..., 2].mean())
    return {"upper": upper, "lower": lower}


def test_upper_incisors_overlap_the_lower_ones_in_front_of_them(built: HeadGeometry) -> None:
    upper, lower = (
        points[np.abs(points[:, 0]) < 0.004]
        for points in (built.vertices[rows(built)[name]].reshape(-1, 3) for name in ("upper", "lower"))
    )
    overlap = lower[:, 2].max() - upper[:, 2].min()
    assert 0.001 < overlap < 0.004
    front_of_lower = lower[lower[:, 2] > lower[:, 2].max() - 0.002, 1].min()
    back_of_upper = upper[upper[:, 2] < upper[:, 2].min() + 0.002, 1].max()
    assert back_of_upper < front_of_lower


def test_rows_lie_behind_closed_lips(built: HeadGeometry) -> None:
    skin = built.vertices[np.unique(built.quads[part_faces(built, "skin")])]
    near = (np.abs(skin[:, 0]) < 0.01) & (np.abs(skin[:, 2] + 0.0715) < 0.004)
    assert built.vertices[rows(built)["upper"]][..., 1].min() > skin[near, 1].min() + 0.005


def test_lower_row_moves_with_the_jaw_as_one_and_the_upper_row_stays(built: HeadGeometry) -> None:
    moved = built.shape_offsets[built.shape_names.index("jawOpen")]
    upper, lower = (rows(built)[name].ravel() for name in ("upper", "lower"))
    assert np.abs(moved[upper]).max() < 1e-5
    before, after = built.vertices[lower], built.vertices[lower] + moved[lower]
    some = np.linspace(0, len(lower) - 1, 40).astype(int)
    apart = [np.linalg.norm(p[some][:, None] - p[some][None], axis=-1) for p in (before, after)]
    np.testing.assert_allclose(*apart, atol=3e-4)


def test_all_sides_of_the_crowns_face_outwards(built: HeadGeometry) -> None:
    quads = built.quads[part_faces(built, "teeth")]
    corners = built.vertices[quads]
    normal = np.cross(corners[:, 1] - corners[:, 0], corners[:, 3] - corners[:, 0])
    front = (np.abs(corners[..., 0].mean(1)) < 0.006) & (corners[..., 1].mean(1) < -0.0215)
    assert front.any()
    assert (normal[front, 1] < 0).mean() > 0.8


@pytest.mark.parametrize("widths", [UPPER_WIDTHS_MM, LOWER_WIDTHS_MM])
def test_crowns_meet_in_the_middle_and_fill_the_arch(widths: tuple[float, ...]) -> None:
    edges = crown_edges(widths)
    assert len(edges) == 2 * len(widths) + 1
    assert (edges[0], edges[len(widths)], edges[-1]) == pytest.approx((0, 0.5, 1))
    np.testing.assert_allclose(edges, 1 - edges[::-1])
