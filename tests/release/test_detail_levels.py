"""The levels of detail that ship with the add-on: they belong to the head model that ships, and keep its shape."""

from __future__ import annotations

from collections import Counter
from functools import cache

import numpy as np
import pytest

from backend.head.model import load_head_model
from backend.training.head.levels.level_errors import level_errors, surface_distances, triangles_of
from blender_addon.anatomy.detail_levels import COARSER_LEVELS, level_corners, topology
from blender_addon.anatomy.geometry import HeadGeometry
from release.detail_levels import geometry_of, mirror_of, where_lips_meet

LEVELS = range(1, COARSER_LEVELS + 1)
FACES = {1: 3500, 2: 1700, 3: 700}
# Millimetres: mean and largest distance of the skin, mean and largest one of its outlines.
LIMITS = {1: (0.1, 2.0, 0.05, 2.0), 2: (0.4, 4.5, 0.15, 3.0), 3: (1.0, 8.0, 0.5, 5.0)}
# Millimetres: mean distance where lips meet and coarse ones gape.
GAPING = {1: 0.05, 2: 0.2, 3: 0.5}


@cache
def head() -> HeadGeometry:
    return geometry_of(load_head_model())


def vertices_of(level: int) -> np.ndarray:
    corners = level_corners(level)
    return np.where(corners >= 0, head().quads.ravel()[corners], -1)


def test_the_shipped_levels_are_of_the_shipped_head() -> None:
    whole = topology()
    np.testing.assert_array_equal(whole.quads, head().quads)
    np.testing.assert_array_equal(whole.face_part, head().face_part)
    assert whole.part_names == head().part_names


def test_every_person_has_this_topology() -> None:
    identity = np.random.default_rng(0).normal(size=100).astype(np.float32) * 2
    np.testing.assert_array_equal(geometry_of(load_head_model(), identity).quads, topology().quads)


def test_a_head_of_the_skin_alone_has_its_part_of_the_levels() -> None:
    faces, quads = topology().of_parts({"skin"})
    assert len(faces) == (head().face_part == head().part_names.index("skin")).sum()
    assert quads.max() + 1 == len(np.unique(head().quads[faces]))


@pytest.mark.parametrize("level", LEVELS)
def test_levels_have_about_as_many_faces_as_promised(level: int) -> None:
    assert 0.95 * FACES[level] <= len(level_corners(level)) <= FACES[level]


@pytest.mark.parametrize("level", LEVELS)
def test_corners_of_a_face_are_of_one_part_and_of_different_vertices(level: int) -> None:
    corners, vertices = level_corners(level), vertices_of(level)
    part = np.where(corners >= 0, head().face_part[corners // 4], head().face_part[corners[:, :1] // 4])
    assert (part == part[:, :1]).all()
    for row in vertices.tolist():
        used = [vertex for vertex in row if vertex >= 0]
        assert len(set(used)) == len(used)


@pytest.mark.parametrize("level", LEVELS)
def test_each_edge_has_at_most_two_faces_and_borders_lie_where_they_were(level: int) -> None:
    def borders(faces: np.ndarray) -> set[int]:
        rows = [[v for v in row if v >= 0] for row in faces.tolist()]
        edges = Counter(tuple(sorted(pair)) for row in rows for pair in zip(row, row[1:] + row[:1], strict=True))
        assert max(edges.values()) <= 2
        return {vertex for edge, count in edges.items() if count == 1 for vertex in edge}

    assert borders(vertices_of(level)) <= borders(head().quads)


@pytest.mark.parametrize("level", LEVELS)
def test_levels_are_as_symmetric_as_the_head(level: int) -> None:
    mirror = mirror_of(load_head_model(), head())
    teeth = head().part_names.index("teeth")
    rows = vertices_of(level)[head().face_part[level_corners(level)[:, 0] // 4] != teeth]
    faces = {frozenset(v for v in row if v >= 0) for row in rows.tolist()}
    assert faces == {frozenset(int(mirror[v]) for v in face) for face in faces}


@pytest.mark.parametrize("level", LEVELS)
def test_every_part_but_the_lashes_is_there_at_every_level(level: int) -> None:
    found = {head().part_names[part] for part in np.unique(head().face_part[level_corners(level)[:, 0] // 4])}
    assert found >= set(head().part_names) - {"lashes"}
    assert ("lashes" in found) == (level < 3)


@pytest.mark.slow
@pytest.mark.parametrize("shapes", [(), ("jawOpen",), ("mouthSmileLeft", "mouthSmileRight")])
@pytest.mark.parametrize("level", LEVELS)
def test_levels_lie_near_the_head_and_have_its_outline(level: int, shapes: tuple[str, ...]) -> None:
    geometry = head()
    points = geometry.vertices.astype(np.float64)
    for name in shapes:
        points += geometry.shape_offsets[geometry.shape_names.index(name)]
    skin = geometry.face_part == geometry.part_names.index("skin")
    coarse = vertices_of(level)[skin[level_corners(level)[:, 0] // 4]]
    found = level_errors(points, triangles_of(geometry.quads[skin]), triangles_of(coarse))
    values = (found.surface_mean, found.surface_max, found.outline_mean, found.outline_max)
    assert all(value < limit for value, limit in zip(values, LIMITS[level], strict=True)), values


@pytest.mark.parametrize("level", LEVELS)
def test_lips_stay_shut(level: int) -> None:
    geometry = head()
    skin = geometry.face_part == geometry.part_names.index("skin")
    meeting = np.unique(geometry.quads[where_lips_meet(geometry) & skin])
    points = geometry.vertices.astype(np.float64)
    coarse = triangles_of(vertices_of(level)[skin[level_corners(level)[:, 0] // 4]])
    assert len(meeting) > 100
    assert 1000 * surface_distances(points[meeting], points[coarse]).mean() < GAPING[level]
