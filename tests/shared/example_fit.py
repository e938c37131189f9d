"""A small fit and what comes back for it, for tests of the wire."""

from __future__ import annotations

import numpy as np

from shared.refit_messages import FitState, Refitted


def example_state(coefficients: int = 4, seed: int = 0) -> FitState:
    """A `FitState` with the right dtypes and shapes."""
    random = np.random.default_rng(seed)
    return FitState(
        identity=random.normal(size=coefficients).astype(np.float32),
        expression=random.random(2, np.float32),
        camera_rotation=np.eye(3),
        camera_translation=np.array([0.0, 0.01, -0.8]),
        camera_focal_px=np.array(1500.0),
        camera_centre_px=np.array([320.0, 240.0]),
        image_size=np.array([640, 480], np.int32),
    )


def example_refitted(job_id: str, vertices: int = 20, seed: int = 0) -> Refitted:
    """A `Refitted` with two handles, of which one can be seen."""
    random = np.random.default_rng(seed)
    return Refitted(
        job_id=job_id,
        vertices=random.random((vertices, 3), np.float32),
        hm08_vertex_ids=np.arange(vertices, dtype=np.int32),
        expression=random.random(2, np.float32),
        camera_rotation=np.eye(3),
        camera_translation=np.array([0.0, 0.0, -0.8]),
        handle_names=np.array(["chin", "ear lobe left"]),
        handle_vertices=np.array([[0, 1, 2], [3, 3, 3]], np.int32),
        handle_weights=np.array([[0.5, 0.25, 0.25], [1, 0, 0]], np.float32),
        handle_seen=np.array([1, 0], np.uint8),
    )
