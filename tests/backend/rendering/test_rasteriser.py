"""Both rasterisers see what a plain ray cast through the pixel centres sees."""

from __future__ import annotations

import numpy as np
import pytest

from backend.rendering import rasteriser as rasteriser_module
from backend.rendering.camera import Camera
from backend.rendering.nvdiffrast_rasteriser import (
    NvdiffrastRasteriser,
    choose_rasteriser,
    clip_coordinates,
    fragments_from_output,
)
from backend.rendering.rasteriser import EmbreeRasteriser, Fragments, Rasteriser
from shared.errors import RelightifyError


def turned_camera(width: int = 41, height: int = 32) -> Camera:
    """Off-centre, turned and rolled, 0.6 m away."""
    a, b = 0.4, -0.2
    yaw = np.array([[np.cos(a), 0, np.sin(a)], [0, 1, 0], [-np.sin(a), 0, np.cos(a)]])
    roll = np.array([[np.cos(b), -np.sin(b), 0], [np.sin(b), np.cos(b), 0], [0, 0, 1]])
    return Camera(roll @ yaw, np.array([0.02, -0.01, -0.6]), 90.0, (18.3, 17.1), width, height)


def triangle_soup(count: int = 12) -> tuple[np.ndarray, np.ndarray]:
    """Random triangles about the origin that overlap and cross, both sides towards the camera."""
    random = np.random.default_rng(4)
    centres = random.uniform(-0.08, 0.08, (count, 1, 3))
    vertices = (centres + random.normal(0, 0.05, (count, 3, 3))).reshape(-1, 3)
    return vertices, random.permutation(3 * count).reshape(-1, 3).astype(np.int32)


def brute_force(vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> tuple[Fragments, np.ndarray]:
    """Every pixel against every triangle in double precision; and how far each pixel is from an edge or a tie."""
    points = camera.to_camera(vertices.astype(np.float64))
    shape = (camera.height, camera.width)
    best, second = np.full(shape, np.inf), np.full(shape, np.inf)
    triangle, weights, clearance = np.full(shape, -1, np.int32), np.zeros((*shape, 3)), np.full(shape, np.inf)
    for row in range(camera.height):
        for column in range(camera.width):
            ray = np.array(
                [
                    (column + 0.5 - camera.centre_px[0]) / camera.focal_px,
                    -(row + 0.5 - camera.centre_px[1]) / camera.focal_px,
                    -1.0,
                ]
            )
            for index, corners in enumerate(points[triangles]):
                # b0 A + b1 B + b2 C = t ray with b0 + b1 + b2 = 1
                system = np.block([[corners.T, -ray[:, None]], [np.ones((1, 3)), np.zeros((1, 1))]])
                solution = np.linalg.solve(system, [0, 0, 0, 1.0])
                clearance[row, column] = min(clearance[row, column], abs(solution[:3].min()))
                if solution[:3].min() < 0 or solution[3] <= 0:
                    continue
                if solution[3] < best[row, column]:
                    second[row, column] = best[row, column]
                    best[row, column], triangle[row, column], weights[row, column] = solution[3], index, solution[:3]
                else:
                    second[row, column] = min(second[row, column], solution[3])
    with np.errstate(invalid="ignore"):
        gap = second - best
    clearance = np.minimum(clearance, np.where(np.isfinite(gap), gap, np.inf))
    return Fragments(triangle, weights.astype(np.float32), best.astype(np.float32)), clearance


def assert_same(found: Fragments, expected: Fragments, clearance: np.ndarray) -> None:
    sure = clearance > 1e-4
    assert sure.mean() > 0.95
    np.testing.assert_array_equal(found.triangle[sure], expected.triangle[sure])
    np.testing.assert_allclose(found.barycentric[sure], expected.barycentric[sure], atol=2e-4)
    np.testing.assert_allclose(found.depth[sure], expected.depth[sure], rtol=1e-4)


def nvdiffrast_on_the_cpu(vertices: np.ndarray, triangles: np.ndarray, camera: Camera) -> np.ndarray:
    """The formulas of nvdiffrast's kernel, for every pixel and triangle: output [H, W, 4]."""
    clip = clip_coordinates(vertices, camera).astype(np.float64)
    height, width = camera.height, camera.width
    x = ((2 * np.arange(width) + 1) / width - 1)[None, :, None]
    y = ((2 * np.arange(height) + 1) / height - 1)[:, None, None]
    p = clip[triangles]  # [F, corner, xyzw]
    px = [p[:, k, 0] - x * p[:, k, 3] for k in range(3)]
    py = [p[:, k, 1] - y * p[:, k, 3] for k in range(3)]
    a = np.stack([px[(k + 1) % 3] * py[(k + 2) % 3] - py[(k + 1) % 3] * px[(k + 2) % 3] for k in range(3)], axis=-1)
    b = a / a.sum(-1, keepdims=True)
    z = (a * p[:, :, 2]).sum(-1) / (a * p[:, :, 3]).sum(-1)
    z = np.where((b >= 0).all(-1) & (np.abs(z) <= 1), z, np.inf)
    nearest = z.argmin(-1)
    seen = np.isfinite(z.min(-1))
    picked = np.take_along_axis(b, nearest[..., None, None], 2)[:, :, 0]
    output = np.dstack([picked[..., :2], z.min(-1), nearest + 1])
    return np.where(seen[..., None], output, 0).astype(np.float32)


def test_embree_sees_what_brute_force_sees() -> None:
    vertices, triangles = triangle_soup()
    camera = turned_camera()
    assert_same(EmbreeRasteriser().rasterise(vertices, triangles, camera), *brute_force(vertices, triangles, camera))


def test_our_reading_of_nvdiffrasts_conventions_sees_what_brute_force_sees() -> None:
    vertices, triangles = triangle_soup()
    camera = turned_camera()
    output = nvdiffrast_on_the_cpu(vertices, triangles, camera)
    depth = clip_coordinates(vertices, camera)[:, 3]
    assert_same(fragments_from_output(output, depth, triangles), *brute_force(vertices, triangles, camera))


def test_nvdiffrast_sees_what_embree_sees() -> None:
    try:
        engine = NvdiffrastRasteriser()
    except RelightifyError as error:
        pytest.skip(f"nvdiffrast cannot be used here: {error}")
    vertices, triangles = triangle_soup()
    camera = turned_camera()
    _, clearance = brute_force(vertices, triangles, camera)
    expected = EmbreeRasteriser().rasterise(vertices, triangles, camera)
    assert_same(engine.rasterise(vertices, triangles, camera), expected, clearance)


def test_clip_coordinates_divide_to_the_cameras_pixels() -> None:
    vertices, _ = triangle_soup()
    camera = turned_camera()
    clip = clip_coordinates(vertices, camera).astype(np.float64)
    pixels = (clip[:, :2] / clip[:, 3:] + 1) / 2 * (camera.width, camera.height)
    np.testing.assert_allclose(pixels, camera.project(vertices), atol=1e-3)
    assert np.abs(clip[:, 2] / clip[:, 3]).max() < 1
    assert (np.diff((clip[:, 2] / clip[:, 3])[np.argsort(clip[:, 3])]) >= 0).all()


def test_what_a_pixel_sees_projects_to_its_centre() -> None:
    vertices, triangles = triangle_soup()
    camera = turned_camera()
    fragments = EmbreeRasteriser().rasterise(vertices, triangles, camera)
    rows, columns = np.nonzero(fragments.mask)
    assert len(rows) > 100
    seen = fragments.interpolate(triangles, vertices)[rows, columns]
    np.testing.assert_allclose(camera.project(seen), np.stack([columns, rows], axis=1) + 0.5, atol=2e-3)
    np.testing.assert_allclose(-camera.to_camera(seen)[:, 2], fragments.depth[rows, columns], rtol=1e-4)


def test_background_is_empty() -> None:
    vertices = np.array([[-0.01, -0.01, 0], [0.01, -0.01, 0], [0, 0.01, 0]])
    behind = np.array([[-1.0, -1, 1], [1, -1, 1], [0, 1, 1]])
    triangles = np.array([[0, 1, 2], [3, 4, 5]])
    camera = Camera(np.eye(3), np.array([0, 0, -0.5]), 100.0, (20.0, 20.0), 40, 40)
    fragments = EmbreeRasteriser().rasterise(np.concatenate([vertices, behind]), triangles, camera)
    assert set(np.unique(fragments.triangle)) == {-1, 0}
    assert np.isinf(fragments.depth[~fragments.mask]).all()
    assert not fragments.barycentric[~fragments.mask].any()
    assert not fragments.interpolate(triangles, np.ones((6, 2)))[~fragments.mask].any()
    assert fragments.mask[20, 20]


def test_bands_of_rows_make_one_image(monkeypatch: pytest.MonkeyPatch) -> None:
    vertices, triangles = triangle_soup()
    camera = turned_camera()
    whole = EmbreeRasteriser().rasterise(vertices, triangles, camera)
    monkeypatch.setattr(rasteriser_module, "RAYS_PER_BAND", 5 * camera.width)
    banded = EmbreeRasteriser().rasterise(vertices, triangles, camera)
    np.testing.assert_array_equal(whole.triangle, banded.triangle)
    np.testing.assert_array_equal(whole.depth, banded.depth)


def test_neighbouring_triangles_leave_no_gaps() -> None:
    y, x = np.mgrid[0:40, 0:40]
    random = np.random.default_rng(0)
    z = random.uniform(-0.004, 0.004, x.shape)
    vertices = np.stack([(x - 19.5) * 0.01, (y - 19.5) * 0.01, z], axis=-1).reshape(-1, 3)
    corner = (y[:-1, :-1] * 40 + x[:-1, :-1]).ravel()
    triangles = np.concatenate(
        [np.stack([corner, corner + 1, corner + 41], 1), np.stack([corner, corner + 41, corner + 40], 1)]
    )
    camera = Camera(np.eye(3), np.array([0, 0, -0.5]), 800.0, (200.0, 200.0), 400, 400)
    assert EmbreeRasteriser().rasterise(vertices, triangles, camera).mask.all()


def test_the_cpu_gets_embree_and_cuda_falls_back_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    engine: Rasteriser = choose_rasteriser("cpu")
    assert isinstance(engine, EmbreeRasteriser)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert isinstance(choose_rasteriser("cuda"), EmbreeRasteriser)
    with pytest.raises(RelightifyError) as caught:
        NvdiffrastRasteriser()
    assert caught.value.code == "no_cuda"
