"""Lids and eyes, lips and teeth, tongue and lips stay out of each other, in the mean head and in others."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from blender_addon.anatomy.geometry import HeadGeometry, head_geometry
from blender_addon.expression.shapes import random_expression
from tests.blender.finished_job import ASSET, head_mesh
from tests.blender_addon.anatomy.penetration import depths_mm, signed_distance, winding_number

NAMES = tuple(str(name) for name in head_mesh().expression_names)
ALLOWED_MM = 0.3


# Faces that single shapes on their way and mixtures make.
MIXTURES: dict[str, dict[str, float]] = {
    "shut over an open jaw": {"jawOpen": 1.0, "mouthClose": 1.0},
    "shut over a half open jaw": {"jawOpen": 0.5, "mouthClose": 0.5},
    "lips drawn in": {"mouthRollLower": 1.0, "mouthRollUpper": 1.0},
    "lip drawn in, jaw half open": {"mouthRollLower": 1.0, "jawOpen": 0.5},
    "open smile": {"mouthSmileLeft": 1.0, "mouthSmileRight": 1.0, "jawOpen": 0.5},
    "tongue, a third": {"tongueOut": 0.35},
    "tongue, half": {"tongueOut": 0.5},
    "tongue, two thirds": {"tongueOut": 0.65},
    "half a blink": {"eyeBlinkLeft": 0.5, "eyeBlinkRight": 0.5},
    "wink with a squint": {"eyeBlinkLeft": 1.0, "eyeSquintLeft": 1.0},
    "looking down, lids low": {"eyeLookDownLeft": 1.0, "eyeLookDownRight": 1.0, "eyeBlinkLeft": 0.6},
}
# People by the seed of their coordinates and how far those spread: as people's do, and far from the mean.
PEOPLE = {"somebody": (5, 1.0), "somebody far from the mean": (7, 1.4)}


def person(seed: int, spread: float) -> HeadGeometry:
    """A head whose 100 coordinates are drawn at random."""
    mesh = head_mesh()
    with np.load(ASSET, allow_pickle=False) as data:
        basis = data["identity_basis_mm"].astype(np.float32) / 1000
    coordinates = (spread * np.random.default_rng(seed).normal(size=len(basis))).astype(np.float32)
    return head_geometry(replace(mesh, vertices=mesh.vertices + np.tensordot(coordinates, basis, 1)))


@pytest.fixture(scope="module")
def built() -> HeadGeometry:
    return head_geometry(head_mesh())


def test_distance_is_negative_inside_a_box_and_positive_outside() -> None:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    triangles = np.array([corners[[q[0], q[i], q[i + 1]]] for q in quads for i in (1, 2)])
    points = np.array([[0.5, 0.5, 0.9], [0.5, 0.5, 1.2], [1.3, 1.4, 1.0], [0.01, 0.01, 0.02]])
    np.testing.assert_allclose(signed_distance(points, triangles), [-0.1, 0.2, 0.5, -0.01], atol=1e-9)


def test_winding_number_tells_inside_from_outside_where_a_surface_folds_over_itself() -> None:
    corners = np.array([[x, y, z] for x in (0, 1) for y in (0, 1) for z in (0, 1)], float)
    quads = [(0, 1, 3, 2), (4, 6, 7, 5), (0, 4, 5, 1), (2, 3, 7, 6), (0, 2, 6, 4), (1, 5, 7, 3)]
    box = np.array([corners[[q[0], q[i], q[i + 1]]] for q in quads for i in (1, 2)])
    both = np.concatenate([box, box + np.array([0.5, 0, 0])])
    points = np.array([[0.25, 0.5, 0.5], [0.75, 0.5, 0.5], [2.0, 0.5, 0.5]])
    np.testing.assert_allclose(winding_number(points, both), [1, 2, 0], atol=1e-9)


def test_nothing_touches_in_the_neutral_face(built: HeadGeometry) -> None:
    assert max(depths_mm(built, {}).values()) <= 0.0


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_shape_drives_nothing_into_another(built: HeadGeometry, name: str) -> None:
    depths = depths_mm(built, {name: 1.0})
    assert depths["teeth and lips"] <= ALLOWED_MM
    assert depths["tongue and lips"] <= ALLOWED_MM
    assert depths["lids and eyes"] <= ALLOWED_MM


@pytest.mark.parametrize("seed", range(20))
def test_a_random_face_drives_nothing_into_another(built: HeadGeometry, seed: int) -> None:
    depths = depths_mm(built, random_expression(np.random.default_rng(seed)))
    assert depths["teeth and lips"] <= ALLOWED_MM
    assert depths["tongue and lips"] <= ALLOWED_MM
    assert depths["lids and eyes"] <= ALLOWED_MM


@pytest.mark.parametrize("mixture", MIXTURES)
def test_a_mixture_drives_nothing_into_another(built: HeadGeometry, mixture: str) -> None:
    assert max(depths_mm(built, MIXTURES[mixture]).values()) <= ALLOWED_MM


@pytest.mark.slow
@pytest.mark.parametrize("who", PEOPLE)
def test_in_other_people_no_face_drives_anything_into_another(who: str) -> None:
    built = person(*PEOPLE[who])
    faces = {name: {name: 1.0} for name in NAMES} | MIXTURES | {"neutral": {}}
    faces |= {f"random {seed}": random_expression(np.random.default_rng(seed)) for seed in range(20)}
    depths = {face: depths_mm(built, weights) for face, weights in faces.items()}
    assert {face: found for face, found in depths.items() if max(found.values()) > ALLOWED_MM} == {}
