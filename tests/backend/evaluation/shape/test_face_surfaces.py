"""Surfaces compared region by region."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from backend.evaluation.parameters import GeometrySettings
from backend.evaluation.shape.face_surfaces import (
    REGIONS,
    UNMOVED,
    FacePoints,
    aligned,
    best_fit,
    region_errors,
    region_masks,
    surface_of,
)
from backend.head.model import HeadModel, load_head_model
from backend.texture.regions import face_regions
from backend.texture.uv_space import UVSpace, uv_space

SETTINGS = GeometrySettings()


@pytest.fixture(scope="module")
def model() -> HeadModel:
    return load_head_model()


@pytest.fixture(scope="module")
def space(model: HeadModel) -> UVSpace:
    return uv_space(model, 128)


def points_of(model: HeadModel, space: UVSpace, vertices: np.ndarray) -> FacePoints:
    positions = space.positions(vertices).astype(np.float64)
    masks = region_masks(face_regions(model, space))
    return FacePoints({name: positions[mask & space.mask][::3] for name, mask in masks.items()})


def test_regions_cover_the_face_without_overlap(model: HeadModel, space: UVSpace) -> None:
    masks = region_masks(face_regions(model, space))
    assert tuple(masks) == REGIONS
    assert np.sum(list(masks.values()), axis=0).max() == 1
    heights = {name: space.positions(model.mean)[mask][:, 1].mean() for name, mask in masks.items()}
    assert heights["forehead"] > heights["nose"] > heights["mouth"]


def test_a_head_moved_turned_and_scaled_is_the_same_head(model: HeadModel, space: UVSpace) -> None:
    turn = Rotation.from_rotvec([0.05, -0.08, 0.03]).as_matrix()
    moved = 1.06 * model.mean.astype(np.float64) @ turn.T + [0.004, -0.006, 0.003]
    errors = region_errors(points_of(model, space, moved), surface_of(model, model.mean), SETTINGS)
    assert max(errors.values()) < 0.05


def test_errors_are_in_millimetres_of_the_true_head_and_stay_in_their_region(model: HeadModel, space: UVSpace) -> None:
    truth = points_of(model, space, model.mean.astype(np.float64))
    # Half of the nose stands out by 3 mm: a rigid motion can halve that, but not hide it.
    nose = truth.regions["nose"]
    left = nose[:, :1] > 0
    dented = FacePoints({**truth.regions, "nose": nose + np.where(left, [0.003, 0, 0], 0)})
    errors = region_errors(dented, surface_of(model, model.mean), SETTINGS)
    assert 0.3 < errors["nose"] < 1.5
    assert errors["forehead"] < 0.15
    assert errors["mean"] == pytest.approx(np.mean([errors[r] for r in REGIONS]))
    # The same misfit of a larger head, in its own millimetres.
    large = FacePoints({name: 1.1 * points for name, points in dented.regions.items()})
    larger = region_errors(large, surface_of(model, model.mean), SETTINGS)
    assert larger["nose"] == pytest.approx(1.1 * errors["nose"], rel=0.05)


def test_a_rigid_alignment_keeps_the_scale_it_starts_with(model: HeadModel, space: UVSpace) -> None:
    points = points_of(model, space, 1.05 * model.mean.astype(np.float64)).whole
    surface = surface_of(model, model.mean)
    assert aligned(points, surface, UNMOVED, SETTINGS).scale == 1
    assert aligned(points, surface, UNMOVED, SETTINGS, scaled=True).scale == pytest.approx(1 / 1.05, abs=0.005)


@pytest.mark.slow
def test_the_floor_of_a_head_of_the_model_is_far_below_the_mean_head(model: HeadModel, space: UVSpace) -> None:
    identity = np.random.default_rng(3).normal(size=len(model.identity_basis))
    truth = points_of(model, space, model.shape(identity).astype(np.float64))
    found = best_fit(model, truth, SETTINGS)
    fitted = region_errors(truth, surface_of(model, model.shape(found)), SETTINGS)
    mean = region_errors(truth, surface_of(model, model.mean), SETTINGS)
    # Closest points creep: the floor is an upper bound.
    assert fitted["mean"] < 0.6 * mean["mean"]
