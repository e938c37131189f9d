"""Collapsing edges: what is flat goes first, curves and borders stay, poses count."""

from __future__ import annotations

import numpy as np

from backend.training.head.levels.edge_collapse import Collapser, Mesh

SIDE = 9


def grid(height: np.ndarray | None = None, part: np.ndarray | None = None, poses: int = 1) -> Mesh:
    """A square of SIDE by SIDE vertices, 1 m wide, with a height [SIDE, SIDE] in the last pose."""
    rows, columns = np.mgrid[0:SIDE, 0:SIDE]
    flat = np.stack([columns.ravel(), rows.ravel(), np.zeros(SIDE**2)], axis=-1) / (SIDE - 1)
    shapes = np.repeat(flat[None], poses, axis=0)
    if height is not None:
        shapes[-1, :, 2] = height.ravel()
    first = (rows[:-1, :-1] * SIDE + columns[:-1, :-1]).ravel()
    quads = np.stack([first, first + 1, first + SIDE + 1, first + SIDE], axis=-1)
    triangles = quads[:, [[0, 1, 2], [0, 2, 3]]].reshape(-1, 3)
    return Mesh(
        poses=shapes,
        pose_weights=np.ones(poses),
        triangles=triangles,
        corners=np.arange(triangles.size).reshape(-1, 3),
        corner_uv=flat[triangles.ravel(), :2],
        part=np.repeat(part if part is not None else np.zeros(len(quads), int), 2),
        importance=np.ones(len(triangles)),
        middle=np.zeros(SIDE**2, bool),
        uv_metres=np.ones(len(triangles)),
    )


def run(mesh: Mesh, times: int) -> Collapser:
    state = Collapser(mesh)
    for _ in range(times):
        if not state.collapse_next():
            break
    return state


def left(state: Collapser) -> set[int]:
    return {vertex for number in np.flatnonzero(state.alive) for vertex in state.vertices[number]}


def test_a_flat_square_keeps_its_outline_and_its_area() -> None:
    mesh = grid()
    state = run(mesh, 40)
    assert len(left(state)) == SIDE**2 - 40
    assert {0, SIDE - 1, SIDE**2 - SIDE, SIDE**2 - 1} <= left(state)
    corners = mesh.poses[0][[state.vertices[n] for n in np.flatnonzero(state.alive)]]
    area = 0.5 * np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])[:, 2]
    assert (area > 0).all()
    np.testing.assert_allclose(area.sum(), 1, atol=1e-9)


def test_what_is_bent_in_any_pose_stays() -> None:
    bent = np.zeros((SIDE, SIDE))
    bent[4, 4] = 0.3
    peak = 4 * SIDE + 4
    assert peak in left(run(grid(bent, poses=2), 45))
    assert peak not in left(run(grid(poses=2), 45))


def test_a_border_of_materials_stays_a_line_of_edges() -> None:
    part = (np.arange((SIDE - 1) ** 2) % (SIDE - 1) >= 4).astype(int)
    state = run(grid(part=part), 50)
    for number in np.flatnonzero(state.alive):
        across = [vertex % SIDE for vertex in state.vertices[number]]
        assert max(across) <= 4 if state.mesh.part[number] == 0 else min(across) >= 4


def test_corners_keep_the_texture_coordinates_of_their_vertex() -> None:
    state = run(grid(), 40)
    for number in np.flatnonzero(state.alive):
        for vertex, corner in zip(state.vertices[number], state.corners[number], strict=True):
            np.testing.assert_allclose(state.mesh.corner_uv[corner], state.mesh.poses[0, vertex, :2])


def test_triangles_of_a_grid_become_its_quads() -> None:
    faces = list(Collapser(grid()).faces(frozenset({0})))
    assert len(faces) == (SIDE - 1) ** 2
    assert {len(face) for face in faces} == {4}
