"""Small heads made of numpy: a patch of skin, two eyeballs, lashes and teeth."""

from __future__ import annotations

import numpy as np

from shared.head_mesh import HeadMesh

PARTS = ("skin", "eye_left", "eye_right", "teeth", "lashes")


def cube_ball(centre: np.ndarray, radius: float) -> tuple[np.ndarray, np.ndarray]:
    """A ball of 24 quads (each side of a cube cut in four), counter-clockwise from outside."""
    points: dict[tuple[float, ...], int] = {}
    quads = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            for i in (-1.0, 0.0):
                for j in (-1.0, 0.0):
                    corners = []
                    for a, b in ((i, j), (i + 1, j), (i + 1, j + 1), (i, j + 1)):
                        corner = np.zeros(3)
                        corner[axis], corner[axis - 2], corner[axis - 1] = sign, a, b
                        corners.append(points.setdefault(tuple(corner), len(points)))
                    quads.append(corners if sign > 0 else corners[::-1])
    vertices = np.array(list(points))
    vertices = centre + radius * vertices / np.linalg.norm(vertices, axis=1, keepdims=True)
    return vertices, np.array(quads)


def strip(rows: int, columns: int, place: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A grid of quads; `place` [rows, columns, 3] gives its points."""
    index = np.arange(rows * columns).reshape(rows, columns)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], axis=-1)
    return place.reshape(-1, 3), quads.reshape(-1, 4)


def small_head(look_degrees: float = 20.0) -> HeadMesh:
    """A head of the five parts; its one expression turns both eyeballs about their centres to the subject's left."""
    pieces, part_of_face = [], []
    ramp = np.linspace(-1, 1, 5)
    skin = np.stack(np.broadcast_arrays(ramp[None] * 0.05, -ramp[:, None] * 0.05, 0.03), axis=-1)
    # Rows go down, so this patch is clockwise seen from +z; turn it round.
    points, quads = strip(5, 5, skin)
    pieces.append((points, quads[:, ::-1]))
    centres = {"eye_left": np.array([0.0315, 0, 0]), "eye_right": np.array([-0.0315, 0, 0])}
    for centre in centres.values():
        pieces.append(cube_ball(centre, 0.012))
    arch = np.linspace(-1, 1, 9)
    for level in (-0.05, -0.06):
        front = np.stack([arch * 0.02, np.full(9, level), 0.02 - 0.02 * arch**2], axis=-1)
        edge, back = np.array([0, -0.004, 0.001]), np.array([0, 0, -0.006])
        rows = [front, front + edge, front + back]
        pieces.append(strip(3, 9, np.stack(rows)))
    for centre in centres.values():
        for side in (1, -1):
            along = np.linspace(-0.012, 0.012, 6)
            root = centre + np.stack([along, np.full(6, 0.004 * side), np.full(6, 0.012)], axis=-1)
            middle, tip = np.array([0, 0.002 * side, 0.003]), np.array([0, 0.005 * side, 0.005])
            pieces.append(strip(3, 6, np.stack([root, root + middle, root + tip])))
    count = [1, 1, 1, 2, 4]
    part_of_piece = np.repeat(np.arange(len(PARTS)), count)
    vertices, all_quads = [], []
    for (points, quads), part in zip(pieces, part_of_piece, strict=True):
        all_quads.append(quads + sum(map(len, vertices)))
        vertices.append(points)
        part_of_face += [part] * len(quads)
    everything = np.concatenate(vertices).astype(np.float32)
    quads = np.concatenate(all_quads).astype(np.int32)
    angle = np.radians(look_degrees)
    turn = np.array([[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]])
    offsets = np.zeros((1, len(everything), 3), np.float32)
    for part, centre in centres.items():
        ring = np.unique(quads[np.array(part_of_face) == PARTS.index(part)])
        offsets[0, ring] = (everything[ring] - centre) @ turn.T + centre - everything[ring]
    return HeadMesh(
        vertices=everything,
        quads=quads,
        uv=np.random.default_rng(0).random((len(everything), 2)).astype(np.float32),
        uv_quads=quads,
        face_part=np.array(part_of_face, np.uint8),
        part_names=np.array(PARTS),
        expression_names=np.array(["eyeLookOutLeft"]),
        expression_offsets=offsets,
        expression_weights=np.array([0.5], np.float32),
        hm08_vertex_ids=np.arange(len(everything), dtype=np.int32),
        iris_colour_srgb=np.full((2, 3), 0.3, np.float32),
        iris_radius_m=np.array(0.00585, np.float32),
        pupil_share=np.array(0.36, np.float32),
        teeth_colour_srgb=np.array([0.83, 0.78, 0.66], np.float32),
        camera_rotation=np.eye(3),
        camera_translation=np.array([0, 0, -0.5]),
        camera_focal_px=np.array(500.0),
        camera_centre_px=np.array([50.0, 50.0]),
        image_size=np.array([100, 100], np.int32),
        environment=np.ones((4, 8, 3), np.float32),
    )
