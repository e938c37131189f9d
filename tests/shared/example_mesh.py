"""A small head mesh with random content, for tests of the wire."""

from __future__ import annotations

import numpy as np

from shared.head_mesh import HeadMesh


def example_mesh(vertices: int = 20, faces: int = 12, seed: int = 0) -> HeadMesh:
    """A `HeadMesh` with the right dtypes and shapes; two expressions, two parts, a triangle among its faces."""
    random = np.random.default_rng(seed)
    quads = random.integers(0, vertices, (faces, 4)).astype(np.int32)
    quads[-1, 3] = -1
    return HeadMesh(
        vertices=random.random((vertices, 3), np.float32),
        quads=quads,
        uv=random.random((vertices + 5, 2), np.float32),
        uv_quads=quads.copy(),
        face_part=(np.arange(faces) % 2).astype(np.uint8),
        part_names=np.array(["skin", "eye_left"]),
        expression_names=np.array(["jawOpen", "mouthSmileLeft"]),
        expression_offsets=random.random((2, vertices, 3), np.float32),
        expression_weights=np.array([0.25, 0.5], np.float32),
        hm08_vertex_ids=np.arange(vertices, dtype=np.int32),
        iris_colour_srgb=random.random((2, 3), np.float32),
        iris_radius_m=np.array(0.0058, np.float32),
        pupil_share=np.array(0.4, np.float32),
        teeth_colour_srgb=random.random(3, np.float32),
        camera_rotation=np.eye(3),
        camera_translation=np.array([0.0, 0.0, -0.8]),
        camera_focal_px=np.array(1500.0),
        camera_centre_px=np.array([320.0, 240.0]),
        image_size=np.array([640, 480], np.int32),
        environment=random.random((8, 16, 3), np.float32),
    )
