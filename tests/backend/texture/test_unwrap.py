"""Unwrapping photographs that were rendered from a known texture."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from backend.head.head_fit import HeadFit, ViewFit
from backend.head.model import HeadModel, load_head_model
from backend.photo.parameters import NoiseSettings
from backend.photo.reading import Photo
from backend.rendering.camera import Camera
from backend.rendering.rasteriser import EmbreeRasteriser
from backend.texture.maps import PartialTexture
from backend.texture.parameters import UnwrapParameters
from backend.texture.unwrap import unwrap
from backend.texture.uv_space import UVSpace, uv_space

GREEN = np.array([0.0, 1.0, 0.0], np.float32)
RESOLUTION = 256


def fit_from(yaw_degrees: float, size: int = 500, shift_px: float = 0) -> HeadFit:
    """The mean head seen from a yaw, 1 m away."""
    yaw = np.radians(yaw_degrees)
    rotation = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    camera = Camera(rotation, np.array([0, 0.02, -1.0]), 3.2 * size, (size / 2 + shift_px, size / 2), size, size)
    zero = np.zeros(100, np.float32)
    view = ViewFit(
        expression=zero[:52],
        camera=camera,
        light=np.zeros((9, 3), np.float32),
        skin_albedo=np.ones(3, np.float32),
        iod_px=0.09 * 3.2 * size,
        landmark_error=0.0,
        landmark_errors=np.zeros(478, np.float32),
        photometric_before=0.0,
        photometric_after=0.0,
        focal_known=True,
    )
    return HeadFit(zero, (view,))


def paint(model: HeadModel, vertices: np.ndarray) -> np.ndarray:
    """A smooth colour per vertex without green, sRGB in [0, 1]; eyes, teeth and mouth are green."""
    x, y, z = (vertices - vertices.min(0)).T / np.ptp(vertices, axis=0)[:, None]
    colour = np.stack([0.3 + 0.5 * y, 0.12 + 0.1 * x, 0.3 + 0.5 * z], axis=1)
    colour[model.part_of_vertex != model.part_names.index("skin")] = GREEN
    return colour.astype(np.float32)


def photograph(model: HeadModel, fit: HeadFit) -> tuple[Photo, np.ndarray]:
    """The painted head before green, and the colours of its vertices."""
    vertices = fit.vertices(model)
    triangles = model.triangles(*(n for n in model.part_names if n != "lashes"))
    colour = paint(model, vertices)
    fragments = EmbreeRasteriser().rasterise(vertices, triangles, fit.camera)
    image = np.where(fragments.mask[..., None], fragments.interpolate(triangles, colour), GREEN)
    return Photo(np.round(image * 255).astype(np.uint8)), colour


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def space(model: HeadModel) -> UVSpace:
    return uv_space(model, RESOLUTION)


def unwrapped(model: HeadModel, space: UVSpace, fit: HeadFit) -> tuple[PartialTexture, np.ndarray]:
    photo, colour = photograph(model, fit)
    everywhere = np.ones((photo.height, photo.width), np.float32)
    partial = unwrap(photo, everywhere, model, fit, EmbreeRasteriser(), space)
    return partial, space.interpolate(colour)


@pytest.mark.parametrize("yaw", [0, 40])
def test_seen_texels_get_the_colour_of_their_surface_point(model: HeadModel, space: UVSpace, yaw: float) -> None:
    partial, truth = unwrapped(model, space, fit_from(yaw))
    seen = partial.visibility > 0.5
    assert 0.15 < seen[space.mask].mean() < 0.8
    assert np.quantile(np.abs(partial.texture_srgb - truth)[seen].max(-1), 0.99) < 0.03


@pytest.mark.parametrize("yaw", [0, 40])
def test_neither_background_nor_eyes_nor_mouth_bleed_into_skin(model: HeadModel, space: UVSpace, yaw: float) -> None:
    partial, _ = unwrapped(model, space, fit_from(yaw))
    green = partial.texture_srgb[..., 1] - partial.texture_srgb[..., [0, 2]].min(-1)
    assert (np.maximum(green, 0) * partial.visibility).max() < 0.06


def test_what_is_turned_away_or_out_of_the_frame_is_not_seen(model: HeadModel, space: UVSpace) -> None:
    frontal, _ = unwrapped(model, space, fit_from(0))
    normals = space.normals(model.mean)
    assert frontal.visibility[normals[..., 2] < 0.1].max() == 0
    cropped, _ = unwrapped(model, space, fit_from(0, shift_px=250))
    x = space.positions(model.mean)[..., 0]
    assert cropped.visibility[space.mask & (x > 0.01)].max() == 0
    assert cropped.visibility[space.mask & (x < -0.01)].max() == 1
    assert (frontal.texture_srgb[frontal.visibility == 0] == 0).all()


def test_a_turned_head_hides_the_far_cheek_and_the_nose_hides_more(model: HeadModel, space: UVSpace) -> None:
    partial, _ = unwrapped(model, space, fit_from(50))
    x = space.positions(model.mean)[..., 0]
    face = space.mask & (space.normals(model.mean)[..., 2] > 0.3)
    near, far = partial.visibility[face & (x < -0.03)].mean(), partial.visibility[face & (x > 0.03)].mean()
    assert near > 0.6
    assert far < 0.3


def test_the_mask_takes_texels_away(model: HeadModel, space: UVSpace) -> None:
    fit = fit_from(0)
    photo, _ = photograph(model, fit)
    mask = np.ones((photo.height, photo.width), np.float32)
    mask[:, :250] = 0
    partial = unwrap(photo, mask, model, fit, EmbreeRasteriser(), space)
    x = space.positions(model.mean)[..., 0]
    assert partial.visibility[space.mask & (x < -0.003)].max() == 0
    assert partial.visibility[space.mask & (x > 0.01)].max() == 1


def test_fine_stripes_are_averaged_in_linear_light(model: HeadModel, space: UVSpace) -> None:
    fit = fit_from(0, size=2000)
    image = np.zeros((2000, 2000, 3), np.uint8)
    image[:, ::2] = 255
    everywhere = np.ones((2000, 2000), np.float32)
    kept = UnwrapParameters(noise=NoiseSettings(negligible=1e9))  # stripes are noise as well
    partial = unwrap(Photo(image), everywhere, model, fit, EmbreeRasteriser(), space, settings=kept)
    frontal = (partial.visibility > 0.99) & (space.normals(model.mean)[..., 2] > 0.8)
    # Half the light is 0.735 encoded; averaging encoded values would give 0.5.
    assert abs(float(np.median(partial.texture_srgb[frontal])) - 0.735) < 0.02
    assert partial.texture_srgb[frontal].std() < 0.06


def test_a_larger_map_shows_the_same(model: HeadModel, space: UVSpace) -> None:
    fit = fit_from(10)
    small, _ = unwrapped(model, space, fit)
    large, _ = unwrapped(model, uv_space(model, 2 * RESOLUTION), fit)
    reduced = cv2.resize(large.visibility, (RESOLUTION, RESOLUTION), interpolation=cv2.INTER_AREA)
    both = cv2.erode(np.minimum(reduced, small.visibility), np.ones((5, 5), np.uint8)) > 0.9
    colour = cv2.resize(large.texture_srgb, (RESOLUTION, RESOLUTION), interpolation=cv2.INTER_AREA)
    assert both.mean() > 0.1
    assert np.abs(colour - small.texture_srgb)[both].mean() < 0.01
