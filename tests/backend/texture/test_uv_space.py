"""Texture space: exact rasterisation, surface attributes, tangent frames, mirroring and padding."""

from __future__ import annotations

import time

import cv2
import numpy as np
import pytest

from backend.head.model import HeadModel, load_head_model
from backend.texture.uv_raster import rasterise_uv
from backend.texture.uv_space import UVSpace, dilate, mirror, mirror_normals, nearest_inside, uv_space


def grid_layout(cells: int, seed: int) -> np.ndarray:
    """Corners [2 * cells^2, 3, 2] of a jittered triangle grid inside the unit square."""
    rng = np.random.default_rng(seed)
    points = np.stack(np.meshgrid(*[np.linspace(0.03, 0.98, cells + 1)] * 2), axis=-1)
    points += rng.uniform(-0.2, 0.2, points.shape) / cells
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    return np.concatenate([np.stack([a, b, c], 2), np.stack([a, c, d], 2)]).reshape(-1, 3, 2)


def brute_force(corners: np.ndarray, resolution: int) -> tuple[np.ndarray, np.ndarray]:
    """Every texel centre against every triangle: index [R, R] of the deepest containing one, barycentrics."""
    centre = (np.arange(resolution) + 0.5) / resolution
    u, v = np.meshgrid(centre, centre[::-1])
    best, weights = np.full(u.shape, -1), np.zeros((*u.shape, 3))
    depth = np.full(u.shape, -1e-12)
    for index, (a, b, c) in enumerate(corners):
        matrix = np.linalg.inv(np.stack([b - a, c - a], axis=1))
        st = (np.stack([u, v], -1) - a) @ matrix.T
        candidate = np.concatenate([1 - st.sum(-1, keepdims=True), st], -1)
        closer = candidate.min(-1) > depth
        depth[closer], best[closer], weights[closer] = candidate.min(-1)[closer], index, candidate[closer]
    return best, weights


def sheet_model(height: np.ndarray) -> HeadModel:
    """A square sheet of quads over [-0.1, 0.1] m whose UVs are its front view; z is `height` [n + 1, n + 1]."""
    n = len(height) - 1
    grid = np.linspace(-0.1, 0.1, n + 1)
    x, y = np.meshgrid(grid, grid)
    vertices = np.stack([x, y, height], -1).reshape(-1, 3).astype(np.float32)
    index = np.arange((n + 1) ** 2).reshape(n + 1, n + 1)
    quads = np.stack([index[:-1, :-1], index[:-1, 1:], index[1:, 1:], index[1:, :-1]], -1).reshape(-1, 4)
    return HeadModel(
        mean=vertices,
        identity_basis=np.zeros((1, len(vertices), 3), np.float32),
        expression_basis=np.zeros((52, len(vertices), 3), np.float32),
        expression_names=("jawOpen",) * 52,
        quads=quads.astype(np.int32),
        uv=(vertices[:, :2] * 4.5 + 0.5).astype(np.float32),
        uv_quads=quads.astype(np.int32),
        face_part=np.zeros(len(quads), np.uint8),
        part_names=("skin",),
        hm08_vertex_ids=np.arange(len(vertices), dtype=np.int32),
        mirror=index[:, ::-1].ravel().astype(np.int32),
        landmark_triangles=np.zeros((478, 3), np.int32),
        landmark_barycentric=np.full((478, 3), 1 / 3, np.float32),
        metadata={},
    )


def wavy_space(resolution: int = 64) -> tuple[UVSpace, np.ndarray]:
    grid = np.linspace(-0.1, 0.1, 13)
    x, y = np.meshgrid(grid, grid)
    model = sheet_model(0.02 * np.cos(x * 20) * np.cos(y * 15) + 0.1 * y)
    return uv_space(model, resolution), model.mean


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_rasterised_texels_equal_brute_force(seed: int) -> None:
    corners = grid_layout(cells=7, seed=seed)
    triangle, barycentric = rasterise_uv(corners, 97)
    expected, weights = brute_force(corners, 97)
    np.testing.assert_array_equal(triangle, expected)
    inside = expected >= 0
    np.testing.assert_allclose(barycentric[inside], weights[inside], atol=1e-5)
    assert not barycentric[~inside].any()


def test_clockwise_triangles_are_rasterised_alike() -> None:
    corners = grid_layout(cells=3, seed=3)
    np.testing.assert_array_equal(rasterise_uv(corners, 50)[0], rasterise_uv(corners[:, ::-1], 50)[0])


def test_edges_through_texel_centres_leave_no_cracks() -> None:
    # Every edge of this grid runs exactly along texel centres or diagonals between them.
    ticks = (np.arange(9) * 8 + 0.5) / 65
    points = np.stack(np.meshgrid(ticks, ticks), axis=-1)
    a, b, c, d = points[:-1, :-1], points[:-1, 1:], points[1:, 1:], points[1:, :-1]
    corners = np.concatenate([np.stack([a, b, c], 2), np.stack([a, c, d], 2)]).reshape(-1, 3, 2)
    triangle, barycentric = rasterise_uv(corners, 65)
    assert (triangle >= 0).all()
    assert barycentric.min() >= 0
    np.testing.assert_allclose(barycentric.sum(-1), 1, atol=1e-6)


def test_triangles_without_area_or_outside_the_square_cover_nothing() -> None:
    corners = np.array([[[0.1, 0.1], [0.5, 0.5], [0.9, 0.9]], [[1.1, 0.2], [1.5, 0.2], [1.3, 0.9]]])
    assert (rasterise_uv(corners, 32)[0] == -1).all()


def test_row_zero_is_the_top_of_the_layout() -> None:
    corners = np.array([[[0.0, 0.75], [1.0, 0.75], [1.0, 1.0]], [[0.0, 0.75], [1.0, 1.0], [0.0, 1.0]]])
    covered = rasterise_uv(corners, 16)[0] >= 0
    assert covered[:4].all()
    assert not covered[4:].any()


def test_rasterising_1024_squared_takes_under_a_second() -> None:
    corners = grid_layout(cells=45, seed=4)
    start = time.process_time()
    rasterise_uv(corners, 1024)
    assert time.process_time() - start < 1.0


def test_positions_lie_where_the_layout_says() -> None:
    space, vertices = wavy_space()
    u = np.broadcast_to((np.arange(64) + 0.5) / 64, (64, 64))
    position = space.positions(vertices)
    np.testing.assert_allclose(position[..., 0][space.mask], ((u - 0.5) / 4.5)[space.mask], atol=1e-6)
    np.testing.assert_allclose(position[..., 1][space.mask], ((u.T[::-1] - 0.5) / 4.5)[space.mask], atol=1e-6)
    assert not position[~space.mask].any()


def test_normals_of_a_tilted_plane_are_its_normal() -> None:
    x = np.broadcast_to(np.linspace(-0.1, 0.1, 5), (5, 5))
    model = sheet_model(0.5 * x)
    space = uv_space(model, 32)
    expected = np.array([-0.5, 0, 1]) / np.hypot(0.5, 1)
    normals = space.normals(model.mean)[space.mask]
    np.testing.assert_allclose(normals, np.broadcast_to(expected, normals.shape), atol=1e-5)


def test_tangents_of_a_tilted_plane_follow_u_and_v() -> None:
    x = np.broadcast_to(np.linspace(-0.1, 0.1, 5), (5, 5))
    model = sheet_model(0.5 * x)
    space = uv_space(model, 32)
    frames = space.tangents(model.mean)
    np.testing.assert_allclose(frames.tangent[space.mask].mean(0), np.array([1, 0, 0.5]) / np.hypot(0.5, 1), atol=1e-5)
    np.testing.assert_allclose(frames.bitangent[space.mask].mean(0), [0, 1, 0], atol=1e-5)


def test_tangent_space_normals_survive_the_way_to_head_space_and_back() -> None:
    space, vertices = wavy_space()
    frames = space.tangents(vertices)
    local = np.random.default_rng(5).normal(size=(64, 64, 3)) * [0.4, 0.4, 0.1] + [0, 0, 1]
    local = (local / np.linalg.norm(local, axis=-1, keepdims=True)).astype(np.float32)
    back = frames.to_tangent(frames.to_head(local))
    np.testing.assert_allclose(back[space.mask], local[space.mask], atol=1e-4)
    np.testing.assert_array_equal(back[~space.mask], np.broadcast_to([0, 0, 1], back[~space.mask].shape))


def test_flat_normal_map_gives_the_smooth_normals() -> None:
    space, vertices = wavy_space()
    flat = np.broadcast_to(np.array([0, 0, 1], np.float32), (64, 64, 3))
    np.testing.assert_allclose(space.tangents(vertices).to_head(flat), space.normals(vertices), atol=1e-5)


def test_texel_density_counts_texels_per_metre() -> None:
    model = sheet_model(np.zeros((5, 5)))
    space = uv_space(model, 64)
    density = space.texels_per_metre(model.mean)
    np.testing.assert_allclose(density[space.mask], 64 * 4.5, rtol=1e-4)
    assert not density[~space.mask].any()


def test_anisotropy_tells_how_texels_are_stretched_on_the_surface() -> None:
    model = sheet_model(np.zeros((5, 5)))
    space = uv_space(model, 64)
    np.testing.assert_allclose(space.anisotropy(model.mean), np.broadcast_to(np.eye(2), (64, 64, 2, 2)), atol=1e-4)
    wide = space.anisotropy(model.mean * np.array([4, 1, 1], np.float32))
    np.testing.assert_allclose(wide[32, 32], [[2, 0], [0, 0.5]], atol=1e-4)
    # Sheared to the right upwards, so to the left with rising rows.
    sheared = model.mean + model.mean[:, 1:2] * np.array([1, 0, 0], np.float32)
    form = space.anisotropy(sheared)[32, 32] @ space.anisotropy(sheared)[32, 32]
    np.testing.assert_allclose(form, [[1, -1], [-1, 2]], atol=1e-3)


def test_mirrored_map_is_the_map_of_the_mirrored_surface() -> None:
    grid = np.linspace(-0.1, 0.1, 9)
    x, y = np.meshgrid(grid, grid)
    model = sheet_model(0.03 * np.sin(x * 30) + 0.05 * x * y)
    space = uv_space(model, 48)
    mirrored = model.mean[model.mirror] * np.array([-1, 1, 1], np.float32)
    # The quads' diagonals are not mirrored, so the two surfaces differ a little between vertices.
    np.testing.assert_allclose(mirror(space.positions(model.mean)) * [-1, 1, 1], space.positions(mirrored), atol=1.5e-4)
    difference = mirror_normals(space.normals(model.mean)) - space.normals(mirrored)
    assert np.abs(difference).mean() < 0.01


def test_dilation_copies_the_nearest_texel_within_reach() -> None:
    mask = np.zeros((20, 20), bool)
    mask[8:12, 8:12] = True
    image = np.random.default_rng(6).random((20, 20, 3)).astype(np.float32)
    result = dilate(image, mask, 3)
    np.testing.assert_array_equal(result[mask], image[mask])
    np.testing.assert_array_equal(result[9, 5], image[9, 8])
    np.testing.assert_array_equal(result[6, 13], image[8, 11])
    np.testing.assert_array_equal(result[9, 3], image[9, 3])
    np.testing.assert_array_equal(result[:4], image[:4])


def test_dilation_of_one_channel_without_any_mask_changes_nothing() -> None:
    image = np.random.default_rng(7).random((6, 6)).astype(np.float32)
    np.testing.assert_array_equal(dilate(image, np.zeros((6, 6), bool), 4), image)


def test_nearest_texels_of_a_large_image_are_those_that_all_of_it_at_once_gives() -> None:
    noise = np.random.default_rng(8).random((1024, 1024)).astype(np.float32)
    mask = cv2.GaussianBlur(noise, (0, 0), 12) > 0.5
    texels, sources = nearest_inside(mask, 16)
    everywhere, all_sources = nearest_inside(mask, 1024)
    distance = cv2.distanceTransform((~mask).astype(np.uint8), cv2.DIST_L2, 5).reshape(-1)
    near = distance[everywhere] <= 16
    assert 1000 < np.count_nonzero(near) < len(everywhere)
    np.testing.assert_array_equal(texels, everywhere[near])
    np.testing.assert_array_equal(sources, all_sources[near])


def test_slopes_of_some_rows_are_those_of_the_whole() -> None:
    model = load_head_model()
    space = uv_space(model, 256)
    height = np.random.default_rng(9).normal(size=(256, 256)).astype(np.float32)
    gradient = space.surface_gradient(model.mean)
    for rows in (slice(0, 64), slice(100, 101), slice(192, 256)):
        for part, whole in zip(gradient.slopes(height, rows), gradient.slopes(height), strict=True):
            np.testing.assert_array_equal(part, whole[rows])


def test_slopes_of_a_known_height_are_its_gradient_along_the_tangent_frame() -> None:
    model = load_head_model()
    space = uv_space(model, 512)
    direction = np.array([0.3, 0.8, 0.1])
    position = space.positions(model.mean)
    height = (position @ direction * 1000 * 0.05).astype(np.float32)  # a plane in space, 0.05 mm per mm
    along, up = space.surface_gradient(model.mean).slopes(height)
    frames = space.tangents(model.mean)
    inner = cv2.erode(space.mask.astype(np.uint8), np.ones((9, 9), np.uint8)) > 0
    # On smooth cheeks and forehead; folds are too coarse for texels of 0.6 mm.
    front = inner & (frames.normal[..., 2] > 0.8)
    for slope, axis in ((along, frames.tangent), (up, frames.bitangent)):
        expected = 0.05 * (axis @ direction)
        error = np.abs(slope - expected)[front]
        assert np.median(error) < 0.004
        assert np.quantile(error, 0.9) < 0.02
        assert np.abs(expected[front]).max() > 0.03
