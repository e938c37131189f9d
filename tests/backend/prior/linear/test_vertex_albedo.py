"""The albedo PCA at the vertices of the head model."""

from __future__ import annotations

import numpy as np
import pytest

from backend.head.model import HeadModel, load_head_model
from backend.prior.linear import cosine
from backend.prior.linear.factor_model import AlbedoPca
from backend.prior.linear.vertex_albedo import vertex_albedo


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


def test_values_are_those_of_the_maps_at_the_vertices(model: HeadModel) -> None:
    centres = (np.arange(128) + 0.5) / 128
    across, down = np.meshgrid(centres, centres)
    # Even in x: a ridge along the middle; odd in x: a slope across.
    even, _ = cosine.analyse(np.stack([0.3 + 0.2 * down, 0.2 + 0.1 * down, 0.1 + 0.1 * down]).astype(np.float32))
    _, odd = cosine.analyse((across - 0.5)[None].astype(np.float32))
    components = np.zeros((3, 1, cosine.count(0)), np.float32)
    components[:, 0, : cosine.count(1)] = odd
    basis = vertex_albedo(AlbedoPca(even, np.ones((3, 1), np.uint8), components), model, components=1)
    assert basis.basis.shape == (3, len(model.mean), 3)
    triangles, uv_triangles = model.triangles("skin"), model.uv_triangles("skin")
    # Away from the border of the map, where cosines ring, and from vertices of the seam, which have two places.
    uv = model.uv[uv_triangles[:, 0]]
    inner = (np.abs(uv - 0.5) < 0.35).all(axis=1)
    vertices, uv = triangles[inner, 0], uv[inner]
    np.testing.assert_allclose(basis.mean[vertices, 0], 0.3 + 0.2 * (1 - uv[:, 1]), atol=0.01)
    for channel in range(3):
        np.testing.assert_allclose(basis.basis[channel, vertices, channel], uv[:, 0] - 0.5, atol=0.02)
        others = [c for c in range(3) if c != channel]
        assert not basis.basis[channel][:, others].any()
